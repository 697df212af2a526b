"""The verb ``export``: a network into a file that other programs run, if it agrees."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from apnet._version import __version__
from apnet.arguments import AnyPath, as_path
from apnet.config import to_dict
from apnet.display import summarised
from apnet.exported.metadata import (
    ExportMetadata,
    Pixels,
    Precision,
    derived_fingerprint,
    preprocessing,
)
from apnet.exported.reading import load_exported
from apnet.exporting.gate import (
    GateResult,
    check_gate,
    exported_features,
    limits_of,
    measured,
    original_features,
)
from apnet.exporting.images import gate_images
from apnet.exporting.options import Chosen, Wanted, chosen_options
from apnet.exporting.plan import ExportJob
from apnet.exporting.staging import staged
from apnet.models import AnyModel, Model, as_model


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
        model: as for ``load_model``; ``None`` for the shipped network.
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
    loaded = as_model(model)
    network = loaded.network
    wanted = Wanted(to, out, preset, pixels, input_size, flip, precision)
    chosen = chosen_options(wanted, loaded.image_size)
    compared, calibration = gate_images(
        None if images is None else as_path(images, "images"),
        chosen.plan.input_size,
        calibrate=precision == "int8",
        notify=notify,
    )
    metadata = _metadata(loaded, chosen, calibration)
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


def _metadata(model: Model, chosen: Chosen, calibration: Tensor) -> ExportMetadata:
    plan = chosen.plan
    differences: list[str] = []
    if plan.precision != "float32":
        differences.append(plan.precision)
    if plan.precision == "int8":
        pixels = calibration.contiguous().numpy().tobytes()
        differences.append(hashlib.sha256(pixels).hexdigest())
    if plan.resizes:
        differences.append(f"from {plan.input_size[0]}x{plan.input_size[1]}")
    facts = dict(model.facts)
    noted = facts.get("calibration")
    return ExportMetadata(
        fingerprint=derived_fingerprint(model.fingerprint, *differences),
        network_fingerprint=model.fingerprint,
        precision=plan.precision,
        pixels=plan.pixels,
        input_size=plan.input_size,
        mirror=plan.flip,
        dimensions=model.embedder.feature_dim,
        network=to_dict(model.config),
        facts=facts,
        calibration=noted if isinstance(noted, dict) else None,
        preprocessing=preprocessing(plan.pixels, plan.input_size),
        version=__version__,
    )
