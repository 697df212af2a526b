"""What an engine is: how a back-end is built, in which arithmetic, and when that pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from apnet.embedding.backends import Arithmetic, Backend
from apnet.model import APNet

WORTH_BUILDING = 512
"""With fewer images, the reference is done before another back-end is built and compared."""


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
class Engine:
    """A way to build back-ends, and when ``--backend auto`` tries it.

    Attributes:
        build: called with the task, one of ``precisions``, and (N, 3, H, W) normalised images of
            the user's from which the ranges of 8-bit numbers may be taken. Raises
            ``MissingExtraError`` where its package is not installed.
        precisions: the arithmetics that it offers, float32 among them.
        order: engines with smaller numbers are tried first.
        worth_from: number of images from which building it saves time.
        on_gpu: whether it also runs on GPUs; else on the CPU only.
    """

    build: Callable[[Task, Arithmetic, Tensor], Backend]
    precisions: tuple[Arithmetic, ...]
    order: int
    worth_from: int = WORTH_BUILDING
    on_gpu: bool = False

    def runs(self, task: Task, precision: str) -> bool:
        """Whether it can do a task in an arithmetic; ``auto`` stands for any."""
        offered = precision == "auto" or precision in self.precisions
        return offered and (self.on_gpu or task.on_processor)
