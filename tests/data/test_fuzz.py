"""Damaged tables, lists, metadata and names give a result, or one short line that says why."""

import json
import os
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apnet.data.benchmarks.msmt17 import read_list
from apnet.data.foregone import foregone_results, narrow_splits
from apnet.data.listing import off_grammar_error
from apnet.data.metadata import FILE, read_metadata
from apnet.data.registry import read_listing
from apnet.errors import ApnetError
from apnet.types import ImageRecord

TABLE = """path,pid,camid,split
a/1.jpg,ann,door,train
a/2.jpg,3.0,1,query
a\\3.jpg,3,2,gallery
a/4.jpg,-1,-1,gallery
"""
LIST = """0000/0000_045_12_0303morning_0006_2.jpg 0
0001/0001_046_01_0303noon_0006_12_ex.jpg 1
"""
LINES = [
    {
        "pid": 1,
        "split": "train",
        "look": {"group": 2},
        "differs": ["bag"],
        "cues": {"fine": ["bag"]},
    },
    {"image": "query/a.jpg", "yaw": 0.5, "occlusion": 0.25, "truncation": None, "pixels": 80},
    {"image": "b.jpg", "place": "street", "weather": "rain", "light": "sun", "changes": ["hood"]},
    {"a": 1, "b": 2, "twin": "fine", "differs": ["bag"]},
]
ODD = [
    *(b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"', b"'", b",", b";", b"\t"),
    *(b"9" * 30, b"9" * 5000, b"-", b"-1", b"NaN", b"1e999", b"3.5", b"\\", b"../" * 20, b"/"),
    *(
        "é".encode("latin-1"),
        "٣".encode(),
        "\u2028".encode(),
        b"x" * 300,
        b"x" * 140_000,
        b"{",
        b"[",
    ),
    *(b"[" * 5000, b"null", b"true", b" ", b"=1+1"),
]

quick = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def damaged(draw, text):
    """Bytes of a valid file that were cut, flipped, repeated, or had odd pieces put in."""
    content = text.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 20)))
        kind = draw(st.sampled_from(["put", "cut", "flip", "repeat", "cell"]))
        if kind == "put":
            content = content[:start] + draw(st.sampled_from(ODD)) + content[end:]
        elif kind == "cut":
            content = content[:start]
        elif kind == "flip":
            content = content[:start] + draw(st.binary(max_size=4)) + content[end:]
        elif kind == "repeat":
            content = content[:end] + content[start:]
        else:
            cells = content.split(b",")
            cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(ODD))
            content = b",".join(cells)
    return content


def values(depth=3):
    """JSON values of every type, also numbers out of range."""
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=8),
        st.just("x" * 6000),
    )
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=depth,
    )


@st.composite
def retyped(draw):
    """A line of metadata with one value, or a part of one, replaced by any other."""
    line = json.loads(json.dumps(draw(st.sampled_from(LINES))))
    key = draw(st.sampled_from(sorted(line)))
    if isinstance(line[key], dict) and draw(st.booleans()):
        line[key][draw(st.sampled_from([*line[key], "\n"]))] = draw(values())
    else:
        line[key] = draw(values())
    return json.dumps(line)


def check_outcome(call, folder, place):
    """Checks that a call returns, or gives one short line that names the place."""
    try:
        return call()
    except ApnetError as error:
        message = str(error).replace(os.fspath(folder), "DIR")
        assert place in message
        assert message.isprintable(), message
        assert len(message) < 300, message
        return None


def check_records(records):
    for record in records:
        assert isinstance(record, ImageRecord)
        assert 0 <= record.pid < 2**31
        assert -1 <= record.camid < 2**31


@pytest.fixture
def images(touch, tmp_path):
    return touch(tmp_path, [f"a/{number}.jpg" for number in range(1, 5)])


