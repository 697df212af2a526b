"""Overwrites what was deleted from a gallery in PostgreSQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from apnet.errors import GalleryError

if TYPE_CHECKING:
    from apnet.gallery.engines.postgres import PostgresEngine

WAIT = 30.0
"""Seconds to wait for transactions that still see what was deleted."""

UNSAMPLED = (
    "ALTER TABLE identities ALTER name SET STATISTICS 0, ALTER metadata SET STATISTICS 0",
    "ALTER TABLE images ALTER source SET STATISTICS 0, ALTER digest SET STATISTICS 0",
    "ALTER TABLE features ALTER feature SET STATISTICS 0",
    "ALTER TABLE thumbnails ALTER picture SET STATISTICS 0",
)
"""What keeps the database from copying values into its statistics."""

_TABLES = ("audit", "thumbnails", "features", "images", "identities", "facts")
_WATCHERS = """
    SELECT COUNT(*) FROM (
        SELECT backend_xid FROM pg_stat_activity WHERE COALESCE(datname, current_database()) =
            current_database()
        UNION ALL SELECT backend_xmin FROM pg_stat_activity WHERE
            COALESCE(datname, current_database()) = current_database()
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
        UNION ALL SELECT xmin FROM pg_replication_slots
    ) AS held (xid) WHERE age(xid) > age(?::xid)"""


def scrub(engine: PostgresEngine) -> list[str]:
    """Writes the tables and indexes anew, and ends the part of the log that held the bytes.

    Returns:
        What still keeps bytes, and what to set on the server.

    Raises:
        GalleryError: another program still sees what was deleted.
    """
    _wait_for_watchers(engine)
    engine.outside(f"VACUUM (FULL) {', '.join(_TABLES)}")
    try:
        for statement in ("SELECT pg_switch_wal()", "CHECKPOINT", "CHECKPOINT"):
            engine.outside(statement)
    except GalleryError as error:
        return [f"the server's log still holds the deleted bytes until a checkpoint: {error}"]
    if engine.rows("SHOW wal_recycle")[0][0] != "off":
        return [
            f"{engine.place}: the server keeps files of its log for reuse, with deleted bytes in "
            "them; set wal_recycle = off there, see docs/gallery.md"
        ]
    return []


def _wait_for_watchers(engine: PostgresEngine) -> None:
    """Waits for transactions older than now, for which the database keeps deleted rows."""
    ((now,),) = engine.rows("SELECT pg_current_xact_id()::xid::text")
    end = time.monotonic() + WAIT
    while engine.rows(_WATCHERS, (now,))[0][0]:
        if time.monotonic() > end:
            raise GalleryError(
                f"{engine.place}: a transaction of another program still sees what was deleted; "
                "end it and run 'apnet gallery compact'"
            )
        time.sleep(0.05)
