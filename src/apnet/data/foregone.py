"""What is certain of a data set's results before any network has seen it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from apnet.data.listing import Listing
from apnet.types import NO_CAMERA, ImageRecord


def foregone_results(listing: Listing) -> Iterator[str]:
    """Yields a sentence if the test split has the same results for every network.

    A gallery image of the query's identity is a match unless it has the query's known camera or is
    the query itself, as in evaluation.
    """
    if not (listing.query and listing.gallery):
        return
    counts = match_counts(listing.query, listing.gallery)
    identities = Counter(record.pid for record in listing.gallery)
    if not any(counts):
        yield "no query has a match in the gallery that could be found: there is nothing to measure"
    elif all(
        identities[query.pid] == len(listing.gallery)
        for query, count in zip(listing.query, counts, strict=True)
        if count
    ):
        yield (
            "the gallery has no wrong answer for any query, as it shows one identity only: every "
            "network scores 100 %"
        )


def narrow_splits(listing: Listing) -> Iterator[str]:
    """Yields a sentence on each split of too few kinds to show what it should."""
    if len({record.pid for record in listing.train}) == 1:
        yield "train shows one identity only: there is nobody to tell it from"
    if {record.camid for record in listing.train}.isdisjoint({NO_CAMERA}) and (
        len({record.camid for record in listing.train}) == 1
    ):
        yield "train is from one camera only: nothing is learnt about other cameras"
    query = {record.path for record in listing.query}
    if query and query == {record.path for record in listing.gallery}:
        yield (
            f"query and gallery are the same {len(query):,} images: each query is left out of its "
            "own ranking"
        )


def match_counts(query: Sequence[ImageRecord], gallery: Sequence[ImageRecord]) -> list[int]:
    """Returns for each query the number of its matches in the gallery."""
    of_pid = Counter(record.pid for record in gallery)
    of_camera = Counter((record.pid, record.camid) for record in gallery)
    of_path = Counter((record.path, record.pid, record.camid) for record in gallery)
    return [
        of_pid[each.pid]
        - (
            of_path[each.path, each.pid, each.camid]
            if each.camid == NO_CAMERA
            else of_camera[each.pid, each.camid]
        )
        for each in query
    ]
