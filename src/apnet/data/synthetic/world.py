"""How hard a set of synthetic people is, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """The settings that make people alike and cameras unlike; shares are from 0 to 1."""

    group_sizes: tuple[float, ...] = (0.35, 0.4, 0.25)
    """Shares of groups of one, two, three ... people who share all coarse cues."""

    fine_cues: tuple[int, int] = (1, 2)
    """Least and most fine cues in which a twin differs from the first of the group."""

    warmth: float = 0.05
    """Standard deviation of a camera's red gain against its blue one."""

    tint: float = 0.02
    """Standard deviation of a camera's green gain."""

    exposure: tuple[float, float] = (0.85, 1.15)
    """Least and greatest mean gain of a camera."""

    flicker: float = 0.08
    """Standard deviation of an image's gain around its camera's."""

    ambient: tuple[float, float] = (0.45, 0.75)
    """Least and greatest share of light without direction."""

    blur: tuple[float, float] = (0.2, 0.9)
    """Least and greatest blur, standard deviation in pixels of an image 256 pixels high."""

    noise: tuple[float, float] = (1.0, 5.0)
    """Least and greatest sensor noise, standard deviation in grey levels."""

    obstacles: float = 0.08
    """Share of images with street furniture in front."""

    passers_by: float = 0.22
    """Share of images with another person beside; a third of those stand in front."""


WORLD = World()
"""What ``make_people`` uses."""
