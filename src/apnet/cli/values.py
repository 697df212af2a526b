"""Reads values that are written in one word on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from apnet.errors import ConfigError
from apnet.files import shortened
from apnet.retrieval import Reranking


def image_size(text: str) -> tuple[int, int]:
    """Reads ``HxW``, such as ``256x128``, in pixels.

    Raises:
        ConfigError: it is not written so, or a side is outside 16..4096.
    """
    match = re.fullmatch(r"(\d{1,9})[xX](\d{1,9})", text, re.ASCII)
    if match is None:
        raise ConfigError(
            f"'{shortened(text)}' is no image size; write HEIGHTxWIDTH, such as 256x128"
        )
    height, width = int(match[1]), int(match[2])
    if not (16 <= height <= 4096 and 16 <= width <= 4096):
        raise ConfigError(f"image size {text}: each side must be from 16 to 4096 pixels")
    return height, width


def only(sources: Sequence[str]) -> str:
    """Returns the one data set that a command takes.

    Raises:
        ConfigError: there are several.
    """
    if len(sources) != 1:
        raise ConfigError(
            f"--data is given {len(sources)} times ({', '.join(sources)}); this command takes one"
        )
    return sources[0]


def array_names(text: str | None) -> dict[str, str]:
    """Reads ``KEY=NAME,KEY=NAME``, such as ``features=feat,pids=label``; nothing means no names.

    Raises:
        ConfigError: it is not written so, or a key is given twice.
    """
    pairs = [part.split("=", 1) for part in text.split(",")] if text is not None else []
    names = {pair[0].strip(): pair[-1].strip() for pair in pairs}
    if len(names) < len(pairs) or any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise ConfigError(f"--names {text}: write KEY=NAME,KEY=NAME, such as features=feat")
    return names


def reranking(text: str | None) -> Reranking | None:
    """Reads ``K1,K2,LAMBDA``, such as ``20,6,0.3``; nothing means no re-ranking.

    Raises:
        ConfigError: it is not written so, or a value is out of range.
    """
    if text is None:
        return None
    try:
        k1, k2, weight = text.split(",")
        return Reranking(int(k1), int(k2), float(weight))
    except ValueError as error:
        raise ConfigError(
            f"--rerank {text}: write K1,K2,LAMBDA, such as 20,6,0.3 (the usual values)"
        ) from error
