"""Routes for those who run the service."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

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


@router.get("/metrics", dependencies=[Depends(may("read"))], responses=REFUSALS)
def metrics(service: Shared) -> Response:
    """Returns counts and times for Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")
