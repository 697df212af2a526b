"""Embedding at speed: the automatic back-end and 8 bits against eager float32, and a peer.

    python benchmarks/embedding.py [--small] [--json] [--peers [FOLDER]] [--runs N]

The network is a ResNet-50 with the channel pyramid (``apnet-c2``) at 256x128. Its weights are
random; the batch norms' averages, the neck's among them, are taken from other images of the same
kind, without which all features would point one way. Images are synthetic people that the script
renders. Times are processor seconds of one thread, medians of several runs. ``--peers``
lets torchreid's ResNet-50 read the same JPEG files. Expect ten minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import peers
import torch
from common import Row, has_bf16, medians, not_here, one_thread, options, report, row
from torch import nn

from apnet.data.image_paths import list_images
from apnet.data.transforms import normalise
from apnet.devices import keep_freed_memory
from apnet.embedding import (
    Choice,
    EmbedOptions,
    Task,
    choose_backend,
    embed_records,
    embed_stream,
    sample_images,
)
from apnet.embedding.engines.eager import eager_backend
from apnet.embedding.stream import decoded_batches
from apnet.errors import ConfigError
from apnet.model import APNet, create_network
from apnet.types import ImageRecord

FULL = {"network": "apnet-c2", "size": (256, 128), "people": 24, "batch": 32, "peer": "resnet50"}
SMALL = {"network": "apnet-c2-small", "size": (64, 32), "people": 8, "batch": 16,
         "peer": "osnet_x0_25"}  # fmt: skip
CPU = torch.device("cpu")
MANY = 10_000
"""Images that the choice is told of; enough for a back-end to be worth its making."""

PEER_EXTRACTION = """
import json, statistics, sys, tempfile, time
import torch
from torchreid.reid.models import build_model
from torchreid.reid.utils import FeatureExtractor
torch.set_num_threads(1)
model, height, width, files, runs = json.loads(sys.stdin.read())
with tempfile.NamedTemporaryFile(suffix=".pth") as file:  # without one it would download weights
    made = build_model(model, num_classes=1, pretrained=False, use_gpu=False)
    torch.save({"state_dict": made.state_dict()}, file.name)
    extract = FeatureExtractor(model, file.name, (height, width), device="cpu", verbose=False)
taken = []
for _ in range(runs + 1):
    start = time.process_time()
    extract(files)
    taken.append(time.process_time() - start)
print(json.dumps(statistics.median(taken[1:])))
"""


COMMAND = """
from pathlib import Path
from apnet.cli import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""
"""A command line in a fresh process, and the most KiB that it held."""


