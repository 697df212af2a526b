"""Every error that a user's input can cause: what was wrong, where, and what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class ApnetError(Exception):
    """Base of all errors that are the input's fault; the command line prints it and exits 2.

    Args:
        message: one line; line ends, and bytes of names that are no UTF-8, are shown as escapes.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class ConfigError(ApnetError):
    """A flag, recipe or argument has a value that cannot be used."""


class DataError(ApnetError):
    """A data set, folder, index file or feature file is missing, malformed or inconsistent."""


class ImageError(DataError):
    """One image file cannot be used: unreadable, truncated, empty or too large."""


class CheckpointError(ApnetError):
    """A weights file or run folder is missing, damaged, or belongs to something else."""


class TrainingError(ApnetError):
    """Training cannot go on, for example because the loss is no longer finite."""


class CalibrationError(ApnetError):
    """A calibration is missing, of another network, or cannot support what is asked of it."""


class GalleryError(ApnetError):
    """A gallery is missing, damaged, busy or of another network, or refuses what is asked of it."""


class MissingExtraError(ApnetError):
    """An optional dependency is not installed; the message holds the command that installs it."""


class Interrupted(BaseException):
    """The user stopped a job (Ctrl-C, SIGTERM); it can go on where its message says.

    Like ``KeyboardInterrupt`` it is no ``Exception``, so that nothing swallows it.
    """


def printable(text: str) -> str:
    """Returns a text on one line, with escapes for what cannot be printed or encoded."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@contextlib.contextmanager
def located(place: str, kind: type[ApnetError] = ConfigError) -> Iterator[None]:
    """Puts a place in front of an error of one kind that is raised inside the context.

    Args:
        place: in a network, or a file and line.
        kind: of the error.
    """
    try:
        yield
    except kind as error:
        raise kind(f"{place}: {error}") from None
