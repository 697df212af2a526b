"""The object that trackers call with a frame and its boxes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.embedding.boxes import box_array, clipped
from apnet.embedding.inputs import frame_pixels
from apnet.embedding.stream import BATCH_SIZE
from apnet.errors import DataError
from apnet.models import AnyDevice, AnyModel, Model, load_model

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Requirements:
    """What an encoder of BoxMOT needs beside boxes."""

    masks: bool = False


class Embedder:
    """Appearance features of the boxes of a frame, in the forms that trackers ask for.

    Every box gets a feature of unit length, in the order of the boxes. Boxes are clipped to the
    frame. A box that is not finite, has no area or lies outside the frame is told through
    ``notify`` and gets a random direction, which is nearly at right angles to every other feature:
    trackers need a feature for each box, and this one matches nobody.

    Args:
        model: as for ``load_model``; ``None`` for the shipped network.
        device: as for ``load_model``.
        bgr: whether frames are BGR, as OpenCV reads them, instead of RGB.
        flip: whether to add the mirror image's feature, as galleries do by default; without it a
            frame takes half the time.
        batch_size: boxes in one forward pass.
        notify: called with one sentence per box without a picture; a warning by default.

    Raises:
        ApnetError: as for ``load_model``.

    Example:
        >>> import numpy
        >>> embedder = Embedder(device="cpu")
        >>> frame = numpy.zeros((480, 640, 3), numpy.uint8)
        >>> embedder.get_features(numpy.array([[10, 20, 110, 320]]), frame).shape
        (1, 1280)
    """

    requirements = Requirements()
    """BoxMOT asks for it: boxes are enough."""

    def __init__(
        self,
        model: AnyModel = None,
        *,
        device: AnyDevice = "auto",
        bgr: bool = True,
        flip: bool = True,
        batch_size: int = BATCH_SIZE,
        notify: Callable[[str], None] = warnings.warn,
    ) -> None:
        self.model: Model = load_model(model, device=device)
        self._bgr = bgr
        self._flip = flip
        self._batch_size = batch_size
        self._notify = notify
        self._without_picture = 0

    @property
    def embedding_dim(self) -> int:
        """D, numbers per feature."""
        return self.model.embedder.feature_dim

    def get_features(self, xyxys: Any, img: NDArray[np.uint8]) -> Features:
        """Returns the features of a frame's boxes, as trackers of BoxMOT ask for them.

        Args:
            xyxys: (N, 4) x1, y1, x2, y2 in pixels of the frame; N may be 0.
            img: (H, W, 3) uint8.

        Returns:
            (N, D), L2-normalised.

        Raises:
            TypeError: the frame is of a type that is not taken.
            DataError: the frame cannot be used, or the boxes are not (N, 4) numbers.
        """
        return self._features(img, xyxys, self._bgr, self._batch_size)

    def __call__(self, img: NDArray[np.uint8], dets: Any) -> list[Features]:
        """Returns a list of (D,) features, as trackers of Ultralytics ask for them.

        Args:
            img: (H, W, 3) uint8.
            dets: (N, 4 or more) centre x, centre y, width, height in pixels; further columns are
                ignored, as they are there.

        Raises:
            TypeError, DataError: as for ``get_features``.
        """
        boxes = box_array(np.asarray(dets)[..., :4])
        centres, halves = boxes[:, :2], boxes[:, 2:] / 2
        corners = np.concatenate((centres - halves, centres + halves), axis=1)
        return list(self.get_features(corners, img))

    def extract_embeddings(
        self, detections: Any, frame: NDArray[np.uint8], batch_size: int = 32
    ) -> Features:
        """Returns the features of detections, as Roboflow's ``reid`` does.

        Args:
            detections: ``supervision.Detections``, or another object with (N, 4) ``xyxy``.
            frame: (H, W, 3) uint8.
            batch_size: boxes in one forward pass.

        Returns:
            (N, D), L2-normalised.

        Raises:
            TypeError, DataError: as for ``get_features``.
        """
        return self._features(frame, detections.xyxy, self._bgr, batch_size)

    def extract_features(self, detections: Any, frame: NDArray[np.uint8]) -> Features:
        """Returns the features of detections, as Roboflow's ``trackers`` ask for them.

        Args:
            detections: as for ``extract_embeddings``.
            frame: (H, W, 3) uint8.

        Returns:
            (N, D), L2-normalised.

        Raises:
            TypeError, DataError: as for ``get_features``.
        """
        return self.get_features(detections.xyxy, frame)

    def encode(self, frames: Sequence[Any], detections: Sequence[Any]) -> list[Tensor]:
        """Returns the features of several frames, as pipelines of BoxMOT ask for them.

        Args:
            frames: each with ``image``, a tensor (3, H, W) of uint8, RGB.
            detections: of each frame, with (N, 4) ``geometry.values``: x1, y1, x2, y2.

        Returns:
            (N, D) float32 on the CPU for each frame, L2-normalised.

        Raises:
            TypeError: a frame is of a type that is not taken.
            DataError: frames and detections differ in number, a frame cannot be used, or boxes are
                not (N, 4) numbers, such as rotated ones.
        """
        if len(frames) != len(detections):
            raise DataError(
                f"{len(frames)} frames and {len(detections)} sets of detections; give one for each"
            )
        return [
            torch.from_numpy(
                self._features(frame.image, found.geometry.values, False, self._batch_size)
            )
            for frame, found in zip(frames, detections, strict=True)
        ]

    def embed_detections(self, detections: Sequence[Any], frame: NDArray[np.uint8]) -> None:
        """Sets ``embedding`` of each detection of norfair; ``reid_distance`` compares them.

        Args:
            detections: with ``points``, (2, 2): a box's upper left and lower right corner.
            frame: (H, W, 3) uint8.

        Raises:
            TypeError, DataError: as for ``get_features``.
        """
        boxes = [np.asarray(detection.points).reshape(-1) for detection in detections]
        for detection, feature in zip(detections, self.get_features(boxes, frame), strict=True):
            detection.embedding = feature

    def _features(self, frame: Any, boxes: Any, bgr: bool, batch_size: int) -> Features:
        pixels = frame_pixels(frame, bgr=bgr, notify=self._notify)
        values = box_array(boxes)
        crops = dict(self._crops(pixels, values))
        features = np.empty((len(values), self.embedding_dim), np.float32)
        if crops:
            found = self.model.embed(
                list(crops.values()), flip=self._flip, batch_size=batch_size, notify=self._notify
            )
            features[list(crops)] = found.features
        for number in set(range(len(values))) - set(crops):
            features[number] = self._random_direction()
        return features

    def _crops(self, pixels: Tensor, boxes: NDArray[np.float64]) -> Iterator[tuple[int, Tensor]]:
        """Yields number and (3, h, w) of the boxes that show something, and tells the others."""
        for number, box in enumerate(boxes):
            area = self._area(number, box, *pixels.shape[1:])
            if area is not None:
                left, top, right, bottom = area
                yield number, pixels[:, top:bottom, left:right]

    def _area(
        self, number: int, box: NDArray[np.float64], height: int, width: int
    ) -> tuple[int, int, int, int] | None:
        try:
            return clipped(number, box, height, width)
        except DataError as error:
            self._notify(f"{error}; it gets a random feature, which resembles nobody's")
            return None

    def _random_direction(self) -> NDArray[np.float64]:
        self._without_picture += 1
        direction = np.random.default_rng(self._without_picture).standard_normal(self.embedding_dim)
        unit: NDArray[np.float64] = direction / np.linalg.norm(direction)
        return unit
