"""Renders a posed figure as lit pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.body import Array, vertex_normals
from apnet.synthetic.people.cloth import folds
from apnet.synthetic.people.figure import Figure
from apnet.synthetic.people.paint import is_cloth, paint
from apnet.synthetic.people.parts import BAG, HAIR, HAT, PROP, SKIRT
from apnet.synthetic.render.raster import rasterize
from apnet.synthetic.scene.light import Light
from apnet.synthetic.scene.view import View

FOLD_DEPTH = 0.12
"""Strength of the change of normals by folds."""

REGIONS = ("head", "torso", "legs", "feet", "bag", "prop")
"""Regions of a person in ``metadata.jsonl``; ``prop`` is any prop."""

CELL = 0.05
"""Resolution of the shadow of a figure on itself in metres."""


@dataclass(frozen=True, eq=False)
class VisibleFigure:
    """The visible pixels of a figure: (P,) flat indices, (P, 3) colours and (P,) regions."""

    pixels: NDArray[np.int64]
    colors: Array
    regions: NDArray[np.int64]


def shade_figure(
    figure: Figure, points: Array, light: Light, offset: Array, view: View, rng: np.random.Generator
) -> VisibleFigure:
    """Renders a figure.

    Args:
        figure: the figure.
        points: (V, 3) posed points in the world.
        light: light of the place.
        offset: (2,) position of the origin of the world in the place, metres.
        view: of the box.
        rng: random generator for folds.
    """
    seen = rasterize(view.project(points), figure.faces, view.size)
    columns = figure.attributes.shape[1]
    vertex_values = np.concatenate(
        [
            figure.attributes,
            vertex_normals(points, figure.faces),
            _direct_share(points, light, offset)[:, None],
        ],
        axis=1,
    )
    values = seen.interpolate(vertex_values, figure.faces)
    attributes, normals, reached = (
        values[:, :columns],
        values[:, columns : columns + 3],
        values[:, -1],
    )
    kinds = figure.kinds[seen.faces]
    colors = paint(figure.look, kinds, attributes)
    cloth = is_cloth(figure.look, kinds, attributes)
    phases = rng.uniform(0, 9, 4).astype(np.float32)
    depth = FOLD_DEPTH * figure.look.texture * cloth
    normals += folds(attributes, phases) * depth[:, None].astype(np.float32)
    normals /= np.maximum(np.sqrt((normals**2).sum(1, keepdims=True)), 1e-6)
    shades = light.irradiance(normals, reached)
    return VisibleFigure(seen.pixels, colors * shades, _regions(kinds, attributes))


def _direct_share(points: Array, light: Light, offset: Array) -> Array:
    """Returns the (V,) share of direct light that neither the place nor the figure blocks."""
    place = points + np.array([offset[0], offset[1], 0], dtype=np.float32)
    return np.asarray(
        light.sun_share(place) * (1 - light.shadows * _self_shadow(points, light.sun))
    )


def _self_shadow(points: Array, sun: Array) -> Array:
    """Returns the (V,) share of light that points nearer to the sun block."""
    side = np.cross(sun, [0.0, 0.0, 1.0])
    side /= max(float(np.sqrt((side**2).sum())), 1e-6)
    across, up, toward = points @ side, points @ np.cross(side, sun), points @ sun
    column = ((across - across.min()) / CELL).astype(np.int64)
    cell = column + ((up - up.min()) / CELL).astype(np.int64) * (column.max() + 1)
    nearest = np.full(cell.max() + 1, -1e9, dtype=np.float32)
    np.maximum.at(nearest, cell, toward.astype(np.float32))
    return np.asarray(np.clip((nearest[cell] - toward - 0.09) / 0.06, 0, 1), dtype=np.float32)


def _regions(kinds: NDArray[np.int64], attributes: Array) -> NDArray[np.int64]:
    """Returns the (P,) indices in ``REGIONS``."""
    leg = attributes[:, 4]
    regions = np.ones(len(kinds), dtype=np.int64)
    regions[(leg > 0.1) | (kinds == SKIRT)] = 2
    regions[leg > 1.95] = 3
    regions[(attributes[:, 5] > 0.5) | (kinds == HAIR) | (kinds == HAT)] = 0
    regions[kinds == BAG] = 4
    regions[kinds == PROP] = 5
    return regions
