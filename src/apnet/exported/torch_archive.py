"""Checks an exported PyTorch archive, of which ``torch.export.load`` alone would run content.

That function unpickles weights, inputs and constants, evaluates the texts of symbolic sizes, and
calls whatever functions of torch a graph names. An archive passes only if it holds plain tensors
and a graph of tensor operators over sizes of a simple form. What passed is written anew, so that
nothing that was not looked at reaches torch.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from apnet.errors import DataError
from apnet.files import shortened

MODEL = "models/model.json"
EXTRA = "extra/apnet"
_INPUTS = "data/sample_inputs/model.pt"
_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_MEMBERS = re.compile(
    r"models/model\.json|extra/apnet|data/sample_inputs/model\.pt|archive_format|archive_version"
    r"|byteorder|\.data/(version|serialization_id)"
    r"|data/(weights/(model_weights_config\.json|weight_\d+)"
    r"|constants/(model_constants_config\.json|tensor_\d+))"
)
_PAYLOAD = re.compile(r"(weight|tensor)_\d+")
_SIZE = re.compile(
    r"(?:(?:Mul|Add|Pow|Max|Min|Integer|Symbol|Mod|FloorDiv)\(|positive=True|integer=True"
    r"|nonnegative=True|'[su]\d+'|[su]\d+|-?\d+|[()*+, -])*"
)
_OPERATORS = re.compile(
    r"torch\.ops\.aten\.(?!from_file)\w+\.\w+|torch\.ops\.higher_order\.wrap_with_\w+"
    r"|_operator\.(mul|add|sub|floordiv|mod|neg|getitem|eq|ge|gt|le|lt)"
    r"|torch\.sym_(int|max|min|not)"
)
_REFUSED = ("as_custom_obj", "as_operator", "as_opaque", "as_script_object")


def checked_members(content: bytes) -> dict[str, bytes]:
    """Returns the members of an archive that may be given to torch, after ``rewritten``.

    Args:
        content: of the file.

    Raises:
        DataError: it is no archive of an exported program, or holds what might run.
    """
    members = _members(content)
    for name in (MODEL, *_CONFIGS):
        if name not in members:
            raise DataError(f"no exported program: '{name}' is missing")
    for name in _CONFIGS:
        _check_payloads(_json(members[name], name))
    _check_graph(_json(members[MODEL], MODEL))
    return members


def rewritten(members: dict[str, bytes], example: Tensor) -> bytes:
    """Returns an archive of checked members.

    Args:
        members: from ``checked_members``.
        example: an input of the program, in place of the one in the file, which is pickled.
    """
    inputs = io.BytesIO()
    torch.save(((example,), {}), inputs)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**members, _INPUTS: inputs.getvalue()}.items():
            archive.writestr(f"archive/{name}", content)
    return buffer.getvalue()


def _members(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                name = entry.filename.partition("/")[2]
                if not _MEMBERS.fullmatch(name) or name in found:
                    raise DataError(f"an unexpected '{shortened(entry.filename)}' is in it")
                if entry.file_size > len(content):  # members are stored, not compressed
                    raise DataError(f"'{name}' is larger than the file")
                found[name] = archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise DataError(f"no archive of an exported program ({shortened(str(error))})") from None
    return found


def _json(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"'{name}' is damaged") from None


def _check_payloads(config: Any) -> None:
    entries = config.get("config") if isinstance(config, dict) else None
    if not isinstance(entries, dict):
        raise DataError("its list of tensors is damaged")
    for name, entry in entries.items():
        if not isinstance(entry, dict) or entry.get("use_pickle") is not False:
            raise DataError(f"'{shortened(name)}' is pickled, which is not read for safety")
        if not _PAYLOAD.fullmatch(str(entry.get("path_name"))):
            raise DataError(f"'{shortened(name)}' is no plain tensor")


def _check_graph(graph: Any) -> None:
    if not isinstance(graph, dict) or graph.get("guards_code"):
        raise DataError("its graph holds code")
    for key, value in _fields(graph):
        if key in _REFUSED:
            raise DataError(f"its graph holds '{key}', which is not read for safety")
        if key == "treespec_namedtuple_fields" and value:
            raise DataError("its graph names classes, which are not read for safety")
        if key == "expr_str" and not _SIZE.fullmatch(str(value)):
            raise DataError(f"a size in its graph is '{shortened(str(value))}', no plain product")
        if key == "target" and isinstance(value, str) and not _OPERATORS.fullmatch(value):
            raise DataError(f"its graph calls '{shortened(value)}', no tensor operator")


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields the names and values of all fields, however deep."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield from each.items()
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
