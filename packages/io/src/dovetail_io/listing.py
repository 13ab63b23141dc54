"""What a checkpoint holds, without a graph."""

from __future__ import annotations

from pathlib import Path

from dovetail.errors import NotFoundError
from dovetail.extend import Array
from dovetail_io.checkpoint import Checkpoint, PathLike
from dovetail_io.retention import latest_checkpoint

__all__ = ["list_variables", "load_checkpoint", "load_variable"]


def load_checkpoint(ckpt_dir_or_file: PathLike) -> Checkpoint:
    """Return a checkpoint to read from: one by its path, or the newest of a folder.

    Raises:
        NotFoundError: there is none.
        FormatError: it is damaged.
    """
    if Path(ckpt_dir_or_file).is_dir():
        newest = latest_checkpoint(ckpt_dir_or_file)
        if newest is None:
            raise NotFoundError(f'there is no whole checkpoint in the folder "{ckpt_dir_or_file}".')
        return Checkpoint(newest)
    return Checkpoint(ckpt_dir_or_file)


def list_variables(ckpt_dir_or_file: PathLike) -> list[tuple[str, list[int]]]:
    """Return names and shapes of the tensors in a checkpoint, sorted by name.

    Raises:
        NotFoundError: there is no such checkpoint.
        FormatError: it is damaged.
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: PathLike, name: str) -> Array:
    """Return the value of a tensor in a checkpoint; ``name`` may end in ``:0``.

    Raises:
        NotFoundError: there is no such checkpoint, or no such tensor in it.
        FormatError: it is damaged.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))
