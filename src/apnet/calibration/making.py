"""Makes the calibration of a network from images of people that it has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.counting import Counts, count_pairs
from apnet.calibration.grid import reaching
from apnet.calibration.monotone import log_likelihood_ratios
from apnet.calibration.people import MOST_IMAGES, People, as_people
from apnet.calibration.table import Calibration
from apnet.calibration.values import CameraPair, Content, Curve
from apnet.errors import CalibrationError
from apnet.progress import Progress, silent
from apnet.types import Embeddings

if TYPE_CHECKING:
    from apnet.types import ReidDataset

LIMITS = (
    "The rates hold for people, cameras and boxes like those of the calibration data, and for "
    "images of two cameras."
)
FEWEST_OF_A_PAIR = 30
"""People that a pair of cameras needs for rates of its own."""

_LEAST_ERROR = 0.02


def calibrate(
    model: Any,
    data: ReidDataset | Embeddings | Sequence[ReidDataset],
    *,
    limits: str = LIMITS,
    device: Any = "auto",
    workers: int = 2,
    progress: Progress = silent,
    notify: Callable[[str], None] = warnings.warn,
) -> Calibration:
    """Measures a network's error rates on people that it has not been trained on.

    Args:
        model: as for ``load_model``; ``None`` for the shipped network.
        data: data sets, of which query and gallery images are used, or features of the model with
            identities and cameras.
        limits: what the rates do not cover, said with every decision.
        device: as for ``load_model``.
        workers: threads that decode beside the network.
        progress: called with (images done, images in all), then with (people done, people in all).
        notify: told what was left out; a warning by default.

    Raises:
        CalibrationError: there are too few people or cameras, or features are of another network.
        DataError: an image cannot be used.
    """
    from apnet.models import load_model

    loaded = load_model(model, device=device)
    if isinstance(data, Embeddings):
        if data.fingerprint not in (None, loaded.fingerprint):
            raise CalibrationError(
                f"the features are of network {data.fingerprint}, and this is {loaded.fingerprint}"
            )
        embeddings, source = data, "features"
    else:
        sets: list[ReidDataset] = list(data) if isinstance(data, list | tuple) else [data]  # type: ignore[list-item]
        records = [record for each in sets for record in _numbered(sets, each)]
        source = ", ".join(each.name for each in sets)
        embeddings = loaded.embed(records, workers=workers, progress=progress)
    return calibration_from(
        embeddings,
        fingerprint=loaded.fingerprint,
        image_size=loaded.image_size,
        flip=True,
        data=source,
        limits=limits,
        progress=progress,
        notify=notify,
    )


def _numbered(sets: Sequence[ReidDataset], each: ReidDataset) -> list[Any]:
    """Returns a set's test images; people and cameras of further sets get numbers of their own."""
    import dataclasses

    from apnet.data.identity_numbers import MOST_ID

    records = (*each.query, *each.gallery)
    if not records:
        raise CalibrationError(
            f"data set '{each.name}' has no query or gallery images; a calibration needs people "
            "that the network was not trained on"
        )
    index = next(number for number, other in enumerate(sets) if other is each)
    if not index:
        return list(records)
    before = [record for other in sets[:index] for record in (*other.query, *other.gallery)]
    pid = max(record.pid for record in before) + 1
    camid = max(record.camid for record in before) + 1
    if pid > MOST_ID // 2:
        raise CalibrationError("the sets' identities are too large to be joined; calibrate on one")
    return [
        dataclasses.replace(
            record,
            pid=record.pid + pid if record.pid >= 0 else record.pid,
            camid=record.camid + camid if record.camid >= 0 else record.camid,
        )
        for record in records
    ]


