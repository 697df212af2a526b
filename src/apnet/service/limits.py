"""What one request, and all of them together, may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a service.

    Attributes:
        body_bytes: of one request.
        pixels: of one picture.
        pictures: in one request, boxes of a frame included.
        requests_per_minute: of one key, or of one address where there are no keys.
        concurrent: requests that are worked on at once; more are told to come back.
        seconds: for one request, reading its body included.
        batch: pictures that go through the network together.
        batch_wait: seconds that a picture waits for others.
    """

    body_bytes: int = 16 * 2**20
    pixels: int = 16_000_000
    pictures: int = 64
    requests_per_minute: int = 1_200
    concurrent: int = 32
    seconds: float = 30.0
    batch: int = 32
    batch_wait: float = 0.005
