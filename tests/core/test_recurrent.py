"""Recurrent operations: against loops written out, gradients, what a training step multiplies, sizes, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.program import Program
from dovetail.errors import DTypeError, FeedError, InvalidArgumentError, ShapeError
from dovetail.extend import definitions, gru, lstm, simple_rnn

TIME, BATCH, INPUTS, UNITS = 4, 3, 2, 5


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def operands(rng: np.random.Generator, gates: int, states: int, biases: int) -> list[np.ndarray]:
    """Inputs, initial states, kernels, biases."""
    return [
        rng.normal(size=(TIME, BATCH, INPUTS)),
        *(rng.normal(size=(BATCH, UNITS)) for _ in range(states)),
        rng.normal(size=(INPUTS, gates * UNITS)),
        rng.normal(size=(UNITS, gates * UNITS)),
        *(rng.normal(size=gates * UNITS) for _ in range(biases)),
    ]


def lstm_by_hand(x: np.ndarray, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> tuple[np.ndarray, ...]:
    hiddens, cells = [], []
    for step in x:
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hiddens.append(h)
        cells.append(c)
    return np.stack(hiddens), h, c, np.stack(cells)


def gru_by_hand(x: np.ndarray, h: Any, kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any) -> Any:
    hiddens = []
    for step in x:
        (z, r, n), (zh, rh, nh) = (
            np.split(sums, 3, axis=1) for sums in (step @ kernel + bias, h @ recurrent + recurrent_bias)
        )
        kept = sigmoid(z + zh)
        h = kept * h + (1.0 - kept) * np.tanh(n + sigmoid(r + rh) * nh)
        hiddens.append(h)
    return np.stack(hiddens), h


def rnn_by_hand(x: np.ndarray, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    hiddens = []
    for step in x:
        h = np.tanh(step @ kernel + h @ recurrent + bias)
        hiddens.append(h)
    return np.stack(hiddens), h


CASES = [
    pytest.param(lstm, lstm_by_hand, (4, 2, 1), id="lstm"),
    pytest.param(gru, gru_by_hand, (3, 1, 2), id="gru"),
    pytest.param(simple_rnn, rnn_by_hand, (1, 1, 1), id="simple_rnn"),
]


@pytest.mark.parametrize(("function", "by_hand", "sizes"), CASES)
def test_values_are_those_of_a_loop_written_out(
    function: Callable[..., Any], by_hand: Callable[..., Any], sizes: Any, rng: np.random.Generator
) -> None:
    arrays = operands(rng, *sizes)
    for found, expected in zip(run(function(*arrays)), by_hand(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = run(function(*arrays, reverse=True))
    expected = by_hand(arrays[0][::-1], *arrays[1:])
    np.testing.assert_allclose(found[0], expected[0][::-1], rtol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


@pytest.mark.parametrize(("function", "by_hand", "sizes"), CASES)
@pytest.mark.parametrize("time", [0, 1, 3])
def test_any_number_of_steps_and_rows_with_gradients(
    function: Callable[..., Any], by_hand: Callable[..., Any], sizes: Any, time: int, rng: np.random.Generator
) -> None:
    arrays = operands(rng, *sizes)
    x = dt.placeholder(dt.float64, [None, None, INPUTS])
    states = [dt.placeholder(dt.float64, [None, UNITS]) for _ in range(sizes[1])]
    weights = [dt.constant(one) for one in arrays[1 + sizes[1] :]]
    outputs = function(x, *states, *weights)
    gradients = dt.gradients([dt.reduce_sum(one) for one in outputs], [x, *states, *weights])
    with dt.Session() as session:
        for batch in (0, 2):
            feeds = {x: np.ones((time, batch, INPUTS)), **{one: np.ones((batch, UNITS)) for one in states}}
            found, slopes = session.run([outputs, gradients], feeds)
            assert [one.shape for one in found[:2]] == [(time, batch, UNITS), (batch, UNITS)]
            for slope, array in zip(slopes[1 + sizes[1] :], arrays[1 + sizes[1] :], strict=True):
                assert slope.shape == array.shape
                assert slope.any() == bool(time and batch)
        if time == 0:
            np.testing.assert_array_equal(found[1], np.ones((2, UNITS)))


@pytest.mark.parametrize("output", [0, 1])
def test_gradients_are_those_of_the_loop_of_plain_operations(output: int, rng: np.random.Generator) -> None:
    arrays = operands(rng, 4, 2, 1)
    tensors = [dt.constant(one) for one in arrays]
    x, hidden, cell, kernel, recurrent, bias = tensors

    def step(state: Any, x: dt.Tensor) -> tuple[dt.Tensor, dt.Tensor]:
        i, f, g, o = dt.split(dt.matmul(x, kernel) + dt.matmul(state[0], recurrent) + bias, 4, axis=1)
        c = dt.sigmoid(f) * state[1] + dt.sigmoid(i) * dt.tanh(g)
        return dt.sigmoid(o) * dt.tanh(c), c

    hiddens, _ = dt.scan(step, x, (hidden, cell))
    plain = [hiddens, hiddens[-1]][output]
    ours = lstm(*tensors)[output]
    weights = rng.normal(size=plain.shape.evaluate({}))
    expected, found = run([dt.gradients(dt.reduce_sum(one * weights), tensors) for one in (plain, ours)])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def products(program: Program) -> int:
    return sum(isinstance(one.op, definitions.MatMul) for one in program.instructions)


def loops(program: Program) -> list[Any]:
    return [one for one in program.instructions if isinstance(one.op, definitions.Scan)]


@pytest.mark.parametrize(("function", "by_hand", "sizes"), CASES)
def test_a_training_step_multiplies_once_a_step_each_way(
    function: Callable[..., Any], by_hand: Callable[..., Any], sizes: Any, rng: np.random.Generator
) -> None:
    arrays = operands(rng, *sizes)
    states = sizes[1]
    x = dt.placeholder(dt.float64, [None, None, INPUTS])
    weights = [dt.Variable(one) for one in arrays[1 + states :]]
    initial = [dt.zeros(dt.stack([dt.shape(x)[1], UNITS]), dt.float64)] * states
    last = function(x, *initial, *weights)[1]
    gradients = dt.gradients(last, [x, *weights])
    with dt.Session() as session:
        program = session.program(gradients, {x: arrays[0]})
        forward, backward = loops(program)
        assert [products(loop.op.body) for loop in (forward, backward)] == [1, 1]
        assert products(program) == 4  # the inputs, then the gradients of inputs, kernel and recurrent kernel
        assert (forward.op.reverse, backward.op.reverse) == (False, True)
        (inference,) = loops(session.program([last], {x: arrays[0]}))
        assert len(inference.outputs) == states  # nothing is kept


def test_only_the_gradients_asked_for_are_computed(rng: np.random.Generator) -> None:
    arrays = operands(rng, 4, 2, 1)
    x, bias = dt.placeholder(dt.float64, arrays[0].shape), dt.Variable(arrays[-1])
    last = lstm(x, *arrays[1:-1], bias)[1]
    with dt.Session() as session:
        program = session.program(dt.gradients(last, [bias]), {x: arrays[0]})
    assert products(program) == 1


def test_derivatives_of_what_is_kept_reach_the_inputs(rng: np.random.Generator) -> None:
    """A second derivative goes through cells and gates; here they are differentiated on their own."""
    arrays = [dt.constant(one) for one in operands(rng, 4, 2, 1)]
    outputs = definitions.LSTM()(*arrays)
    moved = definitions.LSTM()(*arrays[:-1], arrays[-1] + 1e-6)
    slopes = [dt.reduce_sum(dt.gradients(one, arrays[-1])[0]) for one in outputs]
    changes = [dt.reduce_sum(after - before) / 1e-6 for after, before in zip(moved, outputs, strict=True)]
    found, expected = run([slopes, changes])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_half_types(rng: np.random.Generator) -> None:
    arrays = operands(rng, 4, 2, 1)
    exact = run(lstm(*arrays))
    for dtype in (dt.float16, dt.bfloat16):
        found = run(lstm(*(dt.cast(dt.constant(one), dtype) for one in arrays)))
        for one, other in zip(found, exact, strict=True):
            assert one.dtype == dtype.numpy
            np.testing.assert_allclose(one.astype(np.float64), other, atol=0.1)


def with_shape(arrays: Sequence[np.ndarray], index: int, array: Any) -> list[Any]:
    return [*arrays[:index], array, *arrays[index + 1 :]]


def test_operands_that_do_not_fit(rng: np.random.Generator) -> None:
    arrays = operands(rng, 4, 2, 1)
    wrong: list[tuple[int, Any, type[Exception], str]] = [
        (0, np.ones((4, 3)), ShapeError, r"lstm: x is float64\[4, 3\], of rank 2; its axes should be time, batch"),
        (1, np.ones((2, 5)), ShapeError, r"initial_hidden is float64\[2, 5\], where float64\[3, 5\] is wanted"),
        (2, np.ones((3, 4)), ShapeError, r"initial_cell is float64\[3, 4\], where float64\[3, 5\] is wanted"),
        (3, np.ones((2, 15)), ShapeError, r"kernel is float64\[2, 15\], where float64\[2, 20\] is wanted"),
        (4, np.ones((5, 15)), ShapeError, r"recurrent_kernel is float64\[5, 15\], where float64\[5, 20\] is wanted"),
        (5, np.ones((4, 5)), ShapeError, r"bias is float64\[4, 5\], where float64\[20\] is wanted"),
        (5, np.ones(20, np.float32), DTypeError, r"bias is float32\[20\], where float64\[20\] is wanted.*dt.cast"),
        (0, np.ones((4, 3, 2), np.int32), DTypeError, r"x is int32\[4, 3, 2\], where a floating type is wanted"),
    ]
    for index, array, kind, message in wrong:
        with pytest.raises(kind, match=message):
            lstm(*with_shape(arrays, index, array))
    with pytest.raises(ShapeError, match=r"gru: kernel is float64\[2, 20\], where float64\[2, 15\] is wanted"):
        gru(*with_shape(operands(rng, 3, 1, 2), 2, np.ones((2, 20))))
    with pytest.raises(ShapeError, match=r"simple_rnn: bias is float64\[4\], where float64\[5\] is wanted"):
        simple_rnn(*with_shape(operands(rng, 1, 1, 1), 4, np.ones(4)))
    with pytest.raises(InvalidArgumentError, match="simple_rnn: activation is 'sigmoid'; use 'tanh' or 'relu'"):
        simple_rnn(*operands(rng, 1, 1, 1), activation="sigmoid")


def test_a_batch_of_another_size_is_told_when_it_is_fed(rng: np.random.Generator) -> None:
    arrays = operands(rng, 4, 2, 1)
    x, h = dt.placeholder(dt.float64, [None, None, INPUTS]), dt.placeholder(dt.float64, [None, UNITS])
    y = lstm(x, h, h, *arrays[3:])[1]
    with dt.Session() as session, pytest.raises(FeedError, match="= 2 and .* = 3 must be equal"):
        session.run(y, {x: arrays[0], h: np.ones((2, UNITS))})
