"""Routes that change the gallery: enrol, rename, merge, erase, and the audit log."""

from __future__ import annotations

from typing import Annotated, Optional

from fastapi import APIRouter, Depends, File, Form, HTTPException, Query, UploadFile

from apnet.errors import GalleryError
from apnet.gallery.values import time_text
from apnet.service.answers import Added, Changed, LogLine
from apnet.service.pictures import crops
from apnet.service.routes.common import REFUSALS, Shared, may
from apnet.service.routes.reading import Boxes
from apnet.service.state import Service

enrolling = APIRouter(
    prefix="/v1", dependencies=[Depends(may("enrol"))], responses=REFUSALS, tags=["enrol"]
)
erasing = APIRouter(
    prefix="/v1", dependencies=[Depends(may("erase"))], responses=REFUSALS, tags=["erase"]
)

Name = Annotated[str, Form(min_length=1, max_length=200)]


@enrolling.post("/enrol")
def enrol(
    service: Shared,
    pictures: Annotated[list[UploadFile], File()],
    name: Name,
    boxes: Boxes = None,
    camera: Annotated[Optional[str], Form(max_length=200)] = None,  # noqa: UP045
    time: Annotated[Optional[str], Form(max_length=40)] = None,  # noqa: UP045
) -> Added:
    """Adds pictures, or boxes of one frame, to an identity, which is made where it is missing."""
    found = crops(pictures, boxes, service.limits)
    result = service.gallery.add(found, name, camera=camera, time=time, source="service")
    return Added(added=result.added, known=result.known)


@enrolling.post("/rename")
def rename(service: Shared, name: Name, new_name: Name) -> Changed:
    """Gives an identity another name."""
    images = _images(service, name)
    service.gallery.rename(name, new_name)
    return Changed(images=images)


@enrolling.post("/merge")
def merge(service: Shared, name: Name, into: Name) -> Changed:
    """Moves all images of an identity to another one, and deletes it."""
    _images(service, name)
    _images(service, into)
    return Changed(images=service.gallery.merge(name, into))


@erasing.delete("/identity")
def erase(service: Shared, name: Annotated[str, Query(min_length=1, max_length=200)]) -> Changed:
    """Deletes a person and every byte that is held about them."""
    _images(service, name)
    return Changed(images=service.gallery.erase(name))


@erasing.get("/log")
def log(service: Shared, count: Annotated[int, Query(ge=1, le=10_000)] = 100) -> list[LogLine]:
    """Shows the newest lines of the audit log; it holds no names of people."""
    lines = service.gallery.audit()[-count:]
    return [
        LogLine(time=time_text(each.time), action=each.action, count=each.count) for each in lines
    ]


def _images(service: Service, name: str) -> int:
    """Returns the number of images of an identity; 404 where there is none."""
    try:
        return service.gallery.identity(name).images
    except GalleryError:
        raise HTTPException(404, "there is no such identity") from None
