"""The other projects' forward passes as functions of a state dict, written from their sources.

They share nothing with the package's modules: weights are looked up by the files' names.
"""

import torch
from torch.nn import functional as F


def conv(w, name, x, **how):
    return F.conv2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), **how)


def bn(w, name, x):
    mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    return F.batch_norm(x, mean, variance, w[f"{name}.weight"], w[f"{name}.bias"])


def instance(w, name, x):
    return F.instance_norm(x, weight=w[f"{name}.weight"], bias=w[f"{name}.bias"])


def first_norm(w, name, x):
    if f"{name}.IN.weight" not in w:
        return bn(w, name, x)
    half = x.shape[1] // 2
    return torch.cat([instance(w, f"{name}.IN", x[:, :half]), bn(w, f"{name}.BN", x[:, half:])], 1)


def bottleneck(w, name, x, stride):
    y = first_norm(w, f"{name}.bn1", conv(w, f"{name}.conv1", x)).relu()
    y = bn(w, f"{name}.bn2", conv(w, f"{name}.conv2", y, stride=stride, padding=1)).relu()
    y = bn(w, f"{name}.bn3", conv(w, f"{name}.conv3", y))
    if f"{name}.downsample.0.weight" in w:
        x = bn(w, f"{name}.downsample.1", conv(w, f"{name}.downsample.0", x, stride=stride))
    return (x + y).relu()


def blocks(w, stage):
    return sorted({int(n.removeprefix(f"{stage}.").split(".")[0]) for n in w
                   if n.startswith(f"{stage}.")})  # fmt: skip


def related(w, name, x):
    """fast-reid's non-local block with the relations of all pairs of positions."""
    theta, phi, g = (conv(w, f"{name}.{part}", x).flatten(2) for part in ("theta", "phi", "g"))
    relations = theta.transpose(1, 2) @ phi / phi.shape[2]  # (N, HW, HW)
    y = (relations @ g.transpose(1, 2)).transpose(1, 2).reshape(len(x), 1, *x.shape[2:])
    return bn(w, f"{name}.W.1", conv(w, f"{name}.W.0", y)) + x


def stages(w, prefix, x, last_stride, after=lambda _stage, x: x):
    for stage in range(1, 5):
        found = blocks(w, f"{prefix}layer{stage}")
        relations = blocks(w, f"{prefix}NL_{stage}")
        for block in found:
            stride = {1: 1, 4: last_stride}.get(stage, 2) if block == 0 else 1
            x = bottleneck(w, f"{prefix}layer{stage}.{block}", x, stride)
            if block >= len(found) - len(relations):
                x = related(w, f"{prefix}NL_{stage}.{block - len(found) + len(relations)}", x)
        x = after(stage, x)
    return x


def fast_reid_stem(w, conv_name, bn_name, x):
    x = bn(w, bn_name, conv(w, conv_name, x, stride=2, padding=3)).relu()
    return F.max_pool2d(x, 3, stride=2, ceil_mode=True)


def gem(x, p):
    return x.clamp(min=1e-6).pow(p).mean((2, 3)).pow(1 / p)


def fast_reid(w, images, *, fixed_gem=False):
    x = fast_reid_stem(w, "backbone.conv1", "backbone.bn1", images)
    x = stages(w, "backbone.", x, 1)
    p = 3.0 if fixed_gem else w.get("heads.pool_layer.p")
    pooled = x.mean((2, 3)) if p is None else gem(x, p)
    return bn(w, "heads.bottleneck.0", pooled[..., None, None])[..., 0, 0]


def fast_reid_mgn(w, images):
    x = fast_reid_stem(w, "backbone.0", "backbone.1", images)
    for number, stride in ((4, 1), (5, 2)):
        for block in blocks(w, f"backbone.{number}"):
            x = bottleneck(w, f"backbone.{number}.{block}", x, stride if block == 0 else 1)
    x = bottleneck(w, "backbone.6", x, 2)
    maps = {}
    for branch in ("b1", "b2", "b3"):
        y = x
        for part in ("0", "1"):
            for block in blocks(w, f"{branch}.{part}"):
                y = bottleneck(w, f"{branch}.{part}.{block}", y, 1)
        maps[branch] = y
    maps["b21"], maps["b22"] = torch.chunk(maps["b2"], 2, dim=2)
    maps["b31"], maps["b32"], maps["b33"] = torch.chunk(maps["b3"], 3, dim=2)
    features = []
    for name in ("b1", "b2", "b3", "b21", "b22", "b31", "b32", "b33"):
        pooled = gem(maps[name], w[f"{name}_head.pool_layer.p"])[..., None, None]
        reduced = conv(w, f"{name}_head.bottleneck.0", pooled)
        features.append(bn(w, f"{name}_head.bottleneck.1", reduced)[..., 0, 0])
    return torch.cat(features, 1)


