"""Scalar expressions: immutable, structurally shared trees that say what happens to one element.

An expression is made of inputs (``x0``, ``x1``, …), exact literals, applications of basis functions and conversions
of dtype. Equal expressions are one object, so ``==`` is structural, hashing is free, and a subexpression that occurs
twice is stored, differentiated and evaluated once.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias, final
from typing import Literal as OneOf

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.types.dtypes import DType, DTypeLike, as_dtype

__all__ = [
    "BASIS",
    "Apply",
    "Basis",
    "Convert",
    "Expression",
    "Input",
    "Literal",
    "Operand",
    "as_expression",
    "inputs_of",
    "nodes_of",
    "rename_inputs",
    "substitute_inputs",
    "trace",
]

Domain: TypeAlias = OneOf["number", "numeric", "inexact", "floating", "integer", "bool", "any", "select"]
Result: TypeAlias = OneOf["operand", "bool", "quotient"]
NumPyFunction: TypeAlias = Callable[..., Any]

_interned: Final[weakref.WeakValueDictionary[tuple[object, ...], Any]] = weakref.WeakValueDictionary()
_lock: Final = threading.RLock()


class Expression:
    """A scalar expression: an ``Input``, a ``Literal``, an ``Apply`` or a ``Convert``.

    Python's operators build expressions: ``+ - * / // % **``, ``abs``, the comparisons ``< <= > >=``, and ``& | ^ ~``
    for the logical functions. ``==`` compares structure; write ``equal(a, b)`` for the function. ``str`` gives the
    text that ``parse_expression`` reads back as the very same object.

    Example:
        >>> x = Input(0)
        >>> print(x * (1.0 - x))
        x0 * (1.0 - x0)
        >>> x * (1.0 - x) is x * (1.0 - x)
        True
    """

    __slots__ = ("__weakref__",)

    @property
    def args(self) -> tuple[Expression, ...]:
        """The expressions that this one is made of, in order."""
        return ()

    def __add__(self, other: Operand) -> Expression:
        """Make ``add(self, other)``."""
        return BASIS["add"](self, other)

    def __radd__(self, other: Operand) -> Expression:
        """Make ``add(other, self)``."""
        return BASIS["add"](other, self)

    def __sub__(self, other: Operand) -> Expression:
        """Make ``subtract(self, other)``."""
        return BASIS["subtract"](self, other)

    def __rsub__(self, other: Operand) -> Expression:
        """Make ``subtract(other, self)``."""
        return BASIS["subtract"](other, self)

    def __mul__(self, other: Operand) -> Expression:
        """Make ``multiply(self, other)``."""
        return BASIS["multiply"](self, other)

    def __rmul__(self, other: Operand) -> Expression:
        """Make ``multiply(other, self)``."""
        return BASIS["multiply"](other, self)

    def __truediv__(self, other: Operand) -> Expression:
        """Make ``divide(self, other)``."""
        return BASIS["divide"](self, other)

    def __rtruediv__(self, other: Operand) -> Expression:
        """Make ``divide(other, self)``."""
        return BASIS["divide"](other, self)

    def __floordiv__(self, other: Operand) -> Expression:
        """Make ``floor_divide(self, other)``."""
        return BASIS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Operand) -> Expression:
        """Make ``floor_divide(other, self)``."""
        return BASIS["floor_divide"](other, self)

    def __mod__(self, other: Operand) -> Expression:
        """Make ``remainder(self, other)``."""
        return BASIS["remainder"](self, other)

    def __rmod__(self, other: Operand) -> Expression:
        """Make ``remainder(other, self)``."""
        return BASIS["remainder"](other, self)

    def __pow__(self, other: Operand) -> Expression:
        """Make ``power(self, other)``."""
        return BASIS["power"](self, other)

    def __rpow__(self, other: Operand) -> Expression:
        """Make ``power(other, self)``."""
        return BASIS["power"](other, self)

    def __neg__(self) -> Expression:
        """Make ``negative(self)``."""
        return BASIS["negative"](self)

    def __abs__(self) -> Expression:
        """Make ``absolute(self)``."""
        return BASIS["absolute"](self)

    def __lt__(self, other: Operand) -> Expression:
        """Make ``less(self, other)``."""
        return BASIS["less"](self, other)

    def __le__(self, other: Operand) -> Expression:
        """Make ``less_equal(self, other)``."""
        return BASIS["less_equal"](self, other)

    def __gt__(self, other: Operand) -> Expression:
        """Make ``greater(self, other)``."""
        return BASIS["greater"](self, other)

    def __ge__(self, other: Operand) -> Expression:
        """Make ``greater_equal(self, other)``."""
        return BASIS["greater_equal"](self, other)

    def __and__(self, other: Operand) -> Expression:
        """Make ``logical_and(self, other)``."""
        return BASIS["logical_and"](self, other)

    def __rand__(self, other: Operand) -> Expression:
        """Make ``logical_and(other, self)``."""
        return BASIS["logical_and"](other, self)

    def __or__(self, other: Operand) -> Expression:
        """Make ``logical_or(self, other)``."""
        return BASIS["logical_or"](self, other)

    def __ror__(self, other: Operand) -> Expression:
        """Make ``logical_or(other, self)``."""
        return BASIS["logical_or"](other, self)

    def __xor__(self, other: Operand) -> Expression:
        """Make ``logical_xor(self, other)``."""
        return BASIS["logical_xor"](self, other)

    def __rxor__(self, other: Operand) -> Expression:
        """Make ``logical_xor(other, self)``."""
        return BASIS["logical_xor"](other, self)

    def __invert__(self) -> Expression:
        """Make ``logical_not(self)``."""
        return BASIS["logical_not"](self)

    def __bool__(self) -> NoReturn:
        """Refuse: a Python ``if`` cannot look at an element that is not there yet."""
        raise DTypeError(f"the scalar expression {_shortened(self)} has no truth value; use select(condition, a, b).")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: expressions are immutable."""
        raise AttributeError(f"scalar expressions are immutable; cannot set {name!r}")

    def __copy__(self) -> Expression:
        """Return the expression itself."""
        return self

    def __deepcopy__(self, memo: object) -> Expression:
        """Return the expression itself."""
        return self

    def __repr__(self) -> str:
        """Show the text form in quotes."""
        return f"<scalar expression {_shortened(self)!r}>"

    def __str__(self) -> str:
        """Give the text form; ``parse_expression`` reads it back."""
        return _text_of(self)


