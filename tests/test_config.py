import pytest

from apnet.config import RENAMED, NetworkConfig, Recipe, override, parse, read_toml, to_dict
from apnet.errors import ConfigError


def test_a_recipe_survives_the_round_trip():
    recipe = parse(Recipe, {"network": {"parts": [1, 2, 4]}, "seed": 3}, "here")
    assert parse(Recipe, to_dict(recipe), "there") == recipe
    assert recipe.network.parts == (1, 2, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"network": {"part": [1]}}, "unknown setting 'network.part'; did you mean 'parts'"),
        ({"seeds": 1}, "did you mean 'seed'"),
        ({"zzz": 1}, "valid here: network"),
        (
            {"optimiser": {"learning_rate": -1}},
            "'optimiser.learning_rate'.*greater than 0, got -1",
        ),
        ({"optimiser": {"learning_rate": float("nan")}}, "optimiser.learning_rate"),
        ({"network": {"parts": [0]}}, "network.parts"),
        ({"network": {"attention": 3}}, "network.attention"),
        ({"network": {"image_size": [8, 8]}}, "image_size"),
    ],
)
def test_errors_name_the_setting(values, message):
    with pytest.raises(ConfigError, match=message):
        parse(Recipe, values, "my.toml")


def test_overrides_reach_nested_settings():
    values = override({"network": {"parts": [1]}}, ["network.parts=[1, 2]", "weights=random"])
    assert values == {"network": {"parts": [1, 2]}, "weights": "random"}


@pytest.mark.parametrize("assignment", ["seed", "=1", "seed.x=1"])
def test_bad_overrides(assignment):
    with pytest.raises(ConfigError, match="--set"):
        override({"seed": 1}, [assignment])


def test_unreadable_toml(tmp_path):
    path = tmp_path / "a.toml"
    with pytest.raises(ConfigError, match="no such file"):
        read_toml(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"not readable as TOML|no UTF-8"):
        read_toml(path)
    path.write_text("a = = 1")
    with pytest.raises(ConfigError, match=r"a\.toml"):
        read_toml(path)


def test_the_paper_is_the_default():
    recipe = Recipe()
    assert recipe.network == NetworkConfig(attention="channel", parts=(1, 2), image_size=(384, 192))
    assert recipe.sampling.identities_per_batch == 20
    assert recipe.sampling.images_per_identity == 4
    assert recipe.optimiser.learning_rate == 4e-4
    assert recipe.epochs == 160


def test_settings_of_version_0_1_are_read_under_their_present_names():
    old = {
        "optimisation": {
            "epochs": 7,
            "rate": 0.1,
            "decay_every": 3,
            "decay_factor": 0.5,
            "label_smoothing": 0.2,
            "triplet_margin": 0.4,
            "triplet_weight": 2.0,
        },
        "released_extras": {"warmup_epochs": 1, "warmup_factor": 0.2, "weight_decay": 0.3},
        "sampling": {"persons": 8, "images": 2},
    }
    new = {
        "epochs": 7,
        "loss": [
            {"name": "cross-entropy", "label_smoothing": 0.2},
            {"name": "triplet", "weight": 2.0, "margin": 0.4},
        ],
        "optimiser": {"learning_rate": 0.1, "weight_decay": 0.3},
        "schedule": {
            "decay_every": 3,
            "decay_factor": 0.5,
            "warmup_epochs": 1,
            "warmup_factor": 0.2,
        },
        "sampling": {"identities_per_batch": 8, "images_per_identity": 2},
    }
    with pytest.warns(UserWarning, match="settings of version 0.1 were translated"):
        translated = parse(Recipe, old, "old")
    assert translated == parse(Recipe, new, "new") != Recipe()
    assert sum(len(section) for section in old.values()) == len(RENAMED)
