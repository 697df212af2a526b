"""The networks of Table III that are no APNet, and the small ones."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from apnet.checkpoints import load_checkpoint, save_checkpoint
from apnet.config import Recipe, parse
from apnet.errors import ConfigError
from apnet.explanation.match import explain_match
from apnet.losses import apnet_loss
from apnet.model import PRESETS, create_network, network_cost, preset
from apnet.model.baselines.pyramid_reid import GROUPS, GroupedStripes
from apnet.model.baselines.scsn import Cascade, DualAttention, NonLocalFusion
from apnet.training import RunFolder, train
from apnet.types import ImageRecord, ReidDataset

TABLE_III = {
    "apnet-c0": 6.23,
    "apnet-c1": 6.23,
    "apnet-c2": 6.24,
    "apnet-c3": 6.25,
    "se-resnet50": 6.24,
    "pyramid-reid": 9.96,
}
COMPARED = ["pyramid-reid-small", "scsn-small"]
SMALL = [name for name in PRESETS if name.endswith("-small")]
ONE_UNIT = ("squeeze.weight", "excite.weight")
TINY = {
    "backbone": "resnet10t",
    "backbone_options": {"channels": [8, 8, 16, 32], "stem_width": 8},
    "image_size": (96, 32),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def scrambled(module):
    """Gives every batch norm statistics, scale and shift, as training would."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_(std=0.2)
            norm.running_var.uniform_(0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.2)
    return module


