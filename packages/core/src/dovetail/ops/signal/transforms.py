"""Discrete Fourier transforms, by NumPy: complex ones, and those of real signals with half of a spectrum.

Each primitive is linear, and its gradient is its adjoint, which the same class computes: so gradients exist to any
order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.types.dims import Dim, floor_div
from dovetail.types.dtypes import DType, complex64, complex128, float32, float64
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = ["Fft", "HalfFft", "InverseHalfFft", "half_of"]

_COMPLEX = {float32: complex64, float64: complex128}

Tensors = Sequence[Tensor]


def half_of(size: Dim) -> Dim:
    """Return how many frequencies of a real signal of ``size`` samples are kept: the others are their conjugates."""
    return floor_div(size, 2) + 1


def _check_rank(label: str, x: TensorType, rank: int) -> None:
    if len(x.dims) < rank:
        axes = f"{rank} axes" if rank > 1 else "one axis"
        raise ShapeError(f"{label}: the input is {x}; at least {axes} to transform are needed.")


def _computed(result: Any, dtype: np.dtype[Any]) -> Array:
    return np.asarray(result).astype(dtype, copy=False)


def _flops(types: Sequence[TensorType], rank: int) -> Dim:
    """About five for each element and doubling of its length, which is counted as eight times."""
    return 40 * types[0].size * rank


def _axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


@primitive
@final
class Fft(Op):
    """Fourier transforms over the last ``rank`` axes: ``sum(x[j] * exp(-2πi j k / n))``, or with ``inverse`` +2πi.

    With ``scaled`` the sums are divided by the number of elements.
    """

    rank: int
    inverse: bool = False
    scaled: bool = False
    gradient_without_ranks = True

    @property
    def label(self) -> str:
        """The name of the function that makes it."""
        return f"{'ifft' if self.inverse else 'fft'}{'' if self.rank == 1 else f'{self.rank}d'}"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, which is complex."""
        if not dtypes[0].is_complex:
            raise DTypeError(
                f"{self.label}: the input is {dtypes[0].name}, where complex64 or complex128 is wanted. Use dt.cast, "
                f"or r{self.label.replace('ifft', 'fft')} of dt.signal for real signals."
            )
        return dtypes

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        self.dtypes(x.dtype)
        _check_rank(self.label, x, self.rank)
        return x

    def reference(self, x: Array) -> Array:
        """NumPy's transform."""
        function = np.fft.ifftn if self.inverse else np.fft.fftn
        norm: Literal["backward", "forward"] = "backward" if self.inverse == self.scaled else "forward"
        return _computed(function(x, axes=_axes(self.rank), norm=norm), x.dtype) if x.size else x.copy()

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """The transform of the gradient in the other direction."""
        return [Fft(self.rank, not self.inverse, self.scaled)(grads[0])]

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Those of the fast transform."""
        return _flops(outputs, self.rank)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both directions, one to three axes, with axes before them, none."""
        for op, shape in (
            (cls(1), (5,)),
            (cls(1, True, True), (2, 4)),
            (cls(2), (3, 4)),
            (cls(2, True, True), (2, 2, 3)),
            (cls(3, False, True), (2, 3, 2)),
            (cls(1), (0, 3)),
        ):
            yield Sample(op, rng.normal(size=shape) + 1j * rng.normal(size=shape))


