"""Recurrent layers beside PyTorch in many configurations (tools/record_torch_recurrent.py), and what more they can."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import definitions

DATA = Path(__file__).parents[1] / "data"
CONFIGURATIONS = json.loads((DATA / "torch_recurrent.json").read_text())
TENSORFLOW = np.load(DATA / "tensorflow_sequences.npz")
CLOSE = {"rtol": 1e-9, "atol": 1e-10}

RECURRENT = [
    pytest.param(dt.layers.LSTM, id="lstm"),
    pytest.param(dt.layers.GRU, id="gru"),
    pytest.param(dt.layers.SimpleRNN, id="simple_rnn"),
]


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def digest(array: np.ndarray) -> list[float]:
    """What the file holds of an array."""
    places = np.arange(array.size)
    return [float((array.ravel() * np.cos(factor * places)).sum()) for factor in (0.7, 1.9)]


def layer_of(config: dict[str, Any]) -> Any:
    options = {"return_sequences": True, "return_state": True, "time_major": config["time_major"]}
    if config["kind"] == "lstm":
        layer: Any = dt.layers.LSTM(config["units"], projection=config["projection"], **options)
    elif config["kind"] == "gru":
        layer = dt.layers.GRU(config["units"], **options)
    else:
        layer = dt.layers.SimpleRNN(config["units"], activation=config["kind"], **options)
    return dt.layers.Bidirectional(layer) if config["bidirectional"] else layer


def check_configuration(number: int) -> None:
    recorded = CONFIGURATIONS[number]
    config = recorded["config"]
    rng = np.random.default_rng(number)
    x = rng.normal(size=(config["batch"], config["time"], config["inputs"]))
    inputs = dt.placeholder(dt.float64, [None, None, config["inputs"]])
    layer = layer_of(config)
    swapped = dt.transpose(inputs, [1, 0, 2]) if config["time_major"] else inputs
    sequence, *states = layer(swapped, sequence_length=config["lengths"])
    outputs = [dt.transpose(sequence, [1, 0, 2]) if config["time_major"] else sequence, *states]
    sizes = [(config["batch"], config["time"], sequence.shape[2]), *((config["batch"], one.shape[1]) for one in states)]
    cotangents = [np.cos(0.3 * np.arange(np.prod(size))).reshape(size) for size in sizes]
    gradients = dt.gradients(outputs, [inputs, *layer.weights], cotangents)
    with dt.Session() as session:
        for weight in layer.weights:
            weight.load(rng.normal(size=weight.shape.as_list()), session)
        values, slopes = session.run([outputs, gradients], {inputs: x})
    for value, expected in zip(values, recorded["outputs"], strict=True):
        np.testing.assert_allclose(digest(value), expected, **CLOSE, err_msg=str(config))
    for slope, (name, expected) in zip(slopes, recorded["gradients"].items(), strict=True):
        np.testing.assert_allclose(digest(slope), expected, **CLOSE, err_msg=f"gradient of {name}: {config}")


@pytest.mark.parametrize("number", range(24))
def test_configurations(number: int) -> None:
    check_configuration(number)


@pytest.mark.long
def test_every_configuration() -> None:
    for number in range(len(CONFIGURATIONS)):
        dt.reset_default_graph()
        check_configuration(number)


# Kinds of LSTM and GRU. ----------------------------------------------------------------------------------------------


def tensorflow(case: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The variables, the inputs and the outputs that TensorFlow recorded of a cell."""
    prefix = f"dynamic_rnn/{case}/variable:rnn/"
    variables = {key.rpartition("_cell/")[2]: TENSORFLOW[key] for key in TENSORFLOW.files if key.startswith(prefix)}
    return variables, TENSORFLOW[f"dynamic_rnn/{case}/input:x"], TENSORFLOW[f"dynamic_rnn/{case}/output:0"]


