"""The targets by name; a further one is a file in this folder and a line in the table."""

from apnet.exporting.targets import onnx, openvino
from apnet.exporting.targets.target import Target

TARGETS: dict[str, Target] = {"onnx": onnx.TARGET, "openvino": openvino.TARGET}
"""By the names that ``--to`` takes."""

__all__ = ["TARGETS", "Target"]
