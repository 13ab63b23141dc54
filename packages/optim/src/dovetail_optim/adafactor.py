"""Adafactor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor, Variable
from dovetail.extend import DType, Hyperparameter, Numbers, Optimizer, Shape

__all__ = ["AdafactorOptimizer"]


@final
class AdafactorOptimizer(Optimizer):
    """Keeps the second moment of a matrix as a row and a column (Shazeer and Stern, 2018, arXiv:1804.04235).

    With ``beta2_t = 1 - t^beta2_decay``: ``R`` and ``C`` are the running averages of the means of ``g²`` along the last
    axis and along the one before, ``V = R * C / mean(R)``; of what has one axis or none, ``V`` is the average of ``g²``
    itself. Then ``u = g / sqrt(max(V, epsilon1²))``, lessened to a root mean square of ``clip_threshold`` at most, and
    ``w -= min(learning_rate, 1 / sqrt(t)) * max(epsilon2, rms(w)) * u``. This is PyTorch's ``Adafactor``, for which
    ``rms(w)`` is that before the weight decayed. The paper, and Keras, add ``epsilon1`` to ``g²`` instead. The slots
    are ``vr`` and ``vc``, or ``v``; the variable ``steps`` holds ``t``. A gradient of some rows decays the averages of
    all rows.

    Args:
        learning_rate: the longest step, as a part of the weights' root mean square.
        beta2_decay: how soon the averages get long: the power of the step's number.
        epsilon1: keeps roots from zero; ``None`` for the smallest part of 1 that the dtype tells apart.
        epsilon2: the least root mean square of weights.
        clip_threshold: the greatest root mean square of a step, before it is scaled.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdafactorOptimizer(0.125).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter = 0.01
    beta2_decay: Hyperparameter = -0.8
    epsilon1: float | None = None
    epsilon2: Hyperparameter = 0.001
    clip_threshold: Hyperparameter = 1.0

    def slots(self) -> Mapping[str, Any]:
        """All names; a matrix has the first two, and what is less the last."""
        return {"vr": _row_means, "vc": _column_means, "v": 0.0}

    def slots_for(self, variable: Variable) -> Mapping[str, Any]:
        """Those of a matrix, or of what is less."""
        own = self.slots()
        return {name: own[name] for name in (("vr", "vc") if len(variable.shape) > 1 else ("v",))}

    def scalars(self) -> Mapping[str, Any]:
        """The number of the step to come."""
        return {"steps": 1.0}

    def decayed(self, value: Tensor, numbers: Numbers) -> Tensor:
        """The value as it is, for its root mean square counts."""
        return value

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        t, rate = numbers["steps"], numbers["learning_rate"]
        part = t ** numbers["beta2_decay"]
        squares = gradient * gradient
        least = float(np.finfo(value.dtype.numpy).eps) if self.epsilon1 is None else self.epsilon1
        if "v" in slots:
            kept = {"v": _mixed(slots["v"], squares, part)}
            spread = kept["v"]
        else:
            kept = {
                "vr": _mixed(slots["vr"], dt.reduce_mean(squares, -1, keepdims=True), part),
                "vc": _mixed(slots["vc"], dt.reduce_mean(squares, -2, keepdims=True), part),
            }
            spread = kept["vr"] / dt.maximum(dt.reduce_mean(kept["vr"], -2, keepdims=True), least) * kept["vc"]
        direction = gradient * dt.rsqrt(dt.maximum(spread, least * least))
        scale = dt.minimum(rate, dt.rsqrt(t)) * dt.maximum(numbers["epsilon2"], _rms(value))
        scale = scale / dt.maximum(_rms(direction) / numbers["clip_threshold"], 1.0)
        return (1.0 - rate * numbers["weight_decay"]) * value - scale * direction, kept

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One step more."""
        return {"steps": numbers["steps"] + 1.0}


def _mixed(average: Tensor, new: Tensor, part: Tensor) -> Tensor:
    return average + part * (new - average)


def _rms(x: Tensor) -> Tensor:
    return dt.sqrt(dt.reduce_mean(x * x))


def _row_means(shape: Shape, dtype: DType) -> Tensor:
    return dt.zeros([*shape.dims[:-1], 1], dtype)


def _column_means(shape: Shape, dtype: DType) -> Tensor:
    return dt.zeros([*shape.dims[:-2], 1, shape.dims[-1]], dtype)
