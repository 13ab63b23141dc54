"""Checks of numbers while a session runs: ``check_numerics`` and its relatives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.graph.subgraph import BodyGraph
from dovetail.ops.sizes import Tensors
from dovetail.ops.state import VariableHandle, group
from dovetail.types.dtypes import DType
from dovetail.types.shapes import TensorType

__all__ = ["CheckNumerics", "add_check_numerics_ops", "check_numerics", "verify_tensor_all_finite"]


@primitive
@final
class CheckNumerics(Op):
    """The input, all elements of which must be finite."""

    effect = True
    gradient_without_ranks = True
    message: str = ""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, which is floating."""
        if not dtypes[0].is_floating:
            raise DTypeError(f"check_numerics: the input is {dtypes[0].name}; only floating dtypes hold NaN.")
        return dtypes

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        self.dtypes(x.dtype)
        return x

    def reference(self, x: Array) -> Array:
        """Look at every element."""
        wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
        found = [
            f"{count} {what}"
            for what, count in (("NaN", np.isnan(wide).sum()), ("infinite", np.isinf(wide).sum()))
            if count
        ]
        if found:
            raise InvalidArgumentError(
                f"check_numerics: {self.message}: the tensor had {' and '.join(found)} of {x.size} elements."
            )
        return x

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Any:
        """The gradient, checked too."""
        return [CheckNumerics(f"the gradient at: {self.message}")(grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A matrix, a scalar, none."""
        yield Sample(cls("x"), rng.normal(size=(2, 3)))
        yield Sample(cls("x"), np.float64(1.5))
        yield Sample(cls("x"), np.zeros((0, 2)))


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """Return a tensor; when run, fail where an element is NaN or infinite. Gradients are checked in the same way.

    ``Session(check_numerics=True)`` checks whole steps, and names the operation that made the first such number.

    Args:
        tensor: a floating tensor.
        message: text in the error.
        name: name of the node.

    Raises:
        DTypeError: the tensor is not floating.
        OperationError: when run, an element is not finite.

    Example:
        >>> x = dt.placeholder(dt.float32, [])
        >>> dt.Session().run(dt.check_numerics(dt.log(x), "the logarithm"), {x: 1.0})
        np.float32(0.0)
    """
    result: Tensor = CheckNumerics(str(message))(as_tensor(tensor), name=name)
    return result


def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """Return a tensor; when run, fail where an element is NaN or infinite. See ``check_numerics``.

    Args:
        t: a floating tensor.
        msg: text in the error.
        name: name of the node.
        x: the later name of ``t``.
        message: the later name of ``msg``.

    Raises:
        InvalidArgumentError: there is no tensor.

    Example:
        >>> dt.Session().run(dt.verify_tensor_all_finite([1.0], "the input"))
        array([1.], dtype=float32)
    """
    given = t if x is None else x
    if given is None:
        raise InvalidArgumentError("verify_tensor_all_finite: give the tensor, as t or x.")
    return check_numerics(given, (msg if message is None else message) or "", name=name or "VerifyFinite")


def add_check_numerics_ops() -> Operation:
    """Return an operation that fails a run unless every floating tensor made so far is finite.

    It needs everything that was made, so all placeholders must be fed; ``Session(check_numerics=True)`` checks what a
    step computes, and needs no operation.

    Raises:
        InvalidArgumentError: it is called in a body of control flow.

    Example:
        >>> y = dt.log(dt.constant(1.0))
        >>> dt.Session().run(dt.add_check_numerics_ops())
    """
    graph = get_default_graph()
    if isinstance(graph, BodyGraph):
        raise InvalidArgumentError(
            "add_check_numerics_ops: it was called in a body of control flow; call it outside, or use check_numerics "
            "on a tensor here."
        )
    tensors = [
        tensor
        for op in graph.get_operations()
        if not isinstance(op.definition, VariableHandle)
        for tensor in op.outputs
        if tensor.dtype.is_floating
    ]
    with graph.name_scope("check_numerics"):
        return group(*(check_numerics(one, one.name) for one in tensors), name="all")
