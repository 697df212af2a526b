import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

import apnet.embedding.store as writing
from apnet.embedding import StoreWriter
from apnet.errors import ConfigError, DataError
from apnet.retrieval import load_features
from apnet.retrieval.files.store import StoreHeader
from apnet.types import ImageRecord

HEADER = StoreHeader("abc", (32, 16), True, "float32", 3)


def records(*names):
    return [ImageRecord(Path(name), 7, 2) for name in names]


def rows(count, start=0):
    return np.arange(start, start + 3 * count, dtype=np.float32).reshape(count, 3)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "deep" / "store"
    with StoreWriter(path, HEADER) as writer:
        writer.append(records("a", "\udcff b"), rows(2))
        writer.append(records("c"), rows(1, 6))
    return path


def test_what_was_appended_is_read(store):
    loaded = load_features(store)
    np.testing.assert_array_equal(loaded.features, rows(3))
    assert loaded.paths == ("a", "\udcff b", "c")
    assert loaded.fingerprint == HEADER.fingerprint
    assert (loaded.pids.tolist(), loaded.camids.tolist()) == ([7] * 3, [2] * 3)
    assert not loaded.features.flags.writeable  # a memory map
    with StoreWriter(store, HEADER) as writer:
        assert list(writer.known) == ["a", "\udcff b", "c"]


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_killed_at_any_moment(store, cut):
    """A batch whose writing stopped at any byte is not there, and the next one is right."""
    whole = {name: (store / name).read_bytes() for name in ("features.f32", "rows.jsonl")}
    with StoreWriter(store, HEADER) as writer:
        writer.append(records("lost"), rows(1, 50))
    grown = {name: (store / name).read_bytes()[len(whole[name]) :] for name in whole}
    feature, line = grown["features.f32"], grown["rows.jsonl"]
    (store / "features.f32").write_bytes(whole["features.f32"] + feature[:cut])
    written = line[: max(0, min(cut - len(feature), len(line) - 1))]
    (store / "rows.jsonl").write_bytes(whole["rows.jsonl"] + written)
    assert len(load_features(store)) == 3
    with StoreWriter(store, HEADER) as writer:
        assert len(writer) == 3
        writer.append(records("next"), rows(1, 9))
    loaded = load_features(store)
    np.testing.assert_array_equal(loaded.features, rows(4))
    assert loaded.paths[-1] == "next"


@pytest.mark.parametrize("calls", [0, 1])
def test_a_full_disk(store, monkeypatch, calls):
    left = [calls]
    put = writing._put

    def full(file, data):
        if not left[0]:
            file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        put(file, data)

    with StoreWriter(store, HEADER) as writer:
        monkeypatch.setattr(writing, "_put", full)
        with pytest.raises(DataError, match="free some space"):
            writer.append(records("d"), rows(1, 9))
        assert len(load_features(store)) == 3
        monkeypatch.undo()
        writer.append(records("e"), rows(1, 9))
    assert load_features(store).paths[-1] == "e"
    np.testing.assert_array_equal(load_features(store).features, rows(4))


def test_a_second_writer_is_refused(store):
    with StoreWriter(store, HEADER), pytest.raises(DataError, match="another process"):
        StoreWriter(store, HEADER)
    StoreWriter(store, HEADER).close()


def test_features_that_are_not_finite(store):
    bad = rows(2)
    bad[1, 2] = np.nan
    with StoreWriter(store, HEADER) as writer, pytest.raises(DataError, match=r"^y: .*not finite"):
        writer.append(records("x", "y"), bad)
    assert len(load_features(store)) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "def"}, "network abc, now def"),
        ({"image_size": (64, 32)}, "image size 32x16, now 64x32"),
        ({"dimensions": 4}, "dimensions 3, now 4"),
    ],
)
def test_other_settings_are_refused(store, change, words):
    with pytest.raises(ConfigError, match=words):
        StoreWriter(store, StoreHeader(**{**HEADER.__dict__, **change}))


def test_a_folder_with_something_else(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ConfigError, match="not a feature store"):
        StoreWriter(tmp_path, HEADER)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("store.json", b"{", "damaged"),
        ("store.json", b"[]", "damaged"),
        ("store.json", json.dumps({"apnet_store": 2}).encode(), "newer version"),
        ("features.f32", b"123", "ends after 0 of 3 rows"),
        ("rows.jsonl", b"", "holds no features yet"),
        ("rows.jsonl", b"nonsense\n", "line 1: damaged"),
        ("rows.jsonl", b'{"path": "a"}\n', "has no .pid."),
        ("rows.jsonl", b"[]\n", "no JSON object"),
    ],
)
def test_damage_is_told(store, name, content, words):
    (store / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        load_features(store)


def test_a_damaged_store_is_not_appended_to(store):
    (store / "features.f32").write_bytes(b"123")
    with pytest.raises(DataError, match="damaged"):
        StoreWriter(store, HEADER)
    assert (store / "features.f32").read_bytes() == b"123"
    assert len((store / "rows.jsonl").read_bytes().splitlines()) == 3
