"""Images decoded ahead of the network: threads fill a bounded window, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from apnet.data import read_image
from apnet.data.transforms import resize
from apnet.errors import ImageError
from apnet.types import ImageRecord


@dataclass
class ImageBatch:
    """Consecutive images that can be used, and those among them that cannot."""

    records: list[ImageRecord] = field(default_factory=list)
    """The usable images."""

    pixels: list[Tensor] = field(default_factory=list)
    """(3, H, W) uint8 of each."""

    faults: list[tuple[ImageRecord, ImageError]] = field(default_factory=list)
    """Images left out, and why."""

    def images(self) -> Tensor:
        """Returns the usable images as (B, 3, H, W) uint8."""
        return torch.stack(self.pixels)


def decoded_batches(
    records: Sequence[ImageRecord],
    size: tuple[int, int],
    batch_size: int,
    *,
    threads: int = 1,
    skip: bool = False,
) -> Iterator[ImageBatch]:
    """Decodes and resizes while the caller works on the batch before.

    At most two batches wait, as uint8: 6 * B * H * W bytes, whatever the number of images.

    Args:
        records: the images.
        size: H and W in pixels.
        batch_size: B, usable images in a batch; the last batch may hold fewer.
        threads: that decode, 1 or more.
        skip: whether images that cannot be used are left out and noted in their batch.

    Yields:
        Batches in the order of the records.

    Raises:
        ImageError: an image cannot be used, and ``skip`` is off; those before it were yielded.
    """

    def decode(record: ImageRecord) -> Tensor:
        return resize(read_image(record.path), size)

    left = iter(records)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        waiting: deque[tuple[ImageRecord, Future[Tensor]]] = deque(
            (record, pool.submit(decode, record)) for record in islice(left, 2 * batch_size)
        )
        batch = ImageBatch()
        while waiting:
            record, future = waiting.popleft()
            waiting.extend((next_, pool.submit(decode, next_)) for next_ in islice(left, 1))
            try:
                batch.pixels.append(future.result())
                batch.records.append(record)
            except ImageError as error:
                if not skip:
                    if batch.records:
                        yield batch
                    raise
                batch.faults.append((record, error))
            if len(batch.records) == batch_size or len(batch.faults) == batch_size:
                yield batch
                batch = ImageBatch()
        if batch.records or batch.faults:
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
