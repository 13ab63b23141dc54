"""Names of TensorFlow 1 for what datasets do by methods and properties of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dovetail_train.data.dataset import Dataset
from dovetail_train.data.graph_iterator import Iterator
from dovetail_train.data.text import from_text

__all__ = [
    "TextLineDataset",
    "cardinality",
    "get_output_shapes",
    "get_output_types",
    "map_and_batch",
    "shuffle_and_repeat",
    "unbatch",
]


def TextLineDataset(  # noqa: N802 - TensorFlow's name
    filenames: Any,
    compression_type: str | None = None,
    buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
) -> Dataset:
    """Return the lines of files: ``from_text`` under TensorFlow's name; compressed ones by their endings.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("lines.txt").write_text("a")
        >>> list(dt.data.TextLineDataset(["lines.txt"]))
        ['a']
    """
    return from_text(filenames)


def get_output_types(dataset_or_iterator: Dataset | Iterator) -> Any:
    """Return the dtypes of elements, nested as they are."""
    return dataset_or_iterator.output_types


def get_output_shapes(dataset_or_iterator: Dataset | Iterator) -> Any:
    """Return the shapes of elements, nested as they are."""
    return dataset_or_iterator.output_shapes


def cardinality(dataset: Dataset) -> int:
    """Return ``dataset.cardinality()``."""
    return dataset.cardinality()


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: int,
    num_parallel_batches: int | None = None,
    drop_remainder: bool = False,
    num_parallel_calls: int | None = None,
) -> Callable[[Dataset], Dataset]:
    """Return a function for ``Dataset.apply`` that maps and batches.

    Example:
        >>> fused = dt.data.experimental.map_and_batch(lambda n: n * 2, batch_size=3)
        >>> next(iter(dt.data.range(5).apply(fused)))
        array([0, 2, 4])
    """
    return lambda dataset: dataset.map(map_func, num_parallel_calls).batch(batch_size, drop_remainder)


def shuffle_and_repeat(
    buffer_size: int, count: int | None = None, seed: int | None = None
) -> Callable[[Dataset], Dataset]:
    """Return a function for ``Dataset.apply`` that shuffles and repeats.

    Example:
        >>> len(dt.data.range(5).apply(dt.data.experimental.shuffle_and_repeat(5, 3)))
        15
    """
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def unbatch() -> Callable[[Dataset], Dataset]:
    """Return a function for ``Dataset.apply`` that takes batches apart."""
    return Dataset.unbatch
