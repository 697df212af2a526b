"""DukeMTMC-reID (Zheng et al., ICCV 2017) and its derivative: persons on a campus, 8 cameras.

Names are ``PPPP_cC_fFFFFFFF.jpg``: person, camera, frame. The owners withdrew the recordings in
2019 because the persons in them had not consented; loading it warns once per process.
"""

from __future__ import annotations

import functools
import re
import warnings
from pathlib import Path

from apnet.data.benchmarks.market_layout import read_market_layout
from apnet.data.listing import Listing

GRAMMAR = re.compile(r"(?P<pid>\d+)_c(?P<camid>\d+)_f\d+", re.ASCII)


class WithdrawnDataWarning(UserWarning):
    """The owners of a data set have withdrawn it."""


@functools.cache
def warn_withdrawn() -> None:
    """Warns once per process that DukeMTMC was withdrawn."""
    warnings.warn(
        "DukeMTMC and the sets made from it were withdrawn by their owners in 2019, because the "
        "people shown had not consented; prefer another data set",
        WithdrawnDataWarning,
        stacklevel=2,
    )


def read_dukemtmcreid(root: Path) -> Listing:
    """Reads DukeMTMC-reID and warns that it was withdrawn.

    Raises:
        DataError: the folders do not exist.
    """
    inner = ("DukeMTMC-reID", "dukemtmc-reid", "dukemtmcreid")
    listing = read_market_layout(root, GRAMMAR, "DukeMTMC-reID", inner)
    warn_withdrawn()
    return listing
