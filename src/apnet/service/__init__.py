"""A gallery over HTTP: embed, compare, search, enrol, erase, with keys, limits and counts."""

from apnet.service.keys import ROLES, Key, Role, add_key, read_keys
from apnet.service.limits import Limits
from apnet.service.running import checked_keys, serve

__all__ = ["ROLES", "Key", "Limits", "Role", "add_key", "checked_keys", "read_keys", "serve"]
