"""Horizontal stripes of a final map, for the networks that the paper compares itself with."""

from __future__ import annotations

from torch import Tensor, nn

from apnet.errors import ConfigError


def check_rows(rows: int, stripes: int) -> None:
    """Checks that every stripe has a row of its own.

    Raises:
        ConfigError: the map has fewer rows than stripes.
    """
    if rows < stripes:
        raise ConfigError(
            f"this network cuts its last map into {stripes} stripes, got {rows} rows; give images "
            "of a greater height"
        )


class NoPositions(nn.Module):
    """Stands where a branch has its further stages, and says why there is no map behind it."""

    def forward(self, x: Tensor) -> Tensor:
        """Refuses.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "this network's features are not averages over positions, so a similarity cannot be "
            "taken apart position by position; take a network whose arrangement is 'paper' or "
            "'released'"
        )
