"""Where a camera hangs, its light and weather, and what it sees behind people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.synthetic.people.body import Array
from apnet.synthetic.render.detector import Detector
from apnet.synthetic.render.lens import Lens, draw_lens
from apnet.synthetic.scene.light import Light, draw_light
from apnet.synthetic.scene.places import PLACES, draw_front, draw_ground, draw_place, plain_ground
from apnet.synthetic.scene.textures import SPAN, Texture, look_up
from apnet.synthetic.scene.things import Thing, draw_thing
from apnet.synthetic.world.settings import World

LENGTH = 24.0
"""Metres after which the things of a place come again."""

CLUTTER = 26
"""Things on that length, at a clutter of 1."""


@dataclass(frozen=True, eq=False)
class Standing:
    """A thing and where it stands: metres along the place, and away from where people walk."""

    thing: Thing
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera of the town: its place, its light, and how its pictures come out."""

    place: str
    """Kind of place, see ``places``."""
    weather: str
    """``clear``, ``overcast``, ``rain``, ``haze`` or ``indoor``."""
    height: float
    """Metres above the ground."""
    distance: tuple[float, float]
    """Least and greatest distance of people, metres."""
    focal: float
    """Pixels; with the distance it gives the height of people in pixels."""
    heading: float
    """Direction in which most people walk, radians."""
    spread: float
    """Standard deviation around it, radians; large: any direction."""
    turn: float
    """Of the ground's pattern against the camera's rows, radians."""
    wall: float
    """Metres from where people walk to the front behind."""
    roof: float
    """Height of the front, metres; the sky is above it."""
    light: Light
    lens: Lens
    air: Array
    """(3,) colour of the sky, and of haze."""
    haze: float
    """Share of light that haze takes on a metre."""
    gloss: float
    """Share of the front that the ground mirrors."""
    resolution: tuple[float, float] | None
    """Least and greatest height of a person in the camera's pixels; None: as fine as can be."""
    occluders: float
    """Share of images with a thing or a person in front."""
    occluder_size: tuple[float, float]
    """Least and greatest share of the box that what stands in front is meant to hide."""
    passers_by: float
    """Share of images with other people."""
    detector: Detector
    ground: Texture
    front: Texture
    things: tuple[Standing, ...]

    @property
    def rain(self) -> bool:
        """Whether people here are dressed for rain."""
        return self.weather == "rain"

    @property
    def quality(self) -> int:
        """Of the JPEG that a picture is kept as."""
        return max(80, self.lens.quality)

    def hazed(self, colors: Array, depth: Array) -> Array:
        """Returns (P, 3) colours seen through (P,) metres of air."""
        if not self.haze:
            return colors
        clear = np.exp(-self.haze * np.clip(depth, 0, 60)).astype(np.float32)[:, None]
        return np.asarray(colors * clear + self.air * (1 - clear))


def draw_camera(rng: np.random.Generator, world: World) -> Camera:
    """Draws a camera with its scene."""
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
        air=(_air(rng, kind)).astype(np.float32),
        haze=float(rng.uniform(0.015, 0.045)) if weather == "haze" else 0.0,
        gloss=_gloss(rng, weather),
        resolution=world.resolution if world.optics else None,
        occluders=world.occluders,
        occluder_size=world.occluder_size,
        passers_by=world.passers_by,
        detector=Detector(world.detector, world.stretch),
        ground=plain_ground(rng) if bare else draw_ground(place, rng),
        front=draw_front(place, rng, world.clutter),
        things=_furnished(rng, place.things, world.clutter),
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


def _air(rng: np.random.Generator, kind: str) -> Array:
    if kind == "night":
        return np.array([18.0, 19.0, 26.0]) * rng.uniform(0.6, 2.2)
    blue = rng.uniform(0, 0.18) if kind == "sun" else 0.03
    return rng.uniform(165, 235) * np.array([1 - blue, 1 - blue / 3, 1.0])


def _gloss(rng: np.random.Generator, weather: str) -> float:
    if weather == "rain":
        return float(rng.uniform(0.15, 0.35))
    return float(rng.uniform(0, 0.3)) if weather == "indoor" else 0.0


