"""How the weights of a file differ from those that a module has."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Returns the names of weights that do not fit, by what is wrong with them.

    Args:
        wanted: the module's own weights.
        found: those of the file.

    Returns:
        ``missing``, ``unknown`` and ``of another shape``, each perhaps empty.
    """
    both = [name for name in wanted if name in found]
    return {
        "missing": [name for name in wanted if name not in found],
        "unknown": [name for name in found if name not in wanted],
        "of another shape": [name for name in both if wanted[name].shape != found[name].shape],
    }
