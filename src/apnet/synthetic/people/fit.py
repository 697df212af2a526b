"""Fit of each garment: where it ends and its distance from the body."""

from __future__ import annotations

from apnet.synthetic.people.anatomy import WAIST
from apnet.synthetic.people.wardrobe import Look

EASE = {"tee": 0.008, "polo": 0.009, "tank": 0.005, "shirt": 0.011, "sweater": 0.014,
        "hoodie": 0.02, "jacket": 0.022, "puffer": 0.036, "blazer": 0.017, "coat": 0.024,
        "dress": 0.004}  # fmt: skip
"""Distance between skin and top in metres."""

HEM_WIDTH = {"tee": 0.8, "polo": 0.82, "tank": 0.7, "shirt": 0.85, "sweater": 0.88, "hoodie": 0.92,
        "jacket": 0.93, "puffer": 0.97, "blazer": 0.88, "coat": 0.92, "dress": 0.0}  # fmt: skip
"""Least radius of the hem relative to that of the chest; 0: the hem follows the body."""

SLEEVE_RADIUS = {"tee": 0.05, "polo": 0.05, "tank": 0.0, "shirt": 0.051, "sweater": 0.052,
          "hoodie": 0.057, "jacket": 0.059, "puffer": 0.07, "blazer": 0.056, "coat": 0.062,
          "dress": 0.0}  # fmt: skip
"""Least radius of a sleeve in metres."""

LEG_EASE = {"trousers": 0.007, "jeans": 0.006, "flared": 0.004, "joggers": 0.012,
            "leggings": 0.001, "shorts": 0.014, "skirt": 0.0}  # fmt: skip

LEG_RADIUS = {"trousers": (0.066, 0.07), "jeans": (0.06, 0.06), "flared": (0.052, 0.1),
              "joggers": (0.076, 0.055), "leggings": (0.0, 0.0), "shorts": (0.088, 0.09),
              "skirt": (0.0, 0.0)}  # fmt: skip
"""Least radius of a trouser leg at the knee and at the ankle in metres."""

HAIR_DEPTH = {"short": 0.016, "cropped": 0.005, "sidepart": 0.018, "receding": 0.007, "bald": 0.0,
              "curly": 0.032, "afro": 0.058, "bob": 0.02, "long": 0.018, "fringe": 0.02,
              "ponytail": 0.01, "bun": 0.01, "braids": 0.011}  # fmt: skip

HEMS = {"tee": 0.9, "polo": 0.9, "tank": 0.905, "shirt": 0.875, "sweater": 0.915, "hoodie": 0.9,
        "jacket": 0.89, "puffer": 0.885, "blazer": 0.855, "coat": 0.92, "dress": 0.8}  # fmt: skip

TOPS_WITH_SKIRT = ("coat", "dress")
"""Tops with a skirt of their own below the hips."""

COAT_LENGTH = 0.75
"""End of a coat between hip (0) and knee (1)."""


def hem_height(look: Look) -> float:
    """Returns the height of the hem of the top on the mean body in metres."""
    return WAIST - 0.03 if look.tucked else HEMS[look.top]


def has_skirt(look: Look) -> bool:
    """Returns whether a look has a skirt, or a coat with one."""
    return look.bottom == "skirt" or look.top == "coat"


def skirt_belongs_to_top(look: Look) -> bool:
    """Returns whether the skirt belongs to a coat or a dress."""
    return look.top in TOPS_WITH_SKIRT


def skirt_length(look: Look) -> float:
    """Returns where the skirt ends; 1.0 is the knee."""
    return COAT_LENGTH if look.top == "coat" else look.bottom_length