def test_peepholes_are_those_of_tensorflow() -> None:
    variables, x, expected = tensorflow("lstm_peepholes")
    layer = dt.layers.LSTM(3, return_sequences=True, peephole=True)
    y = layer(x)
    i, j, f, o = np.split(np.concatenate([variables["kernel"], variables["bias"][None]]), 4, axis=1)
    columns = np.concatenate([i, f, j, o], axis=1)
    columns[-1, 3:6] += 1.0
    seen = np.concatenate([variables[f"w_{gate}_diag"] for gate in "ifo"])
    with dt.Session() as session:
        for weight, value in zip(layer.weights, [columns[:2], columns[2:5], columns[5], seen], strict=True):
            weight.load(value, session)
        np.testing.assert_allclose(session.run(y), expected, **CLOSE)


def test_a_reset_gate_before_the_product_is_that_of_tensorflow() -> None:
    variables, x, expected = tensorflow("gru")
    layer = dt.layers.GRU(3, return_sequences=True, reset_after=False)
    y = layer(x)

    def columns(name: str) -> np.ndarray:
        reset, update = np.split(variables[f"gates/{name}"], 2, axis=-1)
        return np.concatenate([update, reset, variables[f"candidate/{name}"]], axis=-1)

    kernel = columns("kernel")
    with dt.Session() as session:
        for weight, value in zip(layer.weights, [kernel[:2], kernel[2:], columns("bias")], strict=True):
            weight.load(value, session)
        np.testing.assert_allclose(session.run(y), expected, **CLOSE)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (dt.layers.LSTM, {}),
        (dt.layers.LSTM, {"peephole": True}),
        (dt.layers.GRU, {}),
        (dt.layers.GRU, {"reset_after": False}),
        (dt.layers.SimpleRNN, {}),
    ],
)
def test_the_loop_of_plain_operations_is_the_operation(
    make: Callable[..., Any], options: dict[str, Any], rng: np.random.Generator
) -> None:
    """Another function that computes the tangent takes the way of other activations."""

    def tangent(x: dt.Tensor) -> dt.Tensor:
        return dt.sinh(x) / dt.cosh(x)

    x = dt.constant(rng.normal(size=(2, 5, 3)))
    layers = [make(4, return_sequences=True, name="same", activation=one, **options) for one in ("tanh", tangent)]
    layers[1].share(True)
    one, other = [layer(x) for layer in layers]
    assert layers[0].weights == layers[1].weights
    slopes = [dt.gradients(dt.reduce_sum(dt.square(y)), [x, *layers[0].weights]) for y in (one, other)]
    for left, right in zip(*run([[one, *slopes[0]], [other, *slopes[1]]]), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-10)


def test_activations_by_name() -> None:
    for make, options in (
        (dt.layers.LSTM, {"recurrent_activation": "hard_sigmoid"}),
        (dt.layers.GRU, {"activation": "relu", "recurrent_activation": "hard_sigmoid"}),
        (dt.layers.SimpleRNN, {"activation": "elu"}),
    ):
        layer = make(4, kernel_initializer="zeros", recurrent_initializer="zeros", bias_initializer="ones", **options)
        assert np.isfinite(run(layer(dt.ones([2, 3, 5])))).all()


# Dropout, states kept, order, masks. ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", RECURRENT)
def test_dropout_while_training_only(make: Callable[..., Any], rng: np.random.Generator) -> None:
    x, training = dt.constant(rng.normal(size=(4, 6, 5))), dt.placeholder_with_default(False, [])
    for options in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}):
        layer = make(8, **options)
        y, plain = layer(x, training=training), layer(x)
        slopes = dt.gradients(y, layer.weights)
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            np.testing.assert_allclose(*session.run([y, plain]), rtol=1e-10)
            first, second = (session.run(y, {training: True}) for _ in range(2))
            assert np.isfinite(session.run(slopes, {training: True})[0]).all()
        assert not np.allclose(first, second)


