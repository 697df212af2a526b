"""Settings of k-reciprocal re-ranking."""

from __future__ import annotations

from dataclasses import dataclass

from apnet.errors import ConfigError


@dataclass(frozen=True)
class Reranking:
    """Settings of k-reciprocal re-ranking; the defaults are those of the published code.

    Attributes:
        k1: length of the neighbour lists that must be mutual, at least 1.
        k2: number of neighbours whose vectors are averaged, at least 1 (no averaging).
        weight: lambda, the weight of the original distance, from 0 to 1.

    Raises:
        ConfigError: on construction, when a value is outside its range.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 < 1:
            raise ConfigError(
                f"re-ranking with k1 {self.k1} and k2 {self.k2}: both must be at least 1"
            )
        if not 0 <= self.weight <= 1:
            raise ConfigError(f"re-ranking with lambda {self.weight}: it must be from 0 to 1")

    def __str__(self) -> str:
        return f"k-reciprocal, k1 {self.k1}, k2 {self.k2}, lambda {self.weight:g}"
