"""Any attention in a pyramid: Eq. 1-3 written as a loop, starts, splits, and what is refused."""

import math

import pytest
import timm.layers
import torch
import torchvision
from comparing import relative, scramble, value_and_gradients
from timm.layers.cbam import CbamModule
from torch import nn

from apnet.model import AttentionPyramid
from apnet.model.attention import ATTENTIONS
from apnet.model.splits import Split

CHANNELS, SIZE = 16, (8, 8)
PARTS = (1, 2, 4)
TIME = Split("time", (2,), ("frames",))


class OwnLogits(nn.Module):
    """An attention that is in no table; its logits lack some of a piece's dimensions.

    Args:
        channels: of the piece.
        over: dimensions that are averaged away.
        batched: whether the logits keep the images' dimension.
    """

    def __init__(self, channels, over, batched=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels))
        self.over, self.batched = over, batched

    def forward(self, x):
        weighted = x * self.weight.reshape(-1, *[1] * (x.ndim - 2))
        logits = weighted.mean(dim=self.over, keepdim=True)
        return logits if self.batched else logits.mean(dim=0)

    def zero_logits(self):
        nn.init.zeros_(self.weight)


def own(over, batched=True):
    return lambda channels, _size: OwnLogits(channels, over, batched)


# name: attention, what it returns
CASES = {
    **{name: (name, kind.returns) for name, kind in ATTENTIONS.items()},
    "timm SE": (lambda channels, _size: timm.layers.SEModule(channels), "map"),
    "timm ECA": (lambda channels, _size: timm.layers.EcaModule(channels), "map"),
    "timm CBAM": (lambda channels, _size: CbamModule(channels), "map"),
    "timm GlobalContext": (lambda channels, _size: timm.layers.GlobalContext(channels), "map"),
    "torchvision SE": (
        lambda channels, _size: torchvision.ops.SqueezeExcitation(channels, max(channels // 4, 1)),
        "map",
    ),
    "own (c, 1, 1)": (own((2, 3), batched=False), "logits"),
    "own (n, 1, h, 1)": (own((1, 3)), "logits"),
    "own (n, c, 1, w)": (own((2,)), "logits"),
    "own (n, 1, 1, 1)": (own((1, 2, 3)), "logits"),
}
CUTS = {
    "channels": lambda parts: {1: parts},
    "rows": lambda parts: {2: parts},
    "columns": lambda parts: {3: parts},
    "grid": lambda parts: {2: math.ceil(math.sqrt(parts)), 3: parts // math.ceil(math.sqrt(parts))},
}


def equations(x, pyramid, cuts, returns, start="paper"):
    """Eq. 1-3 as they are written: split, apply each part's module to its piece, merge, stack.

    Args:
        x: the map.
        pyramid: whose modules are applied.
        cuts: for each level, axis -> number of pieces along it.
        returns: for each level.
        start: of the gates.
    """
    for level, cut, returned in zip(pyramid.attends, cuts, returns, strict=True):
        x = one_level(x, modules(level, math.prod(cut.values())), cut, returned, start)
    return x


def modules(level, parts):
    """A function for each part; a level of channel attention holds its parts in one module."""
    if not hasattr(level, "attends"):
        return [lambda piece, part=part: channel_part(piece, level, part) for part in range(parts)]
    assert len(level.attends) == parts
    return list(level.attends)


def channel_part(piece, level, part):
    """``W_2 ReLU(W_1 .)`` with one part's rows of the level's weights."""
    groups = level.squeeze.groups
    first = level.squeeze.weight.squeeze(2).chunk(groups)[part]
    second = level.excite.weight.squeeze(2).chunk(groups)[part]
    return ((piece.mean(dim=(2, 3)) @ first.T).clamp(min=0) @ second.T)[:, :, None, None]


def one_level(x, attends, cut, returned, start):
    """Every element of the result is written into its place, piece by piece."""
    result, corners = torch.zeros_like(x), [()]
    for axis, count in cut.items():
        length = x.shape[axis] // count
        slices = [(axis, slice(i * length, (i + 1) * length)) for i in range(count)]
        corners = [(*corner, each) for corner in corners for each in slices]
    for attend, corner in zip(attends, corners, strict=True):
        place = [slice(None)] * x.ndim
        for axis, positions in corner:
            place[axis] = positions
        piece = x[tuple(place)]
        if returned == "map":
            result[tuple(place)] = attend(piece)
        else:
            gate = 1 / (1 + torch.exp(-attend(piece))) * (2 if start == "one" else 1)
            result[tuple(place)] = piece * gate
    return result


def assert_equal_to_equations(pyramid, x, cuts, returns, start="paper"):
    weights = [weight for weight in pyramid.parameters() if weight.requires_grad]
    got = value_and_gradients(pyramid, x, weights)
    expected = value_and_gradients(
        lambda x: equations(x, pyramid, cuts, returns, start), x, weights
    )
    scale = torch.cat([value.flatten() for value in expected]).norm().item()
    for mine, theirs in zip(got, expected, strict=True):
        assert (mine - theirs).norm().item() <= 1e-9 * theirs.norm().item() + 1e-12 * scale
    x = x.float()
    pyramid.float()
    assert relative(pyramid(x), equations(x, pyramid, cuts, returns, start)) <= 1e-5


def double_map(*shape, channels_last=True):
    x = torch.randn(*shape, dtype=torch.float64)
    return x.to(memory_format=torch.channels_last) if channels_last else x


@pytest.mark.parametrize("split", CUTS)
@pytest.mark.parametrize("name", CASES)
def test_pyramid_equals_the_equations(name, split):
    attention, returns = CASES[name]
    pyramid = AttentionPyramid(
        CHANNELS, PARTS, attention, SIZE, split, returns if callable(attention) else "logits"
    )
    scramble(pyramid).double().eval()
    cuts = [CUTS[split](parts) for parts in PARTS]
    assert_equal_to_equations(pyramid, double_map(2, CHANNELS, *SIZE), cuts, [returns] * 3)


@pytest.mark.parametrize("name", ["spatial", "coordinate", "rga-c", "own (n, 1, h, 1)"])
def test_pyramid_in_training_equals_the_equations_with_batch_statistics(name):
    pyramid = scramble(AttentionPyramid(CHANNELS, PARTS, CASES[name][0], SIZE, "rows")).double()
    cuts, x = [CUTS["rows"](parts) for parts in PARTS], double_map(3, CHANNELS, *SIZE)
    assert_equal_to_equations(pyramid, x, cuts, [CASES[name][1]] * 3)


@pytest.mark.parametrize("channels_last", [True, False])
def test_mixed_levels_equal_the_equations(channels_last):
    pyramid = AttentionPyramid(CHANNELS, (1, 1, 2), ["channel", "spatial", "spatial"], SIZE)
    scramble(pyramid).double().eval()
    x = double_map(2, CHANNELS, *SIZE, channels_last=channels_last)
    assert_equal_to_equations(pyramid, x, [{1: 1}, {2: 1}, {2: 2}], ["logits"] * 3)


def test_levels_of_every_kind_and_split_equal_the_equations():
    names = list(CASES)
    splits = [list(CUTS)[number % len(CUTS)] for number in range(len(names))]
    returns = [CASES[name][1] for name in names]
    pyramid = AttentionPyramid(
        CHANNELS, [4] * len(names), [CASES[name][0] for name in names], SIZE, splits, returns
    )
    scramble(pyramid).double().eval()
    cuts = [CUTS[split](4) for split in splits]
    assert_equal_to_equations(pyramid, double_map(2, CHANNELS, *SIZE), cuts, returns)


@pytest.mark.parametrize("over", [(1, 2, 3), (1, 2), (1, 3), (0, 1), (0, 2, 3), (2, 3)])
@pytest.mark.parametrize("after", ["spatial", "eca"])
def test_a_gate_of_any_shape_passes_what_the_next_level_looks_at(over, after):
    pyramid = AttentionPyramid(CHANNELS, (1, 4), [own(over), after], SIZE, [TIME, "grid"])
    scramble(pyramid).double().eval()
    cuts = [{2: 1}, {2: 2, 3: 2}]
    assert_equal_to_equations(pyramid, double_map(2, CHANNELS, *SIZE), cuts, ["logits"] * 2)


@pytest.mark.parametrize("attention", ["channel", "eca", own((1, 3, 4)), own((3, 4))])
def test_a_split_of_time_works_on_maps_with_time(attention):
    pyramid = AttentionPyramid(CHANNELS, (1, 2), attention, (4, *SIZE), TIME).double()
    x = torch.randn(2, CHANNELS, 4, *SIZE, dtype=torch.float64)
    spaces = [[lambda p, a=a: flattened(a, p) for a in level.attends] for level in pyramid.attends]
    expected = x
    for attends in spaces:
        expected = one_level(expected, attends, {2: len(attends)}, "logits", "paper")
    assert relative(pyramid(x), expected) < 1e-9


def flattened(attend, piece):
    """The logits that a piece with time has; channel attentions do not see its dimensions."""
    if isinstance(attend, OwnLogits):
        return attend(piece)
    return attend(piece.flatten(3))[..., None]  # (N, C, T, H, W) -> (N, C, T, H*W)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1] == "logits"])
def test_gates_that_start_at_half_are_one_half(name):
    pyramid = AttentionPyramid(CHANNELS, (1, 2), CASES[name][0], SIZE, start="half")
    x = torch.randn(3, CHANNELS, *SIZE)
    for gate in pyramid.gates(x):
        assert torch.equal(gate, torch.full_like(gate, 0.5))
    assert torch.equal(pyramid(x), x / 4)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1] == "logits"])
