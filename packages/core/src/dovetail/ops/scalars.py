"""Scalar operations: one expression, from which NumPy code, type rule, gradient and every backend's code follow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.scalar import (
    Apply,
    Expression,
    Input,
    Literal,
    compile_numpy,
    derivative_with_output,
    inputs_of,
    nodes_of,
    parse_expression,
    rename_inputs,
    result_dtype,
)
from dovetail.types.dims import Dim, dim_max, dim_min, floor_div
from dovetail.types.dtypes import DType
from dovetail.types.shapes import TensorType, broadcast_shapes

__all__ = ["Elementwise", "ScalarOp", "elementwise", "scalar"]

_OBJECT_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
    "floor_divide": floor_div,
    "maximum": dim_max,
    "minimum": dim_min,
}


class ScalarOp(Op):
    """An operation whose every output element is one scalar expression of the elements of its inputs, with broadcasting."""

    kind = "scalar"
    gradient_without_ranks = True

    @property
    def scalar_expression(self) -> Expression:
        """The expression of one output element; ``x0`` is an element of the first input."""
        raise TypeError(f"{type(self).__name__} declares no expression")

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The dtype of the expression."""
        return (result_dtype(self.scalar_expression, dtypes),)

    def infer(self, *types: TensorType) -> Signature:
        """The broadcast shape, and the dtype of the expression."""
        dtype = result_dtype(self.scalar_expression, [one.dtype for one in types])
        if len(types) == 1:
            return TensorType(dtype, types[0].shape)
        return TensorType(dtype, broadcast_shapes(*(one.shape for one in types), message=self.name))

    def reference(self, *arrays: Any) -> Array:
        """Evaluate the expression."""
        return compile_numpy(self.scalar_expression)(*arrays)

    def gradient(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]) -> list[Tensor | None]:
        """The chain rule, element by element, summed over broadcast axes."""
        from dovetail.ops.reductions import sum_to

        result: list[Tensor | None] = []
        for index, tensor in enumerate(inputs):
            if not tensor.dtype.is_floating:
                result.append(None)
                continue
            rule = _gradient_expression(self.scalar_expression, index, len(inputs))
            if rule is None:
                result.append(None)
                continue
            result.append(sum_to(elementwise(rule, [*inputs, outputs[0], grads[0]]), tensor))
        return result

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """One for each function in the expression and each element."""
        return outputs[0].size * sum(isinstance(node, Apply) for node in nodes_of(self.scalar_expression))

    def symbolic_value(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> Array | None:
        """Arithmetic of dimensions, where every operand is known."""
        if not values or any(one is None for one in values) or not types[0].dtype.is_integer:
            return None
        expression = self.scalar_expression
        function = _OBJECT_FUNCTIONS.get(getattr(getattr(expression, "function", None), "name", ""))
        if function is None or [str(a) for a in expression.args] != [f"x{i}" for i in range(len(values))]:  # type: ignore[attr-defined]
            return None
        result = np.frompyfunc(function, len(values), 1)(*values)
        boxed = np.empty(np.shape(result), object)
        boxed[...] = result
        return boxed


@functools.lru_cache(maxsize=4096)
def _gradient_expression(expression: Expression, index: int, count: int) -> Expression | None:
    """The gradient with respect to an input: of the inputs, the output ``x{count}`` and its gradient ``x{count+1}``."""
    rule, _ = derivative_with_output(expression, index)
    if rule is None:
        return None
    grad = Input(count + 1)
    if isinstance(rule, Literal) and rule.value == 1:
        return grad
    return grad * rule


def elementwise(expression: Expression, tensors: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Apply a scalar expression to tensors, dropping those that it does not use."""
    used = sorted(inputs_of(expression))
    if isinstance(expression, Input):
        return tensors[expression.index]
    renamed = rename_inputs(expression, {old: new for new, old in enumerate(used)})
    result: Tensor = Elementwise(str(renamed))(*(tensors[i] for i in used), name=name)
    return result


@register
@final
class Elementwise(ScalarOp):
    """A scalar expression given as text, as gradients and fusion make it."""

    expression: str

    @property
    def scalar_expression(self) -> Expression:
        """The expression, parsed once."""
        return _parse(self.expression)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Two broadcast operands."""
        yield Sample(cls("x0 * (1.0 - x1 * x1)"), rng.normal(size=(2, 3)), rng.normal(size=(3,)))


_parse = functools.lru_cache(maxsize=4096)(parse_expression)


def scalar(
    function: Callable[..., Expression] | None = None,
    *,
    name: str | None = None,
    domain: tuple[float, float] | Sequence[tuple[float, float]] = (-2.0, 2.0),
    integer: bool = False,
    floating: bool = False,
) -> Any:
    """Declare a scalar operation from a function of scalar expressions.

    Positional parameters are operands; keyword-only parameters are attributes (numbers).

    Args:
        function: the function; its docstring documents the operation.
        name: the operation's type; the function's name in capitals by default (``log1p`` gives ``Log1p``).
        domain: the interval, or one for each operand, that samples are drawn from.
        integer: whether the samples are integers.
        floating: whether only floating operands are taken.

    Returns:
        The function that users call: it takes tensors, or expressions when it is used within another declaration.
    """
    if function is None:
        return functools.partial(scalar, name=name, domain=domain, integer=integer, floating=floating)
    import inspect

    code = function.__code__
    operands = code.co_varnames[: code.co_argcount]
    attributes = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__kwdefaults__ or {}
    count = len(operands)
    intervals = [domain] * count if isinstance(domain[0], (int, float)) else list(domain)
    type_name = name or "".join(part[:1].upper() + part[1:] for part in function.__name__.strip("_").split("_"))

    def expression_of(self: Any) -> Expression:
        known = self.__dict__.get("_expression")
        if known is None:
            known = function(*(Input(i) for i in range(count)), **self.attributes())
            self.__dict__["_expression"] = known
        result: Expression = known
        return result

    def infer(self: Any, *types: TensorType) -> Signature:
        if floating:
            _require_floating(type_name, types)
        return ScalarOp.infer(self, *types)

    def samples(cls: Any, rng: np.random.Generator) -> Iterable[Sample]:
        required = {key: 0.5 for key in attributes if key not in defaults}
        op = cls(**required)
        for shapes in ([(2, 3)] * count, [(3,), (2, 1), (2, 3)][:count]):
            arrays = [rng.uniform(low, high, shape) for (low, high), shape in zip(intervals, shapes, strict=False)]
            yield Sample(op, *(np.round(a).astype(np.int32) if integer else a for a in arrays))

    namespace: dict[str, Any] = {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": type_name,
        "__annotations__": {key: function.__annotations__.get(key, "float") for key in attributes},
        "scalar_expression": property(expression_of),
        "infer": infer,
        "samples": classmethod(samples),
        **defaults,
    }
    cls = register(type(type_name, (ScalarOp,), namespace))
    shared = cls() if not attributes else None

    @functools.wraps(function)
    def call(*values: Any, name: str | None = None, **keywords: Any) -> Any:
        if values and any(isinstance(value, Expression) for value in values):
            return function(*values, **keywords)
        if len(values) < count:
            values = (*values, *(keywords.pop(key) for key in operands[len(values) :] if key in keywords))
        op = shared if shared is not None and not keywords else cls(**keywords)
        return op(*values, name=name)

    call.__signature__ = _with_name(inspect.signature(function), inspect)  # type: ignore[attr-defined]
    call.op = cls  # type: ignore[attr-defined]
    return call


def _with_name(signature: Any, inspect: Any) -> Any:
    extra = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None")
    return signature.replace(parameters=[*signature.parameters.values(), extra])


def _require_floating(name: str, types: Sequence[TensorType]) -> None:
    from dovetail.errors import DTypeError

    for index, one in enumerate(types):
        if not one.dtype.is_floating:
            raise DTypeError(f"{name}: input {index} is {one}, where a floating type is wanted; use dt.cast.")
