"""The verb ``export``: a network into a file that other programs run, if it agrees."""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

from apnet.arguments import AnyPath, as_path
from apnet.display import summarised
from apnet.exported.metadata import ExportMetadata, Pixels, Precision
from apnet.exported.reading import load_exported
from apnet.exporting.describing import described
from apnet.exporting.gate import (
    GateResult,
    check_gate,
    exported_features,
    limits_of,
    measured,
    original_features,
)
from apnet.exporting.images import gate_images
from apnet.exporting.options import Wanted, chosen_options
from apnet.exporting.plan import ExportJob
from apnet.exporting.staging import staged
from apnet.models import AnyModel, as_model

SHIPPED = "shipped"
"""Names the shipped network, where a path would name another."""


@summarised
@dataclasses.dataclass(frozen=True, repr=False)
class Exported:
    """What an export wrote.

    Attributes:
        path: the file, or folder of a preset.
        metadata: what the file says about itself.
        gate: how far it agrees with the original.
        bytes: size of all that was written.
    """

    path: Path
    metadata: ExportMetadata
    gate: GateResult
    bytes: int


def export(
    model: AnyModel,
    to: str | None = None,
    out: AnyPath | None = None,
    *,
    images: AnyPath | None = None,
    preset: str | None = None,
    pixels: Pixels | None = None,
    input_size: tuple[int, int] | None = None,
    flip: bool | None = None,
    precision: Precision = "float32",
    notify: Callable[[str], None] = warnings.warn,
) -> Exported:
    """Exports a network into a file that other programs run, if its features agree.

    The same images run through the original and the finished file. Nothing is left under the
    file's name unless largest difference, smallest cosine and rank agreement are within the limits
    of ``apnet.exporting.gate``.

    Args:
        model: as for ``load_model``; ``None`` or ``"shipped"`` for the shipped network.
        to: ``onnx``, ``openvino``, ``torch`` or ``tensorrt-script``; a preset may say it.
        out: the file to write, with the target's ending; a folder for ``openvino-model-server``.
        images: a folder of crops like those that the file will see: 64 of them are compared. By
            default 32 pictures of synthetic people are rendered.
        preset: ``ultralytics``, ``boxmot`` or ``openvino-model-server``: what that program expects.
        pixels: what the input holds: ``uint8`` (N, H, W, 3), ``unit`` (N, 3, H, W) RGB / 255, or
            ``normalised`` by ImageNet's mean and deviation.
        input_size: height and width of the input, resized inside the graph to the network's own.
        flip: whether the mirror image's feature is added inside; it is by default.
        precision: ``float32``, ``float16``, or ``int8`` (calibrated on ``images``).
        notify: told about files in ``images`` that are left out; a warning by default.

    Raises:
        TypeError: an argument is of a type that is not taken.
        ConfigError: a name does not exist, the choices do not go together, the network has an
            operator that the target lacks, or the file does not agree with the original.
        CheckpointError: the checkpoint is missing or damaged.
        DataError: the images cannot be used, or the file cannot be written.
        MissingExtraError: the target's packages are not installed.
    """
    loaded = as_model(None if isinstance(model, str) and model == SHIPPED else model)
    network = loaded.network
    wanted = Wanted(to, out, preset, pixels, input_size, flip, precision)
    chosen = chosen_options(wanted, loaded.image_size)
    compared, calibration = gate_images(
        None if images is None else as_path(images, "images"),
        chosen.plan.input_size,
        calibrate=precision == "int8",
        notify=notify,
    )
    metadata = described(loaded, chosen.plan, calibration)
    plain = copy.deepcopy(network).to("cpu").eval()
    expected = original_features(network, chosen.plan, compared)
    with staged(chosen.out) as folder:
        main = chosen.main(folder)
        main.parent.mkdir(parents=True, exist_ok=True)
        job = ExportJob(
            plain, chosen.plan, metadata, chosen.properties(metadata), calibration, main
        )
        chosen.target.write(job)
        read = main.with_suffix(chosen.target.reader or main.suffix)
        gate = measured(
            expected, exported_features(load_exported(read), compared), limits_of(chosen.plan)
        )
        check_gate(gate, str(chosen.out))
        size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    return Exported(chosen.out, metadata, gate, size)
