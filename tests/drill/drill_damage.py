"""Ways to spoil a file: bytes flipped, cut, repeated, nested, retyped, or all replaced."""

import gzip
import io
import json
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

from drill_inputs import Prepare

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**70, 10**400, 1e300, 0.5, "", "x" * 5000, "\0", "\ud800"),
    *([], {}, [[]], {"a": {}}, "../../etc/passwd", "/dev/zero", "nan", [1, 2, 3, 4, 5]),
)
ODD_PIECES = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"1e999", b"NaN", b"-1", b'"', b"\n\n", b"," * 50),
    *(b"9" * 30, b"9" * 5000, b"{" * 50, "\u202e".encode(), b"\r", b"[" * 20000, b"../" * 40),
)


def _archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    return made.getvalue()


OTHER_CONTENTS = {
    "empty": b"",
    "zeros": bytes(4096),
    "noise": random.Random(0).randbytes(4096),
    "web page": b"<!DOCTYPE html><html><body>404</body></html>\n",
    "zip": _archive(),
    "gzip": gzip.compress(b"nothing"),
    "pickle": pickle.dumps({"features": [1.0]}, protocol=4),
    "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep mapping": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": "gr\xfcn,b\xe4r\n".encode("latin-1"),
}
"""What a file may hold instead; none of it is right anywhere."""


def replaced(place: str, content: bytes) -> Prepare:
    """Puts other content into a file."""

    def prepare(folder: Path, chance: random.Random) -> None:
        (folder / place).write_bytes(content)

    return prepare


def damaged(place: str) -> Prepare:
    """Cuts, flips, repeats or adds bytes at random places."""

    def prepare(folder: Path, chance: random.Random) -> None:
        content = (folder / place).read_bytes()
        for _ in range(chance.randint(1, 3)):
            content = _damage(content, chance)
        (folder / place).write_bytes(content)

    return prepare


def _damage(content: bytes, chance: random.Random) -> bytes:
    start = chance.choice((0, chance.randint(0, 200), chance.randint(0, len(content))))
    start = min(start, len(content))
    end = min(start + chance.randint(0, 20), len(content))
    kind = chance.choice(("cut", "flip", "put", "repeat", "bit"))
    if kind == "cut":
        return content[:start]
    if kind == "flip":
        return content[:start] + chance.randbytes(end - start) + content[end:]
    if kind == "put":
        return content[:start] + chance.choice(ODD_PIECES) + content[end:]
    if kind == "repeat":
        return content[:end] + content[start:]
    if start < len(content):
        bit = bytes([content[start] ^ (1 << chance.randint(0, 7))])
        return content[:start] + bit + content[start + 1 :]
    return content


def retyped(place: str) -> Prepare:
    """Replaces a value somewhere in a JSON file, or in a line of one, by one of another kind."""

    def prepare(folder: Path, chance: random.Random) -> None:
        text = (folder / place).read_text(encoding="utf-8")
        lines = text.splitlines() if place.endswith(".jsonl") else [text]
        number = chance.randrange(len(lines))
        lines[number] = json.dumps(_retyped(json.loads(lines[number]), chance))
        (folder / place).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return prepare


def retyped_header(place: str) -> Prepare:
    """Replaces a value in the header of a safetensors file."""

    def prepare(folder: Path, chance: random.Random) -> None:
        content = (folder / place).read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        metadata = header.get("__metadata__", {})
        if metadata and chance.random() < 0.7:
            key = chance.choice(sorted(metadata))
            metadata[key] = _retyped_text(metadata[key], chance)
        else:
            header = _retyped(header, chance)
        written = json.dumps(header).encode()
        (folder / place).write_bytes(
            len(written).to_bytes(8, "little") + written + content[8 + size :]
        )

    return prepare


def _retyped_text(text: str, chance: random.Random) -> str:
    try:
        return json.dumps(_retyped(json.loads(text), chance))
    except ValueError:
        return chance.choice(("", "x" * 5000, "\0", "999", "{}", "[" * 5000))


def _retyped(value: Any, chance: random.Random) -> Any:
    """Returns a JSON value with one value in it replaced, left out or added."""
    inner = (
        sorted(value)
        if isinstance(value, dict)
        else range(len(value))
        if value and isinstance(value, list)
        else ()
    )
    if not inner or chance.random() < 0.25:
        return chance.choice(ODD_VALUES)
    key = chance.choice(list(inner))
    copy = dict(value) if isinstance(value, dict) else list(value)
    if chance.random() < 0.15:
        del copy[key]
    else:
        copy[key] = _retyped(value[key], chance)
    return copy
