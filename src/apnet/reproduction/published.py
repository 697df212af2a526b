"""The paper's figures in percent: Tables II to VII, by table, trial and system.

Three are printed otherwise in the text: ResNet-101's rank-1 is 96.4 (the text has 90.4),
Occluded-Duke's mAP 54.1 (the text has 54.2), and MSMT17 "Rank1/mAP" are meant in the other order.
"""

from __future__ import annotations

from collections.abc import Mapping

Percentages = Mapping[str, Mapping[str, tuple[float | None, ...]]]

TABLE_2: Percentages = {
    "market1501": {
        "apnet-c0": (87.8, 95.0, 98.6),
        "se-resnet50": (88.6, 95.5, 98.5),
        "stacked-c": (89.4, 95.3, 98.7),
        "apnet-c1": (89.6, 95.5, 98.6),
        "apnet-c2": (90.5, 96.2, 98.8),
        "apnet-c3": (90.3, 96.1, 98.8),
        "stacked-s": (87.9, 95.5, 98.5),
        "apnet-s1": (88.0, 95.7, 98.5),
        "apnet-s2": (89.0, 96.1, 98.7),
        "apnet-s3": (89.3, 96.1, 98.6),
    },
    "dukemtmcreid": {
        "apnet-c0": (77.2, 88.4, 94.4),
        "se-resnet50": (78.7, 88.5, 95.1),
        "stacked-c": (78.7, 88.4, 95.1),
        "apnet-c1": (79.0, 88.6, 95.2),
        "apnet-c2": (81.5, 90.4, 95.6),
        "apnet-c3": (81.3, 90.2, 95.8),
        "stacked-s": (77.6, 88.6, 94.7),
        "apnet-s1": (77.5, 88.8, 94.7),
        "apnet-s2": (78.8, 89.3, 95.0),
        "apnet-s3": (78.8, 89.2, 94.8),
    },
    "msmt17": {
        "apnet-c0": (51.2, 75.3, 84.9),
        "se-resnet50": (58.5, 81.1, 90.3),
        "stacked-c": (58.0, 80.5, 89.5),
        "apnet-c1": (59.5, 81.9, 90.7),
        "apnet-c2": (63.5, 83.7, 91.7),
        "apnet-c3": (63.1, 82.8, 91.2),
        "stacked-s": (56.1, 78.7, 89.0),
        "apnet-s1": (55.8, 78.2, 88.7),
        "apnet-s2": (58.9, 80.8, 89.7),
        "apnet-s3": (59.0, 80.7, 89.8),
    },
}
"""mAP, rank-1, rank-5."""

TABLE_3: Mapping[str, float] = {
    "apnet-c0": 6.23,
    "apnet-c1": 6.23,
    "apnet-c2": 6.24,
    "apnet-c3": 6.25,
    "se-resnet50": 6.24,
    "pyramid-reid": 9.96,
    "scsn": 7.24,
}
"""Giga multiply-adds at 224x224, which the paper calls GFLOPS."""

FIGURE_5: Percentages = {"market1501": {"radix-2": (90.5, 96.2)}}
"""mAP, rank-1; the curve's values are not printed, but radix 2 is Table II's APNet-C2."""

TABLE_4: Percentages = {
    "market1501": {"apnet-s2": (89.0, 96.1, 98.7), "apnet-c2": (90.5, 96.2, 98.8)},
    "dukemtmcreid": {"apnet-s2": (78.8, 89.3, 95.0), "apnet-c2": (81.5, 90.4, 95.6)},
    "msmt17": {"apnet-s2": (59.0, 80.8, 89.8), "apnet-c2": (63.5, 83.7, 91.7)},
    "cuhk03np-detected": {"apnet-s2": (78.1, 80.9, None), "apnet-c2": (81.5, 83.0, None)},
    "cuhk03np-labeled": {"apnet-s2": (81.1, 83.5, None), "apnet-c2": (85.3, 87.4, None)},
}
"""mAP, rank-1, rank-5."""

TABLE_5: Percentages = {
    "market1501": {
        "resnet50": (87.8, 95.0, 98.6),
        "resnet50-c2": (90.5, 96.2, 98.8),
        "resnet101": (89.6, 95.3, 98.5),
        "resnet101-c2": (91.2, 96.4, 98.8),
        "inception_v3": (86.3, 95.1, 98.2),
        "inception_v3-c2": (88.0, 96.0, 98.5),
        "densenet169": (89.0, 95.1, 98.7),
        "densenet169-c2": (90.5, 96.2, 98.9),
    }
}
"""mAP, rank-1, rank-5."""

TABLE_6: Percentages = {
    "occluded-duke": {
        "apnet-c1": (46.6, 53.9, 68.6, 74.1),
        "apnet-c2": (54.1, 62.2, 76.3, 81.5),
    }
}
"""mAP, rank-1, rank-5, rank-10."""

TABLE_7: Percentages = {
    "market1501->dukemtmcreid": {
        "apnet-c0": (15.6, 29.1, 43.4, 50.1),
        "apnet-c1": (16.6, 30.1, 43.9, 50.0),
        "apnet-c2": (21.3, 35.9, 50.1, 56.9),
        "apnet-c3": (22.8, 37.7, 52.4, 59.0),
    },
    "dukemtmcreid->market1501": {
        "apnet-c0": (19.3, 44.4, 61.1, 66.7),
        "apnet-c1": (23.0, 50.4, 65.2, 71.8),
        "apnet-c2": (24.0, 51.0, 66.4, 72.3),
        "apnet-c3": (23.7, 50.9, 66.6, 72.6),
    },
}
"""mAP, rank-1, rank-5, rank-10."""
