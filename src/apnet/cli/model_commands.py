"""Commands that put a trained network to use; the shipped one where none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from apnet.cli.options import Device, Json, Weights
from apnet.cli.terminal import say, say_json, tell
from apnet.errors import ConfigError

if TYPE_CHECKING:
    from apnet.checkpoints import Checkpoint


def embed(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, folders, .csv.")],
    out: Annotated[
        Path, typer.Option(metavar="STORE", help="Folder to fill, or a file ending in .npz.")
    ],
    checkpoint: Weights = None,
    flip: Annotated[bool, typer.Option(help="Add the mirror image's feature.")] = True,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave broken images out and list them.")
    ] = False,
    device: Device = "auto",
    backend: Annotated[
        str, typer.Option(help="auto, eager, folded, compiled, onnx or openvino.")
    ] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or int8.")] = "auto",
    half: Annotated[
        bool, typer.Option("--half", help="Keep a store's features in 16 bits.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Threads that decode images.")] = 2,
    json: Json = False,
) -> None:
    """Turn images of people into features that 'apnet score' reads.

    A folder grows batch by batch: after a stop, or when there are new images, the same command
    goes on.
    """
    from apnet.cli.device import prepared_device
    from apnet.cli.embedding import Wishes, embed_to_file, embed_to_store
    from apnet.data.image_paths import gather_images
    from apnet.embedding import Manner

    to_file = out.suffix == ".npz"
    if to_file and out.is_dir():
        raise ConfigError(f"--out {out}: a folder; name the file to write, such as features.npz")
    if to_file and half:
        raise ConfigError(f"--half is for a folder; --out {out} names a file")
    listing = gather_images(paths)
    for note in listing.notes:
        tell(note)
    chosen = chosen_checkpoint(checkpoint)
    manner = Manner(chosen.config.image_size, flip, skip_unreadable, max(workers, 1))
    numbers: Literal["float16", "float32"] = "float16" if half else "float32"
    wishes = Wishes(prepared_device(device), backend, precision, numbers)
    write = embed_to_file if to_file else embed_to_store
    done = write(chosen, listing.gallery, out, manner, wishes)
    if not json:
        without = f", {len(done.skipped):,} skipped" if done.skipped else ""
        say(f"{out}: {done.images:,} images{without}, {done.dimensions} numbers each")
        return
    say_json(
        {
            "out": str(out),
            "images": done.images,
            "dimensions": done.dimensions,
            "skipped": list(done.skipped),
            "checkpoint": str(chosen.path),
            "fingerprint": chosen.fingerprint,
            "image_size": list(chosen.config.image_size),
            "flip": flip,
            **done.computed(),
        }
    )


def explain(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Crops of people.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")],
    checkpoint: Weights = None,
    device: Device = "auto",
) -> None:
    """Draw where a network looks after every pyramid level; of two images also why they match.

    Writes NAME.explained.png for each image and, of exactly two, pair.png.
    """
    from apnet.cli.device import prepared_device
    from apnet.explanation import explain_files

    chosen = prepared_device(device)
    loaded = chosen_checkpoint(checkpoint)
    explained = explain_files(loaded.network.to(chosen), loaded.config.image_size, images, out)
    for path in (*explained.pictures, *([explained.pair] if explained.pair else [])):
        say(str(path))
    if explained.match is not None:
        say(f"cosine similarity {explained.match.similarity:+.4f}, without mirror images")


def chosen_checkpoint(path: Path | None) -> Checkpoint:
    """Loads the checkpoint that a user named, else the shipped one.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    if path is None:
        from apnet.shipped import default_checkpoint

        return default_checkpoint()
    from apnet.checkpoints import load_checkpoint

    return load_checkpoint(path)
