"""The verb ``explain``: pictures of where a network looks, in memory and in files."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from apnet.arguments import AnyPath, as_path
from apnet.checkpoints import Checkpoint
from apnet.data.transforms import resize
from apnet.display import html_pictures, text_summary
from apnet.embedding.inputs import ImageInput, box_inputs, image_inputs
from apnet.errors import ConfigError
from apnet.explanation.match import Match
from apnet.explanation.pictures import NamedImages, image_picture, pair_picture
from apnet.files import atomic_write
from apnet.model import APNet
from apnet.models import AnyDevice, Model, as_model

PAIR_NAME = "pair.png"
MOST_IN_PAGE = 6
"""Pictures that a notebook shows."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """Pictures of where a network looks; of two images also why they match.

    The pictures are held as PNG, about 0.5 MB per image.

    Attributes:
        names: of the images, in their order.
        png: one picture per image, and after them that of the pair if there were exactly two.
        match: the similarity of the pair, if there were exactly two images, else ``None``.
        files: where ``explain`` wrote the pictures, in the same order; empty without ``out``.
    """

    names: tuple[str, ...]
    png: tuple[bytes, ...]
    match: Match | None
    files: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Image.Image:
        """Returns the picture of one image."""
        return _opened(self.png[range(len(self))[index]])

    @property
    def pictures(self) -> tuple[Image.Image, ...]:
        """One picture per image."""
        return tuple(self)

    @property
    def pair(self) -> Image.Image | None:
        """Which positions make two images similar; ``None`` unless there were exactly two."""
        return None if self.match is None else _opened(self.png[-1])

    def save(self, out: AnyPath) -> tuple[Path, ...]:
        """Writes ``NAME.explained.png`` per image, and ``pair.png`` of two.

        Args:
            out: a folder, which is created where it is missing; pictures in it are replaced.

        Raises:
            DataError: the folder is not writable.
        """
        return _written(self.png, _targets(as_path(out, "out"), self.names))

    def __iter__(self) -> Iterator[Image.Image]:
        return map(_opened, self.png[: len(self)])

    def __repr__(self) -> str:
        return text_summary(f"Explanation of {_count(self)}", self._rows())

    def _repr_html_(self) -> str:
        shown = [self.png[-1]] if self.match is not None else []
        shown += self.png[: min(len(self), MOST_IN_PAGE)]
        texts = ["why they match"] if self.match is not None else []
        texts += [f"where the network looks in {name}" for name in self.names[:MOST_IN_PAGE]]
        more = len(self) - MOST_IN_PAGE
        note = f"... and {more} further images; save(folder) writes all" if more > 0 else ""
        return html_pictures(f"Explanation of {_count(self)}", shown, texts, note)

    def _rows(self) -> dict[str, object]:
        rows: dict[str, object] = {"images": ", ".join(self.names[:6])}
        if self.match is not None:
            rows["similarity"] = f"{self.match.similarity:+.4f}, without mirror images"
        if self.files:
            rows["files"] = f"{self.files[0]} ... " if len(self.files) > 1 else self.files[0]
        return rows


def explain(
    model: Model | Checkpoint | APNet | AnyPath | None,
    images: Any,
    *,
    boxes: Any = None,
    bgr: bool = False,
    out: AnyPath | None = None,
    device: AnyDevice | None = None,
    notify: Callable[[str], None] = warnings.warn,
) -> Explanation:
    """Draws where a network looks after each pyramid level; of two images also why they match.

    All images are read before anything is written.

    Args:
        model: as for ``load_model``; ``None`` for the shipped network.
        images: as for ``Model.embed``.
        boxes: as for ``Model.embed``.
        bgr: as for ``Model.embed``.
        out: folder for ``NAME.explained.png`` and ``pair.png``; by default nothing is written.
        device: the model is moved there; ``None``: it stays where it is.
        notify: told about files in folders that are left out; a warning by default.

    Raises:
        TypeError: an argument is of a type that is not taken.
        DataError: an image cannot be used, or the folder is not writable.
        ConfigError: there is nothing to explain, a picture would replace one of the images, the
            size does not suit the network, or the network's output is not finite.

    Example:
        >>> import numpy, apnet
        >>> crops = numpy.random.default_rng(0).integers(0, 255, (2, 128, 64, 3), numpy.uint8)
        >>> why = apnet.explain(apnet.load_model(device="cpu"), crops)
        >>> len(why), why.pair.size == why[0].size
        (2, False)
    """
    folder = None if out is None else as_path(out, "out")
    chosen = as_model(model)
    if boxes is None:
        inputs = image_inputs(images, bgr=bgr, notify=notify)
    else:
        inputs = box_inputs(images, boxes, bgr=bgr, notify=notify)
    if not inputs:
        raise ConfigError("nothing to explain: there are no boxes")
    names = _names(inputs)
    pixels = torch.stack([resize(each.read(), chosen.image_size) for each in inputs])
    targets = [] if folder is None else _targets(folder, names)
    _check_targets(targets, inputs)
    if device is not None:
        chosen.to(device)
    shown = NamedImages(names, pixels)
    made: list[bytes] = []
    for index in range(len(names)):
        made.append(_encoded(image_picture(chosen.network, shown, index)))
        _written(made[-1:], targets[index : index + 1])
    match = None
    if len(names) == 2:
        picture, match = pair_picture(chosen.network, shown)
        made.append(_encoded(picture))
        _written(made[-1:], targets[-1:])
    return Explanation(names, tuple(made), match, tuple(targets))


def _names(inputs: Sequence[ImageInput]) -> tuple[str, ...]:
    return tuple(
        each.record.path.name if each.in_file else f"image {index}"
        for index, each in enumerate(inputs)
    )


def _targets(folder: Path, names: Sequence[str]) -> list[Path]:
    """Returns where the pictures go, that of a pair last."""
    targets = [folder / f"{stem}.explained.png" for stem in unique_stems(names)]
    return [*targets, folder / PAIR_NAME] if len(names) == 2 else targets


def unique_stems(names: Sequence[str]) -> list[str]:
    """Returns each name without its suffix, with a number where that is taken."""
    stems = [Path(name).stem for name in names]
    taken: dict[str, None] = {}
    for stem in stems:
        name, number = stem, 1
        while name in taken or (number > 1 and name in stems):
            number += 1
            name = f"{stem}-{number}"
        taken[name] = None
    return list(taken)


def _check_targets(targets: Sequence[Path], inputs: Sequence[ImageInput]) -> None:
    sources = {each.record.path.resolve() for each in inputs if each.in_file}
    for target in targets:
        if target.resolve() in sources:
            raise ConfigError(f"{target}: would be replaced by its explanation; give another --out")


def _written(pictures: Sequence[bytes], targets: Sequence[Path]) -> tuple[Path, ...]:
    for png, target in zip(pictures, targets, strict=False):
        with atomic_write(target) as part:
            part.write_bytes(png)
    return tuple(targets)


def _encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png), formats=("PNG",))


def _count(explanation: Explanation) -> str:
    return f"{len(explanation)} image{'s' * (len(explanation) != 1)}"
