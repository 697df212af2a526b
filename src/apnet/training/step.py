"""One training step: forward pass, losses, gradients, and the update of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from apnet.data import TrainingBatch
from apnet.devices import autocast
from apnet.errors import TrainingError
from apnet.files import write_text
from apnet.losses import LossBatch
from apnet.model import NetworkOutput
from apnet.model.diagnosis import first_not_finite
from apnet.training.processes import Processes, gather, total
from apnet.training.session import Session


def train_step(
    session: Session, batch: TrainingBatch, group: tuple[int, int], asked: bool
) -> dict[str, float]:
    """Computes the gradient of one batch, and updates the weights after the last of a group.

    Args:
        session: is changed.
        batch: this process's images.
        group: place of the batch, from 0, among those whose mean gradient makes one update, and
            how many these are.
        asked: whether this process was asked to stop.

    Returns:
        The losses by name, means over all processes.

    Raises:
        TrainingError: a loss is not finite; the message names the batch and the module.
    """
    images = batch.images.to(session.device, memory_format=torch.channels_last, non_blocking=True)
    labels = batch.labels.to(session.device, non_blocking=True)
    with autocast(session.precision, session.device):
        output: NetworkOutput = session.parallel(images)
    losses: dict[str, Tensor] = session.objective(loss_batches(output, labels, session.processes))
    loss = losses["loss"]
    # The wish to stop travels with the losses, so that all processes stop after the same step.
    told = torch.stack(
        [*(value.detach() for value in losses.values()), loss.new_tensor(float(asked))]
    )
    *values, stop = (total(told, session.processes) / session.processes.world).tolist()
    session.stopping = stop > 0
    if not math.isfinite(values[0]):
        raise _not_finite(session, values[0], images, batch.records)
    place, size = group
    if place == 0:
        session.optimiser.zero_grad(set_to_none=True)
    (loss if size == 1 else loss / size).backward()  # type: ignore[no-untyped-call]
    if place == size - 1:
        _update(session)
    return dict(zip(losses, values, strict=True))


def loss_batches(output: NetworkOutput, labels: Tensor, processes: Processes) -> list[LossBatch]:
    """Returns what the losses see of a batch, per feature of the network."""
    everyone = gather(labels, processes)

    def gathered(rows: Tensor) -> Tensor:
        return gather(rows, processes)

    return [
        LossBatch(
            pooled=pooled,
            neck=neck,
            logits=logits,
            labels=labels,
            candidates=(gather(pooled.float(), processes), everyone),
            gather=gathered,
        )
        for pooled, neck, logits in zip(
            output.pooled, output.neck, _logits_per_feature(output), strict=True
        )
    ]


def _logits_per_feature(output: NetworkOutput) -> Sequence[Tensor | None]:
    if not output.logits:
        return [None] * len(output.pooled)
    if len(output.pooled) == 1 < len(output.logits):  # several classifiers on one joined feature
        return [torch.cat(output.logits)]
    return output.logits


def _update(session: Session) -> None:
    own = [weight for weight in session.objective.parameters() if weight.grad is not None]
    for weight in own:  # those of the network are averaged over processes by its parallel form
        assert weight.grad is not None
        weight.grad = total(weight.grad, session.processes) / session.processes.world
    limit = session.job.recipe.optimiser.clip_norm
    if limit:
        weights = [w for group in session.optimiser.param_groups for w in group["params"]]
        nn.utils.clip_grad_norm_(weights, limit)
    session.optimiser.step()
    session.progress.updates += 1
    if session.average is not None:
        session.average.update(session.network)


def _not_finite(
    session: Session, value: float, images: Tensor, indices: Sequence[int]
) -> TrainingError:
    paths = [str(session.training.records[index].path) for index in indices]
    run, progress = session.job.run, session.progress
    listing = run.root / f"failed-batch-{session.processes.rank}.txt"
    write_text(listing, "\n".join(paths) + "\n")
    place = first_not_finite(session.network, images)
    where = f", first in {place}" if place else ""
    return TrainingError(
        f"the loss became {value} at epoch {progress.epoch + 1}, step {progress.step + 1}{where} "
        f"(the batch starts with {paths[0]}; all of it is in {listing}); continue with a lower "
        "rate or in float32: --resume RUN --set optimiser.learning_rate=... --set precision=float32"
    )
