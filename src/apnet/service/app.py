"""The application: routes, errors, and the guard before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from torch import Tensor

from apnet._version import __version__
from apnet.errors import ApnetError, GalleryError
from apnet.gallery import Gallery
from apnet.service.batching import Batcher, BusyError
from apnet.service.guard import Guard
from apnet.service.keys import Key
from apnet.service.limits import Limits
from apnet.service.metrics import Metrics
from apnet.service.rates import Rates
from apnet.service.routes import changing, health, reading
from apnet.service.state import Service

DESCRIPTION = (
    "Recognises people again. It works on pictures of people: read what it is for, and what not, "
    "in docs/responsible-use.md. Keys go into the header 'Authorization: Bearer KEY'."
)


def create_app(
    gallery: Gallery,
    *,
    keys: Sequence[Key] | None = None,
    hosts: Sequence[str] = (),
    limits: Limits | None = None,
) -> FastAPI:
    """Makes the ASGI application of a gallery; its network is loaded now.

    Args:
        gallery: open; it is not closed by the application.
        keys: who may do what; ``None`` lets everybody do everything.
        hosts: names under which it may be asked; none for all.
        limits: on what requests may take.

    Raises:
        ApnetError: the gallery's network cannot be loaded.
    """
    limits, metrics = limits or Limits(), Metrics()
    model = gallery.model

    def embed(pictures: list[Tensor]) -> NDArray[np.float32]:
        return model.embed(pictures, flip=gallery.facts.flip).features

    batcher = Batcher(embed, limits, metrics.embedded)
    service = Service(
        gallery, batcher, keys, hosts, limits, metrics, Rates(limits.requests_per_minute)
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close()

    app = FastAPI(
        title="apnet",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    for router in (reading.router, changing.enrolling, changing.erasing, health.router):
        app.include_router(router)
    app.add_exception_handler(ApnetError, _refused)
    app.add_exception_handler(BusyError, _busy)
    app.add_middleware(Guard, service=service)
    return app


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """Answers an error of the input, without the gallery's place on the server."""
    place = request.app.state.service.gallery.place
    detail = str(error).replace(place, "gallery")
    status = 409 if isinstance(error, GalleryError) else 400
    return JSONResponse({"detail": detail}, status)


async def _busy(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"detail": "busy; come back in a second"}, 503, headers={"retry-after": "1"}
    )
