"""Text from numbers, and numbers from text. The reference computes it, on every backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.reducing import axes_and_keepdims
from dovetail.ops.sizes import as_axes
from dovetail.ops.strings.text import mapped
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, float64, int32, int64, string
from dovetail.types.shapes import Shape, TensorType, normalize_axes

__all__ = ["as_string", "reduce_join", "string_to_number"]


@primitive
@final
class AsString(Op):
    """Numbers as text, by C's format."""

    differentiable = False
    precision: int = -1
    scientific: bool = False
    shortest: bool = False
    width: int = -1
    fill: str = ""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Text."""
        if dtypes[0].is_complex:
            raise DTypeError(
                f"as_string: the input is {dtypes[0].name}, which has no text; use it on dt.real and dt.imag of it."
            )
        if (self.scientific or self.shortest or self.precision >= 0) and not dtypes[0].is_floating:
            raise DTypeError(
                f"as_string: precision, scientific and shortest are for floating dtypes; the input is {dtypes[0].name}."
            )
        return (string,)

    def infer(self, x: TensorType) -> Signature:
        """The shape of the numbers."""
        return TensorType(self.dtypes(x.dtype)[0], x.shape)

    def reference(self, x: Array) -> Array:
        """Python's format, which is C's."""
        dtype = as_dtype(x.dtype)
        width = f"{self.fill}{self.width}" if self.width >= 0 else ""
        if dtype.is_string:
            return x
        if dtype.is_bool:
            return mapped(lambda item: f"{str(bool(item)).lower():>{self.width if width else 0}}".encode(), object, x)
        kind = "d"
        if dtype.is_floating:
            digits = f".{self.precision}" if self.precision >= 0 else ""
            kind = digits + ("g" if self.shortest else "e" if self.scientific else "f")
            return mapped(lambda item: f"%{width}{kind}".encode() % float(item), object, x)
        return mapped(lambda item: f"%{width}{kind}".encode() % int(item), object, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Floats in each form, integers, truth values, text."""
        x = np.array([0.5, -2.25, 1e10])
        yield Sample(cls(), x)
        yield Sample(cls(precision=2, width=8), x)
        yield Sample(cls(scientific=True), x)
        yield Sample(cls(shortest=True), x)
        yield Sample(cls(width=5, fill="0"), np.array([[3, -12]], np.int32))
        yield Sample(cls(), np.array([True, False]))
        yield Sample(cls(), np.array([b"a"], object))


