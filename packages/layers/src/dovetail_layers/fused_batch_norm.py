"""Batch normalisation as older programs of TensorFlow 1 have it."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail_layers.normalization import batch_normalization, moments, unbiased

__all__ = ["batch_norm_with_global_normalization", "fused_batch_norm"]


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``, and mean and variance.

    Args:
        x: floating images.
        scale: what is multiplied, a number for each channel.
        offset: what is added, a number for each channel.
        mean: the mean of each channel, where not training.
        variance: the variance of each channel, where not training.
        epsilon: keeps the root from zero; 1.001e-5 at least, as in TensorFlow.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        is_training: whether mean and variance are those of ``x``; the variance that is returned is then that of
            ``n - 1`` where ``n`` elements are averaged, for moving averages.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: the layout is not known, or where not training, mean or variance is missing.
        ShapeError: the shapes do not fit.

    Example:
        >>> y, mean, variance = dt.nn.fused_batch_norm(dt.ones([2, 4, 4, 3]), dt.ones([3]), dt.zeros([3]))
        >>> dt.Session().run(mean)
        array([1., 1., 1.], dtype=float32)
    """
    if data_format not in ("NHWC", "NCHW"):
        raise InvalidArgumentError(f"fused_batch_norm: data_format is {data_format!r}; use 'NHWC' or 'NCHW'.")
    if not is_training and (mean is None or variance is None):
        raise InvalidArgumentError("fused_batch_norm: mean and variance are needed where is_training is False.")
    with dt.name_scope(name or "fused_batch_norm"):
        tensor = dt.convert_to_tensor(x)
        axes = [0, 1, 2] if data_format == "NHWC" else [0, 2, 3]
        if is_training:
            mean, variance = moments(tensor, axes)
            kept = unbiased(tensor, variance)
        else:
            mean, variance = dt.convert_to_tensor(mean), dt.convert_to_tensor(variance)
            kept = variance
        shape = [-1] if data_format == "NHWC" else [-1, 1, 1]
        centre, spread, add, factor = (dt.reshape(part, shape) for part in (mean, variance, offset, scale))
        return batch_normalization(tensor, centre, spread, add, factor, max(epsilon, 1.001e-5)), mean, kept


def batch_norm_with_global_normalization(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: float = 0.0,
    scale_after_normalization: bool = False,
    name: str | None = None,
    input: Any = None,
    mean: Any = None,
    variance: Any = None,
) -> Tensor:
    """Return ``(t - m) / sqrt(v + variance_epsilon) * gamma + beta``; newer programs call ``batch_normalization``.

    Args:
        t: floating images, channels last.
        m: the mean of each channel.
        v: the variance of each channel.
        beta: what is added, a number for each channel.
        gamma: what is multiplied, a number for each channel.
        variance_epsilon: keeps the root from zero.
        scale_after_normalization: whether to multiply by ``gamma``.
        name: name of the node.
        input: another name of ``t``.
        mean: another name of ``m``.
        variance: another name of ``v``.

    Raises:
        InvalidArgumentError: one of the first three is missing, or given twice.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.nn.batch_norm_with_global_normalization([5.0], [3.0], [4.0], [1.0], None))
        array([2.], dtype=float32)
    """
    for first, second, label in ((t, input, "t (input)"), (m, mean, "m (mean)"), (v, variance, "v (variance)")):
        if (first is None) == (second is None):
            raise InvalidArgumentError(f"batch_norm_with_global_normalization: give {label}, once.")
    x, centre, spread = (second if first is None else first for first, second in ((t, input), (m, mean), (v, variance)))
    scale = gamma if scale_after_normalization else None
    return batch_normalization(x, centre, spread, beta, scale, variance_epsilon, name)
