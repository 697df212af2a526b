"""Feature files that are damaged, hostile or hold something else are refused in one line."""

import dataclasses
import sys

import h5py
import numpy as np
import pytest
import scipy.io
import torch
from format_writers import SETS, WRITERS, write_matlab73, write_npy_csv

from apnet.errors import ConfigError, DataError
from apnet.extras import MissingExtraError
from apnet.retrieval import load_features, save_features
from apnet.retrieval.files.formats import FORMATS, is_features


def damaged(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files_are_one_line(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path, SETS["query"])
    whole = path.read_bytes()
    contents = [b"", b"\0" * 700, b"features", b"\x80\x04]\x94.", b"PK\x03\x04"]
    contents += [whole[:length] for length in range(0, len(whole) - 200, len(whole) // 7)]
    for content in contents:
        with pytest.raises(DataError) as raised:
            load_features(damaged(path, content))
        assert str(raised.value).startswith(str(tmp_path / "a."))
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", WRITERS)
def test_altered_files_are_refused_or_read(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path, {"features": np.ones((4, 2), np.float32), "pids": np.arange(4)})
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        try:
            load_features(damaged(path, bytes(changed)))
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


CHANGES = {
    "no pids": ({"pids": None}, r"no array 'pids' \(it holds features\)"),
    "no features": ({"features": None}, r"no array 'features' \(it holds pids\)"),
    "a row too few": ({"pids": np.arange(2)}, "2"),
    "one dimension": ({"features": np.ones((3, 2, 2))}, r"must have shape .*got \(3, 2, 2\)"),
    "nothing": ({"features": np.ones((0, 2)), "pids": np.arange(0)}, "no features|shape"),
    "not finite": ({"features": np.array([[1, 2], [np.nan, 1], [1, 2]])}, "row 1 contains NaN"),
    "text ids": ({"pids": np.array(["a", "b", "c"])}, "'pids' holds text|cell"),
    "text features": ({"features": np.array([["a"], ["b"], ["c"]])}, "'features'"),
    "fractions": ({"pids": np.array([0.5, 1, 2])}, "'pids' "),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", CHANGES)
def test_wrong_arrays(tmp_path, name, kind):
    change, message = CHANGES[kind]
    arrays = {"features": np.ones((3, 2)), "pids": np.arange(3), **change}
    arrays = {key: values for key, values in arrays.items() if values is not None}
    if "features" not in arrays and WRITERS[name] is write_npy_csv:
        pytest.skip("the features are a file of their own")
    if "pids" not in arrays and WRITERS[name] is write_npy_csv:
        message = "its first line is .*; write names of columns"
    WRITERS[name](tmp_path / name, arrays)
    with pytest.raises(DataError, match=message) as raised:
        load_features(tmp_path / name)
    assert str(raised.value).startswith(str(tmp_path / "a."))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", WRITERS)
def test_folders_and_missing_files(tmp_path, name):
    with pytest.raises(DataError, match="no such file"):
        load_features(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=r"a folder without store\.json"):
        load_features(tmp_path / name)


def test_a_missing_partner(tmp_path):
    write_npy_csv(tmp_path / "a.npy", SETS["query"])
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    with pytest.raises(DataError, match=r"a\.csv: no such file; a\.npy needs it .*pids and camids"):
        load_features(tmp_path / "a.npy")
    with pytest.raises(DataError, match=r"b\.npy: no such file; b\.csv needs it .*the features"):
        load_features(tmp_path / "b.csv")
    assert is_features(tmp_path / "a.npy")
    assert not is_features(tmp_path / "b.csv"), "a table of images has that suffix too"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line is"),
        ("pids,pids\n1,2\n", "its first line is"),
        ("pids,camids\n1\n1,2\n1,2\n", "line 2: has 1 values for 2 columns"),
        ("pids\n1\n2\n", "has 2 rows for 3 features"),
        ("pids\n1\nx\n3\n", "'pids' holds text"),
        ("pids\n1\n99999999999999999999\n3\n", "'pids' holds text"),
        ('pids\n"1\n2\n3\n', "cannot be read as a table"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, text, message):
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_features(tmp_path / "a.npy")


class Hostile:
    def __reduce__(self):
        return (pytest.fail, ("this was unpickled",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Hostile(), "Python objects that are not tensors"),
        ({"features": Hostile()}, "Python objects that are not tensors"),
        ({"features": np.ones((2, 2))}, "Python objects that are not tensors"),
        (torch.ones(2, 2), "holds a Tensor, not a dict"),
        ([1, 2], "holds a list, not a dict"),
        ({"conv.weight": torch.ones(2, 2)}, r"no array 'features' \(it holds conv.weight\)"),
        ({f"w{i:02}": torch.ones(1) for i in range(99)}, "and 87 more"),
        ({"features": {"a": 1}, "pids": [1]}, "'features' must have shape"),
        ({"features": torch.ones(2, 2), "pids": [1, None]}, "'pids' must be whole numbers"),
        ({"features": [[1.0], [1.0, 2.0]], "pids": [1, 2]}, "cannot be read as a PyTorch file"),
    ],
)
def test_pytorch_files_of_something_else(tmp_path, content, message):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(DataError, match=message):
        load_features(tmp_path / "a.pt")


def test_pickles_in_arrays(tmp_path):
    pickled = np.array([Hostile(), 1, 2], dtype=object)
    np.save(tmp_path / "a.npy", pickled)
    (tmp_path / "a.csv").write_text("pids\n1\n2\n3\n")
    with pytest.raises(DataError, match="holds pickled Python objects"):
        load_features(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "content",
    [
        {"features": {"x": 1.0}, "pids": np.arange(2)},
        {"features": np.array([[1, "a"]], dtype=object), "pids": np.arange(1)},
        {"features": scipy.sparse.csc_matrix(np.eye(2)), "pids": np.arange(2)},
        {"features": np.eye(2), "pids": np.array([1, 2], dtype=object)},
        {"features": np.eye(2), "pids": np.arange(2), "paths": np.array([1, "a"], dtype=object)},
    ],
)
def test_matlab_structs_objects_and_sparse_arrays(tmp_path, content):
    scipy.io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(DataError, match="complex, sparse, a struct, an object or a cell"):
        load_features(tmp_path / "a.mat")


def test_text_in_newer_matlab_files(tmp_path):
    write_matlab73(tmp_path / "a.mat", {**SETS["query"], "names": np.arange(40)})
    with pytest.raises(DataError, match=r"'names' is text in a file of version 7\.3"):
        load_features(tmp_path / "a.mat")


def test_hdf5_that_points_elsewhere(tmp_path):
    np.arange(4, dtype=np.float32).tofile(tmp_path / "secret")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        outside = [(str(tmp_path / "secret"), 0, 16)]
        file.create_dataset("features", (2, 2), np.float32, external=outside)
        file["pids"] = np.arange(2)
        file["feat"] = h5py.ExternalLink("other.h5", "features")
    with pytest.raises(DataError, match="lie in another file"):
        load_features(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["features"] = np.zeros((2, 2), [("a", "f4")])
        file["pids"] = np.arange(2)
    with pytest.raises(DataError, match="'features' must be float16"):
        load_features(tmp_path / "b.h5")


def test_unknown_formats_and_parts(tmp_path, make):
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"'\.parquet'; give \.npz, \.npy"):
        load_features(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no feature file by its suffix"):
        save_features(tmp_path / "a.txt", make([[1.0]], [1]))
    save_features(tmp_path / "a.npz", make([[1.0]], [1]))
    with pytest.raises(ConfigError, match="give 'query' or 'gallery'"):
        load_features(tmp_path / "a.npz", "train")
    with pytest.raises(TypeError, match="path must be a path"):
        load_features(3)
    assert not is_features(tmp_path)
    assert all(is_features(tmp_path / f"a{suffix}") for suffix in set(FORMATS) - {".csv"})


def test_a_missing_extra_names_its_command(tmp_path, monkeypatch, make):
    one = make([[1.0]], [1])
    save_features(tmp_path / "a.h5", one)
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    command = r"pip install 'apnet-reid\[features\]'"
    with pytest.raises(MissingExtraError, match=command):
        load_features(tmp_path / "a.h5")
    for name in ("a.h5", "a.mat"):
        with pytest.raises(MissingExtraError, match=command):
            save_features(tmp_path / name, one)


def test_two_networks_are_not_compared(run, tmp_path, make):
    for name in "ab":
        features = make([[1.0, 2.0], [2.0, 1.0]], [1, 2])
        save_features(tmp_path / f"{name}.npz", dataclasses.replace(features, fingerprint=name))
    code, _, err = run("score", tmp_path / "a.npz", tmp_path / "b.npz")
    assert code == 2
    assert "embeddings of different networks (a, b)" in err


def test_matlab_files_of_version_4(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"features": np.eye(2), "pids": np.arange(2)}, format="4")
    with pytest.raises(DataError, match=r"a MATLAB file \(not of version 5, 7 or 7\.3\)"):
        load_features(tmp_path / "a.mat")


def test_hdf5_of_varying_length(tmp_path, make):
    path = tmp_path / "a.h5"
    save_features(path, make(np.ones((3, 2)), [0, 1, 2]))
    with h5py.File(path, "r+") as file:
        del file["pids"]
        file.create_dataset("pids", (3,), h5py.vlen_dtype(np.int64))
    with pytest.raises(DataError, match="varying length"):
        load_features(path)


def test_hdf5_of_texts_that_were_never_written(tmp_path, make):
    path = tmp_path / "a.h5"
    save_features(path, make(np.ones((3, 2)), [0, 1, 2]))
    with h5py.File(path, "r+") as file:
        file.create_dataset("paths", (1 << 40,), h5py.string_dtype(), chunks=(1 << 16,))
    with pytest.raises(DataError, match="larger than the file"):
        load_features(path)


def test_hdf5_that_is_larger_than_its_file(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("features", (1 << 40, 2), np.float32, chunks=(1 << 10, 2))
        file["pids"] = np.arange(2)
    with pytest.raises(DataError, match="said to be larger than the file"):
        load_features(tmp_path / "a.h5")


def test_paths_that_cannot_be(tmp_path):
    for name in ("x" * 5000 + ".npz", "a\0b.npz"):
        with pytest.raises(DataError) as raised:
            load_features(str(tmp_path / name))
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"a.MAT"}))
def test_paths_that_are_no_text(tmp_path, make, name):
    """File names that are no UTF-8 come back, but for MATLAB files, which refuse them."""
    saved = make([[1.0, 2.0], [2.0, 1.0]], [1, 2], [1, 2], ("\udcff b", "c"))
    if name == "a.mat":
        with pytest.raises(DataError, match=r"a\.mat: cannot be written .* use \.npz or \.h5"):
            save_features(tmp_path / name, saved)
        assert not list(tmp_path.iterdir())
    else:
        save_features(tmp_path / name, saved)
        assert load_features(tmp_path / name).paths == saved.paths
