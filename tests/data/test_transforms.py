import numpy as np
import pytest
import torch
from PIL import Image

from apnet.data import EvaluationTransform, TrainingTransform
from apnet.data.transforms import (
    ERASED_AREA,
    ERASED_ASPECT,
    IMAGENET_MEAN,
    IMAGENET_STD,
    erase_rectangle_,
    normalise,
    resize,
    shift_randomly,
)
from apnet.errors import ConfigError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(height, width, seed=0):
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator(seed))


def test_resizing_is_pillows_bilinear():
    image = noise(90, 40)
    expected = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((16, 32), Image.BILINEAR)
    ours = resize(image, (32, 16)).permute(1, 2, 0).numpy().astype(int)
    assert np.abs(ours - np.asarray(expected)).max() <= 1


def test_normalising_is_imagenets():
    image = noise(4, 3)
    mean = torch.tensor(IMAGENET_MEAN)[:, None, None]
    std = torch.tensor(IMAGENET_STD)[:, None, None]
    torch.testing.assert_close(normalise(image), (image / 255 - mean) / std)


@pytest.mark.parametrize("shape", [(1, 1), (32, 16), (5000, 2), (2, 5000), (31, 17)])
def test_any_size_goes_in(shape):
    image = noise(*shape)
    original = image.clone()
    for made in (
        EvaluationTransform((32, 16))(image),
        TrainingTransform((32, 16), flip=1, erase=1)(image, generator()),
    ):
        assert made.shape == (3, 32, 16)
        assert made.dtype == torch.float32
        assert made.isfinite().all()
    assert torch.equal(image, original)


def test_without_augmentation_both_transforms_agree():
    image = noise(50, 30)
    plain = TrainingTransform((32, 16), pad=0, flip=0, erase=0)(image, generator())
    assert torch.equal(plain, EvaluationTransform((32, 16))(image))


def test_flip():
    image = noise(32, 16)
    flipped = TrainingTransform((32, 16), pad=0, flip=1, erase=0)(image, generator())
    assert torch.equal(flipped, normalise(image).flip(2))


@pytest.mark.parametrize(("field", "share"), [("flip", 0.3), ("erase", 0.7)])
def test_probabilities(field, share):
    transform = TrainingTransform((16, 8), pad=0, **{"flip": 0, "erase": 0, field: share})
    image = noise(16, 8)
    plain = normalise(image)
    changed = sum(not torch.equal(transform(image, generator(seed)), plain) for seed in range(1000))
    assert changed / 1000 == pytest.approx(share, abs=0.06)


def test_shift_pads_with_black_and_reaches_every_place():
    image = noise(6, 4).clamp(min=1)
    places = set()
    for seed in range(300):
        shifted = shift_randomly(image, 2, generator(seed))
        rows = (shifted[0] > 0).any(dim=1).nonzero()[:, 0]
        columns = (shifted[0] > 0).any(dim=0).nonzero()[:, 0]
        top = 2 if len(rows) == 6 else int(rows[0]) + 2 if rows[0] else len(rows) - 4
        left = 2 if len(columns) == 4 else int(columns[0]) + 2 if columns[0] else len(columns) - 2
        places.add((top, left))
        kept = image[:, max(0, 2 - top) : 8 - top, max(0, 2 - left) : 6 - left]
        inside = shifted[:, max(0, top - 2) : top + 4, max(0, left - 2) : left + 2]
        assert torch.equal(inside, kept)
        assert int((shifted == 0).sum()) == shifted.numel() - kept.numel()
    assert places == {(top, left) for top in range(5) for left in range(5)}


def test_erased_rectangles_keep_their_bounds_and_fill_with_the_mean():
    shares, tops, bottoms = [], [], []
    for seed in range(300):
        image = torch.ones(3, 128, 64)
        erase_rectangle_(image, generator(seed))
        erased = image[0] == 0
        assert torch.equal(image == 0, erased.expand(3, -1, -1))
        rows, columns = erased.any(dim=1).nonzero()[:, 0], erased.any(dim=0).nonzero()[:, 0]
        tall, wide = len(rows), len(columns)
        assert int(erased.sum()) == tall * wide  # one rectangle
        shares.append(tall * wide / (128 * 64))
        tops.append(int(rows[0]))
        bottoms.append(int(rows[-1]))
        aspect = tall / wide
        assert ERASED_ASPECT[0] * 0.9 < aspect < ERASED_ASPECT[1] * 1.1
    assert ERASED_AREA[0] * 0.9 < min(shares)
    assert max(shares) < ERASED_AREA[1] * 1.1
    assert max(shares) > 0.3
    assert min(tops) < 5
    assert max(bottoms) > 123


def test_a_pixel_is_too_small_to_erase_from():
    assert torch.equal(erase_rectangle_(torch.ones(3, 1, 1), generator()), torch.ones(3, 1, 1))


def test_randomness_comes_from_the_generator_alone():
    transform = TrainingTransform((32, 16))
    image = noise(40, 20)
    before = torch.get_rng_state()
    assert torch.equal(transform(image, generator(5)), transform(image, generator(5)))
    assert len({transform(image, generator(seed)).sum().item() for seed in range(20)}) > 15
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("bad", [{"pad": -1}, {"flip": 1.1}, {"erase": -0.1}])
def test_bad_settings(bad):
    with pytest.raises(ConfigError, match="augmentation"):
        TrainingTransform((32, 16), **bad)
