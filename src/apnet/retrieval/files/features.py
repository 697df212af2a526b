"""Feature files: embeddings with their identities, in any of ``FORMATS``, and feature stores.

Arrays: ``features`` (N, D), ``pids`` (N,), and optionally ``camids`` (N,), ``paths`` (N,) text and
``fingerprint``, the network's. A file may hold the queries and the gallery.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from apnet.arguments import AnyPath, as_path
from apnet.errors import ConfigError, DataError
from apnet.files import is_file, is_folder
from apnet.retrieval.files.arrays import arrays_of, embeddings_of
from apnet.retrieval.files.contents import Arrays, Contents
from apnet.retrieval.files.formats import format_of, is_store
from apnet.retrieval.files.names import PARTS, Names, Part, check_names, choose_arrays, parts_held
from apnet.types import Embeddings


def load_features(
    path: AnyPath, part: Part | None = None, names: Mapping[str, str] | None = None
) -> Embeddings:
    """Reads a feature file, or a feature store.

    Float32 and float64 features keep their type, float16 becomes float32, and integers become
    float32 if it represents them exactly, else float64. Without ``camids`` all cameras are unknown.

    Args:
        path: a file in one of ``apnet.retrieval.files.formats.FORMATS``, or the folder that
            ``apnet embed`` wrote, whose float32 features are memory-mapped.
        part: ``query`` or ``gallery``: that half of a file with both. Of any other file its only
            set is taken.
        names: names of the file's arrays, such as ``{"features": "feat", "pids": "label"}``; those
            that are left out are found by their usual names.

    Raises:
        TypeError: the path is of another type.
        DataError: the file is missing, damaged, empty or of an unknown format; an array is missing,
            of a wrong type or shape, or not finite; or the file holds both halves, and no part is
            named.
        ConfigError: another part, or names for other things than features, pids, camids and paths.
        MissingExtraError: the package that reads the format is not installed.
    """
    file, given = _checked(path, names)
    if part is not None and part not in PARTS:
        raise ConfigError(f"part='{part}': give 'query' or 'gallery'")
    if is_store(file):
        return _store(file, given)
    with format_of(file).open(file) as contents:
        arrays = _arrays(file, contents, part, given)
    return embeddings_of(file, arrays)


def load_query_and_gallery(
    query: AnyPath, gallery: AnyPath | None = None, names: Mapping[str, str] | None = None
) -> tuple[Embeddings, Embeddings]:
    """Reads the queries and the gallery from two files, or from one that holds both.

    Args:
        query: a feature file or store.
        gallery: another; ``None``: ``query`` holds both halves.
        names: as for ``load_features``.

    Raises:
        DataError: the only file holds one set; and as for ``load_features``.
        ConfigError: as for ``load_features``.
        MissingExtraError: as for ``load_features``.
    """
    if gallery is None:
        return _both(query, names)
    return load_features(query, "query", names), load_features(gallery, "gallery", names)


def _both(path: AnyPath, names: Names | None) -> tuple[Embeddings, Embeddings]:
    file, given = _checked(path, names)
    if is_store(file):
        raise _one_set(file)
    with format_of(file).open(file) as contents:
        if not set(PARTS) <= set(parts_held(file, contents.names, given)):
            choose_arrays(file, contents.names, "query", given)  # says what is missing altogether
            raise _one_set(file)
        query, gallery = (_arrays(file, contents, part, given) for part in PARTS)
    return embeddings_of(file, query), embeddings_of(file, gallery)


def save_features(path: AnyPath, embeddings: Embeddings) -> None:
    """Writes a feature file atomically, in the format of its suffix.

    Args:
        path: the file, with a suffix of ``FORMATS``; an existing one is replaced. ``.npy`` and
            ``.csv`` write both files.
        embeddings: the content; ``paths`` and ``fingerprint`` are written where there are any, the
            latter not as ``.npy`` and ``.csv``.

    Raises:
        TypeError: the path is of another type.
        DataError: the suffix is unknown, the folder is not writable or the disk is full; ``path``
            is unchanged.
        MissingExtraError: the package that writes the format is not installed.
    """
    file = as_path(path, "path")
    format_of(file).write(file, arrays_of(embeddings))


def _checked(path: AnyPath, names: Names | None) -> tuple[Path, Names]:
    file, given = as_path(path, "path"), names or {}
    check_names(given)
    if is_folder(file) and not is_store(file):
        raise DataError(f"{file}: a folder without store.json, no feature store; give a file")
    if not is_file(file) and not is_folder(file):
        raise DataError(f"{file}: no such file; give a feature file or the folder of a store")
    return file, given


def _store(path: Path, names: Names) -> Embeddings:
    if names:
        raise ConfigError(f"{path}: a store has no arrays to name; leave names out")
    from apnet.retrieval.files.store import load_store

    return load_store(path)


def _arrays(path: Path, contents: Contents, part: Part | None, names: Names) -> Arrays:
    chosen = choose_arrays(path, contents.names, part, names)
    if "fingerprint" in contents.names:
        chosen["fingerprint"] = "fingerprint"
    return {key: contents.read(key, name) for key, name in chosen.items()}


def _one_set(path: Path) -> DataError:
    return DataError(
        f"{path}: holds one set of features; give the gallery's file too: apnet score QUERY GALLERY"
    )
