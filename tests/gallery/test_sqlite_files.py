"""Files that are no gallery, are damaged, cannot be written, or are in somebody else's hands."""

import multiprocessing
import os
import re
import resource
import shutil
import signal
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest

from apnet.errors import DataError, GalleryError
from apnet.gallery import Gallery, schema
from apnet.gallery.engines import sqlite
from gallery.states import state_of

posix = pytest.mark.skipif(os.name != "posix", reason="processes are not forked")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

FEATURES = np.random.default_rng(0).standard_normal((300, 64)).astype(np.float32)
NAMES = [f"p{row % 30}" for row in range(300)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.gallery"


@pytest.fixture
def filled(path):
    """A closed gallery of 300 images."""
    with Gallery.create(path, feature_dim=64) as gallery:
        gallery.add_features(FEATURES, NAMES)
    return path


def write_sql(path, *statements):
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def assert_one_line(error):
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"SQLite format 3\0", b"SQLite format 3\0" + b"x" * 4096]
)
def test_other_files(path, content):
    path.write_bytes(content)
    with pytest.raises(GalleryError, match=r"no gallery") as error:
        Gallery(path)
    assert_one_line(error)
    assert path.read_bytes() == content


def test_another_program_s_database(path):
    write_sql(path, "CREATE TABLE facts (key TEXT, value TEXT)")
    before = path.read_bytes()
    for call in (lambda: Gallery(path), lambda: Gallery.create(path, feature_dim=8)):
        with pytest.raises(GalleryError, match=r"no gallery of apnet|is there already"):
            call()
    assert path.read_bytes() == before


def test_folders(tmp_path, path):
    with pytest.raises(GalleryError, match="no such gallery"):
        Gallery(tmp_path)
    with pytest.raises(GalleryError, match="is there already"):
        Gallery.create(tmp_path, feature_dim=8)
    path.write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        Gallery.create(path / "x.gallery", feature_dim=8)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("interrupted", ["empty", "without tables"])
def test_a_making_that_was_interrupted_is_taken_up(path, interrupted):
    if interrupted == "empty":
        path.write_bytes(b"")
    else:
        sqlite.create(str(path), 8).close()
        with pytest.raises(GalleryError, match="damaged: a table is missing"):
            Gallery(path)
    with Gallery.create(path, feature_dim=8) as gallery:
        assert gallery.verify() == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE facts SET value = '99' WHERE key = 'version'", "of version 99, made by a newer"),
        ("UPDATE facts SET value = '-1' WHERE key = 'version'", "says no version"),
        ("UPDATE facts SET value = '9' || zeroblob(99) WHERE key = 'version'", "says no version"),
        ("DELETE FROM facts WHERE key = 'version'", "says no version"),
        ("DELETE FROM facts WHERE key = 'feature_dim'", "says no length"),
        ("UPDATE facts SET value = 'x' WHERE key = 'feature_dim'", "says no length"),
        ("DELETE FROM facts WHERE key = 'keep'", "keep"),
        ("UPDATE facts SET value = '\"x\"' WHERE key = 'created'", "created"),
        ("DROP TABLE facts", "a table is missing"),
    ],
)
def test_facts_that_do_not_fit(filled, statement, message):
    write_sql(filled, statement)
    before = filled.read_bytes()
    with pytest.raises(GalleryError, match=message) as error:
        Gallery(filled)
    assert_one_line(error)
    assert filled.read_bytes() == before


