import pytest
import timm
import torch
from comparing import relative, scramble
from torch import nn

from apnet.errors import ConfigError
from apnet.model import create_backbone, create_network, recorded_levels
from apnet.model.shapes import shapes_on_zeros

DENSE = {"growth_rate": 8, "block_config": [2, 2, 2, 2]}
SWIN = {"embed_dim": 24, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 4, 8]}
CUT = {
    "resnet18": ({"channels": [8, 16, 24, 32]}, (64, 32)),
    "resnet26": ({"channels": [8, 16, 24, 32]}, (64, 32)),
    "resnet26d": ({"channels": [8, 16, 24, 32]}, (64, 32)),
    "densenet169": (DENSE, (64, 32)),
    "inception_v3": ({}, (160, 96)),
}
WHOLE = {
    "convnext_atto": ({"depths": [1, 1, 1, 1]}, (64, 32), "NCHW"),
    "tf_efficientnet_lite0": ({}, (64, 32), "NCHW"),
    "regnetx_002": ({}, (64, 32), "NCHW"),
    "mobilenetv4_conv_small": ({}, (64, 32), "NCHW"),
    "pvt_v2_b0": ({}, (64, 32), "NCHW"),
    "swin_tiny_patch4_window7_224": (SWIN, (128, 64), "NHWC"),
    "vit_tiny_patch16_224": ({"depth": 8, "embed_dim": 48}, (64, 32), "NLC"),
}


def whole(name, options, size):
    model = timm.create_model(name, num_classes=0, **options)
    return model.eval(), torch.randn(2, 3, *size)


def filled(module):
    """Gives a module made on the meta device random weights, quicker than its own start."""
    module.to_empty(device="cpu")
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.normal_(std=0.1)
    return scramble(module).eval()


@pytest.mark.parametrize("name", CUT)
def test_cut_stages_compute_what_the_whole_model_does(name):
    options, size = CUT[name]
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0, **options)
        backbone = create_backbone(name, options, last_stride=2)
    filled(model)
    filled(backbone.body)
    states = zip(backbone.body.state_dict().values(), model.state_dict().values(), strict=True)
    for mine, theirs in states:
        mine.copy_(theirs)
    images = torch.randn(1, 3, *size)
    expected = model.forward_features(images)
    assert expected.std() > 0
    assert relative(backbone.body(images), expected) < 1e-5


@pytest.mark.parametrize("name", CUT)
def test_last_stride_is_one_and_nothing_is_dilated(name):
    options, size = CUT[name]
    maps = {}
    for last_stride in (1, 2):
        with torch.device("meta"):
            backbone = create_backbone(name, options, last_stride=last_stride)
        shapes = shapes_on_zeros(backbone.body, size)
        maps[last_stride] = [shapes[stage.name] for stage in backbone.stages]
        assert [stage.channels for stage in backbone.stages] == [s[1] for s in maps[last_stride]]
        convs = [m for m in backbone.stages[-1].modules() if isinstance(m, nn.Conv2d)]
        assert {conv.dilation for conv in convs} == {(1, 1)}
        assert backbone.stages[-1].stride == 16 * last_stride
    assert maps[1][:3] == maps[2][:3]
    lost = 2 if name == "inception_v3" else 0  # its last reduction has no padding
    third, last = maps[1][2:]
    assert last[2:] == (third[2] - lost, third[3] - lost)
    assert maps[2][3][2] < last[2]


def test_the_papers_backbones_have_the_expected_stages():
    with torch.device("meta"):
        found = {
            name: [(stage.name, stage.channels, stage.stride) for stage in backbone.stages]
            for name in ("resnet50", "resnet101", "densenet169", "inception_v3")
            for backbone in [create_backbone(name)]
        }
    strides = (4, 8, 16, 16)
    residual = zip(
        ("layer1", "layer2", "layer3", "layer4"), (256, 512, 1024, 2048), strides, strict=True
    )
    assert found["resnet50"] == found["resnet101"] == list(residual)
    assert [row[1:] for row in found["densenet169"]] == [
        *zip((256, 512, 1280, 1664), strides, strict=True)
    ]
    assert [row[1:] for row in found["inception_v3"]] == [
        *zip((192, 288, 768, 2048), strides, strict=True)
    ]


