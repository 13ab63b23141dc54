"""A language model of characters: embedding, LSTM, scores of the next character."""

from __future__ import annotations

import dovetail as dt

EMBEDDED, UNITS = 64, 256


def char_lstm(symbols: dt.Tensor, vocabulary: int) -> dt.Tensor:
    """Return the scores ``[batch, steps, vocabulary]`` of each next symbol."""
    x = dt.layers.embedding(symbols, vocabulary, EMBEDDED)
    x = dt.layers.lstm(x, UNITS, return_sequences=True)
    return dt.layers.dense(x, vocabulary)


def multiply_adds(steps: int, vocabulary: int) -> tuple[int, int]:
    """Return the multiply-adds for one text; none are spared in the gradient, as the embedding is trained."""
    return steps * ((EMBEDDED + UNITS) * 4 * UNITS + UNITS * vocabulary), 0
