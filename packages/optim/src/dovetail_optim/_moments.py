"""What the relatives of Adam have in common: running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Numbers, Optimizer

__all__ = ["MomentsOptimizer", "moments"]


class MomentsOptimizer(Optimizer):
    """Base of optimizers that keep the slots ``m`` and ``v``, and the powers of their hyperparameters beta."""

    def slots(self) -> Mapping[str, float]:
        """The moments, which begin at zero."""
        return {"m": 0.0, "v": 0.0}

    def scalars(self) -> Mapping[str, Any]:
        """The betas to the power of the step to come."""
        own: Any = self
        return {"beta1_power": own.beta1, "beta2_power": own.beta2}

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One power more."""
        return {
            "beta1_power": numbers["beta1_power"] * numbers["beta1"],
            "beta2_power": numbers["beta2_power"] * numbers["beta2"],
        }


def moments(gradient: Tensor, slots: Mapping[str, Tensor], numbers: Numbers) -> dict[str, Tensor]:
    """Return the new slots: ``m``, ``v`` and, where it is kept, ``vhat``."""
    beta1, beta2 = numbers["beta1"], numbers["beta2"]
    kept = {
        "m": beta1 * slots["m"] + (1.0 - beta1) * gradient,
        "v": beta2 * slots["v"] + (1.0 - beta2) * gradient * gradient,
    }
    if "vhat" in slots:
        kept["vhat"] = dt.maximum(slots["vhat"], kept["v"])
    return kept
