"""Person re-identification with the Attention Pyramid Network (APNet).

Names are loaded when they are first asked for, so that ``import apnet`` is quick and loads no
torch, plotting or web package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from apnet._version import __version__

if TYPE_CHECKING:
    from apnet.calibration import Calibration, calibrate, compare, load_calibration
    from apnet.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
    from apnet.config import PRESETS, NetworkConfig, Recipe
    from apnet.data import check_dataset, load_dataset
    from apnet.embedding import embed_images, embed_records
    from apnet.errors import ApnetError
    from apnet.evaluation import evaluate, evaluate_checkpoint, evaluate_network
    from apnet.explanation import Explanation, explain
    from apnet.exporting import Exported, export
    from apnet.gallery import Gallery
    from apnet.losses import LOSSES, Term, apnet_loss, batch_hard_triplet, smoothed_cross_entropy
    from apnet.model import (
        ATTENTIONS,
        APNet,
        AttentionPyramid,
        create_network,
        insert_pyramids,
        network_cost,
        remove_pyramids,
    )
    from apnet.models import Model, embed, load_model
    from apnet.rank_lists import SearchResult, plot_ranks, search
    from apnet.results import Evaluation, ProtocolCard
    from apnet.retrieval import Reranking, default_card, load_features, save_features, top_matches
    from apnet.training import RunFolder, load_recipe, resume_run, train
    from apnet.types import Embeddings, ImageRecord, ReidDataset

_ROOMS = {
    "apnet.calibration": ("Calibration", "calibrate", "compare", "load_calibration"),
    "apnet.checkpoints": ("Checkpoint", "load_checkpoint", "save_checkpoint"),
    "apnet.config": ("PRESETS", "NetworkConfig", "Recipe"),
    "apnet.data": ("check_dataset", "load_dataset"),
    "apnet.embedding": ("embed_images", "embed_records"),
    "apnet.errors": ("ApnetError",),
    "apnet.evaluation": ("evaluate", "evaluate_checkpoint", "evaluate_network"),
    "apnet.explanation": ("Explanation", "explain"),
    "apnet.exporting": ("Exported", "export"),
    "apnet.gallery": ("Gallery",),
    "apnet.losses": (
        "LOSSES",
        "Term",
        "apnet_loss",
        "batch_hard_triplet",
        "smoothed_cross_entropy",
    ),
    "apnet.model": (
        "ATTENTIONS",
        "APNet",
        "AttentionPyramid",
        "create_network",
        "insert_pyramids",
        "network_cost",
        "remove_pyramids",
    ),
    "apnet.models": ("Model", "embed", "load_model"),
    "apnet.results": ("Evaluation", "ProtocolCard"),
    "apnet.retrieval": (
        "Reranking",
        "default_card",
        "load_features",
        "save_features",
        "top_matches",
    ),
    "apnet.rank_lists": ("SearchResult", "plot_ranks", "search"),
    "apnet.training": ("RunFolder", "load_recipe", "resume_run", "train"),
    "apnet.types": ("Embeddings", "ImageRecord", "ReidDataset"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of the data flow
    "__version__",
    "ApnetError",
    "ImageRecord",
    "ReidDataset",
    "Embeddings",
    "load_dataset",
    "check_dataset",
    "ATTENTIONS",
    "AttentionPyramid",
    "insert_pyramids",
    "remove_pyramids",
    "APNet",
    "PRESETS",
    "NetworkConfig",
    "create_network",
    "network_cost",
    "LOSSES",
    "Term",
    "smoothed_cross_entropy",
    "batch_hard_triplet",
    "apnet_loss",
    "Recipe",
    "load_recipe",
    "RunFolder",
    "train",
    "resume_run",
    "Checkpoint",
    "load_checkpoint",
    "save_checkpoint",
    "Model",
    "load_model",
    "embed",
    "embed_images",
    "embed_records",
    "load_features",
    "save_features",
    "ProtocolCard",
    "Evaluation",
    "default_card",
    "Reranking",
    "evaluate",
    "evaluate_network",
    "evaluate_checkpoint",
    "top_matches",
    "SearchResult",
    "search",
    "plot_ranks",
    "Explanation",
    "explain",
    "Calibration",
    "calibrate",
    "load_calibration",
    "compare",
    "Gallery",
    "Exported",
    "export",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'apnet' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
