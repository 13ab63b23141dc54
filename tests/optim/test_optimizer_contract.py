"""What every optimizer keeps: slots, names, hyperparameters, the layers' updates, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.bases import stepping
from dovetail.errors import ConfigurationError, DTypeError, GraphError, InvalidArgumentError, PluginNotFoundError
from dovetail.extend import Hyperparameter, Numbers, Optimizer
from tests.optim.every import OPTIMIZERS


def session() -> dt.Session:
    opened = dt.Session()
    opened.run(dt.global_variables_initializer())
    return opened


def test_minimize_makes_one_operation_named_after_the_optimizer() -> None:
    w = dt.get_variable("w", [2], initializer=dt.ones_initializer())
    step = dt.train.GradientDescentOptimizer(0.5).minimize(dt.reduce_sum(w * w))
    assert step.name == "GradientDescent"
    assert dt.train.GradientDescentOptimizer(0.5).minimize(dt.reduce_sum(w * w), name="train").name == "train"
    assert dt.get_collection(dt.GraphKeys.TRAIN_OP)[0] is step
    assert all(op.type == "NoOp" for op in dt.get_collection(dt.GraphKeys.TRAIN_OP))
    run = session()
    assert run.run(step) is None
    np.testing.assert_array_equal(run.run(w), [0.0, 0.0])


def test_slots_are_named_as_in_tensorflow_1() -> None:
    x = dt.placeholder(dt.float32, [None, 3])
    loss = dt.reduce_sum(dt.layers.dense(x, 2, use_bias=False))
    kernel = dt.trainable_variables()[0]
    made = dt.train
    expected = {
        "Adam": (made.AdamOptimizer(), {"m": "", "v": "_1"}),
        "AdamW": (made.AdamWOptimizer(), {"m": "", "v": "_1"}),
        "amsgrad": (made.AdamOptimizer(amsgrad=True, name="amsgrad"), {"m": "", "v": "_1", "vhat": "_2"}),
        "LazyAdam": (made.LazyAdamOptimizer(), {"m": "", "v": "_1"}),
        "Adamax": (made.AdamaxOptimizer(), {"m": "", "v": "_1"}),
        "Nadam": (made.NadamOptimizer(), {"m": "", "v": "_1"}),
        "LAMB": (made.LAMBOptimizer(), {"m": "", "v": "_1"}),
        "LARS": (made.LARSOptimizer(0.1), {"momentum": ""}),
        "Lion": (made.LionOptimizer(), {"momentum": ""}),
        "Muon": (made.MuonOptimizer(), {"momentum": ""}),
        "Momentum": (made.MomentumOptimizer(0.1, 0.9), {"momentum": ""}),
        "RMSProp": (made.RMSPropOptimizer(0.1), {"rms": "", "momentum": "_1"}),
        "centered": (
            made.RMSPropOptimizer(0.1, centered=True, name="centered"),
            {"rms": "", "mg": "_1", "momentum": "_2"},
        ),
        "Adagrad": (made.AdagradOptimizer(0.1), {"accumulator": ""}),
        "AdagradDA": (
            made.AdagradDAOptimizer(0.1, made.get_or_create_global_step()),
            {"gradient_accumulator": "", "gradient_squared_accumulator": "_1"},
        ),
        "Adadelta": (made.AdadeltaOptimizer(), {"accum": "", "accum_update": "_1"}),
        "Ftrl": (made.FtrlOptimizer(0.1), {"accum": "", "linear": "_1"}),
        "ProximalAdagrad": (made.ProximalAdagradOptimizer(0.1), {"accumulator": ""}),
    }
    for name, (optimizer, slots) in expected.items():
        optimizer.minimize(loss)
        assert optimizer.get_slot_names() == sorted(slots)
        for slot, ending in slots.items():
            made = optimizer.get_slot(kernel, slot)
            assert made.op.name == f"dense/kernel/{name}{ending}"
            assert made.shape == [3, 2]
            assert not made.trainable
            assert made in dt.global_variables()
            assert made not in dt.trainable_variables()
    adam = expected["Adam"][0]
    assert [one.op.name for one in adam.variables()] == [
        "beta1_power",
        "beta2_power",
        "dense/kernel/Adam",
        "dense/kernel/Adam_1",
    ]
    assert adam.get_slot(kernel, "nothing") is None


def test_a_second_minimize_shares_the_slots() -> None:
    w = dt.Variable(1.0)
    optimizer = dt.train.AdamOptimizer()
    optimizer.minimize(w * w)
    before = dt.global_variables()
    optimizer.minimize(w + w)
    assert dt.global_variables() == before


def test_global_step_rises_after_the_update() -> None:
    w = dt.Variable(1.0)
    step = dt.train.get_or_create_global_step()
    train = dt.train.GradientDescentOptimizer(0.1).minimize(w * w, global_step=step, name="train")
    assert train.name == "train"
    run = session()
    for count in range(1, 4):
        run.run(train)
        assert run.run(step) == count
    assert run.run(w) == pytest.approx(0.8**3)


def test_hyperparameters_may_be_numbers_tensors_variables_or_functions() -> None:
    fed = dt.placeholder(dt.float64, [])
    kept = dt.Variable(0.25, trainable=False)
    for rate, feeds in (
        (0.25, {}),
        (fed, {fed: 0.25}),
        (kept, {}),
        (lambda: 0.25, {}),
        (lambda: kept, {}),
        (np.float32(0.25), {}),
    ):
        w = dt.Variable(np.array([1.0, 2.0]), name="w")
        step = dt.train.GradientDescentOptimizer(rate).minimize(dt.reduce_sum(w), var_list=[w])
        run = session()
        run.run(step, feeds)
        np.testing.assert_array_equal(run.run(w), [0.75, 1.75])


def test_a_schedule_reads_the_step_before_it_rises() -> None:
    w = dt.Variable(0.0)
    step = dt.train.get_or_create_global_step()
    rate = dt.train.exponential_decay(1.0, step, 1, 0.5)
    train = dt.train.GradientDescentOptimizer(rate).minimize(-w, global_step=step)
    run = session()
    seen = []
    for _ in range(3):
        run.run(train)
        seen.append(float(run.run(w)))
    assert seen == [1.0, 1.5, 1.75]


def test_all_variables_step_from_the_same_point() -> None:
    a, b = dt.Variable(2.0), dt.Variable(3.0)
    step = dt.train.GradientDescentOptimizer(1.0).minimize(a * b)
    run = session()
    run.run(step)
    assert run.run([a, b]) == [-1.0, 1.0]


def test_gradients_may_be_changed_on_the_way() -> None:
    w, apart = dt.Variable([3.0, -4.0]), dt.Variable(1.0)
    optimizer = dt.train.GradientDescentOptimizer(1.0)
    pairs = optimizer.compute_gradients(dt.reduce_sum(w * w))
    assert [variable for _, variable in pairs] == [w, apart]
    assert pairs[1][0] is None
    step = optimizer.apply_gradients([(None if g is None else dt.clip_by_value(g, -1.0, 1.0), v) for g, v in pairs])
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(w), [2.0, -3.0])
    assert run.run(apart) == 1.0


def test_grad_loss_weights_the_elements_of_the_loss() -> None:
    w = dt.Variable([1.0, 1.0])
    step = dt.train.GradientDescentOptimizer(1.0).minimize(w * 1.0, grad_loss=[1.0, 10.0])
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(w), [0.0, -9.0])


def test_a_constraint_has_the_last_word() -> None:
    w = dt.Variable([1.0, 5.0], constraint=lambda value: dt.maximum(value, 0.0))
    step = dt.train.GradientDescentOptimizer(2.0).minimize(dt.reduce_sum(w))
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(w), [0.0, 3.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: dt.train.GradientDescentOptimizer(0.1),
        lambda: dt.train.AdagradOptimizer(0.1),
        lambda: dt.train.AdamOptimizer(0.1),
    ],
)
def test_a_gradient_of_rows_does_what_the_dense_one_does(make: Any, rng: np.random.Generator) -> None:
    first = rng.normal(size=(5, 3))
    tables = [dt.Variable(first, name="table") for _ in range(2)]
    rows = [0, 3, 3]
    losses = [
        dt.reduce_sum(dt.square(dt.gather(tables[0], rows))),
        dt.reduce_sum(dt.square(dt.matmul(np.eye(5)[rows], tables[1]))),
    ]
    steps = []
    for table, loss in zip(tables, losses, strict=True):
        optimizer = make()
        pairs = optimizer.compute_gradients(loss, [table])
        assert isinstance(pairs[0][0], dt.IndexedSlices) == (table is tables[0])
        steps.append(optimizer.apply_gradients(pairs))
    run = session()
    for _ in range(3):
        run.run(steps)
    left, right = run.run(tables)
    np.testing.assert_allclose(left, right, rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dt.train.MomentumOptimizer(0.1, 0.9),
        lambda: dt.train.RMSPropOptimizer(0.1),
        lambda: dt.train.AdadeltaOptimizer(0.1),
        lambda: dt.train.AdamaxOptimizer(0.1),
        lambda: dt.train.LazyAdamOptimizer(0.1),
        lambda: dt.train.FtrlOptimizer(0.1),
    ],
)
def test_a_gradient_of_rows_leaves_the_others_alone(make: Any, rng: np.random.Generator) -> None:
    first = rng.normal(size=(4, 2))
    table, row = dt.Variable(first, name="table"), dt.placeholder(dt.int32, [1])
    optimizer = make()
    step = optimizer.minimize(dt.reduce_sum(dt.square(dt.gather(table, row))))
    run = session()
    run.run(step, {row: [1]})
    slots = [optimizer.get_slot(table, name) for name in optimizer.get_slot_names()]
    values, kept = run.run([table, slots])
    run.run(step, {row: [2]})
    others = [0, 1, 3]
    np.testing.assert_array_equal(run.run(table)[others], values[others])
    assert (run.run(table)[2] != first[2]).all()
    for before, after in zip(kept, run.run(slots), strict=True):
        np.testing.assert_array_equal(after[others], before[others])


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if OPTIMIZERS[name](0.01).rows_alone])
def test_of_many_rows_those_of_a_gradient_are_picked_and_become_the_same(
    name: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 4100
    first = rng.normal(size=(many, 3))
    rows, wanted = dt.placeholder(dt.int64, [None]), dt.placeholder(dt.float32, [None, 3])
    tables, steps = [], []
    for least in (1, many + 1):
        monkeypatch.setattr(stepping, "_MANY_ROWS", least)
        table = dt.Variable(first, dtype=dt.float32)
        optimizer = OPTIMIZERS[name](0.05)
        steps.append(optimizer.minimize(dt.reduce_sum(dt.square(dt.gather(table, rows) - wanted)), var_list=[table]))
        tables.append([table, *(optimizer.get_slot(table, slot) for slot in optimizer.get_slot_names())])
    run = session()
    for picked in ([5, 4099, 5, 0, 5, 4099], [], [7]):
        run.run(steps, {rows: picked, wanted: rng.normal(size=(len(picked), 3))})
        for left, right in zip(*run.run(tables), strict=True):
            np.testing.assert_array_equal(left, right)
    changed = np.flatnonzero((run.run(tables[0][0]) != first.astype(np.float32)).any(axis=1))
    assert changed.tolist() == [0, 5, 7, 4099]


# Weight decay. -------------------------------------------------------------------------------------------------------


def test_weights_decay_beside_the_step_of_any_optimizer() -> None:
    w = dt.Variable([4.0, -8.0])
    rate = dt.placeholder(dt.float32, [])
    step = dt.train.GradientDescentOptimizer(rate, weight_decay=0.5).minimize(dt.reduce_sum(w))
    run = session()
    run.run(step, {rate: 0.25})
    np.testing.assert_array_equal(run.run(w), [4.0 * 0.875 - 0.25, -8.0 * 0.875 - 0.25])


def test_weight_decay_may_be_a_number_a_tensor_or_a_function() -> None:
    fed, kept = dt.placeholder(dt.float32, []), dt.Variable(0.5, trainable=False)
    for decay, feeds in ((0.5, {}), (fed, {fed: 0.5}), (kept, {}), (lambda: kept, {})):
        w = dt.Variable(4.0)
        step = dt.train.AdagradOptimizer(1.0, 1.0, weight_decay=decay).apply_gradients([(dt.constant(0.0), w)])
        run = session()
        run.run(step, feeds)
        assert run.run(w) == 2.0


def test_a_filter_says_what_decays() -> None:
    kernel, bias = dt.Variable([[2.0]], name="kernel"), dt.Variable([2.0], name="bias")
    optimizer = dt.train.LionOptimizer(0.5, weight_decay=0.25, decay_filter=lambda v: len(v.shape) > 1)
    run = session()
    step = optimizer.minimize(dt.reduce_sum(kernel) + dt.reduce_sum(bias))
    run.run(dt.global_variables_initializer())
    run.run(step)
    assert run.run(kernel).item() == 2.0 * 0.875 - 0.5
    assert run.run(bias).item() == 2.0 - 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda **given: dt.train.LAMBOptimizer(0.1, weight_decay=0.5, **given),
        lambda **given: dt.train.LARSOptimizer(0.1, weight_decay=0.5, **given),
    ],
)
def test_what_a_filter_spares_has_no_trust_ratio(make: Any) -> None:
    """A gradient of ones moves a spared weight by the rate, whatever the weight's size."""
    small, large = dt.Variable([1.0, 1.0]), dt.Variable([100.0, 100.0])
    step = make(decay_filter=lambda v: False).minimize(dt.reduce_sum(small) + dt.reduce_sum(large))
    run = session()
    run.run(dt.global_variables_initializer())
    run.run(step)
    np.testing.assert_allclose(run.run(small), 0.9, rtol=1e-5)
    np.testing.assert_allclose(run.run(large), 99.9, rtol=1e-5)


