"""Losses and decoders of labels, losses over many classes: beside TensorFlow (tools/record_tensorflow_sequences.py)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, ShapeError

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_labels.npz")
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
SINGLE = {"rtol": 3e-5, "atol": 2e-6}  # TensorFlow computes these in float32


def recorded(case: str, kind: str) -> dict[str, np.ndarray]:
    prefix = f"{case}/{kind}:"
    return {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def check(case: str, function: Callable[..., dt.Tensor], close: dict[str, float]) -> None:
    """Compare value and gradients of a function of the recorded inputs, computed in float64."""
    tensors = {name: dt.constant(array) for name, array in recorded(case, "input").items()}
    y = function(**tensors)
    slopes = recorded(case, "gradient")
    gradients = dt.gradients(y, [tensors[name] for name in slopes], recorded(case, "cotangent")["0"])
    value, found = run([y, [dt.convert_to_tensor(one) for one in gradients]])
    np.testing.assert_allclose(value, recorded(case, "output")["0"], **close)
    for name, slope in zip(slopes, found, strict=True):
        np.testing.assert_allclose(slope, slopes[name], **close, err_msg=name)


# Connectionist temporal classification. ------------------------------------------------------------------------------

LABELS = np.array([[1, 1, 2], [0, 2, 0], [1, -1, -1], [2, 2, -1]], np.int32)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", {}),
        ("collapsed", {"preprocess_collapse_repeated": True}),
        ("unmerged", {"ctc_merge_repeated": False}),
        ("both", {"preprocess_collapse_repeated": True, "ctc_merge_repeated": False}),
        ("batch_major", {"time_major": False}),
    ],
)
def test_ctc_loss(name: str, options: dict[str, bool]) -> None:
    check(
        f"ctc_loss/{name}", lambda logits, lengths: dt.nn.ctc_loss(LABELS, logits, lengths, **options), SINGLE
    )  # fmt: skip


@pytest.mark.parametrize("blank", [0, 2, -1])
def test_ctc_loss_with_a_blank_of_ones_choice(blank: int) -> None:
    check(
        f"ctc_loss_v2/{blank}",
        lambda logits, labels, counts, lengths: dt.nn.ctc_loss_v2(labels, logits, counts, lengths, blank_index=blank),
        SINGLE,
    )


def probability_by_hand(scores: np.ndarray, labels: list[int], blank: int) -> float:
    """The sum over all paths that give the labels."""
    chances = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        merged = [one for one, before in zip(path, (None, *path), strict=False) if one != before]
        if [one for one in merged if one != blank] == labels:
            total += np.prod(chances[range(len(path)), path])
    return float(total)


def test_ctc_sums_all_paths(rng: np.random.Generator) -> None:
    logits, labels, lengths = rng.normal(size=(5, 4, 3)), [[0, 1], [1, 1], [0, 0], [0, 0]], [5, 4, 3, 2]
    found = run(dt.exp(-dt.nn.ctc_loss_v2(labels, logits, [2, 2, 1, 0], lengths, blank_index=2)))
    expected = [
        probability_by_hand(logits[:length, row], labels[row][:count], 2)
        for row, (length, count) in enumerate(zip(lengths, [2, 2, 1, 0], strict=True))
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_labels_that_do_not_fit_into_the_steps(rng: np.random.Generator) -> None:
    logits = dt.constant(rng.normal(size=(3, 2, 4)))
    for ignore, expected in ((False, np.inf), (True, 0.0)):
        loss = dt.nn.ctc_loss([[1, 1, 1], [1, -1, -1]], logits, [3, 3], ignore_longer_outputs_than_inputs=ignore)
        found, (slope,) = run([loss, dt.gradients(loss, logits)])
        assert found[0] == expected
        assert np.isfinite(found[1])
        assert not slope[:, 0].any()
        assert slope[:, 1].all()


def test_ctc_of_halves_and_of_any_size() -> None:
    logits = dt.placeholder(dt.float16, [None, None, 3])
    labels = dt.placeholder(dt.int32, [None, None])
    loss = dt.nn.ctc_loss(labels, logits, dt.fill([dt.shape(logits)[1]], dt.shape(logits)[0]))
    (slope,) = dt.gradients(loss, logits)
    assert loss.dtype is slope.dtype is dt.float16
    for time, batch, count in ((4, 2, 2), (1, 1, 0), (3, 5, 1)):
        feeds = {logits: np.zeros((time, batch, 3)), labels: np.tile(np.arange(count), (batch, 1))}
        found, grad = run([loss, slope], feeds)
        assert found.shape == (batch,)
        assert np.isfinite(found).all()
        assert np.isfinite(grad).all()


def test_a_network_learns_to_write_down_a_sequence(rng: np.random.Generator) -> None:
    """Each letter stands somewhere in its third of the steps."""
    x = dt.placeholder(dt.float32, [None, 9, 4])
    labels = dt.placeholder(dt.int32, [None, 3])
    hidden = dt.layers.bidirectional(x, dt.layers.GRU(12, return_sequences=True))
    scores = dt.transpose(dt.layers.dense(hidden, 4), [1, 0, 2])
    lengths = dt.fill([dt.shape(x)[0]], 9)
    loss = dt.reduce_mean(dt.nn.ctc_loss(labels, scores, lengths))
    step = dt.train.AdamOptimizer(0.03).minimize(loss)
    read = dt.sparse_tensor_to_dense(dt.nn.ctc_greedy_decoder(scores, lengths).decoded[0], -1)

    def batch() -> dict[Any, np.ndarray]:
        words = rng.integers(0, 3, (32, 3))
        steps = np.full((32, 9), 3)
        for third in range(3):
            steps[np.arange(32), 3 * third + rng.integers(0, 3, 32)] = words[:, third]
        return {x: np.eye(4)[steps], labels: words}

    dt.set_random_seed(5)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(150):
            session.run(step, batch())
        feeds = batch()
        found = session.run(read, feeds)[:, :3]
    assert (found == feeds[labels]).all(axis=1).mean() > 0.9


@pytest.mark.parametrize("merged", [True, False])
def test_decoders(merged: bool) -> None:
    scores, lengths = RECORDED["decoders/scores"], RECORDED["decoders/lengths"]
    (best,), total = dt.nn.ctc_greedy_decoder(scores, lengths, merge_repeated=merged)
    beams = dt.nn.ctc_beam_search_decoder(scores, lengths, 50, 3, merge_repeated=merged)
    dense = [dt.sparse_tensor_to_dense(one, default_value=-1) for one in (best, *beams.decoded)]
    found = run([*dense, total, beams.log_probability])
    for label, value in zip(("greedy", "path0", "path1", "path2", "total", "chances"), found, strict=True):
        expected = RECORDED[f"decoders/{merged}/{label}"]
        np.testing.assert_allclose(value, expected, **SINGLE, err_msg=label)


def test_the_greedy_decoder_with_another_blank() -> None:
    scores = dt.one_hot([[1], [0], [1], [1], [2]], 3)
    found = run(dt.nn.ctc_greedy_decoder(scores, [5], blank_index=0).decoded[0])
    assert found.indices.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert found.values.tolist() == [1, 1, 2]
    assert found.dense_shape.tolist() == [1, 3]


def test_sparse_labels(rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(6, 4, 4)), dt.sparse_placeholder(dt.int32)
    loss, dense = dt.nn.ctc_loss(labels, logits, [6, 5, 3, 4]), dt.nn.ctc_loss(LABELS, logits, [6, 5, 3, 4])
    value = (np.argwhere(LABELS >= 0), LABELS[LABELS >= 0], [4, 3])
    np.testing.assert_allclose(*run([loss, dense], {labels: value}), rtol=1e-12)


# Many classes. -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sampled_softmax_loss", "nce_loss"])
@pytest.mark.parametrize("hits", [True, False])
def test_losses_over_candidates(name: str, hits: bool) -> None:
    def loss(weights: Any, biases: Any, inputs: Any, truths: Any, sampled: Any, of_truths: Any, of_sampled: Any) -> Any:
        values = sampled, of_truths, of_sampled
        return getattr(dt.nn, name)(
            weights, biases, truths, inputs, 3, 7, num_true=2, sampled_values=values, remove_accidental_hits=hits
        )

    check(f"{name}/{hits}", loss, SINGLE)


@pytest.mark.parametrize("name", ["uniform_candidate_sampler", "log_uniform_candidate_sampler"])
def test_candidates(name: str) -> None:
    """Classes are drawn as often as is said."""
    sampler = getattr(dt.nn, name)
    truths = np.arange(20)[:, None]
    for unique in (True, False):
        found = sampler(truths, 1, 6, unique, 20, seed=7)
        counts, expected = np.zeros(20), np.zeros(20)
        with dt.Session() as session:
            for _ in range(500):
                drawn, of_truths, of_drawn = session.run(found)
                assert len(set(drawn)) == 6 or not unique
                np.testing.assert_allclose(of_drawn, of_truths[drawn, 0], rtol=1e-5)
                np.add.at(counts, drawn, 1.0)
                expected += of_truths[:, 0]
        # Five standard deviations of a sum of so many draws; the mean of what is expected has a deviation of its own.
        assert (np.abs(counts - expected) < 5.0 * np.sqrt(counts) + 0.02 * counts).all()
    assert found.sampled_candidates.dtype is dt.int64


def test_a_sampled_softmax_comes_near_the_whole_one() -> None:
    weights = dt.get_variable("weights", [50, 8])
    biases = dt.get_variable("biases", [50], initializer=dt.zeros_initializer())
    x, labels = dt.ones([4, 8]), dt.constant([[0], [3], [10], [40]])
    loss = dt.nn.sampled_softmax_loss(weights, biases, labels, x, 50, 50)
    whole = dt.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels[:, 0], logits=dt.matmul(x, weights, transpose_b=True)
    )
    gradient = dt.gradients(loss, weights)[0]
    assert isinstance(gradient, dt.IndexedSlices)
    one, other = run([loss, whole])
    np.testing.assert_allclose(one, other, atol=0.5)
    assert dt.nn.nce_loss(weights, biases, labels, x, 5, 50).shape == [4]


# Tables in parts, padding, sequence loss. ----------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["mod", "div"])
def test_tables_in_parts(strategy: str) -> None:
    ids = [[3, 0, 5], [6, 6, 1]]
    check(
        f"embedding_lookup/{strategy}", lambda a, b, c: dt.nn.embedding_lookup([a, b, c], ids, strategy), CLOSE
    )  # fmt: skip


def test_rows_of_limited_norm() -> None:
    ids = [[3, 0, 5], [6, 6, 1]]
    check("embedding_lookup/max_norm", lambda a: dt.nn.embedding_lookup(a, ids, max_norm=1.0), CLOSE)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
@pytest.mark.parametrize("weighted", [True, False])
def test_combined_rows(combiner: str, weighted: bool) -> None:
    places = [[0, 0], [0, 1], [2, 0], [2, 1], [2, 3]]

    def combined(table: Any, factors: Any) -> Any:
        weights = dt.SparseTensor(places, factors, [3, 4]) if weighted else None
        ids = dt.SparseTensor(places, [3, 0, 5, 6, 1], [3, 4])
        return dt.nn.embedding_lookup_sparse(table, ids, weights, combiner=combiner)

    check(f"embedding_lookup_sparse/{combiner}/{weighted}", combined, CLOSE)


def test_the_mask_of_padding(rng: np.random.Generator) -> None:
    layer = dt.layers.Embedding(5, 3, mask_zero=True)
    ids = dt.constant([[2, 4, 0], [1, 0, 0]])
    words, recurrent = layer(ids), dt.layers.LSTM(4)
    one, other = run([recurrent(words, mask=layer.compute_mask(ids)), recurrent(words, sequence_length=[2, 1])])
    np.testing.assert_allclose(one, other, rtol=1e-6)
    with pytest.raises(LayerError, match=r"embedding: compute_mask\(\) is for a layer with mask_zero=True"):
        dt.layers.Embedding(5, 3).compute_mask(ids)


def test_sequence_loss(rng: np.random.Generator) -> None:
    logits, targets = rng.normal(size=(2, 3, 4)), np.array([[0, 3, 1], [2, 2, 0]])
    weights = np.array([[1.0, 1.0, 0.5], [2.0, 0.0, 0.0]])
    losses = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
    weighted = losses * weights
    for steps, batch, expected in (
        (True, True, weighted.sum() / weights.sum()),
        (True, False, weighted.sum(1) / weights.sum(1)),
        (False, True, [weighted[:, 0].sum() / 3.0, weighted[0, 1], weighted[0, 2] / 0.5]),
        (False, False, weighted),
    ):
        np.testing.assert_allclose(run(dt.losses.sequence_loss(logits, targets, weights, steps, batch)), expected)
    ones = run(
        dt.losses.sequence_loss(logits, targets, weights, softmax_loss_function=lambda labels, logits: logits[..., 0])
    )
    np.testing.assert_allclose(ones, (logits[..., 0] * weights).sum() / weights.sum())


def test_what_is_refused() -> None:
    logits, lengths = dt.zeros([3, 2, 4]), [3, 2]
    unknown = dt.placeholder(dt.float32, [3, 2, None])
    one_word = dt.SparseTensor([[0, 0]], [0], [1, 1])
    parts = [dt.zeros([2, 3]), dt.zeros([1, 3]), dt.zeros([1, 3])]
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.nn.ctc_loss([[1]], logits), InvalidArgumentError, "ctc_loss: give labels, inputs and sequence_len"),
        (lambda: dt.nn.ctc_loss([[1], [1]], logits[0], lengths), ShapeError, "should be time, batch and classes"),
        (lambda: dt.nn.ctc_loss([[1], [1]], dt.cast(logits, dt.int32), lengths), DTypeError, "the scores are int32"),
        (lambda: dt.nn.ctc_loss([1, 1], logits, lengths), ShapeError, r"labels is int32\[2\]; its axes should"),
        (lambda: dt.nn.ctc_loss([[1.0]], logits, lengths), DTypeError, r"labels is float32\[1, 1\]; give integers"),
        (lambda: dt.nn.ctc_loss([[1], [1]], unknown, lengths), ShapeError, "whose number of classes is not known"),
        (lambda: dt.nn.ctc_loss_v2([[1], [1]], logits, [1, 1], lengths, blank_index=4), InvalidArgumentError, "is 4;"),
        (lambda: dt.nn.ctc_greedy_decoder(logits, lengths, blank_index=-5), InvalidArgumentError, "blank_index is -5"),
        (lambda: dt.nn.ctc_beam_search_decoder(logits, lengths, 2, 3), InvalidArgumentError, "top_paths is 3 and beam"),
        (
            lambda: dt.nn.uniform_candidate_sampler([[1]], 1, 5, True, 4),
            InvalidArgumentError,
            "num_sampled is 5 and range_max 4; so many different classes there are not",
        ),
        (
            lambda: dt.nn.log_uniform_candidate_sampler([[1]], 2, 3, True, 4),
            ShapeError,
            r"true_classes is int32\[1, 1\], where \[batch, 2\] is wanted",
        ),
        (lambda: dt.nn.log_uniform_candidate_sampler([[1.0]], 1, 3, True, 4), DTypeError, "give integers"),
        (lambda: dt.nn.uniform_candidate_sampler([[1]], 1, 0, True, 4), InvalidArgumentError, "num_sampled is 0"),
        (
            lambda: dt.nn.nce_loss(dt.zeros([4, 2]), dt.zeros([4]), [[1]], dt.zeros([2]), 2, 4),
            ShapeError,
            r"nce_loss: inputs is float32\[2\]; its axes should be batch and depth",
        ),
        (lambda: dt.nn.embedding_lookup(parts, [0], "hash"), InvalidArgumentError, "is 'hash'; use 'mod' or 'div'"),
        (lambda: dt.nn.embedding_lookup_sparse(parts[0], [0], None), DTypeError, "sp_ids is a list, where"),
        (
            lambda: dt.nn.embedding_lookup_sparse(parts[0], one_word, None, combiner="max"),
            InvalidArgumentError,
            "embedding_lookup_sparse: combiner is 'max'; use",
        ),
        (lambda: dt.nn.embedding_lookup([], [0]), InvalidArgumentError, "params is an empty list"),
        (
            lambda: dt.nn.embedding_lookup([parts[0], dt.zeros([1, 2])], [0]),
            ShapeError,
            r"the parts are float32\[2, 3\], float32\[1, 2\]; their numbers of rows must be known",
        ),
        (
            lambda: dt.nn.embedding_lookup(parts[::-1], [0]),
            ShapeError,
            r"the parts have \[1, 1, 2\] rows, where \[2, 1, 1\] are wanted for partition_strategy 'mod'",
        ),
        (
            lambda: dt.losses.sequence_loss(logits, dt.zeros([3, 2, 1], dt.int32), dt.ones([3, 2])),
            ShapeError,
            r"sequence_loss: targets is int32\[3, 2, 1\]; its axes should be batch and time",
        ),
    ]  # fmt: skip
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