def _intern(cls: type[Any], key: tuple[object, ...], fields: Mapping[str, object]) -> Any:
    node = _interned.get(key)
    if node is not None:
        return node
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = object.__new__(cls)
            for name, value in fields.items():
                object.__setattr__(node, name, value)
            _interned[key] = node
        return node


@final
class Input(Expression):
    """The element of input number ``index``; printed ``x0``, ``x1``, ….

    Attributes:
        index: which input, from 0.

    Raises:
        InvalidArgumentError: ``index`` is no integer from 0 up.
    """

    __slots__ = ("index",)
    index: int

    def __new__(cls, index: Any) -> Input:
        """Return the one expression for this input."""
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise InvalidArgumentError(f"the index of an input is an integer from 0 up, not {index!r}.")
        node: Input = _intern(cls, (cls, index), {"index": index})
        return node

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by index."""
        return Input, (self.index,)


@final
class Literal(Expression):
    """An exact bool, int or float. It has no dtype of its own and adopts that of the operand next to it.

    Attributes:
        value: a Python ``bool``, ``int`` or ``float``; ``0.0`` and ``-0.0`` differ, all NaNs are one.

    Raises:
        DTypeError: ``value`` is of another type.
    """

    __slots__ = ("value",)
    value: bool | int | float

    def __new__(cls, value: Any) -> Literal:
        """Return the one expression for this value."""
        if isinstance(value, np.generic):
            value = value.item()
        if type(value) not in (bool, int, float):
            raise DTypeError(f"a literal of a scalar expression is a bool, int or float, not {type(value).__name__}.")
        node: Literal = _intern(cls, (cls, type(value), repr(value)), {"value": value})
        return node

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by value."""
        return Literal, (self.value,)


