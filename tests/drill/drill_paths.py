"""Bad inputs of the drill: paths that no command can use, where each command takes a path."""

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import drill_gallery
from drill_good import EMBED, TINY
from drill_inputs import BadInput, Prepare

_NETWORK = ("--checkpoint", "run", "--device", "cpu")
_DATA = ("--data", "market1501=market")

READ: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "train recipe": (("train", "{}.toml", *_DATA, "--out", "new", *TINY), ("market",)),
    "train data": (("train", "demo", "--data", "market1501={}", "--out", "new", *TINY), ()),
    "train weights": (
        ("train", "demo", *_DATA, "--out", "new", *TINY, "--set", "weights={}"),
        ("market",),
    ),
    "train resume": (("train", "--resume", "{}", "--device", "cpu"), ()),
    "evaluate run": (("evaluate", "{}", *_DATA, "--device", "cpu"), ("market",)),
    "evaluate data": (("evaluate", "run", "--data", "folder={}", "--device", "cpu"), ("run",)),
    "evaluate csv": (("evaluate", "run", "--data", "csv={}", "--device", "cpu"), ("run",)),
    "score query": (("score", "{}"), ()),
    "score gallery": (("score", "a.npz", "{}"), ("a.npz",)),
    "score npz": (("score", "{}.npz"), ()),
    "score npy": (("score", "{}.npy"), ()),
    "score h5": (("score", "{}.h5"), ()),
    "score mat": (("score", "{}.mat"), ()),
    "embed": (("embed", "{}", "--out", "out.npz", *EMBED), ("run",)),
    "embed checkpoint": (
        ("embed", "a.png", "--out", "out.npz", "--checkpoint", "{}", "--device", "cpu"),
        ("a.png",),
    ),
    "search picture": (("search", "{}", "--in", "store", *_NETWORK), ("run", "store")),
    "search store": (("search", "a.png", "--in", "{}", *_NETWORK), ("run", "a.png")),
    "search checkpoint": (
        ("search", "a.png", "--in", "store", "--checkpoint", "{}"),
        ("a.png", "store"),
    ),
    "explain": (("explain", "{}", "--out", "out", *_NETWORK), ("run",)),
    "check market": (("data", "check", "market1501", "{}"), ()),
    "check folder": (("data", "check", "folder", "{}"), ()),
    "check csv": (("data", "check", "csv", "{}"), ()),
    "check msmt17": (("data", "check", "msmt17", "{}"), ()),
    "check cuhk03": (("data", "check", "cuhk03np-labeled", "{}"), ()),
    "show": (("data", "show", "{}", "--pid", "1"), ()),
    "sheet": (("data", "sheet", "folder={}", "--out", "out.png"), ()),
    "demo data": (("demo", "--data", "folder={}", "--out", "new"), ()),
    "reproduce data": (("reproduce", "table2", "--data", "folder={}", "--out", "new"), ()),
    "export checkpoint": (("export", "{}", "--to", "torch", "--out", "F.pt2"), ()),
    "export images": (
        ("export", "run", "--to", "torch", "--out", "F.pt2", "--images", "{}"),
        ("run",),
    ),
    **{
        f"embed {ending}": (
            ("embed", "a.png", "--out", "out.npz", "--checkpoint", f"{{}}.{ending}"),
            ("a.png",),
        )
        for ending in ("onnx", "xml", "pt2")
    },
    **drill_gallery.READ,
}
WRITTEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "train out": (("train", "demo", *_DATA, "--out", "{}", *TINY), ("market",)),
    "embed out": (("embed", "a.png", "--out", "{}", *EMBED), ("run", "a.png")),
    "embed file": (("embed", "a.png", "--out", "{}.npz", *EMBED), ("run", "a.png")),
    "search out": (
        ("search", "a.png", "--in", "store", "--out", "{}.png", *_NETWORK),
        ("run", "a.png", "store"),
    ),
    "explain out": (("explain", "a.png", "--out", "{}", *_NETWORK), ("run", "a.png")),
    "evaluate pictures": (
        ("evaluate", "run", *_DATA, "--pictures", "{}", "--device", "cpu"),
        ("run", "market"),
    ),
    "make": (("data", "make", "{}", "--ids", "4", "--images", "4", "--size", "32x16"), ()),
    "show out": (("data", "show", "market", "--pid", "1", "--out", "{}.png"), ("market",)),
    "sheet out": (("data", "sheet", "market", "--out", "{}.png"), ("market",)),
    "demo out": (("demo", "--out", "{}", *_DATA), ("market",)),
    "reproduce out": (("reproduce", "table3", "--out", "{}"), ()),
    "reproduce people": (
        ("reproduce", "table2", "--scale", "smoke", "--out", "new", "--people", "{}"),
        (),
    ),
    **drill_gallery.WRITTEN,
}
"""Place -> a command with ``{}`` where the path stands, and the good files that it needs."""

SPECIAL = ("pipe", "socket", "circle", "device", "dangling")
"""Names of special files, made with every ending that a command asks for."""

LONG = ("demo out", "reproduce people")
"""Places whose commands take minutes where the path is good."""

WORKING = ("missing", "bytes", "line", "control", "dangling")
"""Names that are good for an output."""

NAMES = {
    "missing": "nothing",
    "long": "x" * 300,
    "very long": "x" * 5000,
    "deep": "x/" * 2500,
    "nul": "a\0b",
    "empty": "",
    "no user": "~nobody-of-this-name/x",
    "bytes": "\udcff\udcfe",
    "below a file": "plain/below",
    "line": "a\nb",
    "control": "a\x1b[31mb",
}


def _special(ending: str) -> Prepare:
    def prepare(folder: Path, chance: random.Random) -> None:
        (folder / "plain").write_text("x")
        os.mkfifo(folder / f"pipe{ending}")
        with socket.socket(socket.AF_UNIX) as opened:
            here = Path.cwd()
            os.chdir(folder)  # the path of a socket is limited to 108 bytes
            opened.bind(f"socket{ending}")
            os.chdir(here)
        (folder / f"circle{ending}").symlink_to(f"circle{ending}")
        (folder / f"device{ending}").symlink_to("/dev/zero")
        (folder / f"dangling{ending}").symlink_to("nowhere")

    return prepare


def path_inputs() -> Iterator[BadInput]:
    """Returns every odd path at every place where a command takes one."""
    for places, written in ((READ, False), (WRITTEN, True)):
        for place, (template, needs) in places.items():
            slot = next(word for word in template if "{}" in word)
            ending = slot.partition("{}")[2]
            for name, text in {**{each: each for each in SPECIAL}, **NAMES}.items():
                arguments = tuple(word.replace("{}", text) for word in template)
                if name == "nul":
                    continue  # no shell can pass it
                if place in LONG and name in WORKING:
                    continue
                works = written and name in WORKING
                yield BadInput(
                    f"path {'written' if written else 'read'}",
                    f"{place} {name}",
                    arguments,
                    needs,
                    _special(ending),
                    may_pass=works,
                )
