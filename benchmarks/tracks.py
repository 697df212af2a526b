"""How well a gallery gives the tracklets of several cameras one identity per person.

    apnet data make people-calibration --set people-calibration
    python benchmarks/tracks.py people-calibration/bounding_box_train

The shipped network with its calibration, on people that neither saw. Each draw picks people; all
images of one of them in one camera are a tracklet. People walk from camera to camera and overlap
in time. Baseline: a tracker without a gallery, for which each tracklet is another person.
"""

from __future__ import annotations

import csv
import random
import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import common
from common import Row

import apnet
from apnet.gallery import score_assignments
from apnet.gallery.track_scores import idf1, pairwise

PEOPLE = (10, 50, 200)
SECONDS_PER_IMAGE = 1.0
SECONDS_BETWEEN_CAMERAS = (5.0, 60.0)
_NAME = re.compile(r"(?P<person>\d+)_c(?P<camera>\d+)s")


def write_crops(folder: Path, table: Path, people: int, seed: int) -> None:
    """Writes the crops of some people, as a tracker of each camera would give them."""
    tracklets: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.glob("*.jpg")):
        found = _NAME.match(path.name)
        if found:
            tracklets[found["person"]][found["camera"]].append(path)
    chance = random.Random(seed)
    rows = []
    for person in chance.sample(sorted(tracklets), people):
        time = chance.uniform(0, 10.0 * people)
        cameras = sorted(tracklets[person])
        for camera in chance.sample(cameras, len(cameras)):
            for path in tracklets[person][camera]:
                rows.append((path.resolve(), camera, f"{camera}-{person}", time, person))
                time += SECONDS_PER_IMAGE
            time += chance.uniform(*SECONDS_BETWEEN_CAMERAS)
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "camera", "tracklet", "time", "identity"))
        writer.writerows(rows)


def scores(folder: Path, people: int, seed: int) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Returns the scores of one draw, with the gallery and without."""
    with tempfile.TemporaryDirectory() as made:
        table = Path(made) / "crops.csv"
        write_crops(folder, table, people, seed)
        with apnet.Gallery.create(Path(made) / "people.gallery") as gallery:
            found = gallery.assign(table)
    true = [each.tracklet.crops[0].truth for each in found]
    alone = [str(number) for number in range(len(true))]
    sizes = [len(each.tracklet.crops) for each in found]
    given = score_assignments(found)
    assert given is not None
    return given, {"idf1": idf1(true, alone, sizes), **pairwise(true, alone)}


def rows(given: Any) -> Iterator[Row]:
    """Yields medians over draws."""
    for people in PEOPLE[:1] if given.small else PEOPLE:
        drawn = [scores(given.folder, people, seed) for seed in range(given.runs)]
        for number, way in enumerate(("with the gallery", "without")):
            for name in ("idf1", "pairwise_f1", "pairwise_precision", "pairwise_recall"):
                value = statistics.median(each[number][name] for each in drawn)
                yield common.row(f"{people} people: {name.replace('_', ' ')} {way}", value)


def main() -> None:
    """Reads the command line and prints the rows."""
    parser = common.options(__doc__ or "", runs=5)
    parser.add_argument("folder", type=Path, help="images of people-calibration")
    given = parser.parse_args()
    common.report(rows(given), given)


if __name__ == "__main__":
    main()