def calibration_from(
    embeddings: Embeddings,
    *,
    fingerprint: str,
    image_size: tuple[int, int],
    flip: bool,
    data: str,
    limits: str = LIMITS,
    progress: Progress = silent,
    notify: Callable[[str], None] = warnings.warn,
) -> Calibration:
    """Measures error rates on features with identities and cameras, see ``calibrate``.

    Args:
        embeddings: with pids; without cameras all pairs of images count.
        fingerprint: of the network that made them.
        image_size: height and width that it takes.
        flip: whether mirror images were added.
        data: what they show, for the table.
        limits: see ``calibrate``.
        progress: called with (people done, people in all).
        notify: see ``calibrate``.
    """
    people = as_people(embeddings)
    notes = _notes(people)
    for note in notes:
        notify(note)
    counts = count_pairs(people, progress=progress)
    fnmr = 1 - _share(counts.same, counts.same_pairs)
    fmr = counts.other / counts.other_pairs
    same, other = counts.by_camera[1].sum(axis=(0, 1)), counts.by_camera[0].sum(axis=(0, 1))
    searches = counts.searches
    return Calibration(
        Content(
            fingerprint=fingerprint,
            image_size=image_size,
            flip=flip,
            people=people.count,
            images=len(people.person),
            cameras=len(people.cameras),
            data=data,
            limits=limits,
            lowest=people.grid.lowest,
            fmr=_curve(fmr, _error(counts.other_drawn / counts.other_pairs_drawn[:, None])),
            fnmr=_curve(fnmr, _error(_drawn_misses(counts))),
            fpir=_curve(
                searches.false_positives(),
                _error(searches.found_drawn / searches.queries_drawn[:, None, None, None]),
            ),
            fnir=_curve(*_missed(counts)),
            gallery_images=[round(each, 3) for each in searches.gallery_images],
            log_likelihood_ratio=_rounded(log_likelihood_ratios(same[1:], other[1:])),
            eer=_eer(fmr, fnmr),
            camera_pairs=_camera_pairs(people, counts),
            notes=notes,
        )
    )


def _notes(people: People) -> list[str]:
    notes = []
    if people.left_out:
        notes.append(
            f"{people.left_out:,} images were left out: at most {MOST_IMAGES:,} are compared "
            "with each other"
        )
    if not people.cameras:
        notes.append(
            "cameras are unknown: pairs of one camera count, and rates across cameras are higher"
        )
    return notes


def _share(reaching_pairs: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = reaching_pairs.sum(axis=0) / pairs.sum()
    return share


def _drawn_misses(counts: Counts) -> NDArray[np.float64]:
    weights = counts.weights.T.astype(np.float64)
    reached = weights @ counts.same
    misses: NDArray[np.float64] = 1 - reached / (weights @ counts.same_pairs)[:, None]
    return misses


def _missed(counts: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    searches, weights = counts.searches, counts.weights.T.astype(np.float64)
    drawn = searches.false_negatives(weights)
    return searches.false_negatives(np.ones(len(counts.weights))), _error(drawn)


def _error(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the standard error of a rate's logarithm from its bootstrap draws (B, ...)."""
    mean = drawn.mean(axis=0)
    spread = drawn.std(axis=0, ddof=1)
    error = np.divide(spread, mean, out=np.zeros_like(mean), where=mean > 0)
    errors: NDArray[np.float64] = np.maximum(np.sqrt(np.log1p(error**2)), _LEAST_ERROR)
    return errors


def _curve(rate: NDArray[np.float64], error: NDArray[np.float64]) -> Curve:
    return Curve(_rounded(np.clip(rate, 0, 1)), _rounded(error))


def _rounded(values: NDArray[np.float64]) -> list[Any]:
    """Returns values with four digits, as nested lists."""
    if values.ndim > 1:
        return [_rounded(each) for each in values]
    return [float(f"{value:.4g}") for value in values.tolist()]


def _eer(fmr: NDArray[np.float64], fnmr: NDArray[np.float64]) -> float:
    place = int(np.argmin(np.abs(fmr - fnmr)))
    return float(f"{(fmr[place] + fnmr[place]) / 2:.4g}")


def _camera_pairs(people: People, counts: Counts) -> list[CameraPair]:
    """Returns the rates of pairs of cameras that enough people were seen by."""
    cameras = range(len(people.cameras))
    seen = np.zeros((people.count, len(people.cameras)), np.bool_)
    if people.cameras:
        seen[people.person, people.camera] = True
    found = []
    for one in cameras:
        for two in cameras[one + 1 :]:
            both = int((seen[:, one] & seen[:, two]).sum())
            if both < FEWEST_OF_A_PAIR:
                continue
            other = reaching(counts.by_camera[0, one, two] + counts.by_camera[0, two, one])
            same = reaching(counts.by_camera[1, one, two] + counts.by_camera[1, two, one])
            others = counts.by_camera[0, one, two].sum() + counts.by_camera[0, two, one].sum()
            sames = counts.by_camera[1, one, two].sum() + counts.by_camera[1, two, one].sum()
            names = people.cameras[one], people.cameras[two]
            rates = _rounded(other / others), _rounded(1 - same / sames)
            found.append(CameraPair(names, both, *rates))
    return found
