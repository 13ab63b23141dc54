"""Passing tensors on: ``identity``, ``identity_n``, ``stop_gradient``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import Tensors, Types, Values
from dovetail.types.shapes import TensorType

__all__ = ["identity", "identity_n", "stop_gradient"]


class _Passing(Op):
    """What gives back its input."""

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        return x

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The input's type, whatever its rank."""
        return (types[0],)

    def reference(self, x: Array) -> Array:
        """The array."""
        return x

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """That of the input."""
        return values[0]

    def passes_through(self, types: Types) -> int | None:
        """Always."""
        return 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Numbers, integers, nothing, strings."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls(), np.int32(3))
        yield Sample(cls(), np.zeros((0, 2)))
        yield Sample(cls(), np.array([b"a", b"bc"], object))


@primitive
@final
class Identity(_Passing):
    """The input itself, as a node of its own."""

    gradient_without_ranks = True
    passes_slices = True

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Any:
        """The gradient itself."""
        return grads


@primitive
@final
class StopGradient(_Passing):
    """The input itself, which counts as constant in gradients."""

    differentiable = False


def identity(input: Any, name: str | None = None) -> Tensor:
    """Return the tensor as a node of its own: to name it, or to give it control inputs.

    Args:
        input: a tensor, variable or value.
        name: name of the node.

    Example:
        >>> dt.identity([1.0, 2.0], name="logits").name
        'logits:0'
    """
    result: Tensor = Identity()(as_tensor(input), name=name)
    return result


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Return each tensor of a list as a node of its own.

    Args:
        input: a list of tensors, variables or values.
        name: name of the scope of the nodes.

    Raises:
        DTypeError: the argument is no list.

    Example:
        >>> [one.dtype for one in dt.identity_n([1.0, 2])]
        [dovetail.float32, dovetail.int32]
    """
    if not isinstance(input, list | tuple):
        raise DTypeError(f"identity_n: a {type(input).__name__} was given; give a list of tensors, or use identity.")
    with get_default_graph().name_scope(name or "IdentityN"):
        return [identity(one) for one in input]


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """Return the tensor, through which no gradient flows.

    Args:
        input: a tensor, variable or value.
        name: name of the node.

    Example:
        >>> x = dt.constant(3.0)
        >>> dt.Session().run(dt.gradients(x * dt.stop_gradient(x), x))
        [np.float32(3.0)]
    """
    result: Tensor = StopGradient()(as_tensor(input), name=name)
    return result
