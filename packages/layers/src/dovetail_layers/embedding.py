"""The embedding layer, and the function that looks rows up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import DType, InitializerLike, Layer, RegularizerLike, TensorType

__all__ = ["Embedding", "embedding_lookup"]


@final
class Embedding(Layer):
    """A row of a table for each number, such as a vector for each word.

    The weight is ``embeddings``, of shape ``[input_dim, output_dim]``. Its gradient is ``dt.IndexedSlices``, the rows
    that were looked up.

    Args:
        input_dim: how many rows there are; the numbers are from 0 to one less.
        output_dim: the length of each.
        embeddings_initializer: first values; uniform ones from -0.05 to 0.05 by default.
        embeddings_regularizer: gives a loss of the table.
        embeddings_constraint: gives the table to keep after an optimizer's update.
        dtype: the element type of the table.
        mask_zero: whether the number 0 stands for padding; then ``compute_mask(ids)`` says where there is none, which
            recurrent layers and attention take as ``mask``.

    Raises:
        DTypeError: the input holds no integers.
        InvalidArgumentError: when it runs, a number that is out of range.

    Example:
        >>> dt.layers.embedding([[1, 5, 2], [0, 0, 3]], input_dim=6, output_dim=4).shape
        Shape([2, 3, 4])
        >>> layer, words = dt.layers.Embedding(6, 4, mask_zero=True), dt.constant([[1, 5, 0], [2, 0, 0]])
        >>> dt.layers.gru(layer(words), 8, mask=layer.compute_mask(words)).shape
        Shape([2, 8])
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: InitializerLike = dt.random_uniform_initializer(-0.05, 0.05)
    embeddings_regularizer: RegularizerLike = None
    embeddings_constraint: Callable[[Tensor], Tensor] | None = None
    dtype: DType = dt.float32
    mask_zero: bool = False

    def check(self) -> None:
        """Look at the sizes."""
        for name in ("input_dim", "output_dim"):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"embedding: {name} is {getattr(self, name)}; it must be positive.")

    def build(self, inputs: TensorType) -> None:
        """Make the table."""
        self.embeddings = self.weight(
            "embeddings",
            [self.input_dim, self.output_dim],
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            dtype=self.dtype,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Look up."""
        return embedding_lookup(self.embeddings, inputs)

    def compute_mask(self, inputs: Any) -> Tensor:
        """Return where the numbers are not 0.

        Raises:
            LayerError: ``mask_zero`` is not set.
        """
        if not self.mask_zero:
            raise LayerError("embedding: compute_mask() is for a layer with mask_zero=True.")
        return dt.not_equal(inputs, 0)


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: float | None = None,
) -> Tensor:
    """Return the rows of a table whose numbers are ``ids``.

    Args:
        params: the table, of shape ``[rows, ...]``, or a list of parts of it.
        ids: integers of any shape.
        partition_strategy: which rows the parts hold: with ``"mod"`` part ``p`` of ``n`` holds rows ``p``, ``p + n``,
            ``p + 2 * n`` …; with ``"div"`` rows that follow each other.
        name: name of the node.
        validate_indices: has no effect: indices are always looked at; here for TensorFlow 1 programs.
        max_norm: rows whose norm is greater are scaled to it.

    Returns:
        A tensor of shape ``ids.shape + params.shape[1:]``. The gradient of a whole table is ``dt.IndexedSlices``.

    Raises:
        DTypeError: the ids are no integers.
        ShapeError: parts differ in their rows, or a part's number of rows is not known or not what the strategy says.
        InvalidArgumentError: there are no parts or there is no such strategy; when it runs, an id is out of range.

    Example:
        >>> dt.Session().run(dt.nn.embedding_lookup([[1.0, 2.0], [3.0, 4.0]], [1, 1, 0]))
        array([[3., 4.],
               [3., 4.],
               [1., 2.]], dtype=float32)
        >>> parts = dt.constant([[0.0], [2.0]]), dt.constant([[1.0], [3.0]])
        >>> dt.Session().run(dt.nn.embedding_lookup(parts, [2, 3]))
        array([[2.],
               [3.]], dtype=float32)
    """
    numbers = dt.convert_to_tensor(ids)
    if not numbers.dtype.is_integer:
        raise DTypeError(f"embedding_lookup: the ids are {numbers.type}; use integers, by dt.cast if need be.")
    if partition_strategy not in ("mod", "div"):
        raise InvalidArgumentError(
            f"embedding_lookup: partition_strategy is {partition_strategy!r}; use 'mod' or 'div'."
        )
    if _are_parts(params):
        params, numbers = _joined([dt.convert_to_tensor(one) for one in params], numbers, partition_strategy)
    result: Tensor = dt.gather(params, numbers, name=name or "embedding_lookup")
    if max_norm is None:
        return result
    clipped: Tensor = dt.clip_by_norm(result, max_norm, axes=list(range(len(numbers.shape), len(result.shape))))
    return clipped


def _are_parts(params: Any) -> bool:
    """Whether a list holds parts of a table rather than the numbers of one."""
    if not isinstance(params, (list, tuple)):
        return False
    if not params:
        raise InvalidArgumentError("embedding_lookup: params is an empty list; give a table, or its parts.")
    return all(isinstance(one, (Tensor, dt.Variable, np.ndarray)) for one in params)


def _joined(parts: list[Tensor], ids: Tensor, strategy: str) -> tuple[Tensor, Tensor]:
    """Return one table, and the numbers that rows have in it."""
    sizes = []
    for part in parts:
        size = part.shape[0] if part.shape.rank else None
        if not isinstance(size, int) or not part.shape[1:].is_compatible_with(parts[0].shape[1:]):
            raise ShapeError(
                f"embedding_lookup: the parts are {', '.join(str(one.type) for one in parts)}; their numbers of rows "
                "must be known, and their rows of one shape."
            )
        sizes.append(size)
    count, total = len(parts), sum(sizes)
    wanted = [total // count + (index < total % count) for index in range(count)]
    if sizes != wanted:
        raise ShapeError(
            f"embedding_lookup: the parts have {sizes} rows, where {wanted} are wanted for partition_strategy "
            f"{strategy!r}: the first parts have one row more where the number of rows is not divisible."
        )
    table = dt.concat(parts, 0) if count > 1 else parts[0]
    if strategy == "div" or count == 1:
        return table, ids
    starts = dt.constant(np.cumsum([0, *sizes[:-1]]), ids.dtype)
    return table, dt.gather(starts, dt.floormod(ids, count)) + dt.floor_div(ids, count)
