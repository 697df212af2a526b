"""Evaluation results: every result includes the protocol that it was measured with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from apnet.display import summarised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Distance = Literal["cosine", "euclidean"]
APKind = Literal["hits", "trapezoidal"]
JunkRule = Literal["same-camera", "none"]


@summarised
@dataclass(frozen=True, repr=False)
class ProtocolCard:
    """How a figure was measured. Compare two figures only where their cards agree."""

    distance: Distance
    """``cosine``, or ``euclidean`` between the features as given."""

    junk_rule: JunkRule
    """``same-camera``: gallery images with the query's pid and camera are ignored; ``none``: they
    count, for data without known cameras. Images with a junk pid are ignored under both."""

    ap_kind: APKind = "hits"
    """Kind of average precision behind ``mAP``: mean of the precisions at hits, or trapezoidal."""

    feature: str = "given"
    """Which feature was compared: ``bn``, ``pooled``, ``logits``, ``histogram``, or ``given``."""

    flip: bool | None = None
    """Whether the mirror image's feature was added; ``None`` when the features were given."""

    image_size: tuple[int, int] | None = None
    """Height and width in pixels of the resized images."""

    precision: str = "float32"
    """Floating-point format in which the network ran."""

    reranking: str | None = None
    """Name and settings of a re-ranking, such as ``k-reciprocal, k1 20, k2 6, lambda 0.3``;
    ``None`` without re-ranking."""

    model: str | None = None
    """Name and fingerprint (sha256) of the weights."""

    data: dict[str, Any] = field(default_factory=dict)
    """Data set; images, identities and cameras per split; and what its loader left out."""

    seeds: dict[str, int] = field(default_factory=dict)
    """Random seeds that the figure depends on, by their purpose."""

    ties: str = "stable: gallery order"
    """Order of gallery images at equal distance."""

    @property
    def ap_metric(self) -> str:
        """Key of the metric that ``mAP`` is under this protocol."""
        return f"mAP_{self.ap_kind}"

    def _rows(self) -> dict[str, object]:
        size = "x".join(map(str, self.image_size)) if self.image_size else "as given"
        flip = {True: "with mirror image", False: "without mirror image", None: ""}[self.flip]
        return {
            "feature": " ".join(filter(None, (self.feature, flip, f"at {size}", self.precision))),
            "ranking": f"{self.distance}, junk rule {self.junk_rule}, ties {self.ties}",
            "mAP": self.ap_metric,
            "re-ranking": self.reranking or "none",
            "model": self.model or "not given",
            "data": self.data.get("name", "not given"),
            "seeds": self.seeds or "none",
        }


@summarised
@dataclass(frozen=True, repr=False)
class Evaluation:
    """Single-query retrieval figures (section IV-A); all values are fractions from 0 to 1.

    Attributes:
        card: the protocol.
        values: mean over the valid queries of each metric in ``apnet.retrieval.metrics.METRICS``,
            by its key and in the table's order.
        cmc: (K,) share of valid queries with a match among the first k, k = 1..K.
        queries: number of all queries.
        valid_queries: number of queries with at least one match; only these enter the means.
        average_precision: (queries,) of ``card.ap_kind``, NaN where the query is not valid.
        first_match: (queries,) rank from 1 of the first match, 0 where the query is not valid.
    """

    card: ProtocolCard
    values: Mapping[str, float]
    cmc: NDArray[np.float64]
    queries: int
    valid_queries: int
    average_precision: NDArray[np.float64]
    first_match: NDArray[np.int64]

    def _rows(self) -> dict[str, object]:
        card = self.card
        size = "x".join(map(str, card.image_size)) if card.image_size else None
        measured = (card.feature, card.distance, f"at {size}" if size else None, card.precision)
        flip = {True: "mirror image added", False: "no mirror image", None: None}[card.flip]
        ranks = "  ".join(f"rank-{k} {self.rank(k):.2%}" for k in (1, 5, 10))
        return {
            "mAP": f"{self.mAP:.2%} ({card.ap_kind})",
            "CMC": ranks,
            "mINP": f"{self.mINP:.2%}",
            "queries": f"{self.valid_queries:,} with a match, of {self.queries:,}",
            "protocol": ", ".join(
                each for each in (*measured, flip, f"junk rule {card.junk_rule}") if each
            ),
            "re-ranking": card.reranking or "none",
            "data": card.data.get("name", "features as given"),
            "model": card.model or "not given",
        }

    @property
    def mAP(self) -> float:  # noqa: N802 - the field's own name
        """Mean over valid queries of the average precision that ``card.ap_kind`` selects."""
        return self.values[self.card.ap_metric]

    @property
    def mAP_hits(self) -> float:  # noqa: N802
        """Mean average precision as the mean of the precisions at the hits."""
        return self.values["mAP_hits"]

    @property
    def mAP_trapezoidal(self) -> float:  # noqa: N802
        """Mean average precision by the trapezoidal rule."""
        return self.values["mAP_trapezoidal"]

    @property
    def mINP(self) -> float:  # noqa: N802
        """Mean inverse negative penalty: number of matches over the rank of the last match."""
        return self.values["mINP"]

    def rank(self, k: int) -> float:
        """Returns the CMC at rank k >= 1; for k > K this is the curve's last value."""
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form: mAP, every metric, counts, the CMC and the protocol card."""
        return {
            "mAP": self.mAP,
            **self.values,
            "queries": self.queries,
            "valid_queries": self.valid_queries,
            "cmc": [round(float(share), 6) for share in self.cmc],
            "protocol": json.loads(json.dumps(dataclasses.asdict(self.card))),
        }
