"""The details of a demo for its report: data, machine, versions, time, memory."""

from __future__ import annotations

import platform
import sys

from apnet.training import versions
from apnet.types import ReidDataset, pids_of


def run_facts(dataset: ReidDataset, seed: int, seconds: float) -> list[tuple[str, str]]:
    """Returns label and value of each detail.

    Args:
        dataset: that was tested on.
        seed: that the command was given.
        seconds: since the command began.
    """
    facts = [
        ("command", " ".join(["apnet", *sys.argv[1:]])),
        ("data", f"{dataset.name}: {_counts(dataset)}"),
        ("seed", str(seed)),
        ("time", f"{seconds:.0f} s"),
        ("peak memory", _peak_memory()),
        ("machine", f"{platform.machine()}, {_cores()} cores"),
        *((f"version of {name}", version) for name, version in versions().items()),
    ]
    if dataset.notes:
        facts.append(("about the data", " ".join(dataset.notes)))
    return facts


def _counts(dataset: ReidDataset) -> str:
    splits = {"train": dataset.train, "query": dataset.query, "gallery": dataset.gallery}
    return ", ".join(
        f"{name} {len(records)} images of {len(pids_of(records))} people"
        for name, records in splits.items()
    )


def _peak_memory() -> str:
    try:
        import resource
    except ImportError:  # Windows
        return "unknown"
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = [
        resource.getrusage(who).ru_maxrss * unit / 2**30
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return f"{peaks[0]:.2f} GiB (largest child process {peaks[1]:.2f} GiB)"


def _cores() -> int:
    import torch

    return torch.get_num_threads()
