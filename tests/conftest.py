import os
import sys
from pathlib import Path

import pytest

from apnet.cli import main

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a test that reaches for the network fails at once

SHARED = Path(__file__).parents[1].parent / "shared"


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the slow tests")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))
        if "shared" in item.keywords and not SHARED.is_dir():
            item.add_marker(
                pytest.mark.skip(reason="third-party lists are not beside the checkout")
            )


@pytest.fixture
def shared() -> Path:
    return SHARED


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls the command line in this process; returns its exit code, output and messages."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["apnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return call
