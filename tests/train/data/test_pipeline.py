"""Sources in memory and transformations: what they give, in which order, and what is known of it."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DataError, DTypeError, InvalidArgumentError
from dovetail_train.data import Dataset


class Point(NamedTuple):
    x: Any
    y: Any


def numbers(dataset: Any) -> list[Any]:
    return [np.asarray(one).tolist() for one in dataset]


def test_rows_keep_their_structure() -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    dataset = dt.data.from_arrays(({"x": x, "more": Point([1, 2, 3], ["a", "b", "c"])}, np.array([True, False, True])))
    first, flag = next(iter(dataset))
    assert first["x"].tolist() == [0.0, 1.0]
    assert first["more"] == Point(1, "a")
    assert flag == np.True_
    batch, _ = next(iter(dataset.batch(2)))
    assert batch["x"].shape == (2, 2)
    assert batch["more"].x.tolist() == [1, 2]
    assert batch["more"].y.tolist() == ["a", "b"]
    spec, label = dataset.batch(2).element_spec
    assert spec["x"] == dt.data.TensorSpec([None, 2], dt.float32)
    assert spec["more"].x == dt.data.TensorSpec([None], dt.int32)
    assert spec["more"].y == dt.data.TensorSpec([None], dt.string)
    assert label == dt.data.TensorSpec([None], dt.bool)
    assert dataset.batch(2).output_types[1] is dt.bool
    assert list(dt.data.from_arrays([1, 2], [3.0, 4.0])) == [(1, 3.0), (2, 4.0)]
    assert dataset.batch(2, drop_remainder=True).output_shapes[0]["x"].as_list() == [2, 2]


def test_rows_cannot_be_written_to_and_batches_can() -> None:
    x = np.zeros((4, 2))

    def in_place(row: Any) -> Any:
        row += 1
        return row

    with pytest.raises(DataError, match=r"map: .*in_place raised ValueError at element 0 \(row 0\): .*read-only"):
        next(iter(dt.data.from_arrays(x).map(in_place)))
    for chain in (dt.data.from_arrays(x).batch(3), dt.data.from_arrays(x).shuffle(seed=1).batch(3)):
        batch = next(iter(chain))
        batch += 1
    assert not x.any()


def test_batches() -> None:
    data = dt.data.range(10)
    assert numbers(data.batch(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert numbers(data.batch(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert numbers(data.batch(4).unbatch()) == list(range(10))
    assert numbers(data.repeat(2).batch(7)) == [[*range(7)], [7, 8, 9, 0, 1, 2, 3], [4, 5, 6, 7, 8, 9]]
    assert numbers(data.take(0).batch(3)) == []
    assert len(data.batch(4)) == 3
    assert len(data.batch(4, drop_remainder=True)) == 2


def test_a_batch_of_different_shapes_names_the_element() -> None:
    dataset = dt.data.from_generator(lambda: ({"x": [1] * n, "y": n} for n in (2, 2, 2, 3))).batch(3)
    dataset = dataset.take(2)
    iterator = iter(dataset)
    next(iterator)
    ragged = dt.data.from_generator(lambda: ({"x": [1] * n, "y": n} for n in (2, 2, 3, 3))).batch(3)
    with pytest.raises(DataError, match=r"batch: element 2\['x'\] has shape \[3\], where element 0\['x'\] has \[2\]"):
        next(iter(ragged))
    twice = dt.data.from_generator(lambda: iter([[1], [2], [3, 4]])).skip(1).repeat(2).batch(4)
    with pytest.raises(DataError, match=r"batch: element 1 has shape \[2\], where element 0 has \[1\]"):
        next(iter(twice))


def test_padded_batches() -> None:
    data = dt.data.from_generator(lambda: ({"words": [1.5] * n, "text": ["x"] * n} for n in (1, 3, 2)))
    batch = next(iter(data.pad_batch(3, padding_values={"words": -1, "text": "-"})))
    assert batch["words"].tolist() == [[1.5, -1, -1], [1.5] * 3, [1.5, 1.5, -1]]
    assert batch["words"].dtype == np.float32
    assert batch["text"].tolist() == [["x", "-", "-"], ["x"] * 3, ["x", "x", "-"]]
    words = data.map(lambda one: one["words"])
    assert words.padded_batch(2, padded_shapes=[4]).element_spec == dt.data.TensorSpec([None, 4], dt.float32)
    assert [one.shape for one in words.padded_batch(2, [4])] == [(2, 4), (1, 4)]
    assert words.pad_batch(2, [-1], drop_remainder=True).element_spec == dt.data.TensorSpec([2, None], dt.float32)
    with pytest.raises(DataError, match=r"element 1 has shape \[3\], which axis 0 of padded_shapes, 2, is too"):
        list(words.pad_batch(2, [2]))
    with pytest.raises(DataError, match=r"element 0 has shape \[1\], of 1 axes, where 2 are wanted"):
        list(words.pad_batch(2, [None, 2]))
    with pytest.raises(InvalidArgumentError, match="padding_values is {'word': 1}, where elements are a dict"):
        list(data.pad_batch(2, padding_values={"word": 1}))


def test_parts() -> None:
    data = dt.data.range(10)
    stream = data.filter(lambda n: True)
    for one in (data, stream):
        assert numbers(one.take(3)) == [0, 1, 2]
        assert numbers(one.take(-1)) == list(range(10))
        assert numbers(one.skip(8)) == [8, 9]
        assert numbers(one.skip(-1)) == []
        assert numbers(one.skip(20)) == []
        assert numbers(one.shard(3, 1)) == [1, 4, 7]
        assert numbers(one.shard(num_shards=3, index=2)) == [2, 5, 8]
        assert numbers(one.shard(index=2, count=3)) == numbers(one.shard(2, 3)) == [2, 5, 8]
        assert numbers(one.skip(2).take(5).shard(2, 1)) == [3, 5]
        assert numbers(one.skip(2).take(5).batch(2)) == [[2, 3], [4, 5], [6]]
        assert numbers(one.shard(3, 0).batch(3)) == [[0, 3, 6], [9]]
        parts = [numbers(one.shard(4, i)) for i in range(4)]
        assert sorted(itertools.chain(*parts)) == list(range(10))
    assert numbers(data.filter(lambda n: n % 3 == 0)) == [0, 3, 6, 9]
    assert [data.shard(3, 1).cardinality(), stream.shard(3, 1).cardinality(), data.repeat().skip(3).cardinality()] == [
        3,
        -2,
        -1,
    ]
    assert data.repeat().take(25).cardinality() == 25
    assert sorted(numbers(data.shard(3, 1).shuffle(seed=2))) == [1, 4, 7]


def test_joined() -> None:
    data = dt.data.range(3)
    assert list(dt.data.zip((data, {"a": data.map(lambda n: n * 10)}))) == [(n, {"a": 10 * n}) for n in range(3)]
    assert len(dt.data.zip((data, dt.data.range(2)))) == len(dt.data.zip(data, dt.data.range(2))) == 2
    assert [(a.tolist(), b.tolist()) for a, b in dt.data.zip((data, dt.data.range(2))).batch(5)] == [([0, 1], [0, 1])]
    assert numbers(data.concatenate(dt.data.range(7, 9))) == [0, 1, 2, 7, 8]
    assert len(data.concatenate(data)) == 6
    assert list(data.enumerate(start=5)) == [(5, 0), (6, 1), (7, 2)]
    assert numbers(data.flat_map(lambda n: dt.data.range(n).repeat(2))) == [0, 0, 0, 1, 0, 1]
    assert numbers(data.apply(lambda d: d.take(1))) == [0]
    one = dt.data.from_arrays({"a": [1], "b": [2.0]})
    other = dt.data.from_arrays({"b": [3.0], "a": [4]})
    assert list(one.concatenate(other)) == [{"a": 1, "b": 2.0}, {"a": 4, "b": 3.0}]
    tall, wide = (dt.data.from_arrays(np.zeros((3, *shape))) for shape in ((2, 5), (4, 5)))
    assert tall.concatenate(wide).element_spec == dt.data.TensorSpec([None, 5], dt.float64)
    assert tall.concatenate(dt.data.from_arrays(np.zeros((3, 2)))).element_spec == dt.data.TensorSpec(None, dt.float64)
    with pytest.raises(DataError, match=r"the array\['a'\] is int32\[\] in one dataset and float32\[\] in the other"):
        one.concatenate(dt.data.from_arrays({"a": [1.0], "b": [2.0]}))
    with pytest.raises(DataError, match="one array and a dict with the keys 'a', 'b'"):
        data.concatenate(one)
    with pytest.raises(DTypeError, match=r"zip: \[1\] is 5, which is no dataset"):
        dt.data.zip((data, 5))
    with pytest.raises(DataError, match="returned a float64 for element 0, where a dataset is wanted"):
        list(data.flat_map(lambda n: np.float64(n)))


def test_functions_learn_what_they_return() -> None:
    data = dt.data.from_arrays((np.zeros((5, 3)), np.arange(5)))
    assert data.map(lambda x, y: {"x": x, "y": 1.0}).element_spec == {
        "x": dt.data.TensorSpec([3], dt.float64),
        "y": dt.data.TensorSpec([], dt.float32),
    }
    assert data.batch(2).map(lambda x, y: x * 2).element_spec == dt.data.TensorSpec([None, 3], dt.float64)
    padded = (
        dt.data.from_generator(lambda: (np.ones((n, 2)) for n in (1, 5, 3)))
        .pad_batch(2, [None, 2])
        .map(lambda x: x * 2)
    )
    assert padded.element_spec == dt.data.TensorSpec([None, None, 2], dt.float64)
    said = dt.data.TensorSpec([3], dt.float64)
    called = []
    spoken = data.map(lambda x, y: called.append(y) or x, element_spec=said)
    assert spoken.element_spec == said
    assert not called
    assert len(list(spoken)) == 5
    with pytest.raises(DataError, match=r"returned for element 0 is float64\[3\], where others are float64\[4\]"):
        list(data.map(lambda x, y: x, element_spec=dt.data.TensorSpec([4], dt.float64)))
    with pytest.raises(DataError, match="there is no element that would show what .* returns; give element_spec"):
        _ = data.take(0).map(lambda x, y: x).element_spec


@pytest.mark.parametrize("threads", [1, 3])
def test_a_function_that_changes_its_mind_is_named_with_the_element(threads: int) -> None:
    data = dt.data.range(9)

    def run(function: Any) -> None:
        list(data.map(function, threads=threads))

    with pytest.raises(DataError, match=r"element 4\['a'\] is float64\[\], where others are int64\[\]. Make"):
        run(lambda n: {"a": n if n < 4 else np.float64(n)})
    with pytest.raises(DataError, match="element 4 is a dict with the keys 'b', where elements are a dict with"):
        run(lambda n: {"a": n} if n < 4 else {"b": n})
    with pytest.raises(DataError, match=r"element 5\[1\] is None; give an array"):
        run(lambda n: (n, n if n < 5 else None))
    with pytest.raises(DataError, match="for element 0 is no array: it holds a object"):
        run(lambda n: object())

    def fail(n: Any) -> Any:
        return 1 // (n - 6 if n < 6 else 0)

    def explode(n: Any) -> Any:
        if n == 6:
            raise KeyError("six")
        return n

    with pytest.raises(DataError, match=r"map: .*explode raised KeyError at element 6 \(number 6\): 'six'") as caught:
        run(explode)
    assert isinstance(caught.value.__cause__, KeyError)
    iterator = iter(data.map(explode, threads=threads))
    assert [int(next(iterator)) for _ in range(6)] == list(range(6))


def test_functions_of_tensors_are_graphs() -> None:
    x = np.arange(6, dtype=np.uint8).reshape(3, 2)
    data = dt.data.from_arrays((x, np.array([0, 2, 1])))
    mapped = data.map(lambda x, y: (dt.cast(x, dt.float32) / 2.0, dt.one_hot(y, 3)), num_parallel_calls=2)
    assert mapped.element_spec == (dt.data.TensorSpec([2], dt.float32), dt.data.TensorSpec([3], dt.float32))
    pairs = list(mapped)
    assert pairs[1][0].tolist() == [1.0, 1.5]
    assert pairs[1][1].tolist() == [0.0, 0.0, 1.0]
    assert dt.get_default_graph().get_operations() == []
    assert numbers(dt.data.range(6).filter(lambda n: dt.equal(n % 2, 0))) == [0, 2, 4]
    batches = list(data.batch(2).map(lambda x, y: {"sum": dt.reduce_sum(x), "x": x}))
    assert [int(one["sum"]) for one in batches] == [6, 9]


def test_arguments_are_checked() -> None:
    data = dt.data.range(5)
    for call, message in [
        (lambda: data.batch(0), "batch: the batch size is 0; give an integer of at least 1"),
        (lambda: data.batch(2.5), "the batch size is 2.5"),
        (lambda: data.shuffle(0), "shuffle: buffer_size is 0"),
        (lambda: data.shuffle(seed="x"), "shuffle: seed is 'x'; give an integer from 0"),
        (lambda: data.shuffle(seed=-1), "shuffle: seed is -1"),
        (lambda: data.repeat(-2), "repeat: count is -2"),
        (lambda: data.take(1.5), "take: count is 1.5"),
        (lambda: data.skip(-3), "skip: count is -3"),
        (lambda: data.shard(2, 2), "shard: index is 2; give one below num_shards, 2"),
        (lambda: data.shard(3), "shard: give how many parts there are, num_shards, and which of them, index"),
        (lambda: data.shard(3, -1), "shard: a number is -1"),
        (lambda: data.prefetch(0), "prefetch: buffer_size is 0"),
        (lambda: data.map(abs, 2, threads=2), "map: give threads or num_parallel_calls, not both"),
        (lambda: data.map(abs, threads=0), "map: threads is 0"),
        (lambda: data.concatenate([1]), r"concatenate: \[1\] is no dataset"),
        (lambda: dt.data.range(1, 5, 0), "range: .*zero"),
        (lambda: dt.data.zip(()), "zip: there are no datasets"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            call()
    with pytest.raises(DTypeError, match="map: 5 is no function"):
        data.map(5)
    for call, message in [
        (lambda: dt.data.from_arrays((np.zeros(3), np.zeros(4))), r"the value\[0\] has 3 and the value\[1\] has 4"),
        (lambda: dt.data.from_arrays({"a": 1.0}), r"the value\['a'\] is a single float32\[\], which has no rows"),
        (lambda: dt.data.from_arrays({}), "there are no arrays"),
        (lambda: dt.data.from_arrays(None), "the value is None"),
        (lambda: dt.data.from_arrays([[1], [1, 2]]), "the value is no array: .*inhomogeneous"),
    ]:
        with pytest.raises(DataError, match=message):
            call()


def test_lengths() -> None:
    data = dt.data.range(10)
    assert bool(data.take(0))
    with pytest.raises(TypeError, match="does not end, so it has no length"):
        len(data.repeat())
    with pytest.raises(TypeError, match=r"only reading <Dataset range\(0, 10, 1\) > filter> tells its length"):
        len(data.filter(bool))
    assert list(data.take(0).repeat()) == []
    assert isinstance(data, Dataset)


def test_a_generator_is_called_for_each_pass() -> None:
    calls = []

    def words() -> Any:
        calls.append(1)
        yield from (("a", 1), ("b", 2))

    data = dt.data.from_generator(words)
    assert not calls
    assert list(data.repeat(2)) == [("a", 1), ("b", 2)] * 2
    assert len(calls) == 2
    typed = dt.data.from_generator(lambda: iter([([1, 2], 3)]), (dt.float32, dt.int64), ([None], []))
    assert typed.element_spec == (dt.data.TensorSpec([None], dt.float32), dt.data.TensorSpec([], dt.int64))
    ((x, y),) = typed
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert dt.data.from_generator(lambda: iter([1]), dt.int64, ()).element_spec == dt.data.TensorSpec([], dt.int64)
    signature = {"a": dt.data.TensorSpec([2], "float32")}
    assert (
        next(iter(dt.data.from_generator(lambda: iter([{"a": [1, 2]}]), output_signature=signature)))["a"].dtype
        == np.float32
    )


def test_generators_that_fail_are_named_with_the_element() -> None:
    def early(count: int) -> Any:
        yield from range(count)
        raise OSError("the disk is gone")

    with pytest.raises(DataError, match="early raised OSError at element 2: the disk is gone") as caught:
        list(dt.data.from_generator(early, args=[2]))
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(DataError, match="ended after 3 elements, where length says 5"):
        list(dt.data.from_generator(lambda: range(3), length=5))
    with pytest.raises(DataError, match="gives more elements than length says, 2"):
        list(dt.data.from_generator(lambda: range(3), length=2))
    with pytest.raises(DataError, match=r"element 1 of .* is float32\[\], where others are int32\[\]"):
        list(dt.data.from_generator(lambda: iter([1, 2.5])))
    signature = {"a": dt.data.TensorSpec([2])}
    with pytest.raises(DataError, match=r"element 0 of .*\['a'\] is float32\[3\], where others are float32\[2\]"):
        list(dt.data.from_generator(lambda: iter([{"a": [1.0, 2, 3]}]), output_signature=signature))
    with pytest.raises(DTypeError, match=r"from_generator: range\(0, 3\) cannot be called; give a function"):
        dt.data.from_generator(range(3))
    with pytest.raises(InvalidArgumentError, match="give output_types or output_signature, not both"):
        dt.data.from_generator(list, dt.int32, output_signature=signature)
    with pytest.raises(DataError, match="'x' does not say what elements are; give dt.data.TensorSpec"):
        dt.data.from_generator(list, output_signature="x")
    with pytest.raises(DataError, match="gives no element that would show what they are; give output_signature"):
        _ = dt.data.from_generator(list).element_spec