# Layers' updates. ----------------------------------------------------------------------------------------------------


def normalized(name: str) -> tuple[dt.Tensor, dt.Variable]:
    """A loss that depends on a batch normalisation, and its moving mean."""
    x = dt.constant([[1.0, 2.0], [3.0, 6.0]])
    layer = dt.layers.BatchNormalization(momentum=0.5, name=name)
    y = layer(x, training=True)
    return dt.reduce_sum(y * [[1.0, 2.0], [3.0, 5.0]]), layer.moving_mean


def test_minimize_runs_the_updates_of_its_own_layers_only() -> None:
    left, left_mean = normalized("left")
    right, right_mean = normalized("right")
    step = dt.train.GradientDescentOptimizer(0.1).minimize(left)
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(left_mean), [1.0, 2.0])
    np.testing.assert_array_equal(run.run(right_mean), [0.0, 0.0])
    run.run(dt.train.GradientDescentOptimizer(0.1).minimize(right))
    np.testing.assert_array_equal(run.run(right_mean), [1.0, 2.0])
    np.testing.assert_array_equal(run.run(left_mean), [1.0, 2.0])


def test_fetching_update_ops_as_well_runs_them_once() -> None:
    loss, mean = normalized("norm")
    updates = dt.get_collection(dt.GraphKeys.UPDATE_OPS)
    assert len(updates) == 2
    with dt.control_dependencies(updates):
        step = dt.train.GradientDescentOptimizer(0.1).minimize(loss)
    run = session()
    run.run([step, updates, loss])
    np.testing.assert_array_equal(run.run(mean), [1.0, 2.0])


