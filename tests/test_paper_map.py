"""Every row of docs/paper-map.md names code and a test that exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    (match[1], match[2])
    for line in (ROOT / "docs" / "paper-map.md").read_text().splitlines()
    if (match := re.search(r"\| `(apnet\.[\w.]+)` \| `(tests/[\w/.:]+)` \|$", line))
]


def found(dotted):
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            value = getattr(value, name)
        return value
    raise AssertionError(dotted)


def test_every_equation_has_a_row():
    text = (ROOT / "docs" / "paper-map.md").read_text()
    assert len(ROWS) > 25
    for number in range(1, 10):
        assert re.search(rf"Eq\. (\d, )?{number}\b", text), f"Eq. {number}"


@pytest.mark.parametrize(("code", "test"), ROWS, ids=[f"{a}-{b}" for a, b in ROWS])
def test_the_row_leads_somewhere(code, test):
    assert found(code) is not None
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text()
    assert f"def {name}(" in text if name else "def test_" in text
