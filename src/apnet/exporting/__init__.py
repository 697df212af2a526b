"""From a network to a file that other programs run: graph, targets, presets, gate."""

from apnet.exporting.gate import GateLimits, GateResult
from apnet.exporting.presets import PRESETS
from apnet.exporting.targets import TARGETS
from apnet.exporting.verb import Exported, export

__all__ = ["PRESETS", "TARGETS", "Exported", "GateLimits", "GateResult", "export"]
