"""Files: the one gate for paths that users name, whole writes, locks of output folders."""

from apnet.files.folders import LOCK_NAME, claim_folder, file_lock
from apnet.files.gate import (
    check_path,
    entries,
    is_file,
    is_folder,
    is_there,
    read_bytes,
    read_text,
    refusal,
)
from apnet.files.writing import atomic_write, cannot_write, write_json, write_text

__all__ = [
    "LOCK_NAME",
    "atomic_write",
    "cannot_write",
    "check_path",
    "claim_folder",
    "entries",
    "file_lock",
    "is_file",
    "is_folder",
    "is_there",
    "read_bytes",
    "read_text",
    "refusal",
    "write_json",
    "write_text",
]
