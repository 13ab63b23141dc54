"""NumPy code of scalar expressions.

An expression and the dtypes of its inputs become the source of one Python function, in which every shared
subexpression is computed once. Float16 and bfloat16 are computed in float32 and the result is rounded once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dovetail.errors import InvalidArgumentError
from dovetail.ops.scalar.dtype_rules import Adopting, dtypes_of, operand_dtype, settled
from dovetail.ops.scalar.expression import Apply, Convert, Expression, Input, Literal, nodes_of
from dovetail.ops.scalar.simplify import simplify
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, float32, float64

__all__ = ["compile_numpy", "numpy_source"]

Array: TypeAlias = npt.NDArray[Any]

_INLINE_DEPTH: Final = 30
# Operators rather than functions for floating operands: NumPy then reuses large temporaries.
_OPERATORS: Final = frozenset("+-*/")


def compile_numpy(
    expression: Expression, dtypes: Sequence[DTypeLike], *, guarded: bool = True
) -> Callable[..., Array]:
    """Make the function that computes ``expression`` on arrays.

    It takes one array for each of ``dtypes`` (trusted, not checked), broadcasts those that the expression mentions, and
    returns a new array. Overflow, invalid operands and division by zero follow IEEE 754 without a warning.

    Args:
        expression: what to compute.
        dtypes: the dtypes of the inputs.
        guarded: False for a caller that holds ``np.errstate(all="ignore")`` around many calls. The function may then be
            a NumPy ufunc itself, and give a NumPy scalar where all inputs are zero-dimensional.

    Raises:
        DTypeError: the expression does not take inputs of these dtypes.
        InvalidArgumentError: it mentions more inputs than ``dtypes`` has.

    The function itself raises ``ZeroDivisionError`` where an integer is divided by zero with ``//`` or ``%``, and
    ``ValueError`` for an integer to a negative power.

    Example:
        >>> x = Input(0)
        >>> compile_numpy(x * (1.0 - x), ["float32"])(np.array([0.5, 2.0], np.float32))
        array([ 0.25, -2.  ], dtype=float32)
    """
    return _compiled(expression, tuple(as_dtype(dtype) for dtype in dtypes), guarded)


def numpy_source(expression: Expression, dtypes: Sequence[DTypeLike]) -> str:
    """Return the source of the function that ``compile_numpy`` makes.

    Example:
        >>> print(numpy_source(Input(0) * Input(0) + 1.0, ["float64"]))
        def scalar(x0):
            with errstate(all="ignore"):
                return asarray(((x0 * x0) + 1.0))
    """
    return _Writer(expression, tuple(as_dtype(dtype) for dtype in dtypes)).source(guarded=True)


@functools.lru_cache(maxsize=4096)
def _compiled(expression: Expression, dtypes: tuple[DType, ...], guarded: bool) -> Callable[..., Array]:
    writer = _Writer(expression, dtypes)
    direct = None if guarded else writer.direct()
    if direct is not None:
        return direct
    namespace: dict[str, Any] = dict(writer.constants)
    source = writer.source(guarded)
    namespace |= writer.constants
    exec(compile(source, f"<scalar {expression}>", "exec"), namespace)
    function: Callable[..., Array] = namespace["scalar"]
    return function


class _Writer:
    """Writes the code of one expression for inputs of given dtypes."""

    def __init__(self, expression: Expression, dtypes: tuple[DType, ...]) -> None:
        self.dtypes = dtypes
        dtypes_of(expression, dtypes)
        self.root = simplify(expression)
        self.order = nodes_of(self.root)
        self.found: dict[Expression, DType | Adopting] = dtypes_of(self.root, dtypes)
        self.result = settled(self.found[self.root])
        self.uses: dict[tuple[Expression, DType], int] = {}
        self.constants: dict[str, Any] = {"errstate": np.errstate, "asarray": np.asarray}
        self.lines: list[str] = []
        self.code: dict[tuple[Expression, DType], tuple[str, int]] = {}
        self.temporaries = 0

    def direct(self) -> Callable[..., Array] | None:
        """Return the NumPy function itself where a call of it on the inputs is all there is."""
        root = self.root
        if not isinstance(root, Apply) or any(dtype.is_half for dtype in self.dtypes):
            return None
        if root.args != tuple(Input(index) for index in range(len(self.dtypes))):
            return None
        operands = self.operands(root, self.result)
        if root.function.result == "quotient" and not operands[0][1].is_floating:
            return None
        return self.function_for(root, operands[-1][1])

    def function_for(self, node: Apply, operand: DType) -> Callable[..., Any]:
        """Return the NumPy function for operands of this dtype."""
        integer = node.function.integer
        return node.function.numpy if integer is None or operand.is_floating else integer

    def operands(self, node: Apply, wanted: DType) -> list[tuple[Expression, DType]]:
        """Return the arguments with the dtype that each has here, given that of the result."""
        common = operand_dtype(node, self.found)
        if not isinstance(common, DType):
            common = wanted if node.function.result == "operand" else settled(common)
            if node.function.result == "quotient":
                common = wanted
        first = [(node.args[0], bool_)] if node.function.domain == "select" else []
        return [*first, *((arg, common) for arg in node.args[len(first) :])]

    def arguments(self, node: Expression, wanted: DType) -> list[tuple[Expression, DType]]:
        """Return the arguments of any node with the dtype that each has here."""
        if isinstance(node, Apply):
            return self.operands(node, wanted)
        if isinstance(node, Convert):
            own = self.found[node.arg]
            if isinstance(own, DType):
                return [(node.arg, own)]
            return [(node.arg, bool_ if own is bool else node.dtype if node.dtype.is_floating or own is int else float64)]
        return []

    def source(self, guarded: bool) -> str:
        """Write the function."""
        wanted: dict[Expression, dict[DType, int]] = {self.root: {self.result: 1}}
        for node in reversed(self.order):
            for dtype in wanted[node]:
                for arg, own in self.arguments(node, dtype):
                    counts = wanted.setdefault(arg, {})
                    counts[own] = counts.get(own, 0) + 1
        for node in self.order:
            for dtype, count in wanted[node].items():
                self.write(node, dtype, count)
        result, _ = self.code[self.root, self.result]
        if isinstance(self.root, Input):
            result = f"{result}.copy()" if not self.result.is_half else result
        if self.result.is_half:
            result = f"asarray({result}).astype({self.constant(self.result.numpy, 'd')})"
        else:
            result = f"asarray({result})" if guarded else result
        indent = "        " if guarded else "    "
        parameters = ", ".join(f"x{index}" for index in range(len(self.dtypes)))
        lines = [f"def scalar({parameters}):", *(['    with errstate(all="ignore"):'] if guarded else [])]
        return "\n".join([*lines, *(indent + line for line in self.lines), f"{indent}return {result}"])

    def write(self, node: Expression, dtype: DType, uses: int) -> None:
        """Write one node, inline or as a statement."""
        args = self.arguments(node, dtype)
        texts = [self.code[arg][0] for arg in args]
        depth = 1 + max((self.code[arg][1] for arg in args), default=0)
        if isinstance(node, Input):
            text = f"x{node.index}"
            if dtype.is_half:
                self.lines.append(f"{text} = {text}.astype({self.constant(np.dtype(np.float32), 'd')})")
            depth = 0
        elif isinstance(node, Literal):
            text = self.literal(node.value, dtype)
            uses = 1
        elif isinstance(node, Convert):
            text = self.conversion(texts[0], args[0][1], node.dtype)
        elif isinstance(node, Apply):
            text = self.application(node, texts, args[-1][1], dtype)
        else:
            raise TypeError(type(node).__name__)
        if node is not self.root and not isinstance(node, Input) and (uses > 1 or depth > _INLINE_DEPTH):
            name = f"t{self.temporaries}"
            self.temporaries += 1
            self.lines.append(f"{name} = {text}")
            text, depth = name, 0
        self.code[node, dtype] = text, depth

    def application(self, node: Apply, texts: list[str], operand: DType, result: DType) -> str:
        """Write the application of a basis function."""
        function = node.function
        if function.result == "quotient" and operand.is_integer:
            target = self.constant(result.numpy, "d")
            texts = [f"{text}.astype({target})" for text in texts]
            operand = result
        if operand.is_floating and function.symbol is not None and function.symbol in _OPERATORS:
            return f"({texts[0]} {function.symbol} {texts[1]})" if len(texts) == 2 else f"(-{texts[0]})"
        self.constants[function.name] = self.function_for(node, operand)
        return f"{function.name}({', '.join(texts)})"

    def conversion(self, text: str, source: DType, target: DType) -> str:
        """Write a conversion; halves live in float32, rounded where they are made from something else."""
        if source is target:
            return text
        if target.is_half:
            text = f"{text}.astype({self.constant(target.numpy, 'd')})"
            target = float32
        return f"{text}.astype({self.constant(_computed(target).numpy, 'd')})" if _computed(source) is not target else text

    def literal(self, value: bool | int | float, dtype: DType) -> str:
        """Write a number; floats as they are where NumPy takes them for the other operand's dtype."""
        if dtype.is_floating and math.isfinite(value) and abs(value) <= dtype.max:
            return f"({float(value)!r})" if value < 0 else repr(float(value))
        return self.constant(_computed(dtype).numpy.type(value), "c")

    def constant(self, value: Any, prefix: str) -> str:
        """Name a constant of the code."""
        for name, known in self.constants.items():
            if name[0] == prefix and name[1:].isdecimal() and known is value:
                return name
        name = f"{prefix}{sum(key[0] == prefix and key[1:].isdecimal() for key in self.constants)}"
        self.constants[name] = value
        return name


def _computed(dtype: DType) -> DType:
    return float32 if dtype.is_half else dtype
