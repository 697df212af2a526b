"""What the service answers, as its OpenAPI description shows it."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import BaseModel, Field

from apnet.calibration import Comparison
from apnet.gallery import Answer, Identity


class Features(BaseModel):
    """Features of the pictures or boxes, in their order."""

    fingerprint: str = Field(description="Of the network; features of others cannot be compared.")
    features: list[list[float]] = Field(description="One row per picture or box, of length 1.")


class Found(BaseModel):
    """An identity that is similar to a query."""

    name: str
    similarity: float = Field(description="Cosine, from -1 to 1.")
    probability: Optional[float] = Field(  # noqa: UP045 - pydantic on Python 3.10
        None, description="Of 'the same person' at even odds before."
    )
    camera: str = ""
    time: str = ""
    image: Optional[int] = Field(None, description="The number of the image.")  # noqa: UP045
    images: int = Field(description="Images of this identity.")
    metadata: dict[str, Any] = {}


class Searched(BaseModel):
    """The answer to one query."""

    decision: Optional[str] = Field(  # noqa: UP045
        None, description="The best accepted name, 'unknown', or null without a threshold."
    )
    threshold: Optional[float] = None  # noqa: UP045
    matches: list[Found]
    protocol: str
    limits: str

    @classmethod
    def of(cls, answer: Answer) -> Searched:
        """Leaves out where images came from: clients need not know paths of the server."""
        found = [
            Found(
                name=each.name,
                similarity=each.similarity,
                probability=each.probability,
                camera=each.camera,
                time=each.time,
                image=each.image,
                images=each.images,
                metadata=dict(each.metadata),
            )
            for each in answer.matches
        ]
        return cls(
            decision=answer.decision,
            threshold=answer.threshold,
            matches=found,
            protocol=answer.protocol,
            limits=answer.limits,
        )


class Compared(BaseModel):
    """Whether two pictures show one person."""

    same: bool
    similarity: float
    probability: float
    threshold: float
    protocol: str
    limits: str

    @classmethod
    def of(cls, comparison: Comparison) -> Compared:
        """Takes what clients need."""
        return cls(
            same=comparison.same,
            similarity=comparison.similarity,
            probability=comparison.probability,
            threshold=comparison.threshold.value,
            protocol=comparison.protocol,
            limits=comparison.limits,
        )


class Added(BaseModel):
    """What enrolling did."""

    added: int
    known: int = Field(description="Images that were there already.")


class Person(BaseModel):
    """An identity of the gallery."""

    name: str
    images: int
    cameras: list[str]
    metadata: dict[str, Any]

    @classmethod
    def of(cls, identity: Identity) -> Person:
        """Takes what clients need."""
        return cls(
            name=identity.name,
            images=identity.images,
            cameras=list(identity.cameras),
            metadata=dict(identity.metadata),
        )


class Changed(BaseModel):
    """How many images a change touched."""

    images: int


class Stats(BaseModel):
    """What the gallery holds."""

    identities: int
    images: int
    feature_dim: int
    fingerprint: str
    calibrated: bool


class LogLine(BaseModel):
    """A line of the audit log; it holds no names."""

    time: str
    action: str
    count: int


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
