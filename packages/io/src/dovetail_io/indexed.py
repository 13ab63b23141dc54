"""Safetensors files of other libraries that are spread over several, with an index that says which tensor is where."""

from __future__ import annotations

import json
from pathlib import Path

from dovetail.errors import FormatError
from dovetail.extend import Array
from dovetail_io.sealed import is_plain_name, no_duplicates, read_bytes
from dovetail_io.tensors import read_tensors

__all__ = ["read_indexed"]


def read_indexed(path: Path) -> dict[str, Array]:
    """Return the arrays of all files that an index ``NAME.safetensors.index.json`` lists.

    Raises:
        NotFoundError: there is no index, or a file that it lists is missing.
        FormatError: the index or a file is damaged, or the index names files elsewhere.
        StorageError: a file cannot be read.
    """
    try:
        files = json.loads(read_bytes(path), object_pairs_hook=no_duplicates)["weight_map"]
        names: dict[str, set[str]] = {}
        for name, file in files.items():
            if not isinstance(file, str) or not is_plain_name(file):
                raise ValueError(f"{name!r} is said to be in {file!r}, which is no file beside it")
            names.setdefault(file, set()).add(name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            f'"{path}" is damaged, or no index of safetensors files: {error!r}. Take another one.'
        ) from error
    found: dict[str, Array] = {}
    for file, wanted in names.items():
        arrays, _ = read_tensors(path.with_name(file), wanted, folder=path.parent)
        lacking = next((name for name in files if name in wanted and name not in arrays), None)
        if lacking is not None:
            raise FormatError(
                f'"{path.with_name(file)}" does not hold {lacking!r}, as "{path}" tells. Take another one.'
            )
        found |= arrays
    return {name: found[name] for name in files}
