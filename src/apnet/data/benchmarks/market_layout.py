"""The layout that Market-1501 introduced: bounding_box_train, query and bounding_box_test."""

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
        root: the folder with the splits, the one around it, or one of the splits.
        grammar: of the names, as ``read_split_folders`` takes it.
        title: what error messages call the set.
        inner: names that the folder is known to have inside the one around it.

    Raises:
        DataError: the folders are not there.
    """
    base = find_splits(root, inner=inner)
    if base is None:
        raise wrong_folder(
            root, f"{title}'s folders bounding_box_train, query and bounding_box_test"
        )
    return read_split_folders(base, grammar)
