"""Feature files as PyTorch ``.pt`` and ``.pth``: a dict of tensors or lists; no other objects."""

from __future__ import annotations

import contextlib
import pickle  # only for the name of its error; nothing is unpickled here
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from apnet.errors import DataError
from apnet.files import atomic_write
from apnet.retrieval.files.contents import Arrays, Contents, Format, readable

_REMEDY = "save it with torch.save({'features': ..., 'pids': ..., 'camids': ...}, file)"


@contextlib.contextmanager
def open_torch(path: Path) -> Iterator[Contents]:
    """Opens a dict of tensors on the processor.

    Raises:
        DataError: it is damaged, not a dict, or holds other Python objects.
    """
    import torch

    with readable(path, "a PyTorch file"), warnings.catch_warnings():
        try:
            warnings.simplefilter("ignore")  # such as those about sparse tensors
            content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise DataError(
                f"{path}: is damaged, or holds Python objects that are not tensors, lists, numbers "
                f"or text, which are not read; {_REMEDY}"
            ) from None
        if not isinstance(content, Mapping):
            raise DataError(f"{path}: holds a {type(content).__name__}, not a dict; {_REMEDY}")

        def read(_key: str, name: str) -> Any:
            return _array(content[name])

        yield Contents(tuple(name for name in content if isinstance(name, str)), read)


def write_torch(path: Path, arrays: Arrays) -> None:
    """Writes a dict of tensors atomically; texts become a list, a fingerprint a text.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
    """
    import torch

    content = {
        name: values.tolist() if values.dtype.kind == "U" else torch.tensor(values)
        for name, values in arrays.items()
    }
    with atomic_write(path) as part, part.open("wb") as file:
        torch.save(content, file)


def _array(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        dense = value.detach().to_dense()
        return (dense.float() if dense.dtype == torch.bfloat16 else dense).numpy()
    if isinstance(value, list | tuple) and any(isinstance(each, torch.Tensor) for each in value):
        return np.stack([_array(each) for each in value])
    return np.asarray(value)


FORMAT = Format(open_torch, write_torch)
