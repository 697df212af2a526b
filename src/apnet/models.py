"""A trained network ready for use, and the ways to name one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apnet.arguments import AnyPath, as_path, described
from apnet.checkpoints import Checkpoint, load_checkpoint, network_checkpoint
from apnet.config import NetworkConfig
from apnet.devices import Precision, choose_device
from apnet.display import summarised
from apnet.embedding.engines.eager import unchanged_backend
from apnet.embedding.fixed import Embeddable
from apnet.embedding.inputs import ImageInput, box_inputs, image_inputs
from apnet.embedding.stream import BATCH_SIZE, EmbedOptions, embed_stream
from apnet.errors import ConfigError
from apnet.exported.reading import ExportedFile, is_exported, load_exported
from apnet.foreign import is_foreign, load_foreign
from apnet.model import APNet
from apnet.model.shapes import evaluating
from apnet.progress import Progress, silent
from apnet.shipped import default_checkpoint
from apnet.types import Embeddings

AnyDevice = str | torch.device
"""A device as people write it: ``auto``, ``cpu``, ``cuda:1``, or torch's own."""


@summarised
@dataclass(frozen=True, repr=False)
class Model:
    """A trained network with what it needs to be used: image size, feature, fingerprint.

    Attributes:
        checkpoint: the network, its config, and where they came from; or an exported file.
    """

    checkpoint: Checkpoint | ExportedFile

    @property
    def network(self) -> APNet:
        """The network, in evaluation mode, on ``device``.

        Raises:
            ConfigError: it is an exported file, which computes features only.
        """
        if isinstance(self.checkpoint, ExportedFile):
            raise ConfigError(
                f"{self.path}: an exported file computes features only; name the checkpoint that "
                "it was made from"
            )
        return self.checkpoint.network

    @property
    def embedder(self) -> Embeddable:
        """What computes features: the network, or the exported file."""
        return self.checkpoint.network

    @property
    def config(self) -> NetworkConfig:
        """Its structure and image size."""
        return self.checkpoint.config

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the sha256 over config and weights."""
        return self.checkpoint.fingerprint

    @property
    def path(self) -> Path:
        """The file or folder that it came from."""
        return self.checkpoint.path

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the writer noted: epoch, data set, seed."""
        return self.checkpoint.facts

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels that images are resized to."""
        return self.config.image_size

    @property
    def device(self) -> torch.device:
        """Where the network runs; the CPU for exported files."""
        if isinstance(self.checkpoint, ExportedFile):
            return torch.device("cpu")
        return next(self.network.parameters()).device

    def to(self, device: AnyDevice) -> Model:
        """Moves the network to a device, and returns this model; exported files stay on the CPU.

        Raises:
            ConfigError: the device is not there.
        """
        chosen = choose_device(device)
        if isinstance(self.checkpoint, ExportedFile):
            return self
        self.network.to(chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def embed(
        self,
        images: Any,
        *,
        boxes: Any = None,
        bgr: bool = False,
        flip: bool = True,
        precision: Precision = "float32",
        batch_size: int = BATCH_SIZE,
        workers: int = 0,
        progress: Progress = silent,
        notify: Callable[[str], None] = warnings.warn,
    ) -> Embeddings:
        """Turns images of people into embeddings, one row per image or box.

        Args:
            images: paths of images, folders or tables, Pillow images, uint8 numpy arrays
                (H, W, 3) or (N, H, W, 3), tensors (3, H, W) or (N, 3, H, W), or a list of any of
                them; with ``boxes``, one frame.
            boxes: (N, 4) x1, y1, x2, y2 in pixels of the frame, clipped to it; N may be 0.
            bgr: whether numpy arrays are BGR, as OpenCV reads them, instead of RGB.
            flip: whether to add the mirror image's feature (section IV-A).
            precision: arithmetic of the network.
            batch_size: images in one forward pass, 1 or more.
            workers: threads that decode beside the network; 0 and 1 both mean one.
            progress: called with (images done, images in all).
            notify: told about files in folders that are left out; a warning by default.

        Returns:
            L2-normalised float32 features, with identity and camera where a file's name or a table
            tells them, and paths if all images came from files.

        Raises:
            TypeError: an image is of a type that is not taken.
            DataError: an image cannot be used; an array or box has the wrong shape, type or range.

        Example:
            >>> import numpy, apnet
            >>> frame = numpy.zeros((480, 640, 3), numpy.uint8)
            >>> len(apnet.load_model().embed(frame, boxes=[[10, 20, 110, 320], [600, 0, 700, 90]]))
            2
        """
        if boxes is None:
            inputs = image_inputs(images, bgr=bgr, notify=notify)
        else:
            inputs = box_inputs(images, boxes, bgr=bgr, notify=notify)
        options = EmbedOptions(
            self.image_size, flip, threads=max(workers, 1), batch_size=batch_size
        )
        return embed_inputs(self, inputs, options, precision, progress)

    def _title(self) -> str:
        return f"Model {self.fingerprint}"

    def _rows(self) -> dict[str, object]:
        if isinstance(self.checkpoint, ExportedFile):
            return self.checkpoint.rows()
        config, parameters = self.config, sum(each.numel() for each in self.network.parameters())
        rows: dict[str, object] = {
            "backbone": f"{config.backbone}, {parameters / 1e6:.2f} M parameters",
            "attention": f"{config.attention}, parts {config.parts}" if config.parts else "none",
            "input": "x".join(map(str, self.image_size)) + " (height x width)",
            "feature": f"{config.feature}, {self.network.feature_dim:,} numbers",
            "from": self.path,
            "device": self.device,
        }
        facts = {name: value for name, value in self.facts.items() if name in ("epoch", "seed")}
        return {**rows, **({"training": facts} if facts else {})}


AnyModel = Model | Checkpoint | ExportedFile | APNet | AnyPath | None
"""What verbs take as a model; ``None`` is the shipped network."""


def load_model(
    source: AnyModel = None,
    *,
    device: AnyDevice = "auto",
    network: APNet | None = None,
    image_size: tuple[int, int] | None = None,
    architecture: str | None = None,
) -> Model:
    """Loads a trained network for use.

    Args:
        source: a run folder, checkpoint file, file that ``export`` wrote, or checkpoint of another
            toolkit; nothing for the shipped network. A checkpoint, a model, or a network is taken
            as it is.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda:1``, ...
        network: of one's own that the weights in ``source`` belong to, see ``load_checkpoint``.
        image_size: height and width in pixels, for a bare network that was not made from a preset
            or config.
        architecture: of a checkpoint of another toolkit, such as ``torchreid/osnet_x0_25``, see
            ``apnet.foreign.ARCHITECTURES``; by default the one that its weights say.

    Raises:
        TypeError: the source is of another type.
        CheckpointError: the file is missing, damaged, or of no known layout.
        ConfigError: the device is not there; a bare network without image size; no architecture of
            this name.

    Example:
        >>> import apnet
        >>> apnet.load_model(device="cpu").network.feature_dim
        1280
    """
    found = as_model(source, network=network, image_size=image_size, architecture=architecture)
    return found.to(device)


def as_model(
    source: AnyModel,
    *,
    network: APNet | None = None,
    image_size: tuple[int, int] | None = None,
    architecture: str | None = None,
) -> Model:
    """Returns what a caller means by a model, where it is; see ``load_model``."""
    if network is not None and not isinstance(source, str | os.PathLike):
        raise ConfigError("network= belongs to a run folder or checkpoint file; name one")
    if image_size is not None and not isinstance(source, APNet):
        raise ConfigError("image_size= is for a bare network; a checkpoint has its own")
    if architecture is not None and not isinstance(source, str | os.PathLike):
        raise ConfigError("architecture= belongs to a checkpoint of another toolkit; name the file")
    if isinstance(source, Model):
        return source
    if isinstance(source, Checkpoint | ExportedFile):
        return Model(source)
    if isinstance(source, APNet):
        return Model(network_checkpoint(source, image_size))
    if source is None:
        return Model(default_checkpoint())
    if isinstance(source, str | os.PathLike):
        return Model(_loaded(as_path(source, "model"), network, architecture))
    raise TypeError(
        "a model is a run folder, checkpoint or exported file (str or Path), a Model, Checkpoint "
        f"or APNet network, or None for the shipped one; got {described(source)}"
    )


def _loaded(
    path: Path, network: APNet | None, architecture: str | None
) -> Checkpoint | ExportedFile:
    if architecture is not None:
        if network is not None:
            raise ConfigError("architecture= and network= both say what the weights belong to")
        return load_foreign(path, architecture)
    if network is None and is_exported(path):
        return load_exported(path)
    if network is None and is_foreign(path):
        return load_foreign(path)
    return load_checkpoint(path, network=network)


def embed(model: AnyModel, images: Any, **how: Any) -> Embeddings:
    """Turns images of people into embeddings: ``load_model(model).embed(images, ...)``.

    Args:
        model: as for ``load_model``; ``None`` for the shipped network.
        images: as for ``Model.embed``.
        how: as for ``Model.embed``.

    Raises:
        TypeError: an argument is of a type that is not taken.
        ApnetError: as for ``load_model`` and ``Model.embed``.
    """
    return as_model(model).embed(images, **how)


def embed_inputs(
    model: Model,
    inputs: Sequence[ImageInput],
    options: EmbedOptions,
    precision: Precision,
    progress: Progress,
) -> Embeddings:
    """Returns the embeddings of images that ``image_inputs`` found, see ``Model.embed``."""
    rows = [np.empty((0, model.embedder.feature_dim), np.float32)]
    done = 0
    with evaluating(model.embedder):
        backend = unchanged_backend(model.embedder, precision)
        for batch in embed_stream(backend, inputs, options, lambda each: each.read()):
            rows.append(batch.features)
            done += len(batch.records)
            progress(done, len(inputs))
    records = [each.record for each in inputs]
    embeddings = Embeddings.of(np.concatenate(rows), records, model.fingerprint)
    in_files = all(each.in_file for each in inputs)
    return embeddings if in_files else replace(embeddings, paths=())
