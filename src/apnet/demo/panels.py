"""What the report shows of single images: ranked galleries and attention per pyramid level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from apnet.data import EvaluationTransform, read_image
from apnet.data.transforms import resize
from apnet.demo.systems import NetworkResult
from apnet.explanation import level_maps, relative
from apnet.report import AttentionPanel, RankedGallery
from apnet.retrieval import top_matches
from apnet.types import NO_CAMERA, Embeddings

_CHOSEN = (
    ("Highest AP", 1.0),
    ("Upper quartile", 0.75),
    ("Median AP", 0.5),
    ("Lower quartile", 0.25),
    ("Next to lowest AP", 0.04),
    ("Lowest AP", 0.0),
)


def ranked_galleries(system: NetworkResult, shown: int = 10) -> list[RankedGallery]:
    """Chooses queries from best to worst by AP, and shows the head of their rankings."""
    precision = system.evaluation.average_precision
    order = np.argsort(precision, kind="stable")  # NaN, the queries without a match, sort last
    order = order[: system.evaluation.valid_queries]
    matches = top_matches(
        system.query, system.gallery, shown, junk_rule=system.evaluation.card.junk_rule
    )
    rows: list[RankedGallery] = []
    seen: set[int] = set()
    for reason, share in _CHOSEN:
        index = int(order[round(share * (len(order) - 1))])
        if index in seen:
            continue
        seen.add(index)
        found = [int(item) for item in matches.indices[index] if item >= 0]
        rows.append(
            RankedGallery(
                chosen=reason,
                query=Path(system.query.paths[index]),
                matches=tuple(Path(system.gallery.paths[item]) for item in found),
                correct=tuple(bool(each) for each in matches.correct[index][: len(found)]),
                similarity=tuple(float(each) for each in matches.similarity[index][: len(found)]),
                average_precision=float(precision[index]),
                query_label=_label(system.query, index),
                match_labels=tuple(_label(system.gallery, item) for item in found),
            )
        )
    return rows


def attention_panels(system: NetworkResult, count: int = 5) -> list[AttentionPanel]:
    """Shows the maps of every stage and level for queries of ``count`` different people."""
    _, first = np.unique(system.query.pids, return_index=True)
    indices = first[np.linspace(0, len(first) - 1, min(count, len(first))).astype(int)]
    images = [read_image(Path(system.query.paths[index])) for index in indices]
    transform = EvaluationTransform(system.image_size)
    batch = torch.stack([transform(image) for image in images])
    stages = level_maps(system.network, batch)
    panels = []
    for row, (index, image) in enumerate(zip(indices, images, strict=True)):
        shown = [relative([level[row] for level in stage]) for stage in stages]
        panels.append(
            AttentionPanel(
                image=resize(image, system.image_size).permute(1, 2, 0).numpy(),
                stages=tuple(stage.maps for stage in shown),
                passed=tuple(stage.passed for stage in shown),
                caption=_label(system.query, int(index)),
            )
        )
    return panels


def _label(embeddings: Embeddings, index: int) -> str:
    camera = int(embeddings.camids[index])
    where = "" if camera == NO_CAMERA else f", camera {camera}"
    return f"person {int(embeddings.pids[index])}{where}"