def test_gates_that_start_at_one_leave_the_map_and_learn(name):
    pyramid = AttentionPyramid(CHANNELS, (1, 2), CASES[name][0], SIZE, start="one")
    x = torch.randn(3, CHANNELS, *SIZE)
    assert torch.equal(pyramid(x), x)
    (pyramid(x) * torch.randn_like(x)).sum().backward()
    for level in pyramid.attends:
        assert max(weight.grad.norm() for weight in level.parameters()) > 0


def test_gates_that_start_at_one_follow_the_equations_after_training():
    pyramid = AttentionPyramid(CHANNELS, (1, 2), own((1, 3)), SIZE, "rows", start="one").double()
    for weight in pyramid.parameters():
        nn.init.normal_(weight)
    x = double_map(2, CHANNELS, *SIZE)
    assert_equal_to_equations(pyramid, x, [{2: 1}, {2: 2}], ["logits"] * 2, "one")


@pytest.mark.parametrize("name", ["channel", "eca", "gather-excite", "own (n, 1, h, 1)"])
def test_gates_of_the_paper_start_as_the_layers_do(name):
    pyramid = AttentionPyramid(CHANNELS, (1, 2), CASES[name][0], SIZE)
    assert pyramid.gates(torch.randn(3, CHANNELS, *SIZE))[0].std() > 0


def test_start_differs_by_level():
    pyramid = AttentionPyramid(CHANNELS, (1, 2), "eca", SIZE, start=["half", "one"])
    x = torch.randn(2, CHANNELS, *SIZE)
    assert torch.equal(pyramid(x), x / 2)


@pytest.mark.parametrize("name", CASES)
def test_levels_end_where_forward_does(name):
    attention, returns = CASES[name]
    returns = returns if callable(attention) else "logits"
    pyramid = AttentionPyramid(CHANNELS, (1, 2), attention, SIZE, "channels", returns)
    scramble(pyramid).eval()
    x = torch.randn(2, CHANNELS, *SIZE)
    maps = pyramid.levels(x)
    assert len(maps) == 3
    assert relative(maps[-1], pyramid(x)) < 1e-5