@given(content=damaged(TABLE) | damaged(TABLE.replace(",", ";")) | st.binary(max_size=80))
@quick
def test_tables(images, content):
    table = images / "people.csv"
    table.write_bytes(content)
    found = check_outcome(lambda: read_listing("csv", table), images, "DIR/people.csv")
    if found is not None:
        check_records([*found.train, *found.query, *found.gallery])
        assert all(line.isprintable() for line in (*foregone_results(found), *narrow_splits(found)))


@given(content=damaged(LIST) | st.binary(max_size=80))
@quick
def test_lists(tmp_path, content):
    path = tmp_path / "list_train.txt"
    path.write_bytes(content)
    found = check_outcome(lambda: read_list(path), tmp_path, "DIR/list_train.txt")
    check_records((found or {}).values())


@given(text=retyped())
@quick
def test_metadata_of_other_types(tmp_path, text):
    (tmp_path / FILE).write_text(f"{json.dumps(LINES[0])}\n{text}\n")
    check_outcome(lambda: read_metadata(tmp_path), tmp_path, f"DIR/{FILE}: line 2")


@given(content=damaged("".join(json.dumps(line) + "\n" for line in LINES)))
@quick
def test_damaged_metadata(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    found = check_outcome(lambda: read_metadata(tmp_path), tmp_path, f"DIR/{FILE}")
    for notes in found.images.values() if found else ():
        assert notes.view in (None, "front", "side", "back")
        assert notes.occlusion is None or 0 <= notes.occlusion <= 1
    for pid in found.people if found else ():
        found.twins_of(pid)


NUMBER = st.sampled_from(
    ["0", "1", "0002", "-1", "-2", "٣", "", "9" * 10, "9" * 60, "0" * 60 + "4"]
)
ENDING = st.sampled_from([".jpg", ".JPG", ".jpg.jpg", "", ".txt", ".jpg\udcff", "\udcff.jpg"])
NAMES = {
    "market1501": "{}_c{}s1_000001_00",
    "dukemtmcreid": "{}_c{}_f0000001",
    "cuhk03np-labeled": "{}_c{}_01",
    "msmt17": "{}_c{}_0001",
    "personx": "{}_c{}_x",
}


@pytest.mark.filterwarnings("ignore::apnet.data.WithdrawnDataWarning")
@pytest.mark.parametrize("name", NAMES)
@given(pid=NUMBER, camid=NUMBER, ending=ENDING, more=st.text(string.printable, max_size=3))
@settings(quick, max_examples=40)
def test_file_names(tmp_path_factory, name, pid, camid, ending, more):
    root = tmp_path_factory.mktemp("set")
    base = root / "labeled" if name == "cuhk03np-labeled" else root
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (base / folder).mkdir(parents=True)
    file = NAMES[name].format(pid, camid) + more.replace("/", "") + ending
    (base / "query" / file.replace("\0", "")).touch()
    found = check_outcome(lambda: read_listing(name, root), root, "DIR")
    if found is not None and found.off_grammar:
        raised = off_grammar_error(name, found)
        check_outcome(lambda: _raise(raised), root, "DIR")
    elif found is not None:
        check_records(found.query)


@given(
    person=st.text(min_size=1, max_size=6) | NUMBER.filter(bool),
    camera=st.sampled_from(["c{}", "cam_{}", "view-{}", "camera {}_0", "x"]),
    number=NUMBER,
)
@settings(quick, max_examples=80)
def test_folders_of_persons(tmp_path_factory, person, camera, number):
    root = tmp_path_factory.mktemp("set")
    folder = person.replace("/", "").replace("\0", "").strip(".") or "x"
    for who in ("ann", "bob", os.fsdecode(folder.encode("utf-8", "surrogatepass"))):
        (root / who).mkdir(exist_ok=True)
        for image in ("a", "b"):
            (root / who / f"{camera.format(number)}_{image}.jpg").touch()
    found = check_outcome(lambda: read_listing("folder", root), root, "")
    if found is not None:
        check_records([*found.train, *found.query, *found.gallery])


def _raise(error):
    raise error
