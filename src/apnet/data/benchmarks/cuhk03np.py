"""CUHK03 (Li et al., CVPR 2014) in the new protocol (Zhong et al., CVPR 2017): CUHK03-NP.

Two editions of the same scenes, with boxes drawn by hand (``labeled``) or by a detector
(``detected``), each in one of two layouts: the NP folder
``{edition}/{bounding_box_train,query,bounding_box_test}`` with names ``PPPP_cC_I.png`` (or .jpg),
and the original release, whose images lie inside ``cuhk-03.mat`` (see ``cuhk03_release``).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from apnet.data.benchmarks.cuhk03_release import find_release, read_release
from apnet.data.listing import Listing, find_splits, read_split_folders, wrong_folder

GRAMMAR = re.compile(r"(?P<pid>\d+)_c(?P<camid>[12])_\d+", re.ASCII)

_AROUND = ("", "cuhk03-np", "CUHK03-NP", "cuhk03", "CUHK03")


def read_cuhk03np_labeled(root: Path) -> Listing:
    """Reads CUHK03-NP with boxes drawn by hand.

    Raises:
        DataError: neither layout was found, or the release cannot be read.
        MissingExtraError: the release needs the extra ``cuhk03``, which is not installed.
    """
    return _read(root, "labeled")


def read_cuhk03np_detected(root: Path) -> Listing:
    """Reads CUHK03-NP with detected boxes.

    Raises:
        DataError: neither layout was found, or the release cannot be read.
        MissingExtraError: the release needs the extra ``cuhk03``, which is not installed.
    """
    return _read(root, "detected")


def _read(root: Path, edition: str) -> Listing:
    other = "detected" if edition == "labeled" else "labeled"
    base = find_splits(root, inner=[f"{around}/{edition}".lstrip("/") for around in _AROUND])
    if base is not None and Path(os.path.realpath(base)).name != other:
        return read_split_folders(base, GRAMMAR)
    release = find_release(root, edition)
    if release is not None:
        return read_release(release)
    raise wrong_folder(
        root,
        f"CUHK03-NP's folder {edition} with bounding_box_train, query and bounding_box_test, or "
        f"the release's cuhk-03.mat with cuhk03_new_protocol_config_{edition}.mat",
    )
