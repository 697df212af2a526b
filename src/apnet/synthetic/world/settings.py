"""Settings of a set: how difficult it is (``World``), and everything that determines its bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apnet.synthetic.world.plan import Counts

RENDERER = 2
"""Version of the renderer; raised whenever the same settings would give other images."""


@dataclass(frozen=True)
class World:
    """Settings that make people similar and cameras different; shares are from 0 to 1."""

    group_sizes: tuple[float, ...] = (0.35, 0.4, 0.25)
    """Shares of groups of one, two, three ... people; people of a group are twins."""

    fine_cues: tuple[int, int] = (1, 2)
    """Smallest and largest number of cues in which a twin differs from the group's first person."""

    coarse_twins: float = 0.3
    """Share of groups whose people differ slightly in a coarse cue, instead of in fine cues."""

    palette: float = 1.0
    """Share of clothes with a colour from a continuous range; the others use a short list."""

    patterns: float = 0.45
    """Share of tops with a pattern; 0 also removes stripes on trousers."""

    blocks: float = 0.2
    """Share of tops made of cloth in several colours, unless ``patterns`` is 0."""

    logos: float = 0.35
    """Share of tops with a print on the chest; half as many have a print on the back."""

    texture: float = 1.0
    """Strength of weave, folds, seams and shading of cloth."""

    faces: float = 1.0
    """Strength of facial features; 0 also removes beards and glasses."""

    headwear: float = 0.16
    """Share of people with headwear."""

    bags: float = 0.42
    """Share of people with a bag."""

    props: float = 0.07
    """Share of people who carry or push another object."""

    gait: float = 1.0
    """How much gait differs between people."""

    worn_changes: float = 0.1
    """Probability of each possible change of a person's clothes in a camera."""

    sitting: float = 0.01
    """Share of the cameras of a person in which they sit on a bench."""

    umbrellas: float = 0.5
    """Share of people with an open umbrella in cameras with rain."""

    indoor: float = 0.2
    """Share of cameras indoors."""

    night: float = 0.1
    """Share of outdoor cameras at night."""

    overcast: float = 0.25
    """Share of outdoor cameras under clouds, without direct sun."""

    rain: float = 0.08
    """Share of outdoor cameras in rain."""

    haze: float = 0.08
    """Share of outdoor cameras in haze."""

    shade: float = 0.45
    """Mean share of the ground that is in the shade of houses and trees on a sunny day."""

    shadows: float = 1.0
    """Strength of the shadows that people cast on the ground and on themselves."""

    clutter: float = 1.0
    """Density of cars, trees, benches and other objects; 0: a plain ground and a plain wall."""

    heights: tuple[float, float] = (1.5, 6.0)
    """Lowest and highest camera height in metres."""

    optics: float = 1.0
    """Strength of blur, noise, sharpening, low resolution and compression."""

    resolution: tuple[float, float] = (30.0, 250.0)
    """Smallest and largest height of a person in pixels of the camera."""

    cast: float = 1.0
    """Strength of all differences in colour and tone between cameras."""

    warmth: float = 0.07
    """Standard deviation of a camera's warmth: plus in the red gain, minus in the blue gain."""

    tint: float = 0.025
    """Standard deviation of a camera's green gain."""

    exposure: tuple[float, float] = (0.75, 1.25)
    """Smallest and largest mean gain of a camera."""

    flicker: float = 0.1
    """Standard deviation of the gain of an image relative to its camera."""

    ambient: tuple[float, float] = (0.38, 0.7)
    """Smallest and largest share of ambient light on a sunny day."""

    blur: tuple[float, float] = (0.2, 1.1)
    """Smallest and largest blur: standard deviation in pixels at an image height of 256."""

    noise: tuple[float, float] = (0.5, 5.0)
    """Smallest and largest sensor noise: standard deviation in grey levels."""

    passers_by: float = 0.5
    """Share of images with one to four other people."""

    occluders: float = 0.1
    """Share of images with an object or a person in front."""

    occluder_size: tuple[float, float] = (0.15, 0.5)
    """Smallest and largest share of the person that an object in front should hide."""

    detector: float = 0.5
    """Size of box errors: 0 as in careful manual boxes, 1 as in a detector's boxes."""

    stretch: float = 0.6
    """Share of boxes with the width of the person, which are stretched to the image size."""


WORLD = World()
"""Default of ``make_people``."""

EASY = replace(
    WORLD,
    coarse_twins=0.0,
    worn_changes=0.0,
    sitting=0.0,
    indoor=0.0,
    night=0.0,
    rain=0.0,
    haze=0.0,
    shade=0.2,
    optics=0.5,
    cast=0.5,
    resolution=(80.0, 250.0),
    passers_by=0.25,
    occluders=0.08,
    detector=0.2,
    stretch=0.2,
)
"""Easier settings, by day: minutes of training already help; most named sets are harder."""


@dataclass(frozen=True)
class SetSettings:
    """Everything that determines the bytes of a set; ``settings.json`` holds these fields."""

    name: str
    """Name of a named set; empty for the caller's own settings."""
    version: int
    """Version of the named set; 0 for the caller's own settings."""
    counts: Counts
    seed: int
    cameras: int
    """Number of cameras."""
    size: tuple[int, int]
    """Image height and width in pixels."""
    world: World
    renderer: int = RENDERER
