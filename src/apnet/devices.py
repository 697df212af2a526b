"""Where and in which arithmetic a network runs."""

from __future__ import annotations

import contextlib
from typing import Literal

import torch

from apnet.errors import ConfigError

Precision = Literal["float32", "bf16"]


def choose_device(name: str = "auto") -> torch.device:
    """Returns the named device, or the first GPU, or the processor.

    Raises:
        ConfigError: the name is no device or the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device '{name}' cannot be used ({reason}); try 'cpu'") from None
    return device


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


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
