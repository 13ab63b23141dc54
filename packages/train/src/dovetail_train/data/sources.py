"""Functions of ``dt.data`` that make datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dovetail_train.data.arrays import Arrays
from dovetail_train.data.dataset import Dataset

__all__ = ["from_arrays", "from_generator"]


def from_arrays(arrays: Any, *more: Any) -> Dataset:
    """Return the rows of arrays as elements.

    Args:
        arrays: arrays with equally many rows, nested in tuples and dicts as the elements shall be; lists are arrays.
            Nothing is copied, and rows cannot be written to.
        more: further ones; ``from_arrays(x, y)`` is ``from_arrays((x, y))``.

    Raises:
        DataError: the arrays are not equally long, or one of them is a single number.

    Example:
        >>> dataset = dt.data.from_arrays(({"length": np.array([1.5, 2.5])}, np.array([0, 1])))
        >>> next(iter(dataset))
        ({'length': np.float64(1.5)}, np.int64(0))
    """
    return Dataset(Arrays((arrays, *more) if more else arrays))


def from_generator(
    generator: Callable[..., Iterable[Any]],
    output_types: Any = None,
    output_shapes: Any = None,
    args: Iterable[Any] | None = None,
    *,
    output_signature: Any = None,
    length: int | None = None,
) -> Dataset:
    """Return what a generator gives as elements.

    Args:
        generator: a function that returns an iterable; it is called for each pass. To go to a saved position it is
            called anew, and what comes before is passed over.
        output_types: dtypes, nested as the elements are; TensorFlow 1's way to say what they are.
        output_shapes: their shapes; unknown unless given.
        args: what the function is called with.
        output_signature: the same as both, in ``TensorSpec``. Where nothing is said, the first element tells.
        length: how many elements there are, if that is known; fewer or more are an error then.

    Raises:
        DTypeError: ``generator`` is no function.
        DataError: when read, the generator raises, or an element is not as was said, or as those before. The message
            names the element.

    Example:
        >>> def squares(count):
        ...     for number in range(count):
        ...         yield {"number": number, "square": float(number) ** 2}
        >>> list(dt.data.from_generator(squares, args=[3]).skip(2))
        [{'number': np.int32(2), 'square': np.float32(4.0)}]
    """
    return Dataset.from_generator(
        generator, output_types, output_shapes, args, output_signature=output_signature, length=length
    )
