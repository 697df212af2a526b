"""Two gloo processes on CPU train as one does at the same global batch."""

import json
import subprocess
import sys
import textwrap

import pytest

from apnet.config import to_dict
from apnet.training import RunFolder, train

SCRIPT = textwrap.dedent("""
    import json, sys
    import torch
    from pathlib import Path
    from apnet.config import Recipe, parse
    from apnet.training import train
    from apnet.training.processes import joined
    from apnet.types import ImageRecord, ReidDataset

    torch.set_num_threads(1)
    folder, recipe, records, *names = sys.argv[1:]
    records = tuple(
        ImageRecord(Path(path), pid, camid) for path, pid, camid in json.loads(records)
    )
    recipe = parse(Recipe, json.loads(recipe), "tiny")
    dataset, device = ReidDataset("tiny", Path("."), records, (), ()), torch.device("cpu")
    with joined(device) as (processes, _):
        for name in names:  # several trainings in one group
            train(recipe, dataset, Path(folder, name), device=device)
        assert processes.world == torch.distributed.get_world_size() == 2
""")


@pytest.mark.parametrize("recipe_name", ["tiny_recipe", "spatial_recipe"])
def test_two_processes_give_the_loss_curve_of_one(tmp_path, request, tiny_set, recipe_name):
    recipe = request.getfixturevalue(recipe_name)
    one, *pair = (RunFolder(tmp_path / name) for name in ("one", "two", "again"))
    train(recipe, tiny_set, one.root, device="cpu", evaluate=False)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    records = [(str(each.path), each.pid, each.camid) for each in tiny_set.train]
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"),
            *("--master-addr=127.0.0.1", "--master-port=0", "--rdzv-backend=c10d"),
            *("--rdzv-endpoint=127.0.0.1:0", str(script), str(tmp_path)),
            *(json.dumps(to_dict(recipe)), json.dumps(records), "two", "again"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    for run in pair:
        for a, b in zip(one.read_history(), run.read_history(), strict=True):
            assert b["loss"] == pytest.approx(a["loss"], rel=2e-3)
            assert b["triplet"] == pytest.approx(a["triplet"], rel=2e-2, abs=2e-3)
