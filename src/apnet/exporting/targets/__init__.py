"""The targets by name; a further one is a file in this folder and a line in the table."""

from apnet.exporting.targets import onnx, openvino, tensorrt, torch
from apnet.exporting.targets.target import Target

TARGETS: dict[str, Target] = {
    "onnx": onnx.TARGET,
    "openvino": openvino.TARGET,
    "torch": torch.TARGET,
    "tensorrt-script": tensorrt.TARGET,
}
"""By the names that ``--to`` takes."""

__all__ = ["TARGETS", "Target"]
