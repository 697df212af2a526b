"""What a target is, and what its converter's errors become."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from apnet.errors import ConfigError
from apnet.exported.metadata import Pixels, Precision
from apnet.exporting.plan import ExportJob
from apnet.files import shortened

_OPERATOR = re.compile(r"\b(?:aten|prims|torchvision)(?:::|\.)[a-z_]\w*")


@dataclass(frozen=True)
class Target:
    """A kind of file that a network is exported to.

    Attributes:
        write: writes the job's ``path``, and companions beside it. Raises ``MissingExtraError``
            where its package is not installed.
        suffix: ending of the file's name.
        precisions: the arithmetics that it offers.
        reader: ending of the name of the file that is read back, if another.
        pixels: what the input holds, unless the caller says otherwise.
    """

    write: Callable[[ExportJob], None]
    suffix: str
    precisions: tuple[Precision, ...]
    reader: str = ""
    pixels: Pixels = "uint8"


def conversion_error(target: str, others: str, error: Exception) -> ConfigError:
    """Returns the error for a network that a target cannot express, with the operators named.

    Args:
        target: for people: ``ONNX``.
        others: what to use instead: ``--to torch``.
        error: what the converter raised.
    """
    text = " ".join(str(each) for each in _chain(error))
    operators = sorted({name.replace("::", ".") for name in _OPERATOR.findall(text)})
    if operators:
        named = ", ".join(operators[:4])
        return ConfigError(f"{target} has no operator for {named} of this network; use {others}")
    words = shortened(" ".join(text.split()), 240)
    return ConfigError(f"the network cannot be converted to {target} ({words}); use {others}")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
