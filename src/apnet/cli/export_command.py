"""``apnet export``: a network into a file that other programs run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from apnet.cli.options import Architecture, Json, named_model, path
from apnet.cli.terminal import say, say_json, tell
from apnet.errors import ConfigError


def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            parser=path, help="A run folder or checkpoint; 'shipped' for the shipped network."
        ),
    ],
    out: Annotated[
        Path, typer.Option(parser=path, metavar="FILE", help="File to write; see 'docs/export.md'.")
    ],
    architecture: Architecture = None,
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer on Python 3.10
        typer.Option(help="onnx, openvino, torch or tensorrt-script."),
    ] = None,
    preset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--for", help="ultralytics, boxmot or openvino-model-server."),
    ] = None,
    images: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            parser=path,
            metavar="DIR",
            help="Crops to compare the file with the original on; else synthetic people.",
        ),
    ] = None,
    pixels: Annotated[
        Optional[Literal["uint8", "unit", "normalised"]],  # noqa: UP045
        typer.Option(help="Input: uint8 (N, H, W, 3), or unit / normalised floats (N, 3, H, W)."),
    ] = None,
    input_size: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="HxW", help="Size of the input, resized inside the graph."),
    ] = None,
    flip: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--flip/--no-flip", help="Add the mirror image's feature inside; presets may not."
        ),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Compute in float16.")] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="Convolutions in 8 bits, calibrated on --images.")
    ] = False,
    json: Json = False,
) -> None:
    """Export a network into a file for other programs, if it gives the same features.

    The same images run through the original and the finished file; a file that disagrees is not
    written.
    """
    from apnet.cli.values import image_size
    from apnet.exporting import export as exported

    if half and int8:
        raise ConfigError("--half and --int8 are two arithmetics; give one of them")
    done = exported(
        str(checkpoint) if architecture is None else named_model(checkpoint, architecture),
        to,
        out,
        images=images,
        preset=preset,
        pixels=pixels,
        input_size=None if input_size is None else image_size(input_size),
        flip=flip,
        precision="float16" if half else "int8" if int8 else "float32",
        notify=tell,
    )
    if json:
        say_json(
            {
                "out": str(done.path),
                "bytes": done.bytes,
                "metadata": dataclasses.asdict(done.metadata),
                "gate": {**dataclasses.asdict(done.gate), "passed": done.gate.passed},
            }
        )
        return
    say(f"{done.path}: {done.bytes / 2**20:.1f} MiB, agrees with the original: {done.gate}")
    say(f"input {done.metadata.preprocessing}")
    say(f"embeddings {done.metadata.fingerprint}, {done.metadata.dimensions} numbers each")
