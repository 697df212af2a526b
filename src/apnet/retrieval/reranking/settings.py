"""Settings of k-reciprocal re-ranking."""

from __future__ import annotations

from dataclasses import dataclass

from apnet.errors import ConfigError

MOST_NEIGHBOURS = 1_000_000
"""The greatest k1 and k2."""


@dataclass(frozen=True)
class Reranking:
    """Settings of k-reciprocal re-ranking; the defaults are those of the published code.

    Attributes:
        k1: length of the neighbour lists that must be mutual, from 1 to ``MOST_NEIGHBOURS``.
        k2: number of neighbours whose vectors are averaged; 1 averages none.
        weight: lambda, the weight of the original distance, from 0 to 1.

    Raises:
        ConfigError: on construction, when a value is outside its range.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __post_init__(self) -> None:
        for name, value in (("k1", self.k1), ("k2", self.k2)):
            if not 1 <= value <= MOST_NEIGHBOURS:
                raise ConfigError(
                    f"re-ranking with {name} {value}: it must be from 1 to {MOST_NEIGHBOURS:,}"
                )
        if not 0 <= self.weight <= 1:
            raise ConfigError(f"re-ranking with lambda {self.weight}: it must be from 0 to 1")

    def __str__(self) -> str:
        return f"k-reciprocal, k1 {self.k1}, k2 {self.k2}, lambda {self.weight:g}"
