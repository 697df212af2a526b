"""Whether a gallery is sound, and how large."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apnet.gallery import verifying
from apnet.gallery.records import AuditLine
from apnet.gallery.row_changes import changing, note
from apnet.gallery.rows import audit_lines
from apnet.gallery.scrubbing import overwrite_deleted
from apnet.gallery.verbs.opening import Opened
from apnet.progress import Progress, silent


class Care(Opened):
    """Checks, compacts and counts."""

    def verify(self, progress: Progress = silent) -> list[str]:
        """Returns what is wrong with the gallery: nothing, if it is sound."""
        return verifying.problems(self._engine, self._facts, progress)

    def compact(self) -> float | None:
        """Overwrites what was deleted, and builds the index of a large gallery.

        Returns:
            The measured recall at 10 of the index, ``None`` where the gallery needs none.
        """
        overwrite_deleted(self._engine)
        recall = self._engine.build_index()
        with changing(self._engine):
            note(self._engine, "compact", len(self))
        return recall

    def stats(self) -> dict[str, Any]:
        """Returns counts, sizes and facts, as JSON holds them."""
        return {"place": self.place, **verifying.statistics(self._engine), **asdict(self._facts)}

    def audit(self) -> list[AuditLine]:
        """Returns the audit log, oldest first."""
        return audit_lines(self._engine)
