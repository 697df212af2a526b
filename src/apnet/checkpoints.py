"""A checkpoint is one safetensors file: weights, and in its header the config that rebuilds them.

Loading runs no code from the file, and needs nothing beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from typing_extensions import NotRequired, TypedDict

from apnet._version import __version__
from apnet.arguments import AnyPath, as_path
from apnet.config import CUSTOM, NetworkConfig, parse, to_dict
from apnet.display import summarised
from apnet.errors import ApnetError, CheckpointError, ConfigError, DataError
from apnet.files import (
    atomic_write,
    is_file,
    is_folder,
    kind_of_file,
    open_form,
    parse_json,
    shortened,
)
from apnet.model import APNet, build_network
from apnet.model.state import differences

_KEY = "apnet"
_REMEDY = "take another copy or an earlier checkpoint"
_FORMAT = 1
_SINCE_0_1 = ("split", "returns", "start")


@open_form
class _Header(TypedDict):
    """The JSON text in the metadata of a safetensors file of this package."""

    format: NotRequired[int]
    network: NotRequired[dict[str, Any]]
    facts: NotRequired[dict[str, Any]]


@summarised
@dataclass(frozen=True, repr=False)
class Checkpoint:
    """A network with the config that built it.

    Attributes:
        network: in evaluation mode, on the CPU.
        config: its structure.
        fingerprint: 16 hex digits of the sha256 over config and weights.
        path: where it came from.
        facts: what the writer noted: epoch, data set, seed.
    """

    network: APNet
    config: NetworkConfig
    fingerprint: str
    path: Path
    facts: Mapping[str, Any]

    def _rows(self) -> dict[str, object]:
        shown = ("backbone", "attention", "parts", "image_size")
        rows = {name: getattr(self.config, name) for name in shown}
        return {"path": self.path, "fingerprint": self.fingerprint, **rows, "facts": self.facts}


def save_checkpoint(
    path: AnyPath,
    network: APNet,
    config: NetworkConfig,
    facts: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Writes weights and config atomically.

    Args:
        path: where to; an existing file is replaced.
        network: its weights are written.
        config: its structure.
        facts: what ``Checkpoint.facts`` shall hold, as JSON.
        half: store weights of two dimensions and more as float16, in half the space; loading gives
            float32 again, rounded to 11 bits. Vectors, such as batch norm's, stay as they are.

    Raises:
        DataError: the file cannot be written; what was there before is untouched.
        CheckpointError: a weight is not finite, or too large, in float16.
    """
    header = {"format": _FORMAT, "version": __version__, "network": to_dict(config)}
    tensors = network.state_dict()
    if half:
        tensors = {name: _halved(name, tensor) for name, tensor in tensors.items()}
    write_tensors(as_path(path, "path"), tensors, {**header, "facts": dict(facts)})


def load_checkpoint(path: AnyPath, *, network: APNet | None = None) -> Checkpoint:
    """Rebuilds the network that a file, or a run folder's ``last.safetensors``, holds.

    Args:
        path: the file or folder.
        network: a network of one's own, or with an attention of one's own, that the weights belong
            to: it is given them, and classifiers of the checkpoint's number of identities. The
            checkpoint names built-in parts only and never imports code.

    Raises:
        CheckpointError: missing, damaged, not written by this package, not fitting its config or
            the network; or it needs a network that was not given.
    """
    path = as_path(path, "path")
    if is_folder(path):
        path = path / "last.safetensors"
    tensors, header = read_tensors(path)
    if header.get("format", 0) > _FORMAT:
        raise CheckpointError(
            f"{path}: written by a newer version of apnet ({header.get('version')}); update apnet"
        )
    if header.get("format") != _FORMAT or "network" not in header:
        raise CheckpointError(
            f"{path}: not a network checkpoint of this package's format {_FORMAT}; "
            "point to a run folder or its last.safetensors"
        )
    try:
        config = parse(NetworkConfig, header["network"], str(path))
        _check_classes(config, tensors)
        if network is None:
            network = build_network(config)
        elif network.num_classes != config.num_classes:
            network.set_classes(config.num_classes)
    except ApnetError as error:
        text = str(error).removeprefix(f"{path}: ")
        raise CheckpointError(f"{path}: {shortened(' '.join(text.split()), 240)}") from None
    load_weights(network, tensors, f"{path}: weights and network do not fit")
    return Checkpoint(
        network.eval(), config, fingerprint(network, config), path, header.get("facts", {})
    )


