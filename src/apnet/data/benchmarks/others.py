"""Further sets whose loader is little more than a naming scheme."""

from __future__ import annotations

import re
from pathlib import Path

from apnet.data.benchmarks.market_layout import read_market_layout
from apnet.data.identity_numbers import number_names
from apnet.data.listing import (
    Listing,
    SplitFolders,
    find_base,
    find_splits,
    read_split_folders,
    wrong_folder,
)
from apnet.data.person_folders import read_person_folders
from apnet.types import ImageRecord

PERSONX = re.compile(r"(?P<pid>-1|\d+)_c(?P<camid>\d+)(?:s\d+)?_.+", re.ASCII)
VERI776 = re.compile(r"(?P<pid>\d+)_c(?P<camid>\d+)_.+", re.ASCII)

_VERI_FOLDERS = SplitFolders("image_train", "image_query", "image_test")


def read_personx(root: Path) -> Listing:
    """Reads PersonX (Sun and Zheng, CVPR 2019): rendered persons, Market-1501's layout.

    Raises:
        DataError: the folders do not exist.
    """
    return read_market_layout(root, PERSONX, "PersonX", ("PersonX", "personx"))


def read_veri776(root: Path) -> Listing:
    """Reads VeRi-776 (Liu et al., ECCV 2016): vehicles, 20 cameras.

    Raises:
        DataError: the folders do not exist.
    """
    base = find_splits(root, _VERI_FOLDERS, ("VeRi", "VeRi-776", "veri776"))
    if base is None:
        raise wrong_folder(root, "VeRi-776's folders image_train, image_query and image_test")
    return read_split_folders(base, VERI776, _VERI_FOLDERS)


def read_occluded_reid(root: Path) -> Listing:
    """Reads Occluded-REID (Zhuo et al., ICME 2018): occluded queries, a gallery of whole bodies.

    The set has no training split and no camera labels.

    Raises:
        DataError: the folders do not exist.
    """
    folders = ("occluded_body_images", "whole_body_images")
    base = find_base(root, folders, ("Occluded_REID", "Occluded-REID", "OccludedREID"))
    if base is None:
        raise wrong_folder(root, "Occluded-REID's folders occluded_body_images, whole_body_images")
    occluded, whole = (read_person_folders(base / name) for name in folders)
    pids = number_names(person for person, _ in (*occluded.images, *whole.images))
    query, gallery = (
        tuple(ImageRecord(path, pids[person]) for person, path in part.images)
        for part in (occluded, whole)
    )
    return Listing(
        root=base,
        train=(),
        query=query,
        gallery=gallery,
        notes=(*occluded.notes, *whole.notes),
        off_grammar=(*occluded.loose, *whole.loose),
    )
