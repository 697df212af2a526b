"""How many people a claim about an error rate takes."""

from __future__ import annotations

import math

RULE_OF_3 = 3.0
"""With no error in n independent trials the 95 % bound of the rate is 3 / n."""


def people_for_pairs(rate: float) -> int:
    """Returns the people whose pairs suffice for a false match rate."""
    return math.ceil(math.sqrt(2 * RULE_OF_3 / rate)) + 1


def people_for_searches(rate: float, size: int) -> int:
    """Returns the people that suffice for a false positive identification rate.

    Each of P people is searched for once among the P - 1 others, which shows rates of 3 / P. A
    gallery of more than P - 1 has this rate where one of P - 1 has about (P - 1) / size of it.

    Args:
        rate: above 0, below 1.
        size: identities in the gallery.
    """
    beyond = math.sqrt(RULE_OF_3 * size / -math.log1p(-rate))
    return max(math.ceil(RULE_OF_3 / rate), math.ceil(beyond) + 1)


def smallest_search_rate(people: int, size: int) -> float:
    """Returns the smallest rate that ``people_for_searches`` finds enough people for; may be > 1.

    Args:
        people: those of the calibration, at least 2.
        size: identities in the gallery.
    """
    rate = max(RULE_OF_3 / people, -math.expm1(-RULE_OF_3 * size / (people - 1) ** 2))
    return rate * (1 + 1e-9)  # for the rounding of the way back
