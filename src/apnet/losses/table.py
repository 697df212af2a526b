"""The table of losses by name; a new loss is one function elsewhere and one entry here."""

from __future__ import annotations

import math

from apnet.losses.center import center
from apnet.losses.kind import LossKind, Setting
from apnet.losses.library import arcface, circle, cosface, ms, proxy_anchor, supcon
from apnet.losses.paper_terms import cross_entropy, triplet

LOSSES: dict[str, LossKind] = {
    "cross-entropy": LossKind(
        cross_entropy, {"label_smoothing": Setting(0.1, high=1)}, "logits", per_class=True
    ),
    "triplet": LossKind(triplet, {"margin": Setting(0.3)}, "pooled", least_identities=2),
    "circle": LossKind(
        circle,
        {"margin": Setting(0.25, high=1), "scale": Setting(128, positive=True)},
        "pooled",
        least_images=2,
        least_identities=2,
    ),
    "center": LossKind(center, {}, "pooled", per_class=True),
    "arcface": LossKind(
        arcface,
        {"margin": Setting(0.5, high=math.pi), "scale": Setting(64, positive=True)},
        "neck",
        per_class=True,
    ),
    "cosface": LossKind(
        cosface,
        {"margin": Setting(0.35, high=1), "scale": Setting(64, positive=True)},
        "neck",
        per_class=True,
    ),
    "supcon": LossKind(
        supcon,
        {"temperature": Setting(0.1, positive=True)},
        "pooled",
        least_images=2,
        least_identities=2,
    ),
    "proxy-anchor": LossKind(
        proxy_anchor,
        {"margin": Setting(0.1, high=1), "scale": Setting(32, positive=True)},
        "neck",
        per_class=True,
    ),
    "ms": LossKind(
        ms,
        {
            "alpha": Setting(2, positive=True),
            "beta": Setting(50, positive=True),
            "base": Setting(0.5, low=-1, high=2),
            "epsilon": Setting(0.1),
        },
        "pooled",
        least_images=2,
        least_identities=2,
    ),
}
"""The paper's two losses first; sources, means and published options are in the builders."""
