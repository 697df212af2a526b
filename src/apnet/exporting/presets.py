"""What other programs expect of a re-identification network; read in their sources.

Ultralytics' trackers resize crops to a square of the input's height and pass RGB / 255. BoxMOT
resizes to 256x128, normalises by ImageNet's mean and deviation, and tells the network by the file's
name. OpenVINO Model Server takes folders of numbered versions. All compare directions only, so the
feature's length does not matter to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apnet.errors import ConfigError
from apnet.exported.metadata import ExportMetadata, Pixels

_BOXMOT_SIZE = (256, 128)
_BOXMOT_NAME = "osnet_x0_25"
_BOXMOT_OTHERS = ("lmbn", "hacnn", "clip", "veri", "vehicleid")
"""Words in a name that make BoxMOT feed another size or normalisation."""


def _no_name(_path: Path) -> None:
    return


def _unchanged(path: Path) -> Path:
    return path


def _nothing(_metadata: ExportMetadata) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Preset:
    """What a program expects; the default expects nothing.

    Attributes:
        target: the only target that it takes, if there is one.
        pixels: what the input has to hold, if it says that.
        input_size: the network's image size to the H and W that the program feeds.
        flip: whether the mirror image is inside unless the user says otherwise.
        folder: whether ``out`` is a folder.
        main: the file to write, given ``out``.
        check_name: raises ``ConfigError`` where the program would misread the name.
        properties: metadata that it looks for.
    """

    target: str | None = None
    pixels: Pixels | None = None
    input_size: Callable[[tuple[int, int]], tuple[int, int]] | None = None
    flip: bool = True
    folder: bool = False
    main: Callable[[Path], Path] = _unchanged
    check_name: Callable[[Path], None] = _no_name
    properties: Callable[[ExportMetadata], dict[str, str]] = _nothing


def _square(size: tuple[int, int]) -> tuple[int, int]:
    return (max(size), max(size))


def _ultralytics_facts(metadata: ExportMetadata) -> dict[str, str]:
    size = list(metadata.input_size)
    return {
        "description": f"apnet re-identification network {metadata.network_fingerprint}",
        "stride": "32",
        "task": "reid",
        "batch": "1",
        "imgsz": str(size),
        "names": "{0: 'person'}",
        "channels": "3",
    }


def _check_boxmot_name(path: Path) -> None:
    name = path.name.lower()
    wrong = [word for word in _BOXMOT_OTHERS if word in name]
    if _BOXMOT_NAME not in name or wrong:
        without = f" and without '{wrong[0]}'" if wrong else ""
        raise ConfigError(
            f"--out {path}: BoxMOT tells networks by their names and refuses others; name it with "
            f"'{_BOXMOT_NAME}' in it{without}, such as {_BOXMOT_NAME}_apnet.onnx"
        )


PRESETS: dict[str, Preset] = {
    "ultralytics": Preset("onnx", "unit", _square, flip=False, properties=_ultralytics_facts),
    "boxmot": Preset(
        "onnx",
        "normalised",
        lambda _size: _BOXMOT_SIZE,
        flip=False,
        check_name=_check_boxmot_name,
    ),
    "openvino-model-server": Preset(
        "openvino", folder=True, main=lambda path: path / "1" / "model.xml"
    ),
}
"""By the names that ``--for`` takes."""