def test_apply_gradients_runs_the_updates_too() -> None:
    loss, mean = normalized("norm")
    optimizer = dt.train.GradientDescentOptimizer(0.1)
    step = optimizer.apply_gradients(optimizer.compute_gradients(loss))
    run = session()
    run.run(step)
    np.testing.assert_array_equal(run.run(mean), [1.0, 2.0])


def test_regularization_is_not_added_silently() -> None:
    x = dt.ones([1, 1])
    y = dt.layers.dense(
        x, 1, use_bias=False, kernel_initializer=dt.ones_initializer(), kernel_regularizer=dt.layers.l2_regularizer(1.0)
    )
    (kernel,) = dt.trainable_variables()
    run_loss = dt.reduce_sum(y)
    bare = dt.train.GradientDescentOptimizer(0.5).minimize(run_loss)
    whole = dt.train.GradientDescentOptimizer(0.5).minimize(run_loss + dt.losses.get_regularization_loss())
    run = session()
    run.run(bare)
    assert run.run(kernel) == 0.5
    run.run(kernel.initializer)
    run.run(whole)
    assert run.run(kernel) == 0.0


# One's own. ----------------------------------------------------------------------------------------------------


class Averaged(Optimizer):
    """Gradient descent that keeps a mean of the values and counts its steps."""

    rate: Hyperparameter
    decay: float = 0.5

    def slots(self) -> Mapping[str, Any]:
        return {"mean": dt.zeros_initializer()}

    def scalars(self) -> Mapping[str, Any]:
        return {"steps": 0.0}

    def update(
        self, gradient: dt.Tensor, value: dt.Tensor, slots: Mapping[str, dt.Tensor], numbers: Numbers
    ) -> tuple[dt.Tensor, Mapping[str, dt.Tensor]]:
        new = value - numbers["rate"] * gradient
        return new, {"mean": slots["mean"] * numbers["decay"] + new * (1.0 - numbers["decay"])}

    def advance(self, numbers: Numbers) -> Mapping[str, dt.Tensor]:
        return {"steps": numbers["steps"] + 1.0}


