"""What stands before every request: size, time, rate, keys, other sites; and what is noted after.

It is an ASGI middleware, so that a body is counted while it arrives and never held whole.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from apnet.service.keys import Key, find_key
from apnet.service.logs import log_answer, log_fault
from apnet.service.state import Service

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
OPEN = ("/health", "/ready")
"""Paths that need no key: they say nothing about anybody."""


class RefusedError(Exception):
    """A request that is answered before it reaches a route."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


class Guard:
    """The middleware.

    Args:
        app: what it stands before.
        service: its keys, limits and counts.
    """

    def __init__(self, app: Asgi, service: Service) -> None:
        self._app, self._service = app, service
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, secrets.token_hex(8))
        started = time.perf_counter()
        key: Key | None = None
        try:
            key = self._admitted(scope)
            scope.setdefault("state", {})["key"] = key
            await self._carried_out(scope, receive, answer)
        except RefusedError as refused:
            await answer.refuse(refused)
        except Exception as error:
            log_fault(answer.request, error)
            await answer.refuse(RefusedError(500, "the service has a fault; its log says which"))
        route = getattr(scope.get("route"), "path", "none")
        seconds = time.perf_counter() - started
        self._service.metrics.answered(route, answer.status, seconds)
        log_answer(answer.request, route, answer.status, seconds, key.name if key else "")

    def _admitted(self, scope: Scope) -> Key | None:
        """Returns the key of a request that may come in."""
        headers = {name.lower(): value for name, value in reversed(scope["headers"])}
        self._check_site(headers)
        key = self._key(scope["path"], headers)
        client = scope.get("client") or ("unknown", 0)
        wait = self._service.rates.wait(key.name if key else f"address {client[0]}")
        if wait:
            raise RefusedError(429, "too many requests", {"retry-after": str(int(wait) + 1)})
        if self._working >= self._service.limits.concurrent:
            raise RefusedError(503, "busy; come back in a second", {"retry-after": "1"})
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._service.limits.body_bytes:
            raise _too_large(self._service.limits.body_bytes)
        return key

    def _check_site(self, headers: dict[bytes, bytes]) -> None:
        """Refuses pages of other sites, which a browser would let ask a service on loopback."""
        host = headers.get(b"host", b"").decode("latin-1")
        name = host.rsplit(":", 1)[0].strip("[]")
        if self._service.hosts and name not in self._service.hosts:
            raise RefusedError(421, "this service is not known under that name")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and origin.split("://")[-1] != host:
            raise RefusedError(403, "requests of other sites are refused")

    def _key(self, path: str, headers: dict[bytes, bytes]) -> Key | None:
        if self._service.keys is None or path in OPEN:
            return None
        words = headers.get(b"authorization", b"").decode("latin-1").split(" ", 1)
        given = words[1] if len(words) == 2 and words[0].lower() == "bearer" else ""
        key = find_key(self._service.keys, given.strip())
        if key is None:
            detail = "give a key: 'Authorization: Bearer KEY'"
            raise RefusedError(401, detail, {"www-authenticate": "Bearer"})
        return key

    async def _carried_out(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        limits = self._service.limits
        taken, end = 0, asyncio.get_running_loop().time() + limits.seconds

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal taken
            left = end - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0.001))
            except asyncio.TimeoutError:
                answer.refusal = RefusedError(408, f"not received within {limits.seconds:g} s")
                raise answer.refusal from None
            taken += len(message.get("body", b""))
            if taken > limits.body_bytes:
                answer.refusal = _too_large(limits.body_bytes)
                raise answer.refusal
            return message

        self._working += 1
        try:
            await self._app(scope, bounded, answer.send)
        finally:
            self._working -= 1


class _Answer:
    """The answer to one request, as it is sent.

    Attributes:
        request: its number.
        status: 0 until it begins.
        refusal: of the body, which goes out instead of what the application says of it.
    """

    def __init__(self, send: Send, request: str) -> None:
        self._send, self.request, self.status = send, request, 0
        self.refusal: RefusedError | None = None

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self.refusal is not None:
            raise self.refusal
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [(b"x-request-id", self.request.encode()), (b"cache-control", b"no-store"),
                       (b"x-content-type-options", b"nosniff")]  # fmt: skip
            message["headers"] = [*message.get("headers", ()), *headers]
        await self._send(message)

    async def refuse(self, refused: RefusedError) -> None:
        """Sends an answer, unless one has begun."""
        self.refusal = None
        if self.status:
            return
        body = json.dumps({"detail": refused.detail}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)),
                   "connection": "close", **refused.headers}  # fmt: skip
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": body})


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, f"the request is larger than {most:,} bytes")