def _furnished(
    rng: np.random.Generator, kinds: tuple[str, ...], clutter: float
) -> tuple[Standing, ...]:
    """Puts things behind where people walk."""
    count = round(CLUTTER * clutter)
    if not count:
        return ()
    pool = [draw_thing(str(rng.choice(kinds)), rng) for _ in range(11)]
    return tuple(
        Standing(
            pool[int(rng.integers(len(pool)))],
            float(rng.uniform(0, LENGTH)),
            1.0 + 10 * float(rng.beta(1, 1.7)),
        )
        for _ in range(count)
    )


def around(camera: Camera, moved: Array) -> list[Standing]:
    """Returns the things behind a person who stands ``moved`` (2,) along the place, far to near."""
    half = LENGTH / 2
    placed = [
        Standing(s.thing, (s.x - float(moved[0]) + half) % LENGTH - half, s.y - float(moved[1]))
        for s in camera.things
    ]
    kept = (s for s in placed if 0.5 < s.y < camera.wall - float(moved[1]))
    return sorted(kept, key=lambda s: -s.y)


def background(camera: Camera, rays: Array, eye: Array, moved: Array, kept_off: Array) -> Array:
    """Returns the (P, 3) colours of ground, front and sky seen along rays.

    Args:
        camera: whose scene it is.
        rays: (P, 3) directions in the world, y away from the camera, z up.
        eye: (3,) the camera's place; the person stands at the origin.
        moved: (2,) metres along and away by which the person stands elsewhere in the place.
        kept_off: (P,) share of direct light that things and people keep off the ground.
    """
    wall = camera.wall - float(moved[1])
    to_front = (wall - eye[1]) / np.maximum(rays[:, 1], 1e-3)
    front = eye + rays * to_front[:, None]
    standing = (front[:, 2] > 0) & (rays[:, 1] > 0)
    colors = np.empty_like(rays)
    colors[standing] = _on_front(camera, front[standing], moved)
    lying = on_ground(rays[~standing], eye)
    floor = _on_ground(camera, lying, moved, kept_off[~standing])
    if camera.gloss:
        mirrored = lying + (rays[~standing] * [1, 1, -1]) * (
            (wall - lying[:, 1]) / np.maximum(rays[~standing, 1], 1e-3)
        )[:, None].astype(np.float32)
        mirrored[:, 2] = np.clip(mirrored[:, 2], 0, 12)
        shine = np.float32(camera.gloss)
        floor = floor * (1 - shine) + _on_front(camera, mirrored, moved) * shine
    colors[~standing] = floor
    depth = np.where(standing, to_front, -eye[2] / np.minimum(rays[:, 2], -1e-3))
    return camera.hazed(colors, depth)


def on_ground(rays: Array, eye: Array) -> Array:
    """Returns the (P, 3) places where (P, 3) rays meet the ground."""
    return np.asarray(eye + rays * (-eye[2] / np.minimum(rays[:, 2], -1e-4))[:, None])


def _on_front(camera: Camera, points: Array, moved: Array) -> Array:
    """Colours of the front, or of the sky above it, at (P, 3) points of its plane."""
    colors = look_up(camera.front, points[:, 0] + float(moved[0]), -points[:, 2])
    place = points + np.array([moved[0], moved[1], 0], dtype=np.float32)
    toward = np.broadcast_to(np.array([[0, -1, 0]], dtype=np.float32), points.shape)
    lit = camera.light.on_faces(toward, camera.light.open_to_sun(place))
    colors = (colors * lit).astype(np.float32)
    colors[points[:, 2] > camera.roof] = camera.air
    return colors


def _on_ground(camera: Camera, points: Array, moved: Array, kept_off: Array) -> Array:
    """Colours of the ground at (P, 3) points of it."""
    place = points + np.array([moved[0], moved[1], 0], dtype=np.float32)
    c, s = np.cos(camera.turn), np.sin(camera.turn)
    x, y = place[:, 0], place[:, 1]
    colors = look_up(camera.ground, (c * x + s * y) % SPAN, (c * y - s * x) % SPAN)
    wet = 0.7 if camera.rain else 1.0
    reached = camera.light.open_to_sun(place) * (1 - kept_off)
    up = np.array([[0, 0, 1.0]], dtype=np.float32)
    light = camera.light.on_faces(np.broadcast_to(up, (len(reached), 3)), reached)
    return np.asarray(colors * light * np.float32(wet))
