"""How long jobs tell how far they are, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total) as work proceeds."""


def silent(done: int, total: int) -> None:
    """Listens to nothing."""
