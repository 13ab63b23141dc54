"""Moments, and normalisation by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import composite, sum_to

__all__ = [
    "batch_normalization",
    "l2_normalize",
    "layer_normalization",
    "moments",
    "of_dtype",
    "rms_normalization",
    "unbiased",
]


def _moment_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """A matrix over its rows, images over all but their channels, kept axes."""
    yield rng.normal(size=(4, 3)), {"axes": (0,)}
    yield rng.normal(size=(2, 3, 2, 2)), {"axes": (0, 1, 2)}
    yield rng.normal(size=(2, 3)), {"axes": (-1,), "keepdims": True}


def _normalization_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """A matrix and images, by vectors over the channels."""
    for shape in ((4, 3), (2, 2, 3, 3)):
        channels = [rng.normal(size=3), rng.uniform(0.5, 2.0, 3), rng.normal(size=3), rng.uniform(0.5, 2.0, 3)]
        yield rng.normal(size=shape), *channels, {"epsilon": 1e-3}


def _layer_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Rows, the last two axes, an axis in the middle."""
    yield rng.normal(size=(3, 5)), rng.uniform(0.5, 2.0, 5), rng.normal(size=5), {"axes": (-1,), "epsilon": 1e-3}
    scale, offset = rng.uniform(0.5, 2.0, (3, 4)), rng.normal(size=(3, 4))
    yield rng.normal(size=(2, 3, 4)), scale, offset, {"axes": (1, 2), "epsilon": 1e-3}
    scale, offset = rng.uniform(0.5, 2.0, (3, 1)), rng.normal(size=(3, 1))
    yield rng.normal(size=(2, 3, 4)), scale, offset, {"axes": (1,), "epsilon": 1e-3}


def _rms_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Rows, the last two axes."""
    yield rng.normal(size=(3, 5)), rng.uniform(0.5, 2.0, 5), {"axes": (-1,), "epsilon": 1e-3}
    yield rng.normal(size=(2, 3, 4)), rng.uniform(0.5, 2.0, (3, 4)), {"axes": (1, 2), "epsilon": 1e-3}


def _moments_gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any) -> Sequence[Tensor]:
    """Element by element: the distances from the mean add up to zero, so nothing comes through the mean in them."""
    x = inputs[0]
    mean = dt.reduce_mean(x, op.axes, keepdims=True)
    for_mean, for_variance = (one if op.keepdims else dt.reshape(one, dt.shape(mean)) for one in grads)
    count = dt.cast(dt.size(x), x.dtype) / dt.cast(dt.size(mean), x.dtype)
    return [(for_mean + 2.0 * (x - mean) * for_variance) / count]


def _normalization_gradient(
    op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any
) -> Sequence[Tensor]:
    """Two sums, of the gradient and of its products with the distances from the mean, give all but the first."""
    x, mean, variance, offset, scale = inputs
    root = dt.rsqrt(variance + op.epsilon)
    distance, grad = x - mean, grads[0]
    channels = mean + variance + offset + scale  # only its shape counts
    total, weighted = sum_to(grad, channels), sum_to(grad * distance, channels)
    return [
        grad * (root * scale),
        sum_to(-(root * scale) * total, mean),
        sum_to(-0.5 * (root * root * root) * scale * weighted, variance),
        sum_to(total, offset),
        sum_to(root * weighted, scale),
    ]


@composite(name="Moments", samples=_moment_samples, dtypes=lambda x: (x, x), gradient=_moments_gradient)
def _moments(x: Tensor, *, axes: tuple[int, ...], keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes."""
    mean = dt.reduce_mean(x, axes, keepdims=True)
    variance = dt.reduce_mean(dt.squared_difference(x, mean), axes, keepdims=keepdims)
    return (mean if keepdims else dt.squeeze(mean, axes)), variance


