"""How often somebody may ask: a bucket of tokens per key or address."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

_MOST = 10_000
"""Askers that are remembered; the one that has not asked for longest is forgotten first."""


class Rates:
    """Lets each asker make some requests a minute, all at once or spread.

    Args:
        per_minute: requests of one asker.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, asker: str) -> float:
        """Takes a token; returns 0, or the seconds until there is one."""
        now, speed = time.monotonic(), self._per_minute / 60
        with self._lock:
            tokens, last = self._buckets.pop(asker, (float(self._per_minute), now))
            tokens = min(tokens + (now - last) * speed, float(self._per_minute))
            taken = tokens >= 1
            self._buckets[asker] = (tokens - taken, now)
            while len(self._buckets) > _MOST:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / speed
