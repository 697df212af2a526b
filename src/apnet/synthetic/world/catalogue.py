"""Named sets: counts, cameras, image size, seed and ``World`` under a name and a version.

The version of a set is raised whenever its images would change for another reason than a new
version of the renderer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from apnet.errors import ConfigError
from apnet.naming import look_up
from apnet.synthetic.world.plan import Counts
from apnet.synthetic.world.settings import EASY, WORLD, World


@dataclass(frozen=True)
class PeopleSet:
    """A named set of synthetic people."""

    counts: Counts
    cameras: int
    size: tuple[int, int]
    """Image height and width in pixels."""
    seed: int
    about: str
    """Description in one line."""
    world: World = WORLD
    version: int = 1


def _world(**changes: object) -> World:
    return dataclasses.replace(WORLD, **changes)  # type: ignore[arg-type]


def _cuhk03(train: int, gallery: int, detector: float, about: str) -> PeopleSet:
    counts = Counts((767, train), (700, 1_400 + gallery), queries=1_400, spread=0.1)
    world = _world(detector=detector, night=0.0, rain=0.0)
    return PeopleSet(counts, cameras=2, size=(256, 128), seed=123, about=about, world=world)


PEOPLE_SETS: Mapping[str, PeopleSet] = {
    "people-small": PeopleSet(
        Counts((150, 1_800), (150, 1_800), spread=0.2),
        cameras=6,
        size=(128, 64),
        seed=131,
        about="300 people in six cameras by day; renders in about a minute",
        world=EASY,
    ),
    "people-market": PeopleSet(
        Counts((751, 12_936), (750, 3_368 + 13_115), queries=3_368, distractors=2_798, spread=0.4),
        cameras=6,
        size=(128, 64),
        seed=102,
        about="the counts of Market-1501, distractors included",
        world=_world(indoor=0.0, night=0.0, rain=0.0, haze=0.0, detector=0.8),
    ),
    "people-msmt": PeopleSet(
        Counts((1_041, 32_621), (3_060, 11_659 + 82_161), queries=11_659, spread=0.5),
        cameras=15,
        size=(256, 128),
        seed=114,
        about="the counts of MSMT17: indoors and outdoors, four kinds of weather, day and night",
        world=_world(indoor=0.2, night=0.2, rain=0.12, haze=0.12, overcast=0.3),
    ),
    "people-occluded": PeopleSet(
        Counts(
            (702, 15_618),
            (519, 2_210 + 9_000),
            queries=2_210,
            others=(591, 8_661),
            spread=0.4,
        ),
        cameras=8,
        size=(256, 128),
        seed=105,
        about="the counts of Occluded-Duke; 70 % of images are partly occluded",
        world=_world(
            occluders=0.7, occluder_size=(0.25, 0.65), passers_by=0.7, indoor=0.0, night=0.0
        ),
    ),
    "people-labeled": _cuhk03(
        7_368, 5_328, 0.0, "the counts of CUHK03-NP: two cameras, boxes as drawn by hand"
    ),
    "people-detected": _cuhk03(
        7_365, 5_332, 1.0, "the people and cameras of people-labeled, with the boxes of a detector"
    ),
    "people-b": PeopleSet(
        Counts((700, 11_200), (700, 11_200), spread=0.3),
        cameras=10,
        size=(128, 64),
        seed=206,
        about="other conditions: high cameras, colder and darker light, indoors, other clothes",
        world=_world(
            heights=(3.0, 8.0),
            indoor=0.4,
            night=0.25,
            overcast=0.5,
            warmth=0.12,
            exposure=(0.6, 1.1),
            palette=0.4,
            patterns=0.25,
            logos=0.15,
            bags=0.6,
            headwear=0.3,
            resolution=(30.0, 140.0),
        ),
    ),
    "people-train": PeopleSet(
        Counts((400, 20_000), (150, 1_800), spread=0.2),
        cameras=40,
        size=(128, 64),
        seed=307,
        about="training set of the shipped model: few people in many cameras",
        version=2,
    ),
    "people-calibration": PeopleSet(
        Counts((2_400, 14_400), (3_000, 27_000), spread=0.4),
        cameras=24,
        size=(128, 64),
        seed=411,
        about="people without twins: the shipped calibration, and others to check it with",
        world=_world(group_sizes=(1.0,)),
    ),
}
"""All sets by name."""


def people_set(name: str, share: float = 1.0) -> PeopleSet:
    """Returns a named set, or a share of it: fewer people with the same number of images each.

    Args:
        name: a key of ``PEOPLE_SETS``.
        share: share of the people, above 0; 1 returns the complete set.

    Raises:
        ConfigError: there is no set with this name, or the share leaves too few people.
    """
    found = look_up("set of synthetic people", name, PEOPLE_SETS)
    if share == 1:
        return found
    if not 0 < share < 1:
        raise ConfigError(f"share: {share} cannot be used; give more than 0, and 1 for the whole")
    found = PEOPLE_SETS[name]
    return dataclasses.replace(found, counts=found.counts.scaled(share))
