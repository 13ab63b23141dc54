"""Products of matrices: ``matmul``, and what reduces to it, ``tensordot`` and ``einsum``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import operator
from dovetail.graph.registry import primitive, register
from dovetail.ops.arrays import reshape, transpose
from dovetail.ops.complex_numbers import conj
from dovetail.ops.composites import CompositeOp
from dovetail.ops.operands import apply, leading_dtype
from dovetail.ops.reductions import sum_to
from dovetail.types.dims import Dim, product
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType, broadcast_dim, normalize_axes, normalize_axis, unify

__all__ = ["batch_matmul", "matmul", "tensordot"]


def widened(array: Array) -> Array:
    """Return float16 and bfloat16 as float32, in which products and sums of them accumulate; others as they are."""
    if array.dtype.itemsize == 2 and as_dtype(array.dtype).is_half:
        return array.astype(np.float32)
    return array


def narrowed(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return ``array`` in ``dtype``, itself where it is that already."""
    result: Array = array.astype(dtype, copy=False)
    return result


def check_dtypes(operation: str, types: Sequence[TensorType]) -> None:
    """Make sure that the inputs hold numbers of one dtype.

    Raises:
        DTypeError: one does not.
    """
    for index, one in enumerate(types):
        if not one.dtype.is_number:
            raise DTypeError(f"{operation}: input {index} is {one}, where numbers are wanted. Use cast on it.")
        if one.dtype is not types[0].dtype:
            raise DTypeError(
                f"{operation}: dtypes differ: input 0 is {types[0]}, input {index} is {one}. Use cast on one of them."
            )


