"""Renders one image: a posed person in the scene of a camera, cropped by a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from apnet.synthetic.people.body import Array
from apnet.synthetic.people.figure import Figure
from apnet.synthetic.people.pose import draw_pose
from apnet.synthetic.render.background import (
    PlacedFigure,
    draw_figure,
    paste_object,
    render_background,
)
from apnet.synthetic.render.optics import apply_lens
from apnet.synthetic.render.shading import REGIONS, VisibleFigure, shade_figure
from apnet.synthetic.scene.camera import LENGTH, Camera
from apnet.synthetic.scene.detector import aim_camera, box_view
from apnet.synthetic.scene.obstacles import draw_obstacle, rectangle_around
from apnet.synthetic.scene.view import View
from apnet.synthetic.scene.weather import draw_rain


@dataclass(frozen=True)
class ImageMetadata:
    """Metadata of one image; the fields are keys in ``metadata.jsonl``."""

    yaw: float
    """Direction of the person: 0 faces the camera; radians, counter-clockwise from above."""
    phase: float
    """Phase of the gait cycle, radians."""
    occlusion: float
    """Share of the pixels of the person that are hidden by an object or person in front."""
    truncation: float
    """Share of the height of the person that is outside the detector's box."""
    pixels: int
    """Height of the person in pixels of the camera, before scaling to the image size."""
    stretch: float
    """Ratio of width to height of the box, before scaling to the image size."""
    place: str
    """Kind of place, see ``places``."""
    weather: str
    """``clear``, ``overcast``, ``rain``, ``haze`` or ``indoor``."""
    light: str
    """``sun``, ``shade``, ``overcast``, ``night`` or ``indoor``."""
    others: int
    """Number of other people in the image."""
    visible: dict[str, float]
    """Share of each of ``REGIONS`` that is not hidden; regions that are not visible are left out.

    The share refers to the pixels of the region inside the box and on the side of the camera.
    """


@dataclass(frozen=True, eq=False)
class _Moment:
    """Positions of people in one image: the person first, then people behind and in front."""

    people: list[PlacedFigure]
    offset: Array
    yaw: float
    phase: float
    distance: float
    has_obstacle: bool
    """Whether an obstacle is in front of the person."""


def render_image(
    figure: Figure,
    camera: Camera,
    crowd: Sequence[Figure],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Image.Image, ImageMetadata]:
    """Renders one image.

    Args:
        figure: the person that the detector found.
        camera: the camera.
        crowd: possible passers-by.
        size: image height and width in pixels.
        rng: random generator of this image.

    Returns:
        The image and its metadata.
    """
    moment = _draw_moment(figure, camera, crowd, rng)
    person = moment.people[0]
    aim = aim_camera(camera.height, moment.distance, rng)
    neighbour = aim.project(moment.people[1].person_points) if len(moment.people) > 1 else None
    box = camera.detector.box(aim.project(person.person_points), neighbour, size[1] / size[0], rng)
    tall = _resolution(camera, moment.distance, box.person_height / box.height * size[0], rng)
    rows = max(12, round(tall * box.height / box.person_height))
    view = box_view(aim, box, int(np.clip(1.4 * rows, 64, max(1.5 * size[0], 180))))
    pixels = render_background(camera, view, moment.offset, moment.people, rng)
    seen = shade_figure(figure, person.points, camera.light, moment.offset, view, rng)
    away = np.full(len(seen.pixels), moment.distance, dtype=np.float32)
    pixels.reshape(-1, 3)[seen.pixels] = camera.hazed(seen.colors, away)
    hidden = _in_front(pixels, camera, view, moment, rng)
    if camera.rain:
        draw_rain(pixels, rng)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    taken = (rows, max(6, round(rows * view.size[1] / view.size[0])))
    picture = apply_lens(image, camera.lens, (taken, size), float(np.sin(moment.yaw)), rng)
    return picture, ImageMetadata(
        yaw=moment.yaw,
        phase=moment.phase,
        occlusion=float(hidden[seen.pixels].mean()) if len(seen.pixels) else 1.0,
        truncation=box.truncation,
        pixels=round(tall),
        stretch=round(view.size[1] / view.size[0], 3),
        place=camera.place,
        weather=camera.weather,
        light=_light_on(person, camera, moment.offset),
        others=len(moment.people) - 1,
        visible=_visible(seen, hidden),
    )