def torchvision_stem(w, prefix, x, *, relu=True):
    x = bn(w, f"{prefix}bn1", conv(w, f"{prefix}conv1", x, stride=2, padding=3))
    return F.max_pool2d(x.relu() if relu else x, 3, stride=2, padding=1)


def plain_resnet(w, prefix, images, last_stride):
    x = stages(w, prefix, torchvision_stem(w, prefix, images), last_stride)
    return x.mean((2, 3))


def linear(w, name, x):
    return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def torchreid_resnet50(w, images):
    fc = "fc.0.weight" in w
    x = plain_resnet(w, "", images, 1 if fc else 2)
    return bn(w, "fc.1", linear(w, "fc.0", x)).relu() if fc else x


def bag_of_tricks(w, images):
    return bn(w, "bottleneck", plain_resnet(w, "base.", images, 1))


def layumi(w, images, last_stride=2):
    x = linear(w, "classifier.add_block.0", plain_resnet(w, "model.", images, last_stride))
    return bn(w, "classifier.add_block.1", x)


def released_apnet(w, images, *, logits=False):
    def attend(stage, x):
        place = stage + 1
        if f"att_s{place}.fc1.weight" in w:
            parts = torch.stack(torch.chunk(x, 2, dim=1), 1)  # (N, 2, C/2, H, W)
            pooled = parts.sum(1).mean((2, 3), keepdim=True)
            hidden = bn(w, f"att_s{place}.bn1", conv(w, f"att_s{place}.fc1", pooled)).relu()
            scores = conv(w, f"att_s{place}.fc2", hidden).reshape(len(x), 2, -1, 1, 1)
            x = bn(w, f"BN{place}.bottleneck2", (parts * scores.softmax(1)).flatten(1, 2))
        pooled = x.mean((2, 3))
        gate = linear(w, f"att{place}.fc.2", linear(w, f"att{place}.fc.0", pooled).relu()).sigmoid()
        return x * gate[..., None, None]

    x = attend(0, torchvision_stem(w, "base.", images, relu=False))
    x = stages(w, "base.", x, 1, attend).mean((2, 3))
    x = bn(w, "bottleneck", x)
    return linear(w, "classifier", x) if logits else x


def osnet(w, images):
    def unit(name, x, relu=True, **how):
        x = conv(w, f"{name}.conv", x, **how)
        if f"{name}.bn.running_mean" in w:
            x = bn(w, f"{name}.bn", x)
        elif f"{name}.bn.weight" in w:
            x = instance(w, f"{name}.bn", x)
        return x.relu() if relu else x

    def light(name, x):
        x = conv(w, f"{name}.conv1", x)
        x = conv(w, f"{name}.conv2", x, padding=1, groups=x.shape[1])
        return bn(w, f"{name}.bn", x).relu()

    def stream(block, number, x):
        for layer in range(number + 1):
            ain = f"{block}.conv2.{number}.layers.{layer}"
            plain = f"{block}.conv2{'abcd'[number]}" + (f".{layer}" if number else "")
            x = light(ain if f"{ain}.bn.weight" in w else plain, x)
        hidden = conv(w, f"{block}.gate.fc1", F.adaptive_avg_pool2d(x, 1)).relu()
        return x * torch.sigmoid(conv(w, f"{block}.gate.fc2", hidden))

    def omni(block, x):
        squeezed = unit(f"{block}.conv1", x)
        total = sum(stream(block, number, squeezed) for number in range(4))
        y = unit(f"{block}.conv3", total, relu=False)
        inside = f"{block}.conv3.bn.weight" not in w
        if inside:
            y = instance(w, f"{block}.IN", y)
        if f"{block}.downsample.conv.weight" in w:
            x = unit(f"{block}.downsample", x, relu=False)
        y = y + x
        if not inside and f"{block}.IN.weight" in w:
            y = instance(w, f"{block}.IN", y)
        return y.relu()

    x = F.max_pool2d(unit("conv1", images, stride=2, padding=3), 3, stride=2, padding=1)
    for stage in (2, 3, 4):
        x = omni(f"conv{stage}.1", omni(f"conv{stage}.0", x))
        if stage < 4:
            ain = f"pool{stage}.0"
            x = F.avg_pool2d(unit(ain if f"{ain}.conv.weight" in w else f"conv{stage}.2.0", x), 2)
    x = unit("conv5", x).mean((2, 3))
    return bn(w, "fc.1", linear(w, "fc.0", x)).relu()


