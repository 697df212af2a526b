"""Feature files that other programs write, in every format: the same figures as from ``.npz``."""

import csv
import dataclasses
import json
import struct
import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
import torch

import apnet
from apnet.errors import ConfigError, DataError
from apnet.extras import MissingExtraError
from apnet.retrieval import load_features, save_features
from apnet.retrieval.files.formats import FORMATS, is_features


def write_npz(path, arrays):
    np.savez(path, **arrays)


def write_npy_csv(path, arrays):
    np.save(path.with_suffix(".npy"), arrays["features"])
    columns = {name: values for name, values in arrays.items() if name != "features"}
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_torch(path, arrays):
    torch.save(
        {
            name: values.tolist() if values.dtype.kind == "U" else torch.from_numpy(values)
            for name, values in arrays.items()
        },
        path,
    )


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            text = values.dtype.kind == "U"
            file[name] = np.char.encode(values, "utf-8").tolist() if text else values


def write_matlab(path, arrays):
    scipy.io.savemat(
        path,
        {name: v.astype(object) if v.dtype.kind == "U" else v for name, v in arrays.items()},
    )


def write_matlab73(path, arrays):
    """Columns first, doubles, behind 512 bytes of header, as MATLAB's ``save -v7.3``."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            if values.dtype.kind != "U":
                file[name] = np.atleast_2d(values).T.astype(np.float64)
        file.create_group("#refs#")["a"] = np.zeros(2)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


WRITERS = {
    "a.npz": write_npz,
    "a.npy": write_npy_csv,
    "a.csv": write_npy_csv,
    "a.pt": write_torch,
    "a.pth": write_torch,
    "a.h5": write_hdf5,
    "a.hdf5": write_hdf5,
    "a.mat": write_matlab,
    "a.MAT": write_matlab,
}
IN_HALVES = {name: WRITERS[name] for name in ("a.npz", "a.pt", "a.h5", "a.mat")}


def sets():
    """Query and gallery of 40 and 60 images, with junk."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((9, 5))
    found = {}
    for part, count in (("query", 40), ("gallery", 60)):
        pids = rng.integers(-1 if part == "gallery" else 0, 9, count)
        found[part] = {
            "features": (centres[pids] + rng.standard_normal((count, 5))).astype(np.float32),
            "pids": pids,
            "camids": rng.integers(0, 3, count),
            "paths": np.array([f"{part}/{row} ä.jpg" for row in range(count)]),
        }
    return found


SETS = sets()
GALLERY = SETS["gallery"]


def layumi(named):
    """The names under which the toolkit Person_reID_baseline_pytorch writes both halves."""
    words = {"features": "f", "pids": "label", "camids": "cam"}
    return {
        f"{part}_{words[name]}": values
        for part, arrays in named.items()
        for name, values in arrays.items()
        if name in words
    }


@pytest.fixture
def figures(run, tmp_path):
    """What ``apnet score --json`` says of the same arrays as ``.npz``."""
    (tmp_path / "plain").mkdir()
    files = [tmp_path / "plain" / f"{part}.npz" for part in SETS]
    for file, arrays in zip(files, SETS.values(), strict=True):
        write_npz(file, arrays)
    code, out, _ = run("score", *files, "--json")
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_scores_alike(run, tmp_path, figures, name):
    files = []
    for part, arrays in SETS.items():
        (tmp_path / part).mkdir()
        files.append(tmp_path / part / name)
        WRITERS[name](files[-1], arrays)
    code, out, err = run("score", *files, "--json")
    assert code == 0, err
    assert json.loads(out) == figures
    loaded = load_features(str(files[0]))
    assert loaded.paths == tuple(SETS["query"]["paths"])
    assert apnet.evaluate(*map(str, files)).mAP == figures["mAP"]


@pytest.mark.parametrize("name", [*IN_HALVES, "v73.mat"])
def test_both_halves_in_one_file(run, tmp_path, figures, name):
    path = tmp_path / name
    {**IN_HALVES, "v73.mat": write_matlab73}[name](path, layumi(SETS))
    code, out, err = run("score", path, "--json")
    assert code == 0, err
    assert json.loads(out) == figures
    code, out, _ = run("score", path, path, "--json")
    assert json.loads(out) == figures
    assert apnet.evaluate(path, str(path)).mAP == figures["mAP"]
    for part, arrays in SETS.items():
        np.testing.assert_array_equal(load_features(path, part).pids, arrays["pids"])
    with pytest.raises(DataError, match="say which with part='query' or part='gallery'"):
        load_features(path)


