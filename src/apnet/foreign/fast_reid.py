"""fast-reid (He et al.): bag of tricks, AGW, SBS and MGN on ResNets, with and without IBN."""

from __future__ import annotations

import re

from apnet.foreign.architecture import Architecture, Rule, resnet_rules, toolkit

_RESNETS = ("r50", "r50_ibn", "r101", "r101_ibn")
_SIZES = {"bot": (256, 128), "agw": (256, 128), "sbs": (384, 128), "mgn": (384, 128)}
_UNUSED = r"((\w+_)?heads?\.(weight|classifier\..*|cls_layer\..*)|pixel_mean|pixel_std)"

_IBN: tuple[Rule, ...] = ((r"\.bn1\.instance\.", ".bn1.IN."), (r"\.bn1\.batch\.", ".bn1.BN."))
_BASELINE: tuple[Rule, ...] = (
    (r"^trunk\.(layer\d)\.body\.blocks\.", r"backbone.\1."),
    (r"^trunk\.layer(\d)\.body\.relations\.", r"backbone.NL_\1."),
    *resnet_rules("backbone."),
    (r"^(backbone\.NL_\d\.\d+)\.value\.", r"\1.g."),
    (r"^(backbone\.NL_\d\.\d+)\.query\.", r"\1.theta."),
    (r"^(backbone\.NL_\d\.\d+)\.key\.", r"\1.phi."),
    (r"^(backbone\.NL_\d\.\d+)\.out\.", r"\1.W."),
    (r"^branches\.0\.heads\.0\.neck\.", "heads.bottleneck.0."),
    (r"^branches\.0\.pool\.p$", "heads.pool_layer.p"),
    *_IBN,
)

_MGN_HEADS = ("b1", "b2", "b3", "b21", "b22", "b31", "b32", "b33")


def _head(match: re.Match[str]) -> str:
    return f"{_MGN_HEADS[int(match[1])]}_head."


def _branch(match: re.Match[str]) -> str:
    return f"b{int(match[1]) + 1}.{match[2]}."


_MGN: tuple[Rule, ...] = (
    (r"^trunk\.0\.conv1\.", "backbone.0."),
    (r"^trunk\.0\.bn1\.", "backbone.1."),
    (r"^trunk\.1\.body\.", "backbone.4."),
    (r"^trunk\.2\.body\.", "backbone.5."),
    (r"^trunk\.3\.", "backbone.6."),
    (r"^branches\.0\.pool\.branches\.(\d)\.(\d)\.(?:body\.)?", _branch),
    (r"^branches\.0\.pool\.means\.(\d)\.p", lambda match: f"{_head(match)}pool_layer.p"),
    (r"^branches\.0\.heads\.(\d)\.", _head),
    (r"_head\.project\.", "_head.bottleneck.0."),
    (r"_head\.neck\.", "_head.bottleneck.1."),
    *_IBN,
)

FAST_REID: dict[str, Architecture] = {
    f"fast-reid/{head}_{resnet}": Architecture(
        toolkit(f"fast-reid/{head}_{resnet}", size),
        _MGN if head == "mgn" else _BASELINE,
        _UNUSED,
    )
    for head, size in _SIZES.items()
    for resnet in _RESNETS
}
