"""Arithmetic, element by element: sums, products, quotients, remainders, powers, extremes, rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import operator
from dovetail.graph.registry import register
from dovetail.ops.complex_numbers import ComplexAbs, ComplexPow, complex, conj
from dovetail.ops.operands import apply, leading_dtype
from dovetail.ops.passing import identity
from dovetail.ops.scalar import Expression, Input, basis
from dovetail.ops.scalars import Scalar, ScalarOp, scalar
from dovetail.ops.sizes import Tensors
from dovetail.types.dtypes import DTypeLike, as_dtype
from dovetail.types.shapes import Shape, TensorType, unify

__all__ = [
    "abs",
    "accumulate_n",
    "add",
    "add_n",
    "ceil",
    "clip_by_value",
    "div",
    "div_no_nan",
    "divide",
    "floor",
    "floor_div",
    "floor_divide",
    "floordiv",
    "floormod",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "pow",
    "reciprocal",
    "rint",
    "round",
    "sign",
    "square",
    "squared_difference",
    "subtract",
    "truediv",
    "truncatediv",
]


@scalar
def add(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x + y`` element by element, with broadcasting.

    Args:
        x: a tensor of any numeric dtype; integers wrap.
        y: one of the same dtype; Python and NumPy values take it.
        name: name of the node.

    Raises:
        DTypeError: the dtypes differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.add([1.0, 2.0], 0.5))
        array([1.5, 2.5], dtype=float32)
    """
    return basis.add(x, y)


