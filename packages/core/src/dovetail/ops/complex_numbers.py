"""Complex numbers: their parts, conjugates, absolute values, angles and powers.

A gradient with respect to a complex tensor is the derivative by the real part plus i times that by the imaginary part,
as in TensorFlow: a function that is differentiable as one of complex numbers multiplies by the conjugate of its
derivative. So a step against the gradient goes down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.operands import apply
from dovetail.types.dtypes import DType, complex64, complex128, float32, float64
from dovetail.types.shapes import TensorType, broadcast_shapes

__all__ = [
    "Angle",
    "Complex",
    "ComplexAbs",
    "ComplexPow",
    "Conj",
    "Imag",
    "Real",
    "angle",
    "complex",
    "complex_samples",
    "conj",
    "imag",
    "real",
]

_COMPLEX = {float32: complex64, float64: complex128}

Tensors = Sequence[Tensor]


def complex_samples(op: Op, rng: np.random.Generator, count: int = 1) -> Iterable[Sample]:
    """Yield inputs of complex numbers: equal and broadcast shapes, scalars, empty."""
    for shapes in (((2, 3), (2, 3)), ((3,), (2, 1)), ((), ()), ((0, 3), (3,))):
        yield Sample(op, *(rng.normal(size=one) + 1j * rng.normal(size=one) for one in shapes[:count]))


def _broadcast(label: str, types: Sequence[TensorType], dtype: DType) -> TensorType:
    def message() -> str:
        return f"{label}: the shapes of {types[0]} and {types[1]} do not broadcast. Reshape one of them."

    return TensorType(dtype, broadcast_shapes(*(one.shape for one in types), message=message))


@primitive
@final
class Complex(Op):
    """Complex numbers from their real and imaginary parts, with broadcasting."""

    gradient_without_ranks = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The complex type of that precision."""
        found = _COMPLEX.get(dtypes[0])
        if found is None or dtypes[1] is not dtypes[0]:
            raise DTypeError(
                f"complex: the real part is {dtypes[0].name} and the imaginary part {dtypes[1].name}, where both must "
                f"be float32 or both float64. Use dt.cast."
            )
        return (found,)

    def infer(self, real: TensorType, imag: TensorType) -> Signature:
        """The broadcast shape."""
        return _broadcast("complex", (real, imag), self.dtypes(real.dtype, imag.dtype)[0])

    def reference(self, real: Array, imag: Array) -> Array:
        """Put both into one array."""
        result = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(real.dtype, np.complex64))
        result.real, result.imag = real, imag
        return result

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """Its parts."""
        from dovetail.ops.reductions import sum_to

        return [sum_to(Real()(grads[0]), inputs[0]), sum_to(Imag()(grads[0]), inputs[1])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes, scalars, empty."""
        for left, right in (((2, 3), (2, 3)), ((3,), (2, 1)), ((), ()), ((0, 3), (3,))):
            yield Sample(cls(), rng.normal(size=left), rng.normal(size=right))


class _Part(Op):
    """A real number for each complex one."""

    gradient_without_ranks = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The real type of that precision."""
        if not dtypes[0].is_complex:
            label = self.name.lower()
            raise DTypeError(f"{label}: the input is {dtypes[0].name}, where complex numbers are wanted. Use dt.cast.")
        return (dtypes[0].real_dtype,)

    def infer(self, x: TensorType) -> Signature:
        """The input's shape."""
        return TensorType(self.dtypes(x.dtype)[0], x.shape)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Complex numbers."""
        return complex_samples(cls(), rng)


@primitive
@final
class Real(_Part):
    """The real parts of complex numbers."""

    def reference(self, x: Array) -> Array:
        """NumPy's."""
        return np.array(x.real)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """The gradient as a real part."""
        return [_placed(grads[0], imaginary=False)]


@primitive
@final
class Imag(_Part):
    """The imaginary parts of complex numbers."""

    def reference(self, x: Array) -> Array:
        """NumPy's."""
        return np.array(x.imag)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """The gradient as an imaginary part."""
        return [_placed(grads[0], imaginary=True)]


def _placed(part: Tensor, imaginary: bool) -> Tensor:
    """Return complex numbers whose other part is 0."""
    zero = as_tensor(np.zeros((), part.dtype.numpy))
    result: Tensor = Complex()(zero, part) if imaginary else Complex()(part, zero)
    return result


@primitive
@final
class Conj(Op):
    """The conjugates of complex numbers."""

    gradient_without_ranks = True

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        return x

    def reference(self, x: Array) -> Array:
        """NumPy's."""
        return np.asarray(np.conj(x))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """The conjugate of the gradient."""
        return [Conj()(grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Complex numbers."""
        return complex_samples(cls(), rng)


@primitive
@final
class Angle(_Part):
    """The angles of complex numbers, from -π to π."""

    def reference(self, x: Array) -> Array:
        """NumPy's."""
        return np.asarray(np.angle(x))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """At a right angle to the number, and as long as its inverse."""
        return [_placed(grads[0], imaginary=True) / Conj()(inputs[0])]


@primitive
@final
class ComplexAbs(_Part):
    """The absolute values of complex numbers; the derivative at 0 is 0."""

    def reference(self, x: Array) -> Array:
        """NumPy's, without overflow."""
        return np.asarray(np.abs(x))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """In the direction of the number."""
        from dovetail.ops.arithmetic import sign

        return [_placed(grads[0], imaginary=False) * sign(inputs[0])]


@primitive
@final
class ComplexPow(Op):
    """Complex powers of complex numbers, with broadcasting: ``exp(y * log(x))``, exact for small integer exponents."""

    partial_gradient = True
    gradient_without_ranks = True

    def infer(self, x: TensorType, y: TensorType) -> Signature:
        """The broadcast shape."""
        if x.dtype is not y.dtype or not x.dtype.is_complex:
            raise DTypeError(f"pow: input 0 is {x} and input 1 is {y}; operands must have one dtype. Use dt.cast.")
        return _broadcast("pow", (x, y), x.dtype)

    def reference(self, x: Array, y: Array) -> Array:
        """NumPy's."""
        with np.errstate(all="ignore"):
            return np.asarray(np.power(x, y))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any, *, needed: Sequence[int]) -> list[Tensor | None]:
        """That of the power; with respect to the exponent it counts as 0 where the base is 0."""
        from dovetail.ops.arithmetic import subtract
        from dovetail.ops.comparison import equal, logical_and
        from dovetail.ops.elementary import log
        from dovetail.ops.reductions import sum_to
        from dovetail.ops.selection import select

        x, y = inputs
        result: list[Tensor | None] = []
        for index in needed:
            if index == 0:
                constant = logical_and(equal(x, 0.0), equal(y, 0.0))
                factor = y * ComplexPow()(x, select(constant, 1.0, subtract(y, 1.0)))
            else:
                zero = equal(x, 0.0)
                factor = select(zero, 0.0, log(select(zero, 1.0, x))) * outputs[0]
            result.append(sum_to(grads[0] * Conj()(factor), inputs[index]))
        return result

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Complex bases and exponents; a base and an exponent of 0."""
        yield from complex_samples(cls(), rng, 2)
        x = rng.normal(size=(4,)) + 1j
        yield Sample(cls(), x, np.array([3.0, -2.0, 1.0, 0.0], np.complex128))


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """Return complex numbers from their real and imaginary parts, with broadcasting.

    Args:
        real: float32 or float64.
        imag: of the same dtype.
        name: name of the node.

    Returns:
        complex64 of float32, complex128 of float64.

    Raises:
        DTypeError: the parts are of other dtypes.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.complex([1.0, 2.0], [3.0, -4.0]))
        array([1.+3.j, 2.-4.j], dtype=complex64)
    """
    return apply(Complex(), "complex", ("real", "imag"), (real, imag), name)


def _numbers(label: str, value: Any) -> Tensor:
    x = as_tensor(value)
    if not x.dtype.is_number:
        raise DTypeError(f'{label}: "{x.name}" is {x.type}, where numbers are wanted. {x.op.where()}')
    return x


def real(input: Any, name: str | None = None) -> Tensor:
    """Return the real parts: of real numbers they themselves.

    Args:
        input: complex or real numbers.
        name: name of the node.

    Raises:
        DTypeError: the tensor holds no numbers.

    Example:
        >>> dt.Session().run(dt.real([1 + 2j, 3 - 4j]))
        array([1., 3.])
    """
    x = _numbers("real", input)
    result: Tensor = Real()(x, name=name) if x.dtype.is_complex else x
    return result


def imag(input: Any, name: str | None = None) -> Tensor:
    """Return the imaginary parts: of real numbers zeros.

    Args:
        input: complex or real numbers.
        name: name of the node.

    Raises:
        DTypeError: the tensor holds no numbers.

    Example:
        >>> dt.Session().run(dt.imag([1 + 2j, 3 - 4j]))
        array([ 2., -4.])
    """
    from dovetail.ops.arrays import zeros_like

    x = _numbers("imag", input)
    result: Tensor = Imag()(x, name=name) if x.dtype.is_complex else zeros_like(x, name=name)
    return result


def conj(x: Any, name: str | None = None) -> Tensor:
    """Return the conjugates: of real numbers they themselves.

    Args:
        x: complex or real numbers.
        name: name of the node.

    Raises:
        DTypeError: the tensor holds no numbers.

    Example:
        >>> dt.Session().run(dt.conj([1 + 2j, 3 - 4j]))
        array([1.-2.j, 3.+4.j])
    """
    tensor = _numbers("conj", x)
    result: Tensor = Conj()(tensor, name=name) if tensor.dtype.is_complex else tensor
    return result


def angle(input: Any, name: str | None = None) -> Tensor:
    """Return the angles of numbers in the complex plane, from -π to π: of real numbers 0, or π where they are negative.

    Args:
        input: complex or floating numbers.
        name: name of the node.

    Raises:
        DTypeError: the tensor is neither.

    Example:
        >>> dt.Session().run(dt.angle([1j, -1 + 0j])).round(4)
        array([1.5708, 3.1416])
    """
    x = as_tensor(input)
    if x.dtype.is_floating:
        from dovetail.ops.arithmetic import multiply
        from dovetail.ops.casting import cast
        from dovetail.ops.comparison import less

        return multiply(cast(less(x, 0.0), x.dtype), np.pi, name=name)
    if not x.dtype.is_complex:
        raise DTypeError(f'angle: "{x.name}" is {x.type}, where a floating or complex dtype is wanted. {x.op.where()}')
    result: Tensor = Angle()(x, name=name)
    return result