@final
class Apply(Expression):
    """A basis function applied to arguments.

    Attributes:
        function: the basis function.
        args: as many expressions as it has arguments.

    Raises:
        InvalidArgumentError: the number of arguments is wrong.
    """

    __slots__ = ("_args", "function")
    function: Basis
    _args: tuple[Expression, ...]

    def __new__(cls, function: Basis, args: Sequence[Expression]) -> Apply:
        """Return the one expression for this application."""
        args = tuple(args)
        if len(args) != function.arity:
            wanted = f"{function.arity} argument{'s' if function.arity > 1 else ''}"
            raise InvalidArgumentError(f"{function.name} takes {wanted}, {len(args)} given.")
        node: Apply = _intern(cls, (function, *args), {"function": function, "_args": args})
        return node

    @property
    def args(self) -> tuple[Expression, ...]:
        """The arguments, in order."""
        return self._args

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by function and arguments."""
        return Apply, (self.function, self._args)


@final
class Convert(Expression):
    """A conversion to ``dtype``, printed ``cast(x0, float32)``.

    Floating to integer truncates toward zero; what is out of range gives the nearest end of it, and NaN gives 0.
    Integer to integer wraps. Anything to bool asks whether it differs from zero.

    Attributes:
        dtype: the target.
        arg: what is converted.

    Raises:
        DTypeError: the target is string or complex.
    """

    __slots__ = ("arg", "dtype")
    dtype: DType
    arg: Expression

    def __new__(cls, dtype: DTypeLike, arg: Operand) -> Convert:
        """Return the one expression for this conversion."""
        dtype, arg = as_dtype(dtype), as_expression(arg)
        if dtype.is_string or dtype.is_complex:
            raise DTypeError(
                f"scalar expressions hold real numbers and truth values; there is no conversion to {dtype.name}."
            )
        node: Convert = _intern(cls, (cls, dtype, arg), {"dtype": dtype, "arg": arg})
        return node

    @property
    def args(self) -> tuple[Expression, ...]:
        """The one argument."""
        return (self.arg,)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by dtype and argument."""
        return Convert, (self.dtype, self.arg)


Operand: TypeAlias = Expression | bool | int | float


@final
class Basis:
    """A basis function: all that is known about one, on which everything else rests.

    Calling it builds an expression: ``exp(Input(0))``.

    Attributes:
        name: as in the text form.
        arity: the number of arguments.
        numpy: the NumPy function that defines it.
        domain: the operands it takes; ``"number"`` and ``"inexact"`` are ``"numeric"`` and ``"floating"`` with complex
            ones, ``"select"`` is a bool, then two operands of any dtype.
        result: ``"operand"`` (the operands' dtype), ``"bool"``, or ``"quotient"`` (integers give floating values).
        derivatives: for each argument a function of the result and the arguments that gives the partial derivative,
            or None where the result does not vary with it, or only by jumps.
        integer: the NumPy function for integer operands where it is another one.
        symbol: its operator in the text form.
        doc: one line.
    """

    __slots__ = ("arity", "derivatives", "doc", "domain", "integer", "name", "numpy", "result", "symbol")

    def __init__(
        self,
        name: str,
        numpy: NumPyFunction,
        domain: Domain,
        result: Result,
        derivatives: tuple[Callable[..., Operand] | None, ...],
        doc: str,
        *,
        integer: NumPyFunction | None = None,
        symbol: str | None = None,
    ) -> None:
        """Add the function to the table."""
        self.name = name
        self.arity = len(derivatives)
        self.numpy = numpy
        self.domain: Domain = domain
        self.result: Result = result
        self.derivatives = derivatives
        self.integer = integer
        self.symbol = symbol
        self.doc = doc
        BASIS[name] = self

    def __call__(self, *args: Operand) -> Expression:
        """Build the application to ``args``, which are expressions or Python numbers."""
        return Apply(self, tuple(as_expression(arg) for arg in args))

    def __repr__(self) -> str:
        """Name the function."""
        return f"<basis function {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name."""
        return _basis_named, (self.name,)


