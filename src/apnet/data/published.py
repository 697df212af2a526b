"""Published counts of the benchmarks, to compare a copy on disk with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from apnet.data.listing import Listing
from apnet.types import NO_CAMERA, ImageRecord, ReidDataset

Split = Literal["train", "query", "gallery"]

SPLITS: tuple[Split, ...] = ("train", "query", "gallery")


@dataclass(frozen=True)
class SplitCounts:
    """Numbers of identities, images and known cameras of a split."""

    ids: int
    images: int
    cameras: int


Counts = Mapping[Split, SplitCounts]


def _counts(
    train: tuple[int, int, int], query: tuple[int, int, int], gallery: tuple[int, int, int]
) -> Counts:
    return {
        "train": SplitCounts(*train),
        "query": SplitCounts(*query),
        "gallery": SplitCounts(*gallery),
    }


PUBLISHED: Mapping[str, Counts] = {
    # Gallery: 750 identities and pid 0, shared by 2,798 false detections; without junk.
    "market1501": _counts((751, 12_936, 6), (750, 3_368, 6), (751, 15_913, 6)),
    # Gallery: 702 query identities and 408 others.
    "dukemtmcreid": _counts((702, 16_522, 8), (702, 2_228, 8), (1_110, 17_661, 8)),
    "cuhk03np-labeled": _counts((767, 7_368, 2), (700, 1_400, 2), (700, 5_328, 2)),
    "cuhk03np-detected": _counts((767, 7_365, 2), (700, 1_400, 2), (700, 5_332, 2)),
    "msmt17": _counts((1_041, 32_621, 15), (3_060, 11_659, 15), (3_060, 82_161, 15)),
    "msmt17-noval": _counts((1_041, 30_248, 15), (3_060, 11_659, 15), (3_060, 82_161, 15)),
    "occluded-duke": _counts((702, 15_618, 8), (519, 2_210, 8), (1_110, 17_661, 8)),
}
"""Counts of the images that are used, by data set name."""


def counts_of(data: Listing | ReidDataset) -> Counts:
    """Returns the numbers of identities, images and cameras of every split."""
    return {split: _split_counts(getattr(data, split)) for split in SPLITS}


def missing_splits(data: Listing | ReidDataset) -> Iterator[str]:
    """Yields a note if a data set has only training images, or no training images."""
    if data.train and not data.query and not data.gallery:
        yield "no test split: for training only"
    elif (data.query or data.gallery) and not data.train:
        yield "no training split: for testing only"


def _split_counts(records: Iterable[ImageRecord]) -> SplitCounts:
    records = tuple(records)
    return SplitCounts(
        ids=len({record.pid for record in records}),
        images=len(records),
        cameras=len({record.camid for record in records} - {NO_CAMERA}),
    )


def differences(counts: Counts, published: Counts) -> Iterator[str]:
    """Yields one sentence per non-empty split whose counts differ from the published ones."""
    for split, expected in published.items():
        found = counts[split]
        if found != expected and found.images:
            yield (
                f"{split}: {found.ids:,} ids, {found.images:,} images, {found.cameras} cameras; "
                f"published are {expected.ids:,}, {expected.images:,}, {expected.cameras}"
            )
