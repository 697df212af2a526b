"""torchreid (Zhou): OSNet in its widths and variants, ResNet-50."""

from __future__ import annotations

import re

from apnet.foreign.architecture import Architecture, Rule, resnet_rules, toolkit

_SIZE = (256, 128)
_WIDTHS = ("x1_0", "x0_75", "x0_5", "x0_25")
_HEAD: Rule = (r"^branches\.0\.heads\.0\.project\.", "fc.")


def _stream(match: re.Match[str]) -> str:
    """The stream of one convolution is a module, the others are sequences: conv2a, conv2b.0."""
    stream, layer = int(match[1]), match[2]
    return ".conv2a." if stream == 0 else f".conv2{'abcd'[stream]}.{layer}."


_BLOCK: tuple[Rule, ...] = (
    (r"\.squeeze\.", ".conv1."),
    (r"\.pointwise\.", ".conv1."),
    (r"\.depthwise\.", ".conv2."),
    (r"\.expand\.", ".conv3."),
    (r"\.shortcut\.", ".downsample."),
    (r"\.instance\.", ".IN."),
    (r"\.norm\.", ".bn."),
)
_OSNET: tuple[Rule, ...] = (
    (r"^trunk\.stem\.conv\.", "conv1."),
    (r"^trunk\.(conv[23])\.body\.transition\.", r"\1.2.0."),
    (r"^trunk\.conv5\.body\.", "conv5."),
    (r"^trunk\.(conv\d)\.body\.", r"\1."),
    (r"\.streams\.(\d)\.(\d)\.", _stream),
    *_BLOCK,
    _HEAD,
)
_AIN: tuple[Rule, ...] = (
    (r"^trunk\.conv([23])\.body\.transition\.", r"pool\1.0."),
    (r"\.streams\.(\d)\.(\d)\.", r".conv2.\1.layers.\2."),
    *_OSNET,
)

TORCHREID: dict[str, Architecture] = {
    **{
        f"torchreid/osnet_{name}": Architecture(toolkit(f"torchreid/osnet_{name}", _SIZE), _OSNET)
        for name in (*_WIDTHS, "ibn_x1_0")
    },
    **{
        f"torchreid/osnet_ain_{width}": Architecture(
            toolkit(f"torchreid/osnet_ain_{width}", _SIZE), _AIN
        )
        for width in _WIDTHS
    },
    **{
        f"torchreid/{name}": Architecture(
            toolkit(f"torchreid/{name}", _SIZE), (*resnet_rules(""), _HEAD)
        )
        for name in ("resnet50", "resnet50_fc512")
    },
}
