"""From a network and images to embeddings: the reference, faster back-ends, a store that grows."""

from apnet.embedding.agreement import Agreement, agreement, features_of, sample_images
from apnet.embedding.backends import Backend
from apnet.embedding.choice import BACKENDS, PRECISIONS, Choice, Task, choose_backend
from apnet.embedding.job import EmbeddedBatch, Manner, embed_stream
from apnet.embedding.reference import embed_images, embed_records
from apnet.embedding.store import StoreWriter, check_place, check_same

__all__ = [
    "BACKENDS",
    "PRECISIONS",
    "Agreement",
    "Backend",
    "Choice",
    "EmbeddedBatch",
    "Manner",
    "StoreWriter",
    "Task",
    "agreement",
    "check_place",
    "check_same",
    "choose_backend",
    "embed_images",
    "embed_records",
    "embed_stream",
    "features_of",
    "sample_images",
]
