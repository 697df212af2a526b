from collections.abc import Iterable
from pathlib import Path

import pytest

from apnet.data.benchmarks.dukemtmcreid import warn_withdrawn


@pytest.fixture
def touch():
    """Returns a function that makes empty files and their folders."""

    def make(root: Path, names: Iterable[str]) -> Path:
        folders = set()
        for name in names:
            path = root / name
            if path.parent not in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                folders.add(path.parent)
            path.open("wb").close()
        return root

    return make


@pytest.fixture
def not_yet_warned():
    """Lets the warning about DukeMTMC, which is given once per process, appear again."""
    warn_withdrawn.cache_clear()
    yield
    warn_withdrawn.cache_clear()