def normed(x, norm):
    """A batch norm in evaluation mode, x being (N, C)."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (x - norm.running_mean) * scale + norm.bias


def close(got, expected):
    return torch.allclose(got, expected, rtol=1e-4, atol=1e-5)


# --- Table III


@pytest.mark.parametrize("name", TABLE_III)
def test_cost_is_that_of_table_iii(name):
    with torch.device("meta"):
        cost = network_cost(create_network(name), (224, 224))
    assert cost.paper_multiply_adds / 1e9 == pytest.approx(TABLE_III[name], abs=0.02)


def test_pyramid_reid_costs_what_table_iii_says_with_resnet101_and_not_with_resnet50():
    with torch.device("meta"):
        smaller = network_cost(create_network("pyramid-reid", backbone="resnet50"))
    assert smaller.paper_multiply_adds / 1e9 == pytest.approx(6.24, abs=0.02)


def test_scsn_costs_what_table_iii_says_within_five_percent():
    with torch.device("meta"):
        cost = network_cost(create_network("scsn"))
    assert cost.paper_multiply_adds / 1e9 == pytest.approx(7.24, rel=0.05)


def test_pyramid_reid_adds_21_small_convolutions():
    with torch.device("meta"):
        plain = network_cost(create_network("apnet-c0"))
        compared = network_cost(create_network("pyramid-reid", backbone="resnet50"))
    assert compared.multiply_adds - plain.multiply_adds == 21 * 2048 * 128


def test_scsn_adds_its_fusions_attentions_and_units():
    def fusion(channels, nodes, earlier, earlier_nodes):
        inner = earlier // 2
        embedded = inner * (2 * channels * nodes + 2 * earlier * earlier_nodes)
        return embedded + 2 * inner * nodes * earlier_nodes

    def attention(channels, nodes):
        return 2 * channels * (channels // 16) + channels * nodes

    fusions = fusion(1024, 14 * 14, 512, 28 * 28) + fusion(2048, 14 * 14, 1024, 14 * 14)
    attentions = attention(1024, 14 * 14) + attention(2048, 14 * 14)
    units = 3 * 6 * (2048 * 512 + 512 + 512)  # convolution, score, weighted sum
    with torch.device("meta"):
        plain = network_cost(create_network("apnet-c0"))
        compared = network_cost(create_network("scsn"))
    assert compared.multiply_adds - plain.multiply_adds == fusions + attentions + units


# --- Pyramid ReID


def test_there_is_a_branch_for_every_group_of_neighbouring_stripes():
    assert sorted(end - first for first, end in GROUPS) == [
        count for count in range(1, 7) for _ in range(7 - count)
    ]
    assert len(set(GROUPS)) == 21
    assert GROUPS[0] == (0, 6)
    assert all(0 <= first < end <= 6 for first, end in GROUPS)


@pytest.mark.parametrize(
    ("rows", "starts", "ends"),
    [
        (6, (0, 1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6)),
        (12, (0, 2, 4, 6, 8, 10), (2, 4, 6, 8, 10, 12)),
        (8, (0, 1, 2, 4, 5, 6), (2, 3, 4, 6, 7, 8)),
        (14, (0, 2, 4, 7, 9, 11), (3, 5, 7, 10, 12, 14)),
    ],
)
def test_a_branch_pools_the_rows_of_its_stripes(rows, starts, ends):
    x = torch.randn(2, 5, rows, 3)
    pooled = GroupedStripes(5, 0)(x)
    for (first, end), got in zip(GROUPS, pooled, strict=True):
        piece = x[:, :, starts[first] : ends[end - 1]].flatten(2)
        assert close(got, piece.mean(dim=2) + piece.max(dim=2).values)


def test_pyramid_reid_joins_its_branches_for_triplet_and_embedding():
    network = scrambled(create_network("pyramid-reid-small", num_classes=5)).eval()
    images = torch.randn(2, 3, 128, 64)
    output = network(images)
    assert network.feature_dim == 21 * 128
    assert [each.shape for each in output.pooled] == [(2, 2688)]
    assert [each.shape for each in output.logits] == [(2, 5)] * 21
    assert torch.equal(network.embed(images), output.pooled[0])
    vectors = network.branches[0](network.trunk(images))
    for index, (head, vector) in enumerate(zip(network.branches[0].heads, vectors, strict=True)):
        feature = normed(vector @ head.reduce.weight.T, head.neck).clamp(min=0)
        assert close(output.pooled[0][:, 128 * index : 128 * (index + 1)], feature)
        assert close(output.logits[index], feature @ head.classifier.weight.T)
        assert torch.equal(head.classifier(head.features(vector).neck), output.logits[index])


# --- SCSN


def test_fusion_attends_from_the_later_map_to_the_earlier_one():
    fusion = scrambled(NonLocalFusion(6, 4)).eval()
    x, earlier = torch.randn(2, 6, 3, 2), torch.randn(2, 4, 5, 3)
    got = fusion(x, earlier)
    query, key, value = (
        torch.einsum("oc,nchw->nohw", conv.weight[:, :, 0, 0], of) + conv.bias[:, None, None]
        for conv, of in ((fusion.query, x), (fusion.key, earlier), (fusion.value, earlier))
    )
    for n in range(2):
        for row in range(3):
            for column in range(2):
                products = (key[n] * query[n, :, row, column, None, None]).sum(dim=0)
                shares = torch.softmax(products.flatten() / 2**0.5, dim=0).reshape(5, 3)
                found = (value[n] * shares).sum(dim=(1, 2))
                added = normed(fusion.out.weight[:, :, 0, 0] @ found, fusion.norm)
                assert close(got[n, :, row, column], x[n, :, row, column] + added)


def test_training_starts_from_the_backbone_as_it_is():
    fusion = NonLocalFusion(6, 4)
    x = torch.randn(2, 6, 3, 2)
    assert torch.equal(fusion(x, torch.randn(2, 4, 5, 3)), x)


def test_dual_attention_adds_the_map_scaled_by_both_gates():
    attention = scrambled(DualAttention(8, 2)).eval()
    x = torch.randn(2, 8, 3, 2)
    got = attention(x)
    squeeze = attention.channel.squeeze.weight[:, :, 0]
    excite = attention.channel.excite.weight[:, :, 0]
    channel = torch.sigmoid((x.mean(dim=(2, 3)) @ squeeze.T).clamp(min=0) @ excite.T)
    conv, norm = attention.spatial
    score = torch.einsum("c,nchw->nhw", conv.weight[0, :, 0, 0], x)
    spatial = torch.sigmoid(normed(score[..., None], norm)[..., 0])
    for c in range(8):
        assert close(got[:, c], x[:, c] + x[:, c] * channel[:, c, None, None] * spatial)


def literal_cascade(cascade, image):
    """One image's features and hidden stripes, stripe by stripe; 12 rows, two in each."""
    stripes = [image[:, 2 * k : 2 * k + 2].mean(dim=(1, 2)) for k in range(6)]
    features, hidden = [image.mean(dim=(1, 2))], []
    for unit in cascade.units:
        left = [k for k in range(6) if k not in hidden]
        weight = unit.reduce.weight[:, :, 0]
        reduced = [normed(weight @ stripes[k], unit.norm).clamp(min=0) for k in left]
        scores = torch.stack([unit.score.weight[0] @ r + unit.score.bias[0] for r in reduced])
        shares = scores.exp() / scores.exp().sum()
        features.append(sum(share * r for share, r in zip(shares, reduced, strict=True)))
        hidden.append(left[int(shares.argmax())])
    return features, hidden


