"""Runs the service until it is asked to stop; requests that have begun are answered first."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apnet.errors import ConfigError, Interrupted
from apnet.extras import require
from apnet.service.guard import LOOPBACK
from apnet.service.keys import Key, read_keys
from apnet.service.limits import Limits
from apnet.service.logs import log_to_stderr

if TYPE_CHECKING:
    from apnet.gallery import Gallery


def checked_keys(host: str, keys: Path | None) -> list[Key] | None:
    """Returns the keys of a file; none are needed on loopback.

    Raises:
        ConfigError: others can reach the host and there are no keys, or their file is damaged.
    """
    if keys is not None:
        return read_keys(keys)
    if host not in LOOPBACK:
        raise ConfigError(
            f"--host {host}: others can reach it, so that keys are needed; make them with "
            "'apnet serve-key', and give their file with --keys"
        )
    return None


def serve(
    gallery: Gallery,
    host: str,
    port: int,
    *,
    keys: Sequence[Key] | None,
    limits: Limits,
    notify: Callable[[str], None],
) -> None:
    """Serves a gallery until SIGINT or SIGTERM.

    Raises:
        ConfigError: the address cannot be used.
        MissingExtraError: the extra ``serve`` is not installed.
    """
    uvicorn = require("uvicorn", "serve")
    from apnet.service.app import create_app

    loopback = host in LOOPBACK
    app = create_app(gallery, keys=keys, hosts=LOOPBACK if loopback else (), limits=limits)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=4 * limits.concurrent,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(limits.seconds),
        h11_max_incomplete_event_size=64 * 1024,
    )
    log_to_stderr()
    with _listening(host, port) as bound:
        address = f"http://{host}:{bound.getsockname()[1]}"
        notify(f"serving {gallery.place} at {address}, described at {address}/openapi.json")
        with contextlib.suppress(Interrupted):  # what has begun was answered
            uvicorn.Server(config).run(sockets=[bound])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"--host {host} --port {port}: cannot be used ({error.strerror}); choose another port, "
            "or an address of this machine"
        ) from None