@scalar(name="Sub")
def subtract(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x - y`` element by element, with broadcasting; integers wrap.

    Example:
        >>> dt.Session().run(dt.subtract([5, 7], 2))
        array([3, 5], dtype=int32)
    """
    return basis.subtract(x, y)


@scalar(name="Mul")
def multiply(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x * y`` element by element, with broadcasting; integers wrap.

    Example:
        >>> dt.Session().run(dt.multiply([2.0, 3.0], [[1.0], [10.0]]))
        array([[ 2.,  3.],
               [20., 30.]], dtype=float32)
    """
    return basis.multiply(x, y)


@scalar(name="RealDiv", domain=((-2.0, 2.0), (0.6, 3.0)))
def divide(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x / y`` element by element, with broadcasting; division by zero follows IEEE 754.

    Integers are divided as Python 3 does: those of 32 and 64 bits give float64, smaller ones float32.

    Example:
        >>> dt.Session().run(dt.divide([1, 7], 2))
        array([0.5, 3.5])
    """
    return basis.divide(x, y)


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x / y`` element by element; the same as ``divide``.

    Example:
        >>> dt.truediv([1, 7], 2).dtype
        dovetail.float64
    """
    result: Tensor = divide(x, y, name=name or "truediv")
    return result


@scalar(name="FloorDiv", domain=((-7.3, 7.9), (0.8, 3.0)))
def floor_div(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x // y`` element by element, rounded down, in the dtype of the operands.

    Integer division by zero fails when it runs.

    Example:
        >>> dt.Session().run(dt.floor_div([-7, 7], 2))
        array([-4,  3], dtype=int32)
    """
    return basis.floor_divide(x, y)


floordiv = floor_divide = floor_div


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return the quotient as Python 2 does: rounded down for integers. New programs use ``divide`` or ``floor_div``.

    Example:
        >>> dt.Session().run(dt.div([-7, 7], 2))
        array([-4,  3], dtype=int32)
    """
    result: Tensor = (floor_div if leading_dtype(x, y).is_integer else divide)(x, y, name=name or "div")
    return result


@scalar(name="FloorMod", domain=((-7.3, 7.9), (0.8, 3.0)))
def floormod(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x % y`` element by element: the remainder of ``floor_div``, which has the sign of ``y``.

    Integer division by zero fails when it runs.

    Example:
        >>> dt.Session().run(dt.mod([-7, 7], 3))
        array([2, 1], dtype=int32)
    """
    return basis.remainder(x, y)


mod = floormod


@scalar(name="TruncateDiv", domain=((-7.3, 7.9), (0.8, 3.0)))
def truncatediv(x: Scalar, y: Scalar) -> Scalar:
    """Return the quotient of integers rounded toward zero, as C does. Division by zero fails when it runs.

    Example:
        >>> dt.Session().run(dt.truncatediv([-7, 7], 2))
        array([-3,  3], dtype=int32)
    """
    return basis.sign(x) * basis.sign(y) * basis.floor_divide(basis.absolute(x), basis.absolute(y))


@scalar(domain=((-2.0, 2.0), (0.6, 3.0)))
def div_no_nan(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x / y`` element by element, and 0 where ``y`` is 0.

    Example:
        >>> dt.Session().run(dt.div_no_nan([1.0, 3.0], [2.0, 0.0]))
        array([0.5, 0. ], dtype=float32)
    """
    zero = basis.equal(y, 0.0)
    return basis.select(zero, 0.0, basis.divide(x, basis.select(zero, 1.0, y)))


@scalar(name="Neg")
def negative(x: Scalar) -> Scalar:
    """Return ``-x`` element by element.

    Example:
        >>> dt.Session().run(dt.negative([1.0, -2.0]))
        array([-1.,  2.], dtype=float32)
    """
    return basis.negative(x)


def _abs_of_complex(x: Any, name: str | None = None) -> Tensor:
    return apply(ComplexAbs(), "abs", ("x",), (x,), name or "Abs")


@scalar(for_complex=_abs_of_complex)
def abs(x: Scalar) -> Scalar:
    """Return the absolute value element by element, of complex numbers a real one; its derivative at 0 is 0.

    Example:
        >>> dt.Session().run(dt.abs([1.0, -2.0]))
        array([1., 2.], dtype=float32)
    """
    return basis.absolute(x)


def _sign_of_complex(x: Any, name: str | None = None) -> Tensor:
    tensor = as_tensor(x)
    result: Tensor = div_no_nan(tensor, complex(ComplexAbs()(tensor), 0.0), name=name or "Sign")
    return result


@scalar(for_complex=_sign_of_complex)
def sign(x: Scalar) -> Scalar:
    """Return -1, 0 or 1 as each element is; NaN stays. Of a complex number it is the one of length 1 in its direction.

    Example:
        >>> dt.Session().run(dt.sign([3.0, 0.0, -2.0]))
        array([ 1.,  0., -1.], dtype=float32)
    """
    return basis.sign(x)


@scalar
def square(x: Scalar) -> Scalar:
    """Return ``x * x`` element by element.

    Example:
        >>> dt.Session().run(dt.square([3.0, -2.0]))
        array([9., 4.], dtype=float32)
    """
    return basis.square(x)


def _squared_difference_of_complex(x: Any, y: Any, name: str | None = None) -> Tensor:
    difference = subtract(x, y)
    result: Tensor = multiply(conj(difference), difference, name=name or "SquaredDifference")
    return result


@scalar(for_complex=_squared_difference_of_complex)
def squared_difference(x: Scalar, y: Scalar) -> Scalar:
    """Return ``(x - y) * (x - y)`` element by element, with broadcasting; one factor of complex numbers is conjugated.

    Example:
        >>> dt.Session().run(dt.squared_difference([3.0, -2.0], 1.0))
        array([4., 9.], dtype=float32)
    """
    return basis.square(x - y)


@scalar(domain=(0.5, 2.0))
def reciprocal(x: Scalar) -> Scalar:
    """Return ``1 / x`` element by element, for floating dtypes.

    Example:
        >>> dt.Session().run(dt.reciprocal([2.0, -4.0]))
        array([ 0.5 , -0.25], dtype=float32)
    """
    return basis.reciprocal(x)


@scalar(name="Pow", domain=((0.5, 2.0), (0.0, 3.0)))
def _power(x: Scalar, y: Scalar) -> Scalar:
    """The power ``x ** y``; the derivative with respect to ``y`` counts as 0 where ``x`` is not positive."""
    return basis.power(x, y)


_power.op.label = "pow"


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x`` to the power ``y`` element by element, with broadcasting.

    Integers to a negative power fail when they run. The derivative with respect to ``y`` is 0 where ``x`` is not
    positive, of complex numbers where it is 0.

    Args:
        x: a tensor of any numeric dtype.
        y: the exponents, of the same dtype; the number 2 gives a ``Square`` node, which is exact and fast.
        name: name of the node.

    Raises:
        DTypeError: the dtypes differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.pow([2.0, 3.0], 3.0))
        array([ 8., 27.], dtype=float32)
    """
    exact = (type(y) is int and y == 2) or (type(y) is float and y == 2.0 and leading_dtype(x).is_inexact)
    if exact:
        result: Tensor = square(x, name=name or "Pow")
    elif leading_dtype(x, y).is_complex:
        result = apply(ComplexPow(), "pow", ("x", "y"), (x, y), name or "Pow")
    else:
        result = _power(x, y, name=name)
    return result


@scalar
def maximum(x: Scalar, y: Scalar) -> Scalar:
    """Return the larger of two, element by element, with broadcasting; NaN where one is NaN.

    Where the two are equal, the gradient goes to ``x``.

    Example:
        >>> dt.Session().run(dt.maximum([1.0, 5.0], 3.0))
        array([3., 5.], dtype=float32)
    """
    return basis.maximum(x, y)


@scalar
def minimum(x: Scalar, y: Scalar) -> Scalar:
    """Return the smaller of two, element by element, with broadcasting; NaN where one is NaN.

    Where the two are equal, the gradient goes to ``x``.

    Example:
        >>> dt.Session().run(dt.minimum([1.0, 5.0], 3.0))
        array([1., 3.], dtype=float32)
    """
    return basis.minimum(x, y)


@scalar(domain=((-2.0, 2.0), (-1.0, -0.6), (0.6, 1.0)))
def clip_by_value(t: Scalar, clip_value_min: Scalar, clip_value_max: Scalar) -> Scalar:
    """Return the elements moved into an interval, with broadcasting; the lower bound wins where the bounds cross.

    The gradient is that of the tensor where it lies in the interval, borders included, else that of the bound.

    Example:
        >>> dt.Session().run(dt.clip_by_value([-3.0, 0.5, 7.0], 0.0, 1.0))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return basis.maximum(basis.minimum(t, clip_value_max), clip_value_min)


@scalar(domain=(-4.9, 4.8))
def floor(x: Scalar) -> Scalar:
    """Return the elements rounded down; its gradient is none.

    Example:
        >>> dt.Session().run(dt.floor([-1.5, 1.5]))
        array([-2.,  1.], dtype=float32)
    """
    return basis.floor(x)


@scalar(domain=(-4.9, 4.8))
def ceil(x: Scalar) -> Scalar:
    """Return the elements rounded up; its gradient is none.

    Example:
        >>> dt.Session().run(dt.ceil([-1.5, 1.5]))
        array([-1.,  2.], dtype=float32)
    """
    return basis.ceil(x)


@scalar(domain=(-4.9, 4.8))
def round(x: Scalar) -> Scalar:
    """Return the elements rounded to the nearest integer, halves to the even one; its gradient is none.

    Example:
        >>> dt.Session().run(dt.round([0.5, 1.5, 2.6]))
        array([0., 2., 3.], dtype=float32)
    """
    return basis.round_(x)


rint = round


# Sums of many. -------------------------------------------------------------------------------------------------------


@register
@final
class AddN(ScalarOp):
    """The sum of several tensors of one type, added from the first to the last."""

    label = "add_n"
    passes_slices = True
    count: int

    @property
    def scalar_expression(self) -> Expression:
        """``x0 + x1 + …``."""
        known = self.__dict__.get("_expression")
        if known is None:
            known = Input(0)
            for index in range(1, self.count):
                known = basis.add(known, Input(index))
            self.__dict__["_expression"] = known
        result: Expression = known
        return result

    def infer(self, *types: TensorType) -> Signature:
        """The one type; the shapes must agree."""
        dtype = self._dtype(tuple([one.dtype for one in types]), types)
        shape = types[0].shape
        for index, one in enumerate(types):
            message = (
                f"add_n: input 0 is {types[0]} and input {index} is {one}; all must have one shape. Reshape one, or "
                f"use +, which broadcasts."
            )
            if one.rank != types[0].rank:
                raise ShapeError(message)
            if one.shape != shape:
                shape = Shape([unify(left, right, message) for left, right in zip(shape.dims, one.dims, strict=True)])
        return TensorType(dtype, shape)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Sequence[Any], *, needed: Sequence[int]) -> list[Any]:
        """The gradient itself, for each."""
        return [grads[0]] * len(needed)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Sequence[Sample]:
        """One, two and several; scalars, integers, empty."""
        return [
            Sample(cls(1), rng.normal(size=(2, 3))),
            Sample(cls(2), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
            Sample(cls(5), *rng.normal(size=(5, 4))),
            Sample(cls(3), *rng.normal(size=3)),
            Sample(cls(3), *rng.integers(-5, 5, (3, 2)).astype(np.int32)),
            Sample(cls(2), np.zeros((0, 2)), np.zeros((0, 2))),
        ]


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of tensors of one shape, added from the first to the last.

    Args:
        inputs: a list of tensors, variables or slices; a single one counts as a list of it.
        name: name of the node.

    Raises:
        InvalidArgumentError: there are none.
        ShapeError: the shapes differ.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.add_n([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        array([ 9., 12.], dtype=float32)
    """
    tensors = [as_tensor(one) for one in (inputs if isinstance(inputs, list | tuple) else [inputs])]
    if not tensors:
        raise InvalidArgumentError("add_n: the list is empty; give at least one tensor.")
    if len(tensors) == 1:
        return tensors[0] if name is None else identity(tensors[0], name=name)
    result: Tensor = AddN(len(tensors))(*tensors, name=name)
    return result


def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: DTypeLike | None = None, name: str | None = None
) -> Tensor:
    """Return the sum of tensors of one shape, as ``add_n`` does.

    Args:
        inputs: a list of tensors.
        shape: the shape that the sum must have.
        tensor_dtype: the dtype that it must have.
        name: name of the node.

    Raises:
        InvalidArgumentError: there are no tensors.
        ShapeError: the shapes differ.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.accumulate_n([dt.ones([2]), dt.ones([2])], shape=[2], tensor_dtype=dt.float32).type
        float32[2]
    """
    result = add_n(inputs, name=name or "AccumulateN")
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not result.dtype:
        wanted = as_dtype(tensor_dtype).name
        raise DTypeError(f"accumulate_n: the inputs are {result.dtype.name}, where {wanted} is asked for; use dt.cast.")
    if shape is not None:
        result.set_shape(shape)
    return result


operator("add", lambda x, y: add(x, y, name="add"))
operator("sub", lambda x, y: subtract(x, y, name="sub"))
operator("mul", lambda x, y: multiply(x, y, name="mul"))
operator("truediv", lambda x, y: divide(x, y, name="truediv"))
operator("floordiv", lambda x, y: floor_div(x, y, name="floordiv"))
operator("mod", lambda x, y: floormod(x, y, name="mod"))
operator("pow", lambda x, y: pow(x, y, name="pow"))
operator("neg", negative)
operator("abs", abs)
