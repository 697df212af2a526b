import errno
import zipfile

import numpy as np
import pytest

from apnet.errors import DataError
from apnet.retrieval import load_features, save_features
from apnet.types import NO_CAMERA

GOOD = {"features": np.ones((3, 2), np.float32), "pids": np.arange(3)}


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.npz"


def equal(first, second):
    assert first.features.dtype == second.features.dtype
    for name in ("features", "pids", "camids"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.paths == second.paths


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("paths", [(), ("a.jpg", "b c.jpg", "Grüße/人.jpg", "", "x" * 300)])
def test_what_is_saved_comes_back(path, make, dtype, paths):
    features = np.random.default_rng(0).standard_normal((5, 4)).astype(dtype)
    embeddings = make(features, range(5), [0, 1, -1, 3, 4], paths)
    save_features(path, embeddings)
    equal(load_features(path), embeddings)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_missing_cameras_are_unknown(path):
    loaded = load_features(saved(path, **GOOD))
    assert loaded.camids.tolist() == [NO_CAMERA] * 3
    assert loaded.paths == ()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.ones((3, 2), np.float16), np.float32),
        (np.ones((3, 2), ">f4"), np.float32),
        (np.ones((3, 2), np.uint8), np.float32),
        (np.ones((3, 2), bool), np.float32),
        (np.full((3, 2), -(1 << 24)), np.float32),
        (np.full((3, 2), (1 << 24) + 1), np.float64),
        (np.ones((3, 2), order="F"), np.float64),
    ],
)
def test_kinds_of_features(path, values, dtype):
    loaded = load_features(saved(path, features=values, pids=np.arange(3, dtype=np.uint8)))
    assert loaded.features.dtype == dtype
    assert loaded.features.flags.c_contiguous
    np.testing.assert_array_equal(loaded.features, values)
    assert loaded.pids.dtype == np.int64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": None}, r"no array 'features' \(it holds other, pids\)"),
        ({"pids": None}, r"no array 'pids' \(it holds features, other\)"),
        ({"features": np.ones(3)}, r"must have shape \(images, dimensions\), got \(3,\)"),
        ({"features": np.ones((3, 2, 1))}, r"got \(3, 2, 1\)"),
        ({"features": np.ones((0, 2)), "pids": np.arange(0)}, r"holds no features"),
        ({"features": np.ones((3, 0))}, r"holds no features"),
        ({"features": np.ones((3, 2), complex)}, r"must be float16.*complex128"),
        ({"features": np.full((3, 2), "x")}, r"must be float16"),
        ({"features": np.ones((3, 2), np.longdouble)}, r"must be float16"),
        ({"features": np.full((3, 2), (1 << 53) + 2)}, r"beyond 2\^53"),
        ({"features": np.array([[1, 2], [3, np.nan], [1, 1]])}, r"feature row 1 contains NaN"),
        (
            {"features": np.array([[1, 2], [3, 4], [np.inf, 1]])},
            r"feature row 2 contains NaN or inf",
        ),
        ({"features": np.ones((4, 2))}, r"pids must have shape \(4,\).*got \(3,\)"),
        ({"pids": np.array(["a", "b", "c"])}, r"'pids' holds text"),
        ({"pids": np.array([b"a", b"b", b"c"])}, r"'pids' holds text"),
        ({"pids": np.arange(3.0)}, r"'pids' must be whole numbers.*float64"),
        ({"pids": np.full(3, (1 << 63) + 1, np.uint64)}, r"'pids' must be whole numbers"),
        ({"pids": np.arange(6).reshape(3, 2)}, r"pids must have shape"),
        ({"camids": np.arange(2)}, r"camids must have shape"),
        ({"camids": np.array(["c1", "c2", "c1"])}, r"'camids' holds text"),
        ({"paths": np.array(["a", "b"])}, r"2 paths for 3 features"),
        ({"paths": np.arange(3)}, r"'paths' must be one text per image"),
        ({"features": np.ones((3, 2), object)}, r"pickled Python objects"),
        ({"pids": np.array([1, "a", None], object)}, r"pickled Python objects"),
        ({"paths": np.array(["a", "b", "c"], object)}, r"pickled Python objects"),
    ],
)
def test_what_is_wrong_is_said(path, change, message):
    arrays = {**GOOD, "other": np.array([{}], object), **change}
    saved(path, **{name: values for name, values in arrays.items() if values is not None})
    with pytest.raises(DataError, match=message) as raised:
        load_features(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_bytes_are_paths_too(path):
    loaded = load_features(saved(path, **GOOD, paths=np.array([b"a", b"\xc3\xa4", b"c"])))
    assert loaded.paths == ("a", "ä", "c")


def test_no_such_file(path):
    with pytest.raises(DataError, match="no such file"):
        load_features(path)
    with pytest.raises(DataError, match=r"a folder without store\.json"):
        load_features(path.parent)


def test_a_single_array_is_no_archive(path):
    with path.open("wb") as file:
        np.save(file, np.ones((3, 2)))
    with pytest.raises(DataError, match=r"is a single array, not an \.npz archive"):
        load_features(path)


@pytest.mark.parametrize(
    "content", [b"", b"features", b"PK\x03\x04", b"\x80\x04]\x94.", b"\0" * 99]
)
def test_something_else(path, content):
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"features\.npz: "):
        load_features(path)


def test_damaged_files_are_refused_or_whole(path, make):
    """A truncated or altered file gives a one-line error, or the features themselves."""
    rng = np.random.default_rng(0)
    embeddings = make(rng.standard_normal((6, 5)).astype(np.float32), range(6), range(6), "abcdef")
    save_features(path, embeddings)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 23)]
    for place in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        damaged.append(bytes(changed))
    refused = []
    for content in damaged:
        path.write_bytes(content)
        try:
            loaded = load_features(path)
        except DataError as error:
            refused.append(str(error))
        else:
            np.testing.assert_array_equal(loaded.features, embeddings.features)
    assert all(sentence.startswith(f"{path}: ") for sentence in refused)
    assert len(refused) > len(damaged) / 2


def test_a_false_header_does_not_exhaust_memory(path):
    header = b"\x93NUMPY\x01\x00v\x00"
    header += b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999, 9), }".ljust(118)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", header)
        archive.writestr("pids.npy", header)
    with pytest.raises(DataError, match="cannot be read"):
        load_features(path)


def test_a_full_disk_leaves_the_old_file(path, make, monkeypatch):
    old = make([[1.0, 2.0]], [1])
    save_features(path, old)

    def fill(file, **_):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(DataError, match="free some space"):
        save_features(path, make([[3.0, 4.0]], [2]))
    monkeypatch.undo()
    equal(load_features(path), old)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
