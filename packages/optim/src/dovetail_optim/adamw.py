"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, field
from dovetail_optim._moments import MomentsOptimizer, moments

__all__ = ["AdamWOptimizer"]


@final
class AdamWOptimizer(MomentsOptimizer):
    """Adam, beside which each weight decays by itself (Loshchilov and Hutter, 2019).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g²``, then
    ``w -= learning_rate * (m' / (sqrt(v') + epsilon) + weight_decay * w)``, where ``m' = m / (1 - beta1^t)`` and
    ``v' = v / (1 - beta2^t)``. This is the paper's placement of ``epsilon`` and PyTorch's ``AdamW``; ``AdamOptimizer``
    has TensorFlow 1's. The decay is scaled by the learning rate, hence by its schedule. The slots are ``m`` and ``v``;
    the powers of the betas are the variables ``beta1_power`` and ``beta2_power``. A gradient of some rows decays the
    moments, and the weights, of all rows. With ``amsgrad`` (Reddi, Kale and Kumar, 2018) the slot ``vhat``, the
    greatest ``v`` so far, stands in place of ``v``.

    Biases and the scales of normalisations are usually spared: ``decay_filter=lambda v: len(v.shape) > 1``.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        weight_decay: the part of each weight, times the learning rate, that a step takes away.
        amsgrad: whether the divisor never falls.
        decay_filter: a function of a variable that says whether it decays; all of them do by default.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdamWOptimizer(0.5, weight_decay=0.25).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.0)
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8
    weight_decay: Hyperparameter = field(default=0.01, kw_only=True)
    amsgrad: bool = field(default=False, kw_only=True)

    def slots(self) -> Mapping[str, float]:
        """The moments, which begin at zero."""
        return {"m": 0.0, "v": 0.0, **({"vhat": 0.0} if self.amsgrad else {})}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step, once the weight has decayed."""
        kept = moments(gradient, slots, numbers)
        scale = numbers["learning_rate"] / (1.0 - numbers["beta1_power"])
        root = dt.sqrt(kept.get("vhat", kept["v"])) * dt.rsqrt(1.0 - numbers["beta2_power"])
        return value - scale * kept["m"] / (root + numbers["epsilon"]), kept
