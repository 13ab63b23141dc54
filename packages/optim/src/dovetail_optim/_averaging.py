"""Optimizers that keep averages of the weights, to be used in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dovetail as dt
from dovetail import Operation, Variable
from dovetail.errors import InvalidArgumentError
from dovetail_optim._wrapper import OptimizerWrapper, first_value

__all__ = ["AveragingOptimizer"]


class AveragingOptimizer(OptimizerWrapper):
    """Base of optimizers with the slot ``average``, which begins where the weights do."""

    def slots(self) -> Mapping[str, Any]:
        """The averages."""
        return {"average": 0.0}

    def slots_for(self, variable: Variable) -> Mapping[str, Any]:
        """The averages begin where the weights do."""
        return {"average": first_value(variable)}

    def average(self, variable: Variable) -> Variable:
        """Return the average of a variable.

        Raises:
            InvalidArgumentError: no step changes the variable.
        """
        kept = self.get_slot(variable, "average")
        if kept is None:
            raise InvalidArgumentError(
                f'{self.get_name()}: no average is kept of "{variable.op.name}". Call minimize or apply_gradients with '
                f"it before. {variable.op.where()}"
            )
        return kept

    def _averaged(self, var_list: Sequence[Variable] | None) -> list[tuple[Variable, Variable]]:
        chosen = dt.trainable_variables() if var_list is None else list(var_list)
        if var_list is None:
            chosen = [one for one in chosen if self.get_slot(one, "average") is not None]
        return [(one, self.average(one)) for one in chosen]

    def assign_average_vars(self, var_list: Sequence[Variable] | None = None) -> Operation:
        """Return an operation that gives variables the values of their averages; all averaged ones by default."""
        pairs = self._averaged(var_list)
        return dt.group(*(one.assign(dt.cast(kept, one.dtype)) for one, kept in pairs), name="assign_average_vars")

    def swap_average_vars(self, var_list: Sequence[Variable] | None = None) -> Operation:
        """Return an operation that exchanges variables and averages; run again, it puts them back.

        For an evaluation amid the training; weights of half types are rounded on the way.
        """
        done = []
        for one, kept in self._averaged(var_list):
            value, mean = dt.identity(one), dt.identity(kept)
            done += [one.assign(dt.cast(mean, one.dtype)), kept.assign(dt.cast(value, kept.dtype))]
        return dt.group(*done, name="swap_average_vars")

    def swapping_saver(
        self, var_list: Sequence[Variable] | None = None, name: str = "swapping_saver", **arguments: Any
    ) -> Any:
        """Return a ``Saver`` that saves the averages under the names of their variables, and the other way round.

        A program without averages then restores the averages as its weights.

        Args:
            var_list: the variables to save; all global ones by default.
            name: the scope of the saver.
            arguments: those of ``dt.train.Saver``.
        """
        chosen = dt.global_variables() if var_list is None else list(var_list)
        names = {one.op.name: one for one in chosen}
        for one in chosen:
            kept = self.get_slot(one, "average")
            if kept is not None:
                names[one.op.name], names[kept.op.name] = kept, one
        return dt.train.Saver(names, name=name, **arguments)
