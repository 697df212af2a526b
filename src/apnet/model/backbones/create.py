"""Any timm backbone as a map-to-map body with four stages that a pyramid can follow (Table V)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError, located
from apnet.files import shortened
from apnet.model.backbones.lite_network import LITE_SCALES, EfficientNetLite
from apnet.model.backbones.stage_cutting import cut
from apnet.model.backbones.weights import (
    download_failure,
    imagenet_name,
    load_backbone_weights,
    pretrained_facts,
)
from apnet.model.fast.depthwise import train_depthwise_in_float32
from apnet.model.shapes import Shape, shapes_on_zeros
from apnet.model.stages import NCHW, MapLayout, Stage

_PYRAMIDS = 4
_OURS = frozenset(
    {
        "cache_dir",
        "checkpoint_path",
        "features_only",
        "num_classes",
        "out_indices",
        "pretrained",
        "pretrained_cfg",
        "pretrained_cfg_overlay",
    }
)
"""timm keywords that this package sets itself, or that would load files a config names."""


@dataclass(frozen=True)
class Backbone:
    """A feature extractor.

    Attributes:
        body: (N, 3, H, W) to (N, channels, h, w); a cut one is an ``nn.Sequential`` of the stem
            and the stages.
        stages: the last four stages inside ``body``, first to last.
        channels: C of the final map.
    """

    body: nn.Module
    stages: tuple[Stage, ...]
    channels: int


def create_backbone(
    name: str = "resnet50",
    options: Mapping[str, Any] | None = None,
    *,
    weights: str = "random",
    image_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
) -> Backbone:
    """Builds a backbone from its timm name.

    EfficientNet-Lite is this package's own (``lite_network``), with timm's names and results.
    ResNets, DenseNets and Inception-V3 are cut into stages and get the last stride asked for. Any
    other timm model keeps its own strides and runs whole, with its stages wrapped where they are.

    Args:
        name: a timm model name, with or without a weights tag.
        options: keywords for ``timm.create_model``.
        weights: ``random``, ``imagenet``, ``efficientnet-lite0``, or the path of a file.
        image_size: H and W in pixels; transformers are built for it.
        last_stride: 1 (the paper) or 2, of the last stage of a cut backbone.

    Raises:
        ConfigError: an unknown name or option, or a model without feature stages.
        CheckpointError: a weights file that is missing, damaged, or of another network.
        ApnetError: ImageNet weights that cannot be downloaded.
    """
    given = dict(options or {})
    own = name in LITE_SCALES and not given  # options are timm's
    model = _create_lite(name, weights) if own else _create(name, given, weights, image_size)
    if weights not in ("random", "imagenet"):
        load_backbone_weights(model, weights)
    train_depthwise_in_float32(model)
    body = None if own else cut(model, last_stride)
    if body is not None:
        stages = tuple(child for child in body if isinstance(child, Stage))
        return Backbone(body, stages, stages[-1].channels)
    return _wrapped(name, model, image_size)


class WholeModel(nn.Module):
    """A timm model without its head, which returns its final map as (N, C, H, W).

    Args:
        model: the timm model.
        layout: of what its ``forward_features`` returns.
    """

    def __init__(self, model: nn.Module, layout: MapLayout) -> None:
        super().__init__()
        self.model = model
        self.layout = layout

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, C, h, w)."""
        features: Any = self.model.forward_features  # type: ignore[operator,unused-ignore]
        return self.layout.to_map(features(images))


def _create_lite(name: str, weights: str) -> nn.Module:
    model = EfficientNetLite(*LITE_SCALES[name])
    if weights == "imagenet":
        with torch.random.fork_rng(devices=()):  # what comes after draws the same numbers
            model.load_state_dict(_create(name, {}, weights, (0, 0)).state_dict())
    return model


