"""``GRU``: gated recurrent units over a sequence, and its gradient, which repeats no product of the forward pass."""

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

__all__ = ["GRU", "GRUGrad", "gru"]

_OUTPUTS: Final = 6
_HIDDEN, _LAST_HIDDEN, _KEPT, _RESET, _CANDIDATE, _RECALLED = range(_OUTPUTS)


@register
@final
class GRU(CompositeOp):
    """Gated recurrent units along the first axis (Cho et al., 2014), with the reset gate after the product.

    Inputs are ``x [time, batch, inputs]``, the initial hidden state ``[batch, units]``, the kernel
    ``[inputs, 3 * units]``, the recurrent kernel ``[units, 3 * units]``, the bias and the recurrent bias
    ``[3 * units]``. Their columns are those of update gate, reset gate and candidate, in this order. Outputs are the
    hidden states ``[time, batch, units]``, the last one ``[batch, units]``, and what the gradient takes and nobody
    computes otherwise, ``[time, batch, units]`` each: update gates, reset gates, candidates, and the products of the
    candidates before the reset gate.
    """

    reverse: bool = False
    """Whether the last step comes first; what a step gives stands at its place all the same."""
    partial_gradient = True
    gradient_without_ranks = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """All outputs have the dtype of the inputs."""
        return dtypes[:1] * _OUTPUTS

    def decomposition(
        self, x: Tensor, hidden: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor, recurrent_bias: Tensor
    ) -> Sequence[Tensor]:
        """One product for all steps, then a loop of one product each."""
        check_rank("gru", "x", x.type, ("time", "batch", "inputs"))
        check_rank("gru", "recurrent_kernel", recurrent.type, ("units", "3 * units"))
        batch, units = x.shape[1], recurrent.shape[0]
        wanted = {
            "initial_hidden": (hidden.type, (batch, units)),
            "kernel": (kernel.type, (x.shape[2], 3 * units)),
            "recurrent_kernel": (recurrent.type, (units, 3 * units)),
            "bias": (bias.type, (3 * units,)),
            "recurrent_bias": (recurrent_bias.type, (3 * units,)),
        }
        check_operands("gru", x.type, wanted)

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            (before,) = carries
            entering = split(slices[0], 3, axis=-1)
            recurring = split(matmul(before, constants[0]) + constants[1], 3, axis=-1)
            kept, reset = (sigmoid(entering[index] + recurring[index]) for index in range(2))
            candidate = tanh(entering[2] + reset * recurring[2])
            after = candidate + kept * (before - candidate)
            return (after,), (after, kept, reset, candidate, recurring[2])

        (last,), (hiddens, *kept) = make_scan(
            step,
            (hidden,),
            [projected(x, kernel, bias)],
            [recurrent, recurrent_bias],
            reverse=self.reverse,
            prefix="gru",
            names=("hidden", "projected"),
        )
        return [hiddens, last, *kept]

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Tensor]:
        """Go back through the steps, from the gates that were kept."""
        known = tuple(index for index, one in enumerate(grads) if one is not None)
        op = GRUGrad(tuple(needed), known, self.reverse)
        found = op(*inputs[:4], outputs[_HIDDEN], *outputs[_KEPT:], *(grads[index] for index in known))
        return list(found) if isinstance(found, tuple) else [found]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Several steps, either way; one."""
        for time, batch, inputs, units, reverse in ((3, 2, 5, 2, False), (3, 1, 2, 3, True), (1, 2, 1, 1, False)):
            yield Sample(
                cls(reverse),
                rng.normal(size=(time, batch, inputs)),
                rng.normal(size=(batch, units)),
                rng.normal(size=(inputs, 3 * units)),
                rng.normal(size=(units, 3 * units)),
                rng.normal(size=3 * units),
                rng.normal(size=3 * units),
            )


@register
@final
class GRUGrad(CompositeOp):
    """The gradient of ``GRU``.

    Inputs are those of ``GRU`` but the biases, its hidden states and what it kept, and a gradient for each of its
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
        x, hidden, kernel, recurrent, hiddens, *kept = tensors[:9]
        given = dict(zip(self.grads, tensors[9:], strict=True))
        stacked = [index for index in self.grads if index != _LAST_HIDDEN]
        before = states_before(hidden, hiddens, self.reverse)

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            kept, reset, candidate, recalled, before = slices[:5]
            more = dict(zip(stacked, slices[5:], strict=True))
            d_hidden = plus(carries[0], more.get(_HIDDEN))
            d_kept = plus(d_hidden * (before - candidate), more.get(_KEPT)) * (kept * (1.0 - kept))
            d_candidate = plus(d_hidden * (1.0 - kept), more.get(_CANDIDATE)) * (1.0 - candidate * candidate)
            d_reset = plus(d_candidate * recalled, more.get(_RESET)) * (reset * (1.0 - reset))
            d_recalled = plus(d_candidate * reset, more.get(_RECALLED))
            d_entering = concat([d_kept, d_reset, d_candidate], 1)
            d_recurring = concat([d_kept, d_reset, d_recalled], 1)
            d_before = d_hidden * kept + matmul(d_recurring, constants[0], transpose_b=True)
            return (d_before,), (d_entering, d_recurring)

        (d_hidden,), (d_entering, d_recurring) = make_scan(
            step,
            [given[_LAST_HIDDEN] if _LAST_HIDDEN in given else zeros_like(hidden)],
            [*kept, before, *(given[index] for index in stacked)],
            [recurrent],
            reverse=not self.reverse,
            prefix="gru_grad",
            names=("d_hidden",),
        )
        found = {
            0: lambda: unprojected(d_entering, kernel),
            1: lambda: d_hidden,
            2: lambda: matmul(rows(x), rows(d_entering), transpose_a=True),
            3: lambda: matmul(rows(before), rows(d_recurring), transpose_a=True),
            4: lambda: reduce_sum(d_entering, (0, 1)),
            5: lambda: reduce_sum(d_recurring, (0, 1)),
        }
        return [found[index]() for index in self.wrt]


