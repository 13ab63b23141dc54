"""Networks of sequences run natively as a whole: no part of them, nor of their training, falls back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt

cells = dt.nn.rnn_cell


def recurrent(x: Any) -> Any:
    stacked = cells.MultiRNNCell(
        [
            cells.LSTMCell(4, use_peepholes=True, num_proj=3, cell_clip=1.0),
            cells.DropoutWrapper(cells.GRUCell(3), 0.5, 0.5, 0.5),
            cells.ResidualWrapper(cells.BasicLSTMCell(3)),
        ]
    )
    return dt.nn.dynamic_rnn(stacked, x, dt.fill([dt.shape(x)[0]], 4))[0]


def masked(x: Any) -> Any:
    mask = dt.reduce_sum(x, 2) > 0.0
    layer = dt.layers.Bidirectional(dt.layers.LSTM(4, projection=2, recurrent_dropout=0.5))
    return layer(x, mask=mask, training=True) + dt.layers.gru(x, 4, reset_after=False, mask=mask)


def transformer(x: Any) -> Any:
    memory = dt.layers.transformer_block(x, 2, dropout=0.5, training=True, key_heads=1)
    return dt.layers.transformer_block(x, 2, causal=True, memory=memory, rotary=True, normalize_first=True)


def labels(x: Any) -> Any:
    lengths = dt.fill([dt.shape(x)[0]], 6)
    targets = dt.tile([[1, 2, -1]], [dt.shape(x)[0], 1])
    return dt.nn.ctc_loss(targets, dt.layers.dense(x, 4), lengths, time_major=False)


def candidates(x: Any) -> Any:
    weights, biases = dt.get_variable("weights", [40, 4]), dt.get_variable("biases", [40])
    truths = dt.ones([dt.shape(x)[0], 1], dt.int64)
    return dt.nn.sampled_softmax_loss(weights, biases, truths, x[:, 0], 5, 40) + dt.nn.nce_loss(
        weights, biases, truths, x[:, 1], 5, 40
    )


@pytest.mark.parametrize("network", [recurrent, masked, transformer, labels, candidates])
def test_training_runs_natively(network: Callable[[Any], Any], rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 6, 4], name="x")
    loss = dt.reduce_mean(dt.square(network(x)))
    step = dt.train.AdamOptimizer(0.01).minimize(loss)
    explained = dt.explain([loss, step])
    assert explained.kernels
    assert not explained.fallbacks
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for batch in (3, 2):
            assert np.isfinite(session.run([loss, step], {x: rng.normal(size=(batch, 6, 4))})[0])


def test_decoding_runs_natively(rng: np.random.Generator) -> None:
    cell, head = cells.GRUCell(5), dt.layers.Dense(4)

    def step(tokens: Any, state: Any) -> Any:
        output, after = cell(dt.one_hot(tokens, 4), state)
        return head(output), after

    state = dt.placeholder(dt.float32, [None, 5])
    starts = dt.zeros([dt.shape(state)[0]], dt.int32)
    beams = dt.nn.beam_search(step, state, starts, 3, 6, length_penalty=0.6)
    drawn = dt.nn.sample_sequences(step, state, starts, 3, 6, top_k=3, top_p=0.9)
    assert not dt.explain([beams, drawn]).fallbacks
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found = session.run([beams, drawn], {state: rng.normal(size=(3, 5))})
    assert found[0].tokens.shape == (3, 4, 6)
