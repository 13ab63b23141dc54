"""What a checkpoint holds, without a graph."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dovetail.errors import NotFoundError, StorageError
from dovetail.extend import Array
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix, checkpoint_exists
from dovetail_io.files import locked, remove
from dovetail_io.retention import latest_checkpoint

__all__ = ["get_checkpoint_mtimes", "list_variables", "load_checkpoint", "load_variable", "remove_checkpoint"]


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


def get_checkpoint_mtimes(checkpoint_prefixes: Iterable[PathLike]) -> list[float]:
    """Return when checkpoints were saved, as seconds since 1970; those that are not there are left out.

    Raises:
        FormatError: one is damaged.
    """
    prefixes = [as_prefix(one, "get_checkpoint_mtimes") for one in checkpoint_prefixes]
    return [Checkpoint(one).saved for one in prefixes if checkpoint_exists(one)]


def remove_checkpoint(
    checkpoint_prefix: PathLike, checkpoint_format_version: Any = None, meta_graph_suffix: str = "meta"
) -> None:
    """Delete the files of a checkpoint.

    Args:
        checkpoint_prefix: its path.
        checkpoint_format_version: has no effect; here for TensorFlow 1 programs.
        meta_graph_suffix: has no effect: a checkpoint knows its files; here for TensorFlow 1 programs.

    Raises:
        NotFoundError: there is none.
        StorageError: the file system refuses.

    Example:
        >>> v = dt.Variable(1.0, name="v")
        >>> with dt.Session() as session:
        ...     session.run(v.initializer)
        ...     path = dt.train.Saver().save(session, "./model")
        >>> dt.train.remove_checkpoint(path)
        >>> dt.train.checkpoint_exists(path)
        False
    """
    prefix = as_prefix(checkpoint_prefix, "remove_checkpoint")
    with locked(prefix.parent):
        paths = Checkpoint(prefix).paths()[::-1]  # the manifest last: it tells what is to be deleted
        if not remove(paths):
            raise StorageError(f'files of the checkpoint "{prefix}" could not be deleted.')
