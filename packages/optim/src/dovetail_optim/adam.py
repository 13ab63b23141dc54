"""Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, field
from dovetail_optim._moments import MomentsOptimizer, moments

__all__ = ["AdamOptimizer", "adam"]


@final
class AdamOptimizer(MomentsOptimizer):
    """Steps by estimates of the gradient's first two moments (Kingma and Ba, 2015, the form before section 2.1).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g²``, then
    ``w -= learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)``. This is TensorFlow 1's
    placement of ``epsilon``; the paper's own corresponds to ``epsilon * sqrt(1 - beta2^t)``. The slots are ``m`` and
    ``v``; the powers of the betas are the variables ``beta1_power`` and ``beta2_power``. A gradient of some rows decays
    the moments of all rows. With ``amsgrad`` (Reddi, Kale and Kumar, 2018), as Keras has it, the slot ``vhat``, the
    greatest ``v`` so far, stands in place of ``v`` under the root.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        amsgrad: whether the divisor never falls.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdamOptimizer(0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8
    amsgrad: bool = field(default=False, kw_only=True)

    def slots(self) -> Mapping[str, float]:
        """The moments, which begin at zero."""
        return {"m": 0.0, "v": 0.0, **({"vhat": 0.0} if self.amsgrad else {})}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        return adam(gradient, value, slots, numbers)


def adam(
    gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """One step of Adam."""
    kept = moments(gradient, slots, numbers)
    rate = numbers["learning_rate"] * dt.sqrt(1.0 - numbers["beta2_power"]) / (1.0 - numbers["beta1_power"])
    return value - rate * kept["m"] / (dt.sqrt(kept.get("vhat", kept["v"])) + numbers["epsilon"]), kept
