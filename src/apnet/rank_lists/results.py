"""What a search found, as rows, table, picture and page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from apnet.display import html_table, text_summary
from apnet.extras import require
from apnet.rank_lists.rank_sheet import RankedImage, RankRow, draw_rank_rows
from apnet.rank_lists.thumbnails import html_thumbnail
from apnet.retrieval import Matches
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

MOST_IN_PAGE = 30
"""Pictures of one query that a notebook shows; all are in the picture that ``plot`` draws."""


@dataclass(frozen=True)
class Hit:
    """One gallery image found for a query."""

    rank: int
    """From 1."""

    path: str
    """Of the gallery image; empty where it did not come from a file."""

    similarity: float
    """Cosine, from -1 to 1. It is no probability: without calibration no threshold is known."""

    pid: int
    """Identity of the gallery image, ``JUNK_PID`` where unknown."""

    camid: int
    """Its camera, ``NO_CAMERA`` where unknown."""

    correct: bool | None
    """Whether it shows the query's identity; ``None`` where one of them is unknown."""

    row: int
    """Its row in the gallery."""


@dataclass(frozen=True, repr=False)
class SearchResult:
    """The nearest gallery images of each query, nearest first.

    ``len`` is the number of queries; ``result[i]`` lists the hits of query i.

    Attributes:
        query: embeddings of Q queries.
        gallery: embeddings of the gallery.
        matches: (Q, k) indices and similarities.
        query_image: returns query i as a picture, or ``None`` where there is none.
        gallery_image: returns gallery row i likewise.
    """

    query: Embeddings
    gallery: Embeddings
    matches: Matches
    query_image: Callable[[int], Image.Image | None]
    gallery_image: Callable[[int], Image.Image | None]

    def __len__(self) -> int:
        return len(self.query)

    def __iter__(self) -> Iterator[list[Hit]]:
        return (self[query] for query in range(len(self)))

    def __getitem__(self, query: int) -> list[Hit]:
        """Returns the hits of one query, nearest first."""
        if not -len(self) <= query < len(self):
            raise IndexError(f"query {query} of {len(self)}")
        query %= len(self)
        found = self.matches.indices[query]
        return [
            self._hit(query, rank, row) for rank, row in enumerate(found.tolist(), 1) if row >= 0
        ]

    def plot(self, queries: Sequence[int] | None = None) -> Image.Image:
        """Draws queries with their hits; see ``apnet.plot_ranks``.

        Args:
            queries: which, all by default.
        """
        wanted = range(len(self)) if queries is None else queries
        return draw_rank_rows([self.ranked(query) for query in wanted])

    def to_frame(self) -> Any:
        """Returns a pandas ``DataFrame``: query, rank, similarity, path, pid, camid.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        names = ("rank", "similarity", "path", "pid", "camid")
        rows = [
            {"query": self._name(query), **{name: getattr(hit, name) for name in names}}
            for query, hits in enumerate(self)
            for hit in hits
        ]
        return require("pandas", "pandas").DataFrame(rows)

    def to_dict(self) -> list[dict[str, Any]]:
        """Returns the JSON form: a list of queries with their hits."""
        return [
            {"query": self._name(query), "hits": [asdict(hit) for hit in hits]}
            for query, hits in enumerate(self)
        ]

    def __repr__(self) -> str:
        shown = {f"{hit.rank}": f"{hit.similarity:+.3f}  {self._label(hit)}" for hit in self[0][:6]}
        more = f"{len(self)} {'query' if len(self) == 1 else 'queries'}, the first: {self._name(0)}"
        return text_summary(f"SearchResult in {len(self.gallery):,} images, {more}", shown)

    def _repr_html_(self) -> str:
        return "".join(self._html_of(query) for query in range(min(len(self), 5))) + (
            f"<p>... and {len(self) - 5} further queries</p>" if len(self) > 5 else ""
        )

    def ranked(self, query: int) -> RankRow:
        """Returns what the picture of one query shows."""
        return RankRow(
            title=self._name(query),
            image=self.query_image(query),
            person=self._person(self.query, query).strip(),
            found=[
                RankedImage(
                    self.gallery_image(hit.row),
                    f"{hit.rank}: {hit.similarity:+.3f}",
                    self._person(self.gallery, hit.row).strip(),
                    hit.correct,
                )
                for hit in self[query]
            ],
        )

    def _html_of(self, query: int) -> str:
        hits = self[query]
        cells = [(html_thumbnail(self.query_image(query), "the query"), "query", "", "", "")]
        cells += [
            (
                html_thumbnail(self.gallery_image(hit.row), f"rank {hit.rank}"),
                str(hit.rank),
                f"{hit.similarity:+.3f}",
                {True: "✓ right", False: "✗ wrong", None: ""}[hit.correct],
                self._label(hit),
            )
            for hit in hits[:MOST_IN_PAGE]
        ]
        more = len(hits) - MOST_IN_PAGE
        note = f"... and {more} further hits; plot() draws all" if more > 0 else ""
        header = ("", "rank", "similarity", "identity", "image")
        return html_table(self._name(query), header, cells, note)

    def _hit(self, query: int, rank: int, row: int) -> Hit:
        pids = int(self.query.pids[query]), int(self.gallery.pids[row])
        return Hit(
            rank,
            self.gallery.paths[row] if self.gallery.paths else "",
            float(self.matches.similarity[query, rank - 1]),
            pids[1],
            int(self.gallery.camids[row]),
            None if JUNK_PID in pids else pids[0] == pids[1],
            row,
        )

    def _name(self, query: int) -> str:
        return self.query.paths[query] if self.query.paths else f"image {query}"

    def _label(self, hit: Hit) -> str:
        return (hit.path or f"row {hit.row}") + self._person(self.gallery, hit.row)

    @staticmethod
    def _person(embeddings: Embeddings, row: int) -> str:
        pid, camera = int(embeddings.pids[row]), int(embeddings.camids[row])
        person = "" if pid == JUNK_PID else f" id {pid}"
        return person + ("" if camera == NO_CAMERA else f" cam {camera}")
