"""Optimizers outside the graph, which ask for a loss and its gradient as often as they like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor, Variable
from dovetail.errors import DTypeError, InvalidArgumentError

__all__ = ["ExternalOptimizerInterface"]

Evaluation = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From a vector of all variables to a value and its gradient."""


class ExternalOptimizerInterface:
    """Base of optimizers that are functions of a vector; a subclass defines ``_minimize``.

    Args:
        loss: a floating scalar.
        var_list: the variables to change; the trainable ones by default.
        equalities: scalars that must be 0.
        inequalities: scalars that must not be below 0.
        var_to_bounds: for variables, a pair of the least and the greatest value, numbers or arrays that broadcast to
            it.
        optimizer_kwargs: what the subclass takes.

    Raises:
        DTypeError: the loss or a constraint is no floating scalar, or a variable is not floating.
        InvalidArgumentError: there is no variable, or the loss depends on none of them.
    """

    def __init__(
        self,
        loss: Any,
        var_list: Sequence[Variable] | None = None,
        equalities: Sequence[Any] | None = None,
        inequalities: Sequence[Any] | None = None,
        var_to_bounds: Mapping[Variable, Any] | None = None,
        **optimizer_kwargs: Any,
    ) -> None:
        """Make the gradients."""
        self._name = type(self).__name__
        self._vars = list(dt.trainable_variables() if var_list is None else var_list)
        if not self._vars:
            raise InvalidArgumentError(f"{self._name}: there is no variable to change; give var_list.")
        for one in self._vars:
            if not one.dtype.is_floating:
                raise DTypeError(f'{self._name}: "{one.op.name}" is {one.dtype.name}; only floating variables change.')
        self._sizes = [int(one.shape.size) for one in self._vars]
        self._loss = self._with_gradients(loss, "the loss")
        self._equalities = [self._with_gradients(one, "an equality") for one in equalities or ()]
        self._inequalities = [self._with_gradients(one, "an inequality") for one in inequalities or ()]
        self._bounds = None if var_to_bounds is None else self._packed_bounds(var_to_bounds)
        self._options = optimizer_kwargs

    def minimize(
        self,
        session: Any = None,
        feed_dict: Mapping[Any, Any] | None = None,
        fetches: Sequence[Any] | None = None,
        step_callback: Callable[[np.ndarray], Any] | None = None,
        loss_callback: Callable[..., Any] | None = None,
        **run_kwargs: Any,
    ) -> Any:
        """Minimize the loss; the variables change when all is done, and only then.

        Args:
            session: the session; the default one unless given.
            feed_dict: what to feed whenever the loss is computed.
            fetches: what to compute besides the loss.
            step_callback: called with the vector of all variables after each step.
            loss_callback: called with the values of ``fetches`` whenever the loss was computed.
            run_kwargs: further arguments of ``Session.run``.

        Returns:
            What the optimizer says: for SciPy its ``OptimizeResult``, where TensorFlow returns nothing.

        Raises:
            InvalidArgumentError: there is no session.
        """
        chosen = dt.get_default_session() if session is None else session
        if chosen is None:
            raise InvalidArgumentError(f"{self._name}.minimize: there is no default session; give one.")
        first = self._pack(chosen.run(self._vars))
        watched = list(fetches or ())

        def evaluation(target: tuple[Tensor, Tensor], callback: Callable[..., Any] | None) -> Evaluation:
            extra = watched if callback is not None else []

            def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
                fed = {**(feed_dict or {}), **dict(zip(self._vars, self._unpack(x), strict=True))}
                value, gradient, *others = chosen.run([*target, *extra], fed, **run_kwargs)
                if callback is not None:
                    callback(*others)
                return float(value), np.asarray(gradient, np.float64)

            return evaluate

        result, last = self._minimize(
            first,
            evaluation(self._loss, loss_callback),
            [evaluation(one, None) for one in self._equalities],
            [evaluation(one, None) for one in self._inequalities],
            self._bounds,
            step_callback,
            **self._options,
        )
        for variable, value in zip(self._vars, self._unpack(last), strict=True):
            variable.load(value, chosen)
        return result

    def _minimize(
        self,
        first: np.ndarray,
        loss: Evaluation,
        equalities: list[Evaluation],
        inequalities: list[Evaluation],
        bounds: list[tuple[float, float]] | None,
        step_callback: Callable[[np.ndarray], Any] | None,
        **options: Any,
    ) -> tuple[Any, np.ndarray]:
        """Return what to tell the caller, and the vector in the end."""
        raise NotImplementedError(f"{self._name} does not define _minimize.")

    def _with_gradients(self, value: Any, what: str) -> tuple[Tensor, Tensor]:
        tensor = dt.convert_to_tensor(value)
        if not tensor.dtype.is_floating or tensor.shape.rank not in (0, None):
            raise DTypeError(
                f'{self._name}: {what}, "{tensor.name}", is {tensor.type}; give a floating scalar, by '
                f"dt.reduce_sum or dt.cast. {tensor.op.where()}"
            )
        found = dt.gradients(tensor, self._vars)
        if all(one is None for one in found):
            raise InvalidArgumentError(
                f'{self._name}: {what}, "{tensor.name}", depends on none of the variables. {tensor.op.where()}'
            )
        parts = [
            dt.zeros([size], dt.float64)
            if one is None
            else dt.cast(dt.reshape(dt.convert_to_tensor(one), [size]), dt.float64)
            for one, size in zip(found, self._sizes, strict=True)
        ]
        return tensor, dt.concat(parts, 0)

    def _pack(self, values: Sequence[Any]) -> np.ndarray:
        return np.concatenate([np.asarray(value, np.float64).reshape(-1) for value in values])

    def _unpack(self, x: np.ndarray) -> list[np.ndarray]:
        parts = np.split(np.asarray(x, np.float64), np.cumsum(self._sizes[:-1]))
        return [
            part.reshape(one.shape.evaluate({})).astype(one.dtype.numpy)
            for part, one in zip(parts, self._vars, strict=True)
        ]

    def _packed_bounds(self, given: Mapping[Variable, Any]) -> list[tuple[float, float]]:
        lowest, highest = [], []
        for variable in self._vars:
            low, high = given.get(variable, (-np.inf, np.inf))
            shape = variable.shape.evaluate({})
            lowest.append(np.broadcast_to(np.asarray(low, np.float64), shape))
            highest.append(np.broadcast_to(np.asarray(high, np.float64), shape))
        return list(zip(self._pack(lowest).tolist(), self._pack(highest).tolist(), strict=True))
