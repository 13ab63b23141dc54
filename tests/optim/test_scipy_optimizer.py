"""SciPy's optimizers on losses of a session."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, PluginError


def session() -> dt.Session:
    opened = dt.Session()
    opened.run(dt.global_variables_initializer())
    return opened


def rosenbrock(x: Any, y: Any) -> dt.Tensor:
    return dt.square(1.0 - x) + 100.0 * dt.square(y - x * x)


@pytest.mark.parametrize("dtype", [dt.float32, dt.float64])
def test_lbfgs_finds_the_bottom_of_the_valley(dtype: Any) -> None:
    x, y = dt.Variable(-1.2, dtype=dtype, name="x"), dt.Variable(1.0, dtype=dtype, name="y")
    run = session()
    result = dt.train.ScipyOptimizerInterface(rosenbrock(x, y)).minimize(run)
    assert result.success
    np.testing.assert_allclose(run.run([x, y]), [1.0, 1.0], atol=2e-3 if dtype is dt.float32 else 1e-5)
    assert run.run(x).dtype == dtype.numpy


def test_feeds_and_callbacks_and_variables_that_change_at_the_end() -> None:
    w, apart = dt.Variable(np.zeros((2, 1)), name="w"), dt.Variable(5.0, name="apart")
    target = dt.placeholder(dt.float64, [2, 1])
    loss = dt.reduce_sum(dt.square(w - target))
    losses, steps, within = [], [], []

    def seen(value: Any, twice: Any) -> None:
        losses.append(float(value))
        assert twice == 2.0 * value
        within.append(run.run(w).tolist())

    run = session()
    optimizer = dt.train.ScipyOptimizerInterface(loss, [w], method="CG", options={"maxiter": 20})
    with run.as_default():
        optimizer.minimize(
            feed_dict={target: [[1.0], [2.0]]},
            fetches=[loss, 2.0 * loss],
            step_callback=steps.append,
            loss_callback=seen,
        )
    assert losses[0] == 5.0
    assert losses[-1] < 1e-12
    assert steps[-1].shape == (2,)
    assert within == [[[0.0], [0.0]]] * len(losses)
    np.testing.assert_allclose(run.run(w), [[1.0], [2.0]], atol=1e-6)
    assert run.run(apart) == 5.0


def test_constraints_and_bounds_as_in_tensorflow() -> None:
    """The example of TensorFlow's documentation: the shortest vector with a first element of at least 1 and such."""
    vector = dt.Variable([7.0, 7.0], dtype=dt.float64)
    optimizer = dt.train.ScipyOptimizerInterface(
        dt.reduce_sum(dt.square(vector)),
        options={"maxiter": 100},
        equalities=[vector[1] - 1.0],
        inequalities=[vector[0] - 1.0],
        method="SLSQP",
    )
    run = session()
    optimizer.minimize(run)
    np.testing.assert_allclose(run.run(vector), [1.0, 1.0], atol=1e-6)

    table, bias = dt.Variable(np.full((2, 2), 3.0)), dt.Variable(np.float64(3.0))
    loss = dt.reduce_sum(dt.square(table)) + dt.square(bias)
    optimizer = dt.train.ScipyOptimizerInterface(
        loss, [table, bias], var_to_bounds={table: ([1.0, -np.inf], [np.inf, -2.0])}
    )
    run = session()
    optimizer.minimize(run)
    np.testing.assert_allclose(run.run(table), [[1.0, -2.0], [1.0, -2.0]], atol=1e-6)
    np.testing.assert_allclose(run.run(bias), 0.0, atol=1e-6)


def test_gradients_of_rows_and_variables_that_do_not_matter() -> None:
    table, other = dt.Variable(np.ones((3, 2))), dt.Variable(np.float64(4.0))
    loss = dt.reduce_sum(dt.square(dt.gather(table, [0, 2])))
    run = session()
    dt.train.ScipyOptimizerInterface(loss).minimize(run)
    np.testing.assert_allclose(run.run(table), [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]], atol=1e-6)
    assert run.run(other) == 4.0


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(InvalidArgumentError, match="there is no variable to change; give var_list"):
        dt.train.ScipyOptimizerInterface(dt.constant(1.0))
    w, count = dt.Variable([1.0, 2.0], name="w"), dt.Variable(1, name="count", trainable=False)
    with pytest.raises(DTypeError, match=r'the loss, ".*", is float32\[2\]; give a floating scalar'):
        dt.train.ScipyOptimizerInterface(w * w)
    with pytest.raises(DTypeError, match='"count" is int32; only floating variables change'):
        dt.train.ScipyOptimizerInterface(dt.reduce_sum(w), [count])
    with pytest.raises(InvalidArgumentError, match='an equality, ".*", depends on none of the variables'):
        dt.train.ScipyOptimizerInterface(dt.reduce_sum(w), equalities=[dt.constant(1.0)])
    optimizer = dt.train.ScipyOptimizerInterface(dt.reduce_sum(w))
    with pytest.raises(InvalidArgumentError, match="there is no default session; give one"):
        optimizer.minimize()
    with pytest.raises(NotImplementedError, match="ExternalOptimizerInterface does not define _minimize"):
        dt.train.ExternalOptimizerInterface(dt.reduce_sum(w)).minimize(session())


def test_without_scipy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    w = dt.Variable(1.0)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(PluginError, match=r"needs the package scipy, .*pip install 'dovetail-optim\[scipy\]'"):
        dt.train.ScipyOptimizerInterface(w * w).minimize(session())
