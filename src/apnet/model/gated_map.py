"""A map under the gates of the pyramid levels so far, multiplied in as late as possible (Eq. 3)."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from apnet.model.fast.channels_last import pool, scale


class GatedMap:
    """X_i = g_1 * ... * g_i * X, whose gates are multiplied into X only when the map is needed.

    A level asks for what it looks at, and that decides what is computed:

    * ``average``: a gate that is constant over space passes the pooling, so one pooling of X serves
      every level.
    * ``apart``: a gate that is constant over channels passes an operation that is linear at each
      node, so X can be projected without the gates.
    * ``map``: the map itself.

    Each is exact. Gates of different shapes are not kept together: their product would be as large
    as the map.

    Args:
        x: (N, C, ...), X.
    """

    def __init__(self, x: Tensor) -> None:
        self._x = x
        self._gates: tuple[Tensor, ...] = ()
        self._average: Tensor | None = None
        self._averaged = 0  # gates that are part of the average

    @property
    def space(self) -> int:
        """Number of dimensions of a map behind its channels."""
        return self._x.ndim - 2

    def map(self) -> Tensor:
        """Returns X_i, (N, C, ...)."""
        if self._gates:
            if self._averaged < len(self._gates):
                self._average = None
            self._x = scale(self._x, self._product())
            self._gates, self._averaged = (), 0
        return self._x

    def average(self) -> Tensor:
        """Returns the average of X_i over space, (N, C)."""
        if self._gates and any(length > 1 for length in self._gates[0].shape[2:]):
            self.map()
        if self._average is None:
            self._average, self._averaged = pool(self._x), 0
        for gate in self._gates[self._averaged :]:
            self._average = self._average * gate.flatten(1)  # (N, C, 1, 1) -> (N, C)
        self._averaged = len(self._gates)
        return self._average

    def apart(self) -> tuple[Tensor, Tensor | None]:
        """Returns a map and a gate (N, 1, ...), or ``None``, whose product is X_i."""
        if self._gates and self._gates[0].shape[1] != 1:
            self.map()
        return self._x, self._product() if self._gates else None

    def times(self, gate: Tensor) -> GatedMap:
        """Returns X_{i+1} = gate * X_i; the gate broadcasts over the map."""
        if self._gates and self._gates[0].shape != gate.shape:
            self.map()
        after = GatedMap(self._x)
        after._gates = (*self._gates, gate)
        if all(length == 1 for length in gate.shape[2:]):
            after._average, after._averaged = self._average, self._averaged
        return after

    def _product(self) -> Tensor:
        return functools.reduce(torch.mul, self._gates)
