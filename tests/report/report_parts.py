"""Synthetic content of report pages."""

from pathlib import Path

import numpy as np

from apnet.report import (
    AttentionPanel,
    RankedGallery,
    ReportPage,
    SystemResult,
    TrainingCurve,
)
from apnet.results import Evaluation, ProtocolCard


def make_evaluation(rank1: float = 0.9, mAP: float = 0.75, **card: object) -> Evaluation:
    cmc = np.linspace(rank1, 1, 30)
    settings = {"distance": "cosine", "junk_rule": "same-camera", **card}
    return Evaluation(
        card=ProtocolCard(**settings),
        values={
            "mINP": mAP / 2,
            **{f"rank{k}": float(cmc[k - 1]) for k in (1, 5, 10)},
            "mAP_hits": mAP,
            "mAP_trapezoidal": mAP,
        },
        cmc=cmc,
        queries=12,
        valid_queries=12,
        average_precision=np.full(12, mAP),
        first_match=np.ones(12, np.int64),
    )


def make_system(key: str = "pyramid", name: str = "APNet-C2", **figures: object) -> SystemResult:
    return SystemResult(key, name, "a description", make_evaluation(**figures), 75.0)


def make_gallery(query: Path, matches: list[Path], chosen: str = "Highest AP") -> RankedGallery:
    count = len(matches)
    return RankedGallery(
        chosen=chosen,
        query=query,
        matches=tuple(matches),
        correct=tuple(i % 2 == 0 for i in range(count)),
        similarity=tuple(0.99 - 0.01 * i for i in range(count)),
        average_precision=0.654,
        query_label="person 7, camera 2",
        match_labels=tuple(f"person {i}" for i in range(count)),
    )


def make_panel(seed: int = 0, stages: int = 4, levels: int = 3) -> AttentionPanel:
    generator = np.random.default_rng(seed)
    return AttentionPanel(
        generator.integers(0, 256, (256, 128, 3), dtype=np.uint8),
        tuple(tuple(generator.random((16, 8)) for _ in range(levels)) for _ in range(stages)),
        tuple((None, *(0.5 for _ in range(levels - 1)))[:levels] for _ in range(stages)),
        f"person {seed}",
    )


def make_page(**parts: object) -> ReportPage:
    content = {
        "title": "A title",
        "summary": "A summary.",
        "systems": [
            make_system(),
            make_system("histogram", "colour histogram", rank1=0.4, mAP=0.2, feature="histogram"),
        ],
        "curves": [TrainingCurve("APNet-C2", [1, 2, 3], [6.0, 3.5, 2.25], [(3, 0.75)])],
        **parts,
    }
    return ReportPage(**content)
