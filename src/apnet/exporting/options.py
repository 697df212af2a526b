"""From the arguments of ``export`` to a plan; what does not go together is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from apnet.arguments import AnyPath, as_path
from apnet.errors import ConfigError
from apnet.exported.metadata import ExportMetadata, Pixels, Precision
from apnet.exporting.plan import GraphPlan
from apnet.exporting.presets import PRESETS, Preset
from apnet.exporting.targets import TARGETS, Target
from apnet.files import is_folder, is_there
from apnet.naming import look_up

MOST_PIXELS = 4096
"""Greatest height or width of an input."""


@dataclass(frozen=True)
class Chosen:
    """A plan, what writes it, and where to.

    Attributes:
        target: what writes it.
        plan: what the graph contains.
        out: what appears: a file, or a preset's folder.
        main: the file that the target writes, given the folder in which ``out`` is made.
        properties: further metadata that the preset's program looks for.
    """

    target: Target
    plan: GraphPlan
    out: Path
    main: Callable[[Path], Path]
    properties: Callable[[ExportMetadata], dict[str, str]]


@dataclass(frozen=True)
class Wanted:
    """The arguments of ``export`` that say what to write; it explains them."""

    to: str | None
    out: AnyPath | None
    preset: str | None
    pixels: Pixels | None
    input_size: tuple[int, int] | None
    flip: bool | None
    precision: Precision


def chosen_options(wanted: Wanted, image_size: tuple[int, int]) -> Chosen:
    """Checks what is wanted.

    Args:
        wanted: arguments of ``export``.
        image_size: H and W in pixels that the network is for.

    Raises:
        TypeError: the input size is no pair of whole numbers.
        ConfigError: a name does not exist, or the choices do not go together.
    """
    known = Preset() if wanted.preset is None else look_up("export preset", wanted.preset, PRESETS)
    target = _target(wanted, known)
    for option, given, fixed in (
        ("--pixels", wanted.pixels, known.pixels),
        ("--input-size", wanted.input_size, known.input_size),
    ):
        if given is not None and fixed is not None:
            raise ConfigError(f"{option} is fixed by --for {wanted.preset}; leave it out")
    pixels = wanted.pixels or known.pixels or target.pixels
    if pixels not in get_args(Pixels):
        raise ConfigError(f"pixels '{pixels}': choose {', '.join(get_args(Pixels))}")
    fed = known.input_size(image_size) if known.input_size else image_size
    size = fed if wanted.input_size is None else _size(wanted.input_size)
    flip = known.flip if wanted.flip is None else wanted.flip
    plan = GraphPlan(pixels, size, image_size, flip, wanted.precision)
    path = _place(wanted.out, target, known)
    main = functools.partial(_main, known, path.name)
    return Chosen(target, plan, path, main, known.properties)


def _main(preset: Preset, name: str, folder: Path) -> Path:
    return preset.main(folder / name)


def _target(wanted: Wanted, known: Preset) -> Target:
    name = wanted.to or known.target
    if name is None:
        raise ConfigError(f"name a target with --to: {', '.join(TARGETS)}")
    target = look_up("export target", name, TARGETS)
    if known.target not in (None, name):
        raise ConfigError(
            f"--for {wanted.preset} is --to {known.target}, not {name}; leave --to out"
        )
    if wanted.precision not in get_args(Precision):
        raise ConfigError(
            f"precision '{wanted.precision}': choose {', '.join(get_args(Precision))}"
        )
    if wanted.precision not in target.precisions:
        able = [each for each, other in TARGETS.items() if wanted.precision in other.precisions]
        raise ConfigError(
            f"--to {name} has no {wanted.precision}; use --to {' or '.join(able)} for it"
        )
    return target


def _size(size: tuple[int, int]) -> tuple[int, int]:
    if len(size) != 2 or not all(isinstance(each, int) for each in size):
        raise TypeError(f"input_size must be (height, width), got {size!r}")
    if not all(16 <= each <= MOST_PIXELS for each in size):
        raise ConfigError(f"input size {size[0]}x{size[1]}: sides are 16 to {MOST_PIXELS} pixels")
    return (size[0], size[1])


def _place(out: AnyPath | None, target: Target, preset: Preset) -> Path:
    if out is None:
        raise ConfigError("name the file to write with --out")
    path = as_path(out, "--out")
    preset.check_name(path)
    if preset.folder:
        if is_there(path):
            raise ConfigError(f"--out {path}: is there already; name a new folder")
        return path
    if path.suffix.lower() != target.suffix or path.name.lower() == target.suffix:
        raise ConfigError(f"--out {path}: name a file that ends in {target.suffix}")
    if is_folder(path):
        raise ConfigError(f"--out {path}: a folder; name the file to write")
    return path
