"""One picture: a posed person before a camera's scene, lit, cut out by a detector, degraded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from apnet.data.synthetic.body import Array, vertex_normals
from apnet.data.synthetic.figure import Figure
from apnet.data.synthetic.paint import paint
from apnet.data.synthetic.part import BODY, COAT, SKIRT
from apnet.data.synthetic.pose import draw_pose
from apnet.data.synthetic.raster import rasterize
from apnet.data.synthetic.scene import Camera, background
from apnet.data.synthetic.wardrobe import Look


@dataclass(frozen=True)
class Picture:
    """An image and what is true of it."""

    image: Image.Image
    yaw: float
    """0 faces the camera; radians, counter-clockwise seen from above."""
    phase: float
    occlusion: float
    """Share of the person's pixels that an occluder hides."""
    truncation: float
    """Share of the person's height that the detector's box cuts off."""


@dataclass(frozen=True, eq=False)
class _View:
    """A camera's position and the detector's box, as a pinhole."""

    eye: Array
    pitch: float
    focal: float
    centre: tuple[float, float]
    size: tuple[int, int]

    def project(self, points: Array) -> Array:
        """Maps (V, 3) world points to column, row, depth."""
        offset = points - self.eye
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        depth = offset[:, 1] * c - offset[:, 2] * s
        up = offset[:, 1] * s + offset[:, 2] * c
        column = self.centre[0] + self.focal * offset[:, 0] / depth
        row = self.centre[1] - self.focal * up / depth
        return np.stack([column, row, depth], axis=1).astype(np.float32)

    def rays(self) -> Array:
        """Returns (H * W, 3) world directions of the pixels."""
        height, width = self.size
        row, column = np.mgrid[0:height, 0:width]
        right = ((column + 0.5 - self.centre[0]) / self.focal).ravel()
        up = ((self.centre[1] - row - 0.5) / self.focal).ravel()
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return np.stack([right, c + up * s, -s + up * c], axis=1).astype(np.float32)


def take_picture(
    look: Look, figure: Figure, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> Picture:
    """Renders one image of ``size`` (height, width); all randomness comes from ``rng``."""
    pose = draw_pose(rng)
    yaw = float((camera.heading + rng.normal(0, camera.spread)) % (2 * np.pi))
    points = figure.posed(pose) @ _turn(yaw).T
    fine = 2 if size[0] <= 160 else 1.5
    canvas = (round(size[0] * fine), round(size[1] * fine))
    view, truncation = _framed(points, camera, canvas, rng)
    pixels = background(camera, view.rays(), view.eye, float(rng.uniform(0, 16)))
    _cast_shadow(pixels, view, camera)
    covered, colors = _lit(look, figure, points, camera, view, rng)
    pixels[covered] = colors
    occlusion = _occlude(pixels, covered, canvas, rng)
    image = Image.fromarray(
        np.clip(pixels, 0, 255).astype(np.uint8).reshape(*canvas, 3)  # (H * W, 3) -> (H, W, 3)
    )
    return Picture(_degraded(image, camera, size, rng), yaw, pose.phase, occlusion, truncation)


def _turn(yaw: float) -> Array:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=np.float32)


def _framed(
    points: Array, camera: Camera, canvas: tuple[int, int], rng: np.random.Generator
) -> tuple[_View, float]:
    """Aims the camera and places the detector's box: offset, scaled, now and then cut."""
    distance = rng.uniform(*camera.distance)
    eye = np.array([rng.normal(0, 0.6), -distance, camera.height], dtype=np.float32)
    pitch = float(np.arctan2(camera.height - 0.9, distance))
    view = _View(eye, pitch, 1.0, (0.0, 0.0), canvas)
    seen = view.project(points)
    top, bottom = float(seen[:, 1].min()), float(seen[:, 1].max())
    middle = float(seen[:, 0].min() + seen[:, 0].max()) / 2
    tall = bottom - top
    box = tall * float(np.clip(rng.normal(1.07, 0.05), 0.97, 1.25))
    centre = (top + bottom) / 2 + float(rng.normal(0, 0.025)) * tall
    middle += float(rng.normal(0, 0.03)) * tall
    if rng.random() < 0.06:  # the detector lost the feet
        box *= 0.8
        centre -= 0.12 * tall
    cut = max(0.0, bottom - (centre + box / 2)) + max(0.0, (centre - box / 2) - top)
    focal = canvas[0] / box
    place = (canvas[1] / 2 - middle * focal, canvas[0] / 2 - centre * focal)
    return _View(eye, pitch, focal, place, canvas), float(cut / tall)


