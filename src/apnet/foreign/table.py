"""The networks of other toolkits whose checkpoints are read; a toolkit is one file and one line."""

from __future__ import annotations

from apnet.foreign.architecture import Architecture
from apnet.foreign.baselines import BASELINES
from apnet.foreign.fast_reid import FAST_REID
from apnet.foreign.torchreid import TORCHREID
from apnet.foreign.vits import VITS

ARCHITECTURES: dict[str, Architecture] = {**TORCHREID, **FAST_REID, **BASELINES, **VITS}
