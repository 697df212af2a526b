import pytest

from apnet.config import NetworkConfig, Recipe, override, parse, read_toml, to_dict
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
        ({"optimisation": {"rate": -1}}, "'optimisation.rate'.*greater than 0, got -1"),
        ({"optimisation": {"rate": float("nan")}}, "optimisation.rate"),
        ({"network": {"parts": [0]}}, "network.parts"),
        ({"network": {"attention": "both"}}, "network.attention"),
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
    with pytest.raises(ConfigError, match="not readable as TOML"):
        read_toml(path)
    path.write_text("a = = 1")
    with pytest.raises(ConfigError, match=r"a\.toml"):
        read_toml(path)


def test_the_paper_is_the_default():
    recipe = Recipe()
    assert recipe.network == NetworkConfig(attention="channel", parts=(1, 2), image_size=(384, 192))
    assert (recipe.sampling.persons, recipe.sampling.images) == (20, 4)
    assert recipe.optimisation.rate == 4e-4
    assert recipe.optimisation.epochs == 160