def test_all_steps_drop_the_same_inputs() -> None:
    layer = dt.layers.SimpleRNN(
        1, return_sequences=True, activation="relu", dropout=0.5, recurrent_initializer="zeros",
        kernel_initializer=dt.constant_initializer(2.0 ** np.arange(8)[:, None]),
    )  # fmt: skip
    found = run(layer(dt.ones([5, 4, 8]), training=True))
    assert (found == found[:, :1]).all()
    assert len(np.unique(found)) > 1


@pytest.mark.parametrize("make", RECURRENT)
def test_states_kept_from_run_to_run(make: Callable[..., Any], rng: np.random.Generator) -> None:
    array = rng.normal(size=(2, 6, 3))
    x = dt.placeholder(dt.float64, [2, None, 3])
    layer = make(4, return_sequences=True, stateful=True)
    y = layer(x)
    kept = [weight for weight in layer.weights if "state_" in weight.op.name]
    assert kept == layer.non_trainable_weights == layer.states
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        whole = session.run(y, {x: array})
        session.run(layer.reset_states())
        parts = [session.run(y, {x: array[:, start : start + 2]}) for start in (0, 2, 4)]
        np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-10)
        assert session.run(kept[0]).any()
        session.run(layer.reset_states())
        assert not session.run(kept[0]).any()


def test_order_of_steps(rng: np.random.Generator) -> None:
    x = dt.constant(rng.normal(size=(2, 5, 3)))
    options = {"return_sequences": True, "return_state": True, "name": "same"}
    layers = [dt.layers.GRU(4, **options, **more) for more in ({"reverse": True}, {"go_backwards": True})]
    layers[1].share(True)
    (placed, last), (walked, same) = run([layer(x) for layer in layers])
    np.testing.assert_array_equal(placed, walked[:, ::-1])
    np.testing.assert_array_equal(last, same)
    np.testing.assert_array_equal(walked[:, -1], last)


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"time_major": True}])
@pytest.mark.parametrize("make", RECURRENT)
def test_steps_that_a_mask_leaves_out(
    make: Callable[..., Any], options: dict[str, bool], rng: np.random.Generator
) -> None:
    """Each sequence is walked along as if it had only the steps that the mask admits."""
    mask = np.array([[True, False, True, True], [False, False, False, False], [False, True, True, False]])
    x = rng.normal(size=(3, 4, 2))
    x[~mask] = np.nan
    layer = make(5, return_sequences=True, return_state=True, **options)
    turn = [1, 0, 2] if options.get("time_major") else [0, 1, 2]
    given = mask.T if options.get("time_major") else mask
    sequence, *last = layer(dt.constant(x.transpose(turn)), mask=given)
    gradients = dt.gradients([sequence, *last], layer.weights)
    alone = [layer(dt.constant(x[row : row + 1, mask[row]].transpose(turn))) for row in range(3)]
    found, ends, slopes, expected = run([sequence, last, gradients, alone])
    for row in range(3):
        np.testing.assert_allclose(found.transpose(turn)[row, mask[row]], expected[row][0].transpose(turn)[0])
        assert not found.transpose(turn)[row, ~mask[row]].any()
        for end, other in zip(ends, expected[row][1:], strict=True):
            np.testing.assert_allclose(end[row], other[0])
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_a_mask_of_the_first_steps_is_a_length(rng: np.random.Generator) -> None:
    x, lengths = dt.constant(rng.normal(size=(3, 4, 2))), dt.constant([4, 0, 2])
    layer = dt.layers.LSTM(5, return_sequences=True)
    one, other = run([layer(x, sequence_length=lengths), layer(x, mask=dt.sequence_mask(lengths, 4))])
    np.testing.assert_allclose(one, other, rtol=1e-12)


# Both directions. ----------------------------------------------------------------------------------------------------


