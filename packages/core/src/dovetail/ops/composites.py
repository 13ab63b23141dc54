"""Composite operations: a decomposition into others, and nothing else; and ``Vjp``, the deferred gradient of any."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias, final, overload

import numpy as np

from dovetail.graph.nodes import substitute_decompositions
from dovetail.graph.op import Op, Sample, Signature
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import register
from dovetail.graph.source import Source
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops.scalars import ScalarOp, elementwise
from dovetail.types.constraints import require
from dovetail.types.dtypes import DType
from dovetail.types.shapes import TensorType

__all__ = ["Call", "CompositeOp", "Vjp", "composite", "decompose"]


class CompositeOp(Op):
    """An operation that is defined by the operations it decomposes into, and so is its gradient.

    A subclass may declare a ``gradient`` of its own, as a primitive does, where it can save what the decomposition
    would compute again.
    """

    kind = "composite"

    def decomposition(self, *tensors: Any) -> Any:  # Any, so that an override may name its inputs
        """Build the operations; returns the output or outputs."""
        raise TypeError(f"{type(self).__name__} declares no decomposition")

    def infer(self, *types: TensorType) -> Signature:
        """The types that the decomposition gives."""
        outputs, constraints = _inferred(self, types)
        for constraint in constraints:
            require(constraint)
        return outputs


@functools.lru_cache(maxsize=2048)
def _inferred(op: CompositeOp, types: tuple[TensorType, ...]) -> tuple[tuple[TensorType, ...], tuple[Any, ...]]:
    body = decompose(op, types)
    return body.output_types, tuple(constraint for _, constraint in body.graph.constraints)


_NOWHERE = Source("<decomposition>", 0)


def decompose(op: CompositeOp, types: Sequence[TensorType], source: Source | None = None) -> Subgraph:
    """Return the decomposition of ``op`` for inputs of these types."""
    return trace(op.decomposition, types, source=source or _NOWHERE)


GradientRule: TypeAlias = Callable[[Any, Sequence[Tensor], Sequence[Tensor], Sequence[Any]], Sequence[Tensor | None]]
"""The reverse rule of an operation as a function; see ``Op.gradient``."""


class CompositeFunction(Protocol):
    """What ``composite`` makes: a function of tensors that makes one node."""

    op: type[CompositeOp]
    __name__: str

    def __call__(self, *values: Any, name: str | None = None, **attributes: Any) -> Any: ...


@overload
def composite(function: Callable[..., Any]) -> CompositeFunction: ...
@overload
def composite(
    *,
    name: str | None = None,
    dtypes: Callable[..., tuple[DType, ...]] | None = None,
    samples: Callable[[np.random.Generator], Iterable[tuple[Any, ...]]] | None = None,
    differentiable: bool = True,
    gradient: GradientRule | None = None,
) -> Callable[[Callable[..., Any]], CompositeFunction]: ...
def composite(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dtypes: Callable[..., tuple[DType, ...]] | None = None,
    samples: Callable[[np.random.Generator], Iterable[tuple[Any, ...]]] | None = None,
    differentiable: bool = True,
    gradient: GradientRule | None = None,
) -> Any:
    """Declare a composite operation from a function of tensors.

    Positional parameters are tensors; keyword-only parameters are attributes.

    Args:
        function: builds the decomposition; its docstring documents the operation.
        name: the operation's type; the function's name in capitals by default (``log_softmax`` gives ``LogSoftmax``).
        dtypes: dtypes of the outputs from those of the inputs, for inputs of unknown rank; the first input's by
            default.
        samples: yields tuples of input arrays; a dict at the end gives attributes.
        differentiable: false where gradients simply stop.
        gradient: takes the operation, its inputs, outputs and their gradients, and gives a gradient for each input; by
            default the decomposition is differentiated.

    Returns:
        The function that users call; it makes one node and takes ``name=`` besides.
    """
    if function is None:
        return functools.partial(
            composite, name=name, dtypes=dtypes, samples=samples, differentiable=differentiable, gradient=gradient
        )
    import inspect

    code = function.__code__
    operands = code.co_varnames[: code.co_argcount]
    attributes = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    type_name = name or "".join(part[:1].upper() + part[1:] for part in function.__name__.strip("_").split("_"))

    def decomposition(self: Any, *tensors: Tensor) -> Any:
        return function(*tensors, **self.attributes())

    def make_samples(cls: Any, rng: np.random.Generator) -> Iterable[Sample]:
        for one in () if samples is None else samples(rng):
            arrays = [item for item in one if not isinstance(item, dict)]
            keywords = one[-1] if isinstance(one[-1], dict) else {}
            yield Sample(cls(**keywords), *arrays)

    namespace: dict[str, Any] = {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": type_name,
        "__annotations__": {key: function.__annotations__.get(key, "Any") for key in attributes},
        "decomposition": decomposition,
        "samples": classmethod(make_samples),
        "differentiable": differentiable,
        **(function.__kwdefaults__ or {}),
    }
    if gradient is not None:
        namespace["gradient"] = gradient
    if dtypes is not None:
        rule = dtypes
        namespace["dtypes"] = lambda self, *given: rule(*given)
    cls = register(type(type_name, (CompositeOp,), namespace))

    @functools.wraps(function)
    def call(*values: Any, name: str | None = None, **keywords: Any) -> Any:
        if len(values) < len(operands):
            values = (*values, *(keywords.pop(key) for key in operands[len(values) :] if key in keywords))
        return cls(**keywords)(*values, name=name)

    signature = inspect.signature(function)
    extra = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None")
    signature = signature.replace(parameters=[*signature.parameters.values(), extra])
    call.__signature__ = signature  # type: ignore[attr-defined] # a function takes any attribute
    call.op = cls  # type: ignore[attr-defined] # likewise
    return call


@register
@final
class Vjp(CompositeOp):
    """The gradient of an operation, decided only when the ranks of its inputs are known.

    Inputs are those of ``op``, then a gradient for each of its ``grads`` outputs; outputs are gradients of the inputs
    ``wrt``.
    """

    op: Op
    wrt: tuple[int, ...]
    grads: tuple[int, ...]

    def default_name(self) -> str:
        """The operation's name and ``_grad``."""
        return f"{self.op.default_name()}_grad"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Those of the inputs differentiated."""
        return tuple(dtypes[i] for i in self.wrt)

    def decomposition(self, *tensors: Tensor) -> Any:
        """Apply the operation, or what it decomposes into where it has no rule, and differentiate that."""
        from dovetail.ops.arrays import zeros_like
        from dovetail.ops.gradients import backpropagate

        count = len(tensors) - len(self.grads)
        inputs, grads = tensors[:count], tensors[count:]
        if isinstance(self.op, CompositeOp) and self.op.gradient is None:
            result = self.op.decomposition(*inputs)
        else:
            result = self.op(*inputs)
        outputs = result if isinstance(result, (tuple, list)) else (result,)
        found = backpropagate([outputs[i] for i in self.grads], [inputs[i] for i in self.wrt], grads)
        return [zeros_like(inputs[i]) if one is None else one for i, one in zip(self.wrt, found, strict=True)]


@register
@final
class Call(CompositeOp):
    """A closed subgraph, applied: the saved decomposition of a composite whose plugin is not installed."""

    body: Subgraph
    label: str = "Call"

    def default_name(self) -> str:
        """The name of the operation that the body replaces."""
        return self.label

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Those of the body's outputs."""
        return tuple(one.dtype for one in self.body.output_types)

    def decomposition(self, *tensors: Tensor) -> Any:
        """Copy the body's nodes."""
        return inline(self.body, tensors)


