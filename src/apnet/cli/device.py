"""The device of a command that computes with a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def prepared_device(name: str) -> torch.device:
    """Returns the device, and lets this process keep the memory that the network's maps need.

    Raises:
        ConfigError: the name is no device or the device is not there.
    """
    from apnet.devices import choose_device, keep_freed_memory

    keep_freed_memory()
    return choose_device(name)
