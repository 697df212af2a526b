"""Cameras: position, place, light, weather, objects, and the properties of their images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.detector import Detector
from apnet.synthetic.scene.lens import Lens, draw_lens
from apnet.synthetic.scene.light import Light, draw_light
from apnet.synthetic.scene.objects import SceneObject, draw_object
from apnet.synthetic.scene.places import PLACES, draw_front, draw_ground, draw_place, plain_ground
from apnet.synthetic.scene.textures import Texture
from apnet.synthetic.world.settings import World

LENGTH = 24.0
"""Period in metres of the objects of a place."""

CLUTTER = 26
"""Number of objects per ``LENGTH`` at a clutter of 1."""


@dataclass(frozen=True, eq=False)
class PlacedObject:
    """An object and its position: metres along the place, and behind the line where people walk."""

    object: SceneObject
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera: its place, its light, and the properties of its images."""

    place: str
    """Kind of place, see ``places``."""
    weather: str
    """``clear``, ``overcast``, ``rain``, ``haze`` or ``indoor``."""
    height: float
    """Metres above the ground."""
    distance: tuple[float, float]
    """Smallest and largest distance of people in metres."""
    focal: float
    """Focal length in pixels."""
    heading: float
    """Direction in which most people walk, radians."""
    spread: float
    """Standard deviation of the direction, radians; large: any direction."""
    turn: float
    """Rotation of the texture of the ground, radians."""
    wall: float
    """Distance from the line where people walk to the front, metres."""
    roof: float
    """Height of the front, metres; the sky is above it."""
    light: Light
    lens: Lens
    air: Array
    """(3,) colour of the sky, and of haze."""
    haze: float
    """Extinction coefficient of haze per metre."""
    gloss: float
    """Share of the front in the colour of a reflecting ground."""
    resolution: tuple[float, float] | None
    """Smallest and largest height of a person in pixels of the camera; None: the image size."""
    occluders: float
    """Share of images with an object or a person in front."""
    occluder_size: tuple[float, float]
    """Smallest and largest share of the person that an object in front should hide."""
    passers_by: float
    """Share of images with other people."""
    detector: Detector
    ground: Texture
    front: Texture
    objects: tuple[PlacedObject, ...]

    @property
    def rain(self) -> bool:
        """Whether it rains."""
        return self.weather == "rain"

    @property
    def quality(self) -> int:
        """JPEG quality of the saved images."""
        return max(80, self.lens.quality)

    def hazed(self, colors: Array, depth: Array) -> Array:
        """Returns (P, 3) colours seen through haze at (P,) metres."""
        if not self.haze:
            return colors
        clear = np.exp(-self.haze * np.clip(depth, 0, 60)).astype(np.float32)[:, None]
        return np.asarray(colors * clear + self.air * (1 - clear))


def draw_camera(rng: np.random.Generator, world: World) -> Camera:
    """Draws a camera with its place, light, weather and objects."""
    name = draw_place(rng, world.indoor)
    place = PLACES[name]
    weather, kind = _weather(rng, world, indoor=place.indoor)
    light = draw_light(rng, world, kind)
    height = float(rng.uniform(*world.heights))
    if place.indoor:
        height = min(height, 3.4)
    near = float(max(rng.uniform(4, 9), 1.25 * height))
    far = near + float(rng.uniform(2, 7))
    bare = world.clutter <= 0
    tall = np.exp(rng.uniform(np.log(75), np.log(260)))
    return Camera(
        place=name,
        weather=weather,
        height=height,
        distance=(near, far),
        focal=float(tall / 1.7 * (near + far) / 2),
        heading=float(rng.uniform(0, 2 * np.pi)),
        spread=float(rng.choice([0.5, 1.0, 6.0])),
        turn=float(rng.normal(0, 0.3)),
        wall=float(rng.uniform(*place.wall)),
        roof=3.4 if place.indoor else float(rng.uniform(2.5, 13)),
        light=light,
        lens=draw_lens(rng, world, light),
        air=(_air_color(rng, kind)).astype(np.float32),
        haze=float(rng.uniform(0.015, 0.045)) if weather == "haze" else 0.0,
        gloss=_gloss(rng, weather),
        resolution=world.resolution if world.optics else None,
        occluders=world.occluders,
        occluder_size=world.occluder_size,
        passers_by=world.passers_by,
        detector=Detector(world.detector, world.stretch),
        ground=plain_ground(rng) if bare else draw_ground(place, rng),
        front=draw_front(place, rng, world.clutter),
        objects=_place_objects(rng, place.objects, world.clutter),
    )


def _weather(rng: np.random.Generator, world: World, *, indoor: bool) -> tuple[str, str]:
    """Returns the weather and the kind of light."""
    draws = rng.random(4)
    if indoor:
        return "indoor", "indoor"
    dark = "night" if draws[0] < world.night else ""
    if draws[1] < world.rain:
        return "rain", dark or "overcast"
    if draws[2] < world.haze:
        return "haze", dark or "overcast"
    if draws[3] < world.overcast:
        return "overcast", dark or "overcast"
    return "clear", dark or "sun"


def _air_color(rng: np.random.Generator, kind: str) -> Array:
    if kind == "night":
        return np.array([18.0, 19.0, 26.0]) * rng.uniform(0.6, 2.2)
    blue = rng.uniform(0, 0.18) if kind == "sun" else 0.03
    return rng.uniform(165, 235) * np.array([1 - blue, 1 - blue / 3, 1.0])


def _gloss(rng: np.random.Generator, weather: str) -> float:
    if weather == "rain":
        return float(rng.uniform(0.15, 0.35))
    return float(rng.uniform(0, 0.3)) if weather == "indoor" else 0.0


def _place_objects(
    rng: np.random.Generator, kinds: tuple[str, ...], clutter: float
) -> tuple[PlacedObject, ...]:
    """Draws the objects behind the line where people walk."""
    count = round(CLUTTER * clutter)
    if not count:
        return ()
    pool = [draw_object(str(rng.choice(kinds)), rng) for _ in range(11)]
    return tuple(
        PlacedObject(
            pool[int(rng.integers(len(pool)))],
            float(rng.uniform(0, LENGTH)),
            1.0 + 10 * float(rng.beta(1, 1.7)),
        )
        for _ in range(count)
    )
