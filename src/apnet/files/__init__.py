"""Files: the one gate for paths that users name, whole writes, locks of output folders."""

from apnet.files.folders import LOCK_NAME, claim_folder, clear_parts, file_lock
from apnet.files.foreign import kind_of_file
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
from apnet.files.structured import (
    check_format,
    checked,
    open_form,
    parse_json,
    read_json,
    shortened,
)
from apnet.files.writing import atomic_write, cannot_write, check_writable, write_json, write_text

__all__ = [
    "LOCK_NAME",
    "atomic_write",
    "cannot_write",
    "check_format",
    "check_path",
    "check_writable",
    "checked",
    "claim_folder",
    "clear_parts",
    "entries",
    "file_lock",
    "is_file",
    "is_folder",
    "is_there",
    "kind_of_file",
    "open_form",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_text",
    "refusal",
    "shortened",
    "write_json",
    "write_text",
]
