"""Names and shapes of weights as the other projects' sources give them, with random values.

Written from those sources, and independent of the package's key tables.
"""

import torch


class Weights(dict):
    """A state dict that grows layer by layer."""

    shapes_only = False
    """Whether tensors have no values, for tests that compare names and shapes."""

    def __init__(self, seed=0):
        super().__init__()
        self.random = torch.Generator().manual_seed(seed)

    def add(self, name, *shape, scale=1.0, shift=0.0):
        if self.shapes_only:
            self[name] = torch.empty(shape, device="meta")
            return
        self[name] = torch.randn(shape, generator=self.random) * scale + shift

    def conv(self, name, channels, wanted, kernel, groups=1, bias=False):
        fan = channels // groups * kernel * kernel
        self.add(f"{name}.weight", wanted, channels // groups, kernel, kernel, scale=fan**-0.5)
        if bias:
            self.add(f"{name}.bias", wanted, scale=0.1)

    def linear(self, name, channels, wanted, bias=True):
        self.add(f"{name}.weight", wanted, channels, scale=channels**-0.5)
        if bias:
            self.add(f"{name}.bias", wanted, scale=0.1)

    def affine(self, name, channels):
        self.add(f"{name}.weight", channels, scale=0.1, shift=1.0)
        self.add(f"{name}.bias", channels, scale=0.1)

    def norm(self, name, channels):
        self.affine(name, channels)
        self.add(f"{name}.running_mean", channels, scale=0.1)
        variance = torch.rand(channels, generator=self.random) + 0.5
        self[f"{name}.running_var"] = variance
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)


BLOCKS = {"r50": (3, 4, 6, 3), "r101": (3, 4, 23, 3)}


