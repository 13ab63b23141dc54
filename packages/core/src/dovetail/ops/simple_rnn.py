"""``SimpleRNN``: the plain recurrent network over a sequence, and its gradient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arrays import zeros_like
from dovetail.ops.composites import CompositeOp
from dovetail.ops.linear import matmul
from dovetail.ops.loops import make_scan
from dovetail.ops.math import cast, greater, relu, tanh
from dovetail.ops.recurrence import check_operands, check_rank, plus, projected, rows, states_before, unprojected
from dovetail.ops.reductions import reduce_sum
from dovetail.types.dtypes import DType

__all__ = ["SimpleRNN", "SimpleRNNGrad", "simple_rnn"]

_HIDDEN, _LAST_HIDDEN = range(2)


@register
@final
class SimpleRNN(CompositeOp):
    """A recurrent network along the first axis whose hidden state is one layer of it and the input (Elman, 1990).

    Inputs are ``x [time, batch, inputs]``, the initial hidden state ``[batch, units]``, the kernel
    ``[inputs, units]``, the recurrent kernel ``[units, units]`` and the bias ``[units]``. Outputs are the hidden
    states ``[time, batch, units]``, from which the gradient follows, and the last one ``[batch, units]``.
    """

    activation: str = "tanh"
    """``"tanh"`` or ``"relu"``."""
    reverse: bool = False
    """Whether the last step comes first; what a step gives stands at its place all the same."""
    partial_gradient = True
    gradient_without_ranks = True

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Both outputs have the dtype of the inputs."""
        return dtypes[:1] * 2

    def decomposition(
        self, x: Tensor, hidden: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Sequence[Tensor]:
        """One product for all steps, then a loop of one product each."""
        check_rank("simple_rnn", "x", x.type, ("time", "batch", "inputs"))
        check_rank("simple_rnn", "recurrent_kernel", recurrent.type, ("units", "units"))
        batch, units = x.shape[1], recurrent.shape[0]
        wanted = {
            "initial_hidden": (hidden.type, (batch, units)),
            "kernel": (kernel.type, (x.shape[2], units)),
            "recurrent_kernel": (recurrent.type, (units, units)),
            "bias": (bias.type, (units,)),
        }
        check_operands("simple_rnn", x.type, wanted)

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            total = slices[0] + matmul(carries[0], constants[0])
            after = tanh(total) if self.activation == "tanh" else relu(total)
            return (after,), (after,)

        (last,), (hiddens,) = make_scan(
            step,
            (hidden,),
            [projected(x, kernel, bias)],
            [recurrent],
            reverse=self.reverse,
            prefix="rnn",
            names=("hidden", "projected"),
        )
        return [hiddens, last]

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Tensor]:
        """Go back through the steps, from the hidden states."""
        known = tuple(index for index, one in enumerate(grads) if one is not None)
        op = SimpleRNNGrad(tuple(needed), known, self.activation, self.reverse)
        found = op(*inputs[:4], outputs[_HIDDEN], *(grads[index] for index in known))
        return list(found) if isinstance(found, tuple) else [found]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Several steps, either way, with either activation."""
        for activation, reverse in (("tanh", False), ("relu", True)):
            yield Sample(
                cls(activation, reverse),
                rng.normal(size=(4, 2, 5)),
                rng.normal(size=(2, 3)),
                rng.normal(size=(5, 3)),
                rng.normal(size=(3, 3)),
                rng.normal(size=3),
            )


@register
@final
class SimpleRNNGrad(CompositeOp):
    """The gradient of ``SimpleRNN``.

    Inputs are those of ``SimpleRNN`` but the bias, its hidden states, and a gradient for each of its ``grads`` outputs;
    outputs are gradients of its inputs ``wrt``.
    """

    wrt: tuple[int, ...]
    grads: tuple[int, ...]
    activation: str = "tanh"
    reverse: bool = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """All have the dtype of the inputs."""
        return dtypes[:1] * len(self.wrt)

    def decomposition(self, *tensors: Tensor) -> Sequence[Tensor]:
        """A loop of one product a step, then one product for each kernel and for the inputs."""
        x, hidden, kernel, recurrent, hiddens = tensors[:5]
        given = dict(zip(self.grads, tensors[5:], strict=True))
        stacked = [index for index in self.grads if index != _LAST_HIDDEN]

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            after, *more = slices
            slope = 1.0 - after * after if self.activation == "tanh" else cast(greater(after, 0.0), after.dtype)
            d_sum = plus(carries[0], *more) * slope
            return (matmul(d_sum, constants[0], transpose_b=True),), (d_sum,)

        (d_hidden,), (d_sums,) = make_scan(
            step,
            [given[_LAST_HIDDEN] if _LAST_HIDDEN in given else zeros_like(hidden)],
            [hiddens, *(given[index] for index in stacked)],
            [recurrent],
            reverse=not self.reverse,
            prefix="rnn_grad",
            names=("d_hidden",),
        )
        found = {
            0: lambda: unprojected(d_sums, kernel),
            1: lambda: d_hidden,
            2: lambda: matmul(rows(x), rows(d_sums), transpose_a=True),
            3: lambda: matmul(rows(states_before(hidden, hiddens, self.reverse)), rows(d_sums), transpose_a=True),
            4: lambda: reduce_sum(d_sums, (0, 1)),
        }
        return [found[index]() for index in self.wrt]


def simple_rnn(
    x: Any,
    initial_hidden: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    activation: str = "tanh",
    reverse: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what a plain recurrent network makes of a sequence (Elman, 1990).

    Each step gives ``h = activation(x[t] @ kernel + h @ recurrent_kernel + bias)``.

    Args:
        x: floating, of shape ``[time, batch, inputs]``.
        initial_hidden: the first ``h``, of shape ``[batch, units]``.
        kernel: of shape ``[inputs, units]``.
        recurrent_kernel: of shape ``[units, units]``.
        bias: of shape ``[units]``.
        activation: ``"tanh"`` or ``"relu"``.
        reverse: whether the last step comes first.
        name: name of the node.

    Returns:
        All ``h``, of shape ``[time, batch, units]``, and that of the step that came last, of shape ``[batch, units]``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: the activation is another.

    Example:
        >>> from dovetail.extend import simple_rnn
        >>> hidden, last = simple_rnn(
        ...     dt.zeros([7, 2, 3]), dt.zeros([2, 4]), dt.ones([3, 4]), dt.ones([4, 4]), dt.zeros([4])
        ... )
        >>> hidden.shape, last.shape
        (Shape([7, 2, 4]), Shape([2, 4]))
    """
    if activation not in ("tanh", "relu"):
        raise InvalidArgumentError(f"simple_rnn: activation is {activation!r}; use 'tanh' or 'relu'.")
    operands = (x, initial_hidden, kernel, recurrent_kernel, bias)
    result: tuple[Tensor, Tensor] = SimpleRNN(activation, bool(reverse))(*map(as_tensor, operands), name=name)
    return result