def network_checkpoint(network: APNet, image_size: tuple[int, int] | None = None) -> Checkpoint:
    """Returns a checkpoint of a bare network, with a config that cannot rebuild it.

    Args:
        network: is put in evaluation mode.
        image_size: height and width in pixels, where the network does not know them.

    Raises:
        ConfigError: nobody says the image size.
    """
    size = image_size or network.image_size
    if size is None:
        raise ConfigError(
            "this network does not say its image size; give image_size=(height, width)"
        )
    config = NetworkConfig(
        attention=CUSTOM, arrangement=CUSTOM, image_size=size, feature=network.feature
    )
    return Checkpoint(network.eval(), config, fingerprint(network, config), Path("network"), {})


def _unreadable(path: Path, error: Exception) -> str:
    kind = kind_of_file(path)
    if kind is None:
        return f"{path}: damaged, or no safetensors file ({shortened(str(error))}); {_REMEDY}"
    if ";" in kind:
        return f"{path}: {kind}"
    return (
        f"{path}: {kind}, and no checkpoint of this package; start a training from such weights "
        "with --set weights=FILE, or evaluate that network's features with 'apnet score'"
    )


def _check_classes(config: NetworkConfig, tensors: Mapping[str, Tensor]) -> None:
    """Refuses a number of classes that no weight has, before a classifier of it is made."""
    sizes = {tensor.shape[0] for tensor in tensors.values() if tensor.ndim == 2}
    if config.num_classes and config.num_classes not in sizes:
        raise CheckpointError(
            f"weights and network do not fit: its config has {config.num_classes} classes, and no "
            "weight is of this size; take another copy"
        )


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], problem: str) -> None:
    """Loads weights into a module of the same structure.

    Args:
        module: changed in place, and unchanged after an error.
        tensors: its state.
        problem: what to say before the differences.

    Raises:
        CheckpointError: names are missing or unknown, or a shape differs.
    """
    found = [
        f"{len(names):,} {what} (the first: {shortened(names[0])})"
        for what, names in differences(module.state_dict(), tensors).items()
        if names
    ]
    if found:
        raise CheckpointError(f"{problem}: {', '.join(found)}; take the file of the same network")
    module.load_state_dict(tensors)


def _halved(name: str, tensor: Tensor) -> Tensor:
    """Returns float16 for floating-point matrices and filters, and others as they are."""
    if not tensor.is_floating_point() or tensor.ndim < 2:
        return tensor
    halved = tensor.half()
    if not halved.isfinite().all():
        largest = tensor.abs().max().item()
        raise CheckpointError(
            f"'{name}' holds {largest:g}, float16 ends at {torch.finfo(torch.float16).max:g}; "
            "save this network in full precision"
        )
    return halved


def fingerprint(network: APNet, config: NetworkConfig) -> str:
    """Returns 16 hex digits of the sha256 over the config and every weight in float32 order.

    Settings that version 0.1 did not have count only where they differ from their defaults, so
    that its checkpoints keep their fingerprints.
    """
    defaults = to_dict(NetworkConfig())
    settings = {
        name: value
        for name, value in to_dict(config).items()
        if name not in _SINCE_0_1 or value != defaults[name]
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Writes tensors and a JSON header into one safetensors file, atomically.

    Raises:
        DataError: the file cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_write(path) as part:
        try:
            save_file(plain, part, metadata={_KEY: json.dumps(dict(header))})
        except SafetensorError as error:  # its wrapper of an operating-system error
            raise OSError(None, str(error)) from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads what ``write_tensors`` wrote.

    Raises:
        CheckpointError: the file is missing or damaged, or holds no header of ours.
    """
    if not is_file(path):
        raise CheckpointError(
            f"{path}: no such checkpoint; name a run folder or a .safetensors file"
        )
    try:
        with safe_open(path, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(_unreadable(path, error)) from None
    if text is None:
        raise CheckpointError(
            f"{path}: a safetensors file, but not one that this package wrote; for ImageNet or "
            "other backbone weights use the recipe's 'weights' setting"
        )
    try:
        header = dict(parse_json(text, _Header, f"{path}: its header", _REMEDY))
    except DataError as error:
        raise CheckpointError(str(error)) from None
    return {name: torch.clone(tensor) for name, tensor in tensors.items()}, header