def test_every_stage_pools_what_the_stages_before_it_have_not_found():
    cascade = scrambled(Cascade(8, 0)).eval()
    x = torch.randn(5, 8, 12, 3)
    got = cascade(x)
    found = set()
    for n, image in enumerate(x):
        expected, hidden = literal_cascade(cascade, image)
        assert len(set(hidden)) == 3
        found.add(tuple(hidden))
        assert all(close(mine[n], theirs) for mine, theirs in zip(got, expected, strict=True))
    assert len(found) > 1  # what is salient depends on the image


def test_a_hidden_stripe_does_not_reach_the_later_stages():
    cascade = scrambled(Cascade(8, 0)).eval()
    x = torch.randn(1, 8, 12, 3, requires_grad=True)
    _, hidden = literal_cascade(cascade, x[0])
    rows = slice(2 * hidden[0], 2 * hidden[0] + 2)
    _, first, *later = cascade(x)
    assert torch.autograd.grad(first.sum(), x, retain_graph=True)[0][:, :, rows].abs().max() > 0
    for feature in later:
        gradient = torch.autograd.grad(feature.sum(), x, retain_graph=True)[0]
        assert gradient[:, :, rows].abs().max() == 0
        assert gradient.abs().max() > 0


@pytest.mark.parametrize(("feature", "dim"), [("bn", 1792), ("pooled", 1792), ("logits", 20)])
def test_scsn_embeds_the_global_feature_and_the_stages(feature, dim):
    network = scrambled(create_network("scsn-small", num_classes=5, feature=feature)).eval()
    images = torch.randn(2, 3, 128, 64)
    output = network(images)
    assert [each.shape for each in output.pooled] == [(2, 256), *[(2, 512)] * 3]
    assert [each.shape for each in output.logits] == [(2, 5)] * 4
    assert network.embed(images).shape == (2, dim)
    assert network.feature_dim == dim
    assert close(output.pooled[0], network.trunk(images).mean(dim=(2, 3)))


def test_scsn_fuses_the_second_and_third_stage_into_the_ones_behind_them():
    network = scrambled(create_network("scsn-small")).eval()
    body, trunk = network.trunk.early, network.trunk
    x = torch.randn(2, 3, 128, 64)
    second = body.layer2(body.layer1(body.stem(x)))
    third = trunk.attentions[0](trunk.fusions[0](trunk.later.layer3(second), second))
    fourth = trunk.attentions[1](trunk.fusions[1](trunk.later.layer4(third), third))
    assert torch.equal(trunk(x), fourth)


# --- both, in the package's ways


@pytest.mark.parametrize("name", SMALL)
def test_every_small_network_runs_and_every_weight_learns(name):
    config = preset(name)
    assert config.image_size == (128, 64)
    network = scrambled(create_network(name, num_classes=3))
    labels = torch.tensor([0, 0, 1, 1])
    output = network(torch.randn(4, 3, 128, 64))
    apnet_loss(output.pooled, output.logits, labels).total.backward()
    silent = [
        place
        for place, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.abs().max() > 0)
    ]
    # a channel attention of one hidden unit is silent where its ReLU is off for the whole batch
    assert [place for place in silent if not place.endswith(ONE_UNIT)] == []
    assert len(silent) <= 4


@pytest.mark.parametrize("name", COMPARED)
def test_without_classes_there_are_no_logits(name):
    network = create_network(name).eval()
    output = network(torch.randn(1, 3, 128, 64))
    assert output.logits == ()
    assert network.embed(torch.randn(1, 3, 128, 64)).shape == (1, network.feature_dim)


