"""What a pyramid of any attention refuses, and what the message says."""

import pytest
import torch
from torch import nn

from apnet.errors import ConfigError
from apnet.model import AttentionPyramid
from apnet.model.attention import ATTENTIONS

CHANNELS, SIZE = 16, (8, 8)


def factory_of_identities(_channels, _size):
    return nn.Identity()


class Wrong(nn.Module):
    """Returns whatever a function makes of the piece."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "returns", "words"),
    [
        (lambda x: x[:, :, :3], "logits", ["(2, 8, 3, 8)", "(2, 8, 8, 8)"]),
        (lambda x: x[None], "logits", ["(1, 2, 8, 8, 8)", "broadcast"]),
        (lambda x: x.mean(1, keepdim=True), "map", ["(2, 1, 8, 8)", "map of (2, 8, 8, 8)"]),
        (lambda x: x.to("meta"), "logits", ["meta", "cpu"]),
        (lambda x: x.int(), "logits", ["int32", "float32", "floating-point"]),
        (lambda x: x.double(), "map", ["float64", "float32"]),
        (lambda _x: None, "logits", ["NoneType"]),
        (lambda x: (x, x), "map", ["tuple"]),
    ],
)
def test_results_that_do_not_fit_name_the_level_and_the_part(function, returns, words):
    def factory(_channels, _size):
        made.append(Wrong(function if len(made) == 1 else torch.sigmoid))
        return made[-1]

    made = []
    pyramid = AttentionPyramid(CHANNELS, (1, 2), ["eca", factory], SIZE, "channels", returns)
    with pytest.raises(ConfigError) as caught:
        pyramid(torch.randn(2, CHANNELS, *SIZE))
    for word in ["level 2", "part 2 of 2", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"attention": "chanel"}, ["'chanel'", "did you mean 'channel'"]),
        ({"attention": "coordinates"}, ["did you mean 'coordinate'"]),
        ({"attention": "???"}, [*ATTENTIONS]),
        ({"split": "row"}, ["'row'", "did you mean 'rows'"]),
        ({"split": "???"}, ["channels, rows, columns, grid"]),
        ({"attention": ["eca"]}, ["'attention' has 1 entries", "2 levels"]),
        ({"split": ["rows"] * 3}, ["'split' has 3 entries"]),
        ({"returns": ["map"]}, ["'returns' has 1 entries"]),
        ({"start": ["half"] * 3}, ["'start' has 3 entries"]),
        ({"parts": (1, 3), "attention": "eca"}, ["level 2", "16 channels into 3 parts"]),
        ({"parts": (1, 3), "split": "rows"}, ["level 2", "8 rows into 3 parts"]),
        ({"parts": (1, 3), "split": "columns"}, ["level 2", "8 columns into 3 parts"]),
        ({"parts": (1, 9), "split": "grid"}, ["level 2", "8 rows into 3 parts"]),
        ({"parts": (0, 1), "split": "grid", "size": None}, ["level 1", "0 parts"]),
        ({"parts": (1, -2), "split": "rows", "size": None}, ["level 2", "-2 parts"]),
        ({"attention": lambda _channels, _size: "eca"}, ["level 1", "nn.Module", "str"]),
        ({"attention": nn.Identity()}, ["Identity", "factory", "lambda channels, size"]),
        ({"attention": ["eca", 3]}, ["factory", "a int"]),
        ({"returns": "maps"}, ["'maps'", "'logits' or 'map'"]),
        ({"returns": "map"}, ["returns = 'map'", "leave it out"]),
        ({"attention": factory_of_identities, "returns": "maps"}, ["'maps'"]),
        ({"start": "zero"}, ["paper, half, one", "'zero'"]),
        ({"attention": "cbam", "start": "one"}, ["start = 'one'", "leave"]),
        (
            {"attention": factory_of_identities, "start": "half"},
            ["level 1", "Identity", "zero_logits()"],
        ),
        ({"attention": "rga-c", "size": None}, ["level 1", "height and width"]),
    ],
)
def test_impossible_levels_are_refused_with_the_remedy(arguments, words):
    with pytest.raises(ConfigError) as caught:
        AttentionPyramid(**{"channels": CHANNELS, "parts": (1, 2), "size": SIZE, **arguments})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_maps_that_do_not_divide_are_refused_where_the_size_was_not_known():
    pyramid = AttentionPyramid(CHANNELS, (1, 2), "eca", split="rows")
    with pytest.raises(ConfigError, match=r"level 2.*5 rows into 2 parts"):
        pyramid(torch.randn(2, CHANNELS, 5, 4))


def test_a_level_of_maps_has_no_gates():
    pyramid = AttentionPyramid(CHANNELS, (1, 2), ["eca", "coordinate"], SIZE)
    with pytest.raises(ConfigError, match=r"level 2.*levels\(\)"):
        pyramid.gates(torch.randn(2, CHANNELS, *SIZE))