def test_lists_as_the_toolkit_saves_them(tmp_path):
    content = {
        name: values if name.endswith("_f") else values.tolist()
        for name, values in layumi(SETS).items()
    }
    scipy.io.savemat(tmp_path / "pytorch_result.mat", content)
    loaded = load_features(tmp_path / "pytorch_result.mat", "gallery")
    for key in ("features", "pids", "camids"):
        np.testing.assert_array_equal(getattr(loaded, key), SETS["gallery"][key])


def test_halves_in_groups(tmp_path):
    arrays = {f"{part}/{key}": values for part, of in SETS.items() for key, values in of.items()}
    write_hdf5(tmp_path / "a.h5", arrays)
    loaded = load_features(tmp_path / "a.h5", "query")
    np.testing.assert_array_equal(loaded.features, SETS["query"]["features"])
    assert loaded.paths == tuple(SETS["query"]["paths"])


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("paths", [(), ("a.jpg", "007", 'Grüße/人, "x".jpg', "", "y" * 300)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_saved_comes_back(tmp_path, make, name, paths, dtype):
    features = np.random.default_rng(0).standard_normal((5, 4)).astype(dtype)
    saved = make(features, [3, 1, -1, 2, 1 << 40], [0, 1, -1, 3, 4], paths)
    saved = dataclasses.replace(saved, fingerprint="0123456789abcdef")
    path = tmp_path / name
    save_features(str(path), saved)
    loaded = load_features(path)
    assert loaded.features.dtype == dtype
    for key in ("features", "pids", "camids"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(saved, key))
    assert loaded.paths == saved.paths
    kept = None if name in ("a.npy", "a.csv") else saved.fingerprint
    assert loaded.fingerprint == kept
    assert {file.suffix for file in tmp_path.iterdir()} <= {path.suffix, ".npy", ".csv"}


def test_a_single_image_comes_back(tmp_path, make):
    for name in WRITERS:
        save_features(tmp_path / name, make([[1.0, 2.0]], [7], [1], ["a"]))
        loaded = load_features(tmp_path / name)
        assert (loaded.features.tolist(), loaded.pids.tolist()) == ([[1.0, 2.0]], [7])


def test_arrays_are_found_by_other_names(tmp_path):
    path = tmp_path / "a.npz"
    features, ids = np.ones((2, 3), np.float32), np.arange(2)
    np.savez(path, feat=features, label=ids, cam=ids)
    assert load_features(path).camids.tolist() == [0, 1]
    np.savez(path, feat=features, mine=ids, second=ids + 5)
    loaded = load_features(path, names={"pids": "second", "camids": "mine"})
    assert (loaded.pids.tolist(), loaded.camids.tolist()) == ([5, 6], [0, 1])
    np.savez(path, feat=features, feats=features, pids=ids)
    with pytest.raises(DataError, match=r"holds feats and feat; say which are the features"):
        load_features(path)
    assert len(load_features(path, names={"features": "feat"})) == 2


def test_names_of_halves(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **{f"{part}_x": of["features"] for part, of in SETS.items()}, **{
        f"{part}_pid": of["pids"] for part, of in SETS.items()
    })  # fmt: skip
    loaded = load_features(path, "gallery", names={"features": "x"})
    np.testing.assert_array_equal(loaded.pids, SETS["gallery"]["pids"])
    loaded = load_features(path, names={"features": "query_x"})
    np.testing.assert_array_equal(loaded.pids, SETS["query"]["pids"])
    with pytest.raises(DataError, match="holds the query alone"):
        load_features(path, "gallery", names={"features": "query_x"})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("features=nothing", "no array 'nothing' (it holds feat, label)"),
        ("pids=nothing", "no array 'nothing' (it holds feat, label)"),
        ("camids=nothing", "no array 'nothing'"),
        ("colour=feat", "give names of the file for features, pids, camids, paths"),
        ("features", "write KEY=NAME"),
        ("features=", "write KEY=NAME"),
        ("features=a,features=b", "write KEY=NAME"),
    ],
)
def test_names_that_do_not_fit(run, tmp_path, names, message):
    path = tmp_path / "a.npz"
    np.savez(path, feat=np.ones((2, 3)), label=np.arange(2))
    code, _, err = run("score", path, path, "--names", names)
    assert code == 2
    assert message in err
    assert run("score", path, path, "--names", "features=feat,pids=label")[0] == 0


