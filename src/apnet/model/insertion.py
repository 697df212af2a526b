"""Attention pyramids in anybody's network, put in place and taken out again (plug and play)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Literal

from torch import nn

from apnet.errors import ConfigError, located
from apnet.model.level_plan import Attention
from apnet.model.levels import Returns, Start
from apnet.model.pyramid import AttentionPyramid
from apnet.model.shapes import Shape, shapes_on_zeros
from apnet.model.splits import Split
from apnet.model.stages import MapLayout, Stage


def insert_pyramids(
    network: nn.Module,
    after: Sequence[str],
    image_size: tuple[int, int],
    *,
    parts: Sequence[int] = (1, 2),
    attention: Attention | Sequence[Attention] = "channel",
    split: str | Split | Sequence[str | Split] | None = None,
    returns: Returns | Sequence[Returns] = "logits",
    start: Start | Sequence[Start] | None = None,
    reduction: int = 16,
    layout: Literal["NCHW", "NHWC"] = "NCHW",
) -> tuple[AttentionPyramid, ...]:
    """Puts an attention pyramid after submodules of a network, in place.

    Each submodule is wrapped: the weight ``layer1.x`` is called ``layer1.body.x`` afterwards. Maps'
    channels and sizes are measured by one run on zeros that leaves no trace. When an error is
    raised the network is as it was.

    Args:
        network: takes (N, 3, H, W).
        after: submodule names as ``named_modules`` gives them, such as ``["layer1", "layer2"]``.
        image_size: H and W in pixels; a spatial pyramid fits this size only.
        parts: parts per level, coarse to fine.
        attention: a name, a factory, or a list of one for each level, see ``AttentionPyramid``.
        split: the axis that is cut, likewise.
        returns: what a factory's modules return, likewise.
        start: how gates begin, likewise.
        reduction: of a channel sub-attention.
        layout: of the submodules' outputs.

    Returns:
        The pyramids in the order of ``after``, each in the mode of the submodule before it, on the
        network's device and of its type.

    Raises:
        ConfigError: a name that is unknown, given twice or wrapped already, an output that is no
            map, or parts that do not divide.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU())
        >>> pyramids = insert_pyramids(network, ["1"], (32, 16))
        >>> remove_pyramids(network)
        ('1',)
    """
    _check_names(network, after)
    shapes = shapes_on_zeros(network, image_size)
    like = next(network.parameters(), None)
    pyramids, stages = [], []
    for name in after:
        channels, height, width = _dimensions(name, shapes.get(name), MapLayout(layout))
        with located(f"after {name}"):
            pyramid = AttentionPyramid(
                channels,
                parts,
                attention,
                (height, width),
                split=split,
                returns=returns,
                start=start,
                reduction=reduction,
            )
        if like is not None:
            pyramid = pyramid.to(like.device, like.dtype)
        stride = round(image_size[0] / height)
        stage = Stage(name, network.get_submodule(name), channels, stride, MapLayout(layout))
        stage.training = stage.body.training
        stage.pyramid = pyramid.train(stage.training)
        pyramids.append(pyramid)
        stages.append(stage)
    for name, stage in sorted(zip(after, stages, strict=True), reverse=True):  # inner before outer
        network.set_submodule(name, stage)
    return tuple(pyramids)


def remove_pyramids(network: nn.Module) -> tuple[str, ...]:
    """Undoes ``insert_pyramids``: the network is what it was, with the weights it has now.

    Returns:
        The names of the submodules that were freed, in the network's order; none is no error.
    """
    places = {name: stage for name, stage in network.named_modules() if isinstance(stage, Stage)}
    for name, stage in reversed(places.items()):  # inner before outer
        network.set_submodule(name, stage.body)
    return tuple(stage.name for stage in places.values())


def _check_names(network: nn.Module, after: Sequence[str]) -> None:
    modules = dict(network.named_modules())
    if not after or len(set(after)) < len(after):
        raise ConfigError(f"'after' names at least one submodule, each once, got {list(after)}")
    for name in after:
        if not name or name not in modules:
            close = difflib.get_close_matches(name, modules, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else "see named_modules()"
            raise ConfigError(f"the network has no submodule '{name}'; {hint}")
        if isinstance(modules[name], Stage):
            raise ConfigError(
                f"'{name}' has a pyramid already; take it out with remove_pyramids first"
            )


def _dimensions(name: str, shape: Shape | None, layout: MapLayout) -> tuple[int, int, int]:
    if shape is None or len(shape) != 4:
        got = "no tensor, or nothing as it did not run" if shape is None else f"shape {shape}"
        raise ConfigError(
            f"a pyramid needs a map of four dimensions, but '{name}' gave {got}; name a submodule "
            "whose output is one"
        )
    return layout.dimensions(shape)