def test_outputs_of_both_directions_are_joined(rng: np.random.Generator) -> None:
    x = dt.constant(rng.normal(size=(2, 5, 3)))
    forward, backward = dt.layers.GRU(4), dt.layers.GRU(4, reverse=True)
    modes = ("concat", "sum", "mul", "ave", None)
    joined = [dt.layers.Bidirectional(forward, mode, backward)(x) for mode in modes]
    one, other, found = run([forward(x), backward(x), joined])
    for value, expected in zip(
        found, (np.concatenate([one, other], 1), one + other, one * other, (one + other) / 2), strict=False
    ):
        np.testing.assert_allclose(value, expected)
    np.testing.assert_array_equal(found[-1], [one, other])


def test_layers_of_both_directions() -> None:
    layer = dt.layers.Bidirectional(dt.layers.LSTM(4, return_state=True, time_major=True), name="both")
    y, *states = layer(dt.ones([5, 2, 3]), mask=dt.ones([5, 2], dt.bool))
    assert y.shape == [2, 8]
    assert [one.shape for one in states] == [[2, 4]] * 4
    assert [weight.op.name for weight in layer.weights] == [
        f"both/{way}/{name}" for way in ("forward", "backward") for name in ("kernel", "recurrent_kernel", "bias")
    ]
    again = type(layer).from_config({**layer.get_config(), "name": "again"})
    assert again(dt.ones([5, 2, 3]))[0].shape == [2, 8]
    stacked = dt.layers.Sequential(
        [dt.layers.Bidirectional(dt.layers.GRU(4, return_sequences=True)), dt.layers.LSTM(3)]
    )
    assert stacked(dt.ones([2, 5, 3])).shape == [2, 3]


def test_plain_layers_stay_one_operation() -> None:
    dt.layers.bidirectional(dt.ones([2, 5, 3]), dt.layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5))
    kinds = [type(op.definition) for op in dt.get_default_graph().get_operations()]
    assert kinds.count(definitions.LSTM) == 2
    assert definitions.Scan not in kinds


def test_recurrent_layers_refuse_what_does_not_fit() -> None:
    x, mask = dt.ones([2, 3, 4]), dt.ones([2, 3], dt.bool)
    unknown = dt.placeholder(dt.float32, [None, 3, 4])
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.layers.GRU(4, dropout=1.0), InvalidArgumentError, "gru: dropout is 1; it must be at least 0"),
        (lambda: dt.layers.LSTM(4, recurrent_dropout=-0.5), InvalidArgumentError, "recurrent_dropout is -0.5"),
        (lambda: dt.layers.LSTM(4, projection=0), InvalidArgumentError, "lstm: projection is 0; it must be positive"),
        (lambda: dt.layers.gru(x, 4, mask=mask, sequence_length=[1, 2]), InvalidArgumentError, "give either sequence"),
        (lambda: dt.layers.gru(x, 4, mask=dt.ones([2, 3])), DTypeError, r"gru: mask is float32\[2, 3\]; give truth"),
        (
            lambda: dt.layers.gru(x, 4, mask=mask[0]),
            ShapeError,
            r"mask is bool\[3\]; its axes should be batch and time",
        ),
        (lambda: dt.layers.gru(unknown, 4, stateful=True), ShapeError, "whose number of sequences is not known"),
        (lambda: dt.layers.GRU(4).reset_states(), LayerError, r"gru: reset_states\(\) is for a layer with stateful"),
        (lambda: dt.layers.Bidirectional(dt.layers.Dense(3)), LayerError, "bidirectional: Dense.* give a recurrent"),
        (
            lambda: dt.layers.Bidirectional(dt.layers.GRU(3), backward=dt.layers.GRU(3)),
            LayerError,
            "both layers go the same way; make one of them with reverse=True",
        ),
        (
            lambda: dt.layers.Bidirectional(
                dt.layers.GRU(3), backward=dt.layers.GRU(3, reverse=True, return_sequences=True)
            ),
            LayerError,
            "return_sequences is False forwards and True backwards",
        ),
        (lambda: dt.layers.Bidirectional(dt.layers.GRU(3), "max"), InvalidArgumentError, "merge_mode is 'max'; use"),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