def test_an_optimizer_of_ones_own_is_one_function() -> None:
    w = dt.Variable([4.0], name="w")
    optimizer = Averaged(1.0, name="mine")
    step = optimizer.minimize(dt.reduce_sum(w))
    run = session()
    run.run(step)
    run.run(step)
    mean = optimizer.get_slot(w, "mean")
    assert mean.op.name == "w/mine"
    np.testing.assert_array_equal(run.run(mean), [3.0 * 0.25 + 2.0 * 0.5])
    assert run.run("steps:0") == 2.0
    assert Averaged(1.0).get_name() == "Averaged"


def test_the_configuration_makes_the_same_optimizer_again() -> None:
    optimizer = dt.train.RMSPropOptimizer(0.1, momentum=0.9, centered=True)
    again = type(optimizer).from_config(optimizer.get_config())
    assert repr(again) == repr(optimizer) == "RMSPropOptimizer(learning_rate=0.1, momentum=0.9, centered=True)"


def test_optimizers_are_found_by_name() -> None:
    assert dt.train.Adam is dt.train.AdamOptimizer
    assert dt.train.Optimizer is Optimizer
    assert dt.plugins.get("optimizers", "adam") is dt.train.AdamOptimizer
    with pytest.raises(PluginNotFoundError, match="dovetail.train has no 'AdamOptimzer'. Did you mean 'AdamOptimizer'"):
        _ = dt.train.AdamOptimzer


