"""Random tensors of the gamma and the Poisson distribution, by inverse transform: one word of bits for each number.

NumPy computes them, on every backend, so that they have the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.casting import cast
from dovetail.ops.distributions import floating
from dovetail.ops.fills import zeros_like
from dovetail.ops.joining import concat
from dovetail.ops.math import maximum
from dovetail.ops.philox import normal_from_bits
from dovetail.ops.random_bits import counted
from dovetail.ops.reductions import sum_to
from dovetail.ops.scalar import special
from dovetail.ops.shapes import shape as shape_of
from dovetail.ops.sizes import Gradients, Tensors, Types, sizes_of
from dovetail.ops.special.incomplete import Incomplete, gamma_cdf, gamma_cdf_slope
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bfloat16, float16, float32, float64, int32, uint64
from dovetail.types.shapes import TensorType, broadcast_shapes

__all__ = ["GammaFromBits", "PoissonFromBits", "RandomGammaGrad", "random_gamma", "random_poisson"]

_LEAST: Final = {float16: 2.0**-14, bfloat16: 2.0**-126, float32: 2.0**-126, float64: 2.0**-1022}
"""The least positive numbers with all their digits, which stand for smaller variates, as in TensorFlow."""


def _probabilities(bits: Array) -> Array:
    """Return the middles of the cells of (0, 1) that bits choose."""
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def gamma_quantile(a: Array, bits: Array) -> Array:
    """Return the numbers below which gamma variates of order ``a`` fall with the probability that bits choose.

    Newton's method for the logarithm, from the approximation of Wilson and Hilferty, or that of small numbers.
    """
    p = _probabilities(bits)
    z = np.asarray(normal_from_bits(bits, float64))
    root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * np.sqrt(a))
    small = (np.log(p) + special.lgamma(a + 1.0)) / a
    log_x = np.where((a >= 1.0) & (root > 0.1), np.log(a * np.maximum(root, 0.1) ** 3), small)
    active = (log_x > -650.0) & (a > 0.0)
    for _ in range(30):
        order, at, wanted = a[active], np.exp(log_x[active]), p[active]
        lower, upper = gamma_cdf(order, at)
        density = np.exp(order * np.log(at) - at - special.lgamma(order))  # of the logarithm
        below = wanted < 0.5
        tail = np.where(below, lower, upper)
        step = np.log(tail / np.where(below, wanted, 1.0 - wanted)) * tail / density * np.where(below, -1.0, 1.0)
        step = np.clip(np.where(np.isfinite(step), step, 0.0), -2.0, 2.0)
        log_x[active] += step
        if np.all(np.abs(step) <= 1e-14):
            break
    return np.asarray(np.where(a > 0.0, np.exp(log_x), np.nan))


def poisson_quantile(rate: Array, bits: Array) -> Array:
    """Return the least counts up to which Poisson variates fall with at least the probability that bits choose."""
    p = _probabilities(bits)
    z = np.asarray(normal_from_bits(bits, float64))
    valid = (rate >= 0.0) & np.isfinite(rate)
    safe = np.where(valid, rate, 0.0)
    count = np.maximum(np.floor(safe + z * np.sqrt(safe) + (z * z - 1.0) / 6.0), 0.0)
    while True:
        short = gamma_cdf(count + 1.0, safe)[1] < p
        if not short.any():
            break
        count = count + short
    while True:
        long = (count > 0.0) & (gamma_cdf(np.maximum(count, 1.0), safe)[1] >= p)
        if not long.any():
            break
        count = count - long
    return np.where(valid, count, np.nan)


class _FromBits(Op):
    """A variate of 64 bits and a parameter, which broadcasts."""

    dtype: DType

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The dtype asked for."""
        return (self.dtype,)

    def infer(self, bits: TensorType, parameter: TensorType) -> Signature:
        """The broadcast shape."""
        if bits.dtype is not uint64:
            raise DTypeError(f"{self.name}: input 0 is {bits}, where uint64 is wanted.")
        if parameter.dtype is not float32 and parameter.dtype is not float64:
            raise DTypeError(f"{self.name}: input 1 is {parameter}, where float32 or float64 is wanted. Use dt.cast.")
        message = f"{self.name}: the shapes do not broadcast: input 0 is {bits}, input 1 is {parameter}."
        return TensorType(self.dtype, broadcast_shapes(bits.shape, parameter.shape, message=message))

    def reference(self, bits: Array, parameter: Array) -> Array:
        """The quantile, in float64."""
        words, numbers = np.broadcast_arrays(bits, np.asarray(parameter, np.float64))
        with np.errstate(all="ignore"):
            found = self.quantile(np.atleast_1d(numbers), np.atleast_1d(words)).reshape(words.shape)
            if self.dtype.is_integer:
                return special.to_integer(found, np.dtype(self.dtype.numpy))
            return np.asarray(found.astype(self.dtype.numpy))

    def quantile(self, parameter: Array, bits: Array) -> Array:
        """Return the quantiles that bits choose."""
        raise NotImplementedError

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Some thousand for each element."""
        return 1000 * outputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes, none."""
        words = rng.integers(0, 2**64, (2, 3), np.uint64)
        yield Sample(cls(float64), words, rng.uniform(0.3, 40.0, (2, 3)), second_order=False)
        yield Sample(cls(float64), words, rng.uniform(0.3, 4.0, (3,)), second_order=False)
        yield Sample(cls(float32), words, np.float32(2.0))
        yield Sample(cls(float32), words[:0], np.float32(2.0))


