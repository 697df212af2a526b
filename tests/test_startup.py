"""What the command line loads; how long that takes is measured by benchmarks/startup.py."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

CODE = """
import json, sys
from apnet.cli import main
sys.argv = ["apnet", *{arguments!r}]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*arguments):
    """The modules that a command has loaded when it ends."""
    code = CODE.format(arguments=[str(each) for each in arguments])
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", [["--help"], ["presets"], ["data", "list"]])
def test_commands_without_a_network_load_no_torch(command):
    assert not loaded(*command) & {"torch", "timm", "scipy", "matplotlib", "PIL.Image", "filelock"}


def test_scoring_loads_no_torch(tmp_path):
    features = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    for name, camera in (("query", 0), ("gallery", 1)):
        np.savez(
            tmp_path / f"{name}.npz",
            features=features,
            pids=np.arange(6),
            camids=np.full(6, camera),
        )
    modules = loaded("score", tmp_path / "query.npz", tmp_path / "gallery.npz")
    assert "apnet.retrieval.ranking.evaluate" in modules
    assert not modules & {"torch", "timm", "scipy", "matplotlib", "h5py"}


def test_embedding_with_the_shipped_network_loads_torch_alone(tmp_path):
    Image.new("RGB", (64, 128), (120, 90, 60)).save(tmp_path / "person.png")
    modules = loaded("embed", tmp_path / "person.png", "--out", tmp_path / "person.npz")
    assert (tmp_path / "person.npz").is_file()
    assert "torch" in modules
    assert not modules & {
        *("timm", "torchvision", "scipy", "matplotlib", "onnx", "onnxruntime", "openvino"),
        *("torch._dynamo", "torch._inductor", "torch.onnx", "torch.utils.flop_counter"),
    }


def test_the_names_of_networks_load_no_torch():
    code = "import sys, apnet; apnet.PRESETS['apnet-c2']; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
