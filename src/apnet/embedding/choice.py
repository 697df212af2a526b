"""Which back-end computes: what is installed, what the processor has, and what agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from apnet.devices import Precision, choose_precision
from apnet.embedding.agreement import Agreement, agreement, features_of, limits_of
from apnet.embedding.backends import (
    Arithmetic,
    Backend,
    compiled_backend,
    eager_backend,
    folded_backend,
)
from apnet.embedding.onnx_engine import onnx_backend, onnx_int8_backend
from apnet.embedding.openvino_engine import openvino_backend, openvino_int8_backend
from apnet.errors import ConfigError, MissingExtraError
from apnet.model import APNet

BACKENDS = ("auto", "eager", "folded", "compiled", "onnx", "openvino")
PRECISIONS = ("auto", "float32", "bf16", "int8")

WORTH_A_CHOICE = 512
"""With fewer images, the reference is done before a faster back-end is built and judged."""

WORTH_COMPILING = 20_000
"""With fewer images, ``torch.compile`` takes longer than it saves."""

JUDGED = 64
"""Images on which a back-end is judged."""

CALIBRATING = 32
"""Further images from which the ranges of 8-bit numbers are taken."""


@dataclass(frozen=True)
class Task:
    """What is to be computed.

    Attributes:
        network: in evaluation mode.
        image_size: H and W in pixels.
        images: how many there are.
        device: where it may run.
    """

    network: APNet
    image_size: tuple[int, int]
    images: int
    device: torch.device

    @property
    def on_processor(self) -> bool:
        """Whether it runs on the CPU."""
        return self.device.type == "cpu"


@dataclass(frozen=True)
class Choice:
    """A back-end that may be used.

    Attributes:
        backend: the back-end.
        agreement: with the reference; ``None`` for the reference itself.
        remarks: what was tried before, and why it is not used.
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
    """Returns the fastest back-end that is there and agrees with the reference (eager float32).

    A back-end is judged by ``agreement`` on ``JUDGED`` of the user's images: the smallest cosine
    is at least 0.999, the rank agreement at least 99.9 %; 8 bits need 0.99 and 99 %.

    Args:
        task: what is to be computed.
        sample: returns up to n of the images, (n, 3, H, W) normalised; called where needed.
        backend: one of ``BACKENDS``; ``auto`` tries what is installed.
        precision: one of ``PRECISIONS``; ``auto`` means bf16 where the device multiplies it and it
            agrees, else float32; 8 bits only by name.

    Raises:
        ConfigError: a name that does not exist, names that do not go together, or a back-end or
            arithmetic asked for by name that does not run or does not agree.
        MissingExtraError: a back-end asked for by name is not installed.
    """
    _check_names(task, backend, precision)
    reference = eager_backend(task.network, task.device, "float32")
    candidates = list(_candidates(task, backend, precision))
    if candidates[0] == _REFERENCE:
        return Choice(reference, None)
    images = sample(JUDGED + CALIBRATING)
    if not len(images):  # the job will say so
        return Choice(reference, None)
    calibration = images[1::3] if len(images) > 2 else images
    judged = torch.cat((images[::3], images[2::3]))
    expected = features_of(reference, judged)
    remarks: list[str] = []
    for name, arithmetic in candidates:
        if (name, arithmetic) == _REFERENCE:
            return Choice(reference, None, tuple(remarks))
        try:
            built = _build(task, name, arithmetic, calibration)
            agreed = agreement(expected, features_of(built, judged))
        except MissingExtraError:
            if backend != "auto":
                raise
            continue
        except Exception as error:  # compilers and converters fail in ways of their own
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
    """Yields what to try, the fastest first."""
    few = task.images < WORTH_A_CHOICE
    for arithmetic in _arithmetics(task, backend, precision, few):
        if backend != "auto":
            yield backend, arithmetic
        elif not task.on_processor or (few and arithmetic != "int8"):
            yield "eager", arithmetic
        else:
            for name in _ORDER[arithmetic]:
                if name != "compiled" or task.images >= WORTH_COMPILING:
                    yield name, arithmetic


def _arithmetics(task: Task, backend: str, precision: str, few: bool) -> tuple[Arithmetic, ...]:
    named: dict[str, Arithmetic] = {"float32": "float32", "bf16": "bf16", "int8": "int8"}
    if precision in named:
        return (named[precision],)
    if few and backend == "auto":
        return ("float32",)
    native = backend != "onnx" and choose_precision("auto", task.device) == "bf16"
    return ("bf16", "float32") if native else ("float32",)


_REFERENCE: tuple[str, Arithmetic] = ("eager", "float32")
_ORDER: dict[Arithmetic, tuple[str, ...]] = {
    "bf16": ("openvino", "compiled", "folded"),
    "float32": ("openvino", "onnx", "compiled", "folded", "eager"),
    "int8": ("openvino", "onnx"),
}


def _build(task: Task, name: str, arithmetic: Arithmetic, calibration: Tensor) -> Backend:
    network, size = task.network, task.image_size
    if arithmetic == "int8":
        int8 = openvino_int8_backend if name == "openvino" else onnx_int8_backend
        return int8(network, calibration)
    builders: dict[str, Callable[[Precision], Backend]] = {
        "eager": lambda precision: eager_backend(network, task.device, precision),
        "folded": lambda precision: folded_backend(network, size, precision),
        "compiled": lambda precision: compiled_backend(network, size, precision),
        "onnx": lambda _precision: onnx_backend(network, size),
        "openvino": lambda precision: openvino_backend(network, size, precision),
    }
    return builders[name](arithmetic)


def _check_names(task: Task, backend: str, precision: str) -> None:
    for option, value, known in (
        ("--backend", backend, BACKENDS),
        ("--precision", precision, PRECISIONS),
    ):
        if value not in known:
            raise ConfigError(f"{option} {value}: choose one of {', '.join(known)}")
    if backend == "onnx" and precision == "bf16":
        raise ConfigError("--backend onnx computes in float32 or int8; bf16 needs another one")
    if precision == "int8" and backend not in ("auto", "onnx", "openvino"):
        raise ConfigError(f"--backend {backend} has no int8; use onnx or openvino")
    if not task.on_processor and (precision == "int8" or backend not in ("auto", "eager")):
        what = "--precision int8" if precision == "int8" else f"--backend {backend}"
        raise ConfigError(f"{what} runs on the processor only; add --device cpu")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _nothing_left(remarks: list[str], precision: str) -> str:
    if remarks:
        return "; ".join(remarks) + "; use --backend auto --precision float32"
    return (
        f"--precision {precision} needs packages that are not installed; install them with: "
        "pip install 'apnet-reid[onnx,openvino]'"
    )