BASIS: Final[dict[str, Basis]] = {}
"""The closed table of basis functions by name."""


def _basis_named(name: str) -> Basis:
    return BASIS[name]


def as_expression(value: Operand) -> Expression:
    """Return ``value`` if it is an expression, else the literal of it."""
    return value if isinstance(value, Expression) else Literal(value)


def nodes_of(expression: Expression, within: Collection[Expression] = ()) -> list[Expression]:
    """Return every subexpression once, arguments before what is made of them, ``expression`` last.

    Args:
        expression: where to start.
        within: subexpressions that count as leaves, into which the walk does not go.

    Example:
        >>> x = Input(0)
        >>> [str(node) for node in nodes_of((x + 1) * (x + 1))]
        ['x0', '1', 'x0 + 1', '(x0 + 1) * (x0 + 1)']
    """
    order: list[Expression] = []
    seen: set[Expression] = set()
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in within:
                stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
    return order


def inputs_of(expression: Expression) -> tuple[int, ...]:
    """Return the indices of the inputs that occur, ascending.

    Example:
        >>> inputs_of(Input(3) * Input(1) + Input(3))
        (1, 3)
    """
    return tuple(sorted(node.index for node in nodes_of(expression) if isinstance(node, Input)))


def rebuild(
    expression: Expression, replace: Callable[[Expression], Expression], keep: Collection[Expression] = ()
) -> Expression:
    """Rebuild ``expression`` from its leaves up: each node passes through ``replace`` once its arguments are done.

    Subexpressions in ``keep`` stay as they are.
    """
    done: dict[Expression, Expression] = {}
    for node in nodes_of(expression, keep):
        if node in keep:
            done[node] = node
            continue
        new = node
        if isinstance(node, Apply):
            new = Apply(node.function, tuple(done[arg] for arg in node.args))
        elif isinstance(node, Convert):
            new = Convert(node.dtype, done[node.arg])
        done[node] = replace(new)
    return done[expression]


def rename_inputs(expression: Expression, mapping: Mapping[int, int]) -> Expression:
    """Give inputs other indices; those not in ``mapping`` keep theirs.

    Example:
        >>> print(rename_inputs(Input(0) - Input(1), {0: 1, 1: 0}))
        x1 - x0
    """
    return rebuild(
        expression, lambda node: Input(mapping.get(node.index, node.index)) if isinstance(node, Input) else node
    )


def substitute_inputs(expression: Expression, values: Sequence[Operand]) -> Expression:
    """Replace each input ``xi`` by ``values[i]``.

    Raises:
        InvalidArgumentError: there is an input for which ``values`` is too short.

    Example:
        >>> x = Input(0)
        >>> print(substitute_inputs(x * x, [Input(0) + Input(1)]))
        (x0 + x1) * (x0 + x1)
    """
    replacements = [as_expression(value) for value in values]
    used = inputs_of(expression)
    if used and used[-1] >= len(replacements):
        raise InvalidArgumentError(
            f"the expression {_shortened(expression)} mentions x{used[-1]}, but {len(replacements)} values are given."
        )
    return rebuild(expression, lambda node: replacements[node.index] if isinstance(node, Input) else node)


def trace(function: Callable[..., Operand], arity: int) -> Expression:
    """Call ``function`` on ``arity`` inputs and return the expression that it computes.

    Raises:
        DTypeError: the function returned something else than an expression or a number.

    Example:
        >>> print(trace(lambda x, y: 2.0 * x - y, 2))
        2.0 * x0 - x1
    """
    result: object = function(*(Input(index) for index in range(arity)))
    if not isinstance(result, (Expression, bool, int, float)):
        name = getattr(function, "__name__", "the function")
        raise DTypeError(f"{name} returned a {type(result).__name__}; a scalar function returns a scalar expression.")
    return as_expression(result)


# Text. The precedences are Python's, so that the text of an expression means in Python what it means here.

