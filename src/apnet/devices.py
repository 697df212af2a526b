"""Where and in which arithmetic a network runs."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
import sys
from typing import Literal

import torch

from apnet.errors import ConfigError
from apnet.files import shortened
from apnet.timing import seconds

Precision = Literal["float32", "bf16"]

BF16_GAIN = 1.5
"""How many times as fast as float32 a matrix product in bf16 must be for ``auto`` to choose it."""

_TIMED = ((64, 256, 64), (256, 1024, 512))
"""Rows, terms and columns of the products that are timed: some 20 and 3,000 microseconds of one
core in float32. The second is not timed where the first takes four times as long in bf16."""

_TIMED_RUNS = 5

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
    usable = usable_devices()
    try:
        device = torch.device(name)
    except (RuntimeError, ValueError):
        device = None
    kinds = {each.type for each in usable}
    there = device in usable or (device is not None and device.index in (None, 0))
    if device is None or device.type not in kinds or not there:
        raise ConfigError(
            f"device '{shortened(str(name))}' cannot be used here; usable are auto, "
            f"{', '.join(map(str, usable))}"
        )
    return device


def usable_devices() -> list[torch.device]:
    """Returns the devices of this machine on which networks run, the processor first."""
    found = [torch.device("cpu")]
    found += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(torch.device("mps"))
    return found


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
    """Resolves ``auto``: bf16 where the device gains from it, else float32.

    A processor gains where a small matrix product in bf16 takes at most 1 / ``BF16_GAIN`` of the
    time in float32; that is measured once per process, in some milliseconds. A GPU gains where it
    multiplies bf16 natively. Whether a network's results agree is another question
    (``apnet.embedding.precision``).
    """
    if wanted == "bf16":
        return "bf16"
    if wanted == "auto" and _gains_from_bf16(device.type):
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


@functools.cache
def _gains_from_bf16(kind: str) -> bool:
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and bf16_gain() >= BF16_GAIN


@functools.cache
def bf16_gain() -> float:
    """Returns a float32 matrix product's time over that in bf16, on the processor.

    Measured once per process, in some 30 ms, or 5 ms where bf16 is slow.
    """
    for size in _TIMED:
        gain = _gain(*size)
        if gain < 0.25:
            break
    return gain


def _gain(rows: int, terms: int, columns: int) -> float:
    """Times products of both types in turns; the fastest run of each counts."""
    wide = torch.full((rows, terms), 0.5), torch.full((terms, columns), 0.5)
    narrow = wide[0].bfloat16(), wide[1].bfloat16()
    float32 = bf16 = math.inf
    with torch.inference_mode():
        for pair in (wide, narrow):
            torch.mm(*pair)  # loads what the library needs
        for _ in range(_TIMED_RUNS):
            float32 = min(float32, seconds(lambda: torch.mm(*wide)))
            bf16 = min(bf16, seconds(lambda: torch.mm(*narrow)))
    return float32 / bf16
