"""Optional dependencies: imported where used, named with their install command when absent."""

from __future__ import annotations

import importlib
from typing import Any

from apnet.errors import MissingExtraError


def require(module: str, extra: str) -> Any:
    """Imports an optional module.

    Args:
        module: dotted module name, such as ``"h5py"``.
        extra: the extra of this distribution that installs it, such as ``"cuhk03"``.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"This needs the package '{module.split('.')[0]}', which is not installed. "
            f"Install it with: pip install 'apnet-reid[{extra}]'"
        ) from error
