"""Text form of a data set check, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from apnet.data.check import DatasetCheck
from apnet.data.published import SPLITS, SplitCounts


def format_check(check: DatasetCheck) -> str:
    """Returns a table of counts with the published ones, then notes, remarks and problems."""
    lines = [f"{check.name} in {check.root}", "", *_table(check), ""]
    lines += [f"note: {note}" for note in check.notes]
    lines += [f"remark: {remark}" for remark in check.remarks()]
    lines += [f"PROBLEM: {problem}" for problem in check.problems()]
    if not check.decoded:
        lines.append("images were neither decoded nor compared")
    if not check.problems():
        lines.append("no problems found")
    return "\n".join(lines)


def _table(check: DatasetCheck) -> Iterator[str]:
    yield f"{'':10}{'ids':>9}{'images':>10}{'cameras':>9}" + "   published" * bool(check.published)
    for split in SPLITS:
        line = split.ljust(10) + _cells(check.counts[split])
        if split in check.published:
            line += "   " + _cells(check.published[split])
        yield line


def _cells(counts: SplitCounts) -> str:
    return f"{counts.ids:>9,}{counts.images:>10,}{counts.cameras:>9}"
