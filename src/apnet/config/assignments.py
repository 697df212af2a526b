"""``section.key=value`` assignments, as the command line takes them."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from apnet.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PAPER_LOSS = ("cross-entropy", "triplet")
_OF_EVERY_TERM = ("name", "weight", "options")


def override(values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Returns a copy of nested values with ``section.key=value`` assignments applied.

    The right-hand side is read as a TOML value, or as a string where it is none. A table for a
    section changes the settings that it names.

    Raises:
        ConfigError: an assignment has no ``=``, is given twice, or walks through a value that is no
            section.
    """
    result = copy.deepcopy(dict(values))
    seen: set[str] = set()
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        name = name.strip()
        if not sign or not name:
            raise ConfigError(f"--set {assignment!r}: write it as section.key=value")
        if name in seen:
            raise ConfigError(f"--set {assignment!r}: '{name}' is set twice; leave one out")
        seen.add(name)
        value = _value(text)
        if isinstance(value, dict) and "." not in name:  # a section: what it does not name stays
            for key, each in value.items():
                assign(result, f"{name}.{key}", each)
        else:
            assign(result, name, value)
    return result


def assign(values: dict[str, Any], name: str, value: Any) -> None:
    """Sets ``section.key`` of nested values, in place; ``loss.TERM.key`` reaches a loss term.

    Raises:
        ConfigError: the name walks through a value that is no section, or there is no such term.
    """
    *sections, key = name.split(".")
    if sections[:1] == ["loss"]:
        values["loss"] = loss_terms(values.get("loss", list(_PAPER_LOSS)))
        _assign_to_term(values["loss"], name, sections[1:], key, value)
        return
    node = values
    for section in sections:
        node = node.setdefault(section, {})
        if not isinstance(node, dict):
            raise ConfigError(f"--set '{name}': '{section}' is not a section")
    node[key] = value


def loss_terms(value: Any) -> Any:
    """Returns loss terms as a list of ``{name, weight, options}``.

    Args:
        value: ``"cross-entropy, circle"``, a list of names, or a list of tables; settings of a term
            may stand beside its name. Anything else is returned as it is, for validation to refuse.
    """
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, list | tuple):
        return value
    return [_term(each) for each in value]


def _term(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, dict):
        return value
    own = {key: each for key, each in value.items() if key not in _OF_EVERY_TERM}
    term = {key: each for key, each in value.items() if key in _OF_EVERY_TERM}
    if own:
        term["options"] = {**term.get("options", {}), **own}
    return term


def _assign_to_term(terms: Any, name: str, sections: Sequence[str], key: str, value: Any) -> None:
    found = [term for term in terms if isinstance(term, dict) and term.get("name") in sections]
    if len(sections) != 1 or not found:
        names = ", ".join(str(term.get("name")) for term in terms if isinstance(term, dict))
        raise ConfigError(
            f"'{name}': there is no such loss term; write loss.TERM.{key}, the terms are: {names}"
        )
    if key in _OF_EVERY_TERM:
        found[0][key] = value
    else:
        found[0]["options"] = {**found[0].get("options", {}), key: value}


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
