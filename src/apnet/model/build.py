"""The one place where a config becomes modules."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from torch import nn

from apnet.config import CUSTOM, NetworkConfig, parse, preset, to_dict
from apnet.errors import ConfigError, located
from apnet.model.attention import attention_named
from apnet.model.backbones.create import Backbone, create_backbone
from apnet.model.backbones.stage_cutting import released_stem
from apnet.model.baselines.pyramid_reid import pyramid_reid
from apnet.model.baselines.released import ReleasedPyramid
from apnet.model.baselines.scsn import scsn
from apnet.model.level_plan import Attention, needs_sizes
from apnet.model.network import APNet, Branch
from apnet.model.pyramid import AttentionPyramid
from apnet.model.shapes import shapes_on_zeros
from apnet.model.stages import Stage
from apnet.model.toolkits.table import toolkit_network

_SHARED_CHILDREN = 3
"""Stem, first and second stage: what the multi-part branch shares with the global one."""

_LOCAL_PARTS = 2

_UNUSED: tuple[str, ...] = ("attention", "parts", "multipart", "split", "start")
"""Settings of an APNet that the other networks of Table III do not have."""


def create_network(name: str, weights: str = "random", **changes: Any) -> APNet:
    """Builds a preset, with settings changed.

    Args:
        name: see ``apnet.config.PRESETS``.
        weights: the backbone's: ``random``, ``imagenet``, ``efficientnet-lite0`` or a file.
        **changes: fields of ``NetworkConfig``; ``attention`` may also be a factory (channels, size)
            -> ``nn.Module``, or a list of names and factories, see ``AttentionPyramid``.

    Raises:
        ConfigError: no such preset or setting, or settings that do not go together.

    Example:
        >>> create_network("apnet-c2-small", num_classes=10).feature_dim
        256
    """
    attention = changes.get("attention")
    if attention is not None:
        changes["attention"] = attention_names(attention)
    values = {**to_dict(preset(name)), **changes}
    config = parse(NetworkConfig, values, f"network '{name}'")
    return build_network(config, weights, attention=attention)


def attention_names(attention: Attention | Sequence[Attention]) -> str | tuple[str, ...]:
    """Returns what a config says of attentions: their names, ``custom`` for a factory."""
    if isinstance(attention, str):
        return attention
    if callable(attention):
        return CUSTOM
    return tuple(each if isinstance(each, str) else CUSTOM for each in attention)


def build_network(
    config: NetworkConfig,
    weights: str = "random",
    *,
    attention: Attention | Sequence[Attention] | None = None,
) -> APNet:
    """Builds the network that a config describes, in training mode on the default device.

    Args:
        config: its structure.
        weights: the backbone's initial ones: ``random``, ``imagenet``, ``efficientnet-lite0``
            (an installed package's), or a torchvision ``.pth`` or timm ``.safetensors`` file.
        attention: the attention that the config calls ``custom``.

    Raises:
        ConfigError: settings that do not go together, such as parts that do not divide; or a config
            of a network, or an attention, of one's own that is not given.
        CheckpointError: a weights file that is missing, damaged, or of another network.
        ApnetError: ImageNet weights that cannot be downloaded.
    """
    _check_complete(config, attention)
    if config.arrangement == "toolkit":
        return _toolkit(config, weights)
    compared = config.arrangement in ("pyramid-reid", "scsn")
    if compared:
        _check_compared(config)
    backbone = create_backbone(
        config.backbone,
        config.backbone_options,
        weights=weights,
        image_size=config.image_size,
        last_stride=config.last_stride,
    )
    if compared:
        network = _compared(backbone, config)
    else:
        if config.arrangement == "released":
            _attach_released(backbone, config)
        elif config.attention != "none":
            _attach_pyramids(backbone, config, config.attention if attention is None else attention)
        network = APNet(*_branches(backbone, config), config.feature)
    network.image_size = config.image_size
    return network


def _check_complete(config: NetworkConfig, attention: Any) -> None:
    """Checks that everything that the config cannot build is given, and that names exist."""
    if config.arrangement == CUSTOM:
        raise ConfigError(
            "this is a network of one's own, which a config or checkpoint does not hold; build it "
            "and give it as 'network', as in load_checkpoint(path, network=mine)"
        )
    names = config.attention if isinstance(config.attention, tuple) else (config.attention,)
    if attention is None and CUSTOM in names:
        raise ConfigError(
            "this network has an attention of one's own, which a config or checkpoint does not "
            "hold; build the network and give it as 'network', as in "
            "load_checkpoint(path, network=mine)"
        )
    for name in names:
        if name not in ("none", CUSTOM):
            attention_named(name)


def _check_compared(config: NetworkConfig) -> None:
    """Refuses what a network that is no APNet would ignore."""
    plain = NetworkConfig(attention="none", parts=())
    names = _UNUSED
    if config.arrangement == "pyramid-reid":
        names += ("feature", "reduction")
    wrong = [name for name in names if getattr(config, name) != getattr(plain, name)]
    if wrong:
        fitting = ", ".join(f"{name} = {json.dumps(getattr(plain, name))}" for name in wrong)
        raise ConfigError(
            f'arrangement = "{config.arrangement}" is a network without pyramids and does not have '
            f"the setting {' or '.join(wrong)}; give {fitting}"
        )


def _toolkit(config: NetworkConfig, weights: str) -> APNet:
    """Builds a network of another toolkit; its classifiers' logits are no feature."""
    plain = NetworkConfig(attention="none", parts=())
    unused = (*_UNUSED, "backbone_options", "last_stride", "reduction")
    wrong = [name for name in unused if getattr(config, name) != getattr(plain, name)]
    if wrong:
        raise ConfigError(
            f'arrangement = "toolkit": the network {config.backbone} is fixed and does not have '
            f'the setting {" or ".join(wrong)}; leave it out (attention = "none", parts = [])'
        )
    if weights != "random":
        raise ConfigError(
            f"weights = '{weights}': networks of other toolkits begin with a checkpoint of this "
            'package, which save_checkpoint makes of a loaded file, or with "random"'
        )
    network = toolkit_network(config.backbone, config.image_size, config.num_classes)
    network.feature = config.feature
    network.image_size = config.image_size
    return network


def _compared(backbone: Backbone, config: NetworkConfig) -> APNet:
    """Puts Pyramid ReID's or SCSN's head on a backbone."""
    if config.arrangement == "pyramid-reid":
        return pyramid_reid(backbone.body, backbone.channels, config.num_classes)
    body = backbone.body
    if not isinstance(body, nn.Sequential):
        raise ConfigError(
            f'arrangement = "scsn" needs a backbone that can be cut into stages: a ResNet, '
            f"DenseNet or Inception-V3 of timm, not '{config.backbone}'"
        )
    return scsn(body, backbone.stages, config.num_classes, config.reduction, config.feature)


def _attach_pyramids(
    backbone: Backbone, config: NetworkConfig, attention: Attention | Sequence[Attention]
) -> None:
    """Gives each of the last four stages a pyramid (multi-stage operation, section III-A)."""
    measured = needs_sizes(attention, config.split)
    sizes = _map_sizes(backbone, config.image_size) if measured else {}
    for stage in backbone.stages:
        with located(f"after {stage.name} of {config.backbone}"):
            stage.pyramid = AttentionPyramid(
                stage.channels,
                config.parts,
                attention,
                sizes.get(stage.name),
                split=config.split,
                returns=config.returns,
                start=config.start,
                reduction=config.reduction,
            )


def _map_sizes(backbone: Backbone, image_size: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Returns H and W of every stage's map by the stage's name."""
    shapes = shapes_on_zeros(backbone.body, image_size)
    places = {
        name: module for name, module in backbone.body.named_modules() if isinstance(module, Stage)
    }
    return {
        stage.name: stage.layout.dimensions(shapes.get(place) or ())[1:]
        for place, stage in places.items()
    }


def _attach_released(backbone: Backbone, config: NetworkConfig) -> None:
    """Gives the stem and the four stages a released pyramid, and takes the stem's ReLU away."""
    if config.attention != "channel":
        raise ConfigError(
            f'arrangement = "released" has channel attention only, got "{config.attention}"'
        )
    if config.split is not None or config.start is not None:
        raise ConfigError(
            'arrangement = "released" has pyramids of its own, without the settings split and '
            "start; leave them out"
        )
    stem = released_stem(backbone.body, backbone.stages[0].stride)
    for stage in (stem, *backbone.stages):
        with located(f"after {stage.name} of {config.backbone}"):
            stage.pyramid = ReleasedPyramid(stage.channels, config.parts)


def _branches(backbone: Backbone, config: NetworkConfig) -> tuple[nn.Module, list[Branch]]:
    """Returns the trunk and the branches: with the multi-part trick a second one (section IV-D)."""
    body, channels, classes = backbone.body, backbone.channels, config.num_classes
    if not config.multipart:
        return body, [Branch(nn.Identity(), channels, 1, classes)]
    if not isinstance(body, nn.Sequential):
        raise ConfigError(
            f"multipart needs a backbone that can be cut into stages: a ResNet, DenseNet or "
            f"Inception-V3 of timm, not '{config.backbone}'"
        )
    later = body[_SHARED_CHILDREN:]
    branches = [
        Branch(later, channels, 1, classes),
        Branch(copy.deepcopy(later), channels, _LOCAL_PARTS, classes),
    ]
    return body[:_SHARED_CHILDREN], branches