def _lit(
    look: Look,
    figure: Figure,
    points: Array,
    camera: Camera,
    view: _View,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Array]:
    seen = rasterize(view.project(points), figure.faces, view.size)
    attributes = seen.interpolate(figure.attributes, figure.faces)
    normals = seen.interpolate(vertex_normals(points, figure.faces), figure.faces)
    kinds = figure.kinds[seen.faces]
    colors = paint(look, kinds, attributes)
    cloth = np.isin(kinds, (BODY, SKIRT, COAT)) & (attributes[:, 5] < 0.5)
    normals += _folds(attributes, rng.uniform(0, 9, 4)) * (0.15 * cloth)[:, None]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    direct = np.clip(normals @ camera.sun, 0, 1)
    sky = 0.85 + 0.15 * normals[:, 2]
    light = camera.ambient * sky + (1.15 - camera.ambient) * direct
    return seen.pixels, colors * light[:, None].astype(np.float32)


def _folds(attributes: Array, phases: np.ndarray) -> Array:
    """Bends normals as worn cloth does: irregular waves, finer at elbows and knees."""
    x, y, z = attributes[:, 0], attributes[:, 1], attributes[:, 2]
    a = np.sin(31 * z + 17 * x + phases[0] + 2 * np.sin(13 * y + 9 * x + phases[1]))
    b = np.sin(23 * x - 27 * z + 14 * y + phases[2] + 2 * np.sin(11 * z + phases[3]))
    return np.stack([a, b, a * b], axis=1).astype(np.float32)


def _cast_shadow(pixels: Array, view: _View, camera: Camera) -> None:
    """Darkens the ground beneath the person, drawn out away from the sun."""
    rays = view.rays()
    ground = view.eye + rays * (-view.eye[2] / np.minimum(rays[:, 2], -1e-4))[:, None]
    away = -camera.sun[:2] / max(float(camera.sun[2]), 0.25)
    length = float(np.hypot(*away)) * 0.8 + 0.25
    along_axis = away / max(float(np.hypot(*away)), 1e-6)
    along = ground[:, 0] * along_axis[0] + ground[:, 1] * along_axis[1] - length * 0.5
    across = ground[:, 0] * along_axis[1] - ground[:, 1] * along_axis[0]
    depth = np.exp(-((along / (length * 0.7)) ** 2) - (across / 0.25) ** 2)
    depth *= (rays[:, 2] < 0) & (ground[:, 1] < camera.wall)
    pixels *= (1 - 0.5 * (1 - camera.ambient * 0.6) * depth)[:, None]


def _occlude(
    pixels: Array, covered: np.ndarray, canvas: tuple[int, int], rng: np.random.Generator
) -> float:
    """Puts something in front, now and then: a pole, a hedge, a car's side, a bin."""
    if rng.random() >= 0.12:
        return 0.0
    height, width = canvas
    picture = pixels.reshape(height, width, 3)
    mask = np.zeros((height, width), dtype=bool)
    if rng.random() < 0.3:
        left = int(rng.integers(0, width))
        mask[:, left : left + int(width * rng.uniform(0.06, 0.16))] = True
    else:
        top = int(height * rng.uniform(0.5, 0.85))
        left = int(width * rng.uniform(-0.4, 0.6))
        mask[top:, max(0, left) : max(0, left + int(width * rng.uniform(0.4, 1.0)))] = True
    base = rng.uniform(35, 190) + rng.normal(0, 12, 3)
    shade = np.linspace(1.12, 0.8, height)[:, None, None]
    grain = rng.normal(0, 5, (height, width, 1))
    picture[mask] = (base * shade + grain)[mask]
    return float(mask.ravel()[covered].mean()) if len(covered) else 0.0


def _degraded(
    image: Image.Image, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """Optics and electronics: blur, resolution, exposure, colour cast, noise."""
    height, width = size
    small = float(np.clip(rng.normal(0.8, 0.22), 0.3, 1.0))
    low = (max(8, round(width * small)), max(16, round(height * small)))
    blur = camera.blur * rng.uniform(0.6, 1.4) * height / 256
    image = image.resize(low, Image.Resampling.BOX if small > 0.9 else Image.Resampling.BILINEAR)
    image = image.filter(ImageFilter.GaussianBlur(blur)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    gain = camera.exposure * rng.uniform(0.85, 1.15)
    pixels = np.asarray(image, dtype=np.float32) * camera.cast * gain
    pixels = 118 + (pixels - 118) * camera.contrast
    noisy = pixels + rng.normal(0, camera.noise, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
