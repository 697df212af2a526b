"""Rendered sets are called synthetic, whatever name they are loaded under."""

import dataclasses
import shutil

import pytest

from apnet.data import DATASETS, check_dataset, format_check, load_dataset
from apnet.data.synthetic_sets import MARKER
from apnet.errors import DataError
from apnet.synthetic import make_people
from apnet.training.changes import check_unchanged, describe


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    make_people(root, ids=4, images_per_id=4, seed=0, size=(32, 16), workers=0)
    return root


@pytest.mark.parametrize("name", ["market1501", "synthetic"])
def test_a_rendered_set_is_not_called_as_its_layout(rendered, name):
    dataset = load_dataset(name, rendered)
    assert dataset.name == "synthetic"
    assert dataset.name in DATASETS
    assert "rendered by apnet data make" in dataset.notes[0]
    assert not any("published" in note for note in dataset.notes)


def test_the_check_shows_no_published_counts(rendered):
    check = check_dataset("market1501", rendered)
    text = format_check(check)
    assert check.name == "synthetic"
    assert check.published == {}
    assert "published" not in text
    assert "synthetic people" in text


@pytest.mark.parametrize("marker", [None, "{}", "[1]", "{", '{"name": "", "version": "one"}'])
def test_any_other_folder_keeps_its_name(rendered, tmp_path, marker):
    copy = tmp_path / "copy"
    shutil.copytree(rendered, copy)
    (copy / MARKER).unlink()
    if marker is not None:
        (copy / MARKER).write_text(marker)
    dataset = load_dataset("market1501", copy)
    assert dataset.name == "market1501"
    assert any("published" in note for note in dataset.notes)
    with pytest.raises(DataError, match="load it as market1501"):
        load_dataset("synthetic", copy)


def test_a_run_noted_under_the_layout_goes_on(rendered):
    dataset = load_dataset("market1501", rendered)
    before = describe([dataclasses.replace(dataset, name="market1501")])
    check_unchanged(before, [dataset])


@pytest.mark.parametrize("name", ["personx", "folder"])
def test_a_run_on_another_set_does_not(rendered, name):
    dataset = load_dataset("market1501", rendered)
    with pytest.raises(DataError, match=f"begun on {name}"):
        check_unchanged(describe([dataclasses.replace(dataset, name=name)]), [dataset])
