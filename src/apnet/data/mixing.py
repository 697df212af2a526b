"""Several data sets trained on together, their identities and cameras kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apnet.errors import DataError
from apnet.types import NO_CAMERA, ImageRecord, ReidDataset, labels_of


@dataclass(frozen=True)
class TrainingSet:
    """The training images of one or more data sets.

    Attributes:
        records: all images, one data set after another; no pid and no known camid is in two sets.
        labels: label of each record, from 0 to ``num_identities`` - 1.
        sources: index of the data set that each record comes from.
        num_identities: number of identities over all sets.
    """

    records: tuple[ImageRecord, ...]
    labels: tuple[int, ...]
    sources: tuple[int, ...]
    num_identities: int


def mix(datasets: Sequence[ReidDataset]) -> TrainingSet:
    """Returns the training splits of the data sets as one training set.

    The first set's records and labels are its own (``dataset.train``, ``labels_of``); those of a
    later set follow with labels, pids and known camids offset past all earlier ones.

    Args:
        datasets: one or more sets, each with a training split.

    Raises:
        DataError: there is no set, or one has no training images.
    """
    if not datasets:
        raise DataError("no data set to train on; name at least one")
    records: list[ImageRecord] = []
    labels: list[int] = []
    sources: list[int] = []
    for source, dataset in enumerate(datasets):
        if not dataset.train:
            raise DataError(
                f"{dataset.name} in {dataset.root}: has no training images; name a set that has"
            )
        first = max(labels, default=-1) + 1
        labels += [first + label for label in labels_of(dataset.train)]
        records += _moved(dataset.train, past=records)
        sources += [source] * len(dataset.train)
    return TrainingSet(tuple(records), tuple(labels), tuple(sources), max(labels) + 1)


def unique_names(datasets: Sequence[ReidDataset]) -> tuple[str, ...]:
    """Returns a distinct name per data set: ``market1501``, then ``market1501-2`` and so on."""
    names: list[str] = []
    for dataset in datasets:
        name, number = dataset.name, 1
        while name in names:
            number += 1
            name = f"{dataset.name}-{number}"
        names.append(name)
    return tuple(names)


def _moved(records: Sequence[ImageRecord], past: Sequence[ImageRecord]) -> Sequence[ImageRecord]:
    """Offsets pids and known camids so that none of them is in ``past``."""
    pid = max((record.pid for record in past), default=-1) + 1
    camid = max((record.camid for record in past), default=-1) + 1
    return [
        replace(
            record,
            pid=record.pid + pid,
            camid=record.camid if record.camid == NO_CAMERA else record.camid + camid,
        )
        for record in records
    ]
