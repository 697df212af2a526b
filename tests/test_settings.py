"""Settings of a recipe, as the command line and Python give them."""

import numpy as np
import pytest
from PIL import Image

import apnet
from apnet.config import override, renamed
from apnet.errors import ConfigError
from apnet.training import RunFolder, load_recipe
from apnet.training.recipes import as_assignments


def terms(*assignments):
    recipe = load_recipe("paper-c", list(assignments))
    return [(term.name, term.weight, dict(term.options)) for term in recipe.loss]


def test_losses_by_name():
    assert terms("loss=cross-entropy, circle") == [("cross-entropy", 1, {}), ("circle", 1, {})]
    assert terms('loss=["triplet"]') == [("triplet", 1, {})]
    assert terms('loss=[{name = "triplet", weight = 2, margin = 0.1}]') == [
        ("triplet", 2, {"margin": 0.1})
    ]


def test_settings_of_a_loss_term():
    found = {name: (weight, options) for name, weight, options in terms("loss.triplet.weight=0.5")}
    assert found["triplet"][0] == 0.5
    assert found["cross-entropy"][0] == 1
    (circle,) = terms("loss=circle", "loss.circle.margin=0.4", "loss.circle.weight=2")
    assert circle == ("circle", 2, {"margin": 0.4})


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        (
            "loss.circle.weight=1",
            "'loss.circle.weight': there is no such loss term; .* are: cross-",
        ),
        ("loss.weight=1", "there is no such loss term; write loss.TERM.weight"),
        ("loss=cross-entropi", "no loss 'cross-entropi'; did you mean 'cross-entropy'"),
        ("loss.triplet.margn=1", "loss 'triplet' has no option 'margn'; did you mean 'margin'"),
        ("loss.triplet.weight=-1", "greater than or equal to 0, got -1"),
        ("loss=[]", "no loss has a weight above 0"),
        ("loss=triplet, triplet", "two loss terms have the name 'triplet'"),
        ("loss=3", "loss"),
        ("sampling.images_per_identity=one", "sampling.images_per_identity"),
        ("optimiser.ema=1", "optimiser.ema"),
        ("optimizer.name=adam", "unknown setting 'optimizer'; did you mean 'optimiser'"),
    ],
)
def test_what_is_refused(assignment, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe("paper-c", [assignment])


def test_a_setting_that_is_given_twice():
    with pytest.raises(ConfigError, match="'seed' is set twice; leave one out"):
        load_recipe("paper-c", ["seed=1", "epochs=2", "seed = 3"])


def test_losses_that_the_sampling_does_not_serve():
    with pytest.raises(
        ConfigError, match=r"loss 'circle' needs sampling\.images_per_identity of at least 2, not 1"
    ):
        load_recipe("paper-c", ["loss=circle", "sampling.images_per_identity=1"])


def test_a_mapping_says_the_same_as_assignments():
    settings = {
        "network.parts": (1, 2, 4),
        "network.backbone_options": {"channels": [8, 8], "act": True},
        "optimiser.decay_norms": False,
        "optimiser.freeze": ["layer1", "stem"],
        "optimiser.learning_rate": 1e-5,
        "weights": 'a "quoted\\path"',
        "epochs": 7,
        "loss": ["cross-entropy", {"name": "circle", "weight": 0.5}],
    }
    recipe = load_recipe("paper-c", settings)
    assert recipe.network.parts == (1, 2, 4)
    assert recipe.network.backbone_options == {"channels": [8, 8], "act": True}
    assert recipe.optimiser.decay_norms is False
    assert recipe.optimiser.freeze == ("layer1", "stem")
    assert recipe.optimiser.learning_rate == 1e-5
    assert recipe.weights == 'a "quoted\\path"'
    assert recipe.epochs == 7
    assert [(term.name, term.weight) for term in recipe.loss] == [
        ("cross-entropy", 1),
        ("circle", 0.5),
    ]
    assert load_recipe("paper-c", as_assignments(settings)) == recipe


def test_a_section_changes_what_it_names():
    flat = load_recipe("demo", {"optimiser.name": "sgd", "optimiser.momentum": 0.5})
    nested = {"optimiser": {"name": "sgd", "momentum": 0.5}}
    assert load_recipe("demo", nested) == flat
    assert load_recipe("demo", ['optimiser={name = "sgd", momentum = 0.5}']) == flat
    assert flat.optimiser.learning_rate == load_recipe("demo").optimiser.learning_rate
    with pytest.raises(ConfigError, match="optimiser 'adam' has no such setting"):
        load_recipe("demo", {"optimiser": {"momentum": 0.5}})
    with pytest.raises(ConfigError, match=r"'optimiser\.name' is set twice"):
        load_recipe("demo", {"optimiser.name": "adam", **nested})


def test_no_settings():
    assert as_assignments(None) == []
    assert load_recipe("paper-c", {}) == load_recipe("paper-c")


@pytest.mark.parametrize(
    ("old", "present", "value"),
    [
        ("optimisation.epochs", "epochs", 3),
        ("optimisation.rate", "optimiser.learning_rate", 0.5),
        ("optimisation.decay_every", "schedule.decay_every", 9),
        ("optimisation.decay_factor", "schedule.decay_factor", 0.3),
        ("optimisation.label_smoothing", "loss.cross-entropy.label_smoothing", 0.2),
        ("optimisation.triplet_margin", "loss.triplet.margin", 0.7),
        ("optimisation.triplet_weight", "loss.triplet.weight", 0.7),
        ("released_extras.warmup_epochs", "schedule.warmup_epochs", 3),
        ("released_extras.warmup_factor", "schedule.warmup_factor", 0.5),
        ("released_extras.weight_decay", "optimiser.weight_decay", 0.5),
        ("sampling.persons", "sampling.identities_per_batch", 8),
        ("sampling.images", "sampling.images_per_identity", 8),
    ],
)
def test_names_of_version_0_1(old, present, value):
    with pytest.warns(UserWarning, match=f"{old} is {present}"):
        changed = load_recipe("paper-c", {old: value})
    assert changed == load_recipe("paper-c", {present: value})
    assert changed != load_recipe("paper-c")


def test_a_recipe_of_version_0_1(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text(
        'preset = "apnet-s2"\n[optimisation]\nepochs = 5\nrate = 1e-3\n'
        "[released_extras]\nwarmup_epochs = 2\n[sampling]\npersons = 4\nimages = 2\n"
    )
    with (
        pytest.warns(UserWarning, match="optimisation.rate is optimiser.learning_rate"),
        pytest.warns(UserWarning, match="optimisation.triplet_weight is loss.triplet.weight"),
    ):
        recipe = load_recipe(str(path), ["optimisation.triplet_weight=2"])
    assert (recipe.epochs, recipe.optimiser.learning_rate) == (5, 1e-3)
    assert (recipe.schedule.warmup_epochs, recipe.sampling.identities_per_batch) == (2, 4)
    assert recipe.loss[1].weight == 2


def test_old_names_are_reported():
    old = {"optimisation": {"epochs": 2}, "sampling": {"persons": 3}}
    with pytest.warns(UserWarning, match=r"optimisation\.epochs is epochs, sampling\.persons is"):
        values = renamed(old)
    assert values == {"epochs": 2, "sampling": {"identities_per_batch": 3}}


def test_overriding_leaves_the_values_as_they_were():
    values = {"loss": ["triplet"], "network": {"parts": [1]}}
    override(values, ["loss.triplet.weight=2", "network.parts=[2]"])
    assert values == {"loss": ["triplet"], "network": {"parts": [1]}}


def test_train_takes_a_recipes_name_a_folder_and_settings(tmp_path):
    random = np.random.default_rng(0)
    for person in range(2):
        folder = tmp_path / "people" / "bounding_box_train"
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(2):
            pixels = random.integers(0, 256, (32, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{person + 1:04d}_c1s1_{index:06d}_00.png")
    settings = {
        "epochs": 1,
        "sampling.identities_per_batch": 2,
        "sampling.images_per_identity": 2,
        "network.image_size": [64, 32],
    }
    checkpoint = apnet.train(
        "demo",
        f"market1501={tmp_path / 'people'}",
        str(tmp_path / "run"),
        device="cpu",
        settings=settings,
        evaluate=False,
    )
    assert checkpoint.config.num_classes == 2
    assert checkpoint.facts["epoch"] == 1
    assert RunFolder(tmp_path / "run").recipe() == load_recipe("demo", settings)
    apnet.train(
        "demo",
        f"market1501={tmp_path / 'people'}",
        str(tmp_path / "run"),
        device="cpu",
        settings=settings,
        evaluate=False,
        resume=True,
    )  # done already
    with pytest.raises(ConfigError, match="epoch"):
        apnet.train("demo", "market1501=nowhere", tmp_path / "b", settings={"epoch": 1})
