"""From the nearest images to identities, and from similarities to decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from apnet.display import html_table, text_summary
from apnet.gallery.engines.engine import Engine, Nearest, Wanted
from apnet.gallery.records import HeldImage, Identity
from apnet.gallery.rows import identities_by_number, images_by_number
from apnet.gallery.values import time_text

By = Literal["best", "mean"]
"""An identity's similarity: of its most similar image, or of the mean of its images."""

UNKNOWN = "unknown"
"""The answer when nobody reaches the threshold."""

_FIRST = 16
"""Images looked at per identity that is asked for, in the first pass."""


@dataclass(frozen=True)
class Match:
    """An identity found for a query.

    Attributes:
        name: of the identity.
        similarity: cosine, from -1 to 1.
        probability: that it is the same person, at the answer's prior; ``None`` uncalibrated.
        camera: of the most similar image, empty where unknown or for a mean.
        time: when that image was taken, ISO 8601 in UTC; empty where unknown.
        source: of that image.
        image: its number in the gallery, ``None`` for a mean.
        images: images of the identity in the gallery.
        metadata: of the identity.
    """

    name: str
    similarity: float
    probability: float | None
    camera: str
    time: str
    source: str
    image: int | None
    images: int
    metadata: dict[str, Any]


@dataclass(frozen=True, repr=False)
class Answer:
    """What a gallery answers to one query.

    Attributes:
        query: its file, or ``query N``.
        matches: the identities most similar, best first, whether or not they reach the threshold.
        threshold: similarity from which an identity is accepted; ``None`` without calibration.
        protocol: how identities were compared, and what the threshold means.
        limits: what the threshold does not cover.
    """

    query: str
    matches: tuple[Match, ...]
    threshold: float | None
    protocol: str
    limits: str

    @property
    def accepted(self) -> tuple[Match, ...]:
        """The identities that reach the threshold; none where there is no threshold."""
        if self.threshold is None:
            return ()
        return tuple(each for each in self.matches if each.similarity >= self.threshold)

    @property
    def decision(self) -> str | None:
        """The name of the best identity, ``unknown``, or ``None`` where there is no threshold."""
        if self.threshold is None:
            return None
        return self.accepted[0].name if self.accepted else UNKNOWN

    def __iter__(self) -> Iterator[Match]:
        return iter(self.matches)

    def __len__(self) -> int:
        return len(self.matches)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON holds it."""
        return {
            "query": self.query,
            "decision": self.decision,
            "threshold": self.threshold,
            "matches": [
                {**asdict(each), "accepted": each in self.accepted} for each in self.matches
            ],
            "protocol": self.protocol,
            "limits": self.limits,
        }

    def __repr__(self) -> str:
        decided = "no threshold: not calibrated" if self.threshold is None else self.decision
        rows: dict[str, object] = {"query": self.query, "decision": decided}
        rows |= {
            f"{number}.": f"{each.name}  {each.similarity:+.4f}"
            for number, each in enumerate(self.matches[:5], 1)
        }
        return text_summary("Answer", {**rows, "protocol": self.protocol})

    def _repr_html_(self) -> str:
        header = ("", "identity", "similarity", "probability", "camera", "time")
        rows = [
            (
                "accepted" if each in self.accepted else "",
                each.name,
                f"{each.similarity:+.4f}",
                "" if each.probability is None else f"{each.probability:.3f}",
                each.camera,
                each.time,
            )
            for each in self.matches
        ]
        title = f"{self.query}: {self.decision or 'not decided'}"
        return html_table(title, header, rows, f"{self.protocol} {self.limits}")


@dataclass(frozen=True)
class Ranked:
    """The nearest identities of one query: number, similarity, number of the image or -1."""

    rows: tuple[tuple[int, float, int], ...]
    exact: bool


def ranked_identities(
    engine: Engine, features: Any, k: int, by: By, wanted: Wanted, exact: bool | None
) -> list[Ranked]:
    """Returns the ``k`` identities most similar to each feature (Q, D).

    By the best image, more images are looked at until there are ``k`` identities among them, so
    that the order is as exact as that of the images.
    """
    if by == "mean":
        found = engine.nearest_means(features, k, wanted)
        return [Ranked(tuple(_firsts(each))[:k], each.exact) for each in found]
    answers: dict[int, Ranked] = {}
    waiting, count = list(range(len(features))), k * _FIRST
    while waiting:
        found = engine.nearest(features[waiting], count, wanted, exact)
        for query, nearest in zip(waiting, found, strict=True):
            firsts = tuple(_firsts(nearest))
            if len(firsts) >= k or nearest.complete:
                answers[query] = Ranked(firsts[:k], nearest.exact)
            elif len(nearest.images) < count and exact is not True:
                exact = True  # an index that finds no more may miss some
        waiting = [query for query in waiting if query not in answers]
        count *= 4
    return [answers[query] for query in range(len(features))]


def _firsts(nearest: Nearest) -> Iterator[tuple[int, float, int]]:
    seen: set[int] = set()
    for image, identity, similarity in zip(
        nearest.images.tolist(),
        nearest.identities.tolist(),
        nearest.similarities.tolist(),
        strict=True,
    ):
        if identity not in seen:
            seen.add(identity)
            yield identity, min(max(similarity, -1.0), 1.0), image  # sums in float32 go beyond


def described_matches(
    engine: Engine, ranked: Sequence[Ranked], probability: Callable[[float], float | None]
) -> list[tuple[Match, ...]]:
    """Returns the matches of each query, with what is known of identity and image."""
    rows = [row for each in ranked for row in each.rows]
    identities = identities_by_number(engine, sorted({row[0] for row in rows}))
    images = images_by_number(engine, sorted({row[2] for row in rows if row[2] > 0}))
    return [
        tuple(
            _match(identities[number], similarity, images.get(image), probability(similarity))
            for number, similarity, image in each.rows
            if number in identities
        )
        for each in ranked
    ]


def _match(
    identity: Identity, similarity: float, image: HeldImage | None, probability: float | None
) -> Match:
    return Match(
        name=identity.name,
        similarity=similarity,
        probability=probability,
        camera=image.camera if image else "",
        time=time_text(image.time) if image else "",
        source=image.source if image else "",
        image=image.id if image else None,
        images=identity.images,
        metadata=dict(identity.metadata),
    )
