"""The weighted sum of losses that training minimises; Eq. 9 for any terms."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.losses.batch import LossBatch
from apnet.losses.checks import check_terms
from apnet.losses.table import LOSSES
from apnet.losses.terms import Loss, Term


class Objective(nn.Module):
    """A weighted sum of losses, each the mean over the network's branches.

    Its parameters, if any, are those of the losses: class weights and centres, which train with
    the network's and are not part of it.

    Args:
        terms: name, weight, and the loss from a ``LossBatch`` to a scalar; an ``nn.ModuleList``
            holds one loss per branch, anything else is shared by all branches.
    """

    def __init__(self, terms: Sequence[tuple[str, float, nn.Module | Loss]]) -> None:
        super().__init__()
        self.names = tuple(name for name, _, _ in terms)
        self.weights = tuple(weight for _, weight, _ in terms)
        self.losses = nn.ModuleList(_as_module(loss) for _, _, loss in terms)

    def forward(self, batches: Sequence[LossBatch]) -> dict[str, Tensor]:
        """Returns the losses of a batch, all scalars.

        With cross-entropy of weight 1 and triplet of weight lambda, values and gradients are bit
        for bit those of ``apnet_loss``.

        Args:
            batches: one per branch.

        Returns:
            ``loss``, the weighted sum, and each term's unweighted value by name, in order.
        """
        values = [_mean_over_branches(loss, batches) for loss in self.losses]
        weighted = [weight * value for weight, value in zip(self.weights, values, strict=True)]
        total = functools.reduce(operator.add, weighted)
        return {"loss": total, **dict(zip(self.names, values, strict=True))}


def build_objective(
    terms: Sequence[Term],
    num_classes: int,
    feature_dims: Sequence[int],
    own: Mapping[str, nn.Module | Callable[[LossBatch], Tensor]] | None = None,
) -> Objective:
    """Builds an objective from its terms.

    Args:
        terms: at least one.
        num_classes: K, training identities; 0 for a network without a classifier.
        feature_dims: D of each branch. A loss with parameters is built once per branch.
        own: losses of one's own by the names of their terms. A module or function is shared by
            all branches; an ``nn.ModuleList`` holds one per branch.

    Returns:
        The objective, on the CPU; new parameters come from torch's global generator.

    Raises:
        ConfigError: see ``check_terms``; or a list of losses is not as long as ``feature_dims``.
        MissingExtraError: a loss needs the extra ``losses``.
    """
    own = own or {}
    check_terms(terms, num_classes, own)
    return Objective(
        [
            (term.name, term.weight, _build(term, num_classes, feature_dims, own.get(term.name)))
            for term in terms
        ]
    )


def _build(
    term: Term, num_classes: int, feature_dims: Sequence[int], own: nn.Module | Loss | None
) -> nn.Module | Loss:
    given = term.loss if term.loss is not None else own
    if given is not None:
        if isinstance(given, nn.ModuleList) and len(given) != len(feature_dims):
            raise ConfigError(
                f"own loss '{term.name}' is a list of {len(given)} losses for "
                f"{len(feature_dims)} branches; give one per branch"
            )
        if isinstance(given, nn.ModuleList):
            return nn.ModuleList(_OwnLoss(each) for each in given)
        return _OwnLoss(given)
    kind = LOSSES[term.name]
    options = kind.options | dict(term.options)
    built = nn.ModuleList(kind.build(num_classes, dim, **options) for dim in feature_dims)
    return built if any(True for _ in built.parameters()) else built[0]


def _mean_over_branches(loss: nn.Module, batches: Sequence[LossBatch]) -> Tensor:
    per_branch = loss if isinstance(loss, nn.ModuleList) else [loss] * len(batches)
    return torch.stack(
        [each(batch) for each, batch in zip(per_branch, batches, strict=True)]
    ).mean()


class _OwnLoss(nn.Module):
    """A loss of one's own, function or module, which is given float32 features under autocast."""

    def __init__(self, loss: nn.Module | Loss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, batch: LossBatch) -> Tensor:
        wide = dataclasses.replace(
            batch,
            pooled=_wide(batch.pooled),
            neck=None if batch.neck is None else _wide(batch.neck),
            logits=None if batch.logits is None else _wide(batch.logits),
        )
        value: Tensor = self.loss(wide)
        return value


def _as_module(loss: nn.Module | Loss) -> nn.Module:
    return loss if isinstance(loss, nn.Module) else _OwnLoss(loss)


def _wide(x: Tensor) -> Tensor:
    """Returns float32 where x is narrower."""
    return x.float() if x.itemsize < torch.float32.itemsize else x
