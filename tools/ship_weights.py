"""Makes the small file that the package ships out of a trained network.

    python tools/ship_weights.py runs/people src/apnet/weights/people.safetensors \
        --data "people-train, version 1, SHA-256 ..."

The classifier goes, as it knows the training identities alone, and weights become float16. The
header tells where the file comes from: the recipe and facts of the run, and its fingerprint.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from apnet.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from apnet.config import to_dict
from apnet.errors import ApnetError, CheckpointError
from apnet.files import atomic_write
from apnet.model import build_network
from apnet.training import RunFolder

LIMIT = 8 * 10**6
"""Bytes; every installation of the package downloads them."""


def ship(source: Path, out: Path, data: str) -> Checkpoint:
    """Writes the file and returns what it holds.

    Args:
        source: a run folder or checkpoint.
        out: the file to write.
        data: what the network was trained on, for its header.

    Raises:
        CheckpointError: the source is no checkpoint, its weights do not fit float16, or the result
            is larger than ``LIMIT``.
        ConfigError: the network's feature is its classifier's output.
    """
    whole = load_checkpoint(source)
    network, config = without_classifier(whole)
    facts = {
        "name": out.stem,
        "recipe": recipe_of(whole.path),
        "run": {**whole.facts, "data": data},
        "fingerprint": whole.fingerprint,
    }
    with atomic_write(out) as part:
        save_checkpoint(part, network, config, facts, half=True)
        if (size := part.stat().st_size) > LIMIT:
            raise CheckpointError(
                f"{source}: would take {size / 1e6:.1f} MB of the {LIMIT / 1e6:.0f} that are "
                "shipped; train a smaller network"
            )
    return load_checkpoint(out)


def without_classifier(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """Returns the network that only embeds, and its config."""
    config = dataclasses.replace(checkpoint.config, num_classes=0)
    network = build_network(config)
    state = checkpoint.network.state_dict()
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    return network.eval(), config


def recipe_of(checkpoint: Path) -> dict[str, Any] | None:
    """Returns the recipe of the run folder that a checkpoint lies in, if it lies in one."""
    run = RunFolder(checkpoint.parent)
    return to_dict(run.recipe()) if (run.root / "run.json").is_file() else None


@torch.inference_mode()
def agreement(first: Checkpoint, second: Checkpoint) -> float:
    """Returns the lowest cosine between two networks' embeddings of the same random images."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(16, 3, *first.config.image_size, generator=generator)
    similarity = functional.cosine_similarity(
        first.network.embed(images), second.network.embed(images)
    )
    return similarity.min().item()


def main() -> None:
    """Reads the command line; one line and exit code 1 for what cannot be shipped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="a run folder or .safetensors file")
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--data", required=True, help="what it was trained on: name, version, hash")
    given = parser.parse_args()
    try:
        shipped = ship(given.checkpoint, given.out, given.data)
        cosine = agreement(load_checkpoint(given.checkpoint), shipped)
    except ApnetError as error:
        sys.exit(f"error: {error}")
    size = given.out.stat().st_size / 1e6
    sys.stdout.write(
        f"{given.out}: {size:.2f} MB, sha256:{shipped.fingerprint}, "
        f"cosine with the original on noise at least {cosine:.6f}\n"
    )


if __name__ == "__main__":
    main()
