"""Opening and making a gallery, and what it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from apnet.arguments import AnyPath, described
from apnet.errors import GalleryError
from apnet.gallery import removal, searching
from apnet.gallery.binding import check_model, facts_for, read_facts, write_facts
from apnet.gallery.engines import Engine, connect_engine, create_engine
from apnet.gallery.records import GalleryFacts
from apnet.gallery.row_changes import note
from apnet.gallery.rows import count_of
from apnet.gallery.schema import bring_up_to_date, make_tables
from apnet.gallery.scrubbing import is_unscrubbed, overwrite_deleted
from apnet.gallery.values import (
    as_period,
    now,
)

if TYPE_CHECKING:
    from apnet.calibration import Calibration
    from apnet.models import Model


Notify = Callable[[str], None]


Me = TypeVar("Me", bound="Opened")


class Opened:
    """An open gallery: its place, facts, network and calibration; see ``Gallery``."""

    def __init__(
        self,
        place: AnyPath,
        *,
        model: Any = None,
        calibration: Any = None,
        notify: Notify = warnings.warn,
    ) -> None:
        self._engine: Engine = connect_engine(place)
        self._given_model, self._given_calibration = model, calibration
        self._model: Model | None = None
        self._calibration: Calibration | None = None
        self._notify = notify
        try:
            bring_up_to_date(self._engine)
            self._facts = read_facts(self._engine)
            self._forget_old()
        except BaseException:
            self._engine.close()
            raise

    def _forget_old(self) -> None:
        """Deletes what is too old, and goes on where overwriting deleted bytes was interrupted."""
        expired = removal.delete_old(self._engine, self._facts.keep)
        if expired:
            self._notify(f"{self.place}: {expired:,} images older than its period were deleted")
        try:
            if is_unscrubbed(self._engine):
                overwrite_deleted(self._engine)
        except GalleryError as error:
            self._notify(str(error))

    @classmethod
    def create(
        cls: type[Me],
        place: AnyPath,
        *,
        model: Any = None,
        feature_dim: int | None = None,
        flip: bool = True,
        thumbnails: bool = False,
        keep: object = None,
        calibration: Any = None,
        notify: Notify = warnings.warn,
    ) -> Me:
        """Makes a new, empty gallery.

        Args:
            place: a file that is not there yet, or ``postgresql://HOST/DATABASE#NAME``.
            model: as for ``load_model``; ``None`` for the shipped network.
            feature_dim: numbers per feature, for a gallery of another toolkit's features; without
                ``model``.
            flip: whether features include the mirror image.
            thumbnails: whether a small picture of each image is kept.
            keep: how long an image is kept, such as ``30d``; without limit by default.
            calibration: see ``Gallery``.
            notify: see ``Gallery``.

        Raises:
            GalleryError: something is there already, or a value cannot be used.
            ApnetError: the model cannot be loaded.
        """
        facts, loaded = _new_facts(model, feature_dim, flip, thumbnails, as_period(keep))
        engine = create_engine(place, facts.feature_dim)
        try:
            with engine.change():
                make_tables(engine)
                write_facts(engine, facts)
                note(engine, "create", 0)
        finally:
            engine.close()
        return cls(place, model=loaded, calibration=calibration, notify=notify)

    @property
    def place(self) -> str:
        """Its file or address, without a password."""
        return self._engine.place

    @property
    def facts(self) -> GalleryFacts:
        """What it is bound to."""
        return self._facts

    @property
    def model(self) -> Model:
        """The network that fills it, loaded.

        Raises:
            GalleryError: the gallery has none, or this is another one.
        """
        if self._model is None:
            if not self._facts.fingerprint:
                raise GalleryError(
                    f"{self.place}: a gallery of another toolkit's features has no network for "
                    "pictures; give features"
                )
            from apnet.models import load_model

            source = self._given_model
            loaded = load_model(source if source is not None else self._facts.network or None)
            check_model(self.place, self._facts, loaded)
            self._model = loaded
        return self._model

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of its decisions, ``None`` where there is none."""
        if self._calibration is None:
            self._calibration = searching.calibration_for(self, self._given_calibration)
        return self._calibration

    def __len__(self) -> int:
        """The number of images."""
        return count_of(self._engine, "images")

    def __repr__(self) -> str:
        people = count_of(self._engine, "identities")
        return f"Gallery {self.place!r}: {people:,} identities, {len(self):,} images"

    def __enter__(self: Me) -> Me:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._engine.close()


def network_path(model: Any) -> str:
    """Returns where a network was loaded from, empty for the shipped one and for objects."""
    return str(Path(model).absolute()) if isinstance(model, str | Path) else ""


def _new_facts(
    model: Any, feature_dim: int | None, flip: bool, thumbnails: bool, keep: float | None
) -> tuple[GalleryFacts, Any]:
    if feature_dim is not None:
        if model is not None:
            raise GalleryError("give a model or feature_dim, not both")
        if thumbnails:
            raise GalleryError("a gallery of features sees no pictures; leave thumbnails out")
        if isinstance(feature_dim, bool) or not isinstance(feature_dim, int):
            raise TypeError(f"feature_dim must be a whole number, got {described(feature_dim)}")
        if not 1 <= feature_dim <= 16_000:
            raise GalleryError(f"feature_dim {feature_dim}: use 1 to 16,000 numbers")
        return GalleryFacts(feature_dim, keep=keep, created=now()), None
    from apnet.models import load_model

    loaded = load_model(model)
    network = network_path(model)
    return (
        facts_for(
            loaded,
            network=network,
            flip=flip,
            thumbnails=thumbnails,
            keep=keep,
            created=now(),
        ),
        loaded,
    )
