"""``metrics.json``: the metrics of a report in machine-readable form, with stable keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from apnet.errors import DataError
from apnet.files import write_json
from apnet.report.content import SystemResult


def write_metrics(
    path: Path, systems: Sequence[SystemResult], facts: Sequence[tuple[str, str]]
) -> None:
    """Writes ``{"systems": {key: figures}, "facts": {label: value}}`` atomically.

    The entry of a system is ``Evaluation.to_dict()`` (fractions from 0 to 1, the CMC, the protocol)
    with ``name`` and ``seconds`` (a number or null).

    Args:
        path: the file to write.
        systems: the results.
        facts: label and value of the run's details.

    Raises:
        DataError: two systems have one key, two facts one label, or the file cannot be written.
    """
    _check_distinct("systems", [system.key for system in systems])
    _check_distinct("facts", [label for label, _ in facts])
    figures = {
        system.key: {
            "name": system.name,
            **system.evaluation.to_dict(),
            "seconds": system.seconds,
        }
        for system in systems
    }
    write_json(path, {"systems": figures, "facts": dict(facts)})


def _check_distinct(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"two {what} are called '{twice[0]}'; give each its own name")
