"""What an evaluation returns: figures that never travel without the protocol that made them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Distance = Literal["cosine", "euclidean"]
APKind = Literal["hits", "trapezoidal"]
JunkRule = Literal["same-camera", "none"]


@dataclass(frozen=True)
class ProtocolCard:
    """How a figure was made: without this, two mAPs cannot be compared."""

    distance: Distance
    """``cosine``, or ``euclidean`` on the features as given."""

    junk_rule: JunkRule
    """``same-camera``: gallery images of the query's pid and camera are left out; ``none`` when
    cameras are unknown. Junk pids are left out under both."""

    ap_kind: APKind = "hits"
    """Which average precision ``mAP`` names: the mean of precisions at hits, or trapezoidal."""

    feature: str = "given"
    """Which feature was compared: ``bn``, ``pooled``, ``logits``, ``histogram``, or ``given``."""

    flip: bool | None = None
    """Whether the mirror image's feature was added; ``None`` when the features were given."""

    image_size: tuple[int, int] | None = None
    """Height and width in pixels that the images were resized to."""

    precision: str = "float32"
    """Arithmetic of the network."""

    reranking: str | None = None
    """Name and settings of a re-ranking, as ``k-reciprocal, k1 20, k2 6, lambda 0.3``; ``None``:
    the plain ranking."""

    model: str | None = None
    """Name and fingerprint (sha256) of the weights."""

    data: dict[str, Any] = field(default_factory=dict)
    """Data set, counts of images, ids and cameras a split, and what its loader left out."""

    seeds: dict[str, int] = field(default_factory=dict)
    """Seeds that the figure depends on, by what they seed."""

    ties: str = "stable: gallery order"
    """The order of gallery images at equal distance."""


@dataclass(frozen=True)
class Evaluation:
    """Single-query retrieval figures (section IV-A); all shares are fractions from 0 to 1.

    Attributes:
        card: the protocol.
        mAP: mean over valid queries of the average precision that ``card.ap_kind`` names.
        mAP_hits: its variant as the mean of the precisions at the hits.
        mAP_trapezoidal: its variant by the trapezoidal rule.
        mINP: mean inverse negative penalty: matches over the rank of the last match.
        cmc: (K,) share of valid queries with a match among the first k, k = 1..K.
        queries: all queries.
        valid_queries: those with at least one match; only they enter the means.
        average_precision: (queries,) of ``card.ap_kind``, NaN where the query is not valid.
        first_match: (queries,) rank from 1 of the first match, 0 where the query is not valid.
    """

    card: ProtocolCard
    mAP: float  # noqa: N815 - the field's own name
    mAP_hits: float  # noqa: N815
    mAP_trapezoidal: float  # noqa: N815
    mINP: float  # noqa: N815
    cmc: NDArray[np.float64]
    queries: int
    valid_queries: int
    average_precision: NDArray[np.float64] = field(repr=False)
    first_match: NDArray[np.int64] = field(repr=False)

    def rank(self, k: int) -> float:
        """Returns the CMC at rank k >= 1; beyond the gallery's size it stays at its last value."""
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form: figures as fractions, beside their protocol card."""
        plain: dict[str, Any] = {
            "mAP": self.mAP,
            "mINP": self.mINP,
            "rank1": self.rank(1),
            "rank5": self.rank(5),
            "rank10": self.rank(10),
            "mAP_hits": self.mAP_hits,
            "mAP_trapezoidal": self.mAP_trapezoidal,
            "queries": self.queries,
            "valid_queries": self.valid_queries,
            "cmc": [round(float(share), 6) for share in self.cmc],
            "protocol": json.loads(json.dumps(dataclasses.asdict(self.card))),
        }
        return plain
