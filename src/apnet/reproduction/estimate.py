"""How long a plan would take on this machine: a few real steps of each network, multiplied."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from apnet.config import Recipe
from apnet.devices import autocast, choose_precision
from apnet.losses import apnet_loss
from apnet.model import APNet, build_network
from apnet.progress import Progress
from apnet.reproduction.planning import Plan
from apnet.reproduction.records import read_record

_PIXELS = 600_000
"""About how many are in the batch that is timed; its time is taken to grow with the images."""
_STEPS = 2
_CLASSES = 751


@dataclasses.dataclass(frozen=True)
class Pace:
    """Seconds an image."""

    train: float
    test: float


def estimate(plan: Plan, out: Path, device: torch.device, progress: Progress) -> dict[str, Any]:
    """Times every distinct network of a plan, and adds up what its unfinished runs would take.

    Reading images and rendering people are left out.

    Args:
        plan: see ``make_plan``.
        out: the experiment's folder; its finished runs count as nothing.
        device: where the plan would run.
        progress: called with (networks timed, networks in all).

    Returns:
        JSON-ready: ``runs``, each with ``name``, ``finished`` and ``seconds``, and their sum.

    Raises:
        DataError: one of the user's data sets cannot be read, or a record is damaged.
    """
    sizes = {name: source.size() for name, source in plan.sources.items()}
    recipes = list({str(run.recipe.network): run.recipe for run in plan.runs}.values())
    paces: dict[str, Pace] = {}
    for recipe in recipes:
        paces[str(recipe.network)] = measured_pace(recipe, device)
        progress(len(paces), len(recipes))
    runs: list[dict[str, Any]] = []
    for run in plan.runs:
        finished = read_record(out, run.name) is not None
        pace = paces[str(run.recipe.network)]
        images = sizes[run.train].train * run.recipe.epochs
        tests = sum(sizes[name].test for name in run.tests)
        seconds = 0.0 if finished else images * pace.train + tests * pace.test
        runs.append({"name": run.name, "finished": finished, "seconds": round(seconds, 3)})
    return {
        "experiment": plan.experiment.name,
        "scale": plan.scale,
        "device": str(device),
        "data": {name: dataclasses.asdict(size) for name, size in sizes.items()},
        "runs": runs,
        "seconds": round(sum(run["seconds"] for run in runs), 3),
        "notes": list(plan.notes),
    }


def format_estimate(found: Mapping[str, Any]) -> str:
    """Returns a line for each run, and the sum."""
    lines = [
        f"{run['name']:44} {'finished' if run['finished'] else duration(run['seconds'])}"
        for run in found["runs"]
    ]
    return "\n".join(
        [
            *lines,
            f"\n{len(lines)} runs, about {duration(found['seconds'])} on {found['device']}, "
            "reading images and rendering people not counted",
        ]
    )


def duration(seconds: float) -> str:
    """Writes a time roughly: ``40 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def measured_pace(recipe: Recipe, device: torch.device) -> Pace:
    """Times real training steps and an evaluation batch of a network from random weights."""
    network = _built(recipe, device)
    size, sampling = recipe.network.image_size, recipe.sampling
    images_each = sampling.images_per_identity
    most = max(2, _PIXELS // math.prod((*size, images_each)))
    identities = min(sampling.identities_per_batch, most)
    labels = torch.arange(identities, device=device).repeat_interleave(images_each)
    images = torch.randn(len(labels), 3, *size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-6, fused=True)
    _step(network, optimizer, images, labels, recipe)
    begun = time.perf_counter()
    for _ in range(_STEPS):
        _step(network, optimizer, images, labels, recipe)
    trained = (time.perf_counter() - begun) / _STEPS
    network.eval()
    begun = time.perf_counter()
    with torch.inference_mode():
        network.embed(images).sum().item()
    tested = 2 * (time.perf_counter() - begun)  # the image and its mirror image
    return Pace(trained / len(images), tested / len(images))


def _built(recipe: Recipe, device: torch.device) -> APNet:
    config = dataclasses.replace(recipe.network, num_classes=_CLASSES)
    network = build_network(config)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _step(
    network: APNet,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
) -> None:
    with autocast(choose_precision(recipe.precision, images.device), images.device):
        output = network(images)
    loss = apnet_loss(output.pooled, output.logits, labels)
    optimizer.zero_grad(set_to_none=True)
    loss.total.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    loss.total.item()  # waits for the device
