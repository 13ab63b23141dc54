"""NumPy code of scalar expressions.

An expression and the dtypes of its inputs become the source of one Python function, in which every shared
subexpression is computed once. Float16 and bfloat16 are computed in float32 and the result is rounded once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from dovetail.ops.scalar import special
from dovetail.ops.scalar.dtype_rules import Adopting, dtypes_of, operand_dtype, settled
from dovetail.ops.scalar.expression import Apply, Convert, Expression, Input, Literal, nodes_of
from dovetail.ops.scalar.simplify import simplify
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, float32, float64

__all__ = ["compile_numpy", "numpy_source"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_INLINE_DEPTH: Final = 30
# Operators rather than functions for floating operands: NumPy then reuses large temporaries.
_OPERATORS: Final = frozenset("+-*/")


def compile_numpy(
    expression: Expression, dtypes: Sequence[DTypeLike] | None = None, *, guarded: bool = True
) -> Callable[..., Array]:
    """Make the function that computes ``expression`` on arrays.

    It takes one array for each of ``dtypes`` (trusted, not checked), broadcasts those that the expression mentions, and
    returns a new array. Overflow, invalid operands and division by zero follow IEEE 754 without a warning.

    Args:
        expression: what to compute.
        dtypes: the dtypes of the inputs; left out, the function looks at its arguments at each call.
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
    if dtypes is None:
        return _dispatching(expression, guarded)
    return _compiled(expression, tuple(as_dtype(dtype) for dtype in dtypes), guarded)


@functools.lru_cache(maxsize=4096)
def _dispatching(expression: Expression, guarded: bool) -> Callable[..., Array]:
    """Make the function that compiles the expression for each combination of dtypes when it first meets it."""
    compiled: dict[tuple[np.dtype[Any], ...], Callable[..., Array]] = {}

    def scalar(*arrays: Array) -> Array:
        dtypes = tuple([array.dtype for array in arrays])
        function = compiled.get(dtypes)
        if function is None:
            function = compiled[dtypes] = compile_numpy(expression, dtypes, guarded=guarded)
        return function(*arrays)

    return scalar


def numpy_source(expression: Expression, dtypes: Sequence[DTypeLike]) -> str:
    """Return the source of the function that ``compile_numpy`` makes.

    Example:
        >>> print(numpy_source(Input(0) * Input(0) + 1.0, ["float64"]))
        # c0 = 1.0
        def scalar(x0):
            with errstate(all="ignore"):
                return asarray(((x0 * x0) + c0))
    """
    writer = _Writer(expression, tuple(as_dtype(dtype) for dtype in dtypes))
    source = writer.source(guarded=True)
    constants = [f"# {name} = {value}" for name, value in writer.constants.items() if name[1:].isdecimal()]
    return "\n".join([*constants, source])


@functools.lru_cache(maxsize=4096)
def _compiled(expression: Expression, dtypes: tuple[DType, ...], guarded: bool) -> Callable[..., Array]:
    writer = _Writer(expression, dtypes)
    direct = None if guarded else writer.direct()
    if direct is not None:
        return direct
    source = writer.source(guarded)
    namespace = dict(writer.constants)
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
        if root.function.result == "quotient" and not operands[0][1].is_inexact:
            return None
        return self.function_for(root, operands[-1][1])

    def function_for(self, node: Apply, operand: DType) -> Callable[..., Any]:
        """Return the NumPy function for operands of this dtype."""
        integer = node.function.integer
        return node.function.numpy if integer is None or not operand.is_integer else integer

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
            adopted = node.dtype if own is int or node.dtype.is_floating else float64
            return [(node.arg, bool_ if own is bool else adopted)]
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
        if self.result.is_half:
            result = f"asarray({result}).astype({self.dtype(self.result)})"
        elif result.isidentifier():  # an input or a constant
            result += ".copy()"
        elif guarded:
            result = f"asarray({result})"
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
                self.lines.append(f"{text} = {text}.astype({self.dtype(float32)})")
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
            target = self.dtype(result)
            texts = [f"{text}.astype({target})" for text in texts]
            operand = result
        if operand.is_inexact and function.symbol is not None and function.symbol in _OPERATORS:
            return f"({texts[0]} {function.symbol} {texts[1]})" if len(texts) == 2 else f"(-{texts[0]})"
        self.constants[function.name] = self.function_for(node, operand)
        return f"{function.name}({', '.join(texts)})"

    def conversion(self, text: str, source: DType, target: DType) -> str:
        """Write a conversion; halves live in float32, rounded where they are made from something else."""
        if source is target:
            return text
        if source.is_floating and target.is_integer:
            self.constants["to_integer"] = special.to_integer
            return f"to_integer({text}, {self.dtype(target)})"
        if target.is_half:
            text = f"{text}.astype({self.dtype(target)})"
            target = float32
        elif _computed(source) is target:
            return text
        return f"{text}.astype({self.dtype(target)})"

    def literal(self, value: bool | int | float, dtype: DType) -> str:
        """Write a number: the name of a zero-dimensional array, which NumPy takes faster than a Python number."""
        with np.errstate(over="ignore"):
            return self.constant(np.asarray(_computed(dtype).numpy.type(value)), "c")

    def dtype(self, dtype: DType) -> str:
        """Name a dtype in the code."""
        return self.constant(dtype.numpy, "d")

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
