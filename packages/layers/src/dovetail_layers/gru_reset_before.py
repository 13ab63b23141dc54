"""Gated recurrent units over a sequence, the reset gate before the product, as an operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import composite, make_scan
from dovetail_layers.steps import projected

__all__ = ["gru_reset_before"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Either way."""
    for inputs, units, reverse in ((3, 2, False), (2, 3, True)):
        shapes = (3, 2, inputs), (2, units), (inputs, 3 * units), (units, 3 * units), (3 * units,)
        yield (*(rng.normal(size=shape) for shape in shapes), {"reverse": reverse})


@composite(name="GRUResetBefore", samples=_samples, dtypes=lambda x, *others: (x, x))
def gru_reset_before(
    x: Tensor, initial_hidden: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, *, reverse: bool = False
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units along the first axis (Cho et al., 2014, arXiv:1406.1078).

    Inputs and outputs are those of ``GRU``, whose reset gate stands after the product; there is one bias. Columns are
    those of update gate, reset gate and candidate.
    """
    units = recurrent_kernel.shape[0]

    def step(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        (before,) = carries
        gates, candidates = constants
        sums = dt.sigmoid(slices[0][:, : 2 * units] + dt.matmul(before, gates))
        kept, reset = sums[:, :units], sums[:, units:]
        candidate = dt.tanh(slices[0][:, 2 * units :] + dt.matmul(reset * before, candidates))
        after = candidate + kept * (before - candidate)
        return (after,), (after,)

    (last,), (every,) = make_scan(
        step,
        [initial_hidden],
        [projected(x, kernel, bias)],
        [recurrent_kernel[:, : 2 * units], recurrent_kernel[:, 2 * units :]],
        reverse=reverse,
        prefix="gru",
        names=("hidden", "projected"),
    )
    return every, last