def _draw_moment(
    figure: Figure, camera: Camera, crowd: Sequence[Figure], rng: np.random.Generator
) -> _Moment:
    pose = draw_pose(rng, figure.look)
    yaw = float((camera.heading + rng.normal(0, camera.spread)) % (2 * np.pi))
    people = [PlacedFigure(figure, figure.posed(pose) @ _turn(yaw).T)]
    offset = np.array([rng.uniform(0, LENGTH), rng.uniform(-1.5, min(1.5, camera.wall - 1.2))])
    distance = float(rng.uniform(*camera.distance))
    if crowd and rng.random() < camera.passers_by:
        room = camera.wall - float(offset[1]) - 0.3
        count = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.25, 0.15, 0.1]))
        depths = (0.5, max(0.8, min(room, 8.0)))
        people += [_passer_by(crowd, depths, 0.25, rng) for _ in range(count)]
    has_obstacle = bool(rng.random() < camera.occluders)
    if has_obstacle and crowd and rng.random() < 0.3:
        people.append(_passer_by(crowd, (-1.4, -0.5), 0.03, rng))
        has_obstacle = False
    return _Moment(people, offset.astype(np.float32), yaw, pose.phase, distance, has_obstacle)


def _passer_by(
    crowd: Sequence[Figure], depths: tuple[float, float], least: float, rng: np.random.Generator
) -> PlacedFigure:
    """Draws a passer-by at a range of depths, at least ``least`` to the side; metres."""
    figure = crowd[int(rng.integers(len(crowd)))]
    depth = float(rng.uniform(*depths))
    reach = least + 0.3 * float(rng.random()) + 0.1 * max(depth, 0.0)
    points = figure.posed(draw_pose(rng, figure.look)) @ _turn(float(rng.uniform(0, 2 * np.pi))).T
    side = reach if rng.random() < 0.5 else -reach
    points[:, :2] += np.array([side, depth], dtype=np.float32)
    return PlacedFigure(figure, points)


def _in_front(
    pixels: Array, camera: Camera, view: View, moment: _Moment, rng: np.random.Generator
) -> Array:
    """Draws people and obstacles in front of the person; returns the (H * W,) share they hide."""
    hidden = np.zeros(view.size[0] * view.size[1], dtype=np.float32)
    nearer = [other for other in moment.people[1:] if other.place[1] <= 0]
    for other in nearer:
        hidden = np.maximum(hidden, draw_figure(pixels, other, camera, view, moment.offset, rng))
    if moment.has_obstacle:
        figure = rectangle_around(view.project(moment.people[0].person_points))
        obstacle, where = draw_obstacle(figure, camera.occluder_size, rng)
        front = np.array([[0.0, -1.0, 0.4]], dtype=np.float32)
        level = camera.light.irradiance(front, np.full(1, rng.uniform(0, 1), dtype=np.float32))[0]
        hidden = paste_object(pixels, obstacle, where, level)
    return hidden


def _resolution(camera: Camera, distance: float, finest: float, rng: np.random.Generator) -> float:
    """Draws the height of the person in pixels of the camera."""
    if camera.resolution is None:
        return finest
    tall = camera.focal * 1.7 / distance * float(np.exp(rng.normal(0, 0.3)))
    return float(np.clip(tall, *camera.resolution))


def _light_on(person: PlacedFigure, camera: Camera, offset: Array) -> str:
    if camera.light.kind != "sun":
        return camera.light.kind
    place = person.points[::16] + np.array([offset[0], offset[1], 0], dtype=np.float32)
    return "sun" if camera.light.sun_share(place).mean() > 0.5 else "shade"


def _visible(seen: VisibleFigure, hidden: Array) -> dict[str, float]:
    shown = 1 - hidden[seen.pixels]
    total = np.bincount(seen.regions, minlength=len(REGIONS))
    left = np.bincount(seen.regions, shown, minlength=len(REGIONS))
    return {
        name: round(float(left[index] / total[index]), 3)
        for index, name in enumerate(REGIONS)
        if left[index] > 0
    }


def _turn(yaw: float) -> Array:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=np.float32)