def test_one_set_is_not_scored_alone(run, tmp_path):
    write_npz(tmp_path / "a.npz", SETS["query"])
    code, _, err = run("score", tmp_path / "a.npz")
    assert code == 2
    assert "holds one set of features; give the gallery's file too" in err


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
        message = "first line of different column names"
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
        ("", "needs a first line"),
        ("pids,pids\n1,2\n", "needs a first line of different column names"),
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


def test_a_table_with_a_byte_order_mark_and_empty_lines(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfpid, cam\r\n4,1\r\n\r\n5,2\r\n")
    loaded = load_features(tmp_path / "a.csv")
    assert (loaded.pids.tolist(), loaded.camids.tolist()) == ([4, 5], [1, 2])


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


def test_kinds_of_tensors(tmp_path):
    wide = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    kinds = {
        "bf16": wide.to(torch.bfloat16),
        "grad": wide.clone().requires_grad_(),
        "sparse": wide.to_sparse(),
        "half": wide.half(),
        "rows": list(wide),
        "lists": wide.tolist(),
    }
    for name, features in kinds.items():
        torch.save({"features": features, "pids": torch.arange(2)}, tmp_path / f"{name}.pt")
        np.testing.assert_array_equal(load_features(tmp_path / f"{name}.pt").features, wide)


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


def test_matlab_doubles_and_text(tmp_path):
    content = {
        "features": np.eye(3),
        "pids": np.array([[1.0], [2.0], [-1.0]]),
        "paths": np.array(["a", "bcd", "ef"]),
    }
    scipy.io.savemat(tmp_path / "a.mat", content)
    loaded = load_features(tmp_path / "a.mat")
    assert loaded.pids.tolist() == [1, 2, -1]
    assert loaded.paths == ("a", "bcd", "ef")
    scipy.io.savemat(tmp_path / "empty.mat", {})
    with pytest.raises(DataError, match=r"no array 'features' \(it holds nothing\)"):
        load_features(tmp_path / "empty.mat")


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


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.h5", "a.mat"])
def test_scoring_needs_no_torch(tmp_path, name):
    WRITERS[name](tmp_path / name, SETS["query"])
    code = (
        f"import sys; sys.argv = ['apnet', 'score', *[{str(tmp_path / name)!r}] * 2, '--json']\n"
        "from apnet.cli import main\n"
        "try: main()\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def element(kind, data, order):
    """An element of a MATLAB file, in the short form where it fits."""
    if len(data) <= 4:
        return struct.pack(order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(order + "II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_files_as_matlab_writes_them(tmp_path, order, compressed):
    """Doubles in as few bytes as hold them, compressed, in either byte order."""
    content = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(order + "H", 0x100)
    content += b"IM" if order == "<" else b"MI"
    for name, shape, values in (("features", (2, 3), b"\1\2\3\4\5\6"), ("pids", (1, 2), b"\7\x08")):
        body = element(6, struct.pack(order + "II", 6, 0), order)
        body += element(5, struct.pack(order + "ii", *shape), order)
        body += element(1, name.encode(), order) + element(2, values, order)
        whole = struct.pack(order + "II", 14, len(body)) + body
        packed = zlib.compress(whole)
        content += struct.pack(order + "II", 15, len(packed)) + packed if compressed else whole
    (tmp_path / "a.mat").write_bytes(content)
    loaded = load_features(tmp_path / "a.mat")
    assert loaded.features.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert loaded.features.dtype == np.float64
    assert loaded.pids.tolist() == [7, 8]


def test_compressed_matlab_files(tmp_path):
    arrays = {name: v.astype(object) if v.dtype.kind == "U" else v for name, v in GALLERY.items()}
    scipy.io.savemat(tmp_path / "a.mat", arrays, do_compression=True)
    loaded = load_features(tmp_path / "a.mat")
    np.testing.assert_array_equal(loaded.features, GALLERY["features"])
    assert loaded.paths == tuple(GALLERY["paths"])


def test_matlab_files_of_version_4(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"features": np.eye(2), "pids": np.arange(2)}, format="4")
    with pytest.raises(DataError, match=r"a MATLAB file \(not of version 5, 7 or 7\.3\)"):
        load_features(tmp_path / "a.mat")


def test_hdf5_that_is_larger_than_its_file(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("features", (1 << 40, 2), np.float32, chunks=(1 << 10, 2))
        file["pids"] = np.arange(2)
    with pytest.raises(DataError, match="said to be larger than the file"):
        load_features(tmp_path / "a.h5")


def test_compressed_hdf5(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("features", data=np.ones((5000, 20), np.float32), compression="gzip")
        file.create_dataset("pids", data=np.arange(5000), compression="gzip")
    assert load_features(tmp_path / "a.h5").features.sum() == 100_000


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
