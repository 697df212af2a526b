"""A network whose arithmetic, device and graph are fixed, such as one in an exported file."""

from __future__ import annotations

from torch import Tensor, nn

from apnet.embedding.backends import Arithmetic, Backend
from apnet.errors import ConfigError
from apnet.model import APNet


class FixedNetwork(nn.Module):
    """A network that is computed in one way only; it stands where engines take an ``APNet``.

    Args:
        backend: computes its features.
        feature_dim: D, numbers per feature.

    Attributes:
        precision: its arithmetic.
    """

    def __init__(self, backend: Backend, feature_dim: int) -> None:
        super().__init__()
        self.feature_dim = feature_dim
        self.precision: Arithmetic = backend.precision
        self._backend = backend

    def embed(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W), normalised, to (N, feature_dim)."""
        return self._backend.run(images)

    def backend(self, precision: str = "auto", engine: str = "auto") -> Backend:
        """Returns what computes the features.

        Args:
            precision: ``auto``, ``float32`` (the default of most verbs) or its own arithmetic.
            engine: ``auto``.

        Raises:
            ConfigError: another arithmetic or engine is asked for.
        """
        if engine != "auto":
            raise ConfigError(
                f"--backend {engine}: {self._backend.name} runs in one way only; leave it out"
            )
        if precision not in ("auto", "float32", self.precision):
            raise ConfigError(
                f"--precision {precision}: {self._backend.name} computes in {self.precision} only; "
                "leave it out"
            )
        return self._backend


Embeddable = APNet | FixedNetwork
"""What images are embedded with."""
