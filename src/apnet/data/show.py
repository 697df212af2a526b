"""Draws the persons of a data set: one person by camera, or many with one row each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from apnet.data.listing import Listing
from apnet.data.metadata import ImageNotes, Metadata, Twins, read_metadata
from apnet.data.pages import Block, Cell, Page, Section, format_of_picture, write_page
from apnet.errors import ConfigError, DataError
from apnet.types import NO_CAMERA, ImageRecord

MOST_IMAGES = 40
"""Greatest number of images drawn per camera; the title says if there are more."""

MOST_TWINS = 27
"""Greatest number of twins drawn; the heading gives their total number."""

People = dict[int, list[ImageRecord]]


def show_person(listing: Listing, pid: int, out: Path) -> None:
    """Draws one person: metadata, images by camera, and twins.

    Metadata and twins come from the set's ``metadata.jsonl``; without it only images are drawn.

    Args:
        listing: the data set.
        pid: the identity to draw.
        out: the picture to write, by its ending a PNG or JPEG.

    Raises:
        ConfigError: there is no such person, or the picture has another ending.
        DataError: the set has no images, its metadata or one of the images is damaged, or the
            picture cannot be written.
    """
    format_of_picture(out)
    people = _people(listing)
    if pid not in people:
        raise ConfigError(
            f"{listing.root}: no image has pid {pid}; pids go from {min(people)} to {max(people)}"
        )
    metadata = read_metadata(listing.root)
    sections = [Section("", tuple(_camera_blocks(listing, people[pid], metadata)))]
    twins = {twin: pair for twin, pair in metadata.twins_of(pid).items() if twin in people}
    if twins:
        best = {one: _clearest(listing, people[one], metadata) for one in (pid, *twins)}
        sections.insert(0, _twin_section(pid, twins, best))
    page = Page(f"Person {pid}", tuple(_person_facts(listing, pid, metadata)), tuple(sections))
    write_page(page, out)


def show_people(listing: Listing, out: Path, persons: int = 12, per_person: int = 8) -> None:
    """Draws persons spread over a set, one row each, with twins in adjacent rows.

    Args:
        listing: the data set.
        out: the picture to write, by its ending a PNG or JPEG.
        persons: greatest number of rows.
        per_person: greatest number of images per person, from as many cameras as possible.

    Raises:
        ConfigError: the picture has another ending.
        DataError: the set has no images, its metadata or one of the images is damaged, or the
            picture cannot be written.
    """
    format_of_picture(out)
    people = _people(listing)
    metadata = read_metadata(listing.root)
    if not any(record.pid == 0 for record in (*listing.train, *listing.query)):
        people.pop(0, None)  # if only in the gallery, it marks false detections
    chosen = chosen_groups(sorted(people), metadata, persons)
    sections = tuple(
        Section("", (_row(pid, _varied(people[pid], per_person), group[0], metadata),))
        for group in chosen
        for pid in group
    )
    write_page(Page(f"{len(sections)} of {len(people)} people", (), sections), out)


def chosen_groups(pids: Sequence[int], metadata: Metadata, persons: int) -> list[list[int]]:
    """Chooses groups of twins, evenly spread over the pids.

    Returns:
        The sorted pids of each group, at most ``persons`` in total; a person without twins is a
        group.
    """
    every: list[list[int]] = []
    left = set(pids)
    for pid in pids:
        if pid in left:
            every.append([pid, *(twin for twin in metadata.twins_of(pid) if twin in left)])
            left.difference_update(every[-1])
    chosen = [every[0][:persons]]
    for count in range(2, min(persons, len(every)) + 1):
        spread = [every[index * len(every) // count] for index in range(count)]
        if sum(map(len, spread)) <= persons:
            chosen = spread
    return chosen


def _people(listing: Listing) -> People:
    people: People = {}
    for record in (*listing.train, *listing.query, *listing.gallery):
        people.setdefault(record.pid, []).append(record)
    if not people:
        raise DataError(f"{listing.root}: no images there; name another folder")
    return people


def _notes(listing: Listing, record: ImageRecord, metadata: Metadata) -> ImageNotes | None:
    if not record.path.is_relative_to(
        listing.root
    ):  # a table may list images outside of its folder
        return None
    return metadata.images.get(record.path.relative_to(listing.root).as_posix())


def _person_facts(listing: Listing, pid: int, metadata: Metadata) -> Iterator[tuple[str, str]]:
    counts = {
        name: sum(record.pid == pid for record in records)
        for name, records in (
            ("training", listing.train),
            ("query", listing.query),
            ("gallery", listing.gallery),
        )
    }
    images = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    person = metadata.people.get(pid)
    split = person.split if person else "train" if counts["training"] else "test"
    yield "split", f"{split} ({images} images)"
    if person is not None:
        yield from ((scale, ", ".join(words)) for scale, words in person.cues.items() if words)


def _camera_blocks(
    listing: Listing, records: Sequence[ImageRecord], metadata: Metadata
) -> Iterator[Block]:
    queries = {record.path for record in listing.query}
    for camid in sorted({record.camid for record in records}):
        seen = sorted((record for record in records if record.camid == camid), key=_name)
        notes = [_notes(listing, record, metadata) for record in seen]
        scene = dict.fromkeys(word for note in notes if note for word in note.scene)
        title = _camera(camid) + (": " + ", ".join(scene) if scene else "")
        if len(seen) > MOST_IMAGES:
            title += f" ({MOST_IMAGES} of {len(seen)} images)"
        cells = (
            Cell(record.path, tuple(_image_lines(note, record.path in queries)))
            for record, note in zip(seen[:MOST_IMAGES], notes, strict=False)
        )
        yield Block(title, tuple(cells))


def _image_lines(notes: ImageNotes | None, query: bool) -> Iterator[str]:
    if query:
        yield "query"
    if notes is None:
        return
    size = f"{notes.pixels} px" if notes.pixels is not None else None
    if line := ", ".join(word for word in (notes.view, size) if word):
        yield line
    shares = ((notes.occlusion, "hidden"), (notes.truncation, "cut off"))
    yield from (f"{share:.0%} {what}" for share, what in shares if share and share >= 0.01)
    if notes.changes:
        yield "changed: " + ", ".join(notes.changes)


def _twin_section(pid: int, twins: dict[int, Twins], best: dict[int, ImageRecord]) -> Section:
    shown = list(twins.items())[:MOST_TWINS]
    blocks = [Block(f"Person {pid}", (Cell(best[pid].path),))]
    for twin, pair in shown:
        title = f"{twin}, {pair.kind}" if pair.kind else f"{twin}"
        differs = ", ".join(pair.differs)
        blocks.append(Block(title, (Cell(best[twin].path, (differs,)),)))
    return Section(f"{len(twins)} {'twin' if len(twins) == 1 else 'twins'}", tuple(blocks))


def _clearest(listing: Listing, records: Iterable[ImageRecord], metadata: Metadata) -> ImageRecord:
    """Returns the image that shows the person best: little hidden, from the front, large."""

    def badness(record: ImageRecord) -> float:
        notes = _notes(listing, record, metadata)
        if notes is None:
            return 0.0
        turned = {"front": 0.0, "side": 0.3, "back": 0.4}.get(notes.view or "", 0.0)
        small = 30 / max(notes.pixels or 200, 1)
        return (notes.occlusion or 0.0) + (notes.truncation or 0.0) + turned + small

    return min(records, key=badness)


def _row(pid: int, records: Iterable[ImageRecord], first: int, metadata: Metadata) -> Block:
    person = metadata.people.get(pid)
    title = f"Person {pid}"
    if pid != first:
        pair = metadata.twins_of(pid)[first]
        kind = f"{pair.kind} twin" if pair.kind else "twin"
        title += f", {kind} of {first}: {', '.join(pair.differs)}"
    elif person is not None and person.cues.get("coarse"):
        title += f": {', '.join(person.cues['coarse'])}"
    return Block(title, tuple(Cell(record.path, (_camera(record.camid),)) for record in records))


def _varied(records: Iterable[ImageRecord], count: int) -> list[ImageRecord]:
    """Returns ``count`` images taken from the cameras in turn, sorted by camera."""
    seen: dict[int, int] = {}
    turns = []
    for record in sorted(records, key=_name):
        seen[record.camid] = seen.get(record.camid, 0) + 1
        turns.append((seen[record.camid], record.camid, record))
    chosen = sorted(turns, key=lambda turn: turn[:2])[:count]
    return [record for _, _, record in sorted(chosen, key=lambda turn: (turn[1], turn[0]))]


def _camera(camid: int) -> str:
    return "camera unknown" if camid == NO_CAMERA else f"camera {camid}"


def _name(record: ImageRecord) -> str:
    return record.path.name
