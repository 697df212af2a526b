"""Occluded-DukeMTMC (Miao et al., ICCV 2019): DukeMTMC-reID split again, with occluded queries.

Names and folders are those of DukeMTMC-reID. 1,870 of the 2,210 query images are also in the
gallery; evaluation removes them as images of the query's identity and camera.
"""

from __future__ import annotations

from pathlib import Path

from apnet.data.benchmarks.dukemtmcreid import GRAMMAR, warn_withdrawn
from apnet.data.benchmarks.market_layout import read_market_layout
from apnet.data.listing import Listing


def read_occluded_duke(root: Path) -> Listing:
    """Reads Occluded-DukeMTMC and warns that its source was withdrawn.

    Raises:
        DataError: the folders do not exist.
    """
    inner = ("Occluded_Duke", "Occluded-Duke", "occluded_duke")
    listing = read_market_layout(root, GRAMMAR, "Occluded-Duke", inner)
    warn_withdrawn()
    return listing
