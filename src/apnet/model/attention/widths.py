"""Widths of the layers inside a sub-attention."""

from __future__ import annotations

from apnet.errors import ConfigError


def narrowed(attention: str, channels: int, reduction: int) -> int:
    """Returns ``channels // reduction``, at least 1.

    Args:
        attention: its name, for the message.
        channels: c of the piece.
        reduction: how many times narrower the layer is.

    Raises:
        ConfigError: either number is below 1.
    """
    if min(channels, reduction) < 1:
        raise ConfigError(
            f"{attention} attention needs at least 1 channel and a reduction of at least 1, got "
            f"{channels} channels, reduction {reduction}"
        )
    return max(channels // reduction, 1)
