"""Bounding boxes of people, as drawn by hand or with the errors of a detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.view import View


@dataclass(frozen=True)
class Box:
    """A bounding box in image coordinates at a focal length of 1."""

    column: float
    """Column of the centre."""
    row: float
    """Row of the centre."""
    width: float
    height: float
    person_height: float
    """Height of the person."""
    truncation: float
    """Share of the height of the person that is outside the box."""


@dataclass(frozen=True)
class Detector:
    """Distribution of bounding boxes.

    Attributes:
        strength: size of errors; 0 as in careful manual boxes, 1 as in a detector's boxes.
        stretch: share of boxes with the width of the person, which are stretched to the image size.
    """

    strength: float
    stretch: float

    def box(
        self, person: Array, neighbour: Array | None, aspect: float, rng: np.random.Generator
    ) -> Box:
        """Draws the box of a person.

        Args:
            person: (V, 3) projected points.
            neighbour: (U, 3) projected points of a person whom the box may include, if any.
            aspect: ratio of width to height of a box that is not stretched.
            rng: random generator.
        """
        strength = self.strength
        left, right = float(person[:, 0].min()), float(person[:, 0].max())
        top, bottom = float(person[:, 1].min()), float(person[:, 1].max())
        tall = bottom - top
        if neighbour is not None and rng.random() < 0.3 * strength:
            left = max(min(left, float(neighbour[:, 0].min())), left - 0.3 * tall)
            right = min(max(right, float(neighbour[:, 0].max())), right + 0.3 * tall)
        height = tall * float(np.clip(rng.normal(1.05, 0.015 + 0.05 * strength), 0.95, 1.4))
        row = (top + bottom) / 2 + tall * float(rng.normal(0, 0.006 + 0.022 * strength))
        column = (left + right) / 2 + tall * float(rng.normal(0, 0.006 + 0.025 * strength))
        if rng.random() < 0.22 * strength:  # feet or head are cut off
            lost = tall * (rng.uniform(0.08, 0.35) if rng.random() < 0.75 else -0.1)
            height -= abs(lost)
            row -= lost / 2
        elif rng.random() < 0.08 * strength:  # much too large
            height *= float(rng.uniform(1.15, 1.45))
        width = height * aspect
        if rng.random() < self.stretch:
            margin = 1.06 + abs(float(rng.normal(0, 0.04 + 0.1 * strength)))
            width = float(np.clip((right - left) * margin, 0.26 * height, 0.85 * height))
        cut = max(0.0, bottom - (row + height / 2)) + max(0.0, (row - height / 2) - top)
        return Box(column, row, width, height, tall, float(cut / tall))


def aim_camera(height: float, distance: float, rng: np.random.Generator) -> View:
    """Draws a view with focal length 1 from a camera towards a person at the origin."""
    eye = np.array([rng.normal(0, 0.6), -distance, height], dtype=np.float32)
    pitch = float(np.arctan2(height - 0.9, distance))
    return View(eye, pitch, 1.0, (0.0, 0.0), (1, 1), float(rng.normal(0, 0.02)))


def box_view(view: View, box: Box, rows: int) -> View:
    """Returns the view of a box that is ``rows`` pixels high."""
    focal = rows / box.height
    columns = max(8, round(box.width * focal))
    centre = (columns / 2 - box.column * focal, rows / 2 - box.row * focal)
    return View(view.eye, view.pitch, focal, centre, (rows, columns), view.roll)
