"""Explanations: Grad-CAM against its definition, matches that add up, pictures and refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from apnet.errors import ApnetError, ConfigError, ImageError
from apnet.explanation import explain
from apnet.explanation.levels import grad_cams, level_maps, likeness, top_class
from apnet.explanation.match import explain_match
from apnet.explanation.verb import unique_stems
from apnet.model import build_network, preset

SMALL = dataclasses.replace(preset("apnet-c2-small"), num_classes=5)


def network_of(**changes):
    torch.manual_seed(0)
    network = build_network(dataclasses.replace(SMALL, **changes))
    with torch.no_grad():  # a BN neck that does something
        for head in network.branches[0].heads:
            head.neck.running_mean.normal_()
            head.neck.running_var.uniform_(0.5, 2)
    return network.eval()


def images(count=2):
    return torch.randn(count, 3, 128, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "changes", [{}, {"feature": "pooled"}, {"feature": "logits"}, {"multipart": True}]
)
def test_contributions_add_up_to_the_cosine(changes):
    network, (first, second) = network_of(**changes), images()
    match = explain_match(network, first, second)
    with torch.no_grad():
        a, b = network.embed(torch.stack((first, second))).double()
    cosine = float(a @ b / (a.norm() * b.norm()))
    assert match.similarity == pytest.approx(cosine, abs=1e-5)
    assert match.first.sum() == pytest.approx(cosine, abs=1e-4)
    assert match.second.sum() == pytest.approx(cosine, abs=1e-4)


def test_an_image_matches_itself_fully():
    network, (image, _) = network_of(), images()
    match = explain_match(network, image, image)
    assert match.similarity == pytest.approx(1, abs=1e-5)
    assert np.array_equal(match.first, match.second)


def test_grad_cam_after_the_last_level_is_the_definition():
    network, batch = network_of(num_classes=4), images(1)
    cam = grad_cams(network, batch, top_class)[-1][-1]
    # by hand: the last map feeds average pooling, BN neck and classifier
    head = network.branches[0].heads[0]
    with torch.no_grad():
        x = network.branches[0].body(network.trunk(batch))
    x.requires_grad_()
    head.classifier(head.features(x.mean(dim=(2, 3))).neck).amax(dim=1).sum().backward()
    weights = x.grad.mean(dim=(2, 3), keepdim=True)
    byhand = torch.relu((weights * x).sum(1)).detach().numpy()
    np.testing.assert_allclose(cam, byhand, rtol=1e-4, atol=1e-7)


def test_every_stage_and_level_has_a_map_of_both_kinds():
    network, batch = network_of(), images()
    with torch.no_grad():
        toward = likeness(network.embed(batch).clone())
    strengths, cams = level_maps(network, batch), grad_cams(network, batch, toward)
    shapes = [[level.shape for level in stage] for stage in strengths]
    assert shapes == [[level.shape for level in stage] for stage in cams]
    assert [len(stage) for stage in shapes] == [3, 3, 3, 3]
    assert all((level >= 0).all() for stage in (*strengths, *cams) for level in stage)


@pytest.fixture
def crops(tmp_path):
    paths = [tmp_path / "a.jpg", tmp_path / "b.png"]
    rng = np.random.default_rng(0)
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (90, 40, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.mark.parametrize("classes", [0, 5])
def test_pictures_of_a_pair(crops, tmp_path, classes):
    out = tmp_path / "out"
    made = explain(network_of(num_classes=classes), crops, out=out)
    assert sorted(path.name for path in out.iterdir()) == [
        "a.explained.png",
        "b.explained.png",
        "pair.png",
    ]
    assert made.match is not None
    assert made.pair.size != made[0].size
    assert [path.read_bytes() for path in made.files] == list(made.png)
    assert len(repr(made).splitlines()) <= 10
    assert made._repr_html_().count("<img") == 3
    for path in out.iterdir():
        with Image.open(path) as picture:
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 500
            assert picture.height > 256


def test_one_image_and_one_pixel(crops, tmp_path):
    dot = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), "red").save(dot)
    made = explain(network_of(num_classes=0), [dot], out=tmp_path / "out")
    assert made.pair is None
    assert made.files == (tmp_path / "out" / "dot.explained.png",)


def test_images_of_one_name_get_numbers():
    assert unique_stems(["a.jpg", "a.png", "a-2.jpg"]) == ["a", "a-3", "a-2"]


def test_nothing_is_written_when_an_image_cannot_be_read(crops, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(crops[0].read_bytes()[:300])
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        explain(network_of(), [crops[0], broken], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_image_and_an_output_in_the_way_are_refused(crops, tmp_path):
    with pytest.raises(ApnetError, match="at least one"):
        explain(network_of(), [], out=tmp_path / "out")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ApnetError, match="file"):
        explain(network_of(), crops, out=tmp_path / "file")


def test_a_network_without_classifier_has_no_top_class():
    with pytest.raises(ConfigError, match="no classifier"):
        grad_cams(network_of(num_classes=0), images(1), top_class)
