"""The paper's losses, further ones by name, and their weighted sum.

``LOSSES`` is the table of names; ``build_objective`` turns terms into one module that training
calls with a ``LossBatch`` per branch. ``apnet_loss`` is the paper's loss as a function.
"""

from apnet.losses.batch import GlobalBatch, LossBatch
from apnet.losses.checks import check_sampling, check_terms
from apnet.losses.kind import LossKind, Setting
from apnet.losses.objective import Objective, build_objective
from apnet.losses.paper import LossParts, apnet_loss, batch_hard_triplet, smoothed_cross_entropy
from apnet.losses.table import LOSSES
from apnet.losses.terms import Term

__all__ = [
    "LOSSES",
    "GlobalBatch",
    "LossBatch",
    "LossKind",
    "LossParts",
    "Objective",
    "Setting",
    "Term",
    "apnet_loss",
    "batch_hard_triplet",
    "build_objective",
    "check_sampling",
    "check_terms",
    "smoothed_cross_entropy",
]
