"""Long short-term memory as a loop of plain operations, with what the operation of core has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import composite, make_scan
from dovetail_layers.steps import projected

__all__ = ["lstm_steps", "peephole_lstm"]


def lstm_steps(
    x: Tensor,
    initial_hidden: Tensor,
    initial_cell: Tensor,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    peepholes: Any = None,
    projection: Any = None,
    factor: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = dt.tanh,
    gate_activation: Callable[[Tensor], Tensor] = dt.sigmoid,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what ``dovetail.extend.lstm`` does: all hidden states, the last one, the last cell, all cells.

    Args:
        x: of shape ``[time, batch, inputs]``.
        initial_hidden: of shape ``[batch, units]``, or as wide as the projection.
        initial_cell: of shape ``[batch, units]``.
        kernel: columns of input gate, forget gate, candidate and output gate.
        recurrent_kernel: likewise.
        bias: likewise.
        peepholes: factors of the cell in input gate, forget gate and output gate, of shape ``[3 * units]``: the first
            two see the cell before the step, the last one that after it.
        projection: a kernel that hidden states are multiplied by.
        factor: what the hidden state is multiplied by where it enters the product.
        activation: that of candidate and cell.
        gate_activation: that of the gates.
        reverse: whether the last step comes first.
    """
    units = initial_cell.shape[-1]
    seen = [] if peepholes is None else [peepholes[gate * units : (gate + 1) * units] for gate in range(3)]
    optional = [dt.convert_to_tensor(one) for one in (projection, factor) if one is not None]

    def step(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        before, cell = carries
        recurrent, *others = constants
        factors, others = others[: len(seen)], others[len(seen) :]
        if factor is not None:
            before *= others[-1]
        sums = slices[0] + dt.matmul(before, recurrent)
        gates = [sums[:, part * units : (part + 1) * units] for part in range(4)]

        def gate(part: int, place: int, cell: Tensor) -> Tensor:
            return gate_activation(gates[part] + factors[place] * cell if factors else gates[part])

        cell = gate(1, 1, cell) * cell + gate(0, 0, cell) * activation(gates[2])
        after = gate(3, 2, cell) * activation(cell)
        if projection is not None:
            after = dt.matmul(after, others[0])
        return (after, cell), (after, cell)

    (hidden, cell), (every, cells) = make_scan(
        step,
        [initial_hidden, initial_cell],
        [projected(x, kernel, bias)],
        [dt.convert_to_tensor(recurrent_kernel), *seen, *optional],
        reverse=reverse,
        prefix="lstm",
        names=("hidden", "cell", "projected"),
    )
    return every, hidden, cell, cells


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
    """Long short-term memory along the first axis, whose gates see the cell (Gers and Schmidhuber, 2000).

    Inputs and outputs are those of ``LSTM``, and besides the factors of the cell in input gate, forget gate and output
    gate, of shape ``[3 * units]``.
    """
    return lstm_steps(x, initial_hidden, initial_cell, kernel, recurrent_kernel, bias, peepholes, reverse=reverse)