class _Half(Op):
    """A transform between a real signal and the half of its spectrum that determines it."""

    rank: int
    size: Dim
    adjoint: bool = False
    gradient_without_ranks = True
    stem: ClassVar[str]
    to_real: ClassVar[bool]

    @property
    def label(self) -> str:
        """The name of the function that makes it."""
        return f"{self.stem}{'' if self.rank == 1 else f'{self.rank}d'}"

    @property
    def gives_real(self) -> bool:
        """Whether the result is a signal."""
        return self.to_real != self.adjoint

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The real or the complex type of the same precision."""
        if self.gives_real:
            if not dtypes[0].is_complex:
                raise DTypeError(f"{self.label}: the input is {dtypes[0].name}, where complex numbers are wanted.")
            return (dtypes[0].real_dtype,)
        if dtypes[0] not in _COMPLEX:
            raise DTypeError(
                f"{self.label}: the input is {dtypes[0].name}, where float32 or float64 is wanted. Use dt.cast."
            )
        return (_COMPLEX[dtypes[0]],)

    def infer(self, x: TensorType) -> Signature:
        """The signal has ``size`` samples along the last axis, the spectrum half as many frequencies, and one."""
        (dtype,) = self.dtypes(x.dtype)
        _check_rank(self.label, x, self.rank)
        given, made = self.size, half_of(self.size)
        if self.gives_real:
            given, made = made, given
        message = f"{self.label}: the last axis of {x} must have {given} elements for a signal of {self.size}."
        demand("equal", x.dims[-1], given, message)
        return TensorType(dtype, Shape((*x.dims[:-1], made)))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> list[Tensor | None]:
        """The adjoint of the transform, of the gradient."""
        return [self.replace(adjoint=not self.adjoint)(grads[0])]

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Half of those of the fast transform of complex numbers."""
        return _flops(inputs if not self.gives_real else outputs, self.rank)

    @property
    def _lead(self) -> tuple[int, ...]:
        """The axes before the last, along which the transform is complex."""
        return tuple(range(-self.rank, -1))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Signals of even and odd size, one to three axes, with axes before them, none; both directions."""
        for rank, shape in ((1, (5,)), (1, (2, 4)), (2, (3, 4)), (2, (2, 2, 3)), (3, (2, 2, 4)), (1, (0, 4))):
            for adjoint in (False, True):
                op = cls(rank, shape[-1], adjoint)
                if op.gives_real:
                    half = (*shape[:-1], shape[-1] // 2 + 1)
                    yield Sample(op, rng.normal(size=half) + 1j * rng.normal(size=half))
                else:
                    yield Sample(op, rng.normal(size=shape))


@primitive
@final
class HalfFft(_Half):
    """The transform of real signals over the last ``rank`` axes; of the last the first half of the frequencies."""

    stem = "rfft"
    to_real = False

    def reference(self, x: Array) -> Array:
        """NumPy's; the adjoint takes the frequencies that are left out for zeros."""
        if not self.adjoint:
            dtype = np.result_type(x.dtype, np.complex64)
            if not x.size:
                return np.zeros((*x.shape[:-1], half_of(x.shape[-1])), dtype)
            return _computed(np.fft.rfftn(x, axes=_axes(self.rank)), dtype)
        whole = np.zeros((*x.shape[:-1], self.size), x.dtype)
        whole[..., : x.shape[-1]] = x
        return _computed(
            np.fft.ifftn(whole, axes=_axes(self.rank), norm="forward").real if x.size else whole.real, x.real.dtype
        )


@primitive
@final
class InverseHalfFft(_Half):
    """Real signals of ``size`` samples from the first half of their frequencies; the inverse of ``HalfFft``."""

    stem = "irfft"
    to_real = True

    def reference(self, x: Array) -> Array:
        """NumPy's; the adjoint counts a frequency twice where its conjugate was left out."""
        size: int = self.size  # type: ignore[assignment] # known by now
        if self.adjoint:
            dtype = np.result_type(x.dtype, np.complex64)
            weights = np.full(half_of(size), 2.0, x.dtype)
            weights[0] = 1.0
            if size % 2 == 0:
                weights[-1] = 1.0
            if not x.size:
                return np.zeros((*x.shape[:-1], half_of(size)), dtype)
            return _computed(np.fft.rfftn(x, axes=_axes(self.rank), norm="forward") * weights, dtype)
        if not x.size:
            return np.zeros((*x.shape[:-1], size), x.real.dtype)
        inner = np.fft.ifftn(x, axes=self._lead) if self._lead else x
        return _computed(np.fft.irfft(inner, size), x.real.dtype)
