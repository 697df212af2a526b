"""Where and in which arithmetic a network runs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import Literal

import torch

from apnet.errors import ConfigError

Precision = Literal["float32", "bf16"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of ``mallopt``, from malloc.h."""


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Returns the named device, or the first GPU, or the processor.

    Args:
        name: ``auto``, ``cpu``, ``cuda:1``, ..., or a device of torch's.

    Raises:
        TypeError: it is neither a text nor a device.
        ConfigError: the name is no device or the device is not there.
    """
    if not isinstance(name, str | torch.device):
        raise TypeError(
            f"device must be a text such as 'cpu' or 'cuda:0', or a torch.device; got {name!r}"
        )
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device '{name}' cannot be used ({reason}); try 'cpu'") from None
    return device


def keep_freed_memory() -> None:
    """Lets this process keep the memory it frees, for the next map of the same size.

    glibc gives maps of more than 32 MiB back to the system, which then zeroes every page of the
    next one: nearly half of a float32 network's time on a processor (ADR 69). The most that is held
    at a time stays about the same; it is given back when the process ends. Does nothing on other
    systems, or where the environment already chose (``MALLOC_*``).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
        mallopt(option, 2**31 - 1)


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """Resolves ``auto``: bf16 where the device multiplies it natively, else float32."""
    if wanted == "bf16":
        return "bf16"
    if wanted == "auto" and _multiplies_bf16(device):
        return "bf16"
    return "float32"


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Returns the context in which the network's forward pass runs."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Returns a context in which operations keep to their inputs' type."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
