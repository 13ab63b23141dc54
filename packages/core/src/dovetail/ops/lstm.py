"""``LSTM``: long short-term memory over a sequence, and its gradient, which repeats no product of the forward pass.

Of the four gates only the product with the recurrent kernel is within the loop; that of the inputs is one for all
steps before it. Where a gradient asks for them, the loop keeps the gates and the cells of every step; from these the
loop of the gradient, which runs the other way, finds the gradients of the gates by one product a step, and three
products for all steps after it give those of inputs and kernels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arrays import concat, split, zeros_like
from dovetail.ops.composites import CompositeOp
from dovetail.ops.linear import matmul
from dovetail.ops.loops import make_scan
from dovetail.ops.math import sigmoid, tanh
from dovetail.ops.recurrence import check_operands, check_rank, plus, projected, rows, states_before, unprojected
from dovetail.ops.reductions import reduce_sum
from dovetail.types.dtypes import DType

__all__ = ["LSTM", "LSTMGrad", "lstm"]

_OUTPUTS: Final = 8
_HIDDEN, _LAST_HIDDEN, _LAST_CELL, _CELLS = range(4)
_GATES: Final = range(4, _OUTPUTS)


@register
@final
class LSTM(CompositeOp):
    """Long short-term memory along the first axis (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

    Inputs are ``x [time, batch, inputs]``, the initial hidden state and cell ``[batch, units]``, the kernel
    ``[inputs, 4 * units]``, the recurrent kernel ``[units, 4 * units]`` and the bias ``[4 * units]``. Their columns
    are those of input gate, forget gate, candidate and output gate, in this order. Outputs are the hidden states
    ``[time, batch, units]``, the last hidden state and cell ``[batch, units]``, all cells, and the four gates after
    their activations ``[time, batch, units]``, which the gradient takes and which nobody computes otherwise.
    """

    reverse: bool = False
    """Whether the last step comes first; what a step gives stands at its place all the same."""
    partial_gradient = True
    gradient_without_ranks = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """All outputs have the dtype of the inputs."""
        return dtypes[:1] * _OUTPUTS

    def decomposition(
        self, x: Tensor, hidden: Tensor, cell: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Sequence[Tensor]:
        """One product for all steps, then a loop of one product each."""
        check_rank("lstm", "x", x.type, ("time", "batch", "inputs"))
        check_rank("lstm", "recurrent_kernel", recurrent.type, ("units", "4 * units"))
        batch, units = x.shape[1], recurrent.shape[0]
        wanted = {
            "initial_hidden": (hidden.type, (batch, units)),
            "initial_cell": (cell.type, (batch, units)),
            "kernel": (kernel.type, (x.shape[2], 4 * units)),
            "recurrent_kernel": (recurrent.type, (units, 4 * units)),
            "bias": (bias.type, (4 * units,)),
        }
        check_operands("lstm", x.type, wanted)

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            before, cell = carries
            sums = split(slices[0] + matmul(before, constants[0]), 4, axis=-1)
            entering, kept, candidate, leaving = sigmoid(sums[0]), sigmoid(sums[1]), tanh(sums[2]), sigmoid(sums[3])
            cell = kept * cell + entering * candidate
            after = leaving * tanh(cell)
            return (after, cell), (after, cell, entering, kept, candidate, leaving)

        last, (hiddens, cells, *gates) = make_scan(
            step,
            (hidden, cell),
            [projected(x, kernel, bias)],
            [recurrent],
            reverse=self.reverse,
            prefix="lstm",
            names=("hidden", "cell", "projected"),
        )
        return [hiddens, *last, cells, *gates]

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Tensor]:
        """Go back through the steps, from the gates and cells that were kept."""
        known = tuple(index for index, one in enumerate(grads) if one is not None)
        op = LSTMGrad(tuple(needed), known, self.reverse)
        kept = (outputs[_HIDDEN], outputs[_CELLS], *(outputs[index] for index in _GATES))
        found = op(*inputs[:5], *kept, *(grads[index] for index in known))
        return list(found) if isinstance(found, tuple) else [found]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Several steps, either way; one."""
        for time, batch, inputs, units, reverse in ((3, 2, 5, 2, False), (3, 1, 2, 3, True), (1, 2, 1, 1, False)):
            yield Sample(
                cls(reverse),
                rng.normal(size=(time, batch, inputs)),
                rng.normal(size=(batch, units)),
                rng.normal(size=(batch, units)),
                rng.normal(size=(inputs, 4 * units)),
                rng.normal(size=(units, 4 * units)),
                rng.normal(size=4 * units),
            )


@register
@final
class LSTMGrad(CompositeOp):
    """The gradient of ``LSTM``.

    Inputs are those of ``LSTM`` but the bias, its hidden states, cells and gates, and a gradient for each of its
    ``grads`` outputs; outputs are gradients of its inputs ``wrt``.
    """

    wrt: tuple[int, ...]
    grads: tuple[int, ...]
    reverse: bool = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """All have the dtype of the inputs."""
        return dtypes[:1] * len(self.wrt)

    def decomposition(self, *tensors: Tensor) -> Sequence[Tensor]:
        """A loop of one product a step, then one product for each kernel and for the inputs."""
        x, hidden, cell, kernel, recurrent, hiddens, cells, *gates = tensors[:11]
        given = dict(zip(self.grads, tensors[11:], strict=True))
        stacked = [index for index in self.grads if index not in (_LAST_HIDDEN, _LAST_CELL)]
        starts = (
            given[_LAST_HIDDEN] if _LAST_HIDDEN in given else zeros_like(hidden),
            given[_LAST_CELL] if _LAST_CELL in given else zeros_like(cell),
        )

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            d_hidden, d_cell = carries
            entering, kept, candidate, leaving, cell, before = slices[:6]
            more = dict(zip(stacked, slices[6:], strict=True))
            d_hidden = plus(d_hidden, more.get(_HIDDEN))
            shown = tanh(cell)
            d_cell = plus(d_cell, more.get(_CELLS)) + d_hidden * leaving * (1.0 - shown * shown)
            d_gates = (d_cell * candidate, d_cell * before, d_cell * entering, d_hidden * shown)
            slopes = (
                entering * (1.0 - entering),
                kept * (1.0 - kept),
                1.0 - candidate * candidate,
                leaving * (1.0 - leaving),
            )
            d_sums = concat(
                [
                    plus(gradient, more.get(index)) * slope
                    for index, gradient, slope in zip(_GATES, d_gates, slopes, strict=True)
                ],
                1,
            )
            return (matmul(d_sums, constants[0], transpose_b=True), d_cell * kept), (d_sums,)

        (d_hidden, d_cell), (d_sums,) = make_scan(
            step,
            starts,
            [*gates, cells, states_before(cell, cells, self.reverse), *(given[index] for index in stacked)],
            [recurrent],
            reverse=not self.reverse,
            prefix="lstm_grad",
            names=("d_hidden", "d_cell"),
        )
        found = {
            0: lambda: unprojected(d_sums, kernel),
            1: lambda: d_hidden,
            2: lambda: d_cell,
            3: lambda: matmul(rows(x), rows(d_sums), transpose_a=True),
            4: lambda: matmul(rows(states_before(hidden, hiddens, self.reverse)), rows(d_sums), transpose_a=True),
            5: lambda: reduce_sum(d_sums, (0, 1)),
        }
        return [found[index]() for index in self.wrt]


def lstm(
    x: Any,
    initial_hidden: Any,
    initial_cell: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    reverse: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what long short-term memory makes of a sequence (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

    With ``i, f, g, o`` the quarters of ``x[t] @ kernel + h @ recurrent_kernel + bias``, each step gives
    ``c = sigmoid(f) * c + sigmoid(i) * tanh(g)`` and ``h = sigmoid(o) * tanh(c)``.

    Args:
        x: floating, of shape ``[time, batch, inputs]``.
        initial_hidden: the first ``h``, of shape ``[batch, units]``.
        initial_cell: the first ``c``, of shape ``[batch, units]``.
        kernel: of shape ``[inputs, 4 * units]``.
        recurrent_kernel: of shape ``[units, 4 * units]``.
        bias: of shape ``[4 * units]``.
        reverse: whether the last step comes first.
        name: name of the node.

    Returns:
        All ``h``, of shape ``[time, batch, units]``; the ``h`` and the ``c`` of the step that came last, of shape
        ``[batch, units]``; all ``c``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> from dovetail.extend import lstm
        >>> weights = dt.ones([3, 16]), dt.ones([4, 16]), dt.zeros([16])
        >>> hidden, last, cell, cells = lstm(dt.zeros([7, 2, 3]), dt.zeros([2, 4]), dt.zeros([2, 4]), *weights)
        >>> hidden.shape, last.shape
        (Shape([7, 2, 4]), Shape([2, 4]))
    """
    operands = (x, initial_hidden, initial_cell, kernel, recurrent_kernel, bias)
    outputs = LSTM(bool(reverse))(*map(as_tensor, operands), name=name)
    result: tuple[Tensor, Tensor, Tensor, Tensor] = outputs[: _CELLS + 1]
    return result
