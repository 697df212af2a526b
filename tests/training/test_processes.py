"""Two gloo processes on CPU train as one does at the same global batch."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch

from apnet.training import RunFolder, train

SCRIPT = textwrap.dedent("""
    import json, sys
    import torch
    from pathlib import Path
    from apnet.training import RunFolder, train
    from apnet.types import ImageRecord, ReidDataset

    torch.set_num_threads(1)
    records = tuple(
        ImageRecord(Path(path), pid, camid) for path, pid, camid in json.loads(sys.argv[2])
    )
    run = RunFolder(Path(sys.argv[1]))
    dataset = ReidDataset("tiny", Path("."), records, (), ())
    train(run.recipe(), dataset, run, device=torch.device("cpu"))
""")


@pytest.mark.parametrize("recipe_name", ["tiny_recipe", "spatial_recipe"])
def test_two_processes_give_the_loss_curve_of_one(tmp_path, request, tiny_set, recipe_name):
    recipe = request.getfixturevalue(recipe_name)
    one, two = RunFolder(tmp_path / "one"), RunFolder(tmp_path / "two")
    for run in (one, two):
        run.begin(recipe, {"name": "tiny", "root": "."})
    train(recipe, tiny_set, one, device=torch.device("cpu"))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    records = [(str(each.path), each.pid, each.camid) for each in tiny_set.train]
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"),
            *("--master-addr=127.0.0.1", "--master-port=0", "--rdzv-backend=c10d"),
            *("--rdzv-endpoint=127.0.0.1:0", str(script), str(two.root), json.dumps(records)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    for a, b in zip(one.read_history(), two.read_history(), strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=2e-3)
        assert b["triplet"] == pytest.approx(a["triplet"], rel=2e-2, abs=2e-3)
