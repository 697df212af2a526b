import pytest

from apnet.config import LossConfig, OptimiserConfig, Sampling, ScheduleConfig
from apnet.errors import ConfigError
from apnet.training import Moment, learning_rate, load_recipe, recipe_names

INITIAL = OptimiserConfig().learning_rate


def test_the_paper_divides_by_ten_every_forty_epochs():
    config = ScheduleConfig(warmup_epochs=0)
    rates = [learning_rate(Moment(epoch, 160), INITIAL, config) for epoch in range(160)]
    expected = [4e-4] * 40 + [4e-5] * 40 + [4e-6] * 40 + [4e-7] * 40
    assert rates == pytest.approx(expected)


def test_warm_up_rises_linearly():
    rates = [learning_rate(Moment(epoch, 160), INITIAL, ScheduleConfig()) for epoch in range(12)]
    assert rates[0] == pytest.approx(4e-6)
    assert rates[5] == pytest.approx(4e-4 * (0.01 + 0.99 * 0.5))
    assert rates[10] == rates[11] == pytest.approx(4e-4)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_parses_and_opens_with_its_command(name):
    from importlib import resources

    recipe = load_recipe(name)
    text = (resources.files("apnet") / "recipes" / f"{name}.toml").read_text()
    assert "#   apnet " in text.split("preset")[0]
    assert recipe.epochs > 0


def test_the_paper_recipe_is_the_papers():
    recipe = load_recipe("paper-c")
    assert recipe.network.parts == (1, 2)
    assert recipe.network.image_size == (384, 192)
    assert recipe.epochs == 160
    assert recipe.loss == (
        LossConfig("cross-entropy", 1.0, {"label_smoothing": 0.1}),
        LossConfig("triplet", 1.0, {"margin": 0.3}),
    )
    assert recipe.optimiser == OptimiserConfig()
    assert recipe.schedule == ScheduleConfig()
    assert recipe.sampling == Sampling(identities_per_batch=20, images_per_identity=4)


def test_overrides_and_presets():
    recipe = load_recipe("paper-c", ["preset=apnet-s3", "optimiser.learning_rate=1e-4"])
    assert recipe.network.attention == "spatial"
    assert recipe.network.parts == (1, 2, 4)
    assert recipe.optimiser.learning_rate == 1e-4


def test_settings_by_their_names_of_version_0_1():
    old = ["optimisation.rate=1e-4", "released_extras.warmup_epochs=3", "sampling.persons=8"]
    new = [
        "optimiser.learning_rate=1e-4",
        "schedule.warmup_epochs=3",
        "sampling.identities_per_batch=8",
    ]
    with pytest.warns(UserWarning, match="sampling.persons is sampling.identities_per_batch"):
        translated = load_recipe("paper-c", old)
    assert translated == load_recipe("paper-c", new) != load_recipe("paper-c")


@pytest.mark.parametrize(
    ("name", "assignments", "message"),
    [
        ("paper-d", [], "did you mean 'paper-"),
        ("nothing", [], "there are: demo"),
        ("no.toml", [], "no such file"),
        ("paper-c", ["preset=apnet-c9"], "no preset is called 'apnet-c9'; did you mean"),
        ("paper-c", ["optimiser.learning_rat=1"], "did you mean 'learning_rate'"),
        ("paper-c", ["network.attention=chanel"], "'chanel'; did you mean 'channel'"),
        (
            "paper-c",
            ["network.attention=both"],
            "no attention is called 'both'; there are: channel, spatial",
        ),
    ],
)
def test_bad_recipes(name, assignments, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(name, assignments)
