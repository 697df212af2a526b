"""The networks of other toolkits by name; adding one is one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apnet.model.network import APNet
from apnet.model.toolkits.mgn import mgn
from apnet.model.toolkits.osnet import Variant, osnet
from apnet.model.toolkits.resnets import ResNetPlan, planned_resnet
from apnet.model.toolkits.vits import ViTPlan, planned_vit
from apnet.naming import look_up

Builder = Callable[[tuple[int, int], int], APNet]
"""Takes the image size, height and width in pixels, and the number of classes."""


def _osnet(widths: tuple[int, int, int, int], variant: Variant = "plain") -> Builder:
    return lambda _size, classes: osnet(widths, variant, num_classes=classes)


def _resnet(plan: ResNetPlan) -> Builder:
    return lambda size, classes: planned_resnet(plan, size, num_classes=classes)


def _mgn(plan: ResNetPlan) -> Builder:
    return lambda size, classes: mgn(plan, size, num_classes=classes)


def _vit(plan: ViTPlan) -> Builder:
    return lambda size, classes: planned_vit(plan, size, num_classes=classes)


_SIE = 3.0
"""What TransReID's configurations multiply the cameras' embedding by."""

_OSNETS = {
    "x1_0": (64, 256, 384, 512),
    "x0_75": (48, 192, 288, 384),
    "x0_5": (32, 128, 192, 256),
    "x0_25": (16, 64, 96, 128),
}
_FAST_RESNETS = {
    "r50": ResNetPlan("resnet50", ceiling=True),
    "r50_ibn": ResNetPlan("resnet50", ceiling=True, ibn=True),
    "r101": ResNetPlan("resnet101", ceiling=True),
    "r101_ibn": ResNetPlan("resnet101", ceiling=True, ibn=True),
}

TOOLKIT_NETWORKS: dict[str, Builder] = {
    **{f"torchreid/osnet_{size}": _osnet(widths) for size, widths in _OSNETS.items()},
    "torchreid/osnet_ibn_x1_0": _osnet(_OSNETS["x1_0"], "ibn"),
    **{f"torchreid/osnet_ain_{size}": _osnet(widths, "ain") for size, widths in _OSNETS.items()},
    "torchreid/resnet50": _resnet(ResNetPlan(last_stride=2, head="none")),
    "torchreid/resnet50_fc512": _resnet(ResNetPlan(head="linear-norm-relu")),
    **{f"fast-reid/bot_{name}": _resnet(plan) for name, plan in _FAST_RESNETS.items()},
    **{
        f"fast-reid/agw_{name}": _resnet(replace(plan, relations=True, pool="generalized"))
        for name, plan in _FAST_RESNETS.items()
    },
    **{
        f"fast-reid/sbs_{name}": _resnet(replace(plan, relations=True, pool="learned"))
        for name, plan in _FAST_RESNETS.items()
    },
    **{f"fast-reid/mgn_{name}": _mgn(plan) for name, plan in _FAST_RESNETS.items()},
    "layumi/resnet50": _resnet(ResNetPlan(last_stride=2, head="linear-norm")),
    "layumi/resnet50_stride1": _resnet(ResNetPlan(head="linear-norm")),
    "transreid/vit_base": _vit(ViTPlan()),
    "transreid/vit_sie": _vit(ViTPlan(camera=_SIE)),
    "transreid/vit_jpm": _vit(ViTPlan(jigsaw=True)),
    "transreid/vit_transreid": _vit(ViTPlan(camera=_SIE, jigsaw=True)),
    "transreid/vit_transreid_stride": _vit(ViTPlan(camera=_SIE, jigsaw=True, stride=12)),
    "personvit/vit_small": _vit(ViTPlan(width=384, heads=6)),
    "clip-reid/vit": _vit(ViTPlan(clip=True)),
    "clip-reid/vit_sie": _vit(ViTPlan(clip=True, camera=1.0)),
    "clip-reid/vit_stride": _vit(ViTPlan(clip=True, stride=12)),
    "clip-reid/vit_sie_stride": _vit(ViTPlan(clip=True, camera=1.0, stride=12)),
}
"""Structures; ``apnet.foreign`` says how files name their weights."""


def toolkit_network(name: str, image_size: tuple[int, int], num_classes: int) -> APNet:
    """Builds a network of another toolkit.

    Args:
        name: in ``TOOLKIT_NETWORKS``.
        image_size: H and W in pixels.
        num_classes: training identities; 0 builds no classifier.

    Raises:
        ConfigError: there is none of this name.
    """
    return look_up("network of another toolkit", name, TOOLKIT_NETWORKS)(image_size, num_classes)
