"""Cells and what walks them along sequences: beside what TensorFlow computed (tools/record_tensorflow_sequences.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import AlreadyExistsError, DTypeError, FeedError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import definitions, nest

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_sequences.npz")
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
cells = dt.nn.rnn_cell


def recorded(case: str, kind: str) -> dict[str, np.ndarray]:
    prefix = f"{case}/{kind}:"
    return {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}


def check(case: str, function: Callable[..., Any]) -> None:
    """Compare variables by name, values and gradients of a function of the recorded inputs."""
    arrays, variables = recorded(case, "input"), recorded(case, "variable")
    tensors = {
        name: dt.placeholder(dt.as_dtype(array.dtype), [None] * array.ndim if name == "lengths" else array.shape)
        for name, array in arrays.items()
    }
    outputs = nest.flatten(function(**tensors))
    made = {variable.op.name: variable for variable in dt.global_variables()}
    assert list(made) == list(variables)
    wanted = {name: tensor for name, tensor in tensors.items() if tensor.dtype.is_floating} | made
    gradients = dt.gradients(outputs, list(wanted.values()), list(recorded(case, "cotangent").values()))
    with dt.Session() as session:
        for name, value in variables.items():
            made[name].load(value, session)
        feeds = {tensors[name]: array for name, array in arrays.items()}
        values, slopes = session.run([outputs, [dt.convert_to_tensor(one) for one in gradients]], feeds)
    for value, expected in zip(values, recorded(case, "output").values(), strict=True):
        np.testing.assert_allclose(value, expected, **CLOSE)
    for name, slope in zip(wanted, slopes, strict=True):
        np.testing.assert_allclose(slope, RECORDED[f"{case}/gradient:{name}"], **CLOSE, err_msg=name)


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


CELLS: dict[str, Callable[[], Any]] = {
    "basic_rnn": lambda: cells.BasicRNNCell(3),
    "basic_rnn_relu": lambda: cells.BasicRNNCell(3, activation=dt.nn.relu),
    "basic_rnn_sigmoid": lambda: cells.BasicRNNCell(3, activation="sigmoid"),
    "gru": lambda: cells.GRUCell(3),
    "gru_softsign": lambda: cells.GRUCell(3, activation="softsign"),
    "basic_lstm": lambda: cells.BasicLSTMCell(3),
    "basic_lstm_joined": lambda: cells.BasicLSTMCell(3, forget_bias=0.3, state_is_tuple=False),
    "basic_lstm_relu": lambda: cells.BasicLSTMCell(3, activation=dt.nn.relu),
    "lstm": lambda: cells.LSTMCell(3, forget_bias=0.5),
    "lstm_peepholes": lambda: cells.LSTMCell(3, use_peepholes=True),
    "lstm_everything": lambda: cells.LSTMCell(
        4, use_peepholes=True, cell_clip=0.4, num_proj=3, proj_clip=0.3, forget_bias=0.2
    ),
    "stacked": lambda: cells.MultiRNNCell([cells.GRUCell(3), cells.BasicLSTMCell(2)]),
    "stacked_joined": lambda: cells.MultiRNNCell(
        [cells.GRUCell(3), cells.BasicLSTMCell(2, state_is_tuple=False)], state_is_tuple=False
    ),
    "residual": lambda: cells.ResidualWrapper(cells.GRUCell(2)),
}


@pytest.mark.parametrize("name", CELLS)
def test_dynamic_rnn(name: str) -> None:
    check(f"dynamic_rnn/{name}", lambda x: dt.nn.dynamic_rnn(CELLS[name](), x, dtype=dt.float64))


@pytest.mark.parametrize("name", CELLS)
def test_dynamic_rnn_of_several_lengths(name: str) -> None:
    check(f"dynamic_rnn_lengths/{name}", lambda x, lengths: dt.nn.dynamic_rnn(CELLS[name](), x, lengths))


@pytest.mark.parametrize("name", CELLS)
def test_steps_of_a_cell_are_the_whole_walk(name: str, rng: np.random.Generator) -> None:
    """Calling a cell step by step gives what its way along a sequence does, which may be another operation."""
    cell = CELLS[name]()
    x = dt.constant(rng.normal(size=(4, 3, 2)))
    state = cell.zero_state(3, dt.float64)
    whole, last = dt.nn.dynamic_rnn(cell, x, time_major=True)
    outputs = []
    for step in range(4):
        output, state = cell(x[step], state)
        outputs.append(output)
    assert output.shape[1] == cell.output_size
    pairs = list(zip(nest.flatten(last), nest.flatten(state), strict=True))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        one, other, ends = session.run([whole, dt.stack(outputs), pairs])
    np.testing.assert_allclose(one, other, rtol=1e-12)
    for end, expected in ends:
        np.testing.assert_allclose(end, expected, rtol=1e-12)


def test_walks_in_both_directions() -> None:
    def pair() -> tuple[Any, Any]:
        return cells.GRUCell(3), cells.BasicLSTMCell(2)

    check("bidirectional_dynamic_rnn", lambda x, lengths: dt.nn.bidirectional_dynamic_rnn(*pair(), x, lengths))
    dt.reset_default_graph()
    check("bidirectional_dynamic_rnn_whole", lambda x: dt.nn.bidirectional_dynamic_rnn(*pair(), x, time_major=True))
    dt.reset_default_graph()
    check(
        "static_bidirectional_rnn",
        lambda x, lengths: dt.nn.static_bidirectional_rnn(*pair(), dt.unstack(x, axis=1), sequence_length=lengths),
    )


def test_static_rnn() -> None:
    check(
        "static_rnn",
        lambda x, lengths: dt.nn.static_rnn(cells.GRUCell(3), dt.unstack(x, axis=1), sequence_length=lengths),
    )


@pytest.mark.parametrize(
    ("make", "operation"),
    [
        (lambda: cells.BasicRNNCell(3), definitions.SimpleRNN),
        (lambda: cells.BasicLSTMCell(3), definitions.LSTM),
        (lambda: cells.LSTMCell(3), definitions.LSTM),
        (lambda: cells.DropoutWrapper(cells.BasicLSTMCell(3), 0.5, 0.5), definitions.LSTM),
        (lambda: cells.MultiRNNCell([cells.ResidualWrapper(cells.LSTMCell(2))]), definitions.LSTM),
    ],
)
def test_cells_walk_by_operations_for_whole_sequences(make: Callable[[], Any], operation: Any) -> None:
    dt.nn.dynamic_rnn(make(), dt.zeros([3, 4, 2]))
    kinds = [type(op.definition) for op in dt.get_default_graph().get_operations()]
    assert operation in kinds
    assert definitions.Scan not in kinds


# Scopes and variables. -----------------------------------------------------------------------------------------------


def names(variables: Any) -> list[str]:
    return [variable.op.name for variable in variables]


def test_scopes_are_those_of_tensorflow() -> None:
    x, state = dt.zeros([3, 2]), dt.zeros([3, 4])
    one, other, named = cells.BasicRNNCell(4), cells.BasicRNNCell(4), cells.BasicRNNCell(4, name="mine")
    for cell in (one, other, named):
        cell(x, state)
    assert [names(cell.variables)[0] for cell in (one, other, named)] == [
        "basic_rnn_cell/kernel",
        "basic_rnn_cell_1/kernel",
        "mine/kernel",
    ]
    with dt.variable_scope("net"):
        third = cells.BasicRNNCell(4)
        third(x, state)
    with dt.variable_scope("net", reuse=True):
        shared = cells.BasicRNNCell(4)
        shared(x, state)
    assert names(third.variables) == ["net/basic_rnn_cell/kernel", "net/basic_rnn_cell/bias"]
    assert shared.variables == third.variables
    assert third.scope_name == "net/basic_rnn_cell"
    again = cells.BasicRNNCell(4, reuse=True, name="mine")
    again(x, state)
    assert again.variables == named.variables
    assert names(named.weights) == names(named.trainable_weights)
    dt.nn.dynamic_rnn(cells.BasicRNNCell(4), dt.zeros([3, 5, 2]))
    with pytest.raises(AlreadyExistsError, match='variable "rnn/basic_rnn_cell/kernel" already exists'):
        dt.nn.dynamic_rnn(cells.BasicRNNCell(4), dt.zeros([3, 5, 2]))


def test_first_values_of_cells() -> None:
    x = dt.zeros([3, 5, 2])
    gru = cells.GRUCell(4, kernel_initializer="ones", bias_initializer=dt.constant_initializer(0.5))
    dt.nn.dynamic_rnn(gru, x)
    plain = cells.GRUCell(4)
    dt.nn.dynamic_rnn(plain, x, scope="plain")
    values = run([gru.variables, plain.variables])
    assert [set(one.ravel()) for one in values[0]] == [{1.0}, {0.5}, {1.0}, {0.5}]
    assert [set(one.ravel()) for one in values[1][1::2]] == [{1.0}, {0.0}]


class Counter(cells.RNNCell):
    """A cell as programs of TensorFlow 1 write it, with a state of several parts, one of them without a batch."""

    @property
    def state_size(self) -> Any:
        return {"sum": 2, "steps": dt.Shape([])}

    @property
    def output_size(self) -> int:
        return 2

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return {"sum": dt.zeros([batch_size, 2], dtype), "steps": dt.constant(0)}

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        with dt.variable_scope(scope or "counter"):
            weight = dt.get_variable("weight", [], initializer=dt.constant_initializer(2.0))
        total = state["sum"] + weight * inputs
        return total, {"sum": total, "steps": state["steps"] + 1}


def test_a_cell_of_the_users_own() -> None:
    x = np.arange(12.0, dtype=np.float32).reshape(2, 3, 2)
    outputs, state = dt.nn.dynamic_rnn(Counter(), x)
    lengths = dt.nn.dynamic_rnn(Counter(), x, [2, 3], scope="other")
    found, last, (ragged, ragged_last) = run([outputs, state, lengths])
    np.testing.assert_array_equal(found, 2.0 * x.cumsum(1))
    np.testing.assert_array_equal(last["sum"], 2.0 * x.sum(1))
    assert last["steps"] == 3
    np.testing.assert_array_equal(ragged_last["sum"], found[[0, 1], [1, 2]])
    assert not ragged[0, 2].any()
    assert names(dt.trainable_variables()) == ["rnn/counter/weight", "other/counter/weight"]


def test_inputs_of_several_tensors() -> None:
    class Pair(cells.RNNCell):
        state_size = output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            after = state + inputs["a"] * inputs["b"]
            return {"sum": after, "twice": 2.0 * after}, after

    a = np.ones((3, 4, 2), np.float32)
    outputs, last = dt.nn.dynamic_rnn(Pair(), {"a": a, "b": 3.0 * a})
    found, end = run([outputs, last])
    assert found["twice"][0, :, 0].tolist() == [6.0, 12.0, 18.0, 24.0]
    assert end.tolist() == [[12.0, 12.0]] * 3


def test_initial_states() -> None:
    cell = cells.BasicLSTMCell(3)
    state = cells.LSTMStateTuple(dt.ones([2, 3]), dt.zeros([2, 3]))
    x = dt.ones([2, 4, 5])
    whole, last = dt.nn.dynamic_rnn(cell, x, initial_state=state)
    first, between = dt.nn.dynamic_rnn(cell, x[:, :3], initial_state=state, scope="first")
    second, end = dt.nn.dynamic_rnn(cell, x[:, 3:], initial_state=between, scope="second")
    assert last.dtype is dt.float32
    found = run([whole, dt.concat([first, second], 1), last, end])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    np.testing.assert_allclose(found[2], found[3], rtol=1e-5)
    assert cell.get_initial_state(x).c.shape == cell.zero_state(2, dt.float32).h.shape == [2, 3]
    with pytest.raises(InvalidArgumentError, match="basic_lstm_cell: get_initial_state needs inputs, or batch_size"):
        cell.get_initial_state()


def test_a_state_is_fed_whole() -> None:
    """As programs do that keep it from batch to batch."""
    cell = cells.MultiRNNCell([cells.BasicLSTMCell(3), cells.GRUCell(2)])
    state = cell.zero_state(2, dt.float32)
    x = np.ones((2, 4, 5), np.float32)
    outputs, last = dt.nn.dynamic_rnn(cell, x, initial_state=state)
    whole, _ = dt.nn.dynamic_rnn(cell, np.concatenate([x, x], 1), initial_state=state, scope="whole")
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        first, between = session.run([outputs, last])
        second = session.run(outputs, {state: between})
        np.testing.assert_allclose(np.concatenate([first, second], 1), session.run(whole), rtol=1e-5)
        with pytest.raises(FeedError, match="the structures of the tensors and of the values differ: 2 values"):
            session.run(outputs, {state: between[1]})


# Dropout. ------------------------------------------------------------------------------------------------------------


class Passing(cells.RNNCell):
    """Gives its inputs; the state counts."""

    state_size = output_size = 64

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, state + 1.0


def test_dropout_of_inputs_and_outputs() -> None:
    x = np.ones((8, 5, 64), np.float32)
    for options in ({"input_keep_prob": 0.5}, {"output_keep_prob": 0.5}):
        outputs, last = dt.nn.dynamic_rnn(cells.DropoutWrapper(Passing(), **options), x)
        found, end = run([outputs, last])
        assert set(found.ravel()) == {0.0, 2.0}
        assert 0.4 < found.mean() / 2.0 < 0.6
        assert (found[:, 0] != found[:, 1]).any()
        assert (end == 5.0).all()
        alike, _ = dt.nn.dynamic_rnn(cells.DropoutWrapper(Passing(), **options, variational_recurrent=True), x)
        found = run(alike)
        assert set(found.ravel()) == {0.0, 2.0}
        assert (found == found[:, :1]).all()
    keep = dt.placeholder_with_default(1.0, [])
    outputs, _ = dt.nn.dynamic_rnn(cells.DropoutWrapper(Passing(), keep, keep, keep), x)
    assert (run(outputs) == 1.0).all()
    assert (run(outputs, {keep: 0.5}) != 1.0).any()


def test_dropout_of_states() -> None:
    x = np.ones((8, 3, 64), np.float32)
    _, last = dt.nn.dynamic_rnn(cells.DropoutWrapper(Passing(), state_keep_prob=0.5), x)
    assert set(run(last).ravel()) == {0.0, 2.0, 6.0, 14.0}
    _, alike = dt.nn.dynamic_rnn(cells.DropoutWrapper(Passing(), state_keep_prob=0.5, variational_recurrent=True), x)
    assert set(run(alike).ravel()) == {0.0, 14.0}
    for variational in (False, True):
        cell = cells.DropoutWrapper(
            cells.BasicLSTMCell(64), state_keep_prob=0.5, variational_recurrent=variational, seed=3
        )
        _, state = dt.nn.dynamic_rnn(cell, x, scope=f"lstm_{variational}")
        found = run(state)
        assert (found.c != 0.0).all()
        assert 0.3 < (found.h == 0.0).mean() < 0.7


def test_a_filter_of_the_states_that_are_dropped() -> None:
    stacked = cells.MultiRNNCell([Passing(), Passing()])
    cell = cells.DropoutWrapper(
        stacked,
        state_keep_prob=0.5,
        dropout_state_filter_visitor=lambda part: (True, False) if isinstance(part, tuple) else True,
    )
    _, (first, second) = dt.nn.dynamic_rnn(cell, np.ones((8, 2, 64), np.float32))
    one, other = run([first, second])
    assert set(one.ravel()) == {0.0, 2.0, 6.0}
    assert (other == 2.0).all()


# What is refused. ----------------------------------------------------------------------------------------------------


class Growing(cells.RNNCell):
    state_size = output_size = 2

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, dt.concat([state, inputs], 1)


class Splitting(Growing):
    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, (state, state)


class Casting(Growing):
    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, dt.cast(state, dt.float64)


class Empty(Growing):
    call = cells.RNNCell.call


def test_cells_refuse_what_does_not_fit() -> None:
    x = dt.ones([2, 3, 2])
    gru = cells.GRUCell(2)
    unknown = dt.placeholder(dt.float32, [2, 3, None])
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: cells.GRUCell(0), InvalidArgumentError, "gru_cell: num_units is 0; it must be positive"),
        (lambda: cells.LSTMCell(2, num_proj=-1), InvalidArgumentError, "lstm_cell: num_proj is -1"),
        (lambda: dt.nn.dynamic_rnn(gru, unknown), ShapeError, r"gru_cell: the inputs have shape \[3, 2, .*\], whose"),
        (lambda: dt.nn.dynamic_rnn(dt.nn.relu, x), DTypeError, "dynamic_rnn: the cell is .*, a .*; give an instance"),
        (lambda: dt.nn.dynamic_rnn(gru, x[0]), ShapeError, r"are float32\[3, 2\]; their axes should be batch, time"),
        (lambda: dt.nn.dynamic_rnn(gru, x, [1.0, 2.0]), DTypeError, r"sequence_length is float32\[2\]; give integers"),
        (lambda: dt.nn.dynamic_rnn(gru, x, [[1], [2]]), ShapeError, r"sequence_length is int32\[2, 1\]; give one"),
        (
            lambda: dt.nn.dynamic_rnn(gru, x, initial_state=(x[0], x[0])),
            InvalidArgumentError,
            "the structures of the cell's state_size and of initial_state differ: a single value and 2 values",
        ),
        (lambda: dt.nn.static_rnn(gru, x), InvalidArgumentError, "static_rnn: inputs is .*; give a list with a tensor"),
        (lambda: dt.nn.dynamic_rnn(Growing(), x), ShapeError, r"growing: a state is float32\[2, 2\] before a step and"),
        (lambda: dt.nn.dynamic_rnn(Splitting(), x), InvalidArgumentError, "splitting: the structures of the state"),
        (lambda: dt.nn.dynamic_rnn(Casting(), x), DTypeError, r"casting: a state is float32\[2, 2\] before a step and"),
        (lambda: Empty()(x[0], x[0]), LayerError, "Empty defines neither call"),
        (lambda: cells.MultiRNNCell([]), InvalidArgumentError, r"multi_rnn_cell: cells is \[\]; give a list"),
        (lambda: cells.MultiRNNCell([gru] * 2), InvalidArgumentError, "one cell stands in the list twice"),
        (
            lambda: cells.MultiRNNCell([cells.LSTMCell(2)], state_is_tuple=False),
            InvalidArgumentError,
            "joins states of one tensor each",
        ),
        (lambda: cells.ResidualWrapper(3), DTypeError, "residual_wrapper: 3 is a int; give an instance"),
        (lambda: cells.ResidualWrapper(cells.GRUCell(3))(x[0], dt.ones([3, 3])), ShapeError, "residual_wrapper: inp"),
        (lambda: cells.DropoutWrapper(gru, 0.0), InvalidArgumentError, "dropout_wrapper: input_keep_prob is 0.0"),
        (
            lambda: cells.DropoutWrapper(gru, 0.5, variational_recurrent=True)(x[0], x[0]),
            InvalidArgumentError,
            "with variational_recurrent=True all steps of a sequence",
        ),
    ]  # fmt: skip
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
