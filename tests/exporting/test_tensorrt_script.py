"""The script calls trtexec with the file beside it and the shapes of its input."""

import os
import subprocess

import pytest
from tiny_exports import ONNX

import apnet
from apnet.exporting import export
from apnet.exporting.plan import GraphPlan
from apnet.exporting.targets.tensorrt import build_script

STAND_IN = '#!/bin/sh\npwd\nfor each in "$@"; do echo "$each"; done\n'


def called(script, folder):
    """What the script hands to a stand-in for trtexec, which no CPU has, and from where."""
    program = folder / "bin" / "trtexec"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [script, "--verbose"], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    place, *arguments = ran.stdout.splitlines()
    return place, arguments


@ONNX
@pytest.mark.slow
def test_the_script_beside_its_network(checkpoint, people, tmp_path):
    out = tmp_path / "a place" / "F.sh"
    done = export(checkpoint, "tensorrt-script", out, images=people)
    assert sorted(path.name for path in out.parent.iterdir()) == ["F.onnx", "F.sh"]
    file = apnet.load_model(out.with_suffix(".onnx"))
    assert file.fingerprint == done.metadata.fingerprint
    assert file.checkpoint.metadata.pixels == "unit"
    place, arguments = called(out, tmp_path)
    assert place == str(out.parent)
    assert arguments[:2] == ["--onnx=F.onnx", "--saveEngine=F.engine"]


def test_the_arguments(tmp_path):
    script = tmp_path / "it's a name.sh"
    script.write_text(
        build_script(script.stem, GraphPlan("unit", (128, 64), (128, 64), True, "float16"))
    )
    script.chmod(0o755)
    place, arguments = called(script, tmp_path)
    assert place == str(tmp_path)
    assert arguments == [
        "--onnx=it's a name.onnx",
        "--saveEngine=it's a name.engine",
        "--minShapes=images:1x3x128x64",
        "--optShapes=images:16x3x128x64",
        "--maxShapes=images:64x3x128x64",
        "--fp16",
        "--verbose",
    ]
    whole = build_script("F", GraphPlan("uint8", (128, 64), (128, 64), True, "float32"))
    assert "--maxShapes=images:64x128x64x3" in whole
    assert "--fp16" not in whole
