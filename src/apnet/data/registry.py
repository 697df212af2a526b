"""Data sets by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apnet.arguments import AnyPath, as_path, described
from apnet.data.benchmarks.cuhk03np import read_cuhk03np_detected, read_cuhk03np_labeled
from apnet.data.benchmarks.dukemtmcreid import read_dukemtmcreid
from apnet.data.benchmarks.market1501 import read_market1501
from apnet.data.benchmarks.msmt17 import read_msmt17, read_msmt17_noval
from apnet.data.benchmarks.occluded_duke import read_occluded_duke
from apnet.data.benchmarks.others import read_occluded_reid, read_personx, read_veri776
from apnet.data.folders import read_folders
from apnet.data.foregone import foregone_results, narrow_splits
from apnet.data.listing import Listing, off_grammar_error
from apnet.data.published import PUBLISHED, Counts, counts_of, differences, missing_splits
from apnet.data.synthetic_sets import SYNTHETIC, read_synthetic, synthetic_note
from apnet.data.table import read_table
from apnet.errors import ConfigError, DataError
from apnet.files import shortened
from apnet.naming import look_up
from apnet.types import ReidDataset

DATASETS: Mapping[str, Callable[[Path], Listing]] = {
    "market1501": read_market1501,
    "dukemtmcreid": read_dukemtmcreid,
    "cuhk03np-labeled": read_cuhk03np_labeled,
    "cuhk03np-detected": read_cuhk03np_detected,
    "msmt17": read_msmt17,
    "msmt17-noval": read_msmt17_noval,
    "occluded-duke": read_occluded_duke,
    "occluded-reid": read_occluded_reid,
    "personx": read_personx,
    "veri776": read_veri776,
    SYNTHETIC: read_synthetic,
    "folder": read_folders,
    "csv": read_table,
}
"""The loader of each data set name; it reads a folder (``csv``: a table) into a listing."""


def parse_source(text: str) -> tuple[str, Path]:
    """Returns the name and the folder of a text ``NAME=DIR``, split at its first equals sign.

    Raises:
        ConfigError: the text has another form or the name is unknown.
        DataError: the system refuses to say what the folder is.
    """
    name, sign, folder = text.partition("=")
    if not (name and sign and folder):
        raise ConfigError(
            f"data source {shortened(repr(text))}: write it as NAME=DIR, such as market1501=DIR"
        )
    _loader(name)
    return name, as_path(folder, "the folder of a data source")


def load_source(text: str) -> ReidDataset:
    """Loads the data set given as ``NAME=DIR``; see ``load_dataset``.

    Raises:
        ConfigError: the text has another form or the name is unknown.
        DataError: the folder does not hold such a data set.
        MissingExtraError: its format needs an extra that is not installed.
    """
    return load_dataset(*parse_source(text))


def load_sources(texts: Sequence[str]) -> tuple[ReidDataset, ...]:
    """Loads several data sets, each given as ``NAME=DIR``, in their order.

    Raises:
        ConfigError: a text has another form, a name is unknown, or the same folder is given twice
            under the same name.
        DataError: a folder does not hold such a data set.
        MissingExtraError: a format needs an extra that is not installed.
    """
    datasets: dict[tuple[str, Path], ReidDataset] = {}
    for text in texts:
        dataset = load_source(text)
        place = (dataset.name, Path(os.path.realpath(dataset.root)))
        if place in datasets:
            raise ConfigError(f"data source {text!r}: this set was given before; give it once")
        datasets[place] = dataset
    return tuple(datasets.values())


def read_listing(name: str, root: AnyPath) -> Listing:
    """Lists the images of a data set without validating it as ``load_dataset`` does.

    Raises:
        TypeError: the name is no text or the root no path.
        ConfigError: the name is unknown.
        DataError: the folder is not what the name says.
        MissingExtraError: its format needs an extra that is not installed.
    """
    return _loader(name)(as_path(root, "root"))


def load_dataset(name: str, root: AnyPath) -> ReidDataset:
    """Reads a data set that can be trained on, tested on, or both.

    A set rendered by ``apnet data make`` is called ``synthetic``, whatever name it is read under.

    Args:
        name: one of ``DATASETS``.
        root: the folder (``csv``: the table), its parent, or one of its split folders.

    Returns:
        The records of every split in a deterministic order, with notes on what was left out, on a
        missing training or test split, on results that are the same for every network, and on
        counts that differ from the published ones.

    Raises:
        TypeError: the name is no text or the root no path.
        ConfigError: the name is unknown.
        DataError: the folder is not what the name says, there are no images, there is a query
            without a gallery or the reverse, or image names do not follow the naming scheme.
        MissingExtraError: its format needs an extra that is not installed.
    """
    listing = read_listing(name, root)
    if listing.off_grammar:
        raise off_grammar_error(name, listing)
    if listing.query or listing.gallery or not listing.train:
        for split, records in (("query", listing.query), ("gallery", listing.gallery)):
            if not records:
                raise DataError(
                    f"{listing.root}: '{name}' has no {split} images there; unpack it again"
                )
    name, published, origin = identified(name, listing)
    notes = (
        *origin,
        *listing.notes,
        *missing_splits(listing),
        *foregone_results(listing),
        *narrow_splits(listing),
        *differences(counts_of(listing), published),
    )
    return ReidDataset(name, listing.root, listing.train, listing.query, listing.gallery, notes)


def identified(name: str, listing: Listing) -> tuple[str, Counts, tuple[str, ...]]:
    """Returns what a listing is called, its published counts if it has any, and notes on it.

    Args:
        name: the name that it was read under.
        listing: what was found on disk.
    """
    note = synthetic_note(listing.root)
    if note is None:
        return name, PUBLISHED.get(name, {}), ()
    return SYNTHETIC, {}, (note,)


def _loader(name: str) -> Callable[[Path], Listing]:
    if not isinstance(name, str):
        raise TypeError(
            f"name must be a data set's name, such as 'market1501'; got {described(name)}"
        )
    return look_up("data set", name, DATASETS)