UNARY_PRECEDENCE: Final = 7
ATOM_PRECEDENCE: Final = 9
BINARY_OPERATORS: Final[Mapping[str, tuple[int, str]]] = {
    "==": (1, "equal"), "!=": (1, "not_equal"), "<": (1, "less"), "<=": (1, "less_equal"), ">": (1, "greater"),
    ">=": (1, "greater_equal"), "|": (2, "logical_or"), "^": (3, "logical_xor"), "&": (4, "logical_and"),
    "+": (5, "add"), "-": (5, "subtract"), "*": (6, "multiply"), "/": (6, "divide"), "//": (6, "floor_divide"),
    "%": (6, "remainder"), "**": (8, "power"),
}  # fmt: skip
"""Precedence and function of each infix operator; comparisons do not chain, ``**`` groups from the right."""
UNARY_OPERATORS: Final[Mapping[str, str]] = {"-": "negative", "~": "logical_not"}

_BOUND_LENGTH: Final = 24
_BOUND_DEPTH: Final = 40


def literal_text(value: bool | int | float) -> str:
    """Write a literal so that it reads back exactly; floats by ``repr``, so also ``inf``, ``-inf`` and ``nan``."""
    return repr(value)


def _text_of(expression: Expression) -> str:
    """Print from the leaves up; what occurs twice and is long, or deep, is bound: ``t0 = …; t0 * t0``."""
    order = nodes_of(expression)
    uses: dict[Expression, int] = {}
    for node in order:
        for arg in node.args:
            uses[arg] = uses.get(arg, 0) + 1
    bindings: list[str] = []
    printed: dict[Expression, tuple[str, int, int]] = {}
    for node in order:
        text, precedence = _node_text(node, [printed[arg][:2] for arg in node.args])
        depth = 1 + max((printed[arg][2] for arg in node.args), default=0)
        shared = uses.get(node, 0) > 1 and len(text) > _BOUND_LENGTH
        if node is not expression and node.args and (shared or depth > _BOUND_DEPTH):
            name = f"t{len(bindings)}"
            bindings.append(f"{name} = {text}")
            text, precedence, depth = name, ATOM_PRECEDENCE, 0
        printed[node] = text, precedence, depth
    return "; ".join([*bindings, printed[expression][0]])


def _node_text(node: Expression, args: list[tuple[str, int]]) -> tuple[str, int]:
    """Return the text of one node and its precedence."""
    if isinstance(node, Input):
        return f"x{node.index}", ATOM_PRECEDENCE
    if isinstance(node, Literal):
        text = literal_text(node.value)
        return text, UNARY_PRECEDENCE if text.startswith("-") else ATOM_PRECEDENCE
    if isinstance(node, Convert):
        return f"cast({args[0][0]}, {node.dtype.name})", ATOM_PRECEDENCE
    if not isinstance(node, Apply):
        raise TypeError(type(node).__name__)
    symbol = node.function.symbol
    if symbol is None or (node.function.arity == 1 and _reads_as_literal(node.args[0])):
        return f"{node.function.name}({', '.join(text for text, _ in args)})", ATOM_PRECEDENCE
    if node.function.arity == 1:
        return symbol + _parenthesised(args[0], UNARY_PRECEDENCE), UNARY_PRECEDENCE
    own = BINARY_OPERATORS[symbol][0]
    left = _parenthesised(args[0], own + 1 if own in (1, 8) else own)
    right = _parenthesised(args[1], UNARY_PRECEDENCE if own == 8 else own + 1)
    return f"{left} {symbol} {right}", own


def _reads_as_literal(node: Expression) -> bool:
    """Whether a minus before ``node`` would be read as part of the number."""
    if not isinstance(node, Literal) or isinstance(node.value, bool):
        return False
    return math.isnan(node.value) or math.copysign(1.0, node.value) > 0


def _parenthesised(text: tuple[str, int], least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _shortened(expression: Expression) -> str:
    text = str(expression)
    return text if len(text) <= 80 else f"{text[:60]} … {text[-16:]}"
