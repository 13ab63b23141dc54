"""Optimizers around another one."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor, Variable
from dovetail.errors import ConfigurationError
from dovetail.extend import DType, Optimizer, Shape

__all__ = ["OptimizerWrapper", "first_value"]


class OptimizerWrapper(Optimizer):
    """Base of optimizers that let another one make the step; a subclass defines ``updates``.

    Decay is the affair of the optimizer within; the limits of gradients are those of either.
    """

    optimizer: Optimizer

    def check(self) -> None:
        """Refuse what is no optimizer, and a decay that nothing would follow."""
        if not isinstance(self.optimizer, Optimizer):
            raise ConfigurationError(
                f"{self.get_name()}: the optimizer is {self.optimizer!r}; give one, such as dt.train.AdamOptimizer()."
            )
        if self.weight_decay != 0.0 or self.decay_filter is not None:
            raise ConfigurationError(
                f"{self.get_name()} makes no step of its own; give weight_decay and decay_filter to the "
                f"{self.optimizer.get_name()} within."
            )

    def compute_gradients(self, *args: Any, **arguments: Any) -> list[tuple[Any, Variable]]:
        """Return pairs of gradient and variable, as the optimizer within gives them."""
        return self.optimizer.compute_gradients(*args, **arguments)

    def steps_made(self, dtype: DType) -> Tensor:
        """Return by how much the global step rises, which the optimizer within knows."""
        return self.optimizer.steps_made(dtype)

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """Return what is kept for a variable, here or within."""
        own = super().get_slot(var, name)
        return self.optimizer.get_slot(var, name) if own is None else own

    def get_slot_names(self) -> list[str]:
        """Return the names of what is kept for each variable, here and within, sorted."""
        return sorted({*super().get_slot_names(), *self.optimizer.get_slot_names()})

    def variables(self) -> list[Variable]:
        """Return the variables of both, sorted by name."""
        return sorted([*super().variables(), *self.optimizer.variables()], key=lambda one: one.name)


def first_value(variable: Variable) -> Any:
    """Return an initializer that gives the value which a variable is initialized with."""

    def give(shape: Shape, dtype: DType) -> Tensor:
        value: Tensor = dt.cast(variable.initialized_value(), dtype)
        return value

    return give
