"""``raw_rnn`` and other functions beside what TensorFlow computed (tools/record_tensorflow_others.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import nest
from tests.layers.raw_rnn_cases import PROGRAMS

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_others.npz")


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        return session.run(fetches, feeds)


@pytest.mark.parametrize("case", PROGRAMS)
def test_values_and_gradients_are_those_of_tensorflow(case: str) -> None:
    x, lengths = dt.constant(RECORDED[f"{case}/x"]), dt.constant(RECORDED[f"{case}/lengths"])
    outputs = nest.flatten(PROGRAMS[case](dt, dt.nn.rnn_cell.BasicLSTMCell(5), x, lengths))
    variables = dt.global_variables()
    total = dt.add_n([dt.reduce_sum(one) for one in outputs if one.dtype is dt.float64])
    gradients = dt.gradients(total, [x, *variables])
    with dt.Session() as session:
        for one in variables:
            session.run(dt.assign(one, RECORDED[f"{case}/v:{one.op.name}"]))
        for number, found in enumerate(session.run(outputs)):
            np.testing.assert_allclose(found, RECORDED[f"{case}/y{number}"], rtol=1e-12, err_msg=f"y{number}")
        names = ["x", *(one.op.name for one in variables)]
        for name, found in zip(names, session.run([dt.convert_to_tensor(one) for one in gradients]), strict=True):
            np.testing.assert_allclose(found, RECORDED[f"{case}/g:{name}"], rtol=1e-10, atol=1e-12, err_msg=name)


def test_it_walks_as_dynamic_rnn_does() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3, 4))
    lengths = dt.placeholder(dt.int32, [3])
    cell = dt.nn.rnn_cell.GRUCell(5)
    emitted, state = PROGRAMS["along"](dt, cell, dt.constant(x), lengths)
    outputs, last = dt.nn.dynamic_rnn(cell, dt.constant(x), lengths, dtype=dt.float64, time_major=True)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for given in ([6, 1, 3], [2, 2, 1], [0, 0, 0]):
            steps = max(given)
            found = session.run([emitted, state, outputs[:steps], last], {lengths: given})
            np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
            np.testing.assert_allclose(found[1], found[3], rtol=1e-12)


def test_a_decoder_learns() -> None:
    """Gradients flow through what was emitted: a cell that is fed its own output learns to count up."""
    cell = dt.nn.rnn_cell.GRUCell(8)

    def step(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        if output is None:
            return dt.fill([1], False), dt.zeros([1, 8]), cell.zero_state(1, dt.float32), None, None
        return dt.fill([1], time >= 4), output, state, output, None

    emitted, _, _ = dt.nn.raw_rnn(cell, step)
    loss = dt.reduce_mean(dt.square(emitted.stack()[:, 0, 0] - [0.1, 0.2, 0.3, 0.4]))
    train = dt.train.AdamOptimizer(0.05).minimize(loss)
    dt.set_random_seed(1)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        first = session.run(loss)
        for _ in range(60):
            session.run(train)
        assert session.run(loss) < first / 20


def test_mistakes_are_named() -> None:
    cell = dt.nn.rnn_cell.GRUCell(2)

    def returning(*values: Any) -> Any:
        return lambda time, output, state, loop_state: values if output is None else (*values[:3], output, None)

    x, state = dt.zeros([1, 2]), dt.zeros([1, 2])
    with pytest.raises(DTypeError, match=r"^raw_rnn: the cell is 3, a int; give an instance of a subclass"):
        dt.nn.raw_rnn(3, returning())  # type: ignore[arg-type] # the mistake
    with pytest.raises(InvalidArgumentError, match="return five values: finished, the next input"):
        dt.nn.raw_rnn(cell, returning(x))
    with pytest.raises(DTypeError, match=r"finished is float32\[1, 2\]; return a truth value for each sequence"):
        dt.nn.raw_rnn(cell, returning(x, x, state, None, None))
    with pytest.raises(InvalidArgumentError, match="the structures of what to emit before the first step and after"):
        dt.nn.raw_rnn(cell, returning(dt.fill([1], True), x, state, (x[0], x[0]), None), scope="other")
    loose = dt.placeholder(dt.float32, [1, None])[0]
    with pytest.raises(ShapeError, match="what is emitted has shape .* all of it must be known"):
        dt.nn.raw_rnn(cell, returning(dt.fill([1], True), x, state, loose, None), scope="third")


def test_edit_distances() -> None:
    said = dt.SparseTensor(RECORDED["edit/x0"], RECORDED["edit/x1"], [2, 2, 3])
    true = dt.SparseTensor(RECORDED["edit/x2"], RECORDED["edit/x3"], [2, 2, 3])
    for number, normalize in enumerate((True, False)):
        found = dt.edit_distance(said, true, normalize)
        assert found.shape == (2, 2)
        np.testing.assert_array_equal(run(found), RECORDED[f"edit/y{number}"])
    open_ended = dt.sparse_placeholder(dt.string, [None, None])
    words = dt.SparseTensorValue(np.array([[0, 0], [0, 1], [1, 0]]), np.array([b"a", b"b", b"c"], object), [2, 2])
    truth = dt.SparseTensor([[0, 0], [1, 0]], ["a", "d"], [2, 2])
    assert run(dt.edit_distance(open_ended, truth), {open_ended: words}).tolist() == [1.0, 1.0]
    with pytest.raises(DTypeError, match=r"edit_distance: hypothesis is \[1\]; give a dt.SparseTensor"):
        dt.edit_distance([1], true)
    with pytest.raises(DTypeError, match="the hypothesis is int64 and the truth string"):
        dt.edit_distance(dt.SparseTensor([[0, 0]], np.array([1]), [1, 1]), truth)
    with pytest.raises(ShapeError, match="both must have one rank"):
        dt.edit_distance(dt.SparseTensor([[0]], ["a"], [1]), truth)


def test_bits_are_read_as_another_dtype() -> None:
    bits = RECORDED["bits/x"]
    pairs = [dt.bitcast(bits, dtype) for dtype in (dt.int32, dt.uint8, dt.int16)]
    pairs.append(dt.bitcast(bits.reshape(2, 2, 2), dt.float64))
    for number, found in enumerate(run(pairs)):
        expected = RECORDED[f"bits/y{number}"]
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ShapeError, match="2 elements along a last axis make one float64"):
        dt.bitcast(bits, dt.float64)
    with pytest.raises(DTypeError, match="bool as uint8: only numbers are read as others"):
        dt.bitcast([True], dt.uint8)


def test_gradients_of_convolutions_by_name() -> None:
    x, grad, kernel = (RECORDED[f"depthwise/{name}"] for name in ("x", "grad", "kernel"))
    steps = [1, 2, 2, 1]
    found = run(
        [
            dt.nn.depthwise_conv2d_native_backprop_filter(x, kernel.shape, grad, steps, "SAME"),
            dt.nn.depthwise_conv2d_native_backprop_input(x.shape, kernel, grad, steps, "SAME"),
            dt.nn.conv3d_backprop_filter_v2(RECORDED["volumes/x"], [2] * 5, RECORDED["volumes/grad"], [1] * 5, "VALID"),
            dt.nn.depthwise_conv2d_backprop_input(x.shape, kernel, grad, steps, "SAME", dilations=[1, 1, 1, 1]),
        ]
    )
    for one, name in zip(
        found, ("depthwise/filter", "depthwise/input", "volumes/filter", "depthwise/input"), strict=True
    ):
        np.testing.assert_allclose(one, RECORDED[name], rtol=1e-10, atol=1e-12)
    assert dt.nn.conv3d_backprop_filter is dt.nn.conv3d_backprop_filter_v2
    assert dt.nn.depthwise_conv2d_backprop_filter is dt.nn.depthwise_conv2d_native_backprop_filter


def test_accidental_hits() -> None:
    hits = run(list(dt.nn.compute_accidental_hits([[1, 5], [7, 2]], [7, 1, 9, 5], 2)))
    order = np.lexsort(hits[1::-1])
    theirs = np.lexsort([RECORDED["hits/y1"], RECORDED["hits/y0"]])
    for number, found in enumerate(hits):
        np.testing.assert_array_equal(found[order], RECORDED[f"hits/y{number}"][theirs])
    with pytest.raises(DTypeError, match="sampled_candidates is .*; give a vector of integers"):
        dt.nn.compute_accidental_hits([[1]], [1.0], 1)


def test_classes_are_drawn_as_often_as_they_are_counted(tmp_path: Path) -> None:
    counts = [5, 1, 3, 0]
    (tmp_path / "words.txt").write_text("the,5\na,1\nof,3\nno,0\n")
    for source in ({"unigrams": counts}, {"vocab_file": str(tmp_path / "words.txt")}):
        found = dt.nn.fixed_unigram_candidate_sampler(
            [[1], [3]], 1, 9000, False, 5, num_reserved_ids=1, seed=1, **source
        )
        drawn, expected, own = run(list(found))
        np.testing.assert_allclose(np.bincount(drawn, minlength=5), [0, 5000, 1000, 3000, 0], atol=200)
        np.testing.assert_allclose(expected, [[5000], [3000]], rtol=1e-5)
        np.testing.assert_allclose(own, np.array([0, 5000, 1000, 3000, 0])[drawn], rtol=1e-5)
    unique = dt.random.fixed_unigram_candidate_sampler([[1]], 1, 3, True, 4, distortion=0.5, unigrams=counts)
    assert sorted(run(unique.sampled_candidates)) == [0, 1, 2]
    for keywords, message in (
        ({}, "give the counts of classes either by vocab_file or by unigrams"),
        ({"unigrams": [1.0]}, "there are 1 counts and 0 reserved classes, and range_max is 4"),
        ({"unigrams": counts, "shard": 2, "num_shards": 2}, "shard is 2 of 2; count from 0"),
        ({"unigrams": [1, 0, 0, 0]}, "1 classes have a count above 0, and 2 shall be drawn"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            dt.nn.fixed_unigram_candidate_sampler([[1]], 1, 2, True, 4, **keywords)  # type: ignore[arg-type]


def test_what_was_right_is_drawn_more_often() -> None:
    found = dt.nn.learned_unigram_candidate_sampler([[3], [3]], 1, 2000, False, 4, seed=3)
    again = dt.random.learned_unigram_candidate_sampler([[0]], 1, 2, True, 4)
    assert again.sampled_candidates.shape == (2,)
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        for run_number in range(4):
            drawn, expected = session.run([found.sampled_candidates, found.true_expected_count])
            chance = (1 + 2 * run_number) / (4 + 2 * run_number)
            np.testing.assert_allclose(expected, np.full((2, 1), chance * 2000), rtol=1e-5)
            assert abs(np.mean(drawn == 3) - chance) < 0.05
    every = dt.random.all_candidate_sampler([[3]], 1, 4, True)
    assert run(every.sampled_expected_count).tolist() == [1.0] * 4
