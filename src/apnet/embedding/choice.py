"""Choosing a back-end: what is installed, suits the processor, and agrees with the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from apnet.devices import choose_precision
from apnet.embedding.agreement import Agreement, agreement, features_of, limits_of
from apnet.embedding.backends import Arithmetic, Backend
from apnet.embedding.engines import ENGINES, WORTH_BUILDING, Task
from apnet.embedding.engines.eager import eager_backend
from apnet.errors import ConfigError, MissingExtraError

BACKENDS = ("auto", *ENGINES)
PRECISIONS = ("auto", "float32", "bf16", "int8")

COMPARED = 64
"""Images on which a back-end is compared with the reference."""

CALIBRATING = 32
"""Further images from which the ranges of 8-bit numbers are taken."""

_REFERENCE: tuple[str, Arithmetic] = ("eager", "float32")


@dataclass(frozen=True)
class Choice:
    """A back-end that may be used.

    Attributes:
        backend: the back-end.
        agreement: with the reference; ``None`` for the reference itself.
        remarks: per back-end that was tried before, why it is not used.
    """

    backend: Backend
    agreement: Agreement | None
    remarks: tuple[str, ...] = ()


def choose_backend(
    task: Task,
    sample: Callable[[int], Tensor],
    *,
    backend: str = "auto",
    precision: str = "auto",
) -> Choice:
    """Returns the fastest installed back-end that agrees with the reference (eager float32).

    Agreement is measured on ``COMPARED`` of the user's images: the smallest cosine must be at least
    0.999 and the rank agreement at least 99.9 %; for 8 bits 0.99 and 99 %.

    Args:
        task: what is to be computed.
        sample: returns up to n of the images, (n, 3, H, W) normalised; called only if a back-end
            other than the reference is tried.
        backend: one of ``BACKENDS``; ``auto`` tries what is installed.
        precision: one of ``PRECISIONS``; ``auto`` means bf16 where the device multiplies it
            natively and the results agree, else float32, never 8 bits.

    Raises:
        ConfigError: a name does not exist, the names do not go together, or a back-end or precision
            that was named does not run or does not agree.
        MissingExtraError: a back-end that was named is not installed.
    """
    _check_names(task, backend, precision)
    reference = eager_backend(task.network, task.device, "float32")
    candidates = list(_candidates(task, backend, precision))
    if candidates[0] == _REFERENCE:
        return Choice(reference, None)
    images = sample(COMPARED + CALIBRATING)
    if not len(images):  # no image can be read: embedding reports them
        return Choice(reference, None)
    calibration = images[1::3] if len(images) > 2 else images
    compared = torch.cat((images[::3], images[2::3]))
    expected = features_of(reference, compared)
    remarks: list[str] = []
    for name, arithmetic in candidates:
        if (name, arithmetic) == _REFERENCE:
            return Choice(reference, None, tuple(remarks))
        try:
            built = ENGINES[name].build(task, arithmetic, calibration)
            agreed = agreement(expected, features_of(built, compared))
        except MissingExtraError:
            if backend != "auto":
                raise
            continue
        except Exception as error:  # compilers and converters raise errors of any type
            remarks.append(f"{name} {arithmetic} does not run here ({_first_line(error)})")
            continue
        limits = limits_of(arithmetic)
        if limits.met(agreed):
            return Choice(built, agreed, tuple(remarks))
        remarks.append(
            f"{name} {arithmetic} does not agree: {agreed}, at least {limits.cosine:g} and "
            f"{limits.ranks:.1%} are needed"
        )
    raise ConfigError(_nothing_left(remarks, precision))


def _candidates(task: Task, backend: str, precision: str) -> Iterator[tuple[str, Arithmetic]]:
    """Yields the engines and precisions to try, the fastest first."""
    for arithmetic in _arithmetics(task, backend, precision):
        names = _engines(task, arithmetic) if backend == "auto" else [backend]
        for name in names:
            yield name, arithmetic


def _arithmetics(task: Task, backend: str, precision: str) -> list[Arithmetic]:
    named: dict[str, Arithmetic] = {"float32": "float32", "bf16": "bf16", "int8": "int8"}
    if precision in named:
        return [named[precision]]
    if backend == "auto":
        offered = task.images >= WORTH_BUILDING
    else:
        offered = "bf16" in ENGINES[backend].precisions
    native = offered and choose_precision("auto", task.device) == "bf16"
    return ["bf16", "float32"] if native else ["float32"]


def _engines(task: Task, arithmetic: Arithmetic) -> list[str]:
    """Returns the names of the engines that ``auto`` tries for an arithmetic, in order."""
    able = [name for name, engine in ENGINES.items() if engine.runs(task, arithmetic)]
    worth = [name for name in able if task.images >= ENGINES[name].worth_from] or able
    worth.sort(key=lambda name: ENGINES[name].order)
    if arithmetic == _REFERENCE[1]:
        return worth
    # where others are worth building, the reference's engine computes nothing but the reference
    return [name for name in worth if name != _REFERENCE[0]] or worth


def _check_names(task: Task, backend: str, precision: str) -> None:
    for option, value, known in (
        ("--backend", backend, ("auto", *ENGINES)),
        ("--precision", precision, PRECISIONS),
    ):
        if value not in known:
            raise ConfigError(f"{option} {value}: choose one of {', '.join(known)}")
    if backend != "auto" and precision not in ("auto", *ENGINES[backend].precisions):
        others = [name for name, engine in ENGINES.items() if precision in engine.precisions]
        raise ConfigError(
            f"--backend {backend} has no {precision}, only "
            f"{' or '.join(ENGINES[backend].precisions)}; use {' or '.join(others)} for it"
        )
    if not any(engine.runs(task, precision) for engine in ENGINES.values()):
        raise ConfigError(f"--precision {precision} runs on the processor only; add --device cpu")
    if backend != "auto" and not ENGINES[backend].runs(task, precision):
        raise ConfigError(f"--backend {backend} runs on the processor only; add --device cpu")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _nothing_left(remarks: list[str], precision: str) -> str:
    if remarks:
        return "; ".join(remarks) + "; use --backend auto --precision float32"
    return (
        f"--precision {precision} needs packages that are not installed; install them with: "
        "pip install 'apnet-reid[onnx,openvino]'"
    )