@pytest.mark.parametrize("name", COMPARED)
def test_their_maps_can_be_looked_at(name):
    maps = create_network(name).level_maps(torch.randn(1, 3, 128, 64))
    assert [[tuple(level.shape) for level in stage] for stage in maps] == [
        [(1, 128 // stride, 64 // stride)] for stride in (4, 8, 16, 16)
    ]


@pytest.mark.parametrize("name", COMPARED)
def test_a_match_is_not_taken_apart_where_the_features_are_no_averages(name):
    first, second = torch.randn(2, 3, 128, 64)
    with pytest.raises(ConfigError, match="not averages over positions"):
        explain_match(create_network(name).eval(), first, second)


@pytest.mark.parametrize("name", COMPARED)
def test_a_map_with_fewer_rows_than_stripes_is_refused(name):
    network = create_network(name).eval()
    with pytest.raises(ConfigError, match="6 stripes, got 5 rows"):
        network(torch.randn(1, 3, 80, 64))


@pytest.mark.parametrize("name", COMPARED)
def test_a_checkpoint_rebuilds_them(name, tmp_path):
    config = dataclasses.replace(preset(name), num_classes=3)
    network = scrambled(create_network(name, num_classes=3)).eval()
    save_checkpoint(tmp_path / "net.safetensors", network, config, {})
    loaded = load_checkpoint(tmp_path / "net.safetensors")
    images = torch.randn(2, 3, 128, 64)
    assert loaded.config == config
    with torch.no_grad():
        assert torch.equal(loaded.network.embed(images), network.embed(images))


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("pyramid-reid", {"attention": "channel"}, 'setting attention; give attention = "none"'),
        ("pyramid-reid", {"parts": (1, 2)}, r"setting parts; give parts = \[\]"),
        ("pyramid-reid", {"feature": "logits"}, 'setting feature; give feature = "bn"'),
        ("pyramid-reid", {"reduction": 8}, "setting reduction; give reduction = 16"),
        ("scsn", {"attention": "spatial"}, "attention"),
        ("scsn", {"multipart": True}, "setting multipart; give multipart = false"),
        ("scsn", {"backbone": "mobilenetv4_conv_small"}, "cut into stages"),
        ("apnet-c2", {"arrangement": "scsn"}, "attention or parts"),
        ("scsn", {"arrangement": "scns"}, "arrangement"),
    ],
)
def test_settings_that_do_not_apply_are_refused(name, changes, words):
    with torch.device("meta"), pytest.raises(ConfigError, match=words):
        create_network(name, **changes)


@pytest.fixture(scope="module")
def coloured_people(tmp_path_factory):
    root = tmp_path_factory.mktemp("coloured")
    random = np.random.default_rng(0)
    records = []
    for pid, colour in enumerate(random.integers(0, 256, (4, 3))):
        for index in range(4):
            noise = random.integers(-30, 30, (96, 32, 3))
            path = root / f"{pid}_{index}.png"
            Image.fromarray(np.clip(colour + noise, 0, 255).astype(np.uint8)).save(path)
            records.append(ImageRecord(path, pid, index % 2 + 1))
    everyone = tuple(records)
    return ReidDataset("coloured", root, everyone, everyone[::4], everyone)


@pytest.mark.parametrize("arrangement", ["pyramid-reid", "scsn"])
def test_the_training_loop_trains_them(arrangement, coloured_people, tmp_path):
    recipe = parse(
        Recipe,
        {
            "network": {**TINY, "arrangement": arrangement, "attention": "none", "parts": []},
            "epochs": 8,
            "optimiser": {"learning_rate": 3e-3},
            "schedule": {"decay_every": 8, "warmup_epochs": 0},
            "sampling": {"identities_per_batch": 4, "images_per_identity": 2},
            "augmentation": {"pad": 0, "erase": 0.0},
            "weights": "random",
            "precision": "float32",
        },
        "test",
    )
    trained = train(recipe, coloured_people, tmp_path / "run", device="cpu", evaluate=False)
    losses = [entry["loss"] for entry in RunFolder(tmp_path / "run").read_history()]
    assert losses[-1] < 0.8 * losses[0]
    images = torch.randn(2, 3, 96, 32)
    with torch.no_grad():
        restored = load_checkpoint(tmp_path / "run").network.embed(images)
        assert close(restored, trained.network.embed(images))
