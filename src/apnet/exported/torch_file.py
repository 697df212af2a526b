"""Opens exported PyTorch programs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.errors import CheckpointError, DataError
from apnet.exported.metadata import Pixels, read_metadata
from apnet.exported.opened import MOST_BYTES, Opened
from apnet.exported.torch_archive import EXTRA, checked_members, rewritten
from apnet.files import read_bytes, shortened


def open_torch(path: Path) -> Opened:
    """Opens a ``.pt2`` file on the CPU, after a check that nothing in it would run.

    Raises:
        DataError: the file cannot be read.
        CheckpointError: it is no exported program, holds what might run, or was not exported by
            this package.
    """
    content = read_bytes(path, MOST_BYTES)
    try:
        members = checked_members(content)
        text = members[EXTRA].decode("utf-8", "replace") if EXTRA in members else None
        metadata = read_metadata(text, path)
        archive = rewritten(members, example_input(metadata.pixels, metadata.input_size))
        module = torch.export.load(io.BytesIO(archive)).module()
    except CheckpointError:
        raise
    except DataError as error:
        raise CheckpointError(f"{path}: {error}; export the network again") from None
    except Exception as error:  # torch's errors about damaged programs have no common base
        raise CheckpointError(
            f"{path}: a damaged program ({shortened(str(error), 160)}); export it again"
        ) from None

    def run(images: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            features: NDArray[np.float32] = module(torch.from_numpy(images)).numpy()
        return features

    return Opened(metadata, run)


def example_input(pixels: Pixels, size: tuple[int, int]) -> Tensor:
    """Returns an input of two black images.

    Args:
        pixels: what the input holds.
        size: H and W in pixels.
    """
    if pixels == "uint8":
        return torch.zeros((2, *size, 3), dtype=torch.uint8)
    return torch.zeros((2, 3, *size))