def _create(
    name: str, options: dict[str, Any], weights: str, image_size: tuple[int, int]
) -> nn.Module:
    import timm

    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "timm.list_models() has them all"
        raise ConfigError(f"there is no backbone '{name}' in timm {timm.__version__}; {hint}")
    if reserved := sorted(_OURS & options.keys()):
        raise ConfigError(
            f"backbone_options may not set {', '.join(reserved)}; use 'weights' and the other "
            "settings of the network instead"
        )
    pretrained = weights == "imagenet"
    full = imagenet_name(name) if pretrained else name
    if getattr(pretrained_facts(full), "fixed_input_size", False):
        options.setdefault("img_size", image_size)
    try:
        model: nn.Module = timm.create_model(full, pretrained=pretrained, num_classes=0, **options)
    except Exception as error:  # neither timm's constructors nor its downloads have a common error
        if pretrained and not isinstance(error, TypeError):
            raise download_failure(full, error) from error
        raise ConfigError(
            f"timm cannot build '{name}' with backbone_options {options} "
            f"({shortened(str(error), 120)}); give options that it takes"
        ) from error
    return model


def _wrapped(name: str, model: Any, image_size: tuple[int, int]) -> Backbone:
    """Wraps the last four feature stages of a model where they are."""
    facts = _last_stages(name, model)
    shapes = shapes_on_zeros(WholeModel(model, NCHW), image_size)
    stages = []
    for fact in facts:
        place, stride = fact["module"], fact["reduction"]
        with located(f"backbone '{name}' after {place}"):
            shape = shapes.get(f"model.{place}")
            layout = _layout(model, shape, (image_size[0] // stride, image_size[1] // stride))
        channels = layout.dimensions(shape or ())[0]
        stages.append(Stage(place, model.get_submodule(place), channels, stride, layout))
        model.set_submodule(place, stages[-1])
    grid = (image_size[0] // stride, image_size[1] // stride)
    with located(f"backbone '{name}' at its end"):
        layout = _layout(model, shapes[""], grid)
    _drop_idle(model, shapes)
    channels = layout.dimensions(shapes[""] or ())[0]
    return Backbone(WholeModel(model, layout), tuple(stages), channels)


def _last_stages(name: str, model: Any) -> list[dict[str, Any]]:
    """Returns what timm says about the last four stages; a plain ViT has quarters."""
    info = getattr(model, "feature_info", None) or []
    facts: list[dict[str, Any]] = list(info if isinstance(info, list) else info.info)
    present = {place for place, _ in model.named_modules()}
    if not facts or any(fact["module"] not in present for fact in facts[-_PYRAMIDS:]):
        raise ConfigError(
            f"backbone '{name}' has no feature stages that a pyramid could follow; choose another"
        )
    if len(facts) > _PYRAMIDS and len({fact["reduction"] for fact in facts}) == 1:
        return [facts[len(facts) * quarter // _PYRAMIDS - 1] for quarter in range(1, 1 + _PYRAMIDS)]
    return facts[-_PYRAMIDS:]


def _layout(model: Any, shape: Shape | None, grid: tuple[int, int]) -> MapLayout:
    """Finds out how an output holds its map; ``grid`` is the map's expected height and width."""
    if shape is not None and len(shape) == 4:
        return MapLayout(getattr(model, "output_fmt", "NCHW"))
    prefix = getattr(model, "num_prefix_tokens", 0)
    rows_are_kept = not hasattr(model, "reroll")  # Hiera keeps its tokens window by window
    tokens = shape[1] if shape is not None and len(shape) == 3 else 0
    if rows_are_kept and tokens == prefix + grid[0] * grid[1]:
        return MapLayout("NLC", prefix, grid)
    raise ConfigError(
        f"an output of shape {shape}, which is no map of {grid[0]}x{grid[1]} in rows; choose "
        "another backbone or image_size"
    )


def _drop_idle(model: nn.Module, shapes: Mapping[str, Any]) -> None:
    """Removes children that the features do not need, such as a head's own layers."""
    ran = {name.split(".")[1] for name in shapes if name.count(".")}
    for name, child in list(model.named_children()):
        if name not in ran and any(True for _ in child.parameters()):
            setattr(model, name, nn.Identity())