@pytest.mark.parametrize("table", ["identities", "images", "features", "audit"])
def test_a_missing_table(filled, table):
    write_sql(filled, "PRAGMA foreign_keys = OFF", f"DROP TABLE {table}")
    with Gallery(filled) as gallery:
        with pytest.raises(GalleryError, match="a table is missing; restore a backup"):
            gallery.add_features(FEATURES[:1] + 1, "ann")
        if table != "audit":
            with pytest.raises(GalleryError, match="a table is missing; restore a backup"):
                gallery.search(FEATURES[0])


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_are_told(filled, seed):
    """A page of the file is overwritten; opening or verify says so, and search never crashes."""
    rng = np.random.default_rng(seed)
    data = bytearray(filled.read_bytes())
    page = int(rng.integers(1, len(data) // 65536))
    data[page * 65536 : page * 65536 + 40] = rng.bytes(40)
    filled.write_bytes(data)
    found = []
    try:
        with Gallery(filled) as gallery:
            found = gallery.verify()
            gallery.search(FEATURES[0])
            gallery.identities()
    except GalleryError as error:
        found.append(str(error))
    assert found
    assert all("\n" not in line for line in found)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_told(filled, share):
    data = filled.read_bytes()
    filled.write_bytes(data[: int(len(data) * share) + 100])
    try:
        with Gallery(filled) as gallery:
            found = gallery.verify()
    except GalleryError as error:
        found = [str(error)]
    assert found


def test_a_cut_feature_is_told(filled):
    write_sql(filled, "UPDATE features SET feature = zeroblob(9) WHERE image = 5")
    with Gallery(filled) as gallery:
        assert "a feature is cut" in "; ".join(gallery.verify())
        with pytest.raises(GalleryError, match="a feature is cut"):
            gallery.search(FEATURES[0])


def add_as_nobody(path, pipe):
    """Adds an image as a user who may only read; sends what was said."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        with Gallery(path) as gallery:
            pipe.send(len(gallery))
            gallery.add_features(np.ones((1, 64)), "zoe")
    except GalleryError as error:
        pipe.send(str(error))


def said_by(target, path):
    """Returns what a process sends that is forked to call ``target``."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(path, there))
    process.start()
    process.join()
    said = []
    while here.poll():
        said.append(here.recv())
    return said


@posix
@pytest.mark.parametrize("journal", ["none", "left"])
def test_a_read_only_file(journal):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "people.gallery"
        with Gallery.create(path, feature_dim=64) as gallery:
            gallery.add_features(FEATURES, NAMES)
            if journal == "left":  # as after a kill
                for each in list(Path(name).iterdir()):
                    shutil.copy(each, Path(name) / each.name.replace("people", "copy"))
                path = Path(name) / "copy.gallery"
        for each in [*Path(name).iterdir(), Path(name)]:
            each.chmod(0o555)
        *_, last = said_by(add_as_nobody, path)
        Path(name).chmod(0o755)
        assert re.search(r"it cannot be (written|opened); ", last)
        with Gallery(path) as gallery:
            assert len(gallery) == 300


def test_a_full_disk(filled):
    with Gallery(filled) as gallery:
        ((pages,),) = gallery._engine.rows("PRAGMA page_count")
        gallery._engine.rows(f"PRAGMA max_page_count = {pages}")
        rng = np.random.default_rng(1)
        many = rng.standard_normal((6400, 64))
        with pytest.raises(GalleryError, match="the disk is full; free some space"):
            gallery.add_features(many, "ann")
        added = len(gallery) - 300
        assert added % 64 == 0
        assert added < 6400
        before = state_of(gallery)
        with pytest.raises(GalleryError, match="the disk is full; free some space"):
            gallery.add_features(many[-64:], "bob")
        assert state_of(gallery) == before
        assert gallery.verify() == []
        gallery._engine.rows("PRAGMA max_page_count = 999999")
        assert gallery.add_features(rng.standard_normal((64, 64)), "ann").added == 64


def add_until_refused(path, pipe):
    """Adds to files that may not grow beyond a size; sends the counts and what was said."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    most = path.stat().st_size + 1_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        with Gallery(path) as gallery:
            for seed in range(99):
                rng = np.random.default_rng(seed)
                gallery.add_features(rng.standard_normal((64, 64)), "ann")
                pipe.send(len(gallery))
    except GalleryError as error:
        pipe.send(str(error))


@posix
def test_a_file_that_may_not_grow(filled):
    """The system refuses to write more, as a full disk does, in the journal as well."""
    *counts, last = said_by(add_until_refused, filled)
    assert counts
    assert "disk" in last
    with Gallery(filled) as gallery:
        assert len(gallery) == counts[-1]
        assert gallery.verify() == []


def test_another_program_writes(filled, monkeypatch):
    monkeypatch.setattr(sqlite, "WAIT", 0.1)
    with Gallery(filled) as gallery, Gallery(filled) as other:
        before = state_of(gallery)
        with other._engine.change():
            with pytest.raises(GalleryError, match="another program is writing to it; try again"):
                gallery.add_features(FEATURES[:1] + 1, "zoe")
            assert len(gallery) == 300
        assert state_of(gallery) == before
        assert gallery.add_features(FEATURES[:1] + 1, "zoe").added == 1


def test_an_older_version_is_migrated_once(filled, monkeypatch):
    def add_column(engine):
        engine.run("ALTER TABLE identities ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")

    def fail(engine):
        add_column(engine)
        raise GalleryError("no")

    with Gallery(filled) as gallery:
        before = state_of(gallery)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 2)
    monkeypatch.setattr(
        schema, "MIGRATIONS", {schema.VERSION - 1: add_column, schema.VERSION: fail}
    )
    with pytest.raises(GalleryError, match="no"):
        Gallery(filled)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION - 1)
    for _ in range(2):
        with Gallery(filled) as gallery:
            rows = gallery._engine.rows("SELECT DISTINCT note FROM identities")
            assert rows == [("none",)]
            assert len(gallery) == 300
            assert gallery.search(FEATURES[3]).matches[0].name == "p3"
    monkeypatch.undo()
    with pytest.raises(GalleryError, match="made by a newer version of apnet"):
        Gallery(filled)
    write_sql(filled, "ALTER TABLE identities DROP COLUMN note")
    write_sql(filled, f"UPDATE facts SET value = '{schema.VERSION}' WHERE key = 'version'")
    with Gallery(filled) as gallery:
        assert state_of(gallery)["images"] == before["images"]


def test_the_file_is_kept_as_is_promised(filled):
    with Gallery(filled) as gallery:
        wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
        for pragma, value in wanted.items():
            assert gallery._engine.rows(f"PRAGMA {pragma}") == [(value,)]
    assert [each.name for each in filled.parent.iterdir()] == [filled.name]


def test_verify_finds_rows_without_their_image(filled):
    write_sql(
        filled,
        "DELETE FROM images WHERE id = 3",
        "UPDATE images SET identity = 999 WHERE id = 4",
    )
    with Gallery(filled) as gallery:
        found = "; ".join(gallery.verify())
    assert "1 features have no image" in found
    assert "1 images belong to nobody who is there" in found
