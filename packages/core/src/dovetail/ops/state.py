"""Nodes that are more than functions of their inputs: placeholders, variables' state, and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Op, Signature
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, string
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "AssignVariable",
    "IsInitialized",
    "NoOp",
    "Placeholder",
    "PlaceholderWithDefault",
    "ReadVariable",
    "UninitializedNames",
    "VariableHandle",
    "group",
    "no_op",
    "placeholder",
    "placeholder_with_default",
    "tuple_",
]


@primitive
@final
class Placeholder(Op):
    """A value that is fed to each run."""

    stateful = True
    dtype: DType
    shape: Shape

    def infer(self) -> Signature:
        """The declared type."""
        return TensorType(self.dtype, self.shape)


@primitive
@final
class PlaceholderWithDefault(Op):
    """A value that may be fed, and else is its input."""

    stateful = True
    shape: Shape

    def infer(self, default: TensorType) -> Signature:
        """The declared shape, which the default must fit."""
        if not self.shape.is_compatible_with(default.shape):
            raise ShapeError(
                f"placeholder_with_default: the default is {default}, which does not fit shape {self.shape}."
            )
        return TensorType(default.dtype, self.shape)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """That of the default."""
        return list(grads)


@primitive
@final
class NoOp(Op):
    """Nothing; holds control inputs together."""

    stateful = True

    def infer(self) -> Signature:
        """No outputs."""
        return ()


@primitive
@final
class VariableHandle(Op):
    """A variable: its output stands for the state, and is read where a value is wanted."""

    stateful = True
    dtype: DType
    shape: Shape
    trainable: bool = True

    def default_name(self) -> str:
        """``Variable``, as TensorFlow 1 names it."""
        return "Variable"

    def infer(self) -> Signature:
        """Type of the value."""
        return TensorType(self.dtype, self.shape)


@primitive
@final
class ReadVariable(Op):
    """The value of a variable after the writes made before this node."""

    stateful = True
    passes_slices = True
    gradient_without_ranks = True

    def infer(self, handle: TensorType) -> Signature:
        """Type of the variable."""
        return handle

    def gradient(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any]) -> list[Any]:
        """Goes to the variable as it is."""
        return list(grads)


@primitive
@final
class AssignVariable(Op):
    """Writes a variable; the output is the new value."""

    stateful = True
    effect = True
    validate_shape: bool = True

    def default_name(self) -> str:
        """``Assign``, as TensorFlow 1 names it."""
        return "Assign"

    def infer(self, handle: TensorType, value: TensorType) -> Signature:
        """Type of the variable, which the value must have."""
        if handle.dtype is not value.dtype:
            raise DTypeError(f"assign: the variable is {handle}, the value {value}; use dt.cast.")
        if self.validate_shape and not handle.shape.is_compatible_with(value.shape):
            raise ShapeError(
                f"assign: the variable is {handle}, the value {value}; the shapes differ. Reshape the value, or make "
                f"the variable with validate_shape=False."
            )
        return value if self.validate_shape is False else TensorType(handle.dtype, handle.shape.merge_with(value.shape))


@primitive
@final
class IsInitialized(Op):
    """Whether a variable has a value."""

    stateful = True
    differentiable = False

    def infer(self, handle: TensorType) -> Signature:
        """One truth value."""
        return TensorType(bool_, Shape(()))


@primitive
@final
class UninitializedNames(Op):
    """Names of the variables whose flags are false."""

    differentiable = False
    names: tuple[str, ...]

    def infer(self, *flags: TensorType) -> Signature:
        """As many names as there are false flags."""
        return TensorType(string, Shape((get_default_graph().new_symbol("uninitialized", data_dependent=True),)))

    def reference(self, *flags: Any) -> Any:
        """Collect the names."""
        found = [name.encode() for name, flag in zip(self.names, flags, strict=True) if not flag]
        result = np.empty(len(found), object)
        result[:] = found
        return result


def placeholder(dtype: DTypeLike, shape: Any = None, name: str | None = None) -> Tensor:
    """Return a tensor whose value is fed to each run.

    Args:
        dtype: element type.
        shape: ints; ``None`` for a size known when fed; a string to name such a size, so that two placeholders share
            it. ``None`` for the whole is an unknown rank, decided at each run.
        name: name of the node.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 784], name="images")
        >>> x.type
        float32[images.0, 784]
    """
    graph = get_default_graph()
    label = graph.unique_name(name or "Placeholder", mark_as_used=False).rpartition("/")[2]
    op = Placeholder(as_dtype(dtype), graph.make_shape(shape, label))
    return graph.create(op, (), name=name).outputs[0]


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return a tensor that is ``input`` unless it is fed.

    Args:
        input: the default.
        shape: shape of what may be fed, as for ``placeholder``; must fit the default.
        name: name of the node.

    Example:
        >>> training = dt.placeholder_with_default(False, [], name="training")
    """
    graph = get_default_graph()
    label = name or "PlaceholderWithDefault"
    default = as_tensor(input)
    return graph.create(PlaceholderWithDefault(graph.make_shape(shape, label)), (default,), name=name).outputs[0]


def no_op(name: str | None = None) -> Operation:
    """Return an operation that does nothing but run after its control inputs."""
    return get_default_graph().create(NoOp(), (), name=name)


def group(*inputs: Any, name: str | None = None) -> Operation:
    """Return an operation that is done when all ``inputs`` are.

    Args:
        inputs: operations, tensors or variables, or lists of them.
        name: name of the node.

    Raises:
        InvalidArgumentError: one of them is ``None``, as an optimizer's step in a program that built none.
    """
    graph = get_default_graph()
    operations: list[Operation] = []

    def collect(value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for item in value:
                collect(item)
        elif value is None:
            raise InvalidArgumentError("group: one of the inputs is None; leave it out.")
        else:
            found = graph.as_graph_element(value)
            operations.append(found if isinstance(found, Operation) else found.op)

    collect(inputs)
    return graph.create(NoOp(), (), name=name or "group_deps", control_inputs=operations)


def tuple_(tensors: Sequence[Any], name: str | None = None, control_inputs: Sequence[Any] | None = None) -> list[Any]:
    """Return ``tensors``, none of which is there before all of them are; ``None`` stays ``None``."""
    from dovetail.ops.math import identity

    present = [as_tensor(one) for one in tensors if one is not None]
    with get_default_graph().name_scope(name or "tuple"):
        gate = group(*present, *(control_inputs or ()))
        with get_default_graph().control_dependencies([gate]):
            return [None if one is None else identity(one) for one in tensors]