def render(folder: Path, people: int) -> list[ImageRecord]:
    """Renders people and returns their images."""
    command = [sys.executable, "-m", "apnet", "data", "make", str(folder), "--ids", str(people),
               "--images", "8"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return list(list_images([folder]).gallery)


@torch.no_grad()
def calibrated(name: str, size: tuple[int, int], records: list[ImageRecord]) -> APNet:
    """A network with random weights whose batch norms know these images."""
    torch.manual_seed(0)
    network = create_network(name, image_size=size).train()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # a plain mean over the batches
    for batch in decoded_batches(records, size, 32):
        network(normalise(batch.images()))
    return network.eval()


def chosen(network: APNet, size: tuple[int, int], records: list[ImageRecord],
           precision: str) -> Choice | None:  # fmt: skip
    """What the package would compute with; nothing where the arithmetic is not to be had."""
    try:
        return choose_backend(
            Task(network, size, MANY, CPU),
            lambda count: sample_images(records, size, count),
            precision=precision,
        )
    except ConfigError as error:
        print(error, file=sys.stderr)
        return None


def eager_seconds(network: APNet, images: np.ndarray, runs: int) -> tuple[float, float]:
    """Of a batch, with the allocator as it comes, and from then on as commands have it."""
    embed = torch.inference_mode()(partial(network.embed, images))
    (base,) = medians([embed], runs)
    keep_freed_memory()
    (kept,) = medians([embed], runs)
    return base, kept


def engines(
    fast: Choice, small: Choice | None, base: float, images: np.ndarray, runs: int
) -> Iterator[Row]:
    """The network alone, on one batch."""
    for choice, times, goal in ((fast, 3.8, {"at_least": 0.999}), (small, 7.0, {})):
        if choice is fast and not has_bf16():
            yield not_here("bf16 over eager float32, times")
            yield not_here("bf16: rank agreement, smallest cosine")
        elif choice is not None:
            (ours,) = medians([partial(choice.backend.run, images)], runs)
            yield row(f"{choice.backend} over eager float32, times", base / ours, at_least=times)
            yield from agreements(choice, **goal)


def agreements(choice: Choice, **goal: float) -> Iterator[Row]:
    agreed = choice.agreement
    if agreed is not None:
        yield row(f"{choice.backend}: rank agreement", agreed.ranks, **goal)
        yield row(f"{choice.backend}: agreement of all orders", agreed.orders)
        yield row(f"{choice.backend}: smallest cosine", agreed.cosine, **goal)


def from_files(choice: Choice, records: list[ImageRecord], size: tuple[int, int]) -> None:
    """Decoding included, without mirror images, as the peer does."""
    for _ in embed_stream(choice.backend, records, EmbedOptions(size, flip=False)):
        pass


def same_as_reference(network: APNet, records: list[ImageRecord], size: tuple[int, int]) -> float:
    """Largest difference of an eager float32 job's features from ``embed_records``."""
    expected = embed_records(network, records, size).features
    batches = embed_stream(eager_backend(network, CPU, "float32"), records, EmbedOptions(size))
    return float(np.abs(np.concatenate([b.features for b in batches]) - expected).max())


def peak_of_command(records: list[ImageRecord], copies: int, folder: Path) -> int:
    """KiB that ``apnet embed`` with the shipped network needs for so many copies of images."""
    images = folder / f"{copies}-times"
    images.mkdir()
    for number in range(copies):
        for record in records:
            (images / f"{number}-{record.path.name}").hardlink_to(record.path)
    asked = ["embed", images, "--out", folder / f"{copies}.store", "--backend", "eager"]
    command = [sys.executable, "-c", COMMAND, *map(str, asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])


def measured(setting: dict, folder: Path, peer: Path | None, runs: int) -> Iterator[Row]:
    size, records = setting["size"], render(folder / "people", setting["people"])
    learned, asked = records[::2], records[1::2]
    network = calibrated(setting["network"], size, learned)
    images = sample_images(asked, size, setting["batch"])
    base, kept = eager_seconds(network, images, runs)
    yield row("eager float32 whose memory is kept over eager float32, times", base / kept)
    fast, small = (chosen(network, size, asked, precision) for precision in ("auto", "int8"))
    assert fast is not None
    yield from engines(fast, small, base, images, runs)
    few = asked[: setting["batch"]]
    yield row("eager job apart from embed_records", same_as_reference(network, few, size),
              at_most=1e-5)  # fmt: skip
    few_kib, many_kib = (peak_of_command(records, copies, folder) for copies in (3, 24))
    yield row("apnet embed: peak memory of 8 times the images", many_kib / few_kib, at_most=1.1)
    if peer is not None and not has_bf16():
        yield not_here(f"JPEG files, bf16 over torchreid's {setting['peer']}, times")
    elif peer is not None:
        (ours,) = medians([partial(from_files, fast, asked, size)], runs)
        question = [setting["peer"], *size, [str(record.path) for record in asked], runs]
        yield peers.peer_row(
            f"JPEG files, {fast.backend} over torchreid's {setting['peer']}, times",
            lambda: peers.ask(peer, PEER_EXTRACTION, question) / ours,
            at_least=4.0,
        )


def main() -> None:
    parser = options(__doc__)
    peers.add_option(parser)
    given = parser.parse_args()
    one_thread()
    setting = SMALL if given.small else FULL
    with tempfile.TemporaryDirectory() as folder:
        report(measured(setting, Path(folder), given.peers, given.runs), given)


if __name__ == "__main__":
    main()
