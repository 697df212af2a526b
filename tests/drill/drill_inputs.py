"""What a bad input of the drill is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Prepare = Callable[[Path, random.Random], None]
"""Makes the input in a folder."""


Arguments = tuple[str, ...]
Needs = tuple[str, ...]
"""Names of good files and folders."""

Commands = tuple[tuple[Arguments, Needs], ...]


@dataclass(frozen=True)
class BadInput:
    """A command and the bad input that it is given.

    Attributes:
        kind: of the row in the drill's table.
        name: of the input.
        arguments: of the command line; paths are relative to the folder.
        needs: names of the good files and folders that are copied into the folder.
        prepare: spoils them.
        named: texts of which the message must hold one; none means any.
        may_pass: whether the command may do its work for all that.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    prepare: Prepare = lambda folder, chance: None
    named: tuple[str, ...] = ()
    may_pass: bool = False
