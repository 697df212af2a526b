"""The network that ships with the package: trained on synthetic people, for crops of any origin."""

from __future__ import annotations

from importlib import resources

from apnet.checkpoints import Checkpoint, load_checkpoint
from apnet.errors import CheckpointError

SHIPPED = resources.files("apnet") / "weights" / "people.safetensors"
"""The weights file in the installed package; ``weights/README.md`` beside it says what it is."""


def default_checkpoint() -> Checkpoint:
    """Loads the shipped network.

    Raises:
        CheckpointError: this installation has no weights, or they are damaged.
    """
    if not SHIPPED.is_file():
        raise CheckpointError(
            f"{SHIPPED}: this installation of apnet has no weights; install a released version, "
            "or name a run folder or checkpoint of your own"
        )
    with resources.as_file(SHIPPED) as path:
        return load_checkpoint(path)