def inline(body: Subgraph, arguments: Sequence[Tensor]) -> list[Tensor]:
    """Copy the nodes of a body into the default graph, with ``arguments`` for its inputs; returns its outputs."""
    from dovetail.graph.graph import get_default_graph

    graph = get_default_graph()
    mapped: dict[Tensor, Tensor] = dict(zip(body.inputs, arguments, strict=True))
    for op in body.graph.get_operations():
        if not op.outputs or op.outputs[0] in mapped:
            continue
        node = graph.create(
            op.definition, [mapped[t] for t in op.inputs], name=op.name.rpartition("/")[2], stable_id=op.stable_id
        )
        mapped.update(zip(op.outputs, node.outputs, strict=True))
    return [mapped[tensor] for tensor in body.outputs]


def _decomposition_of_node(node: Operation) -> Subgraph:
    definition = node.definition
    types = [tensor.type for tensor in node.inputs]
    if isinstance(definition, CompositeOp):
        return decompose(definition, types, node.source)
    if isinstance(definition, ScalarOp):
        return trace(lambda *given: elementwise(definition.scalar_expression, given), types, source=node.source)
    raise TypeError(f"{definition.name} is a primitive and has no decomposition")


substitute_decompositions(_decomposition_of_node, lambda body, label: Call(body, label))
