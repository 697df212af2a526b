"""A training step beside the literal one, and whether the images arrive fast enough.

    python benchmarks/training.py [--device cpu|cuda] [--small] [--json] [--runs N] [--batch N]
                                  [--peers [FOLDER]]

On a processor: processor seconds of one thread, medians of several runs. On a GPU: images
a second in bf16 at the paper's shapes, eager and compiled, and which share that is of the rate of
a large matrix product measured in the same run. ``--peers`` times a step of torchreid's ResNet-50
(fc512) with its own losses, in float32, as its engine makes it. Expect five minutes.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import peers
import torch
from common import Row, medians, not_here, one_thread, options, report, row
from PIL import Image
from pyramid import images, network
from torch import Tensor, nn
from torch.nn import functional

from apnet.data import PKBatches, TrainingTransform, training_batches
from apnet.devices import (
    Precision,
    autocast,
    choose_device,
    choose_precision,
    keep_freed_memory,
)
from apnet.losses import apnet_loss
from apnet.model import APNet, AttentionPyramid, Stage, network_cost
from apnet.types import ImageRecord

PAPER = {"apnet-c0": (384, 192), "apnet-c2": (384, 192), "apnet-s2": (256, 128)}
GPU_BATCH, GPU_PRODUCT, PRODUCTS = 80, 8192, 20
TINY = {"apnet-c2-small": (64, 32)}
STEPS = 5
"""Over which the losses of both arithmetics are compared."""

PEER_NETWORK = "resnet50_fc512"
PEER_STEP = """
import json, statistics, sys, time
import torch
from torchreid.reid.losses import CrossEntropyLoss, TripletLoss
from torchreid.reid.models import build_model
from torchreid.reid.optim import build_optimizer
torch.set_num_threads(1)
name, height, width, batch, runs = json.loads(sys.stdin.read())
model = build_model(name, num_classes=751, loss="triplet", pretrained=False, use_gpu=False).train()
optimizer = build_optimizer(model, optim="adam", lr=3e-4)
softmax, triplet = CrossEntropyLoss(751, use_gpu=False), TripletLoss(0.3)
images, labels = torch.randn(batch, 3, height, width), torch.arange(batch) // 4
taken = []
for _ in range(runs + 1):
    start = time.process_time()
    logits, features = model(images)
    loss = triplet(features, labels) + softmax(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    taken.append(time.process_time() - start)
print(json.dumps(statistics.median(taken[1:])))
"""


class LiteralPyramid(nn.Module):
    """Eq. 1-3 and 5: every level pools its own map and multiplies it."""

    def __init__(self, pyramid: AttentionPyramid) -> None:
        super().__init__()
        self.attends = pyramid.attends

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape."""
        for attend in self.attends:
            column = x.mean(dim=(2, 3)).unsqueeze(2)  # (N, C, 1)
            squeezed = functional.conv1d(
                column, attend.squeeze.weight, groups=attend.squeeze.groups
            )
            logits = functional.conv1d(
                torch.relu(squeezed), attend.excite.weight, groups=attend.excite.groups
            )
            x = x * torch.sigmoid(logits)[..., None]  # (N, C, 1, 1)
        return x


def literal_network(model: APNet) -> APNet:
    """A copy with the same weights, contiguous maps and literal pyramids."""
    literal = copy.deepcopy(model).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for stage in literal.modules():
        if isinstance(stage, Stage) and isinstance(stage.pyramid, AttentionPyramid):
            stage.pyramid = LiteralPyramid(stage.pyramid)  # type: ignore[assignment]
    return literal


def stepper(
    model: APNet, inputs: Tensor, precision: Precision, *, fused: bool = True
) -> Callable[[], float]:
    """One training step as the package's loop makes it; returns the loss."""
    model.train()
    device = inputs.device
    labels = torch.arange(len(inputs), device=device) // 4
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    settings: dict[str, bool] = {"fused": True} if fused else {"foreach": False}
    optimizer = torch.optim.Adam(weights, lr=4e-4, **settings)

    def work() -> float:
        with autocast(precision, device):
            output = model(inputs)
        loss = apnet_loss(output.pooled, output.logits, labels).total
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return work


def processor_rows(
    size: tuple[int, int], batch: int, runs: int, peer: Path | None
) -> Iterator[Row]:
    precision = choose_precision("auto", torch.device("cpu"))
    model, inputs = network("apnet-c2", size), images(batch, size)
    first = "loss apart from float32, first step, relative"
    later = f"loss apart from float32 over {STEPS} steps, relative"
    if precision == "bf16":
        losses = [loss_curve(copy.deepcopy(model), inputs, kind) for kind in (precision, "float32")]
        apart = [abs(a - b) / b for a, b in zip(*losses, strict=True)]
        yield row(first, apart[0], at_most=1e-3)
        yield row(later, max(apart), at_most=1e-3)
    else:
        yield from (not_here(first), not_here(later))
    literal = stepper(literal_network(model), inputs.contiguous(), "float32", fused=False)
    (theirs,) = medians([literal], runs)  # first, while the allocator is as it comes
    keep_freed_memory()  # as commands do
    (ours,) = medians([stepper(model, inputs, precision)], runs)
    least = 3 if precision == "bf16" else None  # the goal is that of a step in bf16
    yield row(f"literal step over ours, batch {batch}", theirs / ours, at_least=least)
    made = pipeline_rate(size, batch, runs) / (batch / ours)
    yield row("images that the pipeline makes in the time of a step, batches", made, at_least=1)
    if peer is not None:
        asked = [PEER_NETWORK, *size, batch, runs]
        yield peers.peer_row(
            f"torchreid's step of {PEER_NETWORK} over ours",
            lambda: peers.ask(peer, PEER_STEP, asked) / ours,
        )


def loss_curve(model: APNet, inputs: Tensor, precision: Precision) -> list[float]:
    step = stepper(model, inputs, precision)
    return [step() for _ in range(STEPS)]


def pipeline_rate(size: tuple[int, int], batch: int, runs: int) -> float:
    """Images a processor second: JPEG files of half the size decoded, resized and augmented."""
    with tempfile.TemporaryDirectory() as folder:
        records = [
            ImageRecord(write_image(Path(folder) / f"{n}.jpg", size, n), n // 4)
            for n in range(4 * batch)
        ]
        labels = [record.pid for record in records]
        batches = PKBatches(labels, max(batch // 4, 1), 4, 0)
        transform = TrainingTransform(size)
        rates = []
        for epoch in range(runs):
            start = time.process_time()
            made = training_batches(records, labels, batches, transform, seed=0, epoch=epoch)
            count = sum(len(each.images) for each in made)
            rates.append(count / (time.process_time() - start))
    return statistics.median(rates)


def write_image(path: Path, size: tuple[int, int], seed: int) -> Path:
    """Blurred noise, which compresses about as a photograph does."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((size[1] // 2, size[0] // 2), Image.Resampling.BICUBIC)
    picture.save(path, quality=90)
    return path


def gpu_rows(
    shapes: dict[str, tuple[int, int]], batch: int, runs: int, device: torch.device
) -> Iterator[Row]:
    """Images a second of each network, eager and compiled; no goals."""
    edge = GPU_PRODUCT if device.type == "cuda" else 512
    peak = product_rate(edge, device)
    yield row("matrix product, bf16, TFLOP/s", peak / 1e12)
    for name, size in shapes.items():
        work = 6 * network_cost(network(name, size), size).multiply_adds  # forward and backward
        for compiled in (False, True):
            model = network(name, size).to(device)
            if compiled:
                model.compile()
            inputs = images(batch, size).to(device)
            rate = batch / seconds(stepper(model, inputs, "bf16"), runs, device)
            how = "compiled" if compiled else "eager"
            yield row(f"{name} {how}, images/s", rate)
            yield row(f"{name} {how}, share of the product's rate", rate * work / peak)


def product_rate(edge: int, device: torch.device) -> float:
    """Floating-point operations a second of a square bf16 matrix product."""
    matrix = torch.randn(edge, edge, device=device, dtype=torch.bfloat16)

    def work() -> None:
        for _ in range(PRODUCTS):
            matrix @ matrix

    return PRODUCTS * 2 * edge**3 / seconds(work, 3, device)


def seconds(work: Callable[[], object], runs: int, device: torch.device) -> float:
    """Median wall seconds after two runs unmeasured."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    taken = []
    for _ in range(runs + 2):
        wait()
        start = time.perf_counter()
        work()
        wait()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[2:])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--batch", type=int, default=32, help="images of a step on a processor")
    peers.add_option(parser)
    given = parser.parse_args()
    if given.device == "cuda":
        device = choose_device("cpu" if given.small else "cuda")  # small: without a GPU
        shapes, batch = (TINY, 8) if given.small else (PAPER, GPU_BATCH)
        name = None if given.small else f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
        report(gpu_rows(shapes, batch, given.runs, device), given, name)
        return
    one_thread()
    size, batch = ((64, 32), 8) if given.small else ((256, 128), given.batch)
    report(processor_rows(size, batch, given.runs, given.peers), given)


if __name__ == "__main__":
    main()
