"""Market-1501 (Zheng et al., ICCV 2015): 1,501 persons in front of a supermarket, 6 cameras.

Names are ``PPPP_cCsS_FFFFFF_NN.jpg``: person, camera and sequence, frame, box. Pid ``-1`` marks
a junk box, neither right nor wrong (left out); ``0000`` a false detection (kept as a distractor).
24 names end in ``.jpg.jpg``.
"""

from __future__ import annotations

import re
from pathlib import Path

from apnet.data.benchmarks.market_layout import read_market_layout
from apnet.data.listing import Listing

GRAMMAR = re.compile(r"(?P<pid>-1|\d+)_c(?P<camid>\d+)s\d+_\d+_\d+", re.ASCII)


def read_market1501(root: Path) -> Listing:
    """Reads Market-1501, or a set with its layout and file names.

    Raises:
        DataError: the folders do not exist.
    """
    inner = ("Market-1501-v15.09.15", "Market-1501", "market1501")
    return read_market_layout(root, GRAMMAR, "Market-1501", inner)
