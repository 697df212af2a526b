"""Runs rendering jobs in this process or in a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import ThreadpoolController, threadpool_limits

from apnet.errors import DataError

MAX_WORKERS = 61
"""Largest pool of processes that Windows supports."""


@dataclass(frozen=True)
class Job:
    """One unit of work; an interrupted set continues with the jobs that are not finished.

    Attributes:
        run: renders and saves the images; can be pickled.
        images: number of images that it renders.
    """

    run: Callable[[], None]
    images: int


def run_jobs(out: Path, jobs: Sequence[Job], workers: int) -> Iterator[Job]:
    """Runs all jobs and yields each one when it is finished, in any order.

    Args:
        out: folder of the set, for the error.
        jobs: the work.
        workers: number of processes; 0 or 1 runs the jobs in this process.

    Raises:
        DataError: a process of the pool ended unexpectedly.
    """
    return _run_in_pool(out, jobs, workers) if workers > 1 else _run_here(jobs)


def _run_here(jobs: Sequence[Job]) -> Iterator[Job]:
    libraries = ThreadpoolController()
    for job in jobs:
        with libraries.limit(limits=1):  # some matrix products round differently in several threads
            job.run()
        yield job


def _run_in_pool(out: Path, jobs: Sequence[Job], workers: int) -> Iterator[Job]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, MAX_WORKERS), context, _start_process) as pool:
        futures: dict[Future[None], Job] = {pool.submit(job.run): job for job in jobs}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BrokenProcessPool:
            raise DataError(
                f"{out}: a rendering process ended unexpectedly; call make_people from below "
                "'if __name__ == \"__main__\":', or render in one process with workers=0; "
                "the same call continues where this one stopped"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start_process() -> None:
    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process stops the pool
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the parent was killed, so nothing else stops this process
