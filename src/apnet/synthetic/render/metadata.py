"""Lines of ``metadata.jsonl`` about people, images and pairs of twins."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from apnet.synthetic.people.describe import describe_look
from apnet.synthetic.people.population import Person
from apnet.synthetic.people.twins import COARSE_CUES, differ_in
from apnet.synthetic.render.image import ImageMetadata

Line = dict[str, object]


def person_line(person: Person) -> Line:
    """Returns the line of a person: all cues, and their description in words."""
    return {
        "pid": person.pid,
        "split": person.split,
        "differs": person.differs,
        "cues": describe_look(person.look),
        "look": dataclasses.asdict(person.look),
    }


def image_line(
    name: str, pid: int, camera: int, metadata: ImageMetadata, changes: tuple[str, ...]
) -> Line:
    """Returns the line of an image: its file name and its metadata."""
    line: Line = {"image": name, "pid": pid, "camera": camera, **dataclasses.asdict(metadata)}
    return {
        key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()
    } | {"changes": changes}


def pair_lines(people: Sequence[Person]) -> Iterator[Line]:
    """Yields a line per pair of people of a group: the kind of twins, and the cues that differ."""
    for _, group in groupby(people, key=lambda person: person.look.group):
        for first, second in combinations(group, 2):
            cues = dict.fromkeys((*first.differs, *second.differs))
            differs = tuple(cue for cue in cues if differ_in(cue, first.look, second.look))
            kind = "coarse" if any(cue in COARSE_CUES for cue in differs) else "fine"
            yield {"a": first.pid, "b": second.pid, "twin": kind, "differs": differs}
