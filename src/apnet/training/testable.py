"""Whether a data set's test split can be evaluated, found before hours of training go into it."""

from __future__ import annotations

from apnet.errors import DataError
from apnet.types import ReidDataset


def check_testable(dataset: ReidDataset) -> None:
    """Checks that some query has a match, where there are query and gallery.

    A match is a gallery image of the query's identity from another camera (section IV-A), or from
    any where no camera is known.

    Raises:
        DataError: no query has one.
    """
    if not (dataset.query and dataset.gallery):
        return
    cameras: dict[int, set[int]] = {}
    for record in dataset.gallery:
        cameras.setdefault(record.pid, set()).add(record.camid)
    for query in dataset.query:
        seen = cameras.get(query.pid, set())
        if seen and (dataset.camera_less or seen - {query.camid}):
            return
    raise DataError(
        f"{dataset.root}: none of the {len(dataset.query)} queries has a gallery image of the same "
        "pid from another camera, so the test split of this set cannot be evaluated; mend it, or "
        "remove query and gallery to train without"
    )
