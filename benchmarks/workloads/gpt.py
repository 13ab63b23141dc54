"""A small GPT: blocks with normalisation first, causal attention, learned positions."""

from __future__ import annotations

import dovetail as dt

BLOCKS, WIDTH, HEADS = 2, 128, 4


def block(x: dt.Tensor) -> dt.Tensor:
    """Return ``x`` plus attention, plus two dense layers."""
    y = dt.layers.layer_normalization(x, epsilon=1e-5)
    x = x + dt.layers.multi_head_attention(y, HEADS, causal=True)
    y = dt.layers.layer_normalization(x, epsilon=1e-5)
    y = dt.nn.gelu(dt.layers.dense(y, 4 * WIDTH), approximate=True)
    return x + dt.layers.dense(y, WIDTH)


def gpt(symbols: dt.Tensor, vocabulary: int) -> dt.Tensor:
    """Return the scores ``[batch, length, vocabulary]`` of each next symbol."""
    positions = dt.get_variable("positions", [symbols.shape[1], WIDTH], initializer=dt.zeros_initializer())
    x = dt.layers.embedding(symbols, vocabulary, WIDTH) + positions
    for _ in range(BLOCKS):
        x = block(x)
    return dt.layers.dense(dt.layers.layer_normalization(x, epsilon=1e-5), vocabulary)


def multiply_adds(length: int, vocabulary: int) -> tuple[int, int]:
    """Return the multiply-adds for one text, attention counted in full, though half of it is masked."""
    dense, attention = 12 * WIDTH**2, 2 * length * WIDTH
    return length * (BLOCKS * (dense + attention) + WIDTH * vocabulary), 0
