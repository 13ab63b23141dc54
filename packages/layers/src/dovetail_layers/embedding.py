"""The embedding layer, and the function that looks rows up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
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

    Raises:
        DTypeError: the input holds no integers.
        InvalidArgumentError: when it runs, a number that is out of range.

    Example:
        >>> dt.layers.embedding([[1, 5, 2], [0, 0, 3]], input_dim=6, output_dim=4).shape
        Shape([2, 3, 4])
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: InitializerLike = dt.random_uniform_initializer(-0.05, 0.05)
    embeddings_regularizer: RegularizerLike = None
    embeddings_constraint: Callable[[Tensor], Tensor] | None = None
    dtype: DType = dt.float32

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


def embedding_lookup(params: Any, ids: Any, name: str | None = None) -> Tensor:
    """Return the rows of a table whose numbers are ``ids``.

    Args:
        params: the table, of shape ``[rows, ...]``.
        ids: integers of any shape.
        name: name of the node.

    Returns:
        A tensor of shape ``ids.shape + params.shape[1:]``. The gradient of the table is ``dt.IndexedSlices``.

    Raises:
        DTypeError: the ids are no integers.
        InvalidArgumentError: when it runs, an id that is out of range.

    Example:
        >>> dt.Session().run(dt.nn.embedding_lookup([[1.0, 2.0], [3.0, 4.0]], [1, 1, 0]))
        array([[3., 4.],
               [3., 4.],
               [1., 2.]], dtype=float32)
    """
    numbers = dt.convert_to_tensor(ids)
    if not numbers.dtype.is_integer:
        raise DTypeError(f"embedding_lookup: the ids are {numbers.type}; use integers, by dt.cast if need be.")
    result: Tensor = dt.gather(params, numbers, name=name or "embedding_lookup")
    return result
