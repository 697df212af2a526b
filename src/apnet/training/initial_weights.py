"""Where a network begins: backbone weights, or everything that fits of a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from apnet.arguments import as_path
from apnet.checkpoints import Checkpoint, load_checkpoint, read_tensors
from apnet.config import NetworkConfig
from apnet.errors import CheckpointError
from apnet.files import is_file, is_folder
from apnet.model import APNet, build_network
from apnet.shipped import SHIPPED, default_checkpoint

SHIPPED_NAME = "shipped"
"""What ``weights`` says to mean the network that comes with the package."""

_SHOWN = 3


@dataclass(frozen=True)
class Transfer:
    """What a network took over from a checkpoint.

    Attributes:
        source: the checkpoint.
        taken: tensors taken over.
        fresh: names of the network's tensors that begin anew: classifiers, and what did not fit.
        unused: names of the checkpoint's tensors that have no place; classifiers are not counted.
    """

    source: str
    taken: int
    fresh: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"began with {self.taken} tensors of {self.source}; new: {_listed(self.fresh)}; "
            f"without a place: {_listed(self.unused)}"
        )


def trained_file(weights: str) -> Path | None:
    """Returns the checkpoint of this package that ``weights`` means; ``None`` where it means none.

    Args:
        weights: a recipe's setting.

    Raises:
        CheckpointError: a folder that is no run folder.
    """
    if weights == SHIPPED_NAME:
        return Path(str(SHIPPED))
    path = as_path(weights, "weights")
    if is_folder(path):
        if not is_file(path / "last.safetensors"):
            raise CheckpointError(
                f"weights = '{weights}': a folder without last.safetensors; give a run folder, or "
                "a weights file"
            )
        return path / "last.safetensors"
    return path if path.suffix == ".safetensors" and _is_ours(path) else None


def trained_config(weights: str) -> NetworkConfig:
    """Returns the structure of the trained network that ``weights`` means, without classifier.

    Raises:
        CheckpointError: it means none, or the checkpoint is damaged.
    """
    return _trained(weights).config


def begin_network(
    config: NetworkConfig, weights: str, network: APNet | None = None
) -> tuple[APNet, Transfer | None]:
    """Returns the network that training begins with, on the CPU.

    Args:
        config: its structure.
        weights: see ``Recipe.weights``.
        network: a network of one's own in place of the config's; its weights are those that it
            has unless ``weights`` means a trained network, and it is given classifiers.

    Returns:
        The network, and what it took over where ``weights`` means a trained network.

    Raises:
        ConfigError: the config does not fit together.
        CheckpointError: the weights are missing or damaged, or nothing of them fits.
    """
    trained = trained_file(weights)
    if network is None:
        network = build_network(config, "random" if trained else weights)
    elif network.num_classes != config.num_classes:
        network.set_classes(config.num_classes)
    return network, transfer(network, trained, weights) if trained else None


def transfer(network: APNet, path: Path, name: str | None = None) -> Transfer:
    """Gives a network every tensor of a checkpoint that has its name and shape, but classifiers.

    Args:
        network: is changed.
        path: the checkpoint.
        name: what to call it in the report.

    Raises:
        CheckpointError: the file is damaged, or nothing of it fits.
    """
    tensors, _ = read_tensors(path)
    own = network.state_dict()
    given = {key: value for key, value in tensors.items() if not _is_classifier(key)}
    fitting = {
        key: value for key, value in given.items() if key in own and own[key].shape == value.shape
    }
    if not any(value.is_floating_point() for value in fitting.values()):  # counters fit any network
        raise CheckpointError(
            f"{path}: none of its {len(given)} tensors fits this network; choose the preset that "
            "it was trained with, or preset = 'weights' for the network that it holds"
        )
    network.load_state_dict(fitting, strict=False)  # strict but for what is reported
    return Transfer(
        name or str(path),
        len(fitting),
        tuple(key for key in own if key not in fitting),
        tuple(key for key in given if key not in fitting),
    )


def _trained(weights: str) -> Checkpoint:
    path = trained_file(weights)
    if path is None:
        raise CheckpointError(
            f"weights = '{weights}' holds no network of this package; give 'shipped', a run folder "
            "or a checkpoint, or name a preset"
        )
    return default_checkpoint() if weights == SHIPPED_NAME else load_checkpoint(path)


def _is_ours(path: Path) -> bool:
    try:
        with safe_open(path, framework="pt") as opened:
            return "apnet" in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False


def _is_classifier(name: str) -> bool:
    return ".classifier." in name


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
