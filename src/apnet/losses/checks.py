"""What can be wrong with an objective's terms, found before any work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from apnet.errors import ConfigError
from apnet.losses.table import LOSSES
from apnet.losses.terms import Term
from apnet.naming import closest

_TOTAL = "loss"
"""The name under which the weighted sum is reported."""


def check_terms(
    terms: Sequence[Term], num_classes: int, own: Mapping[str, Any] | None = None
) -> None:
    """Checks that terms can be built.

    Args:
        terms: of the objective.
        num_classes: training identities; 0 for a network without a classifier.
        own: losses of one's own by the names of their terms.

    Raises:
        ConfigError: there are no terms, or all weigh 0; two have one name; a name or option is
            unknown; a weight or option is out of its range; a loss needs classes and there are
            none; a loss of one's own has the name of a built-in one, or no term.
    """
    own = own or {}
    names = [term.name for term in terms]
    if not any(term.weight != 0 for term in terms):
        raise ConfigError("no loss has a weight above 0; give at least one, such as 'triplet'")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two loss terms have the name '{name}'; give each its own")
    for name in own:
        if name not in names:
            raise ConfigError(f"own loss '{name}' has no term; {closest(name, names)}")
    for term in terms:
        _check_weight(term)
        if term.loss is not None or term.name in own:
            _check_own(term)
        else:
            _check_built_in(term, num_classes, own)


def check_sampling(
    terms: Sequence[Term], identities_per_batch: int, images_per_identity: int
) -> None:
    """Checks that a batch holds the pairs that the losses need; own losses are not checked.

    Args:
        terms: of the objective.
        identities_per_batch: over all processes.
        images_per_identity: in a batch.

    Raises:
        ConfigError: a loss with a weight above 0 needs more of either.
    """
    for term in terms:
        kind = LOSSES.get(term.name)
        if kind is None or term.loss is not None or term.weight == 0:
            continue
        for setting, value, least in (
            ("identities_per_batch", identities_per_batch, kind.least_identities),
            ("images_per_identity", images_per_identity, kind.least_images),
        ):
            if value < least:
                raise ConfigError(
                    f"loss '{term.name}' needs sampling.{setting} of at least {least}, not {value}"
                )


def _check_weight(term: Term) -> None:
    if not 0 <= term.weight < math.inf:
        raise ConfigError(
            f"loss '{term.name}' has the weight {term.weight}; it must be finite and at least 0"
        )


def _check_own(term: Term) -> None:
    if term.name in LOSSES or term.name == _TOTAL:
        raise ConfigError(f"own loss '{term.name}' has a name that is taken; choose another")
    if term.options:
        raise ConfigError(
            f"own loss '{term.name}' takes no options; give them to the object that you pass"
        )


def _check_built_in(term: Term, num_classes: int, own: Mapping[str, Any]) -> None:
    if term.name not in LOSSES:
        raise ConfigError(f"no loss '{term.name}'; {closest(term.name, [*LOSSES, *own])}")
    kind = LOSSES[term.name]
    for option, value in term.options.items():
        if option not in kind.settings:
            raise ConfigError(
                f"loss '{term.name}' has no option '{option}'; {closest(option, kind.settings)}"
            )
        if not kind.settings[option].accepts(value):
            raise ConfigError(
                f"loss '{term.name}' has {option} = {value}; "
                f"it must be {kind.settings[option].range}"
            )
    if kind.per_class and num_classes < 1:
        raise ConfigError(f"loss '{term.name}' needs a network with num_classes above 0")
