"""Exponential moving averages of variables and tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import dovetail as dt
from dovetail import GraphKeys, Tensor, Variable
from dovetail.errors import AlreadyExistsError, DTypeError
from dovetail.extend import DType

__all__ = ["ExponentialMovingAverage", "kept_part"]


@final
class ExponentialMovingAverage:
    """Keeps averages in which what is older counts less (Polyak and Juditsky, 1992).

    An update is ``average -= (1 - decay) * (average - value)``. The average of a variable begins at the variable's
    initial value, that of a tensor at zero.

    Args:
        decay: how much of the average an update keeps, from 0 to 1, a number or a scalar tensor; such as 0.999.
        num_updates: how many updates were made, such as the global step: early ones then keep less,
            ``min(decay, (1 + num_updates) / (10 + num_updates))``.
        zero_debias: whether averages of tensors are divided by ``1 - decay ** updates``, so that beginning at zero does
            not show (Kingma and Ba, 2015).
        name: the last part of the averages' names.

    Example:
        >>> w = dt.Variable([1.0, 2.0], name="w")
        >>> average = dt.train.ExponentialMovingAverage(decay=0.9)
        >>> with dt.control_dependencies([dt.assign(w, [3.0, 2.0])]):
        ...     update = average.apply([w])
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(update)
        ...     session.run(average.average(w))
        array([1.2, 2. ], dtype=float32)
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        """Describe the averages; ``apply`` makes them."""
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        """The last part of the averages' names."""
        return self._name

    def apply(self, var_list: Iterable[Any] | None = None) -> dt.Operation:
        """Make averages, and return an operation that updates them: run it after each step of training.

        The averages are global variables that are not trained.

        Args:
            var_list: floating variables and tensors; the trainable variables by default.

        Raises:
            DTypeError: one is not floating.
            AlreadyExistsError: one has an average already.
        """
        chosen = list(dt.trainable_variables() if var_list is None else var_list)
        for one in chosen:
            if not one.dtype.is_floating:
                raise DTypeError(f'ExponentialMovingAverage: "{one.name}" is {one.dtype.name}; give floating ones.')
            if one in self._averages:
                raise AlreadyExistsError(
                    f'ExponentialMovingAverage: "{one.name}" has an average already, '
                    f'"{self._averages[one].name}"; call apply once, with all of them.'
                )
            self._averages[one] = self._make(one)
        with dt.name_scope(self._name):
            fresh = 1.0 - kept_part(self._decay, self._num_updates, dt.float32)
            return dt.group(*(self._update(one, fresh) for one in chosen))

    def average(self, var: Any) -> Variable | None:
        """Return the average of a variable or tensor; ``None`` where there is none."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """Return the name of the average of a variable or tensor, whether it is there or not."""
        known = self._averages.get(var)
        return f"{var.op.name}/{self._name}" if known is None else known.op.name

    def variables_to_restore(self, moving_avg_variables: Iterable[Variable] | None = None) -> dict[str, Variable]:
        """Return for a ``Saver`` under which names to look for variables, so that averages are restored in their place.

        Args:
            moving_avg_variables: the variables to restore from their averages; by default the trainable ones and those
                that have an average.

        Example:
            >>> w = dt.Variable(1.0, name="w")
            >>> dt.train.ExponentialMovingAverage(0.9).variables_to_restore()
            {'w/ExponentialMovingAverage': <dovetail.Variable 'w:0' float32[]>}
        """
        if moving_avg_variables is None:
            averaged = [*dt.trainable_variables(), *dt.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES)]
        else:
            averaged = list(moving_avg_variables)
        found = {self.average_name(one): one for one in dict.fromkeys(averaged)}
        others = set(dt.global_variables()).difference(averaged)
        for one in dt.global_variables():
            if one in others:
                found.setdefault(one.op.name, one)
        return found

    def _make(self, value: Any) -> Variable:
        name = f"{value.op.name}/{self._name}"
        with dt.name_scope(None):
            if isinstance(value, Variable):
                dt.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, value)
                return Variable(value.initialized_value, trainable=False, name=name)
            return Variable(dt.zeros(value.shape, value.dtype), trainable=False, name=name)

    def _update(self, one: Any, fresh: Tensor) -> Tensor:
        average, value = self._averages[one], dt.convert_to_tensor(one)
        part = dt.cast(fresh, average.dtype)
        if not self._zero_debias or isinstance(one, Variable):
            return average.assign_sub(part * (average - value))
        with dt.name_scope(None):
            biased = Variable(dt.zeros(value.shape, value.dtype), trainable=False, name=f"{average.op.name}/biased")
            step = Variable(0.0, trainable=False, dtype=value.dtype, name=f"{average.op.name}/local_step")
        summed, count = biased.assign_sub(part * (biased - value)), step.assign_add(1.0)
        return average.assign(summed / (1.0 - (1.0 - part) ** count))


def kept_part(decay: Any, num_updates: Any, dtype: DType) -> Tensor:
    """Return how much of an average an update keeps: ``decay``, and less while few updates were made."""
    kept: Tensor = dt.cast(decay, dtype)
    if num_updates is None:
        return kept
    made = dt.cast(num_updates, dtype)
    return dt.minimum(kept, (1.0 + made) / (10.0 + made))
