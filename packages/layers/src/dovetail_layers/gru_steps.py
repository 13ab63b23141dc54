"""Gated recurrent units as a loop of plain operations, with what the operation of core has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import composite, make_scan
from dovetail_layers.steps import projected

__all__ = ["gru_reset_before", "gru_steps"]


def gru_steps(
    x: Tensor,
    initial_hidden: Tensor,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    recurrent_bias: Any = None,
    factor: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = dt.tanh,
    gate_activation: Callable[[Tensor], Tensor] = dt.sigmoid,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return what ``dovetail.extend.gru`` does.

    Args:
        x: of shape ``[time, batch, inputs]``.
        initial_hidden: of shape ``[batch, units]``.
        kernel: columns of update gate, reset gate and candidate.
        recurrent_kernel: likewise.
        bias: likewise.
        recurrent_bias: likewise; without one the reset gate stands before the product.
        factor: what the state is multiplied by where it enters products, of shape ``[batch, units]``.
        activation: that of the candidate.
        gate_activation: that of the gates.
        reverse: whether the last step comes first.
    """
    units = initial_hidden.shape[-1]
    recurrent = dt.convert_to_tensor(recurrent_kernel)
    constants = [recurrent[:, : 2 * units], recurrent[:, 2 * units :]]
    if recurrent_bias is not None:
        constants = [recurrent, dt.convert_to_tensor(recurrent_bias)]
    optional = [] if factor is None else [factor]

    def step(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        (before,) = carries
        first, second, *factors = constants
        entering = before * factors[0] if factors else before
        sums = slices[0]
        gates, candidate = sums[:, : 2 * units], sums[:, 2 * units :]
        if recurrent_bias is None:
            gates = gate_activation(gates + dt.matmul(entering, first))
            candidate += dt.matmul(gates[:, units:] * entering, second)
        else:
            recurring = dt.matmul(entering, first) + second
            gates = gate_activation(gates + recurring[:, : 2 * units])
            candidate += gates[:, units:] * recurring[:, 2 * units :]
        candidate = activation(candidate)
        after = candidate + gates[:, :units] * (before - candidate)
        return (after,), (after,)

    (last,), (every,) = make_scan(
        step,
        [initial_hidden],
        [projected(x, kernel, bias)],
        [*constants, *optional],
        reverse=reverse,
        prefix="gru",
        names=("hidden", "projected"),
    )
    return every, last


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
    return gru_steps(x, initial_hidden, kernel, recurrent_kernel, bias, reverse=reverse)
