"""Whether to screen, and by which product: measured speeds, and a trial on some of the queries.

``auto`` screens by the product that would take the least time. A product's speed beside float32 is
measured once per process. How much a product leaves undecided depends on the features: for some
queries their float32 scores are compared with their matches' and with the product's error bound,
which costs about a hundredth of the evaluation.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from apnet.errors import ConfigError
from apnet.retrieval.ranking.bf16 import Bf16Product
from apnet.retrieval.ranking.int8 import Int8Product, int8_works
from apnet.retrieval.ranking.lines import Floats, Indices, Line
from apnet.retrieval.ranking.products import Product, Sides
from apnet.retrieval.ranking.screening import Screener, undecided
from apnet.timing import seconds

Matches = Callable[[int], Indices]
"""From a query to its matches in the gallery."""

_WORTH_WITH_TORCH = 4e9
_WORTH_A_TORCH_IMPORT = 1e12
"""Multiplications from which screening pays if torch is imported already, and if it is not: about
0.1 s and 15 s in float32."""

_FEWEST_QUERIES = 256
"""Minimum number of queries; rounding the gallery takes the time that 80 queries save."""

_LEAST_GAIN = 1.5
"""A product that is not this much faster than float32 is not considered."""

_MOST_TRIED = 16
_SAMPLED = 256
"""Queries of a trial, and gallery vectors from which its error bounds are taken."""

_HARD = 32
"""A query with more than 1/32 of the gallery undecided is left to float32, as in ``candidates``."""

_OVERHEAD = 0.1
"""What a screened query costs beyond product and open pairs, over its float32 product."""

_TIMED = (128, 1024, 512)
"""Rows, terms and columns of the products that are timed."""


class Screen(NamedTuple):
    """A way to screen.

    Attributes:
        product: made from the sides.
        gain: how many times as fast as float32 it multiplies; 0 where it does not work here.
    """

    product: Callable[[Sides], Product]
    gain: Callable[[], float]


class Scored(Protocol):
    """What a trial needs of ``Comparison``."""

    def screen(self, rows: Indices) -> np.ndarray:
        """As in ``Scorer``."""

    def refined(self, row: int, columns: Indices) -> tuple[Floats, float]:
        """As in ``Scorer``."""


def _bf16_gain() -> float:
    from apnet.devices import BF16_GAIN, bf16_gain

    gain = bf16_gain()
    return gain if gain >= BF16_GAIN else 0.0


def _int8_gain() -> float:
    """Returns the time of a float32 product over that of one of integers, in some 30 ms."""
    if not int8_works():
        return 0.0
    import torch

    rows, terms, columns = _TIMED
    wide = np.full((rows, terms), 0.5, np.float32), np.full((columns, terms), 0.5, np.float32)
    whole = [torch.ones(each.shape, dtype=torch.int8) for each in wide]
    float32 = int8 = np.inf
    for _ in range(4):
        float32 = min(float32, seconds(lambda: np.matmul(wide[0], wide[1].T)))
        int8 = min(int8, seconds(lambda: torch._int_mm(whole[0], whole[1].T)))
    return float32 / int8


SCREENS = {
    "bf16": Screen(Bf16Product, functools.cache(_bf16_gain)),
    "int8": Screen(Int8Product, functools.cache(_int8_gain)),
}
"""What ``auto`` chooses from."""


def choose_screener(
    wanted: str, sides: Sides, scored: Scored, matches: Matches | None
) -> Screener | None:
    """Returns the screener of a comparison, or ``None`` where float32 is computed throughout.

    Args:
        wanted: ``auto``: whatever is fastest, if the product is large (very large, if torch is not
            imported yet); ``numpy``: float32; ``int8``: integers on the processor; else the torch
            device that multiplies bf16.
        sides: what is compared.
        scored: by the same features.
        matches: for a trial; without them the fastest product is taken untried.

    Raises:
        ConfigError: the device is not available, or does not multiply integers.
    """
    if wanted == "numpy":
        return None
    if wanted == "auto":
        name = _fastest(sides, scored, matches) if _is_large(sides) else None
        return None if name is None else Screener(sides, SCREENS[name].product(sides))
    if wanted == "int8":
        if not int8_works():
            raise ConfigError("device 'int8': torch multiplies no integers here; try 'numpy'")
        return Screener(sides, Int8Product(sides))
    from apnet.devices import choose_device

    return Screener(sides, Bf16Product(sides, str(choose_device(wanted))))


def _is_large(sides: Sides) -> bool:
    loaded = "torch" in sys.modules
    queries = len(sides.query)
    least = _WORTH_WITH_TORCH if loaded else _WORTH_A_TORCH_IMPORT
    if queries < _FEWEST_QUERIES or float(queries) * sides.gallery.size < least:
        return False
    return loaded or importlib.util.find_spec("torch") is not None


def _fastest(sides: Sides, scored: Scored, matches: Matches | None) -> str | None:
    """Returns the screen whose queries cost least, if that is less than float32's 1."""
    gains = {name: screen.gain() for name, screen in SCREENS.items()}
    able = {name: gain for name, gain in gains.items() if gain >= _LEAST_GAIN}
    if not able:
        return None
    if matches is None:
        return max(able, key=lambda name: able[name])
    tried = _tried(len(sides.query), matches)
    if not len(tried):
        return None
    costs = _costs(sides, scored, matches, tried, able)
    name = min(costs, key=lambda each: costs[each])
    return name if costs[name] < 1 else None


def _tried(queries: int, matches: Matches) -> Indices:
    """Returns queries that have a match, spread evenly, ascending."""
    count = min(_MOST_TRIED, max(1, queries // 64))
    rows = np.unique(np.linspace(0, queries - 1, count).astype(np.int64))
    return np.array([row for row in rows.tolist() if len(matches(row))], dtype=np.int64)


def _costs(
    sides: Sides, scored: Scored, matches: Matches, rows: Indices, gains: dict[str, float]
) -> dict[str, float]:
    """Returns the mean time of a query by each screen, over that in float32."""
    scored.screen(rows[:1])  # loads what the library needs
    start = time.perf_counter()
    scores = scored.screen(rows)  # (B, G)
    taken = (time.perf_counter() - start) / len(rows)
    images = scores.shape[1]
    some = np.unique(np.linspace(0, images - 1, _SAMPLED).astype(np.int64))
    pair = seconds(lambda: scored.refined(int(rows[0]), some)) / len(some) / taken
    sample = sides.some(_SAMPLED)
    costs = {}
    for name, gain in gains.items():
        lines = Screener(sample, SCREENS[name].product(sample)).lines(rows)
        screened = 1 / gain + _OVERHEAD
        each = []
        for place, row in enumerate(rows.tolist()):
            bound = lines[place]
            line = Line(scores[place], bound.absolute, bound.relative)
            found = matches(row)
            reached = line.values[found].astype(np.float64)
            line.values[found] = -np.inf
            open_pairs = int(undecided(line, line.values.astype(np.float64), reached, 0.0).sum())
            hard = _HARD * open_pairs > images
            each.append(screened + (1.0 if hard else (open_pairs + len(found)) * pair))
            line.values[found] = reached
        costs[name] = float(np.mean(each))
    return costs
