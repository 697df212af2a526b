"""Single repositories: michuanhaohao's bag of tricks, layumi's baseline, the authors' APNet."""

from __future__ import annotations

from apnet.config import NetworkConfig
from apnet.foreign.architecture import Architecture, Rule, resnet_rules, toolkit

_NECK: Rule = (r"^branches\.0\.heads\.0\.neck\.", "bottleneck.")
_BAG_OF_TRICKS = NetworkConfig(attention="none", parts=(), image_size=(256, 128))

_LAYUMI: tuple[Rule, ...] = (
    *resnet_rules("model."),
    (r"^branches\.0\.heads\.0\.project\.", "classifier.add_block."),
)
_LAYUMI_UNUSED = r"(classifier\.classifier|model\.fc)\..*"

_PLACE = r"^trunk\.(?:stem|layer(\d))\.pyramid\."


def _numbered(name: str) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for number in range(1, 6))


def _placed(pattern: str, before: str, after: str) -> Rule:
    """The places are numbered from 1, the stem's, to 5."""
    return (
        _PLACE + pattern,
        lambda match: f"{before}{int(match[1] or 0) + 1}{after}",
    )


_APNET: tuple[Rule, ...] = (
    _placed(r"splits\.0\.weigh\.0\.", "att_s", ".fc1."),
    _placed(r"splits\.0\.weigh\.1\.", "att_s", ".bn1."),
    _placed(r"splits\.0\.weigh\.3\.", "att_s", ".fc2."),
    _placed(r"norms\.0\.", "BN", ".bottleneck2."),
    _placed(r"overall\.squeeze\.", "att", ".fc.0."),
    _placed(r"overall\.excite\.", "att", ".fc.2."),
    *resnet_rules("base."),
    _NECK,
    (r"^branches\.0\.heads\.0\.classifier\.", "classifier."),
)
_APNET_TWICE = r"base_\d\..*"
"""The backbone's stages, which the released code registers a second time."""


def _apnet(parts: tuple[int, ...], *, logits: bool = False) -> Architecture:
    config = NetworkConfig(
        arrangement="released", parts=parts, feature="logits" if logits else "bn"
    )
    if logits:
        return Architecture(config, _APNET, _APNET_TWICE, False, "classifier.weight")
    return Architecture(config, _APNET, rf"classifier\..*|{_APNET_TWICE}")


BASELINES: dict[str, Architecture] = {
    "michuanhaohao/bag_of_tricks": Architecture(_BAG_OF_TRICKS, (*resnet_rules("base."), _NECK)),
    "layumi/resnet50": Architecture(
        toolkit("layumi/resnet50", (256, 128)), _LAYUMI, _LAYUMI_UNUSED
    ),
    "layumi/resnet50_stride1": Architecture(
        toolkit("layumi/resnet50_stride1", (256, 128)), _LAYUMI, _LAYUMI_UNUSED, guessed=False
    ),
    "apnet/released_c1": _apnet((1,)),
    "apnet/released_c2": _apnet((1, 2)),
    "apnet/released_c1_msmt17": _apnet((1,), logits=True),
    "apnet/released_c2_msmt17": _apnet((1, 2), logits=True),
}