@primitive
@final
class MatMul(Op):
    """Products of matrices, which are the last two axes; the axes before them broadcast.

    float16 and bfloat16 accumulate in float32; integers wrap around.
    """

    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self, a: TensorType, b: TensorType) -> Signature:
        """Rows of the first, columns of the second, broadcast axes before them."""
        self._check(a, b)
        m, k = a.dims[:-3:-1] if self.transpose_a else a.dims[-2:]
        other, n = b.dims[:-3:-1] if self.transpose_b else b.dims[-2:]
        unify(
            k,
            other,
            lambda: (
                f"matmul: inner dimensions differ: {self._shown(a, b)}. "
                f"Transpose input 1, or check the units of the layer before."
            ),
        )
        rank = max(len(a.dims), len(b.dims)) - 2
        batch_a = (1,) * (rank + 2 - len(a.dims)) + a.dims[:-2]
        batch_b = (1,) * (rank + 2 - len(b.dims)) + b.dims[:-2]
        batch = [
            broadcast_dim(
                left,
                right,
                lambda: (
                    f"matmul: the dimensions before the matrices do not broadcast: {self._shown(a, b)}. "
                    f"Aligned at the right, they must be equal or 1."
                ),
            )
            for left, right in zip(batch_a, batch_b, strict=True)
        ]
        return TensorType(a.dtype, Shape((*batch, m, n)))

    def _check(self, a: TensorType, b: TensorType) -> None:
        for index, one in enumerate((a, b)):
            if len(one.dims) < 2:
                kind = "a vector" if len(one.dims) == 1 else "a scalar"
                raise ShapeError(
                    f"matmul: input {index} is {one}, {kind}, where a matrix is wanted. "
                    f"Make it one by expand_dims, or use tensordot, which takes any rank."
                )
        check_dtypes("matmul", (a, b))

    def _shown(self, a: TensorType, b: TensorType) -> str:
        notes = [" (transposed)" if flag else "" for flag in (self.transpose_a, self.transpose_b)]
        return f"input 0 is {a}{notes[0]}, input 1 is {b}{notes[1]}"

    def reference(self, a: Array, b: Array) -> Array:
        """NumPy's product; many matrices times one are a single product of more rows."""
        dtype = a.dtype
        a, b = widened(a), widened(b)
        if b.ndim == 2 and a.ndim > 2 and not self.transpose_a:
            rows, inner = math.prod(a.shape[:-1]), a.shape[-1]
            result = np.matmul(a.reshape(rows, inner), b.T if self.transpose_b else b)
            result = result.reshape(*a.shape[:-1], result.shape[1])
        else:
            result = np.matmul(
                a.swapaxes(-1, -2) if self.transpose_a else a, b.swapaxes(-1, -2) if self.transpose_b else b
            )
        return narrowed(result, dtype)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Products of the gradient with the other matrix, conjugated, summed over axes that were broadcast."""
        (a, b), (grad,) = inputs, grads
        return [sum_to(self._for_a(conj(b), grad), a), self._for_b(conj(a), b, grad)]

    def _for_a(self, b: Tensor, grad: Tensor) -> Tensor:
        result: Tensor
        if self.transpose_a:
            result = MatMul(self.transpose_b, True)(b, grad)
        else:
            result = MatMul(False, not self.transpose_b)(grad, b)
        return result

    def _for_b(self, a: Tensor, b: Tensor, grad: Tensor) -> Tensor:
        if len(b.shape) == 2 and len(a.shape) > 2 and not self.transpose_a:
            # One product over all rows, instead of one for each matrix and their sum.
            a, grad = _as_rows(a), _as_rows(grad)
        if self.transpose_b:
            return sum_to(MatMul(True, self.transpose_a)(grad, a), b)
        return sum_to(MatMul(not self.transpose_a, False)(a, grad), b)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """A product and a sum for each element of the output and of the inner axis."""
        inner = inputs[0].dims[-2 if self.transpose_a else -1]
        return 2 * inner * outputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """All transpositions, broadcast batches, empty rows and empty inner axes, integers, complex numbers."""
        yield Sample(cls(), rng.normal(size=(2, 3)), rng.normal(size=(3, 4)))
        yield Sample(cls(True, False), rng.normal(size=(3, 2)), rng.normal(size=(3, 4)))
        yield Sample(cls(False, True), rng.normal(size=(2, 3)), rng.normal(size=(4, 3)))
        yield Sample(cls(True, True), rng.normal(size=(3, 2)), rng.normal(size=(4, 3)))
        yield Sample(cls(), rng.normal(size=(2, 2, 3)), rng.normal(size=(3, 2)))
        yield Sample(cls(False, True), rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 3)))
        yield Sample(cls(True, False), rng.normal(size=(2, 3, 2)), rng.normal(size=(3, 2)))
        yield Sample(cls(True, True), rng.normal(size=(2, 1, 3, 2)), rng.normal(size=(3, 2, 3)))
        yield Sample(cls(), rng.normal(size=(0, 3)), rng.normal(size=(3, 2)))
        yield Sample(cls(), rng.normal(size=(2, 0)), rng.normal(size=(0, 3)))
        yield Sample(cls(), rng.integers(-9, 9, (2, 3), dtype=np.int32), rng.integers(-9, 9, (3, 2), dtype=np.int32))
        matrices = rng.normal(size=(2, 2, 2, 3)) + 1j * rng.normal(size=(2, 2, 2, 3))
        yield Sample(cls(False, True), matrices[0], matrices[1, 0])
        yield Sample(cls(True, False), matrices[0], matrices[1])


def _as_rows(x: Tensor) -> Tensor:
    *rows, columns = x.shape
    return reshape(x, (product(rows), columns))


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the product of two matrices, or of stacks of them.

    Args:
        a: numbers of shape ``[..., m, k]``, or ``[..., k, m]`` if it is transposed.
        b: of the same dtype and shape ``[..., k, n]``, or ``[..., n, k]`` if it is transposed.
        transpose_a: whether the last two axes of ``a`` are swapped first.
        transpose_b: whether the last two axes of ``b`` are swapped first.
        adjoint_a: whether it is conjugated as well.
        adjoint_b: whether it is conjugated as well.
        a_is_sparse: has no effect; here for TensorFlow 1 programs.
        b_is_sparse: has no effect; here for TensorFlow 1 programs.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., m, n]``; the axes before broadcast as in NumPy. float16 and bfloat16 accumulate in
        float32, integers wrap around.

    Raises:
        ShapeError: an input is no matrix, the inner dimensions differ, or the axes before do not broadcast.
        DTypeError: the dtypes differ, or are not numbers.
        InvalidArgumentError: an input is to be both transposed and adjoint.

    Example:
        >>> dt.Session().run(dt.matmul([[1.0, 2.0]], [[3.0], [4.0]]))
        array([[11.]], dtype=float32)
    """
    for which, both in (("a", transpose_a and adjoint_a), ("b", transpose_b and adjoint_b)):
        if both:
            raise InvalidArgumentError(f"matmul: both transpose_{which} and adjoint_{which} are set; set one of them.")
    op = MatMul(bool(transpose_a or adjoint_a), bool(transpose_b or adjoint_b))
    if (adjoint_a or adjoint_b) and leading_dtype(a, b).is_complex:
        a, b = conj(a) if adjoint_a else a, conj(b) if adjoint_b else b
    return apply(op, "matmul", ("a", "b"), (a, b), name)


