"""Transforms from a decoded image to the network's input (section IV-B).

Training: resize, flip, distort (not in the paper), pad and crop, normalise, erase, in the order of
the paper's baseline. Evaluation: resize, normalise. All randomness comes from the generator that
the caller gives.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Generator, Tensor
from torch.nn import functional

from apnet.data.distortion import Distortion
from apnet.errors import ConfigError

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
"""Per channel, of values from 0 to 1."""

IMAGENET_STD: Final = (0.229, 0.224, 0.225)
"""Per channel, of values from 0 to 1."""

ERASED_AREA: Final = (0.02, 0.4)
"""Least and greatest share of the image that is erased (Zhong et al., AAAI 2020)."""

ERASED_ASPECT: Final = (0.3, 1 / 0.3)
"""Least and greatest height over width of the erased rectangle."""

_ATTEMPTS = 100
_SCALE = torch.tensor([1 / (255 * std) for std in IMAGENET_STD])[:, None, None]  # (3, 1, 1)
_SHIFT = torch.tensor([mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)])[
    :, None, None
]  # (3, 1, 1)


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes (3, H, W) uint8 to (3, *size), bilinear with antialiasing; the aspect may change."""
    if tuple(image.shape[1:]) == size:
        return image
    return functional.interpolate(image[None], size, mode="bilinear", antialias=True)[0]


def normalise(image: Tensor) -> Tensor:
    """Returns uint8 pixels as float32, standardised with ImageNet's mean and deviation."""
    return image.float().mul_(_SCALE).sub_(_SHIFT)


def unnormalise(image: Tensor) -> Tensor:
    """Returns the uint8 pixels that ``normalise`` was given, exactly."""
    return ((image + _SHIFT) / _SCALE).round_().clamp_(0, 255).to(torch.uint8)


class EvaluationTransform:
    """The transform for evaluation: resize and normalise.

    Args:
        size: height and width in pixels.

    Example:
        >>> EvaluationTransform((384, 192))(torch.zeros(3, 50, 20, dtype=torch.uint8)).shape
        torch.Size([3, 384, 192])
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = (size[0], size[1])

    def __call__(self, image: Tensor) -> Tensor:
        """Maps (3, H, W) uint8 to (3, *size) float32."""
        return normalise(resize(image, self.size))


class TrainingTransform:
    """The transform for training: resize, flip, distort, pad and crop, normalise, erase.

    Args:
        size: height and width in pixels.
        pad: width in pixels of the black border added before the crop back to ``size``.
        flip: probability of a horizontal flip.
        erase: probability of erasing a rectangle, which is set to 0 after normalisation (the mean
            colour).
        distortion: changes of colour, box and resolution, applied between flip and crop.

    Raises:
        ConfigError: the padding is negative, or a probability is not in [0, 1].
    """

    def __init__(
        self,
        size: tuple[int, int],
        pad: int = 10,
        flip: float = 0.5,
        erase: float = 0.5,
        *,
        distortion: Distortion | None = None,
    ) -> None:
        if pad < 0 or not 0 <= flip <= 1 or not 0 <= erase <= 1:
            raise ConfigError(
                f"augmentation: pad {pad} must be 0 or more, flip {flip} and erase {erase} "
                "from 0 to 1"
            )
        self.size = (size[0], size[1])
        self.pad = pad
        self.flip = flip
        self.erase = erase
        self.distortion = distortion

    def __call__(self, image: Tensor, generator: Generator) -> Tensor:
        """Maps (3, H, W) uint8 to (3, *size) float32."""
        return self.augment(resize(image, self.size), generator)

    def augment(self, resized: Tensor, generator: Generator) -> Tensor:
        """Applies every step after resizing: (3, *size) uint8 to (3, *size) float32."""
        flips, erases = (torch.rand(2, generator=generator) < self._probabilities()).tolist()
        image = resized.flip(2) if flips else resized
        if self.distortion is not None:
            image = self.distortion(image, generator)
        image = normalise(shift_randomly(image, self.pad, generator))
        return erase_rectangle_(image, generator) if erases else image

    def _probabilities(self) -> Tensor:
        return torch.tensor([self.flip, self.erase])


def shift_randomly(image: Tensor, pad: int, generator: Generator) -> Tensor:
    """Pads (3, H, W) with black and crops it back to its size at a random position."""
    if pad == 0:
        return image
    _, height, width = image.shape
    top, left = torch.randint(2 * pad + 1, (2,), generator=generator).tolist()
    padded = functional.pad(image, (pad, pad, pad, pad))  # (3, H + 2 pad, W + 2 pad)
    return padded[:, top : top + height, left : left + width]


def erase_rectangle_(image: Tensor, generator: Generator) -> Tensor:
    """Sets a random rectangle of a normalised (3, H, W) image to 0, in place.

    The share of the area and the ratio of height to width are drawn uniformly from ``ERASED_AREA``
    and ``ERASED_ASPECT`` until a rectangle fits. An image too small for any is left unchanged.
    """
    _, height, width = image.shape
    for _ in range(_ATTEMPTS):
        share, aspect, down, right = torch.rand(4, generator=generator).tolist()
        area = _between(ERASED_AREA, share) * height * width
        ratio = _between(ERASED_ASPECT, aspect)
        tall, wide = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < tall < height and 0 < wide < width:
            top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
            image[:, top : top + tall, left : left + wide] = 0
            return image
    return image


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share
