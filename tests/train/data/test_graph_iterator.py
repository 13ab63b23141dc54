"""Datasets that feed a graph, as the programs of TensorFlow 1 have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as tf
from dovetail.errors import (
    DataError,
    FailedPreconditionError,
    InvalidArgumentError,
    OperationError,
    OutOfRangeError,
)


def test_a_one_shot_iterator_trains_until_the_data_end() -> None:
    x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(-1, 1)
    dataset = tf.data.Dataset.from_tensor_slices((x, 3 * x + 1)).shuffle(40, seed=1).repeat(20).batch(8)
    features, labels = dataset.make_one_shot_iterator().get_next()
    assert features.shape.as_list() == [None, 1]
    predictions = tf.layers.dense(features, 1)
    loss = tf.losses.mean_squared_error(labels, predictions)
    train = tf.train.GradientDescentOptimizer(0.3).minimize(loss)
    steps = 0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with pytest.raises(OutOfRangeError, match="End of sequence: the data have ended"):  # noqa: PT012 - the loop ends
            while True:
                last, _ = session.run([loss, train])
                steps += 1
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(loss)
    assert steps == 100
    assert last < 1e-3


def test_one_run_reads_one_element() -> None:
    element = tf.data.range(10).map(lambda n: {"n": n, "twice": 2 * n}).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        for n in range(3):
            both, total = session.run([element, element["n"] + element["twice"]])
            assert (both, total) == ({"n": n, "twice": 2 * n}, 3 * n)


def test_the_initializer_takes_what_placeholders_are_fed() -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.placeholder(tf.int64, [None])
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).map(lambda x, y: (x * 2.0, tf.one_hot(y, 3))).batch(2)
    assert dataset.element_spec == (
        tf.data.TensorSpec([None, 2], tf.float32),
        tf.data.TensorSpec([None, 3], tf.float32),
    )
    iterator = dataset.make_initializable_iterator()
    rows, one_hot = iterator.get_next()
    with tf.Session() as session:
        with pytest.raises(FailedPreconditionError, match="the iterator has not begun; run its initializer"):
            session.run(rows)
        for size in (3, 5):
            session.run(iterator.initializer, {x: np.ones([size, 2]), y: np.arange(size) % 3})
            found = []
            with pytest.raises(OutOfRangeError):  # noqa: PT012 - the loop ends
                while True:
                    found.append(session.run([rows, one_hot]))
            assert sum(len(one[0]) for one in found) == size
            assert found[0][0].tolist() == [[2, 2], [2, 2]]
            assert found[0][1].tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(InvalidArgumentError, match="the dataset is made of tensors, which have to be fed"):
        dataset.make_one_shot_iterator()
    with pytest.raises(InvalidArgumentError, match="whose values only a run of a session tells"):
        list(tf.data.Dataset.from_tensor_slices(x))
    with pytest.raises(
        DataError, match="the dataset is made of tensors and the function works on arrays; give element"
    ):
        _ = tf.data.Dataset.from_tensor_slices(x).map(lambda row: np.flip(np.asarray(row, float))).element_spec


def test_a_reinitializable_iterator_changes_data() -> None:
    train = tf.data.Dataset.from_tensor_slices(np.arange(4.0)).shuffle(4, seed=1).batch(2)
    test = tf.data.Dataset.from_tensor_slices(np.array([7.0])).batch(2)
    iterator = tf.data.Iterator.from_structure(train.output_types, train.output_shapes)
    element = iterator.get_next()
    first, second = iterator.make_initializer(train), iterator.make_initializer(test)
    with tf.Session() as session:
        seen = []
        for _ in range(2):
            session.run(first)
            seen.append(np.concatenate([session.run(element), session.run(element)]).tolist())
            session.run(second)
            assert session.run(element).tolist() == [7.0]
        assert sorted(seen[0]) == sorted(seen[1]) == [0, 1, 2, 3]
        assert seen[0] != seen[1]
    with pytest.raises(DataError, match=r"make_initializer: the array is int64\[\], where the iterator gives float64"):
        iterator.make_initializer(tf.data.range(3))
    with pytest.raises(DataError, match="elements are a tuple of 2, where the iterator gives one array"):
        iterator.make_initializer(tf.data.zip((train, test)))
    with pytest.raises(InvalidArgumentError, match="this iterator has no initializer"):
        _ = iterator.initializer


def test_strings_and_sizes_that_differ() -> None:
    words = ["a", "bb", "ccc"]
    dataset = tf.data.from_arrays((np.array(words), np.array([1, 2, 3]))).map(lambda w, n: (w, np.ones(n))).pad_batch(2)
    text, ones = dataset.make_one_shot_iterator().get_next()
    length = tf.shape(ones)[1]
    with tf.Session() as session:
        assert [one.tolist() for one in session.run([text, length])] == [[b"a", b"bb"], 2]
        assert [one.tolist() for one in session.run([text, length])] == [[b"ccc"], 3]


def test_what_goes_wrong_in_the_pipeline_is_told() -> None:
    element = tf.data.range(3).map(lambda n: 1 // (1 - int(n))).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(element)
        with pytest.raises(OperationError, match="raised ZeroDivisionError at element 1"):
            session.run(element)
    ragged = tf.data.from_generator(lambda: iter([[1], [1, 2]])).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(ragged)
        with pytest.raises(OperationError, match=r"get_next: the element is int32\[2\], where others are int32\[1\]"):
            session.run(ragged)


def test_monitored_sessions_end_with_the_data() -> None:
    element = tf.data.range(5).make_one_shot_iterator().get_next()
    total = tf.Variable(np.int64(0), name="total")
    add = tf.assign_add(total, element)
    step = tf.train.get_or_create_global_step()
    count = tf.assign_add(step, 1)
    seen = []
    with tf.train.MonitoredTrainingSession() as session:
        while not session.should_stop():
            seen.append(int(session.run([add, count])[0]))
    assert seen == [0, 1, 3, 6, 10]


def test_checkpoints_keep_the_place_in_the_data(tmp_path: Path) -> None:
    def build() -> tuple[Any, Any, Any]:
        tf.reset_default_graph()
        dataset = tf.data.range(50).shuffle(10, seed=3).random_map(lambda n, rng: n + rng.random(), seed=4, threads=2)
        iterator = dataset.repeat().batch(7).prefetch(2).make_one_shot_iterator()
        element = iterator.get_next()
        total = tf.Variable(np.float64(0), name="total")
        step = tf.assign_add(total, tf.reduce_sum(element))
        return iterator, element, step

    iterator, element, step = build()
    saver = tf.train.Saver(stateful={"input": iterator})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(9):
            session.run(step)
        path = saver.save(session, tmp_path / "model", write_meta_graph=False)
        expected = [session.run([element, step]) for _ in range(9)]
    iterator, element, step = build()
    saver = tf.train.Saver(stateful={"input": iterator})
    with tf.Session() as session:
        saver.restore(session, path)
        for batch, total in expected:
            again, now = session.run([element, step])
            assert again.tolist() == batch.tolist()
            assert now == total
    iterator.restore(None)
    waiting = tf.data.Iterator.from_structure(tf.int64, [])
    assert waiting.state() is None
    with pytest.raises(InvalidArgumentError, match="restore: the iterator has not begun; run its initializer first"):
        waiting.restore(iterator.state())


def test_names_that_tensorflow_programs_ask_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    files = tf.data.Dataset.list_files(str(tmp_path / "*.txt"), seed=1)
    lines = files.flat_map(lambda name: tf.data.TextLineDataset(name))
    assert list(lines.as_numpy_iterator()) == ["one", "two"]
    with pytest.raises(InvalidArgumentError, match="list_files: no file matches '.*none'"):
        tf.data.Dataset.list_files(str(tmp_path / "none"))
    fused = tf.data.range(9).apply(tf.data.experimental.shuffle_and_repeat(9, 2, seed=1))
    fused = fused.apply(
        tf.data.experimental.map_and_batch(lambda n: n + 1, 4, num_parallel_calls=tf.data.experimental.AUTOTUNE)
    )
    assert tf.data.experimental.cardinality(fused) == 5
    assert tf.data.experimental.cardinality(fused.repeat()) == tf.data.experimental.INFINITE_CARDINALITY
    assert tf.data.experimental.cardinality(lines) == tf.data.experimental.UNKNOWN_CARDINALITY
    assert sorted(int(n) for n in fused.apply(tf.data.experimental.unbatch())) == sorted([*range(1, 10)] * 2)
    assert tf.data.get_output_types(fused) is tf.int64
    assert tf.data.get_output_shapes(fused).as_list() == [None]
    iterator = tf.data.make_initializable_iterator(fused)
    element = iterator.get_next()
    assert tf.data.get_output_shapes(iterator).as_list() == [None]
    with tf.Session() as session:
        session.run(iterator.initializer)
        assert session.run(element).shape == (4,)
        assert session.run(tf.data.make_one_shot_iterator(fused).get_next()).shape == (4,)


def test_a_graph_with_an_iterator_is_saved_and_restored(tmp_path: Path) -> None:
    x = tf.data.from_arrays(np.arange(6.0, dtype=np.float32)).batch(2).make_one_shot_iterator().get_next("x")
    w = tf.Variable(2.0, name="w")
    tf.multiply(w, x, name="y")
    with tf.Session() as session:
        session.run(w.initializer)
        assert session.run("y:0").tolist() == [0.0, 2.0]
        path = tf.train.Saver().save(session, tmp_path / "model")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(path + ".meta").restore(session, path)
        assert session.run("y:0", {"x:0": [5.0, 7.0]}).tolist() == [10.0, 14.0]
        with pytest.raises(
            OperationError, match="is Python code, which the file that this graph was read from does not"
        ):
            session.run("y:0")
