"""Settings of version 0.1 under their present names, so that its recipes and runs still load."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from apnet.config.assignments import assign

RENAMED: dict[str, str] = {
    "optimisation.epochs": "epochs",
    "optimisation.rate": "optimiser.learning_rate",
    "optimisation.decay_every": "schedule.decay_every",
    "optimisation.decay_factor": "schedule.decay_factor",
    "optimisation.label_smoothing": "loss.cross-entropy.label_smoothing",
    "optimisation.triplet_margin": "loss.triplet.margin",
    "optimisation.triplet_weight": "loss.triplet.weight",
    "released_extras.warmup_epochs": "schedule.warmup_epochs",
    "released_extras.warmup_factor": "schedule.warmup_factor",
    "released_extras.weight_decay": "optimiser.weight_decay",
    "sampling.persons": "sampling.identities_per_batch",
    "sampling.images": "sampling.images_per_identity",
}
"""Old name -> present name."""


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested settings under their present names, with a warning that names the old ones.

    Args:
        values: as TOML or JSON give them; not changed.

    Raises:
        ConfigError: an old setting names a loss term that the present ones do not have.
    """
    result = {
        name: dict(value) if isinstance(value, dict) else value for name, value in values.items()
    }
    found = []
    for old, present in RENAMED.items():
        section, _, key = old.partition(".")
        node = result.get(section)
        if isinstance(node, dict) and key in node:
            found.append(old)
            assign(result, present, node.pop(key))
            if not node:
                del result[section]
    if found:
        pairs = ", ".join(f"{old} is {RENAMED[old]}" for old in found)
        warnings.warn(f"settings of version 0.1 were translated: {pairs}", stacklevel=3)
    return result
