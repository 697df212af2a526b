"""A posed figure as lit pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array, vertex_normals
from apnet.data.synthetic.cloth import folds
from apnet.data.synthetic.figure import Figure
from apnet.data.synthetic.paint import paint
from apnet.data.synthetic.parts import BODY, SKIRT
from apnet.data.synthetic.raster import rasterize
from apnet.data.synthetic.scene import Camera
from apnet.data.synthetic.view import View

FOLD_DEPTH = 0.12
"""How far folds bend the normals."""


def lit(
    figure: Figure, points: Array, camera: Camera, view: View, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Returns the (P,) flat pixels that a figure covers and their (P, 3) colours.

    Args:
        figure: whose cloth is painted.
        points: (V, 3) its posed points in the world.
        camera: gives the light.
        view: where it is seen from.
        rng: source of the folds.
    """
    seen = rasterize(view.project(points), figure.faces, view.size)
    attributes = seen.interpolate(figure.attributes, figure.faces)
    normals = seen.interpolate(vertex_normals(points, figure.faces), figure.faces)
    kinds = figure.kinds[seen.faces]
    colors = paint(figure.look, kinds, attributes)
    cloth = ((kinds == BODY) | (kinds == SKIRT)) & (attributes[:, 5] < 0.5)
    phases = rng.uniform(0, 9, 4).astype(np.float32)
    normals += folds(attributes, phases) * (FOLD_DEPTH * cloth)[:, None].astype(np.float32)
    normals /= np.maximum(np.sqrt((normals**2).sum(1, keepdims=True)), 1e-6)
    return seen.pixels, colors * _light(normals, camera)[:, None]


def _light(normals: Array, camera: Camera) -> Array:
    """The sky from above, its reflection from the ground, and the sun."""
    sun = np.clip((normals * camera.sun).sum(1), 0, 1)
    sky = 0.78 + 0.22 * normals[:, 2]
    light: Array = camera.ambient * sky + (1.2 - camera.ambient) * sun
    return light.astype(np.float32)
