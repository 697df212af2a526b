"""The networks of the paper by name."""

from __future__ import annotations

from typing import Any

from apnet.config.network import NetworkConfig
from apnet.naming import look_up

_SPATIAL: dict[str, Any] = {"attention": "spatial", "image_size": (256, 128)}
_PLAIN: dict[str, Any] = {"attention": "none", "parts": ()}
_SMALL: dict[str, Any] = {
    "backbone": "resnet18",
    "backbone_options": {"channels": [32, 64, 128, 256]},
    "image_size": (128, 64),
}
_SMALL_SPATIAL: dict[str, Any] = {**_SPATIAL, **_SMALL}
_PYRAMID_REID: dict[str, Any] = {"arrangement": "pyramid-reid", **_PLAIN}
_SCSN: dict[str, Any] = {"arrangement": "scsn", **_PLAIN}

PRESETS: dict[str, NetworkConfig] = {
    "apnet-c0": NetworkConfig(attention="none", parts=()),
    "apnet-c1": NetworkConfig(parts=(1,)),
    "apnet-c2": NetworkConfig(parts=(1, 2)),
    "apnet-c3": NetworkConfig(parts=(1, 2, 4)),
    "apnet-s0": NetworkConfig(attention="none", parts=(), image_size=(256, 128)),
    "apnet-s1": NetworkConfig(parts=(1,), **_SPATIAL),
    "apnet-s2": NetworkConfig(parts=(1, 2), **_SPATIAL),
    "apnet-s3": NetworkConfig(parts=(1, 2, 4), **_SPATIAL),
    "stacked-c": NetworkConfig(parts=(1, 1, 1)),
    "stacked-s": NetworkConfig(parts=(1, 1, 1), **_SPATIAL),
    "se-resnet50": NetworkConfig(backbone="seresnet50", **_PLAIN),
    "rga-s": NetworkConfig(parts=(1,), **_SPATIAL),
    "apnet-c2-multipart": NetworkConfig(multipart=True),
    "released-c1": NetworkConfig(parts=(1,), arrangement="released"),
    "released-c2": NetworkConfig(parts=(1, 2), arrangement="released"),
    "released-c3": NetworkConfig(parts=(1, 2, 4), arrangement="released"),
    "pyramid-reid": NetworkConfig(backbone="resnet101", image_size=(384, 128), **_PYRAMID_REID),
    "scsn": NetworkConfig(image_size=(384, 128), **_SCSN),
    "apnet-c0-small": NetworkConfig(**_SMALL, **_PLAIN),
    "apnet-c1-small": NetworkConfig(parts=(1,), **_SMALL),
    "apnet-c2-small": NetworkConfig(**_SMALL),
    "apnet-c3-small": NetworkConfig(parts=(1, 2, 4), **_SMALL),
    "apnet-s1-small": NetworkConfig(parts=(1,), **_SMALL_SPATIAL),
    "apnet-s2-small": NetworkConfig(parts=(1, 2), **_SMALL_SPATIAL),
    "apnet-s3-small": NetworkConfig(parts=(1, 2, 4), **_SMALL_SPATIAL),
    "stacked-c-small": NetworkConfig(parts=(1, 1, 1), **_SMALL),
    "stacked-s-small": NetworkConfig(parts=(1, 1, 1), **_SMALL_SPATIAL),
    "se-small": NetworkConfig(**{**_SMALL, "backbone": "seresnet18"}, **_PLAIN),
    "pyramid-reid-small": NetworkConfig(**_SMALL, **_PYRAMID_REID),
    "scsn-small": NetworkConfig(**_SMALL, **_SCSN),
    "apnet-c2-lite": NetworkConfig(backbone="tf_efficientnet_lite0", image_size=(128, 64)),
}
"""Tables II and III, the CUHK03 variant, the released code's networks, and small ones."""


def preset(name: str) -> NetworkConfig:
    """Returns a network's config by name.

    Raises:
        ConfigError: there is no such preset.
    """
    return look_up("preset", name, PRESETS)
