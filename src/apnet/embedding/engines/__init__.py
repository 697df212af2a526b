"""The engines by name; a further one is a file in this folder and a line in the table."""

from apnet.embedding.engines import compiled, eager, folded, onnx, openvino
from apnet.embedding.engines.engine import WORTH_BUILDING, Engine, Task

ENGINES: dict[str, Engine] = {
    "eager": eager.ENGINE,
    "folded": folded.ENGINE,
    "compiled": compiled.ENGINE,
    "onnx": onnx.ENGINE,
    "openvino": openvino.ENGINE,
}
"""By the names that ``--backend`` takes."""

__all__ = ["ENGINES", "WORTH_BUILDING", "Engine", "Task"]