def bottleneck(weights, name, channels, planes, *, ibn=False, downsample=False):
    weights.conv(f"{name}.conv1", channels, planes, 1)
    if ibn:
        weights.affine(f"{name}.bn1.IN", planes // 2)
        weights.norm(f"{name}.bn1.BN", planes - planes // 2)
    else:
        weights.norm(f"{name}.bn1", planes)
    weights.conv(f"{name}.conv2", planes, planes, 3)
    weights.norm(f"{name}.bn2", planes)
    weights.conv(f"{name}.conv3", planes, 4 * planes, 1)
    weights.norm(f"{name}.bn3", 4 * planes)
    if downsample:
        weights.conv(f"{name}.downsample.0", channels, 4 * planes, 1)
        weights.norm(f"{name}.downsample.1", 4 * planes)


def resnet(weights, prefix, depth="r50", *, ibn=False):
    weights.conv(f"{prefix}conv1", 3, 64, 7)
    weights.norm(f"{prefix}bn1", 64)
    channels = 64
    for stage, count in enumerate(BLOCKS[depth]):
        planes = 64 * 2**stage
        for block in range(count):
            name = f"{prefix}layer{stage + 1}.{block}"
            with_ibn = ibn and stage < 3
            bottleneck(weights, name, channels, planes, ibn=with_ibn, downsample=block == 0)
            channels = 4 * planes


def fast_reid(kind, depth="r50", *, ibn=False, classes=11):
    weights = Weights()
    weights["pixel_mean"] = torch.tensor([123.675, 116.28, 103.53]).reshape(1, 3, 1, 1)
    weights["pixel_std"] = torch.tensor([58.395, 57.12, 57.375]).reshape(1, 3, 1, 1)
    resnet(weights, "backbone.", depth, ibn=ibn)
    if kind in ("agw", "sbs"):
        for stage, count in ((2, 2), (3, 3 if depth == "r50" else 9)):
            channels = 128 * 2**stage
            for number in range(count):
                name = f"backbone.NL_{stage}.{number}"
                for part in ("g", "theta", "phi"):
                    weights.conv(f"{name}.{part}", channels, 1, 1, bias=True)
                weights.conv(f"{name}.W.0", 1, channels, 1, bias=True)
                weights.norm(f"{name}.W.1", channels)
    if kind == "sbs":
        weights["heads.pool_layer.p"] = torch.tensor([2.5])
    weights.norm("heads.bottleneck.0", 2048)
    weights.add("heads.weight", classes, 2048)
    return weights


def fast_reid_mgn(depth="r50", *, ibn=False, classes=11):
    weights = Weights()
    whole = Weights()
    resnet(whole, "", depth, ibn=ibn)
    shared = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3.0": "6"}
    for name, tensor in whole.items():
        for before, after in shared.items():
            if name.startswith(f"{before}."):
                weights[f"backbone.{after}.{name.removeprefix(before + '.')}"] = tensor
    for branch in ("b1", "b2", "b3"):
        for name, tensor in whole.items():
            if name.startswith("layer4."):
                weights[f"{branch}.1.{name.removeprefix('layer4.')}"] = tensor.clone()
            if name.startswith("layer3.") and not name.startswith("layer3.0."):
                number, rest = name.removeprefix("layer3.").split(".", 1)
                weights[f"{branch}.0.{int(number) - 1}.{rest}"] = tensor.clone()
    for head in ("b1", "b2", "b21", "b22", "b3", "b31", "b32", "b33"):
        weights[f"{head}_head.pool_layer.p"] = torch.tensor([2.0])
        weights.conv(f"{head}_head.bottleneck.0", 2048, 256, 1)
        weights.norm(f"{head}_head.bottleneck.1", 256)
        weights.add(f"{head}_head.weight", classes, 256)
    return weights


def torchreid_resnet50(*, fc512=False, classes=11):
    weights = Weights()
    resnet(weights, "")
    width = 2048
    if fc512:
        weights.linear("fc.0", 2048, 512)
        weights.norm("fc.1", 512)
        width = 512
    weights.linear("classifier", width, classes)
    return weights


OSNET_WIDTHS = {
    "x1_0": (64, 256, 384, 512),
    "x0_75": (48, 192, 288, 384),
    "x0_5": (32, 128, 192, 256),
    "x0_25": (16, 64, 96, 128),
}
AIN = {"conv2": (True, True), "conv3": (False, True), "conv4": (True, False)}


def light(weights, name, channels):
    weights.conv(f"{name}.conv1", channels, channels, 1)
    weights.conv(f"{name}.conv2", channels, channels, 3, groups=channels)
    weights.norm(f"{name}.bn", channels)


def conv_bn(weights, name, channels, wanted, kernel=1, *, norm="norm"):
    weights.conv(f"{name}.conv", channels, wanted, kernel)
    if norm:
        getattr(weights, norm)(f"{name}.bn", wanted)


def osnet(width="x0_25", variant="", classes=11):
    """``variant`` is empty, ``ibn`` or ``ain``."""
    weights, widths = Weights(), OSNET_WIDTHS[width]
    conv_bn(weights, "conv1", 3, widths[0], 7, norm="affine" if variant else "norm")
    for place in range(3):
        stage, channels, wanted = f"conv{place + 2}", widths[place], widths[place + 1]
        for block in range(2):
            name, inner = f"{stage}.{block}", wanted // 4
            before = channels if block == 0 else wanted
            conv_bn(weights, f"{name}.conv1", before, inner)
            for stream in range(4):
                for layer in range(stream + 1):
                    if variant == "ain":
                        place_of = f"{name}.conv2.{stream}.layers.{layer}"
                    else:
                        place_of = f"{name}.conv2{'abcd'[stream]}" + (f".{layer}" if stream else "")
                    light(weights, place_of, inner)
            weights.conv(f"{name}.gate.fc1", inner, inner // 16, 1, bias=True)
            weights.conv(f"{name}.gate.fc2", inner // 16, inner, 1, bias=True)
            inside = variant == "ain" and AIN[stage][block]
            conv_bn(weights, f"{name}.conv3", inner, wanted, norm=None if inside else "norm")
            if block == 0:
                conv_bn(weights, f"{name}.downsample", before, wanted)
            if inside or (variant == "ibn" and stage == "conv2"):
                weights.affine(f"{name}.IN", wanted)
        if place < 2:
            transition = f"pool{place + 2}.0" if variant == "ain" else f"{stage}.2.0"
            conv_bn(weights, transition, wanted, wanted)
    conv_bn(weights, "conv5", widths[3], widths[3])
    weights.linear("fc.0", widths[3], 512)
    weights.norm("fc.1", 512)
    weights.linear("classifier", 512, classes)
    return weights


def bag_of_tricks(classes=11):
    weights = Weights()
    resnet(weights, "base.")
    weights.norm("bottleneck", 2048)
    weights.linear("classifier", 2048, classes, bias=False)
    return weights


def layumi(classes=11):
    weights = Weights()
    resnet(weights, "model.")
    weights.linear("model.fc", 2048, 1000)
    weights.linear("classifier.add_block.0", 2048, 512)
    weights.norm("classifier.add_block.1", 512)
    weights.linear("classifier.classifier.0", 512, classes)
    return weights


def released_apnet(level, classes=11):
    weights = Weights()
    resnet(weights, "base.")
    for place, channels in enumerate((64, 256, 512, 1024, 2048), start=1):
        weights.linear(f"att{place}.fc.0", channels, 8, bias=False)
        weights.linear(f"att{place}.fc.2", 8, channels, bias=False)
        if level == 2:
            hidden = max(channels * 2 // 4, 32)
            weights.conv(f"att_s{place}.fc1", channels // 2, hidden, 1, bias=True)
            weights.norm(f"att_s{place}.bn1", hidden)
            weights.conv(f"att_s{place}.fc2", hidden, channels, 1, bias=True)
            weights.norm(f"BN{place}.bottleneck2", channels)
    for part, stages in enumerate((("conv1", "bn1"), *((f"layer{n}",) for n in range(1, 5))), 1):
        for index, stage in enumerate(stages):
            for name, tensor in list(weights.items()):
                if name.startswith(f"base.{stage}."):
                    rest = name.removeprefix(f"base.{stage}.")
                    weights[f"base_{part}.{index}.{rest}"] = tensor
    weights.norm("bottleneck", 2048)
    weights.linear("classifier", 2048, classes, bias=False)
    return weights


def transformer_block(weights, name, width, names):
    norm1, qkv, proj, norm2, fc1, fc2 = names
    weights.affine(f"{name}.{norm1}", width)
    weights.add(f"{name}.{qkv}weight", 3 * width, width, scale=width**-0.5)
    weights.add(f"{name}.{qkv}bias", 3 * width, scale=0.1)
    weights.linear(f"{name}.{proj}", width, width)
    weights.affine(f"{name}.{norm2}", width)
    weights.linear(f"{name}.{fc1}", width, 4 * width)
    weights.linear(f"{name}.{fc2}", 4 * width, width)


TIMM_BLOCK = ("norm1", "attn.qkv.", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
CLIP_BLOCK = ("ln_1", "attn.in_proj_", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")


def tokens(size, stride):
    return ((size[0] - 16) // stride + 1) * ((size[1] - 16) // stride + 1) + 1


def transreid(size=(256, 128), stride=16, width=768, *, sie=False, jpm=False, classes=11):
    weights = Weights()
    weights.add("base.cls_token", 1, 1, width)
    weights.add("base.pos_embed", 1, tokens(size, stride), width, scale=0.3)
    if sie:
        weights.add("base.sie_embed", 6, 1, width, scale=0.3)
    weights.conv("base.patch_embed.proj", 3, width, 16, bias=True)
    for block in range(12):
        transformer_block(weights, f"base.blocks.{block}", width, TIMM_BLOCK)
    weights.affine("base.norm", width)
    weights.linear("base.fc", width, 1000)
    for branch in ("b1", "b2") if jpm else ():
        transformer_block(weights, f"{branch}.0", width, TIMM_BLOCK)
        weights.affine(f"{branch}.1", width)
    for suffix in ("", "_1", "_2", "_3", "_4") if jpm else ("",):
        weights.norm(f"bottleneck{suffix}", width)
        weights.linear(f"classifier{suffix}", width, classes, bias=False)
    return weights


def clip_reid(stride=16, *, sie=False, classes=11):
    weights, width = Weights(), 768
    if sie:
        weights.add("cv_embed", 6, width, scale=0.3)
    for name, wanted in (("", width), ("_proj", 512)):
        weights.linear(f"classifier{name}", wanted, classes, bias=False)
        weights.norm(f"bottleneck{name}", wanted)
    weights.add("image_encoder.class_embedding", width)
    weights.add("image_encoder.positional_embedding", tokens((256, 128), stride), width, scale=0.3)
    weights.add("image_encoder.proj", width, 512, scale=width**-0.5)
    weights.conv("image_encoder.conv1", 3, width, 16)
    weights.affine("image_encoder.ln_pre", width)
    for block in range(12):
        place = f"image_encoder.transformer.resblocks.{block}"
        transformer_block(weights, place, width, CLIP_BLOCK)
    weights.affine("image_encoder.ln_post", width)
    weights.add("prompt_learner.cls_ctx", classes, 4, 512)
    weights.add("prompt_learner.token_prefix", 1, 5, 512)
    weights.add("text_encoder.ln_final.weight", 512)
    weights.add("text_encoder.transformer.resblocks.0.ln_1.weight", 512)
    return weights


TALL = (384, 128)

LAYOUTS = {
    **{f"torchreid/osnet_{width}": (lambda w=width: osnet(w)) for width in OSNET_WIDTHS},
    "torchreid/osnet_ibn_x1_0": lambda: osnet("x1_0", "ibn"),
    **{f"torchreid/osnet_ain_{w}": (lambda w=w: osnet(w, "ain")) for w in OSNET_WIDTHS},
    "torchreid/resnet50": torchreid_resnet50,
    "torchreid/resnet50_fc512": lambda: torchreid_resnet50(fc512=True),
    **{
        f"fast-reid/{kind}_{depth}{'_ibn' if ibn else ''}": (
            lambda k=kind, d=depth, i=ibn: fast_reid(k, d, ibn=i)
        )
        for kind in ("bot", "agw", "sbs")
        for depth in BLOCKS
        for ibn in (False, True)
    },
    **{
        f"fast-reid/mgn_{depth}{'_ibn' if ibn else ''}": (
            lambda d=depth, i=ibn: fast_reid_mgn(d, ibn=i)
        )
        for depth in BLOCKS
        for ibn in (False, True)
    },
    "michuanhaohao/bag_of_tricks": bag_of_tricks,
    "layumi/resnet50": layumi,
    "layumi/resnet50_stride1": layumi,
    "transreid/vit_base": transreid,
    "transreid/vit_base_384": lambda: transreid(TALL),
    "transreid/vit_sie": lambda: transreid(sie=True),
    "transreid/vit_jpm": lambda: transreid(jpm=True),
    "transreid/vit_transreid": lambda: transreid(sie=True, jpm=True),
    "transreid/vit_transreid_384": lambda: transreid(TALL, sie=True, jpm=True),
    "transreid/vit_transreid_stride": lambda: transreid(stride=12, sie=True, jpm=True),
    "transreid/vit_transreid_stride_384": lambda: transreid(TALL, 12, sie=True, jpm=True),
    "personvit/vit_base": transreid,
    "personvit/vit_base_384": lambda: transreid(TALL),
    "personvit/vit_small": lambda: transreid(width=384),
    "personvit/vit_small_384": lambda: transreid(TALL, width=384),
    "clip-reid/vit": clip_reid,
    "clip-reid/vit_sie": lambda: clip_reid(sie=True),
    "clip-reid/vit_stride": lambda: clip_reid(12),
    "clip-reid/vit_sie_stride": lambda: clip_reid(12, sie=True),
    "apnet/released_c1": lambda: released_apnet(1),
    "apnet/released_c2": lambda: released_apnet(2),
    "apnet/released_c1_msmt17": lambda: released_apnet(1),
    "apnet/released_c2_msmt17": lambda: released_apnet(2),
}
"""By architecture: a checkpoint of its layout."""
