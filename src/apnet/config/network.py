"""The structure of a network as a validated dataclass; every checkpoint holds one."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")

Arrangement = Literal["paper", "released", "pyramid-reid", "scsn", "toolkit", "custom"]
Feature = Literal["bn", "pooled", "logits"]
Returns = Literal["logits", "map"]
Start = Literal["paper", "half", "one"]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Size = Annotated[int, Field(ge=16, le=4096)]

CUSTOM: Literal["custom"] = "custom"
"""Names what a config cannot rebuild: an attention, or a network, that the caller gives."""


@dataclass(frozen=True, config=STRICT)
class NetworkConfig:
    """Everything that rebuilds a network's structure."""

    backbone: str = "resnet50"
    """Any timm model name that exposes feature stages; the paper's four get last stride 1."""

    backbone_options: dict[str, bool | Number | float | str | list[Number]] = dataclasses.field(
        default_factory=dict
    )
    """Keywords handed to timm as they are, such as ``{"channels": [32, 64, 128, 256]}``."""

    attention: str | tuple[str, ...] = "channel"
    """A name in ``apnet.model.ATTENTIONS``, such as ``channel`` (Eq. 5) or ``spatial`` (Eq. 4);
    or one for each level; or ``none`` (APNet-C0/S0). ``custom`` stands for a factory that the
    caller gives."""

    parts: tuple[Positive, ...] = (1, 2)
    """Parts per pyramid level, coarse to fine: radix^(i-1) at level i in the paper."""

    arrangement: Arrangement = "paper"
    """What surrounds the backbone: ``paper`` (coarse to fine, four stages), ``released`` (the
    authors' code), a network of Table III that is no APNet: ``pyramid-reid``, ``scsn``;
    ``toolkit``: a network of another toolkit, which ``backbone`` names, see
    ``apnet.model.toolkits.table``; or ``custom``: a network that the caller gives."""

    reduction: Positive = 16
    """Input width divided by hidden width of a channel sub-attention (SE's r)."""

    image_size: tuple[Size, Size] = (384, 192)
    """Height and width in pixels; a spatial pyramid is built for exactly this size."""

    last_stride: Literal[1, 2] = 1
    """Stride of the last residual stage (1 in the paper)."""

    multipart: bool = False
    """The second, two-part branch from the third stage on, used on CUHK03 (section IV-D)."""

    feature: Feature = "bn"
    """The embedding: after the BN neck (paper), before it, or the logits (released MSMT17)."""

    num_classes: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Training identities; 0 builds no classifier."""

    split: str | tuple[str, ...] | None = None
    """Axis that a pyramid's levels split: ``channels``, ``rows``, ``columns``, ``grid``; or one for
    each level; ``None``: as the attention's paper does."""

    returns: Returns | tuple[Returns, ...] = "logits"
    """What the modules of a ``custom`` attention return: ``logits``, or the reweighted ``map``."""

    start: Start | tuple[Start, ...] | None = None
    """How gates begin: ``paper`` (as the attention's layers do), ``half`` (all gates one half),
    ``one`` (all gates one: a pretrained backbone's maps stay as they are); ``None``: the
    attention's own (ADR 71)."""
