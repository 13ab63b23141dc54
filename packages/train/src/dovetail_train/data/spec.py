"""What is known of the elements of a dataset: structure, dtypes, shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DataError, DovetailError
from dovetail.extend import Shape
from dovetail_train.data.structure import Structure

__all__ = ["ElementSpec", "Leaves", "TensorSpec", "as_leaf", "specs_of"]

Leaves = Sequence[Any]
"""The arrays of one element, in the order of its structure."""


@final
@dataclass(frozen=True, repr=False)
class TensorSpec:
    """The shape and dtype of one array of an element.

    Args:
        shape: sizes, with ``None`` for those that differ from element to element; ``None`` alone where not even the
            rank is known.
        dtype: element type.
        name: has no effect; here for TensorFlow programs.

    Example:
        >>> dt.data.TensorSpec([None, 28, 28], dt.float32)
        TensorSpec(shape=[None, 28, 28], dtype=float32)
    """

    shape: tuple[int | None, ...] | None
    dtype: dt.DType
    name: str | None = None

    def __init__(self, shape: Any, dtype: Any = dt.float32, name: str | None = None) -> None:
        """Take sizes from a list, a tuple or a shape; -1 is ``None``."""
        if isinstance(shape, Shape):
            shape = None if shape.rank is None else shape.as_list()
        sizes = None if shape is None else [None if size in (None, -1) else int(size) for size in shape]
        object.__setattr__(self, "shape", None if sizes is None else tuple(sizes))
        object.__setattr__(self, "dtype", dt.as_dtype(dtype))
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        """Show shape and dtype."""
        shape = None if self.shape is None else list(self.shape)
        return f"TensorSpec(shape={shape}, dtype={self.dtype.name})"

    def __str__(self) -> str:
        """Show it as messages do."""
        sizes = "..." if self.shape is None else ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype.name}[{sizes}]"

    def admits(self, shape: Sequence[int]) -> bool:
        """Whether an array of this shape fits."""
        if self.shape is None:
            return True
        return len(self.shape) == len(shape) and all(
            size is None or size == have for size, have in zip(self.shape, shape, strict=True)
        )

    def with_shape(self, shape: Iterable[int | None] | None) -> TensorSpec:
        """Return one of the same dtype."""
        return TensorSpec(None if shape is None else list(shape), self.dtype)


@final
@dataclass(frozen=True)
class ElementSpec:
    """Structure of an element, and what each of its arrays is."""

    structure: Structure
    leaves: tuple[TensorSpec, ...]

    def pack(self) -> Any:
        """Return the specs, nested as elements are."""
        return self.structure.pack(self.leaves)

    def with_leaves(self, leaves: Iterable[TensorSpec]) -> ElementSpec:
        """Return one of the same structure."""
        return ElementSpec(self.structure, tuple(leaves))

    def cast(self, element: Any) -> Any:
        """Return an element whose numbers have the dtypes of the specs, where that loses nothing but precision."""
        leaves = self.structure.flatten(element)
        if leaves is None:
            return element
        return self.structure.pack([_cast(leaf, one.dtype) for leaf, one in zip(leaves, self.leaves, strict=True)])

    def take(self, element: Any, who: str, where: Callable[[], str], shapes: bool) -> list[Any]:
        """Return the arrays of an element that a function of the user made.

        Args:
            element: what it made.
            who: who takes it, for messages.
            where: says what it is, for messages.
            shapes: whether shapes must fit too.

        Raises:
            DataError: its structure or a dtype is another, or a shape does not fit.
        """
        found = self.structure.flatten(element)
        if found is None:
            raise DataError(
                f"{who}: {where()} is {Structure.of(element).describe()}, where elements are "
                f"{self.structure.describe()}. Make every element of one structure."
            )
        for number, (leaf, spec) in enumerate(zip(found, self.leaves, strict=True)):
            if getattr(leaf, "dtype", None) == spec.dtype.numpy and isinstance(leaf, (np.ndarray, np.generic)):
                if spec.dtype.is_string or (shapes and not spec.admits(leaf.shape)):
                    found[number] = self._checked(leaf, number, who, where, shapes)
            else:
                found[number] = self._checked(leaf, number, who, where, shapes)
        return found

    def _checked(self, leaf: Any, number: int, who: str, where: Callable[[], str], shapes: bool) -> Any:
        spec, path = self.leaves[number], self.structure.paths()[number]
        array = as_leaf(leaf, who, lambda: f"{where()}{path}")
        if dtype_of(array) is not spec.dtype or (shapes and not spec.admits(np.shape(array))):
            raise DataError(
                f"{who}: {where()}{path} is {spec_of(array)}, where others are {spec}. Make all of one dtype and "
                "shape, such as by np.asarray(value, dtype)."
            )
        return array


def _cast(leaf: Any, dtype: dt.DType) -> Any:
    if (
        leaf is None
        or isinstance(leaf, (str, bytes))
        or not dtype.is_numeric
        or getattr(leaf, "dtype", 0) == dtype.numpy
    ):
        return leaf
    try:
        array = np.asarray(leaf)
        exact = array.astype(dtype.numpy)
    except (TypeError, ValueError):
        return leaf
    same = array.dtype.kind in "iuf" and (dtype.is_floating or bool((exact == array).all()))
    return (exact if exact.ndim else exact[()]) if same else leaf


def dtype_of(leaf: Any) -> dt.DType:
    """Return the element type of an array, number or string."""
    if isinstance(leaf, (str, bytes)):
        return dt.string
    return dt.as_dtype(leaf.dtype)


def spec_of(leaf: Any) -> TensorSpec:
    """Return what one array is."""
    return TensorSpec(np.shape(leaf), dtype_of(leaf))


def specs_of(element: Any, who: str, where: Callable[[], str]) -> tuple[ElementSpec, list[Any]]:
    """Return what a first element says of all, and its arrays."""
    structure = Structure.of(element)
    leaves = structure.flatten(element) or []
    paths = structure.paths()
    leaves = [as_leaf(leaf, who, lambda: where() + path) for leaf, path in zip(leaves, paths, strict=True)]  # noqa: B023
    if not leaves:
        raise DataError(f"{who}: {where()} is empty ({structure.describe()}); give at least one array.")
    return ElementSpec(structure, tuple(spec_of(leaf) for leaf in leaves)), leaves


def as_leaf(value: Any, who: str, where: Callable[[], str]) -> Any:
    """Return an array, a NumPy number or a string; Python numbers become int32 and float32, as everywhere.

    Raises:
        DataError: no array can be made of it.
    """
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return value
    if value is None:
        raise DataError(f"{who}: {where()} is None; give an array, a number, a string, or tuples and dicts of them.")
    try:
        return _array(value)
    except (DovetailError, TypeError, ValueError) as error:
        raise DataError(f"{who}: {where()} is no array: {error}") from error


def _array(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind in "USO":
        items = array.astype(object)
        for item in items.ravel():
            if not isinstance(item, (str, bytes)):
                raise DataError(f"it holds a {type(item).__name__}")
        return items if items.ndim else items.item()
    if not hasattr(value, "dtype") and array.dtype.kind in "iuf" and not _holds_numpy(value):
        return _narrow(array)
    dt.as_dtype(array.dtype)
    return array if array.ndim else array[()]


def _narrow(array: Any) -> Any:
    if array.dtype.kind == "f":
        small = array.astype(np.float32)
    elif array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31):
        small = array.astype(np.int32)
    else:
        small = array.astype(np.int64)
    return small if small.ndim else small[()]


def _holds_numpy(value: Any) -> bool:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (np.ndarray, np.generic))
