"""``edit_distance``: how many changes make one sequence of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import opaque_dim, opaque_name, sizes_of
from dovetail.ops.sparse import SparseTensor
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, float32, int64
from dovetail.types.shapes import Shape, TensorType

__all__ = ["EditDistance", "edit_distance"]


def _levenshtein(left: list[Any], right: list[Any]) -> int:
    """Return the least number of insertions, deletions and replacements (Wagner and Fischer, 1974)."""
    row = list(range(len(right) + 1))
    for count, item in enumerate(left, 1):
        before, row[0] = row[0], count
        for place, other in enumerate(right, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (item != other))
    return row[-1]


def _sequences(indices: Array, values: Array) -> dict[tuple[int, ...], list[Any]]:
    """Return the elements of each sequence, in order of their place along the last axis."""
    found: dict[tuple[int, ...], list[tuple[int, Any]]] = {}
    for (*lead, place), value in zip(indices.tolist(), values.tolist(), strict=True):
        found.setdefault(tuple(lead), []).append((place, value))
    return {lead: [value for _, value in sorted(items, key=lambda item: item[0])] for lead, items in found.items()}


@primitive
@final
class EditDistance(Op):
    """Distances of sequences, from the three parts of two sparse tensors."""

    differentiable = False
    symbol: str
    sizes: tuple[Dim | None, ...]
    normalize: bool = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always float32."""
        return (float32,)

    def infer(self, *types: TensorType) -> Signature:
        """The shape of the sequences' numbers; sizes that are not known are opaque."""
        hypothesis, truth = types[1], types[4]
        if hypothesis.dtype is not truth.dtype:
            raise DTypeError(
                f"edit_distance: the hypothesis is {hypothesis.dtype.name} and the truth {truth.dtype.name}; use "
                f"dt.cast on one of them."
            )
        for one in (types[0], types[3]):
            if one.dtype is not int64:
                raise DTypeError(f"edit_distance: the indices are {one}; they must be int64. Use dt.cast.")
        dims = [opaque_dim(self.symbol, axis) if size is None else size for axis, size in enumerate(self.sizes)]
        return TensorType(float32, Shape(dims))

    def reference(self, *parts: Array) -> Array:
        """One pair of sequences after the other."""
        left, right = _sequences(*parts[:2]), _sequences(*parts[3:5])
        shape = tuple(np.maximum(parts[2], parts[5])[:-1].tolist())
        result = np.zeros(shape, np.float32)
        for lead in {*left, *right}:
            if any(place >= size for place, size in zip(lead, shape, strict=True)):
                raise InvalidArgumentError(
                    f"edit_distance: a sequence is at {list(lead)}, outside of the shape {list(shape)} that the dense "
                    f"shapes give."
                )
            one, other = left.get(lead, []), right.get(lead, [])
            distance = float(_levenshtein(one, other))
            if self.normalize and distance:
                distance = distance / len(other) if other else np.inf
            result[lead] = distance
        return result

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and different sequences; none where there is a truth, and no truth where there are some."""
        places = np.array([[0, 0], [0, 1], [0, 2], [2, 0]], np.int64)
        others = np.array([[0, 0], [0, 1], [1, 0]], np.int64)
        one, other = np.array([1, 2, 3, 4], np.int32), np.array([1, 3, 5], np.int32)
        for normalize in (True, False):
            op = cls("edit.sample", (3,), normalize)
            yield Sample(op, places, one, np.array([3, 3], np.int64), others, other, np.array([2, 2], np.int64))


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """Return how many insertions, deletions and replacements make the true sequences of others (Levenshtein, 1966).

    Args:
        hypothesis: a ``SparseTensor`` of sequences along its last axis, of any dtype.
        truth: one of the same rank and dtype.
        normalize: whether distances are divided by the lengths of the true sequences; then the distance to a true
            sequence of no elements is infinite, and 0 from no elements.
        name: name of the node.

    Returns:
        A float32 tensor of the shape of both without the last axis.

    Raises:
        DTypeError: an argument is no ``SparseTensor``, or the dtypes differ.
        ShapeError: the ranks differ, or are not known.

    Example:
        >>> said = dt.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 2])
        >>> true = dt.SparseTensor([[0, 0], [1, 0], [1, 1]], ["a", "c", "d"], [2, 2])
        >>> dt.Session().run(dt.edit_distance(said, true))
        array([1. , 0.5], dtype=float32)
    """
    for label, one in (("hypothesis", hypothesis), ("truth", truth)):
        if not isinstance(one, SparseTensor) and not (isinstance(one, tuple) and len(one) == 3):
            raise DTypeError(f"edit_distance: {label} is {one!r}; give a dt.SparseTensor.")
    left, right = SparseTensor.from_value(hypothesis), SparseTensor.from_value(truth)
    found = [sizes_of(one.dense_shape, "edit_distance: dense_shape") for one in (left, right)]
    ranks = [one.indices.shape[1] if one.indices.shape.rank == 2 else None for one in (left, right)]
    if not isinstance(ranks[0], int) or ranks[0] != ranks[1]:
        raise ShapeError(
            f"edit_distance: the hypothesis has indices {left.indices.type}, the truth {right.indices.type}; both must "
            f"have one rank, which is known while the graph is built."
        )
    sizes: list[Dim | None] = [None] * (ranks[0] - 1)
    if all(one is not None for one in found):
        for axis, pair in enumerate(zip(*found, strict=True)):
            if axis < len(sizes) and all(isinstance(size, int) for size in pair):
                sizes[axis] = max(pair)
    op = EditDistance(opaque_name("edit_distance"), tuple(sizes), bool(normalize))
    result: Tensor = op(*left.parts(), *right.parts(), name=name)
    return result
