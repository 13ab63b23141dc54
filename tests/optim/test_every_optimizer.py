"""Every optimizer goes down a valley, teaches a network, stops and goes on, and takes weights of half types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail import plugins
from dovetail.errors import ConfigurationError, ShapeError
from tests.optim.every import MATRICES_ONLY, OPTIMIZERS, schedule

every = pytest.mark.parametrize("name", OPTIMIZERS)
floating = pytest.mark.parametrize("dtype", [dt.float32, dt.float64])


def test_none_is_left_out() -> None:
    assert set(OPTIMIZERS) == set(plugins.names("optimizers"))


@every
@floating
def test_down_rosenbrocks_valley(name: str, dtype: Any) -> None:
    """From four starts at once, the rows of a matrix; the bottom is at ``[1, 1]``."""
    w = dt.Variable([[-1.2, 1.0], [0.5, -0.5], [2.0, 2.0], [-0.5, 1.5]], dtype=dtype)
    x, y = w[:, 0], w[:, 1]
    loss = dt.reduce_mean(dt.square(1.0 - x) + 100.0 * dt.square(y - x * x)) / 100.0
    step = OPTIMIZERS[name](schedule()).minimize(loss, dt.train.get_or_create_global_step())
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(loss)
        for _ in range(60):
            session.run(step)
        after = session.run(loss)
        assert session.run(w).dtype == dtype.numpy
    assert after < 0.5 * before


def network(dtype: Any) -> tuple[dt.Tensor, dt.Tensor, dt.Tensor, list[dt.Variable]]:
    """Inputs, labels, the loss, and the variables of a network of two layers."""
    x, labels = dt.placeholder(dtype, [None, 4]), dt.placeholder(dt.int64, [None])
    rng = np.random.default_rng(3)
    shapes = {"kernel1": (4, 8), "bias1": (8,), "kernel2": (8, 3), "bias2": (3,)}
    first = {
        key: dt.Variable(0.4 * rng.normal(size=shape), name=key, dtype=dt.float64) for key, shape in shapes.items()
    }
    weights = {key: dt.Variable(dt.cast(one.initial_value, dtype), name=f"{key}_") for key, one in first.items()}
    h = dt.tanh(dt.matmul(x, weights["kernel1"]) + weights["bias1"])
    scores = dt.matmul(h, weights["kernel2"]) + weights["bias2"]
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores))
    return x, labels, loss, list(weights.values())


def batch(number: int) -> tuple[np.ndarray, np.ndarray]:
    values = np.random.default_rng(number % 4).normal(size=(24, 4))
    return values, np.argmax(values[:, :3] + 0.5 * values[:, 1:], axis=1)


def chosen(name: str, variables: list[dt.Variable]) -> list[dt.Variable]:
    return [one for one in variables if name not in MATRICES_ONLY or len(one.shape) > 1]


@every
@floating
def test_a_small_network_learns(name: str, dtype: Any) -> None:
    x, labels, loss, variables = network(dtype)
    step = OPTIMIZERS[name](schedule()).minimize(loss, dt.train.get_global_step(), chosen(name, variables))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())

        def error() -> float:
            return float(np.mean([session.run(loss, dict(zip((x, labels), batch(n), strict=True))) for n in range(4)]))

        before = error()
        for number in range(40):
            session.run(step, dict(zip((x, labels), batch(number), strict=True)))
        assert error() < 0.75 * before


@every
def test_training_goes_on_where_it_stopped(name: str, tmp_path: Path) -> None:
    """To the bit, in a graph built anew: slots, scalars and steps are all saved."""

    def build() -> tuple[Any, ...]:
        x, labels, loss, variables = network(dt.float32)
        step = OPTIMIZERS[name](schedule()).minimize(loss, dt.train.get_global_step(), chosen(name, variables))
        return x, labels, step, dt.train.Saver()

    def train(session: dt.Session, built: tuple[Any, ...], numbers: Any) -> None:
        for number in numbers:
            session.run(built[2], dict(zip(built[:2], batch(number), strict=True)))

    with dt.Graph().as_default():
        built = build()
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            train(session, built, range(5))
            path = built[3].save(session, str(tmp_path / "model"))
            train(session, built, range(5, 9))
            expected = {one.op.name: session.run(one) for one in dt.global_variables()}
    with dt.Graph().as_default():
        built = build()
        with dt.Session() as session:
            built[3].restore(session, path)
            train(session, built, range(5, 9))
            found = {one.op.name: session.run(one) for one in dt.global_variables()}
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


@every
def test_a_saved_graph_goes_on_too(name: str, tmp_path: Path) -> None:
    """The step is found by its name; what is kept is read from the checkpoint."""
    with dt.Graph().as_default():
        w = dt.Variable([[1.0, 2.0], [3.0, -4.0]], name="w")
        step = OPTIMIZERS[name](schedule()).minimize(dt.reduce_sum(w * w), dt.train.get_global_step(), name="train")
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            for _ in range(3):
                session.run(step)
            path = dt.train.Saver().save(session, str(tmp_path / "model"))
            for _ in range(4):
                session.run(step)
            expected = session.run(w)
    with dt.Graph().as_default(), dt.Session() as session:
        dt.train.import_meta_graph(path + ".meta").restore(session, path)
        for _ in range(4):
            session.run("train")
        np.testing.assert_array_equal(session.run("w:0"), expected)


@pytest.mark.parametrize("name", ["gradient_descent", "adam", "muon", "gradient_accumulation", "swa"])
def test_steps_within_a_loop(name: str) -> None:
    first = [[1.0, 2.0], [3.0, -4.0]]
    inside, outside = dt.Variable(first, name="inside"), dt.Variable(first, name="outside")
    optimizers = [OPTIMIZERS[name](0.01) for _ in range(2)]

    def body(index: dt.Tensor) -> dt.Tensor:
        step = optimizers[0].minimize(dt.reduce_sum(inside * inside), var_list=[inside])
        with dt.control_dependencies([step]):
            return index + 1

    loop = dt.while_loop(lambda index: index < 5, body, [0])
    step = optimizers[1].minimize(dt.reduce_sum(outside * outside), var_list=[outside])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(loop)
        for _ in range(5):
            session.run(step)
        left, right = session.run([inside, outside])
    np.testing.assert_allclose(left, right, rtol=1e-6)


@every
@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16])
def test_weights_of_half_types_have_state_in_float32(name: str, dtype: Any) -> None:
    w = dt.Variable([[1.0, -2.0], [3.0, 0.5]], dtype=dtype)
    optimizer = OPTIMIZERS[name](0.0625)
    step = optimizer.minimize(dt.reduce_sum(dt.square(w)), dt.train.get_global_step())
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(w).astype(np.float32)
        for _ in range(3):
            session.run(step)
        after = session.run(w)
        assert after.dtype == dtype.numpy
        assert np.isfinite(after.astype(np.float32)).all()
        assert np.square(after.astype(np.float32)).sum() < np.square(before).sum()
        slots = [optimizer.get_slot(w, slot) for slot in optimizer.get_slot_names()]
        assert {one.dtype for one in slots if one is not None} <= {dt.float32}


@every
def test_a_second_step_shares_what_is_kept(name: str) -> None:
    w = dt.Variable([[1.0, 2.0]])
    optimizer = OPTIMIZERS[name](0.1)
    optimizer.minimize(dt.reduce_sum(w * w))
    before = dt.global_variables()
    optimizer.minimize(dt.reduce_sum(w))
    assert dt.global_variables() == before


@every
def test_what_is_not_named_stays(name: str) -> None:
    w, frozen = dt.Variable([[1.0, 2.0]], name="w"), dt.Variable([[3.0, 4.0]], name="frozen")
    optimizer = OPTIMIZERS[name](0.1)
    step = optimizer.minimize(dt.reduce_sum(w * frozen), var_list=[w])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run([step])
        np.testing.assert_array_equal(session.run(frozen), [[3.0, 4.0]])
    assert not any("frozen" in one.op.name for one in optimizer.variables())


# Errors. -------------------------------------------------------------------------------------------------------------


def test_numbers_of_the_wrong_sign() -> None:
    step = dt.train.get_or_create_global_step()
    for make, message in (
        (
            lambda: dt.train.AdagradOptimizer(0.1, 0.0),
            "Adagrad: initial_accumulator_value is 0.0; it must be above zero",
        ),
        (
            lambda: dt.train.AdagradDAOptimizer(0.1, step, -1.0),
            "AdagradDA: initial_gradient_squared_accumulator_value is -1.0; it must be above zero",
        ),
        (
            lambda: dt.train.AdagradDAOptimizer(0.1, step, l1_regularization_strength=-1.0),
            "AdagradDA: l1_regularization_strength is -1.0; it must not be below zero",
        ),
        (lambda: dt.train.FtrlOptimizer(0.1, 0.5), "Ftrl: learning_rate_power is 0.5; it must not be above zero"),
        (
            lambda: dt.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=-1.0),
            "Ftrl: l2_shrinkage_regularization_strength is -1.0; it must not be below zero",
        ),
        (
            lambda: dt.train.ProximalGradientDescentOptimizer(0.1, -1.0),
            "ProximalGradientDescent: l1_regularization_strength is -1.0; it must not be below zero",
        ),
        (
            lambda: dt.train.ProximalAdagradOptimizer(0.1, 0.0),
            "ProximalAdagrad: initial_accumulator_value is 0.0; it must be above zero",
        ),
    ):
        with pytest.raises(ConfigurationError, match=message):
            make()


def test_muon_says_what_it_takes() -> None:
    with pytest.raises(ConfigurationError, match="Muon: adjust_rate is 'none'; choose 'original' or 'match_rms_adamw'"):
        dt.train.MuonOptimizer(adjust_rate="none")
    with pytest.raises(ConfigurationError, match=r"newton_coefficients are \(1.0, 2.0\); three are needed"):
        dt.train.MuonOptimizer(newton_coefficients=(1.0, 2.0))
    bias = dt.Variable([1.0, 2.0], name="bias")
    with pytest.raises(ShapeError, match=r'variable "bias" is float32\[2\], no matrix. Leave it out of var_list'):
        dt.train.MuonOptimizer().minimize(dt.reduce_sum(bias))


def test_muon_brings_singular_values_near_to_one_whatever_the_shape() -> None:
    rng = np.random.default_rng(0)
    for shape in ((6, 4), (4, 6), (5, 5), (3, 3, 2, 8)):
        w = dt.Variable(np.zeros(shape))
        optimizer = dt.train.MuonOptimizer(1.0, weight_decay=0.0)
        step = optimizer.apply_gradients([(dt.constant(rng.normal(size=shape)), w)])
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            session.run(step)
            moved = session.run(w).reshape(-1, shape[-1])
        scale = np.sqrt(max(1.0, moved.shape[1] / moved.shape[0]))
        values = np.linalg.svd(moved, compute_uv=False) / scale
        assert values.min() > 0.3
        assert values.max() < 1.3


def test_lars_is_the_formula_of_its_docstring() -> None:
    rng = np.random.default_rng(1)
    w, a = rng.normal(size=(3, 2)), np.zeros((3, 2))
    variable, gradient = dt.Variable(w), dt.placeholder(dt.float64, [3, 2])
    optimizer = dt.train.LARSOptimizer(0.5, 0.8, weight_decay=0.1, eeta=0.2, epsilon=0.01, use_nesterov=True)
    step = optimizer.apply_gradients([(gradient, variable)])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(4):
            g = rng.normal(size=(3, 2))
            ratio = 0.2 * np.linalg.norm(w) / (np.linalg.norm(g) + 0.1 * np.linalg.norm(w) + 0.01)
            direction = g + 0.1 * w
            a = 0.8 * a + direction
            w = w - 0.5 * ratio * (direction + 0.8 * a)
            session.run(step, {gradient: g})
            np.testing.assert_allclose(session.run(variable), w, rtol=1e-12)
