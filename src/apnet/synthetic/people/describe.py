"""Describes a look in words."""

from __future__ import annotations

from apnet.synthetic.people.palette import color_name
from apnet.synthetic.people.wardrobe import Look

TOP_WORDS = {"tee": "T-shirt", "polo": "polo shirt", "tank": "tank top", "puffer": "puffer jacket"}

PATTERN_WORDS = {"stripes": "striped", "irregular": "striped", "pinstripes": "pinstriped",
                 "checks": "checked", "plaid": "plaid", "dots": "dotted", "floral": "floral",
                 "camouflage": "camouflage", "geometric": "patterned", "diagonal": "striped",
                 "gradient": "two-tone"}  # fmt: skip

BAG_WORDS = {"shoulder": "shoulder bag", "crossbody": "crossbody bag"}

HAIR_WORDS = {"sidepart": "parted", "fringe": "long", "braids": "braided", "bob": "chin-length",
              "ponytail": "tied", "bun": "tied"}  # fmt: skip

PROP_WORDS = {"call": "phone at the ear", "shopping": "shopping bags"}

BLOCK_WORDS = {"sleeves": "sleeves", "raglan": "raglan sleeves", "yoke": "shoulders",
               "band": "band on the chest", "half": "lower half", "panel": "sides",
               "sash": "sash"}  # fmt: skip


def describe_look(look: Look) -> dict[str, list[str]]:
    """Describes a look in short phrases.

    Returns:
        ``coarse``: top and legs, visible from a distance; ``medium``: headwear, hair, bag, prop and
        shoes; ``fine``: patterns, colour blocks, prints, glasses and other details.
    """
    return {"coarse": _coarse(look), "medium": _medium(look), "fine": _fine(look)}


def _coarse(look: Look) -> list[str]:
    pattern = PATTERN_WORDS.get(look.pattern)
    words = [color_name(look.top_color), pattern, TOP_WORDS.get(look.top, look.top)]
    result = [" ".join(word for word in words if word)]
    if look.top != "dress":
        short = "short " if look.bottom == "skirt" and look.bottom_length < 0.8 else ""
        legs = f"{look.bottom} trousers" if look.bottom == "flared" else look.bottom
        result.append(f"{short}{color_name(look.bottom_color)} {legs}")
    return result


def _medium(look: Look) -> list[str]:
    result = []
    if look.headwear == "hood":
        result.append("hood up")
    elif look.headwear != "none":
        scarf = "head scarf" if look.headwear == "scarf" else look.headwear
        result.append(f"{color_name(look.headwear_color)} {scarf}")
    if look.hair_style == "bald":
        result.append("bald")
    elif look.headwear not in ("hood", "scarf"):
        style = HAIR_WORDS.get(look.hair_style, look.hair_style)
        result.append(f"{style} {color_name(look.hair)} hair")
    if look.bag != "none":
        result.append(f"{color_name(look.bag_color)} {BAG_WORDS.get(look.bag, look.bag)}")
    if look.prop != "none":
        word = PROP_WORDS.get(look.prop, look.prop)
        colored = look.prop in ("umbrella", "suitcase", "folder", "pram", "bicycle")
        result.append(f"{color_name(look.prop_color)} {word}" if colored else word)
    result.append(f"{color_name(look.shoes)} {look.footwear}")
    return result


def _fine(look: Look) -> list[str]:
    result = []
    if look.pattern != "plain":
        result.append(f"{color_name(look.top_second)} in the pattern")
    if look.block != "none":
        result.append(f"{color_name(look.top_second)} {BLOCK_WORDS[look.block]}")
    for name, tone, side in (
        (look.logo, look.logo_color, "chest"),
        (look.back_logo, look.back_color, "back"),
    ):
        if name != "none":
            result.append(f"{color_name(tone)} {name} on the {side}")
    if look.open_front:
        result.append(f"open over {color_name(look.inner_color)}")
    sleeves = "no" if look.sleeve < 0.3 else "short" if look.sleeve <= 1.2 else "long"
    result.append(f"{sleeves} sleeves")
    if look.leg_detail != "none":
        stripe = f"{color_name(look.leg_second)} side stripe"
        result.append(stripe if look.leg_detail == "stripe" else "cargo pockets")
    result += ["tie"] * look.tie + ["tucked in"] * look.tucked
    if look.beard != "none":
        result.append({"full": "beard"}.get(look.beard, look.beard))
    if look.glasses != "none":
        result.append(look.glasses)
    return result
