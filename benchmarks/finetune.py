"""What the recipe `finetune` gains on 16 people of another world, and what it costs.

    python benchmarks/finetune.py [--work DIR] [--seeds 11 12 13]

Renders 32 synthetic people per seed, whose cameras and people the shipped network has not seen,
trains `finetune` on 16 of them and evaluates the network before and after on the other 16. Takes
some minutes per seed on two cores.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

import apnet
from apnet.evaluation import evaluate_checkpoint
from apnet.shipped import default_checkpoint
from apnet.synthetic import make_people

CPU = torch.device("cpu")


def people(folder, seed):
    make_people(folder, ids=32, images_per_id=16, seed=seed, cameras=6, size=(128, 64), workers=2)
    return apnet.load_dataset("market1501", folder)


def measured(work, seed):
    dataset = people(work / f"people-{seed}", seed)
    before = evaluate_checkpoint(default_checkpoint(), dataset, device=CPU)
    begun = time.perf_counter()
    trained = apnet.train("finetune", dataset, work / f"run-{seed}", device=CPU, evaluate=False)
    seconds = time.perf_counter() - begun
    after = evaluate_checkpoint(trained, dataset, device=CPU)
    return before, after, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="folder for people and runs [temporary]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        gains = []
        for seed in options.seeds:
            before, after, seconds = measured(work, seed)
            gains.append(after.mAP - before.mAP)
            print(
                f"seed {seed}: mAP {before.mAP:.1%} -> {after.mAP:.1%}, rank-1 "
                f"{before.rank(1):.1%} -> {after.rank(1):.1%}, {seconds:.0f} s",
                flush=True,
            )
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    print(f"mean gain {statistics.mean(gains):+.1%} mAP; peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
