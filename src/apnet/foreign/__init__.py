"""Checkpoints of other toolkits: how their files name weights, and what their networks expect."""

from apnet.foreign.loading import load_foreign
from apnet.foreign.reading import is_foreign
from apnet.foreign.table import ARCHITECTURES

__all__ = ["ARCHITECTURES", "is_foreign", "load_foreign"]