def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Tensor:
    """Return the products of two stacks of matrices; ``matmul`` under the name of early TensorFlow 1."""
    return matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)


operator("matmul", matmul)


@register
@final
class Tensordot(CompositeOp):
    """Sums of products over pairs of axes; the axes that are left stay in order, those of the first input first."""

    axes_a: tuple[int, ...]
    axes_b: tuple[int, ...]

    def decomposition(self, a: Tensor, b: Tensor) -> Tensor:
        """One product of matrices, between transpositions and reshapes."""
        check_dtypes("tensordot", [a.type, b.type])
        summed_a, summed_b = self._summed(a.type, 0), self._summed(b.type, 1)
        for one, other in zip(summed_a, summed_b, strict=True):
            unify(
                a.shape[one],
                b.shape[other],
                (
                    f"tensordot: axis {one} of input 0 and axis {other} of input 1 are summed together, but input 0 is "
                    f"{a.type} and input 1 is {b.type}. Name axes of equal sizes."
                ),
            )
        kept_a = [axis for axis in range(len(a.shape)) if axis not in summed_a]
        kept_b = [axis for axis in range(len(b.shape)) if axis not in summed_b]
        rows, columns = [a.shape[axis] for axis in kept_a], [b.shape[axis] for axis in kept_b]
        left = arranged(a, [*kept_a, *summed_a], (product(rows), product(a.shape[axis] for axis in summed_a)))
        right = arranged(b, [*summed_b, *kept_b], (product(b.shape[axis] for axis in summed_b), product(columns)))
        return reshape(matmul(left, right), (*rows, *columns))

    def _summed(self, kind: TensorType, index: int) -> tuple[int, ...]:
        axes = self.axes_b if index else self.axes_a
        rank = len(kind.dims)
        normalize_axes(axes, rank, f"tensordot: input {index}")
        return tuple([normalize_axis(axis, rank, "tensordot") for axis in axes])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """No, one and two axes; vectors."""
        yield Sample(cls((-1,), (0,)), rng.normal(size=(2, 3)), rng.normal(size=(3, 2, 2)))
        yield Sample(cls((0, 2), (1, 0)), rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 2)))
        yield Sample(cls((), ()), rng.normal(size=(2,)), rng.normal(size=(3,)))
        yield Sample(cls((0,), (0,)), rng.normal(size=(3,)), rng.normal(size=(3,)))


def arranged(x: Tensor, order: Sequence[int], shape: Sequence[Any]) -> Tensor:
    """Return ``x`` with its axes in another order, then in another shape, by no more steps than needed."""
    if list(order) != list(range(len(order))):
        x = transpose(x, order)
    return x if x.shape == tuple(shape) else reshape(x, tuple(shape))


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Return the sums of products of two tensors over pairs of axes.

    Args:
        a: numbers of any shape.
        b: numbers of the same dtype.
        axes: an int ``n``, by which the last ``n`` axes of ``a`` are summed with the first ``n`` of ``b``; or two lists
            of as many axes; or two axes.
        name: name of the node.

    Returns:
        A tensor with the axes of ``a`` that are left, then those of ``b``.

    Raises:
        ShapeError: an axis is out of range, or axes summed together have different sizes.
        InvalidArgumentError: ``axes`` has another form.

    Example:
        >>> dt.tensordot(dt.zeros([2, 3, 4]), dt.zeros([4, 3, 5]), [[1, 2], [1, 0]]).shape
        Shape([2, 5])
    """
    if isinstance(axes, int | np.integer) and not isinstance(axes, bool):
        if axes < 0:
            raise InvalidArgumentError(f"tensordot: axes is {axes}; give the number of axes to sum over, at least 0.")
        pairs = (tuple(range(-int(axes), 0)), tuple(range(int(axes))))
    else:
        pairs = _axis_pairs(axes)
    return apply(Tensordot(*pairs), "tensordot", ("a", "b"), (a, b), name)


def _axis_pairs(axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    lists = [np.atleast_1d(np.asarray(one, np.int64) if np.size(one) == 0 else np.asarray(one)) for one in axes]
    if (
        len(lists) != 2
        or any(one.ndim != 1 or one.dtype.kind not in "iu" for one in lists)
        or lists[0].size != lists[1].size
    ):
        raise InvalidArgumentError(
            f"tensordot: axes is {axes!r}; give one int, or two lists that name as many axes of a as of b."
        )
    return tuple(lists[0].tolist()), tuple(lists[1].tolist())
