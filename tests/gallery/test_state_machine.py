"""Random histories of a gallery, seen through two connections, against a dictionary.

``APNET_GALLERY_EXAMPLES=500`` runs more of them, and longer ones.
"""

import contextlib
import itertools
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apnet.errors import GalleryError
from apnet.gallery import Gallery
from apnet.gallery.adding import add_batch, images_of_features
from apnet.gallery.engines import postgres_search
from apnet.gallery.index import exact, following
from apnet.gallery.records import Sighting

DIM = 8
POOL = np.random.default_rng(0).standard_normal((30, DIM)).astype(np.float32)
POOL /= np.linalg.norm(POOL, axis=1, keepdims=True)
EXAMPLES = int(os.environ.get("APNET_GALLERY_EXAMPLES", "6"))
STEPS = 25 if EXAMPLES < 20 else 60

SOME_ROWS = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=10)
NAMES = st.sampled_from(["ann", "bob", "carl", "dora"])
HANDLES = st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    """A gallery and what must be in it: names by row of the pool, and all names."""

    place: str

    @initialize()
    def make(self):
        Gallery.create(self.place, feature_dim=DIM).close()
        self.handles = [Gallery(self.place), Gallery(self.place)]
        self.held: dict[int, str | None] = {}
        self.names: set[str] = set()

    def teardown(self):
        for each in getattr(self, "handles", []):
            each.close()

    def rows_of(self, name):
        return sorted(row for row, each in self.held.items() if each == name)

    def numbers(self, handle, rows):
        """Returns the images' numbers of rows, by their features."""
        rows_by_digest = {
            image.digest: row
            for row, image in enumerate(images_of_features(POOL, None, Sighting(), DIM))
        }
        images = [
            image for name in [None, *self.names] for image in self.handles[handle].images(name)
        ]
        found = {rows_by_digest[image.digest]: image.id for image in images}
        return [found[row] for row in rows]

    @rule(handle=HANDLES, rows=SOME_ROWS, name=st.none() | NAMES)
    def add(self, handle, rows, name):
        clash = name is not None and any(self.held.get(row) not in (None, name) for row in rows)
        if clash:
            with pytest.raises(GalleryError, match="the same image"):
                self.handles[handle].add_features(POOL[rows], name)
            return
        result = self.handles[handle].add_features(POOL[rows], name)
        new = {row for row in rows if row not in self.held}
        labelled = {row for row in set(rows) - new if name and self.held[row] is None}
        assert (result.added, result.labelled) == (len(new), len(labelled))
        assert result.total == len(rows)
        self.held |= dict.fromkeys(new | labelled, name)
        self.names |= {name} if name and new | labelled else set()

    @rule(handle=HANDLES, rows=SOME_ROWS, name=NAMES)
    def crash_while_adding(self, handle, rows, name):
        """The connection is gone before the change is committed."""
        fresh = [row for row in rows if row not in self.held]
        engine = self.handles[handle]._engine
        with contextlib.suppress(Exception), engine.change():
            add_batch(engine, images_of_features(POOL[fresh], name, Sighting(), DIM))
            drop_connection(engine)
        self.reopen(handle)

    @rule(handle=HANDLES)
    def reopen(self, handle):
        with contextlib.suppress(Exception):
            self.handles[handle].close()
        self.handles[handle] = Gallery(self.place)

    @rule(handle=HANDLES, name=NAMES, data=st.data())
    @precondition(lambda self: self.rows_of(None))
    def label(self, handle, name, data):
        rows = data.draw(st.sets(st.sampled_from(self.rows_of(None)), min_size=1))
        assert self.handles[handle].label(self.numbers(handle, rows), name) == len(rows)
        self.held |= dict.fromkeys(rows, name)
        self.names.add(name)

    @rule(handle=HANDLES, data=st.data())
    @precondition(lambda self: self.held)
    def remove(self, handle, data):
        rows = data.draw(st.sets(st.sampled_from(sorted(self.held)), min_size=1, max_size=3))
        assert self.handles[handle].remove(self.numbers(handle, rows)) == len(rows)
        for row in rows:
            del self.held[row]

    @rule(handle=HANDLES, name=NAMES)
    def erase(self, handle, name):
        if name not in self.names:
            with pytest.raises(GalleryError, match="nobody is called"):
                self.handles[handle].erase(name)
            return
        rows = self.rows_of(name)
        assert self.handles[handle].erase(name) == len(rows)
        self.names.remove(name)
        for row in rows:
            del self.held[row]

    @rule(handle=HANDLES, name=NAMES, new=NAMES)
    def rename(self, handle, name, new):
        if name not in self.names or (new != name and new in self.names):
            with pytest.raises(GalleryError, match=r"nobody is called|is there already"):
                self.handles[handle].rename(name, new)
            return
        self.handles[handle].rename(name, new)
        self.held |= dict.fromkeys(self.rows_of(name), new)
        self.names = self.names - {name} | {new}

    @rule(handle=HANDLES, name=NAMES, into=NAMES)
    def merge(self, handle, name, into):
        if name == into or not {name, into} <= self.names:
            with pytest.raises(GalleryError, match=r"nobody is called|into itself"):
                self.handles[handle].merge(name, into)
            return
        rows = self.rows_of(name)
        assert self.handles[handle].merge(name, into) == len(rows)
        self.held |= dict.fromkeys(rows, into)
        self.names.remove(name)

    @rule(handle=HANDLES)
    def compact(self, handle):
        self.handles[handle].compact()

    @rule(handle=HANDLES, query=st.integers(0, len(POOL) - 1), k=st.integers(1, 4))
    def search(self, handle, query, k):
        best = {
            name: max(float(POOL[row] @ POOL[query]) for row in rows)
            for name in self.names
            if (rows := self.rows_of(name))
        }
        self.compare(self.handles[handle].search(POOL[query], k=k), best, k)

    @rule(handle=HANDLES, query=st.integers(0, len(POOL) - 1), k=st.integers(1, 4))
    def search_by_mean(self, handle, query, k):
        best = {}
        for name in self.names:
            mean = POOL[self.rows_of(name)].sum(axis=0)
            if mean.any():
                best[name] = float(mean @ POOL[query] / np.linalg.norm(mean))
        self.compare(self.handles[handle].search(POOL[query], k=k, by="mean"), best, k)

    def compare(self, answer, best, k):
        wanted = sorted(best, key=lambda name: -best[name])[:k]
        assert [match.name for match in answer] == wanted
        similarities = [best[name] for name in wanted]
        assert np.allclose([match.similarity for match in answer], similarities, atol=1e-5)

    @invariant()
    def holds_what_it_must(self):
        for each in getattr(self, "handles", []):
            found = {identity.name: identity.images for identity in each.identities()}
            assert found == {name: len(self.rows_of(name)) for name in self.names}
            assert len(each) == len(self.held)

    @rule(handle=HANDLES)
    def verify(self, handle):
        assert self.handles[handle].verify() == []


def drop_connection(engine):
    if hasattr(engine, "_pool"):
        engine._open.connection.close()
    else:
        engine._connection.close()


@pytest.fixture
def places(request):
    """Returns a function that gives a new place of an engine, however often it is called."""
    numbers = itertools.count()

    def call(engine):
        place = request.getfixturevalue(f"{engine}_place")
        return f"{place}_{next(numbers)}"

    return call


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_any_history(engine, places, monkeypatch):
    for module in (following, postgres_search):  # so that indexes are built
        monkeypatch.setattr(module, "EXACT_UP_TO", 10)
    monkeypatch.setattr(exact, "BLOCK", 7)

    class Fresh(Machine):
        def __init__(self):
            super().__init__()
            self.place = places(engine)

    run_state_machine_as_test(
        Fresh,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
