"""Writing a model: one file that appears whole; or, of a large one, the weights in a file beside it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from dovetail.errors import StorageError
from dovetail_io.files import flush_folder, locked, replace_file
from dovetail_io.onnx.model import Graph
from dovetail_io.onnx.packages import load_onnx

__all__ = ["EXTERNAL_LIMIT", "weight_bytes", "write_model", "write_script", "write_with_data"]

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
    with _alone(path):
        before = _data_of(path)
        replace_file(path, [model.SerializeToString()])
        _remove(before)


def write_script(path: Path, text: str) -> None:
    """Write a serving script.

    Raises:
        StorageError: the file system refuses; the model is written.
    """
    with _alone(path):
        replace_file(path, [text.encode()])


def write_with_data(model: Any, path: Path, examine: Callable[[Path], _T]) -> _T:
    """Write a model whose weights are in a file beside it, ``path`` with the ending ``.data``.

    The weights come first, under a name that the older model does not refer to, so that whenever the writer is
    killed, the model that is there has its own weights.

    Args:
        model: the ``ModelProto``; it is emptied of its weights.
        path: where to.
        examine: looks at the model, which by then lies in a folder of its own; what it raises leaves nothing behind.

    Returns:
        What ``examine`` returned.

    Raises:
        StorageError: the file system refuses.
    """
    with _alone(path):
        before = _data_of(path)
        data = path.with_name(f"{path.name}.data")
        if data in before:
            data = path.with_name(f"{path.name}.1.data")
        folder = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
        try:
            folder.mkdir()
            load_onnx().save_model(
                model,
                str(folder / path.name),
                save_as_external_data=True,
                all_tensors_to_one_file=True,
                location=data.name,
                size_threshold=1024,
            )
            result = examine(folder / path.name)
            for name in (data.name, path.name):
                with (folder / name).open("rb+") as file:
                    os.fsync(file.fileno())
                (folder / name).replace(path.with_name(name))
            flush_folder(path.parent)
        except OSError as error:
            raise StorageError(
                f'the model could not be written in "{path.parent}": {error.strerror or error}. What was there is as '
                f"it was."
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _remove(one for one in before if one != data)
    return result


def _data_of(path: Path) -> list[Path]:
    """Return the files that hold the weights of the model at ``path``, those that such a model has beside it."""
    beside = [path.with_name(f"{path.name}{ending}") for ending in (".data", ".1.data")]
    present = [one for one in beside if one.is_file()]
    if not present:
        return []
    onnx = load_onnx()
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # noqa: BLE001 - whatever a file that is no model, or none, makes the parser raise
        return []
    named = {
        entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"
    }
    return [one for one in present if one.name in named]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Within: nobody else writes in the model's folder, and what killed writers of this model left is cleared away.

    Raises:
        StorageError: there is no such folder.
    """
    if not path.parent.is_dir():
        raise StorageError(f'the model cannot be written to "{path}": there is no folder "{path.parent}".')
    with locked(path.parent):
        _clear(path)
        yield


def _clear(path: Path) -> None:
    """Delete the folders that killed writers of this model have left."""
    left = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.partial")
    for one in path.parent.iterdir():
        if left.fullmatch(one.name) and one.is_dir():
            shutil.rmtree(one, ignore_errors=True)


def _remove(paths: Any) -> None:
    for one in paths:
        with suppress(OSError):
            one.unlink()
