"""Distortions of training images: what they keep, what they change, and their ranges."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from apnet.data.distortion import Distortion, coarsen, recolour, reframe
from apnet.data.transforms import TrainingTransform


@pytest.fixture
def image() -> Tensor:
    return torch.randint(0, 256, (3, 64, 32), dtype=torch.uint8, generator=generator(1))


def generator(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def test_zeros_leave_the_image_as_it_is(image: Tensor) -> None:
    assert torch.equal(Distortion()(image, generator()), image)


@pytest.mark.parametrize("distort", [recolour, reframe])
def test_strength_is_drawn_anew_and_repeats_with_its_generator(image: Tensor, distort) -> None:
    first, again, other = (distort(image, 1.0, generator(seed)) for seed in (3, 3, 4))
    assert first.dtype == torch.uint8
    assert first.shape == image.shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_recolour_keeps_grey_grey_but_for_the_cast() -> None:
    grey = torch.full((3, 8, 4), 128, dtype=torch.uint8)
    spreads = []
    for seed in range(50):
        out = recolour(grey, 1.0, generator(seed)).float()[:, 0, 0]
        spreads.append(float(out.max() / out.min().clamp(min=1)))
    # two channels apart by at most (1 + cast) / (1 - cast), then saturation and gamma
    assert 1.0 < max(spreads) < (1.15 / 0.85) ** (1.5 * 1.42) * 1.05


def test_recolour_changes_brightness_both_ways(image: Tensor) -> None:
    means = [float(recolour(image, 1.0, generator(seed)).float().mean()) for seed in range(40)]
    own = float(image.float().mean())
    assert min(means) < own * 0.8
    assert max(means) > own * 1.1


def test_reframe_moves_a_mark_but_not_far() -> None:
    image = torch.zeros(3, 65, 33, dtype=torch.uint8)
    image[:, 30:35, 14:19] = 255
    places = []
    for seed in range(40):
        rows = reframe(image, 0.2, generator(seed))[0].float().sum(1)
        places.append(float((rows * torch.arange(65)).sum() / rows.sum()))
    assert max(places) - min(places) > 3
    assert all(abs(place - 32) < 0.2 * 65 * 0.5 / 0.8 + 2 for place in places)


def test_coarsen_loses_detail_and_keeps_the_mean(image: Tensor) -> None:
    out = coarsen(image, generator())
    assert out.shape == image.shape
    assert out.dtype == torch.uint8
    assert float(out.float().std()) < 0.8 * float(image.float().std())
    assert abs(float(out.float().mean()) - float(image.float().mean())) < 4


def test_one_pixel_survives() -> None:
    dot = torch.full((3, 1, 1), 200, dtype=torch.uint8)
    assert Distortion(1.0, 0.5, 1.0)(dot, generator()).shape == dot.shape


def test_the_training_transform_distorts(image: Tensor) -> None:
    plain = TrainingTransform((64, 32), pad=0, flip=0, erase=0)
    distorted = TrainingTransform(
        (64, 32), pad=0, flip=0, erase=0, distortion=Distortion(recolour=1.0)
    )
    assert not torch.equal(plain(image, generator()), distorted(image, generator()))
