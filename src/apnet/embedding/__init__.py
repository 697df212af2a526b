"""From a network and images to embeddings: engines, the pipeline, feature stores, jobs."""

from apnet.embedding.agreement import Agreement, agreement, features_of, sample_images
from apnet.embedding.backends import Backend
from apnet.embedding.choice import BACKENDS, PRECISIONS, Choice, choose_backend
from apnet.embedding.engines import ENGINES, Engine, Task
from apnet.embedding.fixed import Embeddable, FixedNetwork
from apnet.embedding.jobs import (
    ComputeOptions,
    EmbedJob,
    EmbedResult,
    embed_to_file,
)
from apnet.embedding.new_store import check_place, check_same
from apnet.embedding.precision import WantedPrecision, checked_precision
from apnet.embedding.reference import embed_images, embed_records
from apnet.embedding.store import StoreWriter
from apnet.embedding.store_jobs import embed_to_store
from apnet.embedding.stream import EmbeddedBatch, EmbedOptions, decoded_batches, embed_stream

__all__ = [
    "BACKENDS",
    "ENGINES",
    "PRECISIONS",
    "Agreement",
    "Backend",
    "Choice",
    "ComputeOptions",
    "EmbedJob",
    "EmbedOptions",
    "EmbedResult",
    "Embeddable",
    "EmbeddedBatch",
    "Engine",
    "FixedNetwork",
    "StoreWriter",
    "Task",
    "WantedPrecision",
    "agreement",
    "check_place",
    "check_same",
    "checked_precision",
    "choose_backend",
    "decoded_batches",
    "embed_images",
    "embed_records",
    "embed_stream",
    "embed_to_file",
    "embed_to_store",
    "features_of",
    "sample_images",
]
