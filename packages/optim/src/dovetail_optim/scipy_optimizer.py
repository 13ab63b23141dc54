"""SciPy's optimizers: L-BFGS and its relatives."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, final

import numpy as np

from dovetail.errors import PluginError
from dovetail_optim.external_optimizer import Evaluation, ExternalOptimizerInterface

__all__ = ["ScipyOptimizerInterface"]


@final
class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimizes a loss by ``scipy.optimize.minimize``: L-BFGS with bounds (Byrd et al., 1995), or another method.

    The interface is that of ``tf.contrib.opt.ScipyOptimizerInterface``. For small and smooth problems with all data in
    one batch: every evaluation of the loss is one run of the session, and the vector of all variables, in float64, goes
    through Python. It needs SciPy: ``pip install 'dovetail-optim[scipy]'``.

    Args:
        loss: a floating scalar.
        var_list: the variables to change; the trainable ones by default.
        equalities: scalars that must be 0; the method is ``"SLSQP"`` then.
        inequalities: scalars that must not be below 0; the method is ``"SLSQP"`` then.
        var_to_bounds: for variables, a pair of the least and the greatest value, numbers or arrays that broadcast to
            it.
        optimizer_kwargs: ``method``, ``options`` such as ``{"maxiter": 100}``, and other arguments of SciPy's function.

    Raises:
        DTypeError: the loss or a constraint is no floating scalar, or a variable is not floating.
        InvalidArgumentError: there is no variable, or the loss depends on none of them.
        PluginError: SciPy is not installed.

    Example:
        >>> w = dt.Variable([7.0, 7.0], dtype=dt.float64)
        >>> optimizer = dt.train.ScipyOptimizerInterface(dt.reduce_sum((w - [1.0, 2.0]) ** 2))
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     result = optimizer.minimize(session)
        ...     np.round(session.run(w), 4)
        array([1., 2.])
    """

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
        try:
            minimize = import_module("scipy.optimize").minimize
        except ImportError as error:
            raise PluginError(
                f"ScipyOptimizerInterface needs the package scipy, which cannot be imported ({error}). "
                "Install it: pip install 'dovetail-optim[scipy]'"
            ) from error
        constraints = [
            {"type": kind, "fun": lambda x, f=one: f(x)[0], "jac": lambda x, f=one: f(x)[1]}
            for kind, group in (("eq", equalities), ("ineq", inequalities))
            for one in group
        ]
        arguments = {"method": "SLSQP" if constraints else "L-BFGS-B", **options}
        if constraints:
            arguments["constraints"] = constraints
        result = minimize(loss, first, jac=True, bounds=bounds, callback=step_callback, **arguments)
        return result, result.x
