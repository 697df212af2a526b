"""Explanation pictures of image files, written into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from apnet.data import read_image
from apnet.data.transforms import normalise, resize
from apnet.errors import ConfigError
from apnet.explanation.levels import Maps, Score, grad_cams, level_maps, likeness, top_class
from apnet.explanation.match import Match, explain_match
from apnet.explanation.sheets import Block, level_sheet, pair_sheet
from apnet.files import atomic_write
from apnet.model import APNet

PAIR_NAME = "pair.png"


@dataclass(frozen=True)
class Explained:
    """The files that ``explain_files`` wrote.

    Attributes:
        pictures: one per image, in the order of the images.
        pair: picture of the pair, if there were exactly two images, else ``None``.
        match: the similarity of the pair, if there were exactly two images, else ``None``.
    """

    pictures: tuple[Path, ...]
    pair: Path | None
    match: Match | None


def explain_files(
    network: APNet, image_size: tuple[int, int], images: Sequence[Path], out: Path
) -> Explained:
    """Writes ``NAME.explained.png`` for each image, and of two images ``pair.png``.

    Grad-CAM explains the greatest logit of the global classifier; without a classifier, the
    similarity to the other image if there are two, else to the image itself. All images are read
    before anything is written. Pictures of images with the same name are numbered.

    Args:
        network: on any device; used in evaluation mode.
        image_size: height and width in pixels that the images are resized to.
        images: image files, at least one.
        out: a folder, which is created where it is missing.

    Raises:
        ImageError: an image cannot be read.
        DataError: the folder is not writable.
        ConfigError: no image, a picture would replace one of the images, the size does not suit the
            network, or the network's output is not finite.
    """
    if not images:
        raise ConfigError("nothing to explain: name at least one image")
    pixels = torch.stack([resize(read_image(path), image_size) for path in images])
    targets = [out / name for name in explained_names(images)]
    pair = out / PAIR_NAME if len(images) == 2 else None
    _check_targets([*targets, *([pair] if pair else [])], images)
    device = next(network.parameters()).device
    batch = torch.stack([normalise(each) for each in pixels]).to(device)
    for index, (path, target) in enumerate(zip(images, targets, strict=True)):
        heading, score = _score(network, batch, index, images)
        one = batch[index : index + 1]
        blocks = [
            Block("strength of the features (mean magnitude)", _first(level_maps(network, one))),
            Block(f"Grad-CAM: {heading}", _first(grad_cams(network, one, score))),
        ]
        names = [stage.name for stage in network.stages]
        _save(level_sheet(path.name, _array(pixels[index]), blocks, names), target)
    if pair is None:
        return Explained(tuple(targets), None, None)
    match = explain_match(network, batch[0], batch[1])
    sheet = pair_sheet((images[0].name, images[1].name), [_array(each) for each in pixels], match)
    _save(sheet, pair)
    return Explained(tuple(targets), pair, match)


def explained_names(images: Sequence[Path]) -> list[str]:
    """Returns the file name of each image's picture: its stem, with a number if that is taken."""
    return list(_unique([path.stem for path in images]))


def _unique(stems: Sequence[str]) -> Iterator[str]:
    taken: set[str] = set()
    for stem in stems:
        name, number = stem, 1
        while name in taken or (number > 1 and name in stems):
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        yield f"{name}.explained.png"


def _check_targets(targets: Sequence[Path], images: Sequence[Path]) -> None:
    sources = {path.resolve() for path in images}
    for target in targets:
        if target.resolve() in sources:
            raise ConfigError(f"{target}: would be replaced by its explanation; give another --out")


@torch.no_grad()
def _score(network: APNet, batch: Tensor, index: int, images: Sequence[Path]) -> tuple[str, Score]:
    """Returns what Grad-CAM explains for one image, in words and as a score."""
    logits = network(batch[index : index + 1]).logits
    if logits:
        best = int(logits[0].argmax())
        return f"training identity {best} of {logits[0].shape[1]}, its top class", top_class
    other = 1 - index if len(images) == 2 else index
    features = network.embed(batch[other : other + 1]).clone()
    return f"similarity to {images[other].name if other != index else 'itself'}", likeness(features)


def _first(maps: Maps) -> Maps:
    return [[level[0] for level in stage] for stage in maps]


def _array(image: Tensor) -> NDArray[np.uint8]:
    return image.permute(1, 2, 0).numpy()  # (3, H, W) -> (H, W, 3)


def _save(picture: Image.Image, path: Path) -> None:
    with atomic_write(path) as part:
        picture.save(part, "PNG")
