"""One line of JSON per answer: no pictures, no names of people, no keys."""

from __future__ import annotations

import json
import logging
import sys
import time

_log = logging.getLogger("apnet.service")


def log_to_stderr() -> None:
    """Writes the lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def log_answer(request: str, route: str, status: int, seconds: float, key: str) -> None:
    """Writes a line.

    Args:
        request: its number, which the answer's header ``X-Request-ID`` repeats.
        route: the service's name of it, without what the client wrote.
        status: of the answer.
        seconds: that it took.
        key: name of the key, empty without one.
    """
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    entry = {"time": moment, "request": request, "route": route, "status": status}
    _log.info(json.dumps({**entry, "ms": round(seconds * 1e3, 1), "key": key}))


def log_fault(request: str, error: BaseException) -> None:
    """Writes the traceback of an error that is the program's."""
    _log.error(json.dumps({"request": request, "fault": type(error).__name__}), exc_info=error)
