import pytest
import torch
from safetensors.torch import save_file

from apnet.checkpoints import load_checkpoint, save_checkpoint
from apnet.config import NetworkConfig
from apnet.errors import CheckpointError
from apnet.model import build_network

CONFIG = NetworkConfig(
    backbone="resnet10t",
    backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
    reduction=4,
    image_size=(32, 16),
    num_classes=3,
)


@pytest.fixture
def saved(tmp_path):
    network = build_network(CONFIG).eval()
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network, CONFIG, {"epoch": 7})
    return path, network


def test_loading_rebuilds_the_network_from_the_file_alone(saved):
    path, network = saved
    checkpoint = load_checkpoint(path)
    images = torch.randn(2, 3, 32, 16)
    with torch.no_grad():
        assert torch.equal(checkpoint.network.embed(images), network.embed(images))
    assert checkpoint.config == CONFIG
    assert checkpoint.facts == {"epoch": 7}
    assert len(checkpoint.fingerprint) == 16


def test_the_fingerprint_tells_weights_apart(saved, tmp_path):
    path, network = saved
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] += 1
    save_checkpoint(tmp_path / "other.safetensors", network, CONFIG, {})
    other = load_checkpoint(tmp_path / "other.safetensors")
    assert other.fingerprint != load_checkpoint(path).fingerprint


def damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def foreign(path):
    save_file({"x": torch.zeros(1)}, path)


def misfit(path):
    from apnet.checkpoints import read_tensors, write_tensors

    tensors, header = read_tensors(path)
    write_tensors(path, {name: tensors[name] for name in list(tensors)[1:]}, header)


def unknown_setting(path):
    from apnet.checkpoints import read_tensors, write_tensors

    tensors, header = read_tensors(path)
    write_tensors(path, tensors, header | {"network": {"surprise": 1}})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damaged, "damaged, or no safetensors"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: path.write_text("hello"), "damaged"),
        (foreign, "not one that this package wrote"),
        (misfit, "do not fit"),
        (unknown_setting, "unknown setting 'surprise'"),
        (lambda path: path.unlink(), "no such checkpoint"),
    ],
)
def test_wrong_files_get_a_clear_error(saved, spoil, message):
    path, _ = saved
    spoil(path)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    assert path.name in str(caught.value)
