"""``custom_gradient``: a function of tensors whose gradient the user defines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, GradientError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops.bodies import close
from dovetail.ops.composites import CompositeOp, inline
from dovetail.types.dtypes import DType, float64
from dovetail.types.shapes import Shape, TensorType

__all__ = ["CustomGradient", "custom_gradient"]


@register
@final
class CustomGradient(CompositeOp):
    """A body with another one for its gradient.

    Both take ``count`` arguments and then what they use from around; between the two the second takes a gradient for
    each output of the first.
    """

    forward: Subgraph
    backward: Subgraph
    count: int

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Those of the body's outputs.

        Raises:
            DTypeError: the inputs have other dtypes than those that the body was made for.
        """
        wanted = tuple(one.dtype for one in self.forward.input_types)
        if dtypes != wanted:
            texts = [", ".join(one.name for one in each) for each in (wanted, dtypes)]
            raise DTypeError(f"custom_gradient: the body was made for {texts[0]} and is given {texts[1]}. Use dt.cast.")
        return tuple(one.dtype for one in self.forward.output_types)

    def decomposition(self, *tensors: Tensor) -> Any:
        """Copy the body's nodes."""
        self.dtypes(*(one.dtype for one in tensors))
        return inline(self.forward, tensors)

    def gradient(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any]) -> list[Any]:
        """Copy the nodes of the other body; what the bodies use from around counts as constant."""
        found = inline(self.backward, [*inputs[: self.count], *grads, *inputs[self.count :]])
        return [*found, *[None] * (len(inputs) - self.count)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A cube, by a gradient written by hand."""
        x = rng.normal(size=(2, 3))
        type = TensorType(float64, Shape(x.shape))
        forward = trace(lambda x: x * x * x, [type])
        backward = trace(lambda x, grad: 3.0 * x * x * grad, [type, type])
        yield Sample(cls(forward, backward, 1), x)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function define the gradient of what it computes.

    Args:
        f: takes tensors; returns its value, a tensor or a sequence of them, and a function that takes a gradient for
            each and returns one for each argument. Variables and tensors that it uses from around count as constant.

    Returns:
        A function of the same arguments that returns the value. It can be saved and exported as what it computes.

    Raises:
        GradientError: the second function gives another number of gradients than there are arguments.

    Example:
        >>> @dt.custom_gradient
        ... def log1pexp(x):
        ...     e = dt.exp(x)
        ...     return dt.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))
        >>> x = dt.constant(100.0)
        >>> dt.Session().run(dt.gradients(log1pexp(x), x))
        [np.float32(1.0)]
    """
    given = getattr(f, "__name__", "").strip("_")
    label = given if given.isidentifier() else "CustomGradient"

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        graph = get_default_graph()
        arguments = [as_tensor(one) for one in args]
        types = [one.type for one in arguments]
        several = [False]

        def forward(*tensors: Tensor) -> Any:
            value, _ = f(*tensors)
            several[0] = isinstance(value, (list, tuple))
            return value

        def backward(*tensors: Tensor) -> list[Tensor]:
            _, gradient = f(*tensors[: len(types)])
            found = gradient(*tensors[len(types) :])
            found = list(found) if isinstance(found, (list, tuple)) else [found]
            if len(found) != len(types):
                raise GradientError(
                    f"custom_gradient: the gradient of {label} gives {len(found)} values for {len(types)} "
                    "arguments; return one for each."
                )
            return [as_tensor(one) for one in found]

        value = trace(forward, types, outer=graph, prefix=graph.unique_name("forward"))
        slopes = trace(backward, [*types, *value.output_types], outer=graph, prefix=graph.unique_name("backward"))
        closed = close(graph, [value, slopes])
        op = CustomGradient(*closed.bodies, count=len(types))
        node = graph.create(op, [*arguments, *closed.captures], name=label, control_inputs=closed.awaited)
        return list(node.outputs) if several[0] else node.outputs[0]

    return call
