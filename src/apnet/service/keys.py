"""API keys: who may read, enrol and erase."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from apnet.errors import ConfigError, DataError
from apnet.files import is_file, read_json, write_json

Role = Literal["read", "enrol", "erase"]
"""Each includes the ones before it."""

ROLES: tuple[Role, ...] = get_args(Role)
_REMEDY = "make keys with 'apnet serve-key'"
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Key:
    """A key as it is kept: its digest, not itself."""

    name: str
    role: Role
    sha256: str

    def may(self, role: Role) -> bool:
        """Returns whether its role includes another one."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class _File:
    keys: list[Key]


def read_keys(path: Path) -> list[Key]:
    """Reads a file of keys.

    Raises:
        ConfigError: it is missing, damaged, or holds no key.
    """
    if not is_file(path):
        raise ConfigError(f"{path}: no such file of keys; {_REMEDY}")
    try:
        keys = read_json(path, _File, _REMEDY).keys
    except DataError as error:
        raise ConfigError(str(error)) from None
    if not keys:
        raise ConfigError(f"{path}: holds no key; {_REMEDY}")
    return keys


def add_key(path: Path, name: str, role: Role) -> str:
    """Adds a new key to a file, which is made where it is missing; returns the key.

    Raises:
        ConfigError: the name is empty, long or taken, or the role is none.
        DataError: the file cannot be written.
    """
    if role not in ROLES:
        raise ConfigError(f"role {role!r}: use one of {', '.join(ROLES)}")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"give the key a name of 1 to {_LONGEST_NAME} printable characters")
    keys = read_keys(path) if is_file(path) else []
    if any(each.name == name for each in keys):
        raise ConfigError(f"{path}: has a key named {name!r}; choose another name")
    text = secrets.token_urlsafe(32)
    keys.append(Key(name, role, _digest(text)))
    write_json(path, {"keys": [asdict(each) for each in keys]})
    path.chmod(0o600)
    return text


def find_key(keys: Sequence[Key], given: str) -> Key | None:
    """Returns the key of a text; all are compared, in constant time."""
    digest, found = _digest(given), None
    for each in keys:
        if hmac.compare_digest(each.sha256, digest):
            found = each
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
