"""Named sets: counts hold exactly, and bytes depend only on the settings."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apnet.data.published import PUBLISHED, counts_of
from apnet.data.registry import load_dataset
from apnet.errors import ConfigError
from apnet.synthetic import PEOPLE_SETS, make_set
from apnet.synthetic.output import digest
from apnet.synthetic.world import catalogue
from apnet.synthetic.world.catalogue import PeopleSet
from apnet.synthetic.world.plan import Counts, plan_visits, split_total

LIKE = {
    "people-market": "market1501",
    "people-msmt": "msmt17",
    "people-occluded": "occluded-duke",
    "people-labeled": "cuhk03np-labeled",
    "people-detected": "cuhk03np-detected",
}


class TestPlans:
    @pytest.mark.parametrize("name", PEOPLE_SETS)
    def test_counts_hold_and_every_query_can_be_answered(self, name):
        found = PEOPLE_SETS[name]
        counts = found.counts
        visits = plan_visits(counts, found.cameras, found.seed)
        asked = visits[counts.train[0] : counts.train[0] + counts.test[0]]
        assert len(visits) == counts.ids
        assert sum(v.images for v in visits) == counts.images - counts.distractors
        assert sum(v.images for v in asked) == counts.test[1]
        if counts.queries is not None:
            assert sum(len(v.cameras) for v in asked) == counts.queries
        for each in visits:
            assert len(set(each.cameras)) == len(each.cameras) >= 2
            assert set(each.cameras) <= set(range(1, found.cameras + 1))
        for each in asked:
            gallery = {camera for camera, first in each.shots() if not first}
            assert len(gallery) >= 2

    @pytest.mark.parametrize("name", LIKE)
    def test_the_counts_are_those_of_the_real_set(self, name):
        counts, real = PEOPLE_SETS[name].counts, PUBLISHED[LIKE[name]]
        assert counts.train == (real["train"].ids, real["train"].images)
        assert (counts.test[0], counts.queries) == (real["query"].ids, real["query"].images)
        gallery = counts.test[1] - counts.queries + counts.others[1] + counts.distractors
        assert gallery == real["gallery"].images
        people = counts.test[0] + counts.others[0] + (counts.distractors > 0)
        assert people == real["gallery"].ids
        assert PEOPLE_SETS[name].cameras == real["train"].cameras

    def test_images_are_spread_unevenly(self):
        found = PEOPLE_SETS["people-market"]
        visits = plan_visits(found.counts, found.cameras, found.seed)[:751]
        numbers = sorted(v.images for v in visits)
        assert numbers[-1] > 2 * numbers[0]

    def test_the_detected_set_shows_the_same_people_in_the_same_cameras(self):
        one, other = PEOPLE_SETS["people-labeled"], PEOPLE_SETS["people-detected"]
        first, second = (plan_visits(s.counts, s.cameras, s.seed) for s in (one, other))
        assert [v.cameras for v in first] == [v.cameras for v in second]
        assert sum(abs(a.images - b.images) for a, b in zip(first, second, strict=True)) < 40

    @pytest.mark.parametrize("name", PEOPLE_SETS)
    def test_a_tenth_can_be_planned_too(self, name):
        whole, tenth = PEOPLE_SETS[name].counts, catalogue.people_set(name, 0.1).counts
        visits = plan_visits(tenth, PEOPLE_SETS[name].cameras, seed=0)
        assert len(visits) == tenth.ids
        assert tenth.images == pytest.approx(whole.images / 10, rel=0.02)

    @pytest.mark.parametrize(
        ("share", "why"), [(0, "more than 0"), (2, "1 for the whole"), (1e-4, "leaves 0")]
    )
    def test_a_share_that_leaves_nothing_is_refused(self, share, why):
        with pytest.raises(ConfigError, match=why):
            catalogue.people_set("people-market", share)


class TestSpreading:
    @given(st.data())
    def test_sum_and_bounds_hold(self, data):
        least = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=20))
        most = [low + data.draw(st.integers(0, 9)) for low in least]
        total = data.draw(st.integers(sum(least), sum(most)))
        weights = [data.draw(st.floats(0.1, 10)) for _ in least]
        shares = split_total(total, least, most, weights)
        assert sum(shares) == total
        assert all(a <= s <= b for a, s, b in zip(least, shares, most, strict=True))

    def test_equal_weights_share_equally(self):
        assert split_total(12, [1] * 4, [12] * 4, [1.0] * 4) == [3, 3, 3, 3]

    def test_what_cannot_be_is_refused(self):
        with pytest.raises(ConfigError, match="5 cannot be spread over 2 people with 2 to 4"):
            split_total(5, [1, 1], [2, 2], [1.0, 1.0])


TINY = PeopleSet(
    Counts((4, 18), (4, 8 + 14), queries=8, others=(2, 5), distractors=3, spread=0.3),
    cameras=3,
    size=(64, 32),
    seed=1,
    about="tiny",
)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(catalogue, "PEOPLE_SETS", {"tiny": TINY})


@pytest.mark.usefixtures("tiny")
class TestMaking:
    def test_two_processes_make_the_same_bytes_as_one_and_as_again(self, tmp_path):
        first = make_set(tmp_path / "one", "tiny", workers=0)
        second = make_set(tmp_path / "two", "tiny", workers=2)
        assert first.sha256 == second.sha256 == make_set(tmp_path / "one", "tiny").sha256
        settings = json.loads((tmp_path / "one" / "settings.json").read_text())
        assert (settings["name"], settings["version"]) == ("tiny", 1)

    def test_a_stopped_set_goes_on_to_the_same_bytes(self, tmp_path):
        def stop(done, total):
            if done > 10:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make_set(tmp_path / "stopped", "tiny", workers=0, progress=stop)
        whole = make_set(tmp_path / "whole", "tiny", workers=0)
        assert make_set(tmp_path / "stopped", "tiny", workers=0).sha256 == whole.sha256

    def test_the_loader_finds_the_counts(self, tmp_path):
        made = make_set(tmp_path / "set", "tiny", workers=0)
        assert (made.people, made.train, made.query, made.gallery) == (10, 18, 8, 22)
        counts = counts_of(load_dataset("market1501", tmp_path / "set"))
        assert (counts["train"].ids, counts["query"].ids, counts["gallery"].ids) == (4, 4, 7)
        gallery = load_dataset("market1501", tmp_path / "set").gallery
        assert Counter(record.pid == 0 for record in gallery)[True] == 3

    def test_the_digest_tells_of_any_change(self, tmp_path):
        made = make_set(tmp_path / "set", "tiny", workers=0)
        image = next((tmp_path / "set" / "query").glob("*.jpg"))
        Image.new("RGB", (32, 64)).save(image)
        assert digest(tmp_path / "set") != made.sha256

    def test_another_version_is_refused(self, tmp_path, monkeypatch):
        make_set(tmp_path / "set", "tiny", workers=0)
        newer = {"tiny": dataclasses.replace(TINY, version=2)}
        monkeypatch.setattr(catalogue, "PEOPLE_SETS", newer)
        with pytest.raises(ConfigError, match="other settings"):
            make_set(tmp_path / "set", "tiny", workers=0)

    def test_no_such_set(self, tmp_path):
        with pytest.raises(ConfigError, match=r"called 'tinny'.*did you mean 'tiny'"):
            make_set(tmp_path / "set", "tinny")
