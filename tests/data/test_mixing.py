from pathlib import Path

import pytest

from apnet.data.mixing import mix, unique_names
from apnet.errors import DataError
from apnet.types import NO_CAMERA, ImageRecord, ReidDataset, labels_of


def dataset(train, name="market1501", root="somewhere"):
    records = tuple(
        ImageRecord(Path(root) / f"{index}.jpg", pid, camid)
        for index, (pid, camid) in enumerate(train)
    )
    return ReidDataset(name, Path(root), records, (), ())


FIRST = dataset([(7, 1), (2, 1), (7, 3)], root="a")
SECOND = dataset([(7, 1), (3, 2)], root="b")
CAMERA_LESS = dataset([(0, NO_CAMERA), (5, NO_CAMERA)], name="folder", root="c")


def test_one_set_stays_as_it_is():
    mixed = mix([FIRST])
    assert mixed.records == FIRST.train
    assert list(mixed.labels) == labels_of(FIRST.train) == [1, 0, 1]
    assert mixed.sources == (0, 0, 0)
    assert mixed.num_identities == 2


def test_identities_and_cameras_of_different_sets_are_kept_apart():
    mixed = mix([FIRST, CAMERA_LESS, SECOND])
    assert mixed.labels == (1, 0, 1, 2, 3, 5, 4)
    assert mixed.sources == (0, 0, 0, 1, 1, 2, 2)
    assert mixed.num_identities == 6
    assert mixed.records[:3] == FIRST.train
    assert [record.path for record in mixed.records[5:]] == [record.path for record in SECOND.train]
    by_pid = {}
    for record, label in zip(mixed.records, mixed.labels, strict=True):
        assert by_pid.setdefault(record.pid, label) == label
    assert len(by_pid) == 6
    assert labels_of(mixed.records) == list(mixed.labels)
    cameras = [{record.camid for record in mixed.records[part]} for part in SPANS]
    assert cameras[1] == {NO_CAMERA}
    assert not cameras[0] & cameras[2]
    assert [len(each) for each in cameras] == [2, 1, 2]


SPANS = (slice(0, 3), slice(3, 5), slice(5, 7))


@pytest.mark.parametrize(
    ("sets", "says"),
    [([], "no data set"), ([FIRST, dataset([], root="empty")], "market1501 in empty: has no")],
)
def test_what_cannot_be_trained_on(sets, says):
    with pytest.raises(DataError, match=says):
        mix(sets)


def test_unique_names():
    assert unique_names([FIRST, CAMERA_LESS, SECOND, FIRST]) == (
        *("market1501", "folder", "market1501-2", "market1501-3"),
    )
    odd = [dataset([], name="a"), dataset([], name="a-2"), dataset([], name="a")]
    assert unique_names(odd) == ("a", "a-2", "a-3")
