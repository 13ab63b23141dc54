"""Networks of sequences in ONNX: recurrent layers, attention, embeddings; which operators stand for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def session(rng: np.random.Generator) -> Iterator[Callable[[], dt.Session]]:
    """Opens a session whose variables are all random."""
    opened = []

    def begin() -> dt.Session:
        made = dt.Session()
        opened.append(made)
        made.run(dt.global_variables_initializer())
        for variable in dt.global_variables():
            variable.load(rng.normal(size=variable.shape.as_list()).astype(np.float32), made)
        return made

    yield begin
    for one in opened:
        one.close()


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def differs(path: Path, session: dt.Session, feeds: dict[dt.Tensor, np.ndarray], outputs: list[dt.Tensor]) -> float:
    """How far ONNX Runtime is from the session."""
    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = runtime.run(None, {tensor.op.name: array for tensor, array in feeds.items()})
    return max(
        float(np.abs(one - other).max(initial=0.0))
        for one, other in zip(session.run(outputs, feeds), theirs, strict=True)
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("layer", "operator", "states"),
    [(dt.layers.lstm, "LSTM", 2), (dt.layers.gru, "GRU", 1), (dt.layers.simple_rnn, "RNN", 1)],
)
def test_recurrent_layers_are_the_standards_own(
    layer: Callable[..., Any], operator: str, states: int, reverse: bool, session: Any, rng: Any, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    sequence, *last = layer(x, 5, return_sequences=True, return_state=True, reverse=reverse)
    outputs = [sequence, *(dt.identity(one) for one in last)]
    opened = session()
    report = dt.io.export_onnx(opened, [x], outputs, path)
    assert report.largest_difference < 1e-5
    assert [one["batch"] for one in report.sizes] == [1, 3, 7]
    counts = operators(path)
    assert counts[operator] == 1
    assert not {"Scan", "Loop", "MatMul", "Gemm", "Expand", "Shape"} & set(counts)
    for batch, time in ((1, 9), (4, 1), (2, 30)):
        array = rng.normal(size=(batch, time, 3)).astype(np.float32)
        assert differs(path, opened, {x: array}, outputs) < 1e-5
    shapes = {one.name: list(one.dims) for one in onnx.load(path).graph.initializer}
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator]
    scope = operator.lower() if operator != "RNN" else "simple_rnn"
    assert shapes[f"{scope}/kernel"] == [1, gates * 5, 3]
    assert shapes[f"{scope}/recurrent_kernel"] == [1, gates * 5, 5]


def test_initial_states_of_a_model_are_its_inputs(session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    h, c = (dt.placeholder(dt.float32, ["batch", 5], name=name) for name in "hc")
    y, last, cell = dt.layers.lstm(x, 5, return_state=True, initial_hidden=h, initial_cell=c)
    path = tmp_path / "model.onnx"
    outputs = {"y": y, "cell": cell}
    assert dt.io.export_onnx(session(), [x, h, c], outputs, path).largest_difference < 1e-5
    assert last is not cell
    (node,) = [one for one in onnx.load(path).graph.node if one.op_type == "LSTM"]
    assert len(node.input) == 7
    assert node.input[4] == ""


def test_a_function_of_a_recurrent_layer_takes_its_weights(session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    y = dt.layers.lstm(x, 3)
    path = tmp_path / "model.onnx"
    assert dt.io.export_onnx(session(), [x], [y], path, functions=True).largest_difference < 1e-5
    model = onnx.load(path)
    assert [node.op_type for node in model.graph.node] == ["LSTM"]
    (function,) = model.functions
    assert list(function.input)[1:] == ["kernel", "recurrent_kernel", "bias"]


OPSETS = pytest.mark.parametrize("opset", [18, 21, 23])
LENGTHS = np.array([6, 0, 3, 1])


@OPSETS
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("layer", "operator"),
    [(dt.layers.lstm, "LSTM"), (dt.layers.gru, "GRU"), (dt.layers.simple_rnn, "RNN")],
)
def test_lengths_of_sequences_are_an_input_of_the_operator(
    layer: Callable[..., Any], operator: str, reverse: bool, opset: int, session: Any, tmp_path: Path
) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    lengths = dt.placeholder(dt.int32, ["batch"], name="lengths")
    found = layer(x, 5, return_sequences=True, return_state=True, sequence_length=lengths, reverse=reverse)
    path = tmp_path / "model.onnx"
    samples = {lengths: LENGTHS, x: np.random.default_rng(1).normal(size=(4, 6, 3))}
    names = {f"y{index}": one for index, one in enumerate(found)}
    report = dt.io.export_onnx(session(), [x, lengths], names, path, sample_inputs=samples, opset=opset)
    assert report.relative_difference < 1e-5
    counts = operators(path)
    assert counts[operator] == 1
    assert not {"Scan", "Loop", "Where", "Range", "GatherND", "ReverseSequence"} & set(counts)
    (node,) = [one for one in onnx.load(path).graph.node if one.op_type == operator]
    assert node.input[4]
    direction = next(one.s for one in node.attribute if one.name == "direction")
    assert direction == (b"reverse" if reverse else b"forward")


@OPSETS
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize(
    ("make", "operator"),
    [
        (lambda: dt.layers.LSTM(4, return_sequences=True), "LSTM"),
        (lambda: dt.layers.GRU(4, return_sequences=True, return_state=True), "GRU"),
        (lambda: dt.layers.LSTM(4, return_state=True, peephole=True), "LSTM"),
        (lambda: dt.layers.SimpleRNN(4), "RNN"),
    ],
)
def test_both_directions_are_one_operator(
    make: Callable[[], Any], operator: str, lengths: bool, opset: int, session: Any, tmp_path: Path
) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    given = {x: np.random.default_rng(1).normal(size=(4, 6, 3)).astype(np.float32)}
    options = {}
    if lengths:
        options["sequence_length"] = dt.placeholder(dt.int32, ["batch"], name="lengths")
        given[options["sequence_length"]] = LENGTHS
    found = dt.layers.bidirectional(x, make(), **options)
    outputs = {f"y{index}": one for index, one in enumerate(found if isinstance(found, tuple) else [found])}
    path = tmp_path / "model.onnx"
    report = dt.io.export_onnx(session(), list(given), outputs, path, sample_inputs=given, opset=opset)
    assert report.relative_difference < 1e-5
    counts = operators(path)
    assert counts[operator] == 1
    (node,) = [one for one in onnx.load(path).graph.node if one.op_type == operator]
    assert next(one.s for one in node.attribute if one.name == "direction") == b"bidirectional"
    assert not {"Scan", "Where", "ReverseSequence"} & set(counts)
    assert counts["Transpose"] <= 2


def test_a_sequence_both_ways_is_two_transpositions_and_a_reshape(session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    y = dt.layers.bidirectional(x, dt.layers.LSTM(4, return_sequences=True))
    path = tmp_path / "model.onnx"
    dt.io.export_onnx(session(), [x], [y], path)
    assert operators(path) == {"Transpose": 2, "LSTM": 1, "Reshape": 1}


def test_what_the_operator_does_not_give_is_a_loop(session: Any, tmp_path: Path) -> None:
    """The state after the steps beyond a length, beside that within; and half types."""
    x = dt.placeholder(dt.float32, ["batch", 6, 3], name="x")
    lengths = dt.placeholder(dt.int32, ["batch"], name="lengths")
    y = dt.layers.lstm(x, 5, return_state=True, sequence_length=lengths, recurrent_activation=dt.nn.hard_sigmoid)
    path = tmp_path / "model.onnx"
    opened = session()
    samples = {lengths: LENGTHS}
    names = {f"y{index}": dt.identity(one) for index, one in enumerate(y)}
    assert dt.io.export_onnx(opened, [x, lengths], names, path, sample_inputs=samples).relative_difference < 1e-5
    assert operators(path)["Scan"] == 1
    half = dt.placeholder(dt.float16, ["batch", "time", 3], name="half")
    y = dt.layers.gru(half, 4)
    opened.run(dt.variables_initializer([one for one in dt.global_variables() if one.op.name.startswith("gru")]))
    dt.io.export_onnx(opened, [half], [y], path)
    assert operators(path)["Scan"] == 1


@OPSETS
def test_masked_sequences_and_cells_with_lengths(opset: int, session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", 6, 3], name="x")
    lengths = dt.placeholder(dt.int64, ["batch"], name="lengths")
    cell = dt.nn.rnn_cell.MultiRNNCell([dt.nn.rnn_cell.LSTMCell(4), dt.nn.rnn_cell.GRUCell(5)])
    outputs, states = dt.nn.dynamic_rnn(cell, x, lengths, dtype=dt.float32)
    masked = dt.layers.gru(x, 4, return_sequences=True, mask=dt.sequence_mask(lengths, 6))
    path = tmp_path / "model.onnx"
    flat = [outputs, masked, *states[0], states[1]]
    names = {f"y{index}": one for index, one in enumerate(flat)}
    report = dt.io.export_onnx(session(), [x, lengths], names, path, sample_inputs={lengths: LENGTHS}, opset=opset)
    assert report.relative_difference < 1e-5
    counts = operators(path)
    assert (counts["LSTM"], counts["GRU"], counts["Scan"]) == (1, 2, 0)


def test_a_gradient_through_a_recurrent_layer_is_exported_as_loops(session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    (slope,) = dt.gradients(dt.reduce_sum(dt.layers.lstm(x, 4)), x)
    path = tmp_path / "model.onnx"
    assert dt.io.export_onnx(session(), [x], {"slope": slope}, path).largest_difference < 1e-4
    assert operators(path)["Scan"] == 2


def test_a_transformer_of_any_batch_and_length(session: Any, rng: np.random.Generator, tmp_path: Path) -> None:
    words = dt.placeholder(dt.int32, ["batch", "time"], name="words")
    x = dt.layers.embedding(words, 7, 8)
    x = x + dt.layers.multi_head_attention(dt.layers.layer_normalization(x), 2, causal=True)
    hidden = dt.layers.dense(dt.layers.layer_normalization(x), 16, activation=dt.nn.gelu)
    y = dt.layers.dense(x + dt.layers.dense(hidden, 8), 7)
    path = tmp_path / "model.onnx"
    opened = session()
    samples = {words: rng.integers(0, 7, (3, 5))}
    report = dt.io.export_onnx(opened, [words], [y], path, sample_inputs=samples)
    assert report.largest_difference < 1e-4
    counts = operators(path)
    assert (counts["LayerNormalization"], counts["Softmax"], counts["Gelu"], counts["Transpose"]) == (2, 1, 1, 4)
    # Products take any rank, so that only heads are reshaped; what is the same is computed once.
    assert (counts["MatMul"], counts["Reshape"], counts["Shape"], counts["Concat"]) == (7, 4, 1, 0)
    for batch, time in ((1, 9), (4, 1)):
        assert differs(path, opened, {words: rng.integers(0, 7, (batch, time)).astype(np.int32)}, [y]) < 1e-4


@pytest.mark.parametrize(
    ("make", "counts"),
    [
        (lambda cells: cells.GRUCell(5), {"GRU": 1}),
        (lambda cells: cells.BasicLSTMCell(5), {"LSTM": 1}),
        (lambda cells: cells.LSTMCell(5, use_peepholes=True), {"LSTM": 1}),
        (lambda cells: cells.MultiRNNCell([cells.BasicRNNCell(4), cells.LSTMCell(5)]), {"RNN": 1, "LSTM": 1}),
        (lambda cells: cells.LSTMCell(5, num_proj=4), {"Scan": 1}),
    ],
)
def test_cells_are_the_standards_own_where_it_has_them(
    make: Callable[[Any], Any], counts: dict[str, int], session: Any, tmp_path: Path
) -> None:
    x = dt.placeholder(dt.float32, ["batch", "time", 3], name="x")
    outputs, _ = dt.nn.dynamic_rnn(make(dt.nn.rnn_cell), x)
    path = tmp_path / "model.onnx"
    assert dt.io.export_onnx(session(), [x], [outputs], path).largest_difference < 1e-5
    found = operators(path)
    assert {name: found[name] for name in ("GRU", "LSTM", "RNN", "Scan", "Loop") if found[name]} == counts


def test_a_transformer_of_two_halves_is_exported(session: Any, rng: np.random.Generator, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", "keys", 8], name="x")
    before = dt.placeholder(dt.float32, ["batch", "time", 8], name="before")
    memory = dt.layers.transformer_block(x + dt.nn.sinusoidal_encoding(dt.range(dt.shape(x)[1]), 8), 4, key_heads=2)
    y = dt.layers.transformer_block(before, 2, causal=True, memory=memory, rotary=True, normalize_first=True)
    path = tmp_path / "model.onnx"
    opened = session()
    assert dt.io.export_onnx(opened, [x, before], [y], path).largest_difference < 1e-4
    for batch, keys, time in ((1, 9, 4), (4, 1, 6)):
        feeds = {x: rng.normal(size=(batch, keys, 8)), before: rng.normal(size=(batch, time, 8))}
        assert differs(path, opened, {name: array.astype(np.float32) for name, array in feeds.items()}, [y]) < 1e-4


def test_an_exported_ctc_loss(session: Any, tmp_path: Path) -> None:
    logits = dt.placeholder(dt.float32, ["time", "batch", 4], name="logits")
    labels = dt.placeholder(dt.int32, ["batch", 2], name="labels")
    lengths = dt.placeholder(dt.int32, ["batch"], name="lengths")
    loss = dt.nn.ctc_loss(labels, logits, lengths)
    path = tmp_path / "model.onnx"
    samples = {logits: np.zeros((5, 3, 4)), labels: np.array([[1, 1], [2, -1], [0, 2]]), lengths: np.array([5, 4, 2])}
    assert dt.io.export_onnx(session(), [labels, logits, lengths], [loss], path, sample_inputs=samples).verified_by
    assert operators(path)["Scan"] == 1


def test_walks_one_after_the_other_in_turn_backwards_and_forwards(session: Any, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", 6, 3], name="x")
    lengths = dt.placeholder(dt.int32, ["batch"], name="lengths")
    y = x
    for reverse in (True, False, True):
        y = dt.layers.lstm(y, 3, return_sequences=True, sequence_length=lengths, reverse=reverse)
    path = tmp_path / "model.onnx"
    report = dt.io.export_onnx(session(), [x, lengths], [y], path, sample_inputs={lengths: LENGTHS})
    assert report.relative_difference < 1e-5
    walks = [node for node in onnx.load(path).graph.node if node.op_type == "LSTM"]
    directions = [one.s for node in walks for one in node.attribute if one.name == "direction"]
    assert directions == [b"reverse", b"forward", b"reverse"]
    assert not operators(path)["ReverseSequence"]
