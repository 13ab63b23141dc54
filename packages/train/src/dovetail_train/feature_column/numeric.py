"""``numeric_column``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import DType
from dovetail_train.feature_column.columns import DenseColumn, Features, checked_key

__all__ = ["NumericColumn", "numeric_column"]


@final
class NumericColumn(DenseColumn):
    """Numbers as they are, or normalised."""

    def __init__(
        self,
        key: str,
        shape: tuple[int, ...],
        default_value: float | None,
        dtype: DType,
        normalizer_fn: Callable[[Tensor], Any] | None,
    ) -> None:
        """Remember what is given."""
        self.key = key
        self.shape = shape
        self.default_value = default_value
        self.dtype = dtype
        self.normalizer_fn = normalizer_fn

    @property
    def name(self) -> str:
        """That of the feature."""
        return self.key

    @property
    def features(self) -> tuple[str, ...]:
        """The one feature."""
        return (self.key,)

    @property
    def width(self) -> int:
        """The product of the sizes."""
        return math.prod(self.shape)

    def values(self, features: Features) -> Tensor:
        """Return the numbers, of shape ``[batch, *shape]``.

        Raises:
            DTypeError: they are text.
            ShapeError: there are more or fewer in a row.
        """
        who = "numeric_column"
        x = features.raw(self.key, who)
        if x.dtype.is_string:
            raise DTypeError(
                f"{who}: the feature {self.key!r} is text; use a categorical column, or dt.strings.to_number before."
            )
        sizes = x.shape.dims[1:] if x.shape.rank else ()
        known = [one for one in sizes if isinstance(one, int)]
        if x.shape.rank == 0 or (len(known) == len(sizes) and math.prod(known) != self.width):
            raise ShapeError(
                f"{who}: the feature {self.key!r} is {x.type}, whose rows are not of shape {list(self.shape)}; give "
                f"numeric_column({self.key!r}, shape={list(known)})."
            )
        x = dt.cast(x, self.dtype)
        if self.default_value is not None:
            x = dt.where(dt.is_nan(x), dt.fill(dt.shape(x), dt.constant(self.default_value, self.dtype)), x)
        x = dt.reshape(x, [-1, *self.shape])
        if self.normalizer_fn is not None:
            x = dt.convert_to_tensor(self.normalizer_fn(x))
        return x

    def dense(self, features: Features) -> Tensor:
        """Return the numbers."""
        return dt.reshape(features.made(self, self.values), [-1, self.width])


def numeric_column(
    key: str,
    shape: int | Sequence[int] = (1,),
    default_value: float | None = None,
    dtype: Any = dt.float32,
    normalizer_fn: Callable[[Tensor], Any] | None = None,
) -> NumericColumn:
    """Return a column of numbers.

    Args:
        key: the feature.
        shape: of the numbers of one row.
        default_value: what stands in place of NaN, as a missing number is read from a CSV file; NaN stays by default.
        dtype: what they are cast to, a floating or integer one.
        normalizer_fn: a function of the numbers, of shape ``[batch, *shape]``, such as ``lambda x: (x - 3.0) / 4.2``.

    Raises:
        InvalidArgumentError: a size is not positive.
        DTypeError: the key is no string, the dtype no numeric one, or the normaliser no function.

    Example:
        >>> columns = [dt.feature_column.numeric_column("price", normalizer_fn=lambda x: x / 100.0)]
        >>> dt.Session().run(dt.feature_column.input_layer({"price": [50.0, 300.0]}, columns))
        array([[0.5],
               [3. ]], dtype=float32)
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(int(one) for one in shape)
    if any(one < 1 for one in sizes):
        raise InvalidArgumentError(f"numeric_column: shape is {list(sizes)}; sizes must be positive.")
    chosen = dt.as_dtype(dtype)
    if not (chosen.is_floating or chosen.is_integer):
        raise DTypeError(f"numeric_column: dtype is {chosen.name}; use a floating or integer one.")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise DTypeError(f"numeric_column: normalizer_fn is {normalizer_fn!r}; give a function of the numbers.")
    return NumericColumn(checked_key(key, "numeric_column"), sizes, default_value, chosen, normalizer_fn)
