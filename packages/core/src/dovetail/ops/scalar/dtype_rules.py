"""Which dtypes a scalar expression accepts, and which it gives.

The operands of a basis function have equal dtypes; nothing is promoted. A literal adopts the dtype of the operand next
to it: a float any floating or complex dtype, an int any numeric dtype that can hold it, a bool only bool. A
subexpression without inputs is a number, computed in double precision (integers exactly), and adopts like a literal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops.scalar.expression import Apply, Basis, Convert, Expression, Input, Literal, nodes_of
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, float32, float64, int32

__all__ = ["Adopting", "dtypes_of", "operand_dtype", "result_dtype", "settled"]

Adopting: TypeAlias = type[bool] | type[int] | type[float]
"""The kind of a subexpression that has no dtype of its own yet."""

_DOMAINS: Final[Mapping[str, tuple[Callable[[DType], bool], str]]] = {
    "number": (lambda dtype: dtype.is_number, "a numeric dtype"),
    "numeric": (lambda dtype: dtype.is_numeric, "a dtype of real numbers"),
    "inexact": (lambda dtype: dtype.is_inexact, "a floating or complex dtype"),
    "floating": (lambda dtype: dtype.is_floating, "a floating dtype"),
    "integer": (lambda dtype: dtype.is_integer, "an integer dtype"),
    "bool": (lambda dtype: dtype.is_bool, "bool"),
    "any": (lambda dtype: True, "any dtype"),
    "select": (lambda dtype: True, "any dtype"),
}
_ADOPTING_DOMAINS: Final[Mapping[str, tuple[Adopting, ...]]] = {
    "number": (int, float),
    "numeric": (int, float),
    "inexact": (int, float),
    "floating": (int, float),
    "integer": (int,),
    "bool": (bool,),
    "any": (bool, int, float),
    "select": (bool, int, float),
}
_DEFAULTS: Final[Mapping[Adopting, DType]] = {bool: bool_, int: int32, float: float32}


def result_dtype(expression: Expression, input_dtypes: Sequence[DTypeLike]) -> DType:
    """Return the dtype that ``expression`` has for inputs of these dtypes.

    An expression of literals alone is float32, int32 or bool.

    Raises:
        DTypeError: a basis function does not take its operands' dtypes, or they differ.
        InvalidArgumentError: the expression mentions an input for which no dtype is given.

    Example:
        >>> x, y = Input(0), Input(1)
        >>> result_dtype(x * 2 < y, ["int32", "int32"])
        dovetail.bool
    """
    return settled(dtypes_of(expression, [as_dtype(dtype) for dtype in input_dtypes])[expression])


def settled(dtype: DType | Adopting) -> DType:
    """Return the dtype, or the default one for what has nothing to adopt from."""
    return dtype if isinstance(dtype, DType) else _DEFAULTS[dtype]


def dtypes_of(expression: Expression, input_dtypes: Sequence[DType]) -> dict[Expression, DType | Adopting]:
    """Return the dtype of every subexpression, or the kind of number where it adopts its dtype from outside."""
    found: dict[Expression, DType | Adopting] = {}
    for node in nodes_of(expression):
        if isinstance(node, Input):
            if node.index >= len(input_dtypes):
                raise InvalidArgumentError(f"{expression} mentions {node}, but {len(input_dtypes)} dtypes are given.")
            found[node] = input_dtypes[node.index]
        elif isinstance(node, Literal):
            found[node] = type(node.value)
        elif isinstance(node, Convert):
            source = found[node.arg]
            if isinstance(source, DType) and (source.is_string or source.is_complex):
                raise DTypeError(f"cast: {node.arg} is {source.name}, which does not convert to {node.dtype.name}.")
            found[node] = node.dtype
        elif isinstance(node, Apply):
            common = operand_dtype(node, found)
            if node.function.result == "bool":
                found[node] = bool_
            elif node.function.result == "quotient":
                found[node] = _quotient(common)
            else:
                found[node] = common
    return found


def operand_dtype(node: Apply, found: Mapping[Expression, DType | Adopting]) -> DType | Adopting:
    """Return the dtype that the operands of ``node`` share, the condition of ``select`` left aside."""
    function, operands = node.function, node.args
    if function.domain == "select":
        condition = found[operands[0]]
        if condition is not bool_ and condition is not bool:
            raise DTypeError(f"select: the condition {operands[0]} is {_name(condition)}, not bool.")
        operands = operands[1:]
    common: DType | None = None
    first = operands[0]
    for operand in operands:
        dtype = found[operand]
        if not isinstance(dtype, DType):
            continue
        if not _DOMAINS[function.domain][0](dtype):
            raise DTypeError(f"{function.name} wants {_DOMAINS[function.domain][1]}; {operand} is {dtype.name}.")
        if common is None:
            common, first = dtype, operand
        elif dtype is not common:
            raise DTypeError(
                f"{function.name} wants equal dtypes; {first} is {common.name} and {operand} is {dtype.name}. "
                f"Cast one of them."
            )
    if common is None:
        return _common_kind(function, operands, found)
    for operand in operands:
        dtype = found[operand]
        if not isinstance(dtype, DType):
            _check_adoption(function, operand, dtype, common)
    return common


def _common_kind(
    function: Basis, operands: Sequence[Expression], found: Mapping[Expression, DType | Adopting]
) -> Adopting:
    kinds = {found[operand] for operand in operands}
    kind: Adopting = float if float in kinds else int if int in kinds else bool
    allowed = _ADOPTING_DOMAINS[function.domain]
    if kind not in allowed or (bool in kinds and kind is not bool):
        numbers = ", ".join(str(operand) for operand in operands)
        raise DTypeError(f"{function.name} wants {_DOMAINS[function.domain][1]}; given {numbers}.")
    return float if function.domain in ("floating", "inexact") else kind


def _check_adoption(function: Basis, operand: Expression, kind: Adopting, dtype: DType) -> None:
    fits = dtype.is_bool if kind is bool else dtype.is_number if kind is int else dtype.is_inexact
    if not fits:
        raise DTypeError(f"{function.name}: {operand} cannot be {dtype.name} like the other operand. Cast one of them.")
    if isinstance(operand, Literal) and dtype.is_integer and not dtype.min <= operand.value <= dtype.max:
        raise DTypeError(
            f"{function.name}: {operand} does not fit {dtype.name}, which holds {dtype.min} to {dtype.max}."
        )


def _quotient(dtype: DType | Adopting) -> DType | Adopting:
    if not isinstance(dtype, DType):
        return float
    if dtype.is_integer:
        return float64 if dtype.size >= 4 else float32
    return dtype


def _name(dtype: DType | Adopting) -> str:
    return dtype.name if isinstance(dtype, DType) else f"a Python {dtype.__name__}"
