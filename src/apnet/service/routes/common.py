"""What the routes share: the service, and the right to use one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from apnet.service.answers import Problem
from apnet.service.keys import Role
from apnet.service.state import Service

REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "description": why}
    for status, why in (
        (400, "A picture or value cannot be used."),
        (401, "No key, or an unknown one."),
        (403, "The key's role does not include this."),
        (404, "There is no such identity."),
        (409, "It is there already, or was changed at the same time."),
        (413, "The request is too large."),
        (429, "Too many requests."),
        (503, "Busy; come back in a second."),
    )
}
"""What every route may answer besides its own."""


def service_of(request: Request) -> Service:
    """Returns what all requests share."""
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(service_of)]


def may(role: Role) -> Callable[[Request], None]:
    """Returns the check that a request's key includes a role."""

    def check(request: Request) -> None:
        key = request.state.key if service_of(request).keys is not None else None
        if key is not None and not key.may(role):
            raise HTTPException(403, f"the key {key.name!r} may not {role}")

    return check
