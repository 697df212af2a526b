"""What can be configured, as validated dataclasses; read from TOML, written into run folders.

Config objects stop at the command line, the checkpoints and the training loop: the modules of the
network take plain keywords.
"""

from apnet.config.assignments import override
from apnet.config.network import CUSTOM, NetworkConfig
from apnet.config.presets import PRESETS, preset
from apnet.config.reading import parse, read_toml, to_dict
from apnet.config.recipe import (
    Augmentation,
    LossConfig,
    OptimiserConfig,
    Recipe,
    Sampling,
    ScheduleConfig,
)
from apnet.config.renamed import RENAMED, renamed

__all__ = [
    "CUSTOM",
    "PRESETS",
    "RENAMED",
    "Augmentation",
    "LossConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "Recipe",
    "Sampling",
    "ScheduleConfig",
    "override",
    "parse",
    "preset",
    "read_toml",
    "renamed",
    "to_dict",
]
