"""Layers of sequences: weights, states, lengths, masks, what is refused. Values stand in test_torch_layers.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, OperationError, ShapeError
from dovetail.extend import definitions

RECURRENT = [
    pytest.param(dt.layers.LSTM, 2, id="lstm"),
    pytest.param(dt.layers.GRU, 1, id="gru"),
    pytest.param(dt.layers.SimpleRNN, 1, id="simple_rnn"),
]


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def names(layer: Any) -> list[str]:
    return [weight.op.name for weight in layer.weights]


# Recurrent layers. ---------------------------------------------------------------------------------------------------


def test_weights_of_recurrent_layers_are_named_as_in_keras() -> None:
    x = dt.ones([2, 3, 4])
    shapes = {"lstm": 20, "gru": 15, "simple_rnn": 5}
    for name, columns in shapes.items():
        getattr(dt.layers, name)(x, 5)
        found = {one.op.name: one.shape.as_list() for one in dt.global_variables() if one.op.name.startswith(name)}
        assert found[f"{name}/kernel"] == [4, columns]
        assert found[f"{name}/recurrent_kernel"] == [5, columns]
        assert found[f"{name}/bias"] == [columns]


def test_the_forget_gate_begins_open() -> None:
    x = dt.ones([2, 3, 4])
    for layer, expected in (
        (dt.layers.LSTM(2), [0, 0, 1, 1, 0, 0, 0, 0]),
        (dt.layers.LSTM(2, forget_bias=0.5), [0, 0, 0.5, 0.5, 0, 0, 0, 0]),
        (dt.layers.LSTM(2, bias_initializer="ones"), [1] * 8),
    ):
        layer(x)
        assert run(layer.bias).tolist() == expected


@pytest.mark.parametrize(("make", "states"), RECURRENT)
def test_what_recurrent_layers_return(make: Callable[..., Any], states: int, rng: np.random.Generator) -> None:
    x = dt.constant(rng.normal(size=(2, 6, 3)))
    layer = make(4, return_sequences=True, return_state=True)
    sequence, *last = layer(x)
    assert len(last) == states
    values = run([sequence, *last])
    assert values[0].shape == (2, 6, 4)
    np.testing.assert_array_equal(values[0][:, -1], values[1])
    turned = make(4, return_sequences=True, return_state=True, reverse=True, kernel_initializer="ones")
    found = run(turned(x))
    np.testing.assert_array_equal(found[0][:, 0], found[1])
    assert make(4)(x).shape == [2, 4]
    assert len(make(4, return_state=True)(x)) == 1 + states


@pytest.mark.parametrize(("make", "states"), RECURRENT)
def test_sequences_with_time_first(make: Callable[..., Any], states: int, rng: np.random.Generator) -> None:
    x = dt.constant(rng.normal(size=(2, 6, 3)))
    with dt.variable_scope("net", reuse=dt.AUTO_REUSE):
        one = make(4, return_sequences=True, name="same")(x)
        other = make(4, return_sequences=True, name="same", time_major=True)
        other.share(True)
        turned = other(dt.transpose(x, [1, 0, 2]))
    first, second = run([one, turned])
    np.testing.assert_array_equal(first, second.transpose(1, 0, 2))


@pytest.mark.parametrize(("make", "states"), RECURRENT)
def test_two_halves_are_the_whole(make: Callable[..., Any], states: int, rng: np.random.Generator) -> None:
    """The states of one call are the initial ones of the next."""
    x = dt.constant(rng.normal(size=(2, 6, 3)))
    layer = make(4, return_sequences=True, return_state=True)
    whole, *last = layer(x)
    first, *states_between = layer(x[:, :2])
    named = dict(zip(("initial_hidden", "initial_cell"), states_between, strict=False))
    second, *last_of_second = layer(x[:, 2:], **named)
    found = run([whole, dt.concat([first, second], 1), *last, *last_of_second])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    for one, other in zip(found[2 : 2 + states], found[2 + states :], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("make", "states"), RECURRENT)
def test_what_stands_beyond_a_length_has_no_effect(
    make: Callable[..., Any], states: int, reverse: bool, rng: np.random.Generator
) -> None:
    lengths = [4, 0, 2, 1]
    x, initial = rng.normal(size=(4, 4, 3)), rng.normal(size=(4, 5))
    for row, length in enumerate(lengths):
        x[row, length:] = np.nan
    layer = make(5, return_sequences=True, return_state=True, reverse=reverse)
    sequence, *last = layer(x, initial_hidden=initial, sequence_length=lengths)
    alone = [
        layer(x[row : row + 1, :length], initial_hidden=initial[row : row + 1]) for row, length in enumerate(lengths)
    ]
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found, finals, expected = session.run([sequence, last, alone])
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(found[row, :length], expected[row][0][0], rtol=1e-12)
        assert not found[row, length:].any()
        for one, other in zip(finals, expected[row][1:], strict=True):
            np.testing.assert_allclose(one[row], other[0], rtol=1e-12)


def test_gradients_of_sequences_with_lengths(rng: np.random.Generator) -> None:
    x = dt.constant(rng.normal(size=(2, 4, 3)))
    layer = dt.layers.LSTM(5, return_state=True)
    _, hidden, cell = layer(x, sequence_length=[3, 1])
    slopes = run(dt.gradients([hidden, cell], x))[0]
    assert slopes.any(axis=2).tolist() == [[True, True, True, False], [True, False, False, False]]
    alone = layer(x[:1, :3])
    (expected,) = dt.gradients(alone[1:], x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        one, other = session.run([dt.gradients([hidden, cell], x)[0], expected])
    np.testing.assert_allclose(one[0], other[0], rtol=1e-12)


def test_recurrent_layers_refuse_what_does_not_fit() -> None:
    x = dt.ones([2, 3, 4])
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.layers.lstm(dt.ones([2, 3]), 5), ShapeError, r"lstm: input 0 is float32\[2, 3\], of rank 2"),
        (lambda: dt.layers.gru(dt.ones([2, 3, 4], dt.int32), 5), DTypeError, "gru: input 0 .* a floating type"),
        (
            lambda: dt.layers.lstm(x, 5, initial_hidden=dt.ones([2, 4])),
            ShapeError,
            r"lstm: initial_hidden is float32\[2, 4\], where float32\[2, 5\] is wanted",
        ),
        (
            lambda: dt.layers.lstm(x, 5, sequence_length=[1.0, 2.0]),
            DTypeError,
            r"lstm: sequence_length is float32\[2\]; give integers",
        ),
        (
            lambda: dt.layers.simple_rnn(x, 5, sequence_length=[[1], [2]]),
            ShapeError,
            r"simple_rnn: sequence_length is int32\[2, 1\]; give one length for each sequence",
        ),
        (lambda: dt.layers.gru(x, 5, initial_cell=x), LayerError, "GRU has no argument 'initial_cell'"),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message) as caught:
            make()
        if kind is not LayerError:
            assert "test_sequences.py:" in str(caught.value)


def test_a_recurrent_network_learns_and_survives_a_file(rng: np.random.Generator, tmp_path: Path) -> None:
    """Which of two signs came first, five steps before the last."""
    signs = dt.placeholder(dt.int32, [None, 6], name="signs")
    hidden = dt.layers.lstm(dt.layers.embedding(signs, 2, 4), 8)
    scores = dt.layers.dense(hidden, 2, name="scores")
    loss = dt.losses.sparse_softmax_cross_entropy(signs[:, 0], scores)
    step = dt.train.AdamWOptimizer(0.05).minimize(loss)
    dt.set_random_seed(3)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        losses = [session.run([loss, step], {signs: rng.integers(0, 2, (32, 6))})[0] for _ in range(120)]
        assert losses[-1] < 0.1 < losses[0]
        batch = rng.integers(0, 2, (5, 6))
        expected = session.run(scores, {signs: batch})
        dt.train.Saver().save(session, str(tmp_path / "model"))
    with dt.Graph().as_default(), dt.Session() as session:
        dt.train.import_meta_graph(str(tmp_path / "model.meta")).restore(session, str(tmp_path / "model"))
        found = session.run(f"{scores.op.name}:0", {"signs:0": batch})
    np.testing.assert_array_equal(found, expected)


# Embedding. ----------------------------------------------------------------------------------------------------------


def test_only_rows_looked_up_are_changed() -> None:
    layer = dt.layers.Embedding(4, 2)
    y = layer([[0, 2], [2, 2]])
    (gradient,) = dt.gradients(y, layer.embeddings)
    assert isinstance(gradient, dt.IndexedSlices)
    step = dt.train.GradientDescentOptimizer(0.5).minimize(dt.reduce_sum(y))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(layer.embeddings)
        assert np.abs(before).max() <= 0.05
        session.run(step)
        np.testing.assert_allclose(before - session.run(layer.embeddings), [[0.5] * 2, [0] * 2, [1.5] * 2, [0] * 2])
    assert names(layer) == ["embedding/embeddings"]


def test_embeddings_refuse_what_is_no_row() -> None:
    with pytest.raises(DTypeError, match=r"embedding_lookup: the ids are float32\[2\]; use integers"):
        dt.layers.embedding([0.0, 1.0], 4, 2)
    ids = dt.placeholder(dt.int32, [None])
    y = dt.layers.embedding(ids, 4, 2)
    with pytest.raises(OperationError, match="index 4 at .1. is out of range for axis 0 of size 4"):
        run(y, {ids: [0, 4]})


# Layer normalisation. ------------------------------------------------------------------------------------------------


def test_rows_are_normalised(rng: np.random.Generator) -> None:
    x = rng.normal(3.0, 2.0, (4, 3, 5))
    last, middle, both = run([dt.layers.layer_normalization(x, axis, epsilon=0.0) for axis in (-1, 1, (1, -1))])
    for found, axes in ((last, 2), (middle, 1), (both, (1, 2))):
        np.testing.assert_allclose(found.mean(axes), 0.0, atol=1e-12)
        np.testing.assert_allclose(found.std(axes), 1.0, atol=1e-12)


def test_weights_of_layer_normalisation() -> None:
    x = dt.ones([2, 3, 4], dt.float16)
    layer = dt.layers.LayerNormalization((1, 2))
    assert layer(x).dtype is dt.float16
    assert [(one.op.name, one.shape.as_list(), one.dtype) for one in layer.weights] == [
        ("layer_normalization/gamma", [3, 4], dt.float32),
        ("layer_normalization/beta", [3, 4], dt.float32),
    ]
    for options, expected in (({"center": False}, ["n/gamma"]), ({"scale": False}, ["n/beta"])):
        dt.reset_default_graph()
        made = dt.layers.LayerNormalization(name="n", **options)
        assert not run(made(dt.ones([2, 3]))).any()
        assert names(made) == expected
    with pytest.raises(ShapeError, match=r"layer_normalization: axis 2 is out of range; the input is float32\[2, 3\]"):
        dt.layers.layer_normalization(dt.ones([2, 3]), axis=2)


def test_an_axis_before_the_last_has_weights_of_its_own(rng: np.random.Generator) -> None:
    x, gamma = rng.normal(size=(2, 3, 4)), rng.normal(size=3)
    initializer = dt.constant_initializer(gamma)
    one = dt.layers.layer_normalization(x, 1, gamma_initializer=initializer)
    other = dt.layers.layer_normalization(x.transpose(0, 2, 1), gamma_initializer=initializer)
    first, second = run([one, other])
    np.testing.assert_allclose(first, second.transpose(0, 2, 1), rtol=1e-12)


# Attention. ----------------------------------------------------------------------------------------------------------


def attention_by_hand(q: np.ndarray, k: np.ndarray, v: np.ndarray, allowed: Any) -> np.ndarray:
    scores = np.where(allowed, q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]), -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True) @ v)


def test_attention_is_a_mean_of_values_that_may_be_seen(rng: np.random.Generator) -> None:
    q, k, v = (rng.normal(size=(2, 3, size, 4)) for size in (5, 6, 6))
    mask = rng.uniform(size=(2, 1, 5, 6)) < 0.7
    mask[..., 0] = True
    past = np.tril(np.ones((5, 6), bool))
    for options, allowed in (({}, True), ({"mask": mask}, mask), ({"mask": mask, "causal": True}, mask & past)):
        found = run(dt.nn.scaled_dot_product_attention(q, k, v, **options))
        np.testing.assert_allclose(found, attention_by_hand(q, k, v, allowed), rtol=1e-10)
    nothing = run(dt.nn.scaled_dot_product_attention(q, k, v, np.zeros((1, 1, 5, 6), bool)))
    np.testing.assert_allclose(nothing, np.broadcast_to(v.mean(-2, keepdims=True), nothing.shape), rtol=1e-10)


def test_causal_attention_sees_no_future(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, None, 8])
    y = dt.layers.multi_head_attention(x, 2, causal=True)
    array = rng.normal(size=(2, 5, 8))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        whole, start = session.run(y, {x: array}), session.run(y, {x: array[:, :3]})
    np.testing.assert_allclose(whole[:, :3], start, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 5), (2, 4, 5), (2, 2, 4, 5), (1, 5), (1, 1, 1, 5)])
def test_masks_of_attention(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """What may not be seen may be anything."""
    query, key = rng.normal(size=(2, 4, 8)), rng.normal(size=(2, 5, 8))
    mask = np.ones(shape, bool)
    mask[..., 3] = False
    changed = key.copy()
    changed[:, 3] = 1e3
    layer = dt.layers.MultiHeadAttention(2)
    one, other = run([layer(query, key=keys, mask=mask) for keys in (key, changed)])
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_weights_of_attention() -> None:
    x, key, value = dt.ones([2, 3, 8]), dt.ones([2, 5, 4]), dt.ones([2, 5, 6])
    own = dt.layers.MultiHeadAttention(2, name="own")
    own(x)
    assert [(one.op.name, one.shape.as_list()) for one in own.weights] == [
        ("own/kernel", [8, 24]),
        ("own/bias", [24]),
        ("own/output_kernel", [8, 8]),
        ("own/output_bias", [8]),
    ]
    other = dt.layers.MultiHeadAttention(2, 3, 7, use_bias=False, name="other")
    assert other(x, key=key, value=value).shape == [2, 3, 7]
    assert [(one.op.name, one.shape.as_list()) for one in other.weights] == [
        ("other/query_kernel", [8, 6]),
        ("other/key_kernel", [4, 6]),
        ("other/value_kernel", [6, 6]),
        ("other/output_kernel", [6, 7]),
    ]
    # Each of the three kernels side by side has the spread that it would have on its own.
    wide = dt.layers.MultiHeadAttention(4, name="wide")
    wide(dt.ones([1, 2, 64]))
    limit = np.sqrt(6.0 / 128.0)
    assert limit * 0.99 < np.abs(run(wide.weights[0])).max() <= limit


def test_attention_drops_weights_while_training_only(rng: np.random.Generator) -> None:
    x, training = dt.constant(rng.normal(size=(2, 6, 8))), dt.placeholder_with_default(False, [])
    layer = dt.layers.MultiHeadAttention(2, dropout=0.5)
    y, plain = layer(x, training=training), layer(x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        np.testing.assert_allclose(*session.run([y, plain]), rtol=1e-12)
        assert not np.allclose(*session.run([y, plain], {training: True}))


def test_attention_refuses_what_does_not_fit() -> None:
    x = dt.ones([2, 3, 8])
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.layers.multi_head_attention(x, 3), ShapeError, "whose depth 8 does not divide into 3 heads; give"),
        (
            lambda: dt.layers.multi_head_attention(x, 2, mask=dt.ones([2, 3])),
            DTypeError,
            r"multi_head_attention: mask is float32\[2, 3\]; give truth values",
        ),
        (
            lambda: dt.layers.multi_head_attention(x, 2, mask=dt.ones([3], dt.bool)),
            ShapeError,
            r"mask is bool\[3\]; its axes should be batch and keys, or",
        ),
        (
            lambda: dt.nn.scaled_dot_product_attention(x, x, dt.ones([2, 3, 8], dt.int32)),
            DTypeError,
            r"value is int32\[2, 3, 8\], where a floating type is wanted",
        ),
        (
            lambda: dt.nn.scaled_dot_product_attention(dt.placeholder(dt.float32, [2, 3, None]), x, x),
            ShapeError,
            "whose depth is not known; give scale",
        ),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
    layer = dt.layers.MultiHeadAttention(2)
    layer(x)
    with pytest.raises(LayerError, match="was first called to attend to its own sequence only; make another"):
        layer(x, key=x)


def test_softmax_keeps_only_its_output_for_the_gradient() -> None:
    """Attention is as large as its matrices of weights: the gradient takes these and not the exponentials besides."""
    x = dt.placeholder(dt.float32, [None, 8])
    with dt.Session() as session:
        program = session.program(dt.gradients(dt.reduce_sum(dt.square(dt.nn.softmax(x))), x), {x: np.ones((2, 8))})
    sums = [one for one in program.instructions if isinstance(one.op, definitions.Sum)]
    assert len(sums) == 2


@pytest.mark.parametrize("name", ["gelu", "swish", "silu", "hard_sigmoid"])
def test_new_activations_serve_by_name(name: str) -> None:
    assert dt.layers.dense(dt.ones([2, 3]), 4, activation=name).shape == [2, 4]
    with pytest.raises(InvalidArgumentError, match="dense: units is 0"):
        dt.layers.Dense(0, activation=name)
