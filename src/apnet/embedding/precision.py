"""The arithmetic that ``auto`` means for a network: bf16 only where its features agree.

A library may compute some operations wrongly in bf16 on some processors. oneDNN as of torch 2.15
gives wrong numbers or NaN for convolutions whose kernel equals the stride and whose output is one
column wide, on processors with AMX.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Literal, get_args
from weakref import WeakKeyDictionary

from apnet.devices import Precision, choose_precision
from apnet.embedding.agreement import STRICT, agreement, features_of, sample_images
from apnet.embedding.backends import Arithmetic
from apnet.embedding.engines.eager import unchanged_backend
from apnet.embedding.fixed import Embeddable, FixedNetwork
from apnet.errors import ConfigError
from apnet.model import APNet
from apnet.model.shapes import evaluating
from apnet.types import ImageRecord

WantedPrecision = Literal["auto", "float32", "bf16"]

LEAST_COSINE = STRICT.cosine
"""Of every compared image's features in bf16 with those in float32. The order of few images says
little, and untrained networks order them by their last bits, so it is not asked for."""

COMPARED = 8
"""Images that are compared."""

Notify = Callable[[str], None]
_checked: WeakKeyDictionary[APNet, dict[tuple[str, int, int], Precision]] = WeakKeyDictionary()


def checked_precision(
    wanted: WantedPrecision,
    network: Embeddable,
    records: Sequence[ImageRecord],
    image_size: tuple[int, int],
    *,
    notify: Notify = warnings.warn,
) -> Arithmetic:
    """Resolves ``auto`` for a network; names stay as they are.

    ``auto`` is bf16 where the device gains from it and the features of ``COMPARED`` of the images
    are finite and have a cosine of at least ``LEAST_COSINE`` with those in float32. They are
    compared once per network, device and image size.

    Args:
        wanted: ``auto``, ``float32`` or ``bf16``.
        network: on its device; its mode is restored.
        records: the images that will be computed; unreadable ones are not compared.
        image_size: height and width in pixels.
        notify: told where bf16 does not agree, in one line.

    Raises:
        ConfigError: the name does not exist, or the network is computed in another arithmetic only.
    """
    if wanted not in get_args(WantedPrecision):
        raise ConfigError(f"precision '{wanted}': choose {', '.join(get_args(WantedPrecision))}")
    if isinstance(network, FixedNetwork):
        return network.backend(wanted).precision
    device = next(network.parameters()).device
    chosen = choose_precision(wanted, device)
    if wanted != "auto" or chosen == "float32":
        return chosen
    known = _checked.setdefault(network, {})
    case = (str(device), *image_size)
    if case not in known:
        complaint = _disagreement(network, records, image_size)
        known[case] = "float32" if complaint else "bf16"
        if complaint:
            notify(complaint)
    return known[case]


def _disagreement(
    network: APNet, records: Sequence[ImageRecord], image_size: tuple[int, int]
) -> str | None:
    """Returns why the network may not compute in bf16; ``None`` where it may."""
    images = sample_images(records, image_size, COMPARED)
    if not len(images):  # whatever computes them reports that
        return None
    with evaluating(network):
        expected = features_of(unchanged_backend(network, "float32"), images)
        found = features_of(unchanged_backend(network, "bf16"), images)
    cosine = agreement(expected, found).cosine
    if cosine >= LEAST_COSINE:  # NaN is not
        return None
    return (
        f"bf16 gives wrong features at {image_size[0]}x{image_size[1]} here (smallest cosine with "
        f"float32 {cosine:.5f}, at least {LEAST_COSINE:g} is needed); computing in float32"
    )
