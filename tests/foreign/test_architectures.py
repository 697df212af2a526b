"""Checkpoints of other toolkits load without leftovers and compute what their projects compute."""

from functools import partial

import pytest
import references
import torch
from layouts import LAYOUTS, Weights

import apnet
from apnet.foreign.matching import fit
from apnet.foreign.table import ARCHITECTURES


def test_every_architecture_has_a_layout():
    assert set(LAYOUTS) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_fits_its_architecture_without_leftovers(name, monkeypatch):
    monkeypatch.setattr(Weights, "shapes_only", True)
    found = fit(name, LAYOUTS[name]())
    assert found.exact, str(found)
    assert len(found.pairs) == found.total


COMPUTED = {
    "torchreid/osnet_x0_25": references.osnet,
    "torchreid/osnet_ibn_x1_0": references.osnet,
    "torchreid/osnet_ain_x0_25": references.osnet,
    "torchreid/resnet50": references.torchreid_resnet50,
    "torchreid/resnet50_fc512": references.torchreid_resnet50,
    "fast-reid/bot_r50": references.fast_reid,
    "fast-reid/agw_r50_ibn": partial(references.fast_reid, fixed_gem=True),
    "fast-reid/sbs_r50": references.fast_reid,
    "fast-reid/mgn_r50_ibn": references.fast_reid_mgn,
    "michuanhaohao/bag_of_tricks": references.bag_of_tricks,
    "layumi/resnet50": references.layumi,
    "layumi/resnet50_stride1": partial(references.layumi, last_stride=1),
    "transreid/vit_transreid_stride": partial(references.transreid, stride=12),
    "personvit/vit_small": references.transreid,
    "clip-reid/vit_sie": references.clip_reid,
    "apnet/released_c1": references.released_apnet,
    "apnet/released_c2": references.released_apnet,
    "apnet/released_c2_msmt17": partial(references.released_apnet, logits=True),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_features_equal_the_projects_forward_pass_written_out(name, tmp_path):
    weights = LAYOUTS[name]()
    torch.save({"state_dict": dict(weights), "epoch": 3}, tmp_path / "theirs.pth")
    model = apnet.load_model(tmp_path / "theirs.pth", architecture=name, device="cpu")
    size = model.image_size if "vit" in name else (96, 48)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    doubles = {
        key: each.double() if each.is_floating_point() else each for key, each in weights.items()
    }
    with torch.no_grad():  # in float64, where rounding does not count
        wanted = COMPUTED[name](doubles, images.double())
        found = model.network.double().embed(images.double())
    scale = wanted.abs().max()
    torch.testing.assert_close(found / scale, wanted / scale, rtol=0, atol=1e-5)
    assert model.network.feature_dim == wanted.shape[1]


@pytest.mark.parametrize("change", [{}, {"jigsaw": True, "camera": 3.0}, {"clip": True}])
def test_transformers_are_captured_for_any_number_of_images(change):
    from apnet.model.toolkits.vits import ViTPlan, planned_vit

    class Embedding(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, images):
            return self.network.embed(images)

    network = planned_vit(ViTPlan(width=32, heads=2, **change), (64, 32)).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(
        Embedding(network), (torch.randn(2, 3, 64, 32),), dynamic_shapes=({0: batch},)
    )
    images = torch.randn(5, 3, 64, 32)
    torch.testing.assert_close(program.module()(images), network.embed(images))
