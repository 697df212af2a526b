"""How hard a set of synthetic people is, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apnet.synthetic.world.plan import Counts

RENDERER = 2
"""Version of the renderer; raised whenever the same settings would give other images."""


@dataclass(frozen=True)
class World:
    """The settings that make people alike and cameras unlike; shares are from 0 to 1."""

    group_sizes: tuple[float, ...] = (0.35, 0.4, 0.25)
    """Shares of groups of one, two, three ... people who share their coarse cues."""

    fine_cues: tuple[int, int] = (1, 2)
    """Least and most cues in which a twin differs from the first of the group."""

    coarse_twins: float = 0.3
    """Share of groups whose members differ in a coarse cue, a little, instead of in fine ones."""

    palette: float = 1.0
    """Share of clothes whose colour is drawn continuously; the others' comes from a short list."""

    patterns: float = 0.45
    """Share of tops with a pattern; 0 leaves out stripes on trousers too."""

    blocks: float = 0.2
    """Share of tops cut from cloths of several colours, where there are patterns at all."""

    logos: float = 0.35
    """Share of tops with a print on the chest; half as many have one on the back."""

    texture: float = 1.0
    """Strength of weave, folds, seams and shade on cloth."""

    faces: float = 1.0
    """Strength of the features of faces; 0 also leaves out beards and glasses."""

    headwear: float = 0.16
    """Share of people with something on the head."""

    bags: float = 0.42
    """Share of people with a bag."""

    props: float = 0.07
    """Share of people who carry or push something else."""

    gait: float = 1.0
    """How much the ways of walking differ from person to person."""

    worn_changes: float = 0.1
    """Chance that something about a person's clothes changes from camera to camera, each."""

    sitting: float = 0.01
    """Share of a person's cameras in which they sit on a bench."""

    umbrellas: float = 0.5
    """Share of people with an open umbrella where it rains."""

    indoor: float = 0.2
    """Share of cameras indoors."""

    night: float = 0.1
    """Share of outdoor cameras at night."""

    overcast: float = 0.25
    """Share of outdoor cameras below clouds, without a sun."""

    rain: float = 0.08
    """Share of outdoor cameras in rain."""

    haze: float = 0.08
    """Share of outdoor cameras in haze."""

    shade: float = 0.45
    """Mean share of sunny ground that lies in the shade of houses and trees."""

    shadows: float = 1.0
    """Strength of the shadows that people cast, on the ground and on themselves."""

    clutter: float = 1.0
    """Density of cars, trees, benches and the like; 0: a plain ground and a plain wall."""

    heights: tuple[float, float] = (1.5, 6.0)
    """Least and greatest height of a camera, metres."""

    optics: float = 1.0
    """Strength of blur, noise, sharpening, low resolution and compression."""

    resolution: tuple[float, float] = (30.0, 250.0)
    """Least and greatest height of a person in the camera's pixels."""

    cast: float = 1.0
    """Strength of everything by which cameras differ in colours and tones."""

    warmth: float = 0.07
    """Standard deviation of a camera's red gain against its blue one."""

    tint: float = 0.025
    """Standard deviation of a camera's green gain."""

    exposure: tuple[float, float] = (0.75, 1.25)
    """Least and greatest mean gain of a camera."""

    flicker: float = 0.1
    """Standard deviation of an image's gain around its camera's."""

    ambient: tuple[float, float] = (0.38, 0.7)
    """Least and greatest share of a sunny day's light that has no direction."""

    blur: tuple[float, float] = (0.2, 1.1)
    """Least and greatest blur, standard deviation in pixels of an image 256 pixels high."""

    noise: tuple[float, float] = (0.5, 5.0)
    """Least and greatest sensor noise, standard deviation in grey levels."""

    passers_by: float = 0.5
    """Share of images with others in the picture: one to four people."""

    occluders: float = 0.1
    """Share of images with a thing or a person in front."""

    occluder_size: tuple[float, float] = (0.15, 0.5)
    """Least and greatest share of the box that what stands in front is meant to hide."""

    detector: float = 0.5
    """Errors of the boxes: 0 as if drawn with care, 1 as a detector makes them."""

    stretch: float = 0.6
    """Share of boxes that follow the person's width and are stretched to the set's size."""


WORLD = World()
"""What ``make_people`` uses."""

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
"""A town by day, in which minutes of training show something; most named sets are harder."""


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
