"""Long short-term memory whose gates see the cell, over a sequence, as an operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import composite, make_scan
from dovetail_layers.steps import projected

__all__ = ["peephole_lstm"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Either way."""
    for inputs, units, reverse in ((3, 2, False), (2, 1, True)):
        shapes = (
            (3, 2, inputs), (2, units), (2, units), (inputs, 4 * units), (units, 4 * units), (4 * units,), (3 * units,),
        )  # fmt: skip
        yield (*(rng.normal(size=shape) for shape in shapes), {"reverse": reverse})


@composite(name="PeepholeLSTM", samples=_samples, dtypes=lambda x, *others: (x, x, x, x))
def peephole_lstm(
    x: Tensor,
    initial_hidden: Tensor,
    initial_cell: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    peepholes: Tensor,
    *,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Long short-term memory along the first axis, with peepholes (Gers and Schmidhuber, 2000).

    Inputs and outputs are those of ``LSTM``, and besides the factors of the cell in input gate, forget gate and output
    gate, of shape ``[3 * units]``: the first two see the cell before the step, the last one that after it.
    """
    units = recurrent_kernel.shape[0]

    def step(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        before, cell = carries
        recurrent, of_entering, of_kept, of_leaving = constants
        sums = slices[0] + dt.matmul(before, recurrent)
        entering, kept, candidate, leaving = (sums[:, index * units : (index + 1) * units] for index in range(4))
        entering, kept = dt.sigmoid(entering + of_entering * cell), dt.sigmoid(kept + of_kept * cell)
        cell = kept * cell + entering * dt.tanh(candidate)
        after = dt.sigmoid(leaving + of_leaving * cell) * dt.tanh(cell)
        return (after, cell), (after, cell)

    (hidden, cell), (every, cells) = make_scan(
        step,
        [initial_hidden, initial_cell],
        [projected(x, kernel, bias)],
        [recurrent_kernel, *(peepholes[index * units : (index + 1) * units] for index in range(3))],
        reverse=reverse,
        prefix="lstm",
        names=("hidden", "cell", "projected"),
    )
    return every, hidden, cell, cells
