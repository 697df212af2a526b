"""Mean, spread and paired test over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def spread(values: Sequence[float]) -> float | None:
    """Returns the sample standard deviation; None of a single value."""
    return statistics.stdev(values) if len(values) > 1 else None


def paired_p(differences: Sequence[float]) -> float | None:
    """Returns the two-sided p of Student's paired t-test.

    Args:
        differences: one a seed, of two systems trained with the same seed.

    Returns:
        How often differences of mean zero would lie this far from it, 0 to 1; None of fewer than
        two differences, and of differences that are all equal.
    """
    deviation = spread(differences)
    if not deviation:
        return None
    t = statistics.mean(differences) / (deviation / math.sqrt(len(differences)))
    return 1 - student_within(t, len(differences) - 1)


def student_within(t: float, freedom: int) -> float:
    """Returns the probability that Student's variable lies in [-t, t].

    The finite sums for a whole number of degrees of freedom (Abramowitz and Stegun, 26.7.3 and
    26.7.4), so that nothing is approximated.

    Args:
        t: any number; its sign does not matter.
        freedom: degrees of freedom, at least 1.
    """
    angle = math.atan(abs(t) / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom, 2):
        term *= (k - 1) / k * math.cos(angle) ** 2
        total += term
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total
