"""``apnet evaluate``: figures of a network on a data set, with pictures of its rank lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from apnet.cli.commands import Kind, Protocol, Rerank
from apnet.cli.options import Architecture, Csv, Decoders, Device, Json, Latex, named_model, path
from apnet.cli.terminal import progress_bar, tell
from apnet.errors import ConfigError


def evaluate(
    run: Annotated[
        Path, typer.Argument(parser=path, help="A run folder or a .safetensors checkpoint.")
    ],
    data: Annotated[list[str], typer.Option("--data", metavar="NAME=DIR", help="Data set.")],
    architecture: Architecture = None,
    distance: Protocol = "cosine",
    ap: Kind = "hits",
    flip: Annotated[bool, typer.Option(help="Add the mirror image's feature.")] = True,
    precision: Annotated[
        Literal["float32", "bf16", "auto"], typer.Option(help="Arithmetic of the network.")
    ] = "float32",
    rerank: Rerank = None,
    pictures: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Option(
            parser=path,
            metavar="DIR",
            help="Draw rank lists: the worst, the median, some at random.",
        ),
    ] = None,
    device: Device = "auto",
    workers: Decoders = 2,
    json: Json = False,
    csv: Csv = False,
    latex: Latex = False,
) -> None:
    """Evaluate a checkpoint on a data set's query and gallery.

    Figures on synthetic people are also broken down by view, clothes, occlusion, height in pixels,
    light and twins, unless they are re-ranked.
    """
    from apnet.cli.device import prepared_device
    from apnet.cli.forms import Result, chosen_form
    from apnet.cli.values import only, reranking
    from apnet.data import load_source
    from apnet.evaluation import Protocol, measure
    from apnet.models import as_model
    from apnet.retrieval import evaluation_table, format_breakdown, format_evaluation

    form = chosen_form(json=json, csv=csv, latex=latex)
    settings = reranking(rerank)
    if pictures is not None and settings is not None:
        raise ConfigError("--pictures shows the plain ranking; leave --rerank out")
    model = as_model(named_model(run, architecture))
    dataset = load_source(only(data))
    chosen = prepared_device(device)
    protocol = Protocol(distance, ap, flip, precision, settings)
    with progress_bar("embedding" if settings is None else "embedding, re-ranking") as progress:
        measured = measure(
            model, dataset, device=chosen, protocol=protocol, workers=workers, progress=progress
        )
    if pictures is not None:
        from apnet.rank_lists import write_rank_lists

        for written in write_rank_lists(measured, pictures):
            tell(f"rank lists: {written}")
    result, slices = measured.evaluation, measured.slices
    Result(
        lambda: "\n".join(filter(None, [format_evaluation(result), format_breakdown(slices)])),
        lambda: {**result.to_dict(), "breakdown": [part.to_dict() for part in slices]},
        lambda: evaluation_table({dataset.name: result}, {dataset.name: slices}),
    ).say(form)
