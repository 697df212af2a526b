"""One function a command. Heavy packages are imported by the commands that need them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.options import Csv, Data, Device, Json, Latex, Renderers, Seed, Workers, path, refuse
from apnet.cli.terminal import leads, progress_bar, say, say_json, tell
from apnet.errors import ConfigError
from apnet.results import APKind, Distance

Protocol = Annotated[Distance, typer.Option("--distance", help="How features are compared.")]
Kind = Annotated[APKind, typer.Option("--ap", help="Which average precision 'mAP' names.")]
Rerank = Annotated[
    Optional[str],  # noqa: UP045 - typer on Python 3.10
    typer.Option("--rerank", metavar="K1,K2,LAMBDA", help="Re-rank, usually by 20,6,0.3."),
]


def demo(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(parser=path, help="Folder for people, runs and report.")
    ] = Path("apnet-demo"),
    data: Data = None,
    seed: Seed = 0,
    workers: Renderers = 2,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe.")
    ] = None,
) -> None:
    """Train a small pyramid from scratch, compare it, and write report.html.

    Without --data it first makes a set of synthetic people. A first report, of the network that
    comes with the package, is there before training begins. A demo that was interrupted goes on
    when the same command is given again.
    """
    from apnet.cli.training_display import TrainingDisplay
    from apnet.cli.values import only
    from apnet.demo import run_demo
    from apnet.retrieval import format_evaluations

    if data:
        refuse(context, ("workers",), "with --data, as nothing is rendered")
    result = run_demo(
        out,
        source=only(data) if data else None,
        seed=seed,
        workers=workers,
        assignments=settings or [],
        stage=progress_bar,
        training_display=TrainingDisplay,
        tell=tell,
    )
    say(format_evaluations(result.evaluations))
    say(f"\nreport:  {result.report}\nfigures: {result.metrics}")


def train(
    recipe: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="A shipped recipe's name or a .toml file."),
    ] = None,
    data: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--data", metavar="NAME=DIR", help="Data set; repeat to train on several."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, help="New run folder."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change, as optimiser.learning_rate=2e-4."),
    ] = None,
    resume: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="RUN", help="Continue this run, exactly."),
    ] = None,
    device: Device = "auto",
    workers: Workers = 2,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write scalars.")] = False,
) -> None:
    """Train a network: RECIPE --data NAME=DIR --out RUN, or --resume RUN.

    With --resume, --set changes epochs, optimiser.learning_rate, evaluate_every or precision.
    Several processes: torchrun --nproc-per-node N -m apnet train ...
    """
    from apnet.cli.device import prepared_device
    from apnet.cli.training_display import TrainingDisplay
    from apnet.training import RunFolder, TensorBoard, load_recipe, resume_run
    from apnet.training import train as train_run
    from apnet.training.changes import changed_recipe

    wanted = settings or []
    if resume is not None:
        if recipe or data or out:
            raise ConfigError(
                "--resume takes recipe, data and folder from the run; leave RECIPE, --data and "
                "--out out"
            )
        epochs = changed_recipe(RunFolder(resume).recipe(), wanted)[0].epochs
    elif recipe is None or not data or out is None:
        raise ConfigError("give RECIPE --data NAME=DIR --out RUN, or --resume RUN")
    else:
        epochs = load_recipe(recipe, wanted).epochs
    chosen = prepared_device(device)
    folder = resume or out
    assert folder is not None
    with TrainingDisplay("training", epochs) as display:
        common = {
            "device": chosen,
            "settings": wanted,
            "workers": workers,
            "callbacks": [
                display,
                *([TensorBoard(folder / "tensorboard")] if tensorboard and leads() else []),
            ],
            "notify": tell,
        }
        if recipe is None or not data:
            trained = resume_run(folder, **common)  # type: ignore[arg-type]
        else:
            trained = train_run(recipe, data, folder, **common)  # type: ignore[arg-type]
    if leads():
        display.report()
        say(f"weights: {trained.path}")


def score(
    query: Annotated[
        Path,
        typer.Argument(
            parser=path, help="Features of the queries, or both: .npz, .npy, .pt, .h5, .mat."
        ),
    ],
    gallery: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(parser=path, help="Features of the gallery; without it QUERY holds both."),
    ] = None,
    distance: Protocol = "cosine",
    ap: Kind = "hits",
    rerank: Rerank = None,
    names: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="KEY=NAME,...", help="Names of arrays, as features=feat,pids=label."),
    ] = None,
    json: Json = False,
    csv: Csv = False,
    latex: Latex = False,
) -> None:
    """Evaluate features of any toolkit: exact ranks, stable ties, in bounded memory."""
    import dataclasses

    from apnet.cli.forms import Result, chosen_form
    from apnet.cli.values import array_names, reranking
    from apnet.retrieval import (
        default_card,
        evaluate_as,
        evaluation_table,
        format_evaluation,
    )
    from apnet.retrieval.files.features import load_query_and_gallery
    from apnet.types import check_same_network

    form = chosen_form(json=json, csv=csv, latex=latex)
    settings = reranking(rerank)
    queries, items = load_query_and_gallery(query, gallery, array_names(names))
    check_same_network((queries.fingerprint, items.fingerprint))
    card = dataclasses.replace(default_card(queries, items), distance=distance, ap_kind=ap)
    with progress_bar("ranking" if settings is None else "re-ranking") as progress:
        result = evaluate_as(queries, items, card=card, reranking=settings, progress=progress)
    Result(
        lambda: format_evaluation(result),
        result.to_dict,
        lambda: evaluation_table({"features": result}),
    ).say(form)


def cost(
    network: Annotated[str, typer.Argument(help="A preset; 'apnet presets' names them.")],
    size: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="HxW", help="Image size; the preset's own by default."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change, as network.attention=cbam."),
    ] = None,
    json: Json = False,
) -> None:
    """Count multiply-adds and parameters of a network."""
    import dataclasses

    from apnet.cli.values import image_size
    from apnet.config import NetworkConfig, override, parse, to_dict
    from apnet.model import build_network, network_cost, preset

    values = override({"network": to_dict(preset(network))}, settings or [])
    if size:
        values["network"]["image_size"] = image_size(size)
    if values.keys() != {"network"}:
        raise ConfigError("--set: a network's settings begin with 'network.'")
    config = parse(NetworkConfig, values["network"], f"network '{network}'")
    height, width = config.image_size
    counted = network_cost(build_network(config), (height, width))
    figures = {"network": network, "image_size": [height, width], **dataclasses.asdict(counted)}
    if json:
        say_json(figures)
        return
    say(f"{network} at {height}x{width}")
    say(f"  multiply-adds (convolution, linear)  {counted.multiply_adds / 1e9:8.3f} G")
    say(f"  as the paper counts (Table III)      {counted.paper_multiply_adds / 1e9:8.3f} G")
    say(f"  parameters                           {counted.parameters / 1e6:8.3f} M")


def presets(json: Json = False) -> None:
    """List the networks by name."""
    from apnet.config import PRESETS, to_dict

    if json:
        say_json({name: to_dict(config) for name, config in PRESETS.items()})
        return
    for name, config in PRESETS.items():
        attention = config.attention
        parts = ",".join(map(str, config.parts)) if attention != "none" else "-"
        size = "x".join(map(str, config.image_size))
        shown = attention if isinstance(attention, str) else ",".join(attention)
        say(f"{name:20} {config.backbone:14} {shown:8} parts {parts:8} {size}")
