"""Pictures of several requests that go through the network together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from apnet.service.limits import Limits

Features = NDArray[np.float32]
Embed = Callable[[list[Tensor]], Features]
"""Turns N pictures (3, H, W) uint8 into features (N, D)."""


class BusyError(Exception):
    """There is more to do than can be done in time."""


@dataclass
class _Job:
    pictures: Sequence[Tensor]
    features: Future[Features] = field(default_factory=Future)


class Batcher:
    """Embeds pictures of many threads in one, several requests at a time.

    Args:
        embed: called in one thread only.
        limits: how many pictures go together, how long they wait, and how long a request may take.
        observe: called with the number of pictures of each batch.
    """

    def __init__(self, embed: Embed, limits: Limits, observe: Callable[[int], None]) -> None:
        self._embed, self._limits, self._observe = embed, limits, observe
        self._waiting: queue.Queue[_Job | None] = queue.Queue(limits.concurrent)
        self._thread = threading.Thread(target=self._work, name="embedding", daemon=True)
        self._thread.start()

    def embed(self, pictures: Sequence[Tensor]) -> Features:
        """Returns the features (N, D) of N pictures (3, H, W) uint8.

        Raises:
            BusyError: the queue is full, or they were not embedded in time.
        """
        job = _Job(pictures)
        try:
            self._waiting.put_nowait(job)
            return job.features.result(self._limits.seconds)
        except (queue.Full, OutOfTime):
            job.features.cancel()
            raise BusyError from None

    def close(self) -> None:
        """Ends the thread after what is waiting."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            jobs, last = self._collected(first)
            self._carry_out([each for each in jobs if each.features.set_running_or_notify_cancel()])
            if last:
                return

    def _collected(self, first: _Job) -> tuple[list[_Job], bool]:
        """Returns jobs for one batch, and whether the end was asked for."""
        jobs, count = [first], len(first.pictures)
        end = time.monotonic() + self._limits.batch_wait
        while count < self._limits.batch:
            try:
                job = self._waiting.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
            count += len(job.pictures)
        return jobs, False

    def _carry_out(self, jobs: Sequence[_Job]) -> None:
        pictures = [picture for job in jobs for picture in job.pictures]
        try:
            features = self._embed(pictures) if pictures else np.empty((0, 0), np.float32)
        except Exception as error:
            for job in jobs:
                job.features.set_exception(error)
            return
        self._observe(len(pictures))
        start = 0
        for job in jobs:
            job.features.set_result(features[start : start + len(job.pictures)])
            start += len(job.pictures)
