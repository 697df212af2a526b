"""Where a data set comes from: the user's folder, or synthetic people in its place."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apnet.data import load_dataset
from apnet.progress import Progress
from apnet.synthetic import PEOPLE_SETS, make_people, make_set
from apnet.synthetic.world.catalogue import people_set
from apnet.types import ReidDataset

SMOKE_IDS, SMOKE_IMAGES, SMOKE_SIZE = 16, 4, (64, 32)


@dataclass(frozen=True)
class Size:
    """How many images a data set has."""

    train: int
    test: int
    """Query and gallery."""


@dataclass(frozen=True)
class OwnSet:
    """A data set in the user's folder."""

    name: str
    root: Path

    @property
    def label(self) -> str:
        """How tables name it."""
        return self.name

    def facts(self) -> dict[str, Any]:
        """Returns what tells this source from another."""
        return {"name": self.name, "root": str(self.root.resolve())}

    def load(self, people: Path, workers: int, progress: Progress) -> ReidDataset:
        """Reads it; see ``load_dataset``."""
        return load_dataset(self.name, self.root)

    def size(self) -> Size:
        """Counts the folder's images; see ``load_dataset``."""
        found = load_dataset(self.name, self.root)
        return Size(len(found.train), len(found.query) + len(found.gallery))


@dataclass(frozen=True)
class NamedPeople:
    """A share of a named set of synthetic people."""

    name: str
    share: float

    @property
    def label(self) -> str:
        """How tables name it."""
        return f"{self.name} {self.share:g}"

    def facts(self) -> dict[str, Any]:
        """Returns what tells this source from another."""
        version = PEOPLE_SETS[self.name].version
        return {"synthetic": self.name, "share": self.share, "version": version}

    def load(self, people: Path, workers: int, progress: Progress) -> ReidDataset:
        """Renders the set into a folder of its own in ``people``, unless it is there."""
        root = people / f"{self.name}-{self.share:g}"
        made = make_set(root, self.name, share=self.share, workers=workers, progress=progress)
        return _load_people(root, self.label, made.sha256)

    def size(self) -> Size:
        """Counts the images that the set will have."""
        counts = people_set(self.name, self.share).counts
        return Size(counts.train[1], counts.images - counts.train[1])


@dataclass(frozen=True)
class FewPeople:
    """A handful of synthetic people, to see that everything runs."""

    seed: int

    @property
    def label(self) -> str:
        """How tables name it."""
        return f"{SMOKE_IDS} people, seed {self.seed}"

    def facts(self) -> dict[str, Any]:
        """Returns what tells this source from another."""
        return {"synthetic": "few", "seed": self.seed}

    def load(self, people: Path, workers: int, progress: Progress) -> ReidDataset:
        """Renders the people into a folder of their own in ``people``, unless they are there."""
        root = people / f"few-{self.seed}"
        made = make_people(
            root,
            ids=SMOKE_IDS,
            images_per_id=SMOKE_IMAGES,
            seed=self.seed,
            size=SMOKE_SIZE,
            workers=0,
            progress=progress,
        )
        return _load_people(root, self.label, made.sha256)

    def size(self) -> Size:
        """Counts the images that the set will have."""
        half = SMOKE_IDS * SMOKE_IMAGES // 2
        return Size(half, half)


Source = OwnSet | NamedPeople | FewPeople


def _load_people(root: Path, label: str, sha256: str) -> ReidDataset:
    """Loads synthetic people under their own name, not that of the layout they are in."""
    found = load_dataset("market1501", root)
    return dataclasses.replace(found, name=label, notes=(f"synthetic people, SHA-256 {sha256}",))
