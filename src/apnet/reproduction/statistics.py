"""Mean, spread and paired test over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from apnet.extras import require


def spread(values: Sequence[float]) -> float | None:
    """Returns the sample standard deviation; None of a single value."""
    return statistics.stdev(values) if len(values) > 1 else None


def paired_p(differences: Sequence[float]) -> float | None:
    """Returns the two-sided p of Student's paired t-test.

    Args:
        differences: one per seed, of two systems trained with the same seed.

    Returns:
        How often differences of mean zero would lie this far from it, 0 to 1; None of fewer than
        two differences, and of differences that are all equal.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    if not spread(differences):
        return None
    found = require("scipy.stats", "report").ttest_1samp(differences, 0.0)
    return float(found.pvalue)