@primitive
@final
class StringToNumber(Op):
    """The numbers that texts show."""

    differentiable = False
    dtype: DType = float32

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The dtype asked for."""
        if not dtypes[0].is_string:
            raise DTypeError(f"string_to_number: the input is {dtypes[0].name}, where text is wanted. Use dt.cast.")
        return (self.dtype,)

    def infer(self, x: TensorType) -> Signature:
        """The shape of the text."""
        return TensorType(self.dtypes(x.dtype)[0], x.shape)

    def reference(self, x: Array) -> Array:
        """Python's ``float`` and ``int``."""
        read: Any = float if self.dtype.is_floating else int

        def number(item: bytes) -> Any:
            try:
                if b"_" in item:
                    raise ValueError
                value = read(item)
            except ValueError as error:
                raise InvalidArgumentError(
                    f"string_to_number: {item!r} shows no {self.dtype.name}. Mend the data, or use another out_type."
                ) from error
            if self.dtype.is_integer and not self.dtype.min <= value <= self.dtype.max:
                raise InvalidArgumentError(f"string_to_number: {item!r} does not fit {self.dtype.name}.")
            return value

        return mapped(number, self.dtype.numpy, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Floats with and without an exponent, integers."""
        yield Sample(cls(), np.array([b"1.5", b" -2e3 ", b"inf"], object))
        yield Sample(cls(int64), np.array([b"12", b"-3"], object))


@primitive
@final
class ReduceJoin(Op):
    """Texts along axes one after the other."""

    differentiable = False
    axes: tuple[int, ...] | None = None
    keepdims: bool = False
    separator: str = ""

    def infer(self, x: TensorType) -> Signature:
        """The shape without the axes."""
        if not x.dtype.is_string:
            raise DTypeError(f"reduce_join: the input is {x}, where text is wanted. Use dt.as_string.")
        over = self._over(len(x.dims))
        dims = [1 if axis in over else dim for axis, dim in enumerate(x.dims) if self.keepdims or axis not in over]
        return TensorType(string, Shape(dims))

    def _over(self, rank: int) -> tuple[int, ...]:
        """The axes, the one along which texts follow each other at once last."""
        normalize_axes(self.axes, rank, "reduce_join")
        return tuple(np.arange(rank).tolist()) if self.axes is None else tuple([one % rank for one in self.axes[::-1]])

    def reference(self, x: Array) -> Array:
        """Python's join, along the first axis that is named, then along the next."""
        over = self._over(x.ndim)
        kept = [axis for axis in range(x.ndim) if axis not in over]
        sizes = [x.shape[axis] for axis in kept]
        rows = x.transpose([*kept, *over]).reshape(int(np.prod(sizes)), -1)
        result = np.empty(len(rows), object)
        result[:] = [self.separator.encode().join(row) for row in rows]
        whole = [1 if axis in over else size for axis, size in enumerate(x.shape)]
        return result.reshape(whole if self.keepdims else sizes)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One axis, several in another order, all."""
        x = np.array([[b"a", b"b"], [b"c", b"d"]], object)
        yield Sample(cls((0,)), x)
        yield Sample(cls((-1,), True, "+"), x)
        yield Sample(cls((1, 0)), x)
        yield Sample(cls(), x)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Return numbers as text.

    Args:
        input: numbers, truth values or text.
        precision: digits after the point, of floating dtypes; 6 by default.
        scientific: whether to write ``5.0e-01``.
        shortest: whether to write the shorter of both forms.
        width: the least length.
        fill: what stands in front of shorter text: a space, ``"0"``, ``"-"`` (behind it), ``"+"`` (a sign).
        name: name of the node.

    Raises:
        DTypeError: ``precision``, ``scientific`` or ``shortest`` are given for what is not floating.
        InvalidArgumentError: ``scientific`` and ``shortest`` are both given, or ``fill`` is something else.

    Example:
        >>> dt.Session().run(dt.as_string([0.5, 3.14159], precision=2))
        array([b'0.50', b'3.14'], dtype=object)
    """
    if scientific and shortest:
        raise InvalidArgumentError("as_string: scientific and shortest are two forms; give one of them.")
    if fill not in ("", " ", "0", "-", "+"):
        raise InvalidArgumentError(f"as_string: fill is {fill!r}; use ' ', '0', '-' or '+'.")
    op = AsString(precision, bool(scientific), bool(shortest), width, fill)
    result: Tensor = op(as_tensor(input), name=name)
    return result


def string_to_number(
    string_tensor: Any = None, out_type: DTypeLike = float32, name: str | None = None, input: Any = None
) -> Tensor:
    """Return the numbers that texts show.

    Args:
        string_tensor: a string tensor.
        out_type: float32, float64, int32 or int64.
        name: name of the node.
        input: the later name of ``string_tensor``.

    Raises:
        DTypeError: this is no text, or the dtype is another.
        OperationError: when run, a text shows no such number.

    Example:
        >>> dt.Session().run(dt.string_to_number(["1.5", "-2e3"]))
        array([ 1.5e+00, -2.0e+03], dtype=float32)
    """
    dtype = as_dtype(out_type)
    if dtype not in (float32, float64, int32, int64):
        raise DTypeError(f"string_to_number: out_type is {dtype.name}; use float32, float64, int32 or int64.")
    result: Tensor = StringToNumber(dtype)(as_tensor(string_tensor if input is None else input), name=name)
    return result


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool | None = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Return the texts along axes one after the other, in the order in which the axes are named.

    Args:
        inputs: a string tensor.
        axis: an axis or several; all by default.
        keep_dims: the old name of ``keepdims``.
        separator: what stands between two.
        name: name of the node.
        reduction_indices: the old name of ``axis``.
        keepdims: whether the axes stay, of size 1.

    Raises:
        DTypeError: this is no text.
        ShapeError: an axis is out of range or named twice.

    Example:
        >>> dt.Session().run(dt.reduce_join([["a", "b"], ["c", "d"]], axis=0))
        array([b'ac', b'bd'], dtype=object)
    """
    x = as_tensor(inputs)
    _, keep = axes_and_keepdims("reduce_join", x, axis, keepdims, reduction_indices, keep_dims)
    chosen = axis if reduction_indices is None else reduction_indices
    axes = None if chosen is None else as_axes(chosen, "reduce_join: axis")
    result: Tensor = ReduceJoin(axes, keep, separator)(x, name=name)
    return result
