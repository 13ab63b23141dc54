"""Clipping, accumulation, averages of weights: what stands around the step of an optimizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import ConfigurationError, InvalidArgumentError

OPTAX = np.load(Path(__file__).parents[1] / "data" / "optimizers_optax.npz")
GIVEN = {key.partition("/")[2]: OPTAX[key] for key in OPTAX.files if key.startswith("problem/")}


def session() -> dt.Session:
    opened = dt.Session()
    opened.run(dt.global_variables_initializer())
    return opened


def check(case: str, optimizer: Any) -> None:
    """Run the five steps that were recorded; optax counts batches, and divides by their number, in float32."""
    names = [name for name in ("weight", "bias") if f"{case}/{name}" in OPTAX.files]
    variables = [dt.Variable(GIVEN[name], name=name) for name in names]
    gradients = [dt.placeholder(dt.float64, one.shape) for one in variables]
    step = optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
    run = session()
    for index in range(5):
        fed = {one: GIVEN[f"{name}_gradients"][index] for one, name in zip(gradients, names, strict=True)}
        run.run(step, fed)
        for name, variable in zip(names, variables, strict=True):
            expected = OPTAX[f"{case}/{name}"][index]
            np.testing.assert_allclose(run.run(variable), expected, rtol=1e-6, err_msg=f"{name}, step {index + 1}")


def test_optax() -> None:
    check("lookahead", dt.train.LookaheadOptimizer(dt.train.MomentumOptimizer(0.1, 0.9), 2, 0.25))
    check("accumulated", dt.train.GradientAccumulationOptimizer(dt.train.MomentumOptimizer(0.1, 0.9), 2))
    check("clip_by_global_norm", dt.train.AdamOptimizer(0.05, 0.8, 0.95, 0.0, global_clipnorm=1.5))


# Clipping. -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[3.0, 4.0], [12.0]]),
        ({"clipvalue": 3.5}, [[3.0, 3.5], [3.5]]),
        ({"clipnorm": 1.0}, [[0.6, 0.8], [1.0]]),
        ({"global_clipnorm": 1.0}, [[3.0 / 13.0, 4.0 / 13.0], [12.0 / 13.0]]),
        ({"global_clipnorm": 20.0}, [[3.0, 4.0], [12.0]]),
        ({"clipvalue": 4.0, "clipnorm": 1.0}, [[0.6, 0.8], [1.0]]),
    ],
)
def test_gradients_are_clipped(arguments: dict[str, float], expected: list[list[float]]) -> None:
    variables = [dt.Variable([0.0, 0.0]), dt.Variable([0.0], dtype=dt.float64)]
    gradients = [dt.constant([3.0, 4.0]), dt.constant([12.0], dt.float64)]
    step = dt.train.GradientDescentOptimizer(1.0, **arguments).apply_gradients(zip(gradients, variables, strict=True))
    run = session()
    run.run(step)
    for found, wanted in zip(run.run(variables), expected, strict=True):
        np.testing.assert_allclose(-found, wanted, rtol=1e-6)


@pytest.mark.parametrize("arguments", [{"clipvalue": 3.0}, {"clipnorm": 2.5}, {"global_clipnorm": 2.5}])
def test_rows_stay_rows_when_they_are_clipped(arguments: dict[str, float]) -> None:
    table = dt.Variable(np.zeros((3, 2), np.float32))
    slices = dt.IndexedSlices(dt.constant([[3.0, 4.0]]), dt.constant([1]), table.shape)
    optimizer = dt.train.MomentumOptimizer(1.0, 0.5, **arguments)
    run_step = optimizer.apply_gradients([(slices, table)])
    run = session()
    optimizer.get_slot(table, "momentum").load(np.ones((3, 2)), run)
    run.run(run_step)
    found = run.run(table)
    clipped = [3.0, 3.0] if "clipvalue" in arguments else [1.5, 2.0]
    np.testing.assert_allclose(found, [[0.0, 0.0], [-0.5 - clipped[0], -0.5 - clipped[1]], [0.0, 0.0]], rtol=1e-6)


@pytest.mark.parametrize("name", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_limits_are_positive(name: str) -> None:
    w = dt.Variable(1.0)
    with pytest.raises(ConfigurationError, match=f"GradientDescent: {name} is -1.0; give a positive number, or None"):
        dt.train.GradientDescentOptimizer(1.0, **{name: -1.0}).minimize(w * w)


# Accumulation. -------------------------------------------------------------------------------------------------------


def test_accumulation_makes_the_step_of_the_whole_batch() -> None:
    rng = np.random.default_rng(5)
    batches, target = rng.normal(size=(6, 4, 3)), rng.normal(size=(6, 4))
    x, y = dt.placeholder(dt.float64, [None, 3]), dt.placeholder(dt.float64, [None])
    found = []
    for optimizer, size in (
        (dt.train.GradientAccumulationOptimizer(dt.train.AdamOptimizer(0.1, clipnorm=0.5), steps=3), 1),
        (dt.train.AdamOptimizer(0.1, clipnorm=0.5, name="whole"), 3),
    ):
        w = dt.Variable(np.ones(3), name="w")
        count = dt.Variable(0, trainable=False, dtype=dt.int64)
        loss = dt.reduce_mean(dt.square(dt.reduce_sum(x * w, -1) - y))
        step = optimizer.minimize(loss, count, var_list=[w])
        run = session()
        for start in range(0, 6, size):
            part = slice(start, start + size)
            run.run(step, {x: batches[part].reshape(-1, 3), y: target[part].reshape(-1)})
        assert run.run(count) == 2
        found.append(run.run(w))
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_accumulation_counts_steps_and_takes_rows_and_sums() -> None:
    table = dt.Variable(np.zeros((3, 1)))
    count = dt.train.get_or_create_global_step()
    rate = dt.train.piecewise_constant(count, [0], [1.0, 10.0])
    optimizer = dt.train.GradientAccumulationOptimizer(dt.train.GradientDescentOptimizer(rate), 2, average=False)
    row = dt.placeholder(dt.int32, [1])
    step = optimizer.minimize(dt.reduce_sum(dt.gather(table, row)), count)
    run = session()
    seen = []
    for index in (0, 0, 1, 2):
        run.run(step, {row: [index]})
        seen.append((run.run(count), run.run(table)[:, 0].tolist()))
    assert seen == [
        (0, [0.0, 0.0, 0.0]),
        (1, [-2.0, 0.0, 0.0]),
        (1, [-2.0, 0.0, 0.0]),
        (2, [-2.0, -10.0, -10.0]),
    ]
    assert optimizer.get_slot_names() == ["gradients"]
    assert optimizer.get_slot(table, "gradients").op.name == "Variable/GradientAccumulation"
    assert [one.op.name for one in optimizer.variables()] == ["Variable/GradientAccumulation", "accumulated"]


def test_layers_update_in_every_run_of_an_accumulation() -> None:
    x = dt.constant([[1.0, 2.0], [3.0, 6.0]])
    layer = dt.layers.BatchNormalization(momentum=0.5)
    loss = dt.reduce_sum(layer(x, training=True) * [[1.0, 2.0], [3.0, 5.0]])
    step = dt.train.GradientAccumulationOptimizer(dt.train.GradientDescentOptimizer(0.1), 3).minimize(loss)
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(layer.moving_mean), [1.0, 2.0])
    run.run(step)
    np.testing.assert_array_equal(run.run(layer.moving_mean), [1.5, 3.0])


# Averages. -----------------------------------------------------------------------------------------------------------


def descent() -> Any:
    return dt.train.GradientDescentOptimizer(1.0)


def test_a_moving_average_follows_the_weights() -> None:
    w = dt.Variable(np.float64(8.0))
    step = dt.train.get_or_create_global_step()
    optimizer = dt.train.MovingAverageOptimizer(descent(), 0.75, num_updates=step)
    train = optimizer.minimize(w, step)
    run = session()
    expected = 8.0
    for index in range(30):
        run.run(train)
        decay = min(0.75, (1 + index) / (10 + index))
        expected = decay * expected + (1 - decay) * (7.0 - index)
    np.testing.assert_allclose(run.run(optimizer.average(w)), expected, rtol=1e-12)


def test_stochastic_weight_averaging_is_the_mean_of_some_weights() -> None:
    w = dt.Variable(np.float64(0.0))
    optimizer = dt.train.SWAOptimizer(descent(), start_averaging=2, average_period=3)
    train = optimizer.minimize(-w)
    run = session()
    seen = []
    for _ in range(11):
        run.run(train)
        seen.append(float(run.run(optimizer.average(w))))
    np.testing.assert_allclose(seen, [0, 0, 0, 0, 5, 5, 5, 6.5, 6.5, 6.5, 8], rtol=1e-12)


def test_averages_take_the_place_of_weights_and_give_it_back(tmp_path: Any) -> None:
    w, apart = dt.Variable(8.0, name="w"), dt.Variable(1.0, name="apart")
    optimizer = dt.train.MovingAverageOptimizer(descent(), 0.5)
    train = optimizer.minimize(w, var_list=[w])
    swap, assign = optimizer.swap_average_vars(), optimizer.assign_average_vars()
    both = [w, optimizer.average(w)]
    run = session()
    run.run(train)
    assert run.run(both) == [7.0, 7.5]
    run.run(swap)
    assert run.run(both) == [7.5, 7.0]
    run.run(swap)
    assert run.run(both) == [7.0, 7.5]
    path = optimizer.swapping_saver().save(run, str(tmp_path / "averaged"))
    run.run(assign)
    assert run.run(both) == [7.5, 7.5]
    assert run.run(apart) == 1.0
    with dt.Graph().as_default(), dt.Session() as other:
        weight = dt.Variable(0.0, name="w")
        dt.train.Saver([weight]).restore(other, path)
        assert other.run(weight) == 7.5


def test_averages_of_half_types_are_kept_in_float32() -> None:
    w = dt.Variable([1.0], dtype=dt.bfloat16)
    for make in (dt.train.MovingAverageOptimizer, dt.train.SWAOptimizer):
        optimizer = make(descent())
        train = optimizer.minimize(dt.reduce_sum(w))
        run = session()
        run.run(train)
        assert optimizer.average(w).dtype is dt.float32
        run.run(optimizer.assign_average_vars())
    lookahead = dt.train.LookaheadOptimizer(descent(), 1)
    run_step = lookahead.minimize(dt.reduce_sum(w))
    run = session()
    run.run(run_step)
    assert lookahead.get_slot(w, "slow").dtype is dt.float32
    assert run.run(w).astype(np.float32).tolist() == [0.5]


def test_wrappers_nest_and_keep_the_books_of_what_is_within() -> None:
    w = dt.Variable([2.0], name="w")
    inner = dt.train.AdamOptimizer(0.1)
    optimizer = dt.train.SWAOptimizer(dt.train.LookaheadOptimizer(inner, 2), 0, 1)
    train = optimizer.minimize(dt.reduce_sum(w * w))
    assert train.name == "SWA"
    assert optimizer.get_slot_names() == ["average", "m", "slow", "v"]
    assert optimizer.get_slot(w, "m") is inner.get_slot(w, "m")
    assert {one.op.name for one in optimizer.variables()} == {
        "w/Adam",
        "w/Adam_1",
        "w/Lookahead",
        "w/SWA",
        "beta1_power",
        "beta2_power",
        "lookahead_steps",
        "swa_steps",
        "swa_count",
    }
    again = type(optimizer).from_config(optimizer.get_config())
    assert repr(again) == repr(optimizer)
    run = session()
    run.run(train)
    assert run.run(w) < 2.0


def test_accumulation_stands_around_averages_or_within() -> None:
    """Outside, the average moves with each step; inside, with each batch. The global step counts steps."""
    seen = []
    for outside in (True, False):
        w = dt.Variable(np.float64(8.0), name="w")
        count = dt.Variable(0, trainable=False, dtype=dt.int64)
        if outside:
            averaged = dt.train.MovingAverageOptimizer(descent(), 0.5)
            optimizer: Any = dt.train.GradientAccumulationOptimizer(averaged, 2)
        else:
            optimizer = averaged = dt.train.MovingAverageOptimizer(
                dt.train.GradientAccumulationOptimizer(descent(), 2), 0.5
            )
        train = optimizer.minimize(w, count, var_list=[w])
        run = session()
        for _ in range(4):
            run.run(train)
        seen.append([float(one) for one in run.run([w, averaged.average(w), count])])
    assert seen == [[6.0, 6.75, 2.0], [6.0, 6.625, 2.0]]


def test_wrappers_say_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match="GradientAccumulation: steps is 0; it must be at least 1"):
        dt.train.GradientAccumulationOptimizer(descent(), 0)
    with pytest.raises(ConfigurationError, match="Lookahead: sync_period is 0; it must be at least 1"):
        dt.train.LookaheadOptimizer(descent(), 0)
    with pytest.raises(ConfigurationError, match="SWA: start_averaging is -1; it must not be below zero"):
        dt.train.SWAOptimizer(descent(), -1)
    with pytest.raises(ConfigurationError, match="Lookahead: the optimizer is 0.1; give one, such as dt.train.Adam"):
        dt.train.LookaheadOptimizer(0.1)
    with pytest.raises(ConfigurationError, match="give weight_decay and decay_filter to the GradientDescent within"):
        dt.train.LookaheadOptimizer(descent(), weight_decay=0.1)
    w = dt.Variable(1.0, name="w")
    with pytest.raises(InvalidArgumentError, match='SWA: no average is kept of "w". Call minimize'):
        dt.train.SWAOptimizer(descent()).average(w)