def gru(
    x: Any,
    initial_hidden: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    recurrent_bias: Any,
    reverse: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what gated recurrent units make of a sequence (Cho et al., 2014), the reset gate after the product.

    With ``z, r, n`` the thirds of ``x[t] @ kernel + bias`` and ``z', r', n'`` those of
    ``h @ recurrent_kernel + recurrent_bias``, each step gives
    ``h = sigmoid(z + z') * h + (1 - sigmoid(z + z')) * tanh(n + sigmoid(r + r') * n')``.

    Args:
        x: floating, of shape ``[time, batch, inputs]``.
        initial_hidden: the first ``h``, of shape ``[batch, units]``.
        kernel: of shape ``[inputs, 3 * units]``.
        recurrent_kernel: of shape ``[units, 3 * units]``.
        bias: of shape ``[3 * units]``.
        recurrent_bias: of shape ``[3 * units]``.
        reverse: whether the last step comes first.
        name: name of the node.

    Returns:
        All ``h``, of shape ``[time, batch, units]``, and that of the step that came last, of shape ``[batch, units]``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> from dovetail.extend import gru
        >>> weights = dt.ones([3, 12]), dt.ones([4, 12]), dt.zeros([12]), dt.zeros([12])
        >>> hidden, last = gru(dt.zeros([7, 2, 3]), dt.zeros([2, 4]), *weights)
        >>> hidden.shape, last.shape
        (Shape([7, 2, 4]), Shape([2, 4]))
    """
    operands = (x, initial_hidden, kernel, recurrent_kernel, bias, recurrent_bias)
    outputs = GRU(bool(reverse))(*map(as_tensor, operands), name=name)
    result: tuple[Tensor, Tensor] = outputs[:_KEPT]
    return result
