"""Feature columns: what each makes of features, and what it refuses."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError, OperationError, ShapeError

column = dt.feature_column
WRONG: Any = 3


def made(features: Any, *columns: Any) -> Any:
    layer = column.input_layer(features, list(columns))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(layer)


def hashed(text: bytes, buckets: int, key: bytes = b"") -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=key).digest(), "little") % buckets


def test_numbers_are_cast_normalised_and_laid_side_by_side_by_name() -> None:
    features = {"b": np.array([[1, 2], [3, 4]]), "a": np.array([5.0, 6.0]), "c": np.arange(8.0).reshape(2, 2, 2)}
    columns = [
        column.numeric_column("c", shape=(2, 2)),
        column.numeric_column("b", shape=2, normalizer_fn=lambda x: (x - 1.0) / 2.0),
        column.numeric_column("a"),
    ]
    expected = [[5, 0, 0.5, 0, 1, 2, 3], [6, 1, 1.5, 4, 5, 6, 7]]
    assert made(features, *columns).tolist() == expected


def test_a_default_stands_for_nan() -> None:
    features = {"x": np.array([np.nan, 2.0], np.float32)}
    assert made(features, column.numeric_column("x", default_value=7.0)).tolist() == [[7.0], [2.0]]
    assert np.isnan(made(features, column.numeric_column("x"))[0, 0])


def test_buckets_are_closed_below() -> None:
    x = np.array([[-1.0, 0.0], [9.9, 10.0]], np.float32)
    buckets = column.bucketized_column(column.numeric_column("x", shape=2), [0, 10])
    assert made({"x": x}, buckets).tolist() == [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]]
    assert (buckets.num_buckets, buckets.name) == (6, "x_bucketized")


WORDS = np.array([["red", "blue"], ["blue", ""], ["pink", "pink"]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[1, 1], [0, 1], [0, 0]]),
        ({"default_value": 0}, [[1, 1], [0, 1], [2, 0]]),
        ({"num_oov_buckets": 1}, [[1, 1, 0], [0, 1, 0], [0, 0, 2]]),
    ],
)
def test_a_vocabulary_counts_what_it_lists(options: Any, expected: Any) -> None:
    listed = column.categorical_column_with_vocabulary_list("w", ["red", "blue"], **options)
    assert made({"w": WORDS}, column.indicator_column(listed)).tolist() == expected


def test_a_vocabulary_of_integers_and_one_in_a_file(tmp_path: Path) -> None:
    listed = column.categorical_column_with_vocabulary_list("n", [10, 20])
    assert made({"n": np.array([20, -1, 30], np.int32)}, column.indicator_column(listed)).tolist() == [
        [0, 1],
        [0, 0],
        [0, 0],
    ]
    (tmp_path / "words.txt").write_text("red\nblue\npink\n", encoding="utf-8")
    filed = column.categorical_column_with_vocabulary_file("w", tmp_path / "words.txt")
    assert made({"w": WORDS[:, 0]}, column.indicator_column(filed)).tolist() == np.eye(3)[[0, 1, 2]].tolist()
    two = column.categorical_column_with_vocabulary_file("w", tmp_path / "words.txt", vocabulary_size=2)
    assert two.num_buckets == 2


def test_hashes_are_the_documented_ones() -> None:
    names = column.categorical_column_with_hash_bucket("w", 7)
    found = made({"w": WORDS[:, 0]}, column.indicator_column(names))
    assert found.argmax(1).tolist() == [hashed(word.encode(), 7) for word in WORDS[:, 0]]
    numbers = column.categorical_column_with_hash_bucket("n", 7, dt.int64)
    found = made({"n": np.array([12, 345])}, column.indicator_column(numbers))
    assert found.argmax(1).tolist() == [hashed(b"12", 7), hashed(b"345", 7)]


def test_crossed_features_are_all_pairs_of_a_row() -> None:
    features = {"w": WORDS, "n": np.array([1, 2, 3])}
    crossed = column.crossed_column(["w", "n"], 11, hash_key=5)
    assert crossed.name == "n_X_w"
    found = made(features, column.indicator_column(crossed))
    expected = np.zeros((3, 11))
    for row, words in enumerate(WORDS):
        for word in words:
            if word:
                expected[row, hashed(f"{word}_X_{row + 1}".encode(), 11, (5).to_bytes(8, "little"))] += 1
    assert found.tolist() == expected.tolist()
    ranges = column.bucketized_column(column.numeric_column("x"), [0])
    both = column.crossed_column([ranges, "n"], 11)
    found = made({"x": np.array([-1.0, 2.0]), "n": np.array([1, 1])}, column.indicator_column(both))
    assert found.argmax(1).tolist() == [hashed(b"0_X_1", 11), hashed(b"1_X_1", 11)]


def test_integers_out_of_range_name_feature_row_and_value() -> None:
    ids = column.categorical_column_with_identity("n", 3)
    with pytest.raises(OperationError, match="the feature 'n' is 5 in row 1, but has 3 categories, from 0 to 2"):
        made({"n": np.array([0, 5])}, column.indicator_column(ids))
    mild = column.categorical_column_with_identity("n", 3, default_value=0)
    assert made({"n": np.array([9, -1])}, column.indicator_column(mild)).tolist() == [[1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_embeddings_are_combined_and_learned(combiner: str) -> None:
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    listed = column.categorical_column_with_vocabulary_list("w", ["red", "blue", "pink"])
    embedded = column.embedding_column(listed, 2, combiner, dt.constant_initializer(table))
    layer = column.input_layer({"w": WORDS}, [embedded])
    step = dt.train.GradientDescentOptimizer(1.0).minimize(dt.reduce_sum(layer))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found = session.run(layer)
        session.run(step)
        (after,) = session.run(dt.trainable_variables())
    scales: dict[str, Callable[[int], float]] = {"sum": lambda n: 1, "mean": lambda n: n, "sqrtn": math.sqrt}
    rows, scale = [[0, 1], [1], [2, 2]], scales[combiner]
    expected = [table[ids].sum(0) / scale(len(ids)) for ids in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    slope = np.zeros((3, 1))
    for ids in rows:
        for one in ids:
            slope[one] += 1 / scale(len(ids))
    np.testing.assert_allclose(after, table - slope, rtol=1e-6)
    assert dt.trainable_variables()[0].op.name == "input_layer/w_embedding/embedding_weights"


def test_shared_embeddings_are_one_table() -> None:
    parts = [column.categorical_column_with_identity(name, 4) for name in ("a", "b")]
    columns = column.shared_embedding_columns(parts, 3)
    found = made({"a": np.array([1]), "b": np.array([1])}, *columns)
    assert len(dt.trainable_variables()) == 1
    assert found[0, :3].tolist() == found[0, 3:].tolist()


def test_embeddings_may_begin_with_a_checkpoint(tmp_path: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as session:
        dt.get_variable("table", initializer=np.ones((4, 3), np.float32))
        session.run(dt.global_variables_initializer())
        path = dt.train.Saver().save(session, tmp_path / "model")
    part = column.categorical_column_with_identity("a", 4)
    embedded = column.embedding_column(part, 3, ckpt_to_load_from=path, tensor_name_in_ckpt="table")
    assert made({"a": np.array([2])}, embedded).tolist() == [[1, 1, 1]]
    with pytest.raises(ShapeError, match=r'"table" of the checkpoint ".*model" has shape \[4, 3\], where \[4, 2\]'):
        column.embedding_column(part, 2, ckpt_to_load_from=path, tensor_name_in_ckpt="table")


def test_a_linear_model_has_a_weight_for_each_category_and_a_bias() -> None:
    features = {"x": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32), "w": WORDS}
    listed = column.categorical_column_with_vocabulary_list("w", ["red", "blue", "pink"])
    variables: dict[Any, Any] = {}
    x = column.numeric_column("x", shape=2)
    logits = column.linear_model(features, [listed, x], units=2, cols_to_vars=variables)
    rng = np.random.default_rng(0)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert not session.run(logits).any()
        values = {}
        for key, (variable,) in variables.items():
            values[key] = rng.normal(size=variable.shape.as_list()).astype(np.float32)
            variable.load(values[key], session)
        found = session.run(logits)
    counts = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    expected = features["x"] @ values[x] + counts @ values[listed] + values["bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_variables_may_be_kept_from_learning_and_join_collections() -> None:
    part = column.embedding_column(column.categorical_column_with_identity("a", 4), 2)
    column.input_layer({"a": [1]}, [part], weight_collections=["mine"], trainable=False)
    assert not dt.trainable_variables()
    assert len(dt.get_collection("mine")) == 1


def test_strings_are_looked_up_on_the_compiling_backend_and_in_saved_graphs(tmp_path: Path) -> None:
    words = dt.placeholder(dt.string, [None], name="w")
    listed = column.categorical_column_with_vocabulary_list("w", ["red", "blue"], num_oov_buckets=2)
    layer = column.input_layer({"w": words}, [column.indicator_column(listed)])
    crossed = column.crossed_column(["w", "n"], 5)
    wide = column.linear_model({"w": words, "n": dt.constant([1, 2])}, [crossed])
    given = {words: ["blue", "mauve"]}
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        expected = session.run(layer, given)
        session.run(wide, given)
        dt.saved_model.simple_save(session, str(tmp_path / "bundle"), {"w": words}, {"y": layer})
    found = dt.saved_model.predictor(tmp_path / "bundle")({"w": ["blue", "mauve"]})["y"]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: column.numeric_column(WRONG), DTypeError, "key is 3; give the name of a feature"),
        (lambda: column.numeric_column("x", 0), InvalidArgumentError, r"shape is \[0\]"),
        (lambda: column.numeric_column("x", dtype=dt.string), DTypeError, "dtype is string"),
        (lambda: column.numeric_column("x", normalizer_fn=WRONG), DTypeError, "normalizer_fn is 3"),
        (lambda: column.bucketized_column("x", [1]), DTypeError, "the source is 'x'; give a numeric_column"),
        (lambda: column.bucketized_column(column.numeric_column("x"), [2, 1]), InvalidArgumentError, "that ascend"),
        (
            lambda: column.categorical_column_with_vocabulary_list("w", []),
            InvalidArgumentError,
            "the vocabulary of 'w' is empty",
        ),
        (
            lambda: column.categorical_column_with_vocabulary_list("w", ["a", "a"]),
            InvalidArgumentError,
            "holds b'a' twice",
        ),
        (lambda: column.categorical_column_with_vocabulary_list("w", ["a", 1]), DTypeError, "all text or all integers"),
        (
            lambda: column.categorical_column_with_vocabulary_list("w", ["a"], default_value=0, num_oov_buckets=1),
            InvalidArgumentError,
            "give one of them",
        ),
        (
            lambda: column.categorical_column_with_vocabulary_file("w", "nowhere.txt"),
            NotFoundError,
            'there is no file "nowhere.txt"',
        ),
        (lambda: column.categorical_column_with_hash_bucket("w", 0), InvalidArgumentError, "hash_bucket_size is 0"),
        (lambda: column.categorical_column_with_identity("w", 3, 3), InvalidArgumentError, "default_value is 3"),
        (lambda: column.crossed_column(["a"], 9), InvalidArgumentError, "give two features or columns"),
        (
            lambda: column.crossed_column(["a", column.categorical_column_with_hash_bucket("b", 3)], 9),
            DTypeError,
            "'b' is hashed already; give the feature 'b' itself",
        ),
        (lambda: column.indicator_column(column.numeric_column("x")), DTypeError, "is no categorical column"),
        (
            lambda: column.embedding_column(column.categorical_column_with_identity("w", 3), 0),
            InvalidArgumentError,
            "dimension is 0",
        ),
        (
            lambda: column.input_layer({"x": [1.0]}, [column.categorical_column_with_identity("x", 3)]),
            DTypeError,
            "the column 'x' is a IdentityColumn; wrap it in indicator_column or embedding_column",
        ),
        (lambda: column.input_layer({"x": [1.0]}, []), InvalidArgumentError, "feature_columns is empty"),
        (lambda: column.input_layer({"x": [1.0]}, ["x"]), DTypeError, "'x' is no feature column"),
        (lambda: column.input_layer([1.0], [column.numeric_column("x")]), DTypeError, "columns find theirs by name"),
        (
            lambda: column.input_layer({"prize": [1.0], "n": [2.0]}, [column.numeric_column("price")]),
            NotFoundError,
            "there is no feature 'price'; input_fn gives 'prize', 'n'. Did you mean 'prize'?",
        ),
        (
            lambda: column.input_layer({"x": np.zeros((2, 3))}, [column.numeric_column("x")]),
            ShapeError,
            r"whose rows are not of shape \[1\]; give numeric_column\('x', shape=\[3\]\)",
        ),
        (lambda: column.input_layer({"x": ["a"]}, [column.numeric_column("x")]), DTypeError, "'x' is text"),
        (
            lambda: column.input_layer(
                {"x": [1.5]},
                [column.indicator_column(column.categorical_column_with_vocabulary_list("x", ["a"]))],
            ),
            DTypeError,
            "the feature 'x' is float32, its vocabulary string",
        ),
        (
            lambda: column.input_layer({"x": [1.0]}, [column.numeric_column("x"), column.numeric_column("x")]),
            InvalidArgumentError,
            "two columns have the name 'x'",
        ),
        (
            lambda: column.linear_model(
                {"x": [1]}, [column.embedding_column(column.categorical_column_with_identity("x", 3), 2)]
            ),
            DTypeError,
            "'x_embedding' is a EmbeddingColumn; give the categorical column itself",
        ),
        (
            lambda: column.linear_model({"x": [1.0]}, [column.numeric_column("x")], units=0),
            InvalidArgumentError,
            "units is 0",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_vocabulary_files_that_are_wrong(tmp_path: Path) -> None:
    make = column.categorical_column_with_vocabulary_file
    (tmp_path / "words.txt").write_text("1\ntwo\n")
    with pytest.raises(FormatError, match=r"words.txt\", line 2: 'two' is no integer"):
        make("w", tmp_path / "words.txt", dtype=dt.int64)
    with pytest.raises(InvalidArgumentError, match=r"vocabulary_size is 5, but .* has 2 lines"):
        make("w", tmp_path / "words.txt", vocabulary_size=5)
    (tmp_path / "latin.txt").write_bytes(b"\xe9\n")
    with pytest.raises(FormatError, match=r"latin.txt\" is no UTF-8 text"):
        make("w", tmp_path / "latin.txt")
