"""Damage to the package's own files: every reader gives a value, or an error for people.

Each file is cut, changed byte by byte, nested, and its values are replaced by others of every kind.
"""

import json
import random

import pytest

import apnet
from apnet.checkpoints import load_checkpoint, read_tensors, write_tensors
from apnet.errors import ApnetError
from apnet.files import write_json
from apnet.reproduction.records import read_record, result_path
from apnet.retrieval.files.store import ROWS, StoreHeader, load_store, read_header
from apnet.training import RunFolder

STRANGE = [
    *(None, True, -1, 0, 2**63, 10**400, 1.5, -0.0, "", "x", "\x00", "9" * 5000, [], {}, [[]]),
    *({"": {}}, [None], "\ud800", 1 << 31),
]
"""What may stand where something else should."""

TEXTS = {
    "empty": "",
    "blank": " \n",
    "no JSON": "hello",
    "half": '{"recipe": {"epochs"',
    "a list": "[1, 2]",
    "a number": "7",
    "null": "null",
    "nested": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "nested lists": "[" * 20_000,
    "infinite": '{"recipe": 1e999, "data": NaN}',
    "long number": '{"format": ' + "9" * 5000 + "}",
    "no UTF-8": None,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("own") / "run"
    folder = RunFolder(root)
    folder.begin(apnet.load_recipe("demo"), [{"name": "csv", "root": "people.csv"}])
    write_json(folder.history, [{"epoch": 0, "loss": 1.5, "seconds": 3}])
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    import numpy as np

    root = tmp_path_factory.mktemp("own") / "store"
    root.mkdir()
    header = StoreHeader("0123", (32, 16), True, "float32", 4)
    write_json(root / "store.json", header.to_dict())
    rows = [{"path": f"{index}.jpg", "pid": index, "camid": 1} for index in range(3)]
    (root / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    np.ones((3, 4), np.float32).tofile(root / "features.f32")
    return root


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    root = tmp_path_factory.mktemp("own") / "experiment"
    test = {"mAP": 0.5, "breakdown": [{"by": "view", "name": "other", "queries": 3, "mAP": 0.4}]}
    write_json(result_path(root, "a"), {"run": "a", "seed": 0, "tests": {"set": test}})
    return root


def read_run(run):
    run.recipe(), run.data(), run.own(), run.precision()


FILES = {
    "run.json": ("run", lambda run: run.record, read_run),
    "history.json": ("run", lambda run: run.history, lambda run: run.read_history()),
    "store.json": ("store", lambda store: store / "store.json", read_header),
    "rows.jsonl": ("store", lambda store: store / ROWS, load_store),
    "result": ("result", lambda out: result_path(out, "a"), lambda out: read_record(out, "a")),
}


def assert_readable_or_told(read, owner, path):
    """Reads a damaged file; an error names it, in one line of moderate length."""
    try:
        read(owner)
    except ApnetError as error:
        text = str(error)
        assert path.name in text or str(path.parent) in text
        assert "\n" not in text
        assert len(text) - len(str(path)) < 300
        assert ";" in text or ":" in text


@pytest.fixture(params=FILES)
def damaged(request):
    """Yields the reader, what it reads, and the file, which is whole again afterwards."""
    owner_name, path_of, read = FILES[request.param]
    owner = request.getfixturevalue(owner_name)
    path = path_of(owner)
    whole = path.read_bytes()
    yield read, owner, path
    path.write_bytes(whole)


@pytest.mark.parametrize("text", TEXTS)
def test_other_texts(damaged, text):
    read, owner, path = damaged
    path.write_bytes(b"\xff\xfe{}" if TEXTS[text] is None else (TEXTS[text] + "\n").encode())
    with pytest.raises(ApnetError):
        read(owner)
    assert_readable_or_told(read, owner, path)


def test_cut_and_changed_bytes(damaged):
    read, owner, path = damaged
    whole = path.read_bytes()
    draw = random.Random(path.name)
    for _ in range(150):
        data = bytearray(whole)
        if draw.random() < 0.3:
            del data[draw.randrange(len(data)) :]
        for _ in range(draw.randrange(4)):
            if data:
                data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data)
        assert_readable_or_told(read, owner, path)


def places(value, place=()):
    """Yields the way to every value inside a JSON value."""
    yield place
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from places(each, (*place, key))


def replaced(value, place, new):
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


def test_values_of_other_kinds(damaged):
    read, owner, path = damaged
    lines = path.name.endswith(".jsonl")
    text = path.read_text()
    value = json.loads(text.splitlines()[0] if lines else text)
    for place in places(value):
        for new in STRANGE:
            changed = json.dumps(replaced(value, place, new))
            path.write_text(changed + "\n" + (text if lines else ""))
            assert_readable_or_told(read, owner, path)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "last.safetensors"
    network = apnet.create_network("apnet-c2-small", num_classes=3)
    apnet.save_checkpoint(path, network, apnet.PRESETS["apnet-c2-small"], {"epoch": 1})
    return path


def test_checkpoints_with_damaged_bytes(checkpoint, tmp_path):
    whole = checkpoint.read_bytes()
    path = tmp_path / "weights.safetensors"
    draw = random.Random(0)
    for _ in range(40):
        data = bytearray(whole)
        if draw.random() < 0.4:
            del data[draw.randrange(len(data)) :]
        for _ in range(4):
            if data:
                data[draw.randrange(min(len(data), 4000))] = draw.randrange(256)
        path.write_bytes(data)
        assert_readable_or_told(load_checkpoint, path, path)


def test_checkpoints_with_headers_of_other_kinds(checkpoint, tmp_path):
    tensors, header = read_tensors(checkpoint)
    path = tmp_path / "weights.safetensors"
    some = dict(list(tensors.items())[:2])
    for place in places(header):
        for new in STRANGE[:12]:
            changed = replaced(header, place, new)
            write_tensors(path, some, changed if isinstance(changed, dict) else {"format": changed})
            assert_readable_or_told(load_checkpoint, path, path)


def test_files_of_a_newer_version_say_so(checkpoint, store, tmp_path):
    tensors, header = read_tensors(checkpoint)
    path = tmp_path / "weights.safetensors"
    write_tensors(path, tensors, {**header, "format": 9, "version": "9.1"})
    with pytest.raises(ApnetError, match=r"newer version of apnet \(9\.1\); update"):
        load_checkpoint(path)
    whole = (store / "store.json").read_text()
    write_json(store / "store.json", {"apnet_store": 7, "anything": 1})
    with pytest.raises(ApnetError, match=r"newer version.*update apnet"):
        load_store(store)
    (store / "store.json").write_text(whole)
    assert len(load_store(store)) == 3
