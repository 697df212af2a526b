"""Grad-CAM against finite differences, matches against the embedding, pictures against pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from apnet.errors import ConfigError, ImageError
from apnet.explanation import (
    explain_files,
    explain_match,
    grad_cams,
    level_maps,
    likeness,
    top_class,
)
from apnet.explanation.colours import heat_colours, heat_overlay, signed_overlay
from apnet.explanation.files import explained_names
from apnet.explanation.match import Match
from apnet.explanation.sheets import PICTURE_HEIGHT, pair_sheet
from apnet.model import create_network

SIZE = (64, 32)


def tiny(**changes):
    """A small network whose batch norms are not the identity."""
    torch.manual_seed(3)
    options = {"channels": [8, 8, 16, 16], "stem_width": 8}
    settings = {
        "backbone": "resnet10t",
        "backbone_options": options,
        "reduction": 4,
        "image_size": SIZE,
    }
    network = create_network("apnet-c2-small", **{**settings, **changes})
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith("neck.running_mean"):
                buffer.uniform_(0, 0.5)
            if name.endswith("neck.running_var"):
                buffer.uniform_(0.05, 2)
    return network.eval()


def noise(count=2):
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"feature": "pooled"},
        {"feature": "logits", "num_classes": 7},
        {"multipart": True},
        {"multipart": True, "feature": "logits", "num_classes": 7},
        {"attention": "spatial"},
        {"arrangement": "released"},
        {"attention": "none", "parts": ()},
        {"multipart": True, "image_size": (80, 32)},
    ],
    ids=str,
)
def test_contributions_of_either_image_sum_to_the_similarity(changes):
    network = tiny(**changes)
    first, second = torch.randn(
        2, 3, *changes.get("image_size", SIZE), generator=torch.Generator().manual_seed(5)
    )
    match = explain_match(network, first, second)
    with torch.no_grad():
        embedded = network.embed(torch.stack((first, second)))
    similarity = float(functional.cosine_similarity(embedded[0], embedded[1], dim=0))
    assert match.similarity == pytest.approx(similarity, abs=1e-5)
    assert match.first.sum() == pytest.approx(similarity, abs=1e-5)
    assert match.second.sum() == pytest.approx(similarity, abs=1e-5)
    assert match.first.std() > 0


def test_a_position_contributes_what_its_map_says():
    """Position by position, written out for one global head without a neck."""
    network = tiny(feature="pooled")
    images = noise()
    match = explain_match(network, *images)
    with torch.no_grad():
        maps = network.trunk(images)
    a, b = maps.mean(dim=(2, 3))
    rows, columns = maps.shape[2:]
    for row in range(rows):
        for column in range(columns):
            dot = maps[0, :, row, column] @ b
            expected = dot / (rows * columns * a.norm() * b.norm())
            assert match.first[row, column] == pytest.approx(float(expected), abs=1e-6)


def test_a_match_is_symmetric_and_leaves_the_mode_alone():
    network = tiny().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, second = noise()
    one, other = explain_match(network, first, second), explain_match(network, second, first)
    np.testing.assert_allclose(one.first, other.second, atol=1e-6)
    assert one.similarity == pytest.approx(other.similarity, abs=1e-6)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("arrangement", ["paper", "released"])
def test_grad_cam_weights_are_finite_differences(place, arrangement):
    """Raising a whole channel of X_0 changes the score by the number of positions times a_k."""
    network = tiny(arrangement=arrangement, num_classes=5).double()
    images = noise(1).double()
    stage = network.stages[place]
    step, found = 1e-6, []
    kept = []

    def nudged(channel, amount):
        def hook(_module, _inputs, output):
            kept[:] = [output.detach().clone()]
            changed = output.clone()
            changed[:, channel] += amount
            return changed

        handle = stage.body.register_forward_hook(hook)
        with torch.no_grad():
            value = float(network(images).logits[0][0, best])
        handle.remove()
        return value

    with torch.no_grad():
        best = int(network(images).logits[0].argmax())
    for channel in range(stage.channels):
        change = (nudged(channel, step) - nudged(channel, -step)) / (2 * step)
        found.append(change)
    level = kept[0][0]
    weights = torch.tensor(found, dtype=torch.float64) / level[0].numel()
    expected = torch.relu((weights[:, None, None] * level).sum(dim=0)).numpy()
    actual = grad_cams(network, images, top_class)[place][0][0]
    assert expected.max() > 0
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_grad_cam_after_the_last_level_has_a_closed_form():
    network = tiny()
    images = noise()
    with torch.no_grad():
        unit = functional.normalize(network.embed(images.flip(0)))
        last = network.trunk(images)
        neck = network.branches[0].heads[0].neck
        scale = neck.weight / torch.sqrt(neck.running_var + neck.eps)
        weights = unit * scale / (last.shape[2] * last.shape[3])
        expected = torch.relu((weights[:, :, None, None] * last).sum(dim=1)).numpy()
    actual = grad_cams(network, images, likeness(unit))[-1][-1]
    assert expected.max() > 0
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-6 * expected.max())


@pytest.mark.parametrize("changes", [{}, {"multipart": True}, {"attention": "spatial"}], ids=str)
def test_both_kinds_of_maps_come_in_one_form(changes):
    network = tiny(**changes)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    images = noise()
    strengths = level_maps(network, images)
    cams = grad_cams(network, images, likeness(network.embed(images)))
    assert [[x.shape for x in stage] for stage in cams] == [
        [x.shape for x in stage] for stage in strengths
    ]
    assert all((x >= 0).all() and x.dtype == np.float32 for stage in cams for x in stage)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_grad_cam_refuses_what_it_cannot_explain():
    network = tiny()
    with pytest.raises(ConfigError, match="no classifier"):
        grad_cams(network, noise(), top_class)
    with torch.no_grad():
        network.branches[0].heads[0].neck.weight.fill_(float("nan"))
    with pytest.raises(ConfigError, match="not finite"):
        grad_cams(network, noise(), likeness(torch.ones(1, 16)))
    with pytest.raises(ConfigError, match="not finite"):
        explain_match(network, *noise())


def test_a_map_that_the_score_does_not_reach_is_an_error():
    with pytest.raises(ConfigError, match="does not depend on the map of layer1"):
        grad_cams(
            tiny(attention="none", parts=()),
            noise(),
            lambda network, x: network.embed(x).detach().sum(dim=1) + x.sum(dim=(1, 2, 3)),
        )


def test_heat_gets_lighter_with_every_step():
    luminance = heat_colours(np.linspace(0, 1, 100)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > 0).all()
    assert (heat_colours(np.array([-1.0, 2.0])) == heat_colours(np.array([0.0, 1.0]))).all()


def test_overlays_have_the_photographs_size_and_the_maps_sides():
    photograph = Image.new("RGB", (20, 40), (120, 120, 120))
    heat = np.asarray(heat_overlay(photograph, np.array([[0.0], [1.0]]))).astype(int)
    assert heat.shape == (40, 20, 3)
    assert heat[-1].sum() > heat[0].sum()
    signed = np.asarray(signed_overlay(photograph, np.array([[1.0, 0.0, -1.0]]))).astype(int)
    red, none, blue = signed[20, 1], signed[20, 10], signed[20, -2]
    assert red[0] > 120 > red[2]
    assert blue[2] > 120 > blue[0]
    assert list(none) == [120, 120, 120]


@pytest.mark.parametrize("similarity", [0.0, 0.5])
def test_a_pair_of_no_contributions_can_be_drawn(similarity):
    empty = np.zeros((3, 1), np.float32)
    image = np.full((4, 1, 3), 90, np.uint8)
    names = ("a" * 300 + ".png", "b\n.png")
    sheet = pair_sheet(names, [image, image], Match(similarity, empty, empty))
    assert sheet.height > PICTURE_HEIGHT
    assert (np.asarray(sheet) < 60).any()


def test_names_are_told_apart():
    paths = [Path(name) for name in ("a/x.jpg", "b/x.png", "x-2.jpg", "x.jpg")]
    names = explained_names(paths)
    assert names[0] == "x.explained.png"
    assert names[2] == "x-2.explained.png"
    assert len(set(names)) == len(paths)


@pytest.fixture
def pictures(tmp_path):
    random = np.random.default_rng(0)
    paths = []
    for number, size in enumerate([(50, 20), (1, 1), (9, 200)]):
        path = tmp_path / f"crop{number}.png"
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


def test_files_of_any_size_are_explained(pictures, tmp_path):
    out = tmp_path / "new" / "out"
    explained = explain_files(tiny(), SIZE, pictures, out)
    assert explained.pair is None
    assert explained.match is None
    assert sorted(out.iterdir()) == sorted(explained.pictures)
    sizes = {Image.open(path).size for path in explained.pictures}
    assert len(sizes) == 1
    assert sizes.pop()[1] > 3 * PICTURE_HEIGHT  # a row for level 0, 1 and 2


def test_two_files_make_a_pair_and_an_image_matches_itself(pictures, tmp_path):
    explained = explain_files(tiny(num_classes=4), SIZE, [pictures[0]] * 2, tmp_path / "out")
    assert explained.match.similarity == pytest.approx(1, abs=1e-5)
    assert [path.name for path in explained.pictures] == [
        "crop0.explained.png",
        "crop0-2.explained.png",
    ]
    assert Image.open(explained.pair).width > PICTURE_HEIGHT


def test_nothing_is_written_when_an_image_is_bad(pictures, tmp_path):
    pictures[2].write_bytes(b"no image")
    with pytest.raises(ImageError, match="crop2"):
        explain_files(tiny(), SIZE, pictures, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_inputs_that_cannot_be_explained_are_refused(pictures, tmp_path):
    with pytest.raises(ConfigError, match="at least one image"):
        explain_files(tiny(), SIZE, [], tmp_path)
    with pytest.raises(ConfigError, match="built for maps"):
        explain_files(tiny(attention="spatial"), (32, 32), pictures[:1], tmp_path / "out")
    pair = tmp_path / "pair.png"
    content = pictures[0].read_bytes()
    pair.write_bytes(content)
    with pytest.raises(ConfigError, match="would be replaced"):
        explain_files(tiny(), SIZE, [pictures[0], pair], tmp_path)
    assert pair.read_bytes() == content
