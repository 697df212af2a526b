import re

import pytest
import timm
import torch
import torchvision
from comparing import relative, scramble
from safetensors.torch import save_file

from apnet.errors import ApnetError, CheckpointError, ConfigError
from apnet.model import create_backbone, create_network

SMALL = {"channels": [8, 16, 24, 32]}


def torchvision_features(name):
    """A torchvision network with random weights, and its features as a function of images."""
    if name == "inception_v3":
        model = torchvision.models.inception_v3(weights=None, init_weights=False)
    else:
        model = torchvision.models.get_model(name, weights=None)
    scramble(model).eval()
    seen = {}
    last = {"inception_v3": "Mixed_7c", "resnet18": "layer4", "densenet121": "features"}[name]
    model.get_submodule(last).register_forward_hook(lambda _m, _i, out: seen.update(map=out))

    def features(images):
        model(images)
        return torch.relu(seen["map"])

    return model, features


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "inception_v3"])
def test_torchvision_files_give_torchvisions_features(name, tmp_path):
    model, features = torchvision_features(name)
    path = tmp_path / f"{name}.pth"
    torch.save(model.state_dict(), path)
    images = torch.randn(2, 3, 160, 96)
    backbone = create_backbone(name, weights=str(path), last_stride=2)
    assert relative(backbone.body.eval()(images), features(images)) < 1e-5


def test_files_of_old_torchvision_releases_are_understood(tmp_path):
    model, features = torchvision_features("densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(old, tmp_path / "old.pth")
    backbone = create_backbone("densenet121", weights=str(tmp_path / "old.pth"), last_stride=2)
    images = torch.randn(1, 3, 64, 32)
    assert relative(backbone.body.eval()(images), features(images)) < 1e-5


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_timm_files_are_loaded_without_their_classifier(wrapper, tmp_path):
    model = timm.create_model("resnet18", num_classes=10, **SMALL)
    path = tmp_path / ("weights.pth" if wrapper else "weights.safetensors")
    if wrapper:
        torch.save({wrapper: model.state_dict(), "epoch": 3}, path)
    else:
        save_file(model.state_dict(), path)
    network = create_network("apnet-c2", str(path), backbone="resnet18", backbone_options=SMALL)
    mine = network.trunk.layer3.body.state_dict()
    for name, tensor in model.layer3.state_dict().items():
        assert torch.equal(mine[name], tensor)


def test_whole_models_load_files_too(tmp_path):
    name = "mobilenetv4_conv_small"
    model = scramble(timm.create_model(name, num_classes=4)).eval()
    save_file(model.state_dict(), tmp_path / "mobile.safetensors")
    backbone = create_backbone(
        name, weights=str(tmp_path / "mobile.safetensors"), image_size=(64, 32)
    )
    images = torch.randn(1, 3, 64, 32)
    assert relative(backbone.body.eval()(images), model.forward_features(images)) < 1e-5


def refused(path, match):
    with pytest.raises(CheckpointError, match=match) as caught:
        create_backbone("resnet18", SMALL, weights=str(path))
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named():
    refused("imagent", 'no such weights file.*"imagenet"')


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_damaged_files_are_refused(name, damage, tmp_path):
    path = tmp_path / name
    state = timm.create_model("resnet18", num_classes=0, **SMALL).state_dict()
    if name.endswith("pth"):
        torch.save(state, path)
    else:
        save_file(state, path)
    content = {"empty": b"", "cut": path.read_bytes()[:5000], "text": b"<html>Not found</html>"}
    path.write_bytes(content[damage])
    refused(path, "damaged, or no weights file")


def test_files_of_another_network_are_refused_with_the_names(tmp_path):
    state = timm.create_model("resnet18", num_classes=0, **SMALL).state_dict()
    path = tmp_path / "weights.pth"
    torch.save(timm.create_model("resnet26", num_classes=0, **SMALL).state_dict(), path)
    refused(path, r"unknown \(layer1.0.conv3.weight.*of another shape")
    missing = {name: tensor for name, tensor in state.items() if name != "layer2.0.bn1.weight"}
    torch.save(missing, path)
    refused(path, r"1 missing \(layer2.0.bn1.weight\)")
    torch.save({**state, "layer9.weight": torch.zeros(1)}, path)
    refused(path, r"1 unknown \(layer9.weight\)")
    torch.save({**state, "bn1.weight": torch.zeros(3)}, path)
    refused(path, r"bn1.weight \(3,\) instead of \(64,\)")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, torch.zeros(3)])
def test_files_without_a_state_dict_are_refused(content, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    refused(path, "no mapping of names to tensors")


def test_a_file_with_code_in_it_is_refused_and_not_run(tmp_path):
    path = tmp_path / "weights.pth"
    marker = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (type(marker).touch, (marker,))

    torch.save({"bn1.weight": Trap()}, path)
    refused(path, "damaged, or no weights file")
    assert not marker.exists()


def test_imagenet_weights_of_the_papers_backbones_are_torchvisions_original_ones(monkeypatch):
    asked = []

    def create(name, pretrained, num_classes, **options):
        asked.append((name, pretrained))
        raise OSError("no route to host")

    monkeypatch.setattr("apnet.model.backbone.timm.create_model", create)
    for name in ("resnet50", "densenet169", "resnet50.a1_in1k"):
        with pytest.raises(ApnetError, match=r"no route to host.*path as weights"):
            create_backbone(name, weights="imagenet")
    assert asked == [
        ("resnet50.tv_in1k", True),
        ("densenet169.tv_in1k", True),
        ("resnet50.a1_in1k", True),
    ]


def test_a_model_without_pretrained_weights_is_refused():
    untrained = next(
        name
        for name in timm.list_models("resnet*")
        if not timm.get_pretrained_cfg(name).has_weights
    )
    with pytest.raises(ConfigError, match=f"no pretrained weights of '{untrained}'"):
        create_backbone(untrained, weights="imagenet")
