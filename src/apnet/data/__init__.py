"""Data sets, images, transforms and batches. Names are imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apnet.data.benchmarks.dukemtmcreid import WithdrawnDataWarning
    from apnet.data.check import DatasetCheck, check_dataset
    from apnet.data.check_report import format_check
    from apnet.data.images import read_image
    from apnet.data.loading import DecodedCache, TrainingBatch, training_batches
    from apnet.data.mixing import TrainingSet, mix, unique_names
    from apnet.data.published import PUBLISHED, SplitCounts, counts_of
    from apnet.data.registry import (
        DATASETS,
        load_dataset,
        load_source,
        load_sources,
        parse_source,
    )
    from apnet.data.sampling import PKBatches
    from apnet.data.transforms import EvaluationTransform, TrainingTransform

_PLACES = {
    "DATASETS": "registry",
    "PUBLISHED": "published",
    "DatasetCheck": "check",
    "DecodedCache": "loading",
    "EvaluationTransform": "transforms",
    "PKBatches": "sampling",
    "SplitCounts": "published",
    "TrainingBatch": "loading",
    "TrainingSet": "mixing",
    "TrainingTransform": "transforms",
    "WithdrawnDataWarning": "benchmarks.dukemtmcreid",
    "check_dataset": "check",
    "counts_of": "published",
    "format_check": "check_report",
    "load_dataset": "registry",
    "load_source": "registry",
    "load_sources": "registry",
    "mix": "mixing",
    "parse_source": "registry",
    "read_image": "images",
    "training_batches": "loading",
    "unique_names": "mixing",
}

__all__ = [
    "DATASETS",
    "PUBLISHED",
    "DatasetCheck",
    "DecodedCache",
    "EvaluationTransform",
    "PKBatches",
    "SplitCounts",
    "TrainingBatch",
    "TrainingSet",
    "TrainingTransform",
    "WithdrawnDataWarning",
    "check_dataset",
    "counts_of",
    "format_check",
    "load_dataset",
    "load_source",
    "load_sources",
    "mix",
    "parse_source",
    "read_image",
    "training_batches",
    "unique_names",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
