"""The same experiment in three sizes: the paper's, minutes a run, and seconds in all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from apnet.config import NetworkConfig, Recipe
from apnet.reproduction.definitions import Experiment, System
from apnet.reproduction.sources import FewPeople, NamedPeople, Source
from apnet.training import load_recipe

Scale = Literal["full", "small", "smoke"]


@dataclass(frozen=True)
class _Smaller:
    """How a network shrinks."""

    options: Mapping[str, Mapping[str, Any]]
    """Backbone fields by the full network's backbone."""
    own: Mapping[str, Mapping[str, Any]]
    """The same where the backbones are the question."""
    image_size: tuple[int, int]
    epochs: int
    identities: int
    """P of a batch."""


_REDUCTION = 4
"""The paper's 16 would leave a sub-attention of 16 channels a single hidden unit."""


def _resnet(name: str, channels: list[int]) -> dict[str, Any]:
    return {"backbone": name, "backbone_options": {"channels": channels}}


def _own(channels: list[int], growth: int, inception: tuple[int, int]) -> dict[str, Any]:
    """ResNets and DenseNet become narrow; Inception-V3 has no width to set, and a least size."""
    return {
        "resnet50": _resnet("resnet50", channels),
        "resnet101": _resnet("resnet101", channels),
        "densenet169": {"backbone_options": {"growth_rate": growth}},
        "inception_v3": {"image_size": inception},
    }


_SMALL = _Smaller(
    {
        "resnet50": _resnet("resnet18", [32, 64, 128, 256]),
        "seresnet50": _resnet("seresnet18", [32, 64, 128, 256]),
    },
    _own([16, 32, 64, 128], 8, (96, 80)),
    (128, 64),
    epochs=12,
    identities=16,
)
_SMOKE = _Smaller(
    {
        "resnet50": _resnet("resnet18", [32, 32, 32, 32]),
        "seresnet50": _resnet("seresnet18", [32, 32, 32, 32]),
    },
    _own([8, 8, 8, 8], 4, (80, 80)),
    (64, 32),
    epochs=1,
    identities=4,
)
_SMALLER: Mapping[Scale, _Smaller] = {"small": _SMALL, "smoke": _SMOKE}

_SMALL_PEOPLE: Mapping[str, NamedPeople] = {
    "market1501": NamedPeople("people-small", 1.0),
    "dukemtmcreid": NamedPeople("people-b", 0.09),
    "msmt17": NamedPeople("people-msmt", 0.03),
    "cuhk03np-detected": NamedPeople("people-detected", 0.135),
    "cuhk03np-labeled": NamedPeople("people-labeled", 0.135),
    "occluded-duke": NamedPeople("people-occluded", 0.065),
}
"""1,800 training images for the first, about 1,000 for the others."""


def stand_in(name: str, scale: Scale) -> Source | None:
    """Returns the synthetic people that stand for a data set; none at full scale."""
    if scale == "full":
        return None
    if scale == "small":
        return _SMALL_PEOPLE[name]
    return FewPeople(seed=sorted(_SMALL_PEOPLE).index(name))


def recipe_of(
    experiment: Experiment, system: System, train: str, scale: Scale, seed: int
) -> Recipe:
    """Returns how a system is trained: the paper's recipe, or the recipe ``small``.

    Args:
        experiment: decides how the backbone shrinks.
        system: the network.
        train: the data set's name; CUHK03 asks for the multi-part branch.
        scale: ``full``, ``small`` or ``smoke``.
        seed: of initialisation, sampling and augmentation.
    """
    network = dataclasses.replace(system.network, multipart=train in system.multipart_on)
    if scale == "full":
        recipe = load_recipe(system.recipe)
        return dataclasses.replace(recipe, network=network, seed=seed)
    smaller = _SMALLER[scale]
    network = _shrunk(network, experiment, smaller)
    recipe = dataclasses.replace(load_recipe("small"), network=network, seed=seed)
    return _shortened(recipe, smaller)


def _shrunk(network: NetworkConfig, experiment: Experiment, smaller: _Smaller) -> NetworkConfig:
    options = smaller.own if experiment.own_backbones else smaller.options
    fields = {"image_size": smaller.image_size, "reduction": _REDUCTION}
    return dataclasses.replace(network, **{**fields, **options[network.backbone]})


def _shortened(recipe: Recipe, smaller: _Smaller) -> Recipe:
    """Decays the rate after three quarters of the epochs."""
    decay = max(1, round(0.75 * smaller.epochs))
    return dataclasses.replace(
        recipe,
        epochs=smaller.epochs,
        schedule=dataclasses.replace(recipe.schedule, decay_every=decay),
        sampling=dataclasses.replace(
            recipe.sampling, identities_per_batch=smaller.identities, images_per_identity=4
        ),
    )
