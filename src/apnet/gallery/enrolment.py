"""What people enrol, as images with name, camera, time and source: folders, tables, pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apnet.data import read_image
from apnet.data.contents import contents
from apnet.data.identity_numbers import cameras_in
from apnet.data.image_paths import list_images
from apnet.data.table_text import TableForm, read_table_text
from apnet.embedding.inputs import ImageInput
from apnet.errors import GalleryError, located
from apnet.files import is_file, shortened
from apnet.gallery.records import Sighting
from apnet.gallery.values import as_time, checked_camera, checked_name, checked_source
from apnet.types import NO_CAMERA, ImageRecord

TABLE = TableForm(
    ("path",),
    ("identity", "camera", "time", "source"),
    "a CSV file with the columns path and, where known, identity, camera, time, source and "
    "metadata.NAME",
    "metadata.",
)
"""Images to enrol, one per row."""

SHOWN_COLUMNS = 5


@dataclass(frozen=True)
class Given:
    """An image to enrol; without a name it joins no identity."""

    image: ImageInput
    name: str | None
    sighting: Sighting
    metadata: Mapping[str, Any] = field(default_factory=dict)


def given_inputs(
    inputs: Sequence[ImageInput],
    name: str | None,
    sighting: Sighting,
    metadata: Mapping[str, Any],
) -> list[Given]:
    """Returns images of one identity; files name themselves as the source where none is given."""
    return [
        Given(
            each,
            name,
            Sighting(
                sighting.camera or _camera_of(each.record),
                sighting.time,
                sighting.source or (checked_source(each.record.path) if each.in_file else ""),
            ),
            metadata,
        )
        for each in inputs
    ]


def given_folder(folder: Path, named: bool, notify: Callable[[str], None]) -> list[Given]:
    """Returns the images of a folder: one subfolder per person, or images without identity.

    In images without subfolders, names such as ``0002_c1s1_000451_03.jpg`` tell person and camera.

    Args:
        folder: of subfolders, or of images.
        named: whether identities are taken from it at all.
        notify: told what is left out.

    Raises:
        DataError: it has no images.
        GalleryError: a subfolder's name cannot be an identity's.
    """
    found = contents(folder)
    if not found.folders or not named:
        listing = list_images([folder])
        for line in listing.notes:
            notify(line)
        return [_given_record(record, named) for record in listing.gallery]
    if found.images:
        notify(
            f"{len(found.images):,} images beside the persons' folders are added without identity"
        )
    given = [_given_record(record, False) for record in map(_bare, found.images)]
    for person in found.folders:
        name = checked_name(person.name)
        paths = contents(person).images
        if not paths:
            notify(f"{person}: no images; left out")
        cameras = cameras_in(path.name for path in paths).camids
        given += [
            Given(
                file_input(path), name, Sighting(_camera_name(camera), None, checked_source(path))
            )
            for path, camera in zip(paths, cameras, strict=True)
        ]
    if not given:
        raise GalleryError(f"{folder}: no images in it or in its subfolders; add some")
    return given


def given_table(table: Path, notify: Callable[[str], None]) -> list[Given]:
    """Returns the images that a CSV file lists, see ``TABLE``; paths are relative to it.

    Raises:
        DataError: it is no such table.
        GalleryError: an image is not there, or a value cannot be used; the line is named.
    """
    text = read_table_text(table, TABLE)
    for line in text.notes:
        notify(line)
    if text.others:
        names = ", ".join(text.others[:SHOWN_COLUMNS])
        notify(f"{table.name}: columns that are not read: {shortened(names, 200)}")
    return [_given_row(table, line, cells) for line, cells in text.rows]


def _given_row(table: Path, line: int, cells: Mapping[str, str]) -> Given:
    with located(f"{table}, line {line}", GalleryError):
        if not cells["path"]:
            raise GalleryError("the cell 'path' is empty; fill it")
        path = table.parent / cells["path"]
        if not is_file(path):
            raise GalleryError(f"{shortened(str(path), 160)} does not exist; correct the path")
        camera, moment = checked_camera(cells.get("camera")), as_time(cells.get("time"))
        source = checked_source(cells.get("source") or path)
        metadata = {
            name.removeprefix(TABLE.prefix): value
            for name, value in cells.items()
            if name.startswith(TABLE.prefix) and value
        }
        name = checked_name(cells["identity"]) if cells.get("identity") else None
        return Given(file_input(path), name, Sighting(camera, moment, source), metadata)


def _given_record(record: ImageRecord, named: bool) -> Given:
    name = str(record.pid) if named and record.pid >= 0 else None
    sighting = Sighting(_camera_of(record), None, checked_source(record.path))
    return Given(file_input(record.path), name, sighting)


def _person_image(path: Path, name: str, camera: int) -> Given:
    sighting = Sighting(_camera_name(camera), None, checked_source(path))
    return Given(file_input(path), name, sighting)


def _bare(path: Path) -> ImageRecord:
    return list_images([path]).gallery[0]


def file_input(path: Path) -> ImageInput:
    """Returns an image file as an input to embed."""
    return ImageInput(ImageRecord(path, -1), lambda: read_image(path))


def _camera_of(record: ImageRecord) -> str:
    return _camera_name(record.camid)


def _camera_name(camera: int) -> str:
    return "" if camera == NO_CAMERA else str(camera)
