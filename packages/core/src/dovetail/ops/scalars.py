"""Scalar operations: one expression, from which NumPy code, type rule, gradient and every backend's code follow."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, Protocol, TypeAlias, final, overload

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.operands import apply, leading_dtype
from dovetail.ops.scalar import (
    Apply,
    Convert,
    Expression,
    Input,
    Literal,
    Operand,
    as_expression,
    compile_numpy,
    derivative_with_output,
    inputs_of,
    nodes_of,
    parse_expression,
    rename_inputs,
    result_dtype,
)
from dovetail.types.dims import Dim, dim_max, dim_min, floor_div
from dovetail.types.dtypes import DType, bool_, complex64, complex128, float32, float64, int32
from dovetail.types.shapes import TensorType, broadcast_shapes

__all__ = ["Elementwise", "Scalar", "ScalarFunction", "ScalarOp", "elementwise", "fits", "scalar"]

Scalar: TypeAlias = Expression
"""What the function of a scalar operation takes and returns."""
Interval: TypeAlias = tuple[float, float]

_OBJECT_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
    "remainder": lambda a, b: a % b,
    "square": lambda a: a * a,
    "floor_divide": floor_div,
    "maximum": dim_max,
    "minimum": dim_min,
}


class ScalarOp(Op):
    """An operation whose every output element is one scalar expression of elements of its inputs, with broadcasting."""

    kind = "scalar"
    gradient_without_ranks = True
    partial_gradient = True
    label: ClassVar[str] = "elementwise"
    """The name of the function that makes it, with which errors begin."""
    floating: ClassVar[bool] = False
    """Whether it takes floating operands only."""
    for_complex: ClassVar[Callable[..., Tensor] | None] = None
    """What serves complex operands in place of the expression: a function of them and ``name``."""
    sample_intervals: ClassVar[tuple[Interval, ...]] = ()
    """What samples of each operand are drawn from."""

    @property
    def scalar_expression(self) -> Expression:
        """The expression of one output element; ``x0`` is an element of the first input."""
        raise TypeError(f"{type(self).__name__} declares no expression")

    def _dtype(self, dtypes: tuple[DType, ...], shown: Sequence[object]) -> DType:
        if self.floating:
            for index, dtype in enumerate(dtypes):
                if not dtype.is_floating:
                    raise DTypeError(
                        f"{self.label}: input {index} is {shown[index]}, where a floating dtype is wanted. Use dt.cast."
                    )
        try:
            return _result_dtype(self.scalar_expression, dtypes)
        except DTypeError as error:
            raise DTypeError(_explained(self.label, self.scalar_expression, dtypes, shown, error)) from error

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The dtype of the expression."""
        return (self._dtype(dtypes, [dtype.name for dtype in dtypes]),)

    def infer(self, *types: TensorType) -> Signature:
        """The broadcast shape, and the dtype of the expression."""
        dtype = self._dtype(tuple([one.dtype for one in types]), types)
        first = types[0].shape
        for one in types:
            if one.shape != first:
                break
        else:
            return TensorType(dtype, first)

        def message() -> str:
            listed = ", ".join(f"input {index} is {one}" for index, one in enumerate(types))
            return (
                f"{self.label}: the shapes do not broadcast: {listed}. Aligned at the right, sizes must be equal or 1; "
                f"reshape one of them."
            )

        return TensorType(dtype, broadcast_shapes(*(one.shape for one in types), message=message))

    def reference(self, *arrays: Any) -> Array:
        """Evaluate the expression."""
        return compile_numpy(self.scalar_expression)(*arrays)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """The chain rule, element by element, summed over broadcast axes; for the inputs ``needed``.

        Of complex numbers, the gradient is multiplied by the conjugate of the derivative.
        """
        from dovetail.ops.complex_numbers import conj
        from dovetail.ops.reductions import sum_to

        result: list[Tensor | None] = []
        tensors = (*inputs, outputs[0], grads[0])
        dtypes = tuple([tensor.dtype for tensor in tensors])
        for index in needed:
            rule = _gradient_expression(self.scalar_expression, index, dtypes)
            if rule is None:
                result.append(None)
            elif isinstance(rule, tuple):
                terms = (conj(elementwise(rule[1], tensors)), grads[0])
                result.append(sum_to(elementwise(rule[0], terms), inputs[index]))
            else:
                result.append(sum_to(elementwise(rule, tensors), inputs[index]))
        return result

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """One for each function in the expression and each element."""
        return outputs[0].size * sum(isinstance(node, Apply) for node in nodes_of(self.scalar_expression))

    def symbolic_value(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> Array | None:
        """Arithmetic of dimensions, where every operand is known."""
        if not values or any(one is None for one in values) or not types[0].dtype.is_integer:
            return None
        dtype = types[0].dtype
        if dtype.size < 4:
            return None
        expression = self.scalar_expression
        if not isinstance(expression, Apply) or expression.args != tuple(Input(i) for i in range(len(values))):
            return None
        function = _OBJECT_FUNCTIONS.get(expression.function.name)
        if function is None:
            return None
        try:
            result = np.frompyfunc(function, len(values), 1)(*values)
        except (ZeroDivisionError, ShapeError):
            return None
        boxed = np.empty(np.shape(result), object)
        boxed[...] = result
        return boxed if fits(boxed, dtype) else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Each kind of dtype that it takes: equal and broadcast shapes, scalars, empty."""
        count = len(cls.sample_intervals)
        op = cls(**{field.name: 0.5 for field in cls.fields if field.required})
        for dtype in (float64, int32, bool_, complex128):
            if cls.for_complex is not None and dtype.is_complex:
                continue
            if not _accepts(op.scalar_expression, dtype, count) or (cls.floating and not dtype.is_floating):
                continue
            broadcast = [(3,), (2, 1), (2, 3)][:count]
            every = ([(2, 3)] * count, broadcast, [()] * count, [(0, 3), (3,), ()][:count])
            for shapes in (broadcast,) if dtype.is_complex else every:
                pairs = zip(cls.sample_intervals, shapes, strict=True)
                yield Sample(op, *(_drawn(rng.uniform(low, high, shape), dtype) for (low, high), shape in pairs))


def _drawn(array: Any, dtype: DType) -> Array:
    """Give a sample another dtype; truth values vary by the fraction, imaginary parts with the real ones."""
    if dtype.is_complex:
        return np.asarray(array + 1j * np.cos(5.0 * array), dtype.numpy)
    if dtype.is_bool:
        return np.asarray(np.asarray(array) % 1.0 < 0.5)
    return np.asarray(np.rint(array) if dtype.is_integer else array).astype(dtype.numpy)


def fits(dims: Array, dtype: DType) -> bool:
    """Tell whether the dimensions that are known are among the values of an integer dtype, so that nothing wraps."""
    return all(not isinstance(dim, int) or dtype.min <= dim <= dtype.max for dim in dims.reshape(-1).tolist())


_result_dtype = functools.lru_cache(maxsize=8192)(result_dtype)


def _explained(
    label: str, expression: Expression, dtypes: Sequence[DType], shown: Sequence[object], error: DTypeError
) -> str:
    """Say which input has a dtype that the expression does not take."""
    if any(isinstance(node, Apply) and node.function.domain == "select" for node in nodes_of(expression)):
        return f"{label}: {error}"
    for index, dtype in enumerate(dtypes):
        if dtype is not dtypes[0]:
            return (
                f"{label}: input 0 is {shown[0]} and input {index} is {shown[index]}; operands must have one dtype. "
                f"Use dt.cast on one of them."
            )
    wanted = _WANTED.get(tuple([_accepts(expression, dtype, len(dtypes)) for dtype in _TRIED]))
    if wanted is None:
        return f"{label}: {error}"
    return f"{label}: input 0 is {shown[0]}, where {wanted} is wanted. Use dt.cast."


_TRIED: Final = (float32, int32, bool_, complex64)
_WANTED: Final[dict[tuple[bool, ...], str]] = {
    (True, False, False, False): "a floating dtype",
    (True, False, False, True): "a floating or complex dtype",
    (True, True, False, False): "a dtype of real numbers",
    (True, True, False, True): "a numeric dtype",
    (False, True, False, False): "an integer dtype",
    (False, False, True, False): "bool",
}


def _accepts(expression: Expression, dtype: DType, count: int) -> bool:
    try:
        result_dtype(expression, [dtype] * count)
    except DTypeError:
        return False
    return True


@functools.lru_cache(maxsize=4096)
def _gradient_expression(
    expression: Expression, index: int, dtypes: tuple[DType, ...]
) -> Expression | tuple[Expression, Expression] | None:
    """The gradient with respect to an input, in its dtype.

    Its own inputs are those of the expression, then its value, then the gradient of its value. Where a complex number
    is to be conjugated on the way, there are two: of the conjugate and the gradient, and of what is conjugated.
    """
    if not dtypes[index].is_inexact:
        return None
    rule, _ = derivative_with_output(expression, index, len(dtypes) - 2)
    if rule is None:
        return None
    grad = Input(len(dtypes) - 1)
    if result_dtype(rule, dtypes).is_complex:
        return Input(1) * Input(0), rule
    result: Expression = grad if isinstance(rule, Literal) and rule.value == 1 else grad * rule
    return result if result_dtype(result, dtypes) is dtypes[index] else Convert(dtypes[index], result)


def elementwise(expression: Expression, tensors: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Apply a scalar expression to tensors, dropping those that it does not use."""
    if isinstance(expression, Input):
        return tensors[expression.index]
    op, used = _elementwise_op(expression)
    result: Tensor = op(*(tensors[i] for i in used), name=name)
    return result


@functools.lru_cache(maxsize=4096)
def _elementwise_op(expression: Expression) -> tuple[Elementwise, tuple[int, ...]]:
    used = inputs_of(expression)
    return Elementwise(str(rename_inputs(expression, {old: new for new, old in enumerate(used)}))), used


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


class ScalarFunction(Protocol):
    """What ``scalar`` makes: of tensors and values it makes a node, of expressions an expression."""

    op: type[ScalarOp]
    __name__: str

    @overload
    def __call__(self, *values: Expression, **attributes: Any) -> Expression: ...
    @overload
    def __call__(self, *values: Any, name: str | None = None, **attributes: Any) -> Tensor: ...


@overload
def scalar(function: Callable[..., Operand]) -> ScalarFunction: ...
@overload
def scalar(
    *,
    name: str | None = None,
    domain: Interval | Sequence[Interval] = (-2.0, 2.0),
    floating: bool = False,
    for_complex: Callable[..., Tensor] | None = None,
) -> Callable[[Callable[..., Operand]], ScalarFunction]: ...
def scalar(
    function: Callable[..., Operand] | None = None,
    *,
    name: str | None = None,
    domain: Interval | Sequence[Interval] = (-2.0, 2.0),
    floating: bool = False,
    for_complex: Callable[..., Tensor] | None = None,
) -> Any:
    """Declare a scalar operation from a function of scalar expressions.

    Positional parameters are operands; keyword-only parameters are attributes (numbers). Operands have one dtype and
    broadcast; Python and NumPy values take the dtype of the tensors beside them.

    Args:
        function: the function; its docstring documents the operation.
        name: the operation's type; the function's name in capitals by default (``log1p`` gives ``Log1p``).
        domain: the interval, or one for each operand, that samples are drawn from.
        floating: whether only floating operands are taken, where the expression would take others.
        for_complex: a function of the operands and ``name`` that serves complex ones, where the expression does not.

    Returns:
        The function that users call: it takes tensors, or expressions when it is used within another declaration, and
        ``name`` after the operands.

    Example:
        >>> @scalar
        ... def swish(x, *, beta=1.0):
        ...     return x / (1.0 + dt.exp(-beta * x))
        >>> swish(dt.zeros([2, 3])).type
        float32[2, 3]
    """
    if function is None:
        return functools.partial(scalar, name=name, domain=domain, floating=floating, for_complex=for_complex)
    define = function
    code = function.__code__
    operands = code.co_varnames[: code.co_argcount]
    attributes = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    count = len(operands)
    intervals = [domain] * count if isinstance(domain[0], int | float) else list(domain)
    label = function.__name__.strip("_")
    cls = _define(define, name or "".join(part[:1].upper() + part[1:] for part in label.split("_")), count, attributes)
    cls.label = label
    cls.floating = floating
    cls.for_complex = for_complex
    cls.sample_intervals = tuple(intervals)  # type: ignore[arg-type] # pairs, by the test above
    register(cls)
    signature = _signature_of(function, attributes)
    defaults = function.__kwdefaults__ or {}
    shared = cls() if len(defaults) == len(attributes) else None

    @functools.wraps(function)
    def call(*values: Any, name: str | None = None, **keywords: Any) -> Any:
        op = shared
        if keywords or len(values) != count or op is None:
            if any(isinstance(value, Expression) for value in (*values, *keywords.values())):
                return define(*values, **keywords)
            try:
                bound = signature.bind(*values, **keywords, **({} if name is None else {"name": name})).arguments
            except TypeError as error:
                raise TypeError(f"{cls.label}: {error}; it takes {signature}.") from error
            values = tuple([bound[operand] for operand in operands])
            name = bound.get("name")
            given = {key: bound[key] for key in attributes if key in bound}
            op = cls(**given) if given or shared is None else shared
        if for_complex is not None and not any(isinstance(value, Expression) for value in values):
            if leading_dtype(*values).is_complex:
                return for_complex(*values, name=name)
        for value in values:
            if type(value) is not Tensor:
                break
        else:
            return get_default_graph().create(op, values, name=name).outputs[0]
        if any(isinstance(value, Expression) for value in values):
            return define(*values)
        return apply(op, cls.label, operands, values, name)

    call.__signature__ = signature  # type: ignore[attr-defined] # a function takes any attribute
    call.__annotations__ = {}
    call.op = cls  # type: ignore[attr-defined] # likewise
    return call


def _define(function: Callable[..., Operand], type_name: str, count: int, attributes: Sequence[str]) -> type[ScalarOp]:
    """Make the class of a declared operation."""

    def expression_of(self: Any) -> Expression:
        known = self.__dict__.get("_expression")
        if known is None:
            known = as_expression(function(*(Input(i) for i in range(count)), **self.attributes()))
            self.__dict__["_expression"] = known
        result: Expression = known
        return result

    namespace: dict[str, Any] = {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": type_name,
        "__annotations__": {key: function.__annotations__.get(key, "float") for key in attributes},
        "scalar_expression": property(expression_of),
        **(function.__kwdefaults__ or {}),
    }
    cls: type[ScalarOp] = type(type_name, (ScalarOp,), namespace)
    return cls


def _signature_of(function: Callable[..., Any], attributes: Sequence[str]) -> inspect.Signature:
    """Return the signature for users: operands, ``name``, attributes."""
    parameters = [
        one.replace(annotation=inspect.Parameter.empty) if one.name not in attributes else one
        for one in inspect.signature(function).parameters.values()
    ]
    name = inspect.Parameter("name", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    count = len(parameters) - len(attributes)
    return inspect.Signature([*parameters[:count], name, *parameters[count:]])
