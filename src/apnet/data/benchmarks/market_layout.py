"""Market-1501's layout: the folders bounding_box_train, query and bounding_box_test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from apnet.data.listing import Listing, find_splits, read_split_folders, wrong_folder


def read_market_layout(
    root: Path, grammar: re.Pattern[str], title: str, inner: Sequence[str]
) -> Listing:
    """Reads a set in Market-1501's layout, with or without a training or a test split.

    Args:
        root: the folder that contains the splits, its parent, or one of the splits.
        grammar: naming scheme of the files, see ``read_split_folders``.
        title: name of the set in error messages.
        inner: usual names of the folder inside its parent.

    Raises:
        DataError: the folders do not exist.
    """
    base = find_splits(root, inner=inner)
    if base is None:
        raise wrong_folder(
            root, f"{title}'s folders bounding_box_train, query and bounding_box_test"
        )
    return read_split_folders(base, grammar)
