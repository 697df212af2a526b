"""Judges how a command ended on a bad input."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drill_process import Outcome

FAULTS = ("traceback", "hang", "silence", "message", "litter")
"""What may be wrong; everything must be 0."""

MOST = 300
"""Characters of a message, with paths inside the folder as they were given."""

_REMEDIES = re.compile(
    r"(^|;|,|:|\(|--| or | to | and )\s*"
    r"(add|ask|calibrate|change|check|choose|close|convert|copy|correct|delete|download|drop|embed|export|"
    r"extract|fetch|fill|flatten|free|give|install|join|keep|leave|make|map|mount|move|name|number|put|raise|"
    r"read|remove|rename|repeat|replace|restore|resume|run|save|scale|see|set|start|take|test|train|try|"
    r"unpack|update|use|wait|write)\b"
    r"|\b(must|should be|there are|there is|usable are|did you mean|valid here|parts that do|takes|"
    r"are relative to|it has|has them all|is for|go from|expected)\b"
)
"""What to do, or what there is to choose from."""


_TOLD = re.compile(r"warning|had no row|are the same|has no effect|no wrong answer")
"""Remarks without which a command may not do its work."""


_JOURNALS = ("-wal", "-shm")
"""What SQLite keeps where a damaged file does not take what its journal holds."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong, as a kind of ``FAULTS`` and words; no kind where all is right."""

    kind: str = ""
    words: str = ""


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Returns size and time of everything in a folder that is no folder; links are not followed."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        place = str(path.relative_to(folder))
        found[place] = (0, 0) if path.is_dir() else (status.st_size, status.st_mtime_ns)
    return found


def judge(
    outcome: Outcome,
    named: tuple[str, ...],
    folder: Path,
    before: Mapping[str, tuple[int, int]],
    *,
    may_pass: bool,
) -> Verdict:
    """Returns what is wrong with how a command ended.

    Args:
        outcome: how it ended.
        named: texts of which the message must hold one.
        folder: in which it ran.
        before: ``snapshot`` of the folder, before the command.
        may_pass: whether the input may be good for all that.
    """
    if outcome.code is None:
        return Verdict("hang", f"after {outcome.seconds:.0f} s")
    if outcome.code < 0 or outcome.code not in (0, 1, 2) or "Traceback (most" in outcome.err:
        return Verdict("traceback", f"exit {outcome.code}: {outcome.err.strip()[-200:]}")
    if outcome.code == 0 and not may_pass and not _TOLD.search(outcome.err + outcome.out):
        return Verdict("silence", (outcome.out + outcome.err).strip()[:200])
    if outcome.code == 1 and not outcome.out.strip():  # data check found problems
        return Verdict("silence", "exit 1 without a word")
    if outcome.code == 2:
        problem = _problem(outcome.err, named, folder)
        if problem:
            return Verdict("message", f"{problem}: {outcome.err.strip()[:400]}")
    return _litter(outcome, folder, before)


def _problem(text: str, named: tuple[str, ...], folder: Path) -> str:
    """Returns what is wrong with the words of a command that failed."""
    lines = text.strip().split("\n")
    errors = [line for line in lines if line.startswith("error: ")]
    if len(errors) != 1 or lines[-1] != errors[0]:
        return "not one line of error, at the end"
    message = errors[0].replace(f"{folder}/", "").replace(str(folder), "FOLDER")
    if not message.isprintable():
        return "not printable"
    if len(message) > MOST:
        return f"{len(message)} characters"
    if named and not any(each in message for each in named):
        return f"none of {named} is named"
    if not _REMEDIES.search(message.removeprefix("error: ")):
        return "no remedy"
    return ""


def _litter(outcome: Outcome, folder: Path, before: Mapping[str, tuple[int, int]]) -> Verdict:
    after = snapshot(folder)
    left = [name for name in after if name.endswith((".part", ".lock")) and name not in before]
    if outcome.code != 0:
        left += [
            name
            for name, state in after.items()
            if before.get(name) != state and not name.endswith(_JOURNALS)
        ]
        left += [name for name in before if name not in after]
    return Verdict("litter", ", ".join(sorted(left)[:4])) if left else Verdict()