@primitive
@final
class GammaFromBits(_FromBits):
    """Gamma variates of random bits; the parameter is the order."""

    def quantile(self, parameter: Array, bits: Array) -> Array:
        """See ``gamma_quantile``."""
        return gamma_quantile(parameter, bits)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """How the variate moves with the order while its probability stays (Figurnov et al., 2018)."""
        alpha, variate = inputs[1], cast(outputs[0], inputs[1].dtype)
        slope = cast(grads[0], alpha.dtype) * RandomGammaGrad()(alpha, variate)
        return [None, sum_to(slope, alpha)]


@primitive
@final
class PoissonFromBits(_FromBits):
    """Poisson variates of random bits; the parameter is the rate."""

    differentiable = False

    def quantile(self, parameter: Array, bits: Array) -> Array:
        """See ``poisson_quantile``."""
        return poisson_quantile(parameter, bits)


@primitive
@final
class RandomGammaGrad(Incomplete):
    """The derivative of a gamma variate with respect to its order."""

    label = "random_gamma"

    def compute(self, *arrays: Array) -> Array:
        """See ``gamma_cdf_slope``."""
        return -gamma_cdf_slope(*arrays)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes."""
        yield Sample(cls(), rng.uniform(0.5, 4.0, (2, 3)), rng.uniform(0.2, 6.0, (2, 3)))
        yield Sample(cls(), rng.uniform(0.5, 4.0, (3,)), rng.uniform(0.2, 6.0, (2, 1)))


def _drawn(what: str, op: type[_FromBits], shape: Any, parameter: Tensor, dtype: DType, seed: int | None) -> Tensor:
    """Return variates of the shape asked for, followed by that of the parameter."""
    sizes = sizes_of(shape, f"{what}: shape")
    whole: Any
    if sizes is not None and None not in sizes and parameter.shape.rank is not None:
        whole = (*sizes, *parameter.shape.dims)
    else:
        whole = concat([cast(as_tensor(shape), int32), shape_of(parameter)], 0)
    wide = cast(parameter, float32) if parameter.dtype.is_half else parameter
    result: Tensor = op(dtype)(counted(what, seed)(whole, uint64), wide)
    return result


def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return random numbers of the gamma distribution, new ones in every run.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector: how many for each pair of parameters.
        alpha: the order: a positive number or tensor.
        beta: the inverse scale, 1 by default; broadcasts with ``alpha``.
        dtype: a floating type, which the parameters take too.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Returns:
        A tensor of shape ``shape``, then that of the parameters. Each number is the quantile of one random word,
        computed by NumPy on every backend. There are gradients with respect to ``alpha`` and
        ``beta``, none of second order.

    Raises:
        DTypeError: the type is not floating.

    Example:
        >>> x = dt.Session().run(dt.random_gamma([10000], [0.5, 3.0]))
        >>> x.shape, [bool(abs(mean - order) < 0.1) for mean, order in zip(x.mean(0), [0.5, 3.0])]
        ((10000, 2), [True, True])
    """
    wanted = floating("random_gamma", dtype)
    with get_default_graph().name_scope(name or "random_gamma") as scope:
        order = as_tensor(alpha, wanted)
        scale = as_tensor(1.0 if beta is None else beta, wanted)
        variate = _drawn("random_gamma", GammaFromBits, shape, order + zeros_like(scale), wanted, seed)
        if beta is not None:
            variate = variate / scale
        return maximum(variate, _LEAST[wanted], name=scope)


def random_poisson(
    lam: Any, shape: Any, dtype: DTypeLike = float32, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Return random counts of the Poisson distribution, new ones in every run.

    Args:
        lam: the rate: a number or a floating tensor, at least 0.
        shape: ints, dimensions, scalar tensors, or an integer vector: how many for each rate.
        dtype: a floating type, int32 or int64.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Returns:
        A tensor of shape ``shape``, then that of ``lam``. Each count is the quantile of one random word, computed by
        NumPy on every backend.

    Raises:
        DTypeError: the rate is not floating, or the type no number.

    Example:
        >>> x = dt.Session().run(dt.random_poisson([0.5, 30.0], [10000]))
        >>> x.shape, [bool(abs(mean - rate) < 0.3) for mean, rate in zip(x.mean(0), [0.5, 30.0])]
        ((10000, 2), [True, True])
    """
    wanted = as_dtype(dtype)
    if not wanted.is_numeric:
        raise DTypeError(f"random_poisson: dtype is {wanted.name}; use a floating dtype, int32 or int64.")
    with get_default_graph().name_scope(name or "random_poisson"):
        rate = as_tensor(lam)
        floating("random_poisson", rate.dtype)
        return _drawn("random_poisson", PoissonFromBits, shape, rate, wanted, seed)
