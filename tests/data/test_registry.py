import subprocess
import sys
from pathlib import Path

import pytest

import apnet.data
from apnet.data import DATASETS, PUBLISHED, load_dataset, load_source, parse_source
from apnet.errors import ConfigError, DataError


def test_source():
    assert parse_source("market1501=a/b=c") == ("market1501", Path("a/b=c"))
    assert parse_source("folder=~/people")[1] == Path.home() / "people"


@pytest.mark.parametrize("text", ["market1501", "market1501=", "=dir", ""])
def test_a_source_of_another_form(text):
    with pytest.raises(ConfigError, match="NAME=DIR"):
        parse_source(text)


@pytest.mark.parametrize(
    ("name", "says"), [("market1502", "did you mean market1501"), ("zebra", "known are market1501")]
)
def test_unknown_names(name, says):
    with pytest.raises(ConfigError, match=says):
        parse_source(f"{name}=x")
    with pytest.raises(ConfigError, match=says):
        load_dataset(name, Path("x"))


@pytest.mark.parametrize("name", DATASETS)
def test_every_loader_refuses_what_is_not_there(tmp_path, name):
    with pytest.raises(DataError, match="nowhere"):
        load_source(f"{name}={tmp_path / 'nowhere'}")
    with pytest.raises(DataError, match="expected"):
        load_dataset(name, tmp_path)


def test_published_sets_are_known():
    assert set(PUBLISHED) < set(DATASETS)


def test_every_public_name_is_there():
    for name in apnet.data.__all__:
        assert getattr(apnet.data, name) is not None, name
    assert set(apnet.data._PLACES) == set(apnet.data.__all__) == set(dir(apnet.data))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = apnet.data.nonsense


def test_loading_a_data_set_needs_no_torch():
    code = "from apnet.data import load_dataset; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
