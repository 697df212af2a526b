import json

import pytest
from report_parts import make_system

from apnet.errors import DataError
from apnet.report import SystemResult, write_metrics


def test_figures_stand_under_stable_keys(tmp_path):
    system = make_system()
    untimed = SystemResult("histogram", "colours", "", system.evaluation)
    write_metrics(tmp_path / "metrics.json", [system, untimed], [("seed", "3")])
    read = json.loads((tmp_path / "metrics.json").read_text())
    assert list(read) == ["systems", "facts"]
    assert read["facts"] == {"seed": "3"}
    assert list(read["systems"]) == ["pyramid", "histogram"]
    figures = read["systems"]["pyramid"]
    assert figures == {
        **system.evaluation.to_dict(),
        "name": "APNet-C2",
        "seconds": 75.0,
    }
    assert read["systems"]["histogram"]["seconds"] is None


@pytest.mark.parametrize(
    ("systems", "facts", "name"),
    [(["a", "a"], [], "'a'"), (["a"], [("seed", "1"), ("seed", "2")], "'seed'")],
)
def test_a_repeated_name_is_refused(tmp_path, systems, facts, name):
    with pytest.raises(DataError, match=name):
        write_metrics(tmp_path / "m.json", [make_system(key) for key in systems], facts)
    assert not list(tmp_path.iterdir())
