import pytest

from apnet.config import Optimisation, ReleasedExtras
from apnet.errors import ConfigError
from apnet.training import learning_rate, load_recipe, recipe_names

NO_EXTRAS = ReleasedExtras(warmup_epochs=0, weight_decay=0)


def test_the_paper_divides_by_ten_every_forty_epochs():
    rates = [learning_rate(epoch, Optimisation(), NO_EXTRAS) for epoch in range(160)]
    expected = [4e-4] * 40 + [4e-5] * 40 + [4e-6] * 40 + [4e-7] * 40
    assert rates == pytest.approx(expected)


def test_warm_up_rises_linearly():
    rates = [learning_rate(epoch, Optimisation(), ReleasedExtras()) for epoch in range(12)]
    assert rates[0] == pytest.approx(4e-6)
    assert rates[5] == pytest.approx(4e-4 * (0.01 + 0.99 * 0.5))
    assert rates[10] == rates[11] == pytest.approx(4e-4)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_parses_and_opens_with_its_command(name):
    from importlib import resources

    recipe = load_recipe(name)
    text = (resources.files("apnet") / "recipes" / f"{name}.toml").read_text()
    assert "#   apnet " in text.split("preset")[0]
    assert recipe.optimisation.epochs > 0


def test_the_paper_recipe_is_the_papers():
    recipe = load_recipe("paper-c")
    assert recipe.network.parts == (1, 2)
    assert recipe.network.image_size == (384, 192)
    assert recipe.optimisation == Optimisation()
    assert (recipe.sampling.persons, recipe.sampling.images) == (20, 4)


def test_overrides_and_presets():
    recipe = load_recipe("paper-c", ["preset=apnet-s3", "optimisation.rate=1e-4"])
    assert recipe.network.attention == "spatial"
    assert recipe.network.parts == (1, 2, 4)
    assert recipe.optimisation.rate == 1e-4


@pytest.mark.parametrize(
    ("name", "assignments", "message"),
    [
        ("paper-d", [], "did you mean 'paper-"),
        ("nothing", [], "there are: demo"),
        ("no.toml", [], "no such file"),
        ("paper-c", ["preset=apnet-c9"], "no preset 'apnet-c9'; did you mean"),
        ("paper-c", ["optimisation.rat=1"], "did you mean 'rate'"),
    ],
)
def test_bad_recipes(name, assignments, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(name, assignments)
