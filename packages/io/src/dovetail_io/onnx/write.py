"""Writing a model: one file that appears whole; or, of a large one, the weights in a file beside it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from dovetail.errors import StorageError
from dovetail_io.files import flush_folder, replace_file
from dovetail_io.onnx.model import Graph
from dovetail_io.onnx.packages import load_onnx

__all__ = ["EXTERNAL_LIMIT", "weight_bytes", "write_model", "write_with_data"]

EXTERNAL_LIMIT: Final = 1_800_000_000
"""Above so many bytes of weights these go to a file of their own; a protocol buffer holds 2 GiB."""

_T = TypeVar("_T")


def weight_bytes(graph: Graph) -> int:
    """Return how many bytes the constants have."""
    return sum(value.array.nbytes for value in graph.constants() if value.array is not None)


def write_model(model: Any, path: Path) -> None:
    """Write a model in one file, in place of an older one.

    Raises:
        StorageError: the file system refuses; the older one is as it was.
    """
    replace_file(path, [model.SerializeToString()])


def write_with_data(model: Any, path: Path, examine: Callable[[Path], _T]) -> _T:
    """Write a model whose weights are in a file beside it, ``path`` with the ending ``.data``; the weights come first.

    Args:
        model: the ``ModelProto``; it is emptied of its weights.
        path: where to.
        examine: looks at the model, which by then lies in a folder of its own; what it raises leaves nothing behind.

    Returns:
        What ``examine`` returned.

    Raises:
        StorageError: the file system refuses.
    """
    data = f"{path.name}.data"
    folder = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        folder.mkdir()
        load_onnx().save_model(
            model,
            str(folder / path.name),
            save_as_external_data=True,
            all_tensors_to_one_file=True,
            location=data,
            size_threshold=1024,
        )
        result = examine(folder / path.name)
        for name in (data, path.name):
            with (folder / name).open("rb+") as file:
                os.fsync(file.fileno())
            (folder / name).replace(path.with_name(name))
        flush_folder(path.parent)
    except OSError as error:
        raise StorageError(f'the model could not be written in "{path.parent}": {error.strerror or error}.') from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result
