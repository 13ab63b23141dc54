"""RMSProp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer, field

__all__ = ["RMSPropOptimizer"]


@final
class RMSPropOptimizer(Optimizer):
    """Divides the gradient by a running average of its magnitude (Tieleman and Hinton, 2012).

    ``s = decay * s + (1 - decay) * g²``, ``a = momentum * a + learning_rate * g / sqrt(s + epsilon)``, ``w -= a``. With
    ``centered``, ``s`` is lessened by the square of the running average of ``g`` (Graves, 2013). As in TensorFlow 1,
    ``s`` begins at one, ``epsilon`` stands under the root, and the learning rate counts into the momentum. The slots
    are ``rms`` (``s``), ``momentum`` (``a``) and, if centered, ``mg``. A gradient of some rows changes these alone.

    Args:
        learning_rate: how far to go.
        decay: the part of the averages to keep.
        momentum: the part of the speed to keep.
        epsilon: keeps the root from zero.
        centered: whether to divide by an estimate of the gradient's deviation rather than its magnitude.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.RMSPropOptimizer(1.0, decay=0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(2.5967073)
    """

    learning_rate: Hyperparameter
    decay: Hyperparameter = 0.9
    momentum: Hyperparameter = 0.0
    epsilon: Hyperparameter = 1e-10
    centered: bool = field(default=False, kw_only=True)

    rows_alone = True

    def slots(self) -> Mapping[str, float]:
        """Averages and speed."""
        return {"rms": 1.0, **({"mg": 0.0} if self.centered else {}), "momentum": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        decay, epsilon = numbers["decay"], numbers["epsilon"]
        rms = decay * slots["rms"] + (1.0 - decay) * gradient * gradient
        changed = {"rms": rms}
        spread = rms
        if self.centered:
            mean = decay * slots["mg"] + (1.0 - decay) * gradient
            changed["mg"] = mean
            spread = rms - mean * mean
        speed = numbers["momentum"] * slots["momentum"] + numbers["learning_rate"] * gradient * dt.rsqrt(
            spread + epsilon
        )
        return value - speed, {**changed, "momentum": speed}
