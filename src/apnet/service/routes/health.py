"""Routes for those who run the service."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from apnet.service.routes.common import REFUSALS, Shared, may

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """Says that the process answers."""
    return {"status": "alive"}


@router.get("/ready")
def ready(service: Shared) -> dict[str, str]:
    """Says that gallery and network can be used."""
    len(service.gallery)
    return {"status": "ready"}


@router.get(
    "/metrics",
    dependencies=[Depends(may("read"))],
    responses=REFUSALS,
    response_class=PlainTextResponse,
)
def metrics(service: Shared) -> PlainTextResponse:
    """Returns counts and times for Prometheus."""
    return PlainTextResponse(service.metrics.text())