@pytest.mark.parametrize("name", WHOLE)
def test_wrapped_stages_leave_the_model_as_it_is(name):
    options, size, layout = WHOLE[name]
    torch.manual_seed(3)
    backbone = create_backbone(name, options, image_size=size)
    torch.manual_seed(3)
    sized = {"img_size": size} if layout != "NCHW" else {}
    model, images = whole(name, {**options, **sized}, size)
    expected = model.forward_features(images)
    if layout == "NHWC":
        expected = expected.permute(0, 3, 1, 2)
    if layout == "NLC":
        expected = expected[:, 1:].transpose(1, 2).unflatten(2, (size[0] // 16, size[1] // 16))
    got = backbone.body.eval()(images)
    assert got.shape == (2, backbone.channels, *expected.shape[2:])
    assert relative(got, expected) < 1e-5
    assert [stage.layout.kind for stage in backbone.stages] == [layout] * 4


@pytest.mark.parametrize(
    ("name", "attention"),
    [
        *((name, "channel") for name in WHOLE),
        ("regnetx_002", "spatial"),
        ("swin_tiny_patch4_window7_224", "spatial"),
        ("vit_tiny_patch16_224", "spatial"),
    ],
)
def test_pyramids_act_inside_any_backbone_and_every_weight_learns(name, attention):
    options, size, _ = WHOLE[name]
    network = create_network(
        "apnet-c2",
        backbone=name,
        backbone_options=options,
        image_size=size,
        attention=attention,
        parts=(1, 2) if attention == "channel" else (1,),
        num_classes=3,
    )
    images = torch.randn(2, 3, *size)
    sum(logits.square().sum() for logits in network(images).logits).backward()
    idle = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert idle == []
    scramble(network).eval()
    fused = network.embed(images)
    with recorded_levels(network.stages) as record:
        literal = network.embed(images)
    assert relative(fused, literal) < 1e-4
    for stage, levels in zip(network.stages, record, strict=True):
        assert levels[0].shape[:2] == (2, stage.channels)
        assert relative(levels[-1], levels[0]) > 0.1


def test_tokens_that_are_no_map_pass_a_pyramid_untouched():
    name = "vit_tiny_patch16_224"
    options, size, _ = WHOLE[name]
    network = create_network(
        "apnet-c1", backbone=name, backbone_options=options, image_size=size, attention="channel"
    ).eval()
    stage = network.stages[0]
    seen = {}
    stage.body.register_forward_hook(lambda _m, _i, output: seen.update(before=output))
    stage.register_forward_hook(lambda _m, _i, output: seen.update(after=output))
    network(torch.randn(2, 3, *size))
    before, after = seen["before"], seen["after"]
    assert torch.equal(before[:, 0], after[:, 0])
    grid = stage.layout.to_map(before)
    assert grid.shape == (2, 48, 4, 2)
    assert torch.equal(grid[0, :, 1, 1], before[0, 1 + 3])  # row 1, column 1 of two columns
    assert relative(stage.layout.to_map(after), stage.pyramid(grid)) < 1e-6


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet5O", {}, "no backbone 'resnet5O'.*did you mean resnet50"),
        ("qqqqqqqq", {}, "list_models"),
        ("resnet18", {"bogus": 1}, "cannot build 'resnet18'.*bogus"),
        ("resnet18", {"checkpoint_path": "x.pth"}, "may not set checkpoint_path"),
        ("resnet50.nonsense", {}, "resnet50.nonsense.*resnet50.tv_in1k"),
        ("resnetblur18", {}, "BlurPool2d.*last_stride = 2"),
        ("hrnet_w18_small", {}, "no feature stages"),
        ("coat_lite_tiny", {}, "after serial_blocks1.*no map"),
        ("hiera_tiny_224", {"embed_dim": 8}, "after blocks.0.*no map"),
    ],
)
def test_backbones_that_cannot_be_used_are_refused(name, options, words):
    with pytest.raises(ConfigError, match=words):
        create_backbone(name, options, image_size=(64, 32))


def test_an_image_too_small_for_the_backbone_is_refused():
    with pytest.raises(ConfigError, match="16x16 pixels"):
        create_network("apnet-s1", backbone="inception_v3", image_size=(16, 16))
