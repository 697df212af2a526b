"""The look of a person: a flat list of cues, and the values that each can have.

People come in groups of *twins* who share most cues (see ``twins``), so that colours alone do not
distinguish everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from apnet.synthetic.people.palette import Color

PATTERNS = ("plain", "stripes", "irregular", "pinstripes", "checks", "plaid", "dots", "floral",
            "camouflage", "geometric", "diagonal", "gradient")  # fmt: skip
BLOCKS = ("none", "sleeves", "raglan", "yoke", "band", "half", "panel", "sash")
LOGOS = ("none", "disc", "square", "bar", "letters", "chevron", "emblem")
BAGS = ("none", "backpack", "shoulder", "crossbody", "handbag")
HAIR_STYLES = ("short", "cropped", "sidepart", "receding", "bald", "curly", "afro", "bob", "long",
               "fringe", "ponytail", "bun", "braids")  # fmt: skip
HEADWEAR = ("none", "cap", "beanie", "scarf", "hat", "helmet", "hood")
TOPS = ("tee", "polo", "tank", "shirt", "sweater", "hoodie", "jacket", "puffer", "blazer", "coat",
        "dress")  # fmt: skip
BOTTOMS = ("trousers", "jeans", "flared", "joggers", "leggings", "shorts", "skirt")
LEG_DETAILS = ("none", "stripe", "cargo")
FOOTWEAR = ("sneakers", "shoes", "boots", "heels", "sandals")
PROPS = ("none", "phone", "call", "umbrella", "suitcase", "shopping", "folder", "pram", "bicycle",
         "bench")  # fmt: skip
BEARDS = ("none", "stubble", "moustache", "full")
GLASSES = ("none", "glasses", "sunglasses")

OPENS = ("shirt", "hoodie", "jacket", "puffer", "blazer", "coat")
"""Tops that can be worn open."""

LONG_SLEEVED = ("hoodie", "jacket", "puffer", "blazer", "coat")


@dataclass(frozen=True)
class Look:
    """Appearance and gait of a person; ``changes`` draws how it differs between cameras."""

    group: int
    """Number of the group of twins."""
    body: int
    """Row of ``coefficients`` of the body model."""
    other_body: int
    """Row of a second body that is mixed in."""
    build: float
    """Share of the second body, 0 to 0.3."""
    skin: Color
    hair: Color
    hair_style: str
    beard: str
    glasses: str
    face: float
    """Strength of facial features, 0 to 1."""
    headwear: str
    headwear_color: Color
    top: str
    top_color: Color
    top_second: Color
    top_third: Color
    inner_color: Color
    """Colour of the shirt under an open top."""
    block: str
    """Arrangement of cloth in several colours, one of ``BLOCKS``."""
    pattern: str
    pattern_scale: float
    """1 is usual; larger is coarser."""
    pattern_angle: float
    """Radians."""
    pattern_seed: int
    """Seed of the pattern; the front print uses it too, the back print the next one."""
    logo: str
    logo_color: Color
    logo_size: float
    """Half the width of the print, metres."""
    logo_side: float
    """Position of the print across the chest, metres; 0 is the middle."""
    back_logo: str
    back_color: Color
    sleeve: float
    """1.0 ends at the elbow, 2.0 at the wrist."""
    open_front: bool
    tucked: bool
    tie: bool
    bottom: str
    bottom_color: Color
    bottom_length: float
    """1.0 ends at the knee, 2.0 at the ankle."""
    leg_detail: str
    leg_second: Color
    fade: float
    """Fading of the thighs of trousers, 0 to 1."""
    flare: float
    """Widening of a skirt towards its hem, 0 to 0.5."""
    belt: Color
    footwear: str
    shoes: Color
    bag: str
    bag_color: Color
    prop: str
    prop_color: Color
    texture: float
    """Strength of weave, folds and shade, 0 to 1."""
    stride: float
    """Gait: amplitude of the swing of the thighs, radians."""
    arm_swing: float
    """Gait: swing of the arms relative to that of the thighs."""
    elbow: float
    """Gait: bend of the elbows, radians."""
    lean: float
    """Gait: forward lean of the trunk, radians."""
    toes: float
    """Gait: outward rotation of the feet, radians."""
    sway: float
    """Gait: roll of the hips, radians."""


LookFields = dict[str, object]
"""Values of some fields of a ``Look`` by name."""
