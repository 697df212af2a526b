"""Templates of pages, which share one style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from apnet.extras import require

_SHARED = "apnet.report"


def template(
    name: str, package: str = _SHARED, filters: Mapping[str, Callable[..., str]] | None = None
) -> Any:
    """Returns a Jinja template; ``{% include "style.css" %}`` gives the style of all pages.

    Args:
        name: of the file in the package.
        package: dotted name.
        filters: by name.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    jinja2 = require("jinja2", "report")

    def load(wanted: str) -> str | None:
        for place in dict.fromkeys((package, _SHARED)):
            file = resources.files(place).joinpath(wanted)
            if file.is_file():
                return file.read_text(encoding="utf-8")
        return None

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(load),
    )
    environment.filters.update(filters or {})
    return environment.get_template(name)