@composite(name="BatchNormalization", samples=_normalization_samples, gradient=_normalization_gradient)
def _batch_normalization(
    x: Tensor, mean: Tensor, variance: Tensor, offset: Tensor, scale: Tensor, *, epsilon: float
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``."""
    return (x - mean) * (dt.rsqrt(variance + epsilon) * scale) + offset


@composite(name="LayerNormalization", samples=_layer_samples)
def _layer_normalization(x: Tensor, scale: Tensor, offset: Tensor, *, axes: tuple[int, ...], epsilon: float) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, the moments over ``axes``."""
    centred = x - dt.reduce_mean(x, axes, keepdims=True)
    variance = dt.reduce_mean(dt.square(centred), axes, keepdims=True)
    return centred * dt.rsqrt(variance + epsilon) * scale + offset


@composite(name="RmsNormalization", samples=_rms_samples)
def _rms_normalization(x: Tensor, scale: Tensor, *, axes: tuple[int, ...], epsilon: float) -> Tensor:
    """``x / sqrt(mean(x²) + epsilon) * scale``, the mean over ``axes``."""
    return x * dt.rsqrt(dt.reduce_mean(dt.square(x), axes, keepdims=True) + epsilon) * scale


def moments(
    x: Any,
    axes: Sequence[int] | int,
    shift: Any = None,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """Return mean and variance over axes; the variance is the mean of the squared distances from the mean.

    Args:
        x: a floating tensor.
        axes: the axes to average over.
        shift: has no effect: the mean is taken first; here for TensorFlow 1 programs.
        name: name of the node.
        keep_dims: another name of ``keepdims``.
        keepdims: whether the axes stay, with size 1.

    Returns:
        The mean and the variance, of the dtype of ``x``.

    Raises:
        ShapeError: there is no such axis.
        DTypeError: ``x`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.moments(dt.constant([1.0, 3.0]), [0]))
        (np.float32(2.0), np.float32(1.0))
    """
    chosen = (axes,) if isinstance(axes, int) else tuple(int(axis) for axis in axes)
    keep = bool(keepdims if keepdims is not None else keep_dims)
    result: tuple[Tensor, Tensor] = _moments(dt.convert_to_tensor(x), axes=chosen, keepdims=keep, name=name)
    return result


def unbiased(x: Tensor, variance: Tensor) -> Tensor:
    """Return the variance of ``n - 1`` for that of ``n`` elements of ``x``; as it is where n is 1."""
    count: Tensor = dt.cast(dt.size(x), variance.dtype) / dt.cast(dt.size(variance), variance.dtype)
    return variance * (count / dt.maximum(count - 1.0, 1.0))


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: str | None = None
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset`` (Ioffe and Szegedy, 2015).

    Args:
        x: a floating tensor.
        mean: of a shape that broadcasts to that of ``x``, as all that follow.
        variance: not negative.
        offset: what is added, or ``None``.
        scale: what is multiplied, or ``None``.
        variance_epsilon: keeps the root from zero.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.batch_normalization([5.0], [3.0], [4.0], [1.0], None, 0.0))
        array([2.], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    parts = [mean, variance, 0.0 if offset is None else offset, 1.0 if scale is None else scale]
    others = [of_dtype(part, tensor.dtype) for part in parts]
    result: Tensor = _batch_normalization(tensor, *others, epsilon=float(variance_epsilon), name=name)
    return result


def layer_normalization(
    x: Any,
    scale: Any = None,
    offset: Any = None,
    axis: Sequence[int] | int = -1,
    epsilon: float = 1e-3,
    name: str | None = None,
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``, with moments over axes (Ba et al., 2016).

    Args:
        x: a floating tensor.
        scale: what is multiplied, of a shape that broadcasts to that of ``x``, or ``None``.
        offset: what is added, of a shape that broadcasts to that of ``x``, or ``None``.
        axis: the axis, or several, of the moments.
        epsilon: keeps the root from zero.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        ShapeError: there is no such axis, or the shapes do not broadcast.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.layer_normalization([[1.0, 3.0], [5.0, 5.0]], epsilon=0.01)).round(2)
        array([[-1.,  1.],
               [ 0.,  0.]], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    axes = (int(axis),) if isinstance(axis, int) else tuple(int(one) for one in axis)
    parts = [1.0 if scale is None else scale, 0.0 if offset is None else offset]
    others = [of_dtype(part, tensor.dtype) for part in parts]
    result: Tensor = _layer_normalization(tensor, *others, axes=axes, epsilon=float(epsilon), name=name)
    return result


def rms_normalization(
    x: Any, scale: Any = None, axis: Sequence[int] | int = -1, epsilon: float = 1e-6, name: str | None = None
) -> Tensor:
    """Return ``x / sqrt(mean(x²) + epsilon) * scale``, the mean over axes (Zhang and Sennrich, 2019).

    Args:
        x: a floating tensor.
        scale: what is multiplied, of a shape that broadcasts to that of ``x``, or ``None``.
        axis: the axis, or several, of the mean.
        epsilon: keeps the root from zero.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        ShapeError: there is no such axis, or the shapes do not broadcast.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.rms_normalization([[3.0, 4.0]])).round(4)
        array([[0.8485, 1.1314]], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    axes = (int(axis),) if isinstance(axis, int) else tuple(int(one) for one in axis)
    factor = of_dtype(1.0 if scale is None else scale, tensor.dtype)
    result: Tensor = _rms_normalization(tensor, factor, axes=axes, epsilon=float(epsilon), name=name)
    return result


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """Return ``x`` divided by its length along axes, ``x / sqrt(max(sum(x²), epsilon))``.

    Args:
        x: a floating tensor.
        axis: the axis, or several.
        epsilon: the least squared length.
        name: scope of the nodes.
        dim: another name of ``axis``.

    Example:
        >>> dt.Session().run(dt.nn.l2_normalize([3.0, 4.0], 0))
        array([0.6, 0.8], dtype=float32)
    """
    with dt.name_scope(name or "l2_normalize"):
        tensor = dt.convert_to_tensor(x)
        squares = dt.reduce_sum(dt.square(tensor), dim if axis is None else axis, keepdims=True)
        result: Tensor = tensor * dt.rsqrt(dt.maximum(squares, dt.constant(epsilon, tensor.dtype)))
        return result


def of_dtype(value: Any, dtype: dt.DType) -> Tensor:
    """Return a tensor; a value that is none takes ``dtype``."""
    return (
        dt.convert_to_tensor(value) if isinstance(value, Tensor | dt.Variable) else dt.convert_to_tensor(value, dtype)
    )
