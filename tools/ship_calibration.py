"""Writes the calibration that ships with the package, from features of the set people-calibration.

    apnet data make people-calibration --set people-calibration
    apnet embed people-calibration/query people-calibration/bounding_box_test --out seen
    python tools/ship_calibration.py seen

Query and gallery images are used; ``benchmarks/recognition.py`` measures on the training images.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apnet.calibration import Calibration, calibration_from, calibration_path, save_calibration
from apnet.errors import ApnetError
from apnet.retrieval import load_features
from apnet.shipped import SHIPPED, default_checkpoint
from apnet.synthetic import PEOPLE_SETS
from apnet.types import check_same_network

SET = "people-calibration"
LIMITS = (
    "Not calibrated on your cameras: the rates are those of rendered people in rendered cameras, "
    "none of whom look alike by design; calibrate on people and cameras like yours."
)


def shipped_calibration(features: Path) -> Calibration:
    """Calibrates the shipped network on features of the set's query and gallery images.

    Raises:
        ApnetError: they cannot be read, or are of another network.
    """
    embeddings, network = load_features(features), default_checkpoint()
    check_same_network((embeddings.fingerprint, network.fingerprint))
    return calibration_from(
        embeddings,
        fingerprint=network.fingerprint,
        image_size=network.config.image_size,
        flip=True,
        data=f"synthetic people of the set {SET}, version {PEOPLE_SETS[SET].version}",
        limits=LIMITS,
    )


def main() -> None:
    """Reads the command line; one line and exit code 1 for what cannot be calibrated."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("features", type=Path, help="a store of 'apnet embed'")
    parser.add_argument("--out", type=Path, default=calibration_path(Path(str(SHIPPED))))
    given = parser.parse_args()
    try:
        found = shipped_calibration(given.features)
        save_calibration(found, given.out)
    except ApnetError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"{given.out}: {given.out.stat().st_size / 1e3:.0f} kB\n{found!r}\n")


if __name__ == "__main__":
    main()
