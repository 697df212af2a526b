"""An exported file that is ready to compute. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.exported.metadata import ExportMetadata

MOST_BYTES = 2**31
"""Bytes of the largest file that is read."""


@dataclass(frozen=True)
class Opened:
    """A file's graph and metadata.

    Attributes:
        metadata: what the file says about itself.
        run: its input, see ``metadata.pixels``, to (N, D) float32.
    """

    metadata: ExportMetadata
    run: Callable[[NDArray[Any]], NDArray[np.float32]]
