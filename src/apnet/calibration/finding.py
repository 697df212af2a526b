"""Where the calibration of a network is: beside its weights, or shipped with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from apnet.calibration.files import SUFFIX, load_calibration
from apnet.calibration.table import Calibration
from apnet.files import is_file, is_folder

if TYPE_CHECKING:
    from apnet.models import Model


def calibration_path(network: Path) -> Path:
    """Returns where the calibration of a run folder or checkpoint file belongs."""
    if is_folder(network):
        return network / SUFFIX.removeprefix(".")
    return network.with_name(network.name.removesuffix(".safetensors") + SUFFIX)


def calibration_of(model: Model) -> Calibration | None:
    """Returns the calibration of a network, ``None`` where it has none.

    Raises:
        CalibrationError: the file is damaged, or belongs to another network.
    """
    from apnet.shipped import SHIPPED

    for place in dict.fromkeys((model.path, model.path.parent, Path(str(SHIPPED)))):
        path = calibration_path(place)
        if is_file(path):
            calibration = load_calibration(path)
            if calibration.fingerprint == model.fingerprint:
                return calibration
    return None
