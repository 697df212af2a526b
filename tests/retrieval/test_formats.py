"""Feature files that other programs write, in every format: the same figures as from ``.npz``."""

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
from format_writers import (
    GALLERY,
    IN_HALVES,
    SETS,
    WRITERS,
    layumi,
    write_hdf5,
    write_matlab73,
    write_npz,
)

import apnet
from apnet.errors import DataError
from apnet.retrieval import load_features, save_features


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


def test_a_table_with_a_byte_order_mark_and_empty_lines(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfpid, cam\r\n4,1\r\n\r\n5,2\r\n")
    loaded = load_features(tmp_path / "a.csv")
    assert (loaded.pids.tolist(), loaded.camids.tolist()) == ([4, 5], [1, 2])


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


def test_compressed_hdf5(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("features", data=np.ones((5000, 20), np.float32), compression="gzip")
        file.create_dataset("pids", data=np.arange(5000), compression="gzip")
    assert load_features(tmp_path / "a.h5").features.sum() == 100_000
