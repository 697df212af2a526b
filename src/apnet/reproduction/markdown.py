"""The table for people: Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from apnet.reproduction.definitions import figure_labels

_SCALES = {
    "full": "The paper's networks and recipe.",
    "small": "Small networks, a short recipe: these figures say nothing about the paper's "
    "own; compare rows with each other only.",
    "smoke": "One epoch on a handful of people: to see that everything runs. The figures mean "
    "nothing.",
}


def format_table(table: Mapping[str, Any]) -> str:
    """Returns a Markdown page of what ``build_table`` gives.

    Percentages are "mean ± sample standard deviation" over seeds; twins are the share of triples
    in which the right person is nearer than a twin.
    """
    return "\n".join(_page(table)) + "\n"


def _page(table: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {table['title']}\n"
    yield f"Scale `{table['scale']}`. {_SCALES[table['scale']]}\n"
    yield (
        f"{table['finished']} of {table['runs']} runs are finished. Percentages: mean ± sample "
        "standard deviation over seeds; of one seed there is no deviation.\n"
    )
    for trial in table["trials"]:
        yield from _trial(trial, table["figures"])
    if "levels" in table:
        yield from _levels(table["levels"])
    yield "## Protocol\n"
    yield from _protocols(table["trials"])
    if table["notes"]:
        yield "\n## Notes\n"
        yield from (f"* {note}" for note in table["notes"])


def _trial(trial: Mapping[str, Any], printed: Sequence[str]) -> Iterator[str]:
    rows = trial["rows"]
    labels = figure_labels()
    keys = [key for key in labels if key in printed or _twins(key, rows)]
    yield f"## {trial['trial']}\n"
    yield f"Trained on {trial['train']}, tested on {trial['test']}.\n"
    papers = [f"{labels[key]}, paper" for key in printed]
    yield from grid(
        ["system", *papers, *(labels[key] for key in keys), "seeds"],
        (
            [
                row["name"],
                *(_paper(row["paper"].get(key)) for key in printed),
                *(_mean(row, key) for key in keys),
                str(len(row["seeds"])),
            ]
            for row in rows
        ),
    )
    compared = [row for row in rows if row["against"]]
    if compared:
        names = {row["system"]: row["name"] for row in rows}
        yield (
            "\nMean difference in percentage points, and p of the paired two-sided t-test over "
            "seeds (none below two seeds; not corrected for the number of comparisons):\n"
        )
        yield from grid(
            ["system", "against", *(labels[key] for key in keys)],
            (
                [
                    row["name"],
                    names[row["against"]["system"]],
                    *(_difference(row["against"], key) for key in keys),
                ]
                for row in compared
            ),
        )
    yield ""


def _twins(key: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    return key in ("coarse", "fine") and any(key in row["mean"] for row in rows)


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yields the lines of a Markdown table."""
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _paper(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _mean(row: Mapping[str, Any], key: str) -> str:
    if key not in row["mean"]:
        return ""
    deviation = row["deviation"][key]
    mean = f"{100 * row['mean'][key]:.1f}"
    return mean if deviation is None else f"{mean} ± {100 * deviation:.1f}"


def _difference(against: Mapping[str, Any], key: str) -> str:
    if key not in against["difference"]:
        return ""
    p = against["p"][key]
    difference = f"{100 * against['difference'][key]:+.1f}"
    return difference if p is None else f"{difference} (p {p:.2g})"


def _levels(levels: Mapping[str, Any]) -> Iterator[str]:
    """Says how concentrated Grad-CAM is: the first run's stages, over the levels."""
    yield "## How concentrated Grad-CAM is\n"
    yield (
        f"Share of the map over which its mass is spread (perplexity over positions), mean over "
        f"{levels['images']} query images and all seeds; pictures of single images lie in "
        "`pictures/`.\n"
    )
    stages = list(zip(*levels["area"], strict=True))  # (runs, stages, levels) -> by stage first
    deepest = max(len(stage[0]) for stage in stages)
    yield from grid(
        ["stage", "before", *(f"level {level}" for level in range(1, deepest))],
        (
            [str(number), *(_area(level) for level in zip(*stage, strict=True))]
            for number, stage in enumerate(stages, 1)
        ),
    )
    yield ""


def _area(by_run: Sequence[float | None]) -> str:
    known = [area for area in by_run if area is not None]
    return f"{100 * statistics.mean(known):.1f} %" if known else ""


def _protocols(trials: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Says once how the figures of each trial were made."""
    for trial in trials:
        cards = [row["protocol"] for row in trial["rows"] if row["protocol"]]
        lines = dict.fromkeys(_protocol(card) for card in cards)
        for line in lines:
            yield f"* {trial['trial']}: {line}"


def _protocol(card: Mapping[str, Any]) -> str:
    size = "x".join(map(str, card["image_size"]))
    flip = "with the mirror image's feature" if card["flip"] else "without mirror image"
    return (
        f"feature `{card['feature']}` {flip}, {card['distance']} distance, images {size}, "
        f"junk rule {card['junk_rule']}, average precision over {card['ap_kind']}, "
        f"ties {card['ties']}, {card['precision']}, "
        f"{'no re-ranking' if card['reranking'] is None else card['reranking']}"
    )
