"""Bad inputs of the drill: every file that a command reads, damaged in every way."""

from collections.abc import Iterator

import drill_gallery
from drill_damage import OTHER_CONTENTS, damaged, replaced, retyped, retyped_header
from drill_good import EMBED, FEATURES, IMAGES, TINY
from drill_inputs import BadInput, Commands

_NETWORK = ("--checkpoint", "run", "--device", "cpu")
_RESUME = ("train", "--resume", "run", "--set", "epochs=2", "--device", "cpu", "--workers", "0")
_TRAIN = ("train", "demo", "--data", "market1501=market", "--out", "new", *TINY)
_EVALUATE = ("evaluate", "run", "--data", "market1501=market", "--device", "cpu")
_MAKE = ("data", "make", "synth", "--ids", "4", "--images", "4")
_SEARCH = ("search", "a.png", "--in", "store", *_NETWORK)

READERS: dict[str, Commands] = {
    "run/run.json": ((_RESUME, ("run", "market")),),
    "run/history.json": ((_RESUME, ("run", "market")),),
    "run/state.safetensors": ((_RESUME, ("run", "market")),),
    "run/last.safetensors": (
        (_EVALUATE, ("run", "market")),
        (("embed", "a.png", "--out", "out.npz", *EMBED), ("run", "a.png")),
        (_SEARCH, ("run", "a.png", "store")),
        (("explain", "a.png", "--out", "out", *_NETWORK), ("run", "a.png")),
        (
            (*_TRAIN, "--set", "weights=run/last.safetensors"),
            ("run", "market"),
        ),
    ),
    **{
        f"store/{name}": (
            (("score", "store"), ("store",)),
            (_SEARCH, ("run", "a.png", "store")),
            (("embed", "crops", "--out", "store", *EMBED), ("run", "crops", "store")),
        )
        for name in ("store.json", "rows.jsonl", "features.f32")
    },
    **{
        name: (
            (("score", name), (name, "a.csv")),
            ((*_SEARCH[:3], name, *_NETWORK), ("run", "a.png", name, "a.csv")),
        )
        for name in FEATURES
    },
    "a.csv": ((("score", "a.npy"), ("a.npy", "a.csv")),),
    **{
        name: (
            (("embed", name, "--out", "out", *EMBED), ("run", name)),
            (("explain", name, "--out", "out", *_NETWORK), ("run", name)),
            (("search", name, "--in", "store", *_NETWORK), ("run", name, "store")),
        )
        for name in IMAGES
    },
    "market/bounding_box_train/0001_c1s1_000000_00.png": (
        (("data", "check", "market1501", "market"), ("market",)),
        (("data", "show", "market", "--pid", "1", "--out", "out.png"), ("market",)),
        (("data", "sheet", "market", "--out", "out.png"), ("market",)),
        (("train", "demo", "--data", "market1501=market", "--out", "new", *TINY), ("market",)),
    ),
    "people.csv": (
        (("data", "check", "csv", "people.csv", "--no-decode"), ("people.csv", "market")),
        (("embed", "people.csv", "--out", "out.npz", *EMBED), ("people.csv", "market", "run")),
        (("data", "sheet", "csv=people.csv", "--out", "out.png"), ("people.csv", "market")),
    ),
    **{
        f"msmt/list_{part}.txt": ((("data", "check", "msmt17", "msmt"), ("msmt",)),)
        for part in ("train", "val", "query", "gallery")
    },
    "cuhk/cuhk-03.mat": ((("data", "check", "cuhk03np-labeled", "cuhk"), ("cuhk",)),),
    "cuhk/cuhk03_new_protocol_config_labeled.mat": (
        (("data", "check", "cuhk03np-labeled", "cuhk"), ("cuhk",)),
    ),
    "synth/metadata.jsonl": (
        (("data", "show", "synth", "--pid", "1", "--out", "out.png"), ("synth",)),
        (("evaluate", "run", "--data", "synthetic=synth", "--device", "cpu"), ("run", "synth")),
    ),
    "synth/settings.json": (
        (
            (*_MAKE, "--cameras", "2", "--size", "32x16", "--workers", "0"),
            ("synth",),
        ),
    ),
    "recipe.toml": (
        (
            ("train", "recipe.toml", "--data", "market1501=market", "--out", "new", *TINY),
            ("recipe.toml", "market"),
        ),
    ),
    **drill_gallery.READERS,
}
"""File -> commands that read it, each with the good files that it needs."""

ANYTHING = ("store/features.f32",)
"""Files in which any bytes are values."""


def file_inputs(rounds: int) -> Iterator[BadInput]:
    """Returns every file damaged at random ``rounds`` times per command, and replaced."""
    for place, commands in READERS.items():
        ways = [("damaged", damaged(place))]
        if place.endswith((".json", ".jsonl")):
            ways.append(("retyped", retyped(place)))
        if place.endswith(".safetensors"):
            ways.append(("retyped", retyped_header(place)))
        for number, (arguments, needs) in enumerate(commands):
            for way, prepare in ways:
                for each in range(rounds):
                    name = f"{place} {arguments[0]}{number} {way} {each}"
                    yield BadInput(f"file {way}", name, arguments, needs, prepare, may_pass=True)
            for way, content in OTHER_CONTENTS.items():
                name = f"{place} {arguments[0]}{number} {way}"
                yield BadInput(
                    "file replaced",
                    name,
                    arguments,
                    needs,
                    replaced(place, content),
                    may_pass=place in ANYTHING,
                )
