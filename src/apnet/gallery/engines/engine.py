"""What a database does for a gallery; everything else is the same for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Wanted:
    """Which images a search looks at; all with an identity by default.

    Attributes:
        cameras: names of cameras, ``None`` for any.
        not_cameras: names of cameras that are left out.
        after: earliest time, in seconds since 1970.
        before: time that images must be older than.
        identities: numbers of identities, ``None`` for any.
    """

    cameras: tuple[str, ...] | None = None
    not_cameras: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None
    identities: tuple[int, ...] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()


@dataclass(frozen=True, eq=False)
class Nearest:
    """The images, or identities, most similar to one query, best first.

    Attributes:
        images: (M,) int64, numbers of images; -1 where a row is the mean of several.
        identities: (M,) int64, numbers of their identities.
        similarities: (M,) float32, cosines.
        complete: whether there are no further ones.
        exact: whether the order is exact.
    """

    images: NDArray[np.int64]
    identities: NDArray[np.int64]
    similarities: NDArray[np.float32]
    complete: bool
    exact: bool = True

    def first(self, count: int) -> Nearest:
        """Returns the best of them."""
        return Nearest(
            self.images[:count],
            self.identities[:count],
            self.similarities[:count],
            self.complete,
            self.exact,
        )


class Engine(Protocol):
    """A database with the tables of ``schema``. SQL has ``?`` where values go."""

    place: str
    """Its file or address, without a password, for messages."""

    types: Mapping[str, str]
    """Its types by the names that ``schema.TABLES`` uses."""

    settings: Sequence[str]
    """Statements that follow those of ``schema.TABLES``."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns what a statement finds."""
        ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carries a statement out, inside a change; returns the number of rows changed."""
        ...

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Carries a statement out per row of values, inside a change."""
        ...

    def change(self) -> AbstractContextManager[None]:
        """While entered, statements are one change: all or none, durable when it is left."""
        ...

    def view(self) -> AbstractContextManager[None]:
        """While entered, all statements see one state of the gallery."""
        ...

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Returns a condition that a column is one of many values, and its values."""
        ...

    def pack(self, feature: NDArray[np.float32]) -> Any:
        """Returns a feature as the database takes it."""
        ...

    def unpack(self, value: Any) -> NDArray[np.float32]:
        """Returns a feature (D,) that the database gave."""
        ...

    def nearest(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, exact: bool | None
    ) -> list[Nearest]:
        """Returns the ``count`` images with an identity most similar to each feature."""
        ...

    def nearest_means(
        self, features: NDArray[np.float32], count: int, wanted: Wanted
    ) -> list[Nearest]:
        """Returns the ``count`` identities whose mean feature is most similar to each feature."""
        ...

    def build_index(self) -> float | None:
        """Builds the index of a large gallery; returns its recall at 10, ``None`` without one."""
        ...

    def index_note(self, exact: bool) -> str:
        """Returns how a search compared, for the protocol: exactly, or with which recall."""
        ...

    def forget(self) -> None:
        """Removes what was derived from features: indexes in memory and in files."""
        ...

    def scrub(self) -> list[str]:
        """Overwrites what was deleted, in every file; returns what still keeps bytes of it.

        Raises:
            GalleryError: another program keeps it from that for now.
        """
        ...

    def check(self) -> list[str]:
        """Returns what the database finds wrong with its own files."""
        ...

    def size(self) -> int:
        """Returns the bytes that it takes on the disk."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...