def layer_norm(w, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], eps)


def block(w, name, x, names, heads, eps, activation):
    norm1, qkv, proj, norm2, fc1, fc2 = names
    n, length, width = x.shape
    y = layer_norm(w, f"{name}.{norm1}", x, eps)
    y = F.linear(y, w[f"{name}.{qkv}weight"], w[f"{name}.{qkv}bias"])
    q, k, v = y.reshape(n, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    attention = ((q @ k.transpose(-2, -1)) * (width // heads) ** -0.5).softmax(-1)
    y = (attention @ v).transpose(1, 2).reshape(n, length, width)
    x = x + linear(w, f"{name}.{proj}", y)
    y = activation(linear(w, f"{name}.{fc1}", layer_norm(w, f"{name}.{norm2}", x, eps)))
    return x + linear(w, f"{name}.{fc2}", y)


TIMM = ("norm1", "attn.qkv.", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
CLIP = ("ln_1", "attn.in_proj_", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")


def halved(images):
    """Images normalised by ImageNet's figures, normalised by one half instead."""
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    return (images * std + mean - 0.5) / 0.5


def shuffled(x, shift=5, groups=2):
    x = torch.cat([x[:, shift:], x[:, 1:shift]], dim=1)
    n, _, width = x.shape
    return x.reshape(n, groups, -1, width).transpose(1, 2).reshape(n, -1, width)


def transreid(w, images, stride=16):
    width = w["base.cls_token"].shape[-1]

    def apply(name, x):
        return block(w, name, x, TIMM, width // 64, 1e-6, F.gelu)

    x = conv(w, "base.patch_embed.proj", halved(images), stride=stride).flatten(2).transpose(1, 2)
    x = torch.cat([w["base.cls_token"].expand(len(x), -1, -1), x], 1) + w["base.pos_embed"]
    if "base.sie_embed" in w:
        x = x + 3.0 * w["base.sie_embed"].mean(0)
    if "b1.1.weight" not in w:
        for number in range(12):
            x = apply(f"base.blocks.{number}", x)
        return layer_norm(w, "base.norm", x, 1e-6)[:, 0]
    for number in range(11):
        x = apply(f"base.blocks.{number}", x)
    features = [layer_norm(w, "b1.1", apply("b1.0", x), 1e-6)[:, 0]]
    patches, length = shuffled(x), (x.shape[1] - 1) // 4
    for part in range(4):
        group = patches[:, part * length : (part + 1) * length]
        local = layer_norm(w, "b2.1", apply("b2.0", torch.cat([x[:, :1], group], 1)), 1e-6)
        features.append(local[:, 0] / 4)
    return torch.cat(features, 1)


def clip_reid(w, images, stride=16):
    def name(part):
        return f"image_encoder.{part}"

    x = conv(w, name("conv1"), halved(images), stride=stride).flatten(2).transpose(1, 2)
    token = w[name("class_embedding")]
    if "cv_embed" in w:
        token = token + w["cv_embed"].mean(0)
    x = torch.cat([token.expand(len(x), 1, -1), x], 1) + w[name("positional_embedding")]
    x = layer_norm(w, name("ln_pre"), x, 1e-5)
    for number in range(12):
        place = name(f"transformer.resblocks.{number}")
        x = block(w, place, x, CLIP, 12, 1e-5, lambda y: y * torch.sigmoid(1.702 * y))
    x = layer_norm(w, name("ln_post"), x, 1e-5)
    return torch.cat([x[:, 0], x[:, 0] @ w[name("proj")]], 1)
