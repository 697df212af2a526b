"""A training recipe as validated dataclasses: what to train, on which losses, and how."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from apnet.config.network import STRICT, NetworkConfig, Positive
from apnet.display import summarised

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


@dataclass(frozen=True, config=STRICT)
class LossConfig:
    """One term of the loss."""

    name: str
    """A name in ``apnet.losses.LOSSES``, such as ``cross-entropy`` or ``triplet``."""

    weight: NotNegative = 1.0
    """What the term is multiplied by; lambda of Eq. 9 for the triplet."""

    options: dict[str, float] = dataclasses.field(default_factory=dict)
    """The term's own settings, such as ``margin``; those left out have their published values."""


@dataclass(frozen=True, config=STRICT)
class OptimiserConfig:
    """How the weights are updated (section IV-B)."""

    name: str = "adam"
    """A name in ``apnet.training.OPTIMISERS``: ``adam`` (the paper), ``adamw``, ``sgd``."""

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4e-4
    """The initial learning rate."""

    weight_decay: NotNegative = 1e-3
    """L2 penalty; decoupled from the gradient in ``adamw``. From the released recipe."""

    decay_norms: bool = True
    """Whether norms and biases are decayed too, as in the released recipe."""

    momentum: Share = 0.9
    """Of ``sgd``."""

    backbone_factor: NotNegative = 1.0
    """What the learning rate of the backbone is multiplied by; pyramids and heads keep theirs."""

    freeze: tuple[str, ...] = ()
    """Modules whose weights and batch-norm statistics do not change: names of modules such as
    ``layer1``, or ``backbone`` for all of it without pyramids."""

    freeze_epochs: Count = 0
    """For how many epochs they are frozen; 0: for all of them."""

    clip_norm: NotNegative = 0.0
    """Largest norm of the gradient, which is scaled down to it; 0: no limit."""

    accumulate: Positive = 1
    """Batches whose mean gradient makes one update."""

    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per update of the weights' moving average, which is evaluated and saved; 0: none."""


@dataclass(frozen=True, config=STRICT)
class ScheduleConfig:
    """The learning rate of every epoch (section IV-B)."""

    name: str = "step"
    """A name in ``apnet.training.SCHEDULES``: ``step`` (the paper), ``cosine``, ``plateau``,
    ``constant``."""

    decay_every: Positive = 40
    """``step``: epochs between two decays."""

    decay_factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """``step``, ``plateau``: what the rate is multiplied by at a decay."""

    patience: Positive = 5
    """``plateau``: epochs without a lower training loss before a decay."""

    minimum: Share = 0.0
    """``cosine``, ``plateau``: the lowest rate, as a share of the initial one."""

    warmup_epochs: Count = 10
    """Epochs over which the rate rises linearly to its value. Not in the paper: the released
    recipe."""

    warmup_factor: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The share of the rate at which warm-up starts."""


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """P x K batches (section IV-B)."""

    identities_per_batch: Positive = 20
    """P, over all processes."""

    images_per_identity: Positive = 4
    """K."""

    balance: Literal["identity", "set"] = "identity"
    """With several data sets: identities are drawn from all of them alike, or equally many from
    each set."""


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """Random crop, mirror, erasing (section IV-B); and distortions for use on other cameras."""

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


def _paper_loss() -> tuple[LossConfig, ...]:
    return (LossConfig("cross-entropy"), LossConfig("triplet"))


@summarised
@dataclass(frozen=True, config=STRICT, repr=False)
class Recipe:
    """One training run."""

    network: NetworkConfig = dataclasses.field(default_factory=NetworkConfig)
    """The network to train."""

    loss: tuple[LossConfig, ...] = dataclasses.field(default_factory=_paper_loss)
    """The terms whose weighted sum is minimised (Eq. 9)."""

    optimiser: OptimiserConfig = dataclasses.field(default_factory=OptimiserConfig)
    """How the weights are updated."""

    schedule: ScheduleConfig = dataclasses.field(default_factory=ScheduleConfig)
    """The learning rate of every epoch."""

    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    """P x K."""

    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    """What is done to a training image."""

    epochs: Positive = 160
    """Passes over the training set."""

    weights: str = "imagenet"
    """What to start from: ``imagenet`` (through timm), ``random``, a file of backbone weights; or
    ``shipped``, a run folder or a checkpoint, whose pyramids and necks are taken too."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of initialisation, sampling and augmentation."""

    precision: Literal["auto", "float32", "bf16"] = "auto"
    """``auto`` takes bf16 autocast where that is faster and the features agree with float32."""

    evaluate_every: Count = 10
    """Epochs between evaluations; 0 evaluates after the last epoch only."""