# Errors. ----------------------------------------------------------------------------------------------------


def test_a_loss_that_depends_on_no_variable() -> None:
    dt.Variable(1.0, name="a")
    dt.Variable(1.0, name="b")
    loss = dt.constant(2.0, name="loss") * 3.0
    with pytest.raises(
        InvalidArgumentError, match=r'the loss "mul:0" depends on none of the variables "a", "b"\..*test_opt'
    ):
        dt.train.GradientDescentOptimizer(0.1).minimize(loss)


def test_nothing_to_optimize() -> None:
    loss = dt.constant(1.0)
    with pytest.raises(InvalidArgumentError, match="nothing to optimize, for the graph has no trainable variables"):
        dt.train.GradientDescentOptimizer(0.1).minimize(loss)
    with pytest.raises(InvalidArgumentError, match="nothing to optimize, for var_list is empty"):
        dt.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[])
    w = dt.Variable(1.0, name="w")
    with pytest.raises(InvalidArgumentError, match='no gradient for any of the variables "w"'):
        dt.train.GradientDescentOptimizer(0.1).apply_gradients([(None, w)])


def test_losses_and_variables_of_the_wrong_kind() -> None:
    w = dt.Variable(1.0, name="w")
    count = dt.Variable(1, name="count")
    optimizer = dt.train.GradientDescentOptimizer(0.1)
    with pytest.raises(DTypeError, match=r'the loss "count/read:0" is int32\[\]; only floating tensors'):
        optimizer.minimize(count)
    with pytest.raises(DTypeError, match='variable "count" is int32; only floating variables can be optimized'):
        optimizer.minimize(w * w, var_list=[count])
    with pytest.raises(DTypeError, match="'w' is no dt.Variable"):
        optimizer.minimize(w * w, var_list=["w"])
    with pytest.raises(DTypeError, match="global_step is .*give an integer variable"):
        optimizer.minimize(w * w, global_step=w)


def test_a_variable_of_another_graph() -> None:
    with dt.Graph().as_default():
        foreign = dt.Variable(1.0, name="foreign")
    w = dt.Variable(1.0)
    with pytest.raises(GraphError, match='variable "foreign" belongs to another graph than the loss'):
        dt.train.GradientDescentOptimizer(0.1).minimize(w * w, var_list=[foreign])


def test_arguments_of_the_wrong_kind() -> None:
    with pytest.raises(ConfigurationError, match="GradientDescentOptimizer needs 'learning_rate'"):
        dt.train.GradientDescentOptimizer()
    with pytest.raises(ConfigurationError, match="has no argument 'lerning_rate'; did you mean 'learning_rate'"):
        dt.train.AdamOptimizer(lerning_rate=0.1)
    with pytest.raises(ConfigurationError, match="Adam: learning_rate is 'fast'; give a number, a scalar tensor"):
        dt.train.AdamOptimizer("fast")
    with pytest.raises(ConfigurationError, match=r"use_nesterov is 1, a int; bool is expected"):
        dt.train.MomentumOptimizer(0.1, 0.9, use_nesterov=1)


def test_an_update_that_names_an_unknown_slot() -> None:
    class Wrong(Averaged):
        def slots(self) -> Mapping[str, Any]:
            return {}

        def update(self, gradient: Any, value: Any, slots: Any, numbers: Any) -> Any:
            return value, {"mean": value}

    w = dt.Variable(1.0)
    with pytest.raises(
        InvalidArgumentError, match=r"update\(\) returned the slot 'mean', which slots\(\) does not name"
    ):
        Wrong(0.1).minimize(w * w)
