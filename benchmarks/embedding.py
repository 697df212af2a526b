"""Embedding at speed: the automatic back-end and 8 bits against eager float32, and a peer.

    python benchmarks/embedding.py [--small] [--json] [--peers] [--runs N]

The network is a ResNet-50 with the channel pyramid (``apnet-c2``) at 256x128. Its weights are
random; the batch norms' averages, the neck's among them, are taken from other images of the same
kind, without which all features would point one way. Images are synthetic people that the script
renders. Times are processor seconds of one thread, medians of runs that take turns. ``--peers``
makes a virtual environment with torchreid 0.2.5, whose ResNet-50 reads the same JPEG files. Expect
ten minutes. The goals hold at full size; ``--small`` shows that the benchmark runs.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries are loaded
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import copy
import json
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from apnet.data.gathering import gather_images
from apnet.data.transforms import normalise
from apnet.embedding import (
    Choice,
    Manner,
    Task,
    choose_backend,
    embed_records,
    embed_stream,
    sample_images,
)
from apnet.embedding.backends import eager_backend
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

PEER = ["torchreid==0.2.5"]
PEER_NEEDS = ["opencv-python-headless", "scipy", "gdown", "Cython", "h5py", "six", "tensorboard"]
"""torchreid's package names none of what it imports; torch and torchvision are lent to it."""

PEER_CODE = """
import json, sys, tempfile, time
import torch
from torchreid.reid.models import build_model
from torchreid.reid.utils import FeatureExtractor
torch.set_num_threads(1)
model, height, width, files, runs = json.loads(sys.stdin.read())
with tempfile.NamedTemporaryFile(suffix=".pth") as file:  # without one it would download weights
    made = build_model(model, num_classes=1, pretrained=False, use_gpu=False)
    torch.save({"state_dict": made.state_dict()}, file.name)
    extract = FeatureExtractor(model, file.name, (height, width), device="cpu", verbose=False)
extract(files[:2])
for _ in range(runs):
    start = time.process_time()
    extract(files)
    print("seconds", time.process_time() - start, flush=True)
"""


def render(folder: Path, people: int) -> list[ImageRecord]:
    """Renders people and returns their images."""
    command = [sys.executable, "-m", "apnet", "data", "make", str(folder), "--ids", str(people),
               "--images", "8"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return list(gather_images([folder]).gallery)


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


def medians(works: list[Callable[[], object]], runs: int) -> list[float]:
    """Processor seconds of each work; the works take turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(runs + 1):
        for work, taken in zip(works, seconds, strict=True):
            start = time.process_time()
            work()
            if number:  # the first turn warms up
                taken.append(time.process_time() - start)
    return [statistics.median(taken) for taken in seconds]


def engines(network: APNet, plain: APNet, size: tuple[int, int], records: list[ImageRecord],
            batch: int, runs: int) -> tuple[Choice, list[dict[str, object]]]:  # fmt: skip
    """The network alone, on one batch."""
    images = sample_images(records, size, batch)
    fast, small = (chosen(network, size, records, precision) for precision in ("auto", "int8"))
    assert fast is not None
    last = eager_backend(network, CPU, "float32")
    works: list[Callable[[], object]] = [
        torch.inference_mode()(partial(plain.embed, images)),
        partial(last.run, images),
        partial(fast.backend.run, images),
    ]
    if small is not None:
        works.append(partial(small.backend.run, images))
    base, ours, *rest = medians(works, runs)
    rows = [
        row(f"{fast.backend} over eager float32, times", 3.8, base / rest[0]),
        row(f"{fast.backend} over eager float32 with channels last, times", None, ours / rest[0]),
        *agreements(fast, 0.999),
    ]
    if small is not None:
        rows.append(row(f"{small.backend} over eager float32, times", 7.0, base / rest[1]))
        rows += agreements(small, None)
    return fast, rows


def agreements(choice: Choice, least: float | None) -> list[dict[str, object]]:
    agreed = choice.agreement
    if agreed is None:
        return []
    return [
        row(f"{choice.backend}: rank agreement", least, agreed.ranks),
        row(f"{choice.backend}: agreement of all orders", None, agreed.orders),
        row(f"{choice.backend}: smallest cosine", least, agreed.cosine),
    ]


def from_files(choice: Choice, records: list[ImageRecord], size: tuple[int, int]) -> None:
    """Decoding included, without mirror images, as the peer does."""
    for _ in embed_stream(choice.backend, records, Manner(size, flip=False)):
        pass


def same_as_reference(network: APNet, records: list[ImageRecord], size: tuple[int, int]) -> float:
    """Largest difference of an eager float32 job's features from ``embed_records``."""
    expected = embed_records(network, records, size).features
    batches = embed_stream(eager_backend(network, CPU, "float32"), records, Manner(size))
    return float(np.abs(np.concatenate([b.features for b in batches]) - expected).max())


def peer_seconds(folder: Path, model: str, size: tuple[int, int], records: list[ImageRecord],
                 runs: int) -> float:  # fmt: skip
    """Processor seconds of torchreid's extractor on the same files, in its own environment."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    Path(own, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for arguments in (["--no-deps", *PEER], PEER_NEEDS):
        subprocess.run([python, "-m", "pip", "install", "-q", *arguments], check=True)
    asked = json.dumps([model, *size, [str(record.path) for record in records], runs])
    done = subprocess.run(
        [python, "-W", "ignore", "-c", PEER_CODE],
        input=asked, check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return statistics.median(map(float, lines))


def measured(setting: dict, folder: Path, peers: bool, runs: int) -> list[dict[str, object]]:
    size, records = setting["size"], render(folder / "people", setting["people"])
    learned, asked = records[::2], records[1::2]
    network = calibrated(setting["network"], size, learned)
    plain = copy.deepcopy(network)  # in PyTorch's own memory format
    choice, rows = engines(network, plain, size, asked, setting["batch"], runs)
    few = asked[: setting["batch"]]
    rows.append(row("eager job apart from embed_records", -1e-5,
                    same_as_reference(network, few, size)))  # fmt: skip
    if peers:
        (ours,) = medians([partial(from_files, choice, asked, size)], runs)
        theirs = peer_seconds(folder / "peer", setting["peer"], size, asked, runs)
        name = f"JPEG files to features, {choice.backend} over torchreid {setting['peer']}, times"
        rows.append(row(name, 4.0, theirs / ours))
    return rows


def row(name: str, goal: float | None, value: float) -> dict[str, object]:
    """A negative goal is an upper bound."""
    bound = None if goal is None else f">= {goal:g}" if goal > 0 else f"<= {-goal:g}"
    met = None if goal is None else bool(value >= goal if goal > 0 else value <= -goal)
    return {"name": name, "goal": bound, "measured": round(value, 7), "met": met}


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    bf16 = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return f"{names[0]}, bf16 {'yes' if bf16 else 'no'}, torch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a small network, in seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--peers", action="store_true", help="compare with torchreid")
    parser.add_argument("--runs", type=int, default=5, help="runs to take medians of")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    setting = SMALL if arguments.small else FULL
    with tempfile.TemporaryDirectory() as folder:
        found = measured(setting, Path(folder), arguments.peers, arguments.runs)
    if arguments.small:
        found = [{**entry, "goal": None, "met": None} for entry in found]
    result = {"machine": machine(), "setting": setting, "rows": found}
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['machine']}; {setting}\n")
    for entry in found:
        verdict = {True: "met", False: "MISSED", None: ""}[entry["met"]]
        print(f"{entry['name']:<64} {entry['measured']:>9.5f}  {entry['goal'] or '':<8} {verdict}")


if __name__ == "__main__":
    main()
