"""Experiments as data: what is planned for whom, and what is refused."""

import dataclasses

import pytest

from apnet.errors import ConfigError
from apnet.model import build_network
from apnet.reproduction import COST, EXPERIMENTS, NAMES, make_plan
from apnet.reproduction.catalogue import tables_that_use
from apnet.reproduction.scales import recipe_of

TRAINED = [name for name in NAMES if name != COST]


def test_every_experiment_is_there():
    assert set(TRAINED) == set(EXPERIMENTS)


@pytest.mark.parametrize("name", TRAINED)
def test_the_papers_figures_belong_to_rows_and_columns(name):
    experiment = EXPERIMENTS[name]
    rows = {system.key for system in experiment.systems}
    columns = {trial.key for trial in experiment.trials}
    assert set(experiment.paper) <= columns
    for by_system in experiment.paper.values():
        assert set(by_system) <= rows
        for figures in by_system.values():
            assert len(figures) == len(experiment.figures)
            known = [each for each in figures if each is not None]
            assert known == sorted(known), "mAP <= rank-1 <= rank-5 <= rank-10"
            assert all(1 < each < 100 for each in known)


@pytest.mark.parametrize("name", TRAINED)
def test_rows_are_compared_with_rows(name):
    systems = EXPERIMENTS[name].systems
    keys = [system.key for system in systems]
    assert len(set(keys)) == len(keys)
    assert {system.against for system in systems} - {None} <= set(keys)


def test_figures_that_the_text_prints_otherwise():
    assert EXPERIMENTS["table5"].paper["market1501"]["resnet101-c2"][1] == 96.4
    assert EXPERIMENTS["table6"].paper["occluded-duke"]["apnet-c2"][0] == 54.1


def test_the_papers_recipe_at_full_scale(tmp_path):
    plan = make_plan("table2", "full", 1, [f"market1501={tmp_path}"])
    recipes = {run.name: run.recipe for run in plan.runs}
    spatial = recipes["market1501-apnet-s3-seed0"]
    assert spatial.network.image_size == (256, 128)
    assert spatial.network.parts == (1, 2, 4)
    channel = recipes["market1501-apnet-c2-seed0"]
    assert channel.network.image_size == (384, 192)
    assert (channel.epochs, channel.optimiser.learning_rate) == (160, 4e-4)
    assert channel.sampling.identities_per_batch == 20
    assert channel.sampling.images_per_identity == 4
    assert {recipe.weights for recipe in recipes.values()} == {"imagenet"}
    assert len(recipes) == 11


def test_missing_sets_are_named_with_their_tables(tmp_path):
    plan = make_plan("table2", "full", 1, [f"market1501={tmp_path}"])
    assert [trial.key for trial in plan.experiment.trials] == ["market1501"]
    assert len(plan.notes) == 2
    assert "dukemtmcreid" in plan.notes[0]
    assert "table2, table4, table7" in plan.notes[0]
    with pytest.raises(ConfigError, match=r"market1501=DIR.*--scale small"):
        make_plan("fig5", "full", 1, [])
    with pytest.raises(ConfigError, match="dukemtmcreid"):
        make_plan("table7", "full", 1, [f"market1501={tmp_path}"])


def test_data_that_cannot_be_used(tmp_path):
    with pytest.raises(ConfigError, match="occluded-duke; leave it out"):
        make_plan("table6", "small", 1, [f"market1501={tmp_path}"])
    twice = [f"market1501={tmp_path}", "market1501=elsewhere"]
    with pytest.raises(ConfigError, match="given twice"):
        make_plan("fig5", "small", 1, twice)
    with pytest.raises(ConfigError, match="no data set is called"):
        make_plan("fig5", "small", 1, ["marked1501=x"])
    with pytest.raises(ConfigError, match="--seeds 0"):
        make_plan("fig5", "small", 0, [])


def test_a_users_set_replaces_the_synthetic_one(tmp_path):
    plan = make_plan("fig5", "smoke", 1, [f"market1501={tmp_path}"])
    assert plan.sources["market1501"].facts() == {"name": "market1501", "root": str(tmp_path)}


def test_seeds_come_one_after_another():
    plan = make_plan("table7", "small", 3, [])
    seeds = [run.recipe.seed for run in plan.runs]
    assert seeds == sorted(seeds)
    assert seeds.count(0) == 8


def test_one_training_serves_all_its_tests():
    plan = make_plan("table7", "small", 1, [])
    assert {(run.train, run.tests) for run in plan.runs} == {
        ("market1501", ("dukemtmcreid",)),
        ("dukemtmcreid", ("market1501",)),
    }


def test_equal_recipes_are_run_once():
    plan = make_plan("table2", "small", 1, [])
    by_key = {system.key: system for system in plan.experiment.systems}
    trial = plan.experiment.trials[0]
    assert plan.run_of(by_key["apnet-c0"], trial, 0) is plan.run_of(by_key["apnet-s0"], trial, 0)
    assert plan.run_of(by_key["apnet-c1"], trial, 0) != plan.run_of(by_key["apnet-c2"], trial, 0)
    assert len(plan.runs) == 30


def test_two_branches_on_cuhk03_only():
    plan = make_plan("table4", "small", 1, [])
    for run in plan.runs:
        assert run.recipe.network.multipart == run.train.startswith("cuhk03")


def test_settings_do_not_depend_on_the_number_of_seeds():
    one, two = (make_plan("fig5", "small", seeds, []).settings() for seeds in (1, 2))
    assert one == two
    assert one != make_plan("fig5", "smoke", 1, []).settings()


def test_who_needs_occluded_duke():
    assert tables_that_use("occluded-duke") == ("table6",)


@pytest.mark.parametrize("scale", ["small", "smoke"])
@pytest.mark.parametrize("name", TRAINED)
def test_smaller_networks_can_be_built(name, scale):
    experiment = EXPERIMENTS[name]
    for system in experiment.systems:
        recipe = recipe_of(experiment, system, experiment.trials[-1].train, scale, 0)
        if recipe.network.backbone != "inception_v3":  # has one width only: built at smoke scale
            build_network(dataclasses.replace(recipe.network, num_classes=4))


def test_smaller_backbones_stay_apart():
    experiment = EXPERIMENTS["table5"]
    backbones = {
        recipe_of(experiment, system, "market1501", "small", 0).network.backbone
        for system in experiment.systems
    }
    assert backbones == {"resnet50", "resnet101", "densenet169", "inception_v3"}
