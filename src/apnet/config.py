"""What can be configured, as validated dataclasses; read from TOML, written into run folders.

Config objects stop at the command line, the checkpoints and the training loop: the modules of the
network take plain keywords.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from apnet.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_STRICT = ConfigDict(extra="forbid")

Attention = Literal["none", "channel", "spatial"]
Arrangement = Literal["paper", "released", "pyramid-reid", "scsn"]
Feature = Literal["bn", "pooled", "logits"]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Size = Annotated[int, Field(ge=16, le=4096)]


@dataclass(frozen=True, config=_STRICT)
class NetworkConfig:
    """Everything that rebuilds a network's structure; stored inside every checkpoint."""

    backbone: str = "resnet50"
    """Any timm model name that exposes feature stages; the paper's four get last stride 1."""

    backbone_options: dict[str, bool | int | float | str | list[int]] = dataclasses.field(
        default_factory=dict
    )
    """Keywords handed to timm as they are, such as ``{"channels": [32, 64, 128, 256]}``."""

    attention: Attention = "channel"
    """``channel`` (Eq. 5), ``spatial`` (Eq. 4) or ``none`` (APNet-C0/S0)."""

    parts: tuple[Positive, ...] = (1, 2)
    """Parts per pyramid level, coarse to fine: radix^(i-1) at level i in the paper."""

    arrangement: Arrangement = "paper"
    """What surrounds the backbone: ``paper`` (coarse to fine, four stages), ``released`` (the
    authors' code), or a network of Table III that is no APNet: ``pyramid-reid``, ``scsn``."""

    reduction: Positive = 16
    """A channel sub-attention's input width over its hidden width (SE's r)."""

    image_size: tuple[Size, Size] = (384, 192)
    """Height and width in pixels; the spatial pyramid is built for exactly this size."""

    last_stride: Literal[1, 2] = 1
    """Stride of the last residual stage (1 in the paper)."""

    multipart: bool = False
    """The second, two-part branch from the third stage on, used on CUHK03 (section IV-D)."""

    feature: Feature = "bn"
    """The embedding: after the BN neck (paper), before it, or the logits (released MSMT17)."""

    num_classes: Annotated[int, Field(ge=0)] = 0
    """Training identities; 0 builds no classifier."""


@dataclass(frozen=True, config=_STRICT)
class Optimisation:
    """Optimiser, schedule and losses (sections III-C and IV-B)."""

    epochs: Positive = 160
    """Passes over the training set."""

    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4e-4
    """Adam's initial learning rate."""

    decay_every: Positive = 40
    """Epochs between two divisions of the rate."""

    decay_factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What the rate is multiplied by then."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Epsilon of Eq. 8."""

    triplet_margin: Rate = 0.3
    """m of Eq. 6."""

    triplet_weight: Rate = 1.0
    """Lambda of Eq. 9; 0 trains with the classifier alone."""


@dataclass(frozen=True, config=_STRICT)
class ReleasedExtras:
    """What the released recipe adds and the paper does not mention; zeros switch it off."""

    warmup_epochs: Annotated[int, Field(ge=0)] = 10
    """Epochs over which the rate rises linearly to its initial value."""

    warmup_factor: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The share of the initial rate at which warm-up starts."""

    weight_decay: Rate = 1e-3
    """Adam's L2 penalty."""


@dataclass(frozen=True, config=_STRICT)
class Sampling:
    """P x K batches (section IV-B)."""

    persons: Annotated[int, Field(ge=1)] = 20
    """P, over all processes."""

    images: Annotated[int, Field(ge=1)] = 4
    """K, images of each person in a batch."""


@dataclass(frozen=True, config=_STRICT)
class Augmentation:
    """Random crop, mirror, erasing (section IV-B); and what a change of place needs."""

    pad: Annotated[int, Field(ge=0, le=256)] = 10
    """Pixels of padding on every side before the random crop."""

    flip: Share = 0.5
    """Probability of the mirror image."""

    erase: Share = 0.5
    """Probability of random erasing."""

    recolour: Share = 0.0
    """Strength of changes of brightness, cast, contrast, saturation and gamma; not in the paper."""

    reframe: Share = 0.0
    """Greatest change of the box's height and width, as a share; not in the paper."""

    coarsen: Share = 0.0
    """Probability that detail is lost to a lower resolution; not in the paper."""


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """One training run: network, losses, sampling, augmentation, and how it is carried out."""

    network: NetworkConfig = dataclasses.field(default_factory=NetworkConfig)
    """The network to train."""

    optimisation: Optimisation = dataclasses.field(default_factory=Optimisation)
    """Optimiser, schedule and losses."""

    released_extras: ReleasedExtras = dataclasses.field(default_factory=ReleasedExtras)
    """The released recipe's warm-up and weight decay."""

    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    """P x K."""

    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    """What is done to a training image."""

    weights: str = "imagenet"
    """Backbone to start from: ``imagenet`` (through timm), ``random``, or a local weights file."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of initialisation, sampling and augmentation."""

    precision: Literal["auto", "float32", "bf16"] = "auto"
    """``auto`` takes bf16 autocast where the processor or GPU multiplies it natively."""

    evaluate_every: Annotated[int, Field(ge=0)] = 10
    """Epochs between evaluations; 0 evaluates after the last epoch only."""


_C = TypeVar("_C", NetworkConfig, Recipe)


def parse(kind: type[_C], values: Mapping[str, Any], source: str) -> _C:
    """Builds a config from plain values.

    Args:
        kind: ``Recipe`` or ``NetworkConfig``.
        values: nested mapping as TOML or JSON give it.
        source: what to name in an error, a file for instance.

    Raises:
        ConfigError: an unknown key (with the closest valid one) or a value out of range.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        lines = [_explain(kind, problem) for problem in error.errors()]
        raise ConfigError(f"{source}: " + "; ".join(lines)) from None


def _explain(kind: type[Any], problem: Any) -> str:
    place = [str(part) for part in problem["loc"]]
    name = ".".join(place)
    if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        valid = _field_names(kind, place[:-1])
        close = difflib.get_close_matches(place[-1], valid, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"valid here: {', '.join(valid)}"
        return f"unknown setting '{name}'; {hint}"
    return f"'{name}': {problem['msg']}, got {problem['input']!r}"


def _field_names(kind: type[Any], place: list[str]) -> list[str]:
    for part in place:
        kind = _SECTIONS.get(part, kind)
    return [item.name for item in dataclasses.fields(kind)]


_SECTIONS: dict[str, type[Any]] = {
    "network": NetworkConfig,
    "optimisation": Optimisation,
    "released_extras": ReleasedExtras,
    "sampling": Sampling,
    "augmentation": Augmentation,
}


def to_dict(config: NetworkConfig | Recipe) -> dict[str, Any]:
    """Returns plain, JSON-ready values; ``parse`` reads them back."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file is missing, not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not readable as TOML: {error}") from None


def override(values: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """Returns a copy of nested values with ``section.key=value`` assignments applied.

    The right-hand side is read as a TOML value, or as a string where it is none.

    Raises:
        ConfigError: an assignment has no ``=`` or walks through a value that is no section.
    """
    result: dict[str, Any] = json.loads(json.dumps(values))
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        if not sign or not name:
            raise ConfigError(f"--set {assignment!r}: write it as section.key=value")
        *sections, key = name.split(".")
        node = result
        for section in sections:
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise ConfigError(f"--set {assignment!r}: '{section}' is not a section")
        try:
            node[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            node[key] = text
    return result
