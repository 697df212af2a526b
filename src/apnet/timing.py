"""How long calls take."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Returns the time that a call takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
