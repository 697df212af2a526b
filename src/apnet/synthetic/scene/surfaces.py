"""Colours of the ground, the front and the sky, and the objects behind a person."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.camera import LENGTH, Camera, PlacedObject
from apnet.synthetic.scene.textures import SPAN, sample_texture


def objects_behind(camera: Camera, offset: Array) -> list[PlacedObject]:
    """Returns the objects behind a person, from far to near, relative to the person.

    Args:
        camera: whose objects.
        offset: (2,) position of the person along the place and away from the camera, metres.
    """
    half = LENGTH / 2
    placed = [
        PlacedObject(
            s.object, (s.x - float(offset[0]) + half) % LENGTH - half, s.y - float(offset[1])
        )
        for s in camera.objects
    ]
    kept = (s for s in placed if 0.5 < s.y < camera.wall - float(offset[1]))
    return sorted(kept, key=lambda s: -s.y)


def surface_colors(camera: Camera, rays: Array, eye: Array, offset: Array, blocked: Array) -> Array:
    """Returns the (P, 3) colours of ground, front and sky seen along rays.

    Args:
        camera: whose scene is rendered.
        rays: (P, 3) directions in the world, y away from the camera, z up.
        eye: (3,) position of the camera relative to the person.
        offset: (2,) position of the person along the place and away from the camera, metres.
        blocked: (P,) share of direct light that objects and people keep from the ground.
    """
    wall = camera.wall - float(offset[1])
    to_front = (wall - eye[1]) / np.maximum(rays[:, 1], 1e-3)
    front = eye + rays * to_front[:, None]
    standing = (front[:, 2] > 0) & (rays[:, 1] > 0)
    colors = np.empty_like(rays)
    colors[standing] = _front_colors(camera, front[standing], offset)
    lying = ground_points(rays[~standing], eye)
    floor = _ground_colors(camera, lying, offset, blocked[~standing])
    if camera.gloss:
        mirrored = lying + (rays[~standing] * [1, 1, -1]) * (
            (wall - lying[:, 1]) / np.maximum(rays[~standing, 1], 1e-3)
        )[:, None].astype(np.float32)
        mirrored[:, 2] = np.clip(mirrored[:, 2], 0, 12)
        shine = np.float32(camera.gloss)
        floor = floor * (1 - shine) + _front_colors(camera, mirrored, offset) * shine
    colors[~standing] = floor
    depth = np.where(standing, to_front, -eye[2] / np.minimum(rays[:, 2], -1e-3))
    return camera.hazed(colors, depth)


def ground_points(rays: Array, eye: Array) -> Array:
    """Returns the (P, 3) points where (P, 3) rays meet the ground."""
    return np.asarray(eye + rays * (-eye[2] / np.minimum(rays[:, 2], -1e-4))[:, None])


def _front_colors(camera: Camera, points: Array, offset: Array) -> Array:
    """Returns the (P, 3) colours of the front, or of the sky above it, at points in its plane."""
    colors = sample_texture(camera.front, points[:, 0] + float(offset[0]), -points[:, 2])
    place = points + np.array([offset[0], offset[1], 0], dtype=np.float32)
    toward = np.broadcast_to(np.array([[0, -1, 0]], dtype=np.float32), points.shape)
    lit = camera.light.irradiance(toward, camera.light.sun_share(place))
    colors = (colors * lit).astype(np.float32)
    colors[points[:, 2] > camera.roof] = camera.air
    return colors


def _ground_colors(camera: Camera, points: Array, offset: Array, blocked: Array) -> Array:
    """Returns the (P, 3) colours of the ground at (P, 3) points."""
    place = points + np.array([offset[0], offset[1], 0], dtype=np.float32)
    c, s = np.cos(camera.turn), np.sin(camera.turn)
    x, y = place[:, 0], place[:, 1]
    colors = sample_texture(camera.ground, (c * x + s * y) % SPAN, (c * y - s * x) % SPAN)
    wet = 0.7 if camera.rain else 1.0
    reached = camera.light.sun_share(place) * (1 - blocked)
    up = np.array([[0, 0, 1.0]], dtype=np.float32)
    light = camera.light.irradiance(np.broadcast_to(up, (len(reached), 3)), reached)
    return np.asarray(colors * light * np.float32(wet))
