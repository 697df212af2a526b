"""A contact sheet: one row a person, to look at a set before training on it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from apnet.errors import DataError
from apnet.files import replacing


def contact_sheet(root: Path, out: Path, persons: int = 8, per_person: int = 10) -> None:
    """Writes a JPEG or PNG that shows the first people of a set's test half, a row each.

    Args:
        root: a folder in Market-1501 layout.
        out: the picture to write.
        persons: rows.
        per_person: images in a row.

    Raises:
        DataError: there are no images, or the picture cannot be written.
    """
    by_pid: dict[str, list[Path]] = {}
    for folder in ("query", "bounding_box_test"):
        for path in sorted((root / folder).glob("*.jpg")):
            by_pid.setdefault(path.name.split("_")[0], []).append(path)
    rows = [paths[:per_person] for _, paths in sorted(by_pid.items())][:persons]
    if not rows:
        raise DataError(f"{root}: no images in query and bounding_box_test")
    with Image.open(rows[0][0]) as first:
        width, height = first.size
    sheet = Image.new("RGB", (width * per_person, height * len(rows)), "white")
    for row, paths in enumerate(rows):
        for column, path in enumerate(paths):
            with Image.open(path) as image:
                sheet.paste(image.resize((width, height)), (column * width, row * height))
    with replacing(out) as part:
        sheet.save(part, "PNG" if out.suffix.lower() == ".png" else "JPEG", quality=82)
