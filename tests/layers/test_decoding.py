"""Beam search beside all sequences, and sampling beside probabilities."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

WORDS, END = 4, 3


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def logarithms(scores: np.ndarray) -> np.ndarray:
    return np.asarray(scores - np.log(np.exp(scores).sum(-1, keepdims=True)))


def every_sequence(table: np.ndarray, row: int, steps: int, penalty: float) -> list[tuple[float, list[int]]]:
    """All sequences with their scores, the best first; what follows depends on the row and the last two tokens."""
    found = {}
    for path in itertools.product(range(WORDS), repeat=steps):
        length = path.index(END) if END in path else steps
        kept = [*path[:length], *[END] * (steps - length)]
        before, last, total = 0, 0, 0.0
        for token in kept[: length + 1]:
            total += logarithms(table[row, before, last])[token]
            before, last = last, token
        found[tuple(kept)] = total / ((5.0 + length) / 6.0) ** penalty
    return sorted(((score, list(path)) for path, score in found.items()), reverse=True)


def step_of(table: np.ndarray) -> Callable[[dt.Tensor, Any], Any]:
    """A network that looks up: its state is the row of the batch and the token before the last."""

    def step(tokens: dt.Tensor, state: Any) -> Any:
        places = dt.stack([state["row"], state["before"], tokens], axis=1)
        return dt.gather_nd(dt.constant(table), places), {"row": state["row"], "before": tokens}

    return step


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_sequences(penalty: float, rng: np.random.Generator) -> None:
    table = rng.normal(size=(2, WORDS, WORDS, WORDS))
    state = {"row": dt.constant([0, 1]), "before": dt.constant([0, 0])}
    found = dt.nn.beam_search(step_of(table), state, [0, 0], END, 3, beam_width=64, length_penalty=penalty)
    tokens, scores, lengths = run(found)
    for row in range(2):
        expected = every_sequence(table, row, 3, penalty)
        for place, (score, path) in enumerate(expected[:10]):
            assert tokens[row, place].tolist() == path
            np.testing.assert_allclose(scores[row, place], score, rtol=1e-5)
            assert lengths[row, place] == (path.index(END) if END in path else 3)


def test_a_narrow_beam_and_any_batch(rng: np.random.Generator) -> None:
    table = rng.normal(size=(3, WORDS, WORDS, WORDS))
    rows = dt.placeholder(dt.int32, [None])
    state = {"row": rows, "before": dt.zeros_like(rows)}
    greedy = dt.nn.beam_search(step_of(table), state, dt.zeros_like(rows), END, 6, beam_width=1)
    best = dt.nn.sample_sequences(step_of(table), state, dt.zeros_like(rows), END, 6, temperature=0.0)
    wider = dt.nn.beam_search(step_of(table), state, dt.zeros_like(rows), END, 6, beam_width=3)
    for batch in ([0, 1, 2], [2]):
        one, other, beams = run([greedy, best, wider], {rows: batch})
        np.testing.assert_array_equal(one.tokens[:, 0], other.tokens)
        np.testing.assert_array_equal(one.lengths[:, 0], other.lengths)
        assert (np.diff(beams.scores, axis=1) <= 0.0).all()
        assert (beams.scores[:, 0] >= one.scores[:, 0] - 1e-5).all()


def test_the_search_ends_when_all_beams_have() -> None:
    """What would be written after the end is not asked for."""
    calls = dt.get_variable("calls", [], dt.int32, dt.zeros_initializer(), trainable=False)

    def step(tokens: dt.Tensor, state: Any) -> Any:
        counted = dt.assign_add(calls, 1)
        with dt.control_dependencies([counted]):
            return dt.constant([[0.0, 50.0]]) + 0.0 * dt.cast(dt.expand_dims(tokens, 1), dt.float32), state

    found = dt.nn.sample_sequences(step, dt.zeros([1]), [0], 1, 20)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(found.tokens).tolist() == [[1] * 20]
        assert session.run(calls) == 1


def test_a_cell_writes(rng: np.random.Generator) -> None:
    """A network that learned to count down is searched and sampled from."""
    words = np.array([[4, 3, 2, 1, 0, 5], [2, 1, 0, 5, 5, 5]])
    cell, table = dt.nn.rnn_cell.GRUCell(24), dt.layers.Embedding(6, 8)

    def step(tokens: dt.Tensor, state: Any) -> Any:
        output, after = cell(table(tokens), state)
        return dt.layers.dense(output, 6, name="head", reuse=dt.AUTO_REUSE), after

    starts = dt.one_hot([0, 1], 24)
    found = dt.nn.beam_search(step, starts, [5, 5], 5, 6, beam_width=3)
    outputs, _ = dt.nn.dynamic_rnn(cell, table(np.concatenate([np.full((2, 1), 5), words[:, :-1]], 1)), None, starts)
    loss = dt.losses.sparse_softmax_cross_entropy(words, dt.layers.dense(outputs, 6, name="head", reuse=True))
    train = dt.train.AdamOptimizer(0.05).minimize(loss)
    assert len(dt.trainable_variables()) == 7
    drawn = dt.nn.sample_sequences(step, starts, [5, 5], 5, 6, temperature=0.1)
    dt.set_random_seed(2)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(60):
            session.run(train)
        assert session.run(found.tokens)[:, 0].tolist() == words.tolist()
        assert session.run(found.lengths)[:, 0].tolist() == [5, 3]
        assert session.run(drawn.tokens).tolist() == words.tolist()


def test_what_is_drawn_from_scores() -> None:
    chances = np.array([0.5, 0.25, 0.15, 0.1])
    logits = np.tile(np.log(chances), (4000, 1))
    for options, expected in (
        ({}, chances),
        ({"temperature": 0.5}, chances**2 / (chances**2).sum()),
        ({"top_k": 2}, [2 / 3, 1 / 3, 0.0, 0.0]),
        ({"top_p": 0.7}, [2 / 3, 1 / 3, 0.0, 0.0]),
        ({"top_p": 0.4}, [1.0, 0.0, 0.0, 0.0]),
        ({"top_k": 3, "top_p": 1.0}, [5 / 9, 2.5 / 9, 1.5 / 9, 0.0]),
        ({"temperature": 0.0}, [1.0, 0.0, 0.0, 0.0]),
    ):
        drawn = run(dt.nn.sample_from_logits(logits, seed=3, **options))
        shares = np.bincount(drawn, minlength=4) / len(drawn)
        np.testing.assert_allclose(shares, expected, atol=0.04)
        assert not shares[np.asarray(expected) == 0.0].any()


def test_what_is_refused() -> None:
    state = dt.zeros([2, 3])

    def step(tokens: dt.Tensor, state: Any) -> Any:
        return dt.zeros([dt.shape(tokens)[0], 4]), state

    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.nn.beam_search(step, state, [0, 0], 1, 5, beam_width=0), InvalidArgumentError, "beam_width is 0"),
        (lambda: dt.nn.beam_search(step, state, [0, 0], 1, 0), InvalidArgumentError, "beam_search: max_steps is 0"),
        (lambda: dt.nn.beam_search(step, state, [[0, 0]], 1, 5), ShapeError, r"start_tokens is int32\[1, 2\]"),
        (lambda: dt.nn.sample_sequences(step, state, [0.0], 1, 5), DTypeError, r"start_tokens is float32\[1\]"),
        (
            lambda: dt.nn.sample_sequences(lambda tokens, state: (dt.zeros([2, 4]), [state]), state, [0, 0], 1, 5),
            InvalidArgumentError,
            "sample_sequences: the structures of the state before a step and after it differ",
        ),
        (
            lambda: dt.nn.sample_sequences(lambda tokens, state: (dt.zeros([2]), state), state, [0, 0], 1, 5),
            ShapeError,
            r"the scores are float32\[2\]; their axes should be batch and words",
        ),
        (lambda: dt.nn.sample_from_logits([[1, 2]]), DTypeError, r"sample_from_logits: the scores are int32\[1, 2\]"),
        (lambda: dt.nn.sample_from_logits([[1.0]], temperature=-1.0), InvalidArgumentError, "temperature is -1"),
        (lambda: dt.nn.sample_from_logits([[1.0]], top_k=0), InvalidArgumentError, "top_k is 0; it must be positive"),
        (lambda: dt.nn.sample_from_logits([[1.0]], top_p=0.0), InvalidArgumentError, "top_p is 0; it must be above 0"),
    ]  # fmt: skip
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
