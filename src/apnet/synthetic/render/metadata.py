"""The lines of ``metadata.jsonl``: what the renderer knows of people, images and pairs of twins."""

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
    """Describes a person: every cue as it is kept, and in words by scale."""
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
    """Describes an image: its file, and what is true of the picture."""
    line: Line = {"image": name, "pid": pid, "camera": camera, **dataclasses.asdict(metadata)}
    return {
        key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()
    } | {"changes": changes}


def pair_lines(people: Sequence[Person]) -> Iterator[Line]:
    """Describes every two people of a group: how alike they are, and in what they differ."""
    for _, group in groupby(people, key=lambda person: person.look.group):
        for first, second in combinations(group, 2):
            cues = dict.fromkeys((*first.differs, *second.differs))
            differs = tuple(cue for cue in cues if differ_in(cue, first.look, second.look))
            kind = "coarse" if any(cue in COARSE_CUES for cue in differs) else "fine"
            yield {"a": first.pid, "b": second.pid, "twin": kind, "differs": differs}
