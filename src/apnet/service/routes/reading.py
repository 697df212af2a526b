"""Routes that change nothing: embed, compare, search, list."""

from __future__ import annotations

from typing import Annotated, Optional

from fastapi import APIRouter, Depends, File, Form, HTTPException, Query, UploadFile

from apnet.calibration import compare as compare_pictures
from apnet.errors import CalibrationError, GalleryError
from apnet.gallery import Filter
from apnet.gallery.answers import By
from apnet.service.answers import Compared, Features, Person, Searched, Stats
from apnet.service.pictures import crops
from apnet.service.routes.common import REFUSALS, Shared, may

router = APIRouter(
    prefix="/v1", dependencies=[Depends(may("read"))], responses=REFUSALS, tags=["read"]
)

Pictures = Annotated[list[UploadFile], File(description="Crops of one person each, or a frame.")]
Boxes = Annotated[
    Optional[str],  # noqa: UP045 - FastAPI on Python 3.10
    Form(
        description="JSON: [[x1, y1, x2, y2], ...] in pixels of the one frame.", max_length=20_000
    ),
]
Rate = Annotated[Optional[float], Form(gt=0, lt=1)]  # noqa: UP045
Words = Annotated[list[str], Form(max_length=100)]
Moment = Annotated[Optional[str], Form(max_length=40)]  # noqa: UP045


@router.post("/embed")
def embed(service: Shared, pictures: Pictures, boxes: Boxes = None) -> Features:
    """Returns the feature of each picture or box."""
    features = service.batcher.embed(crops(pictures, boxes, service.limits))
    return Features(fingerprint=service.gallery.facts.fingerprint or "", features=features.tolist())


@router.post("/compare")
def compare(
    service: Shared,
    first: Annotated[UploadFile, File()],
    second: Annotated[UploadFile, File()],
    fmr: Annotated[float, Form(gt=0, lt=1)] = 1e-3,
    prior: Annotated[float, Form(gt=0, lt=1)] = 0.5,
) -> Compared:
    """Says whether two pictures show the same person."""
    calibration = service.gallery.calibration
    if calibration is None:
        raise CalibrationError("the network has no calibration; make one with 'apnet calibrate'")
    one, other = crops([first, second], None, service.limits, single=True)
    return Compared.of(
        compare_pictures(
            one,
            other,
            model=service.gallery.model,
            calibration=calibration,
            fmr=fmr,
            prior=prior,
            device=service.gallery.model.device,
        )
    )


@router.post("/search")
def search(
    service: Shared,
    pictures: Pictures,
    boxes: Boxes = None,
    k: Annotated[int, Form(ge=1, le=1_000)] = 5,
    by: Annotated[By, Form()] = "best",
    fmr: Rate = None,
    threshold: Annotated[Optional[float], Form(ge=-1, le=1)] = None,  # noqa: UP045
    camera: Words = [],  # noqa: B006 - FastAPI copies it
    not_camera: Words = [],  # noqa: B006
    after: Moment = None,
    before: Moment = None,
) -> list[Searched]:
    """Says who each picture or box shows: identities, best first, and a decision."""
    features = service.batcher.embed(crops(pictures, boxes, service.limits))
    answers = service.gallery.search_many(
        features,
        k=k,
        by=by,
        where=Filter(camera or None, not_camera, after, before),
        fmr=fmr,
        threshold=threshold,
    )
    return [Searched.of(each) for each in answers]


@router.get("/identities")
def identities(
    service: Shared,
    start: Annotated[int, Query(ge=0, le=10**9)] = 0,
    count: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[Person]:
    """Lists identities, a page at a time."""
    return [Person.of(each) for each in service.gallery.identities()[start : start + count]]


@router.get("/identity")
def identity(service: Shared, name: Annotated[str, Query(max_length=200)]) -> Person:
    """Shows one identity."""
    try:
        return Person.of(service.gallery.identity(name))
    except GalleryError:
        raise HTTPException(404, "there is no such identity") from None


@router.get("/stats")
def stats(service: Shared) -> Stats:
    """Says what the gallery holds."""
    found = service.gallery.stats()
    return Stats(
        identities=found["identities"],
        images=found["images"],
        feature_dim=service.gallery.facts.feature_dim,
        fingerprint=service.gallery.facts.fingerprint or "",
        calibrated=service.gallery.calibration is not None,
    )
