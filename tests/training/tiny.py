"""Tiny pictures, recipes, networks and callbacks for the tests of training."""

import dataclasses
import os
import signal
from pathlib import Path

import torch

from apnet.checkpoints import read_tensors
from apnet.config import Recipe, override, parse
from apnet.data import load_dataset
from apnet.model import build_network
from apnet.training import NoCallback, RunFolder
from apnet.types import ReidDataset
from market_people import write_people

_RECIPE = {
    "network": {
        "backbone": "resnet10t",
        "backbone_options": {"channels": [8, 8, 16, 16], "stem_width": 8},
        "parts": [1, 2],
        "reduction": 4,
        "image_size": [32, 16],
    },
    "optimiser": {"learning_rate": 1e-3},
    "schedule": {"decay_every": 2, "warmup_epochs": 1},
    "sampling": {"identities_per_batch": 2, "images_per_identity": 2},
    "augmentation": {"pad": 2},
    "epochs": 3,
    "weights": "random",
    "precision": "float32",
    "evaluate_every": 0,
}


def tiny(*assignments: str) -> Recipe:
    """Returns a recipe that trains for a second, with settings changed."""
    return parse(Recipe, override(_RECIPE, assignments), "tiny")


def people(root: Path, seed: int = 0, first: int = 1) -> ReidDataset:
    """Returns such a set, written anew."""
    return load_dataset("market1501", write_people(root, seed, first))


def network_of(recipe: Recipe, seed: int = 0, classes: int = 4):
    """Returns the recipe's network, with its classifier and weights of its own."""
    torch.manual_seed(seed)
    return build_network(dataclasses.replace(recipe.network, num_classes=classes))


class StopAt(NoCallback):
    """Sends SIGINT to this process after a step."""

    def __init__(self, epoch: int, step: int) -> None:
        self._place = (epoch, step)

    def step(self, epoch, step, steps, loss, rate):
        if (epoch, step) == self._place:
            os.kill(os.getpid(), signal.SIGINT)


class Recorder(torch.optim.SGD):
    """Notes the gradients of every update."""

    def __init__(self, groups, seen) -> None:
        super().__init__(groups, lr=0.1)
        self._seen = seen

    def step(self, closure=None):
        weights = [weight for group in self.param_groups for weight in group["params"]]
        self._seen.append([weight.grad.clone() for weight in weights])
        return super().step(closure)


def weights_in(run: Path) -> dict[str, torch.Tensor]:
    """Returns the saved result of a run."""
    return read_tensors(RunFolder(run).last)[0]


def same(first, second) -> bool:
    """Whether two dictionaries of tensors are equal bit for bit."""
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )
