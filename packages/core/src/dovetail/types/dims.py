"""Dimensions: an ``int``, or a symbolic expression of sizes that are known only when a graph is fed.

The classes and their arithmetic are in ``symbolic``; here are bounds, maximum and minimum, values, and the text form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NoReturn, final

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.types.symbolic import (
    Atom,
    Dim,
    FloorDiv,
    Max,
    Min,
    Monomial,
    Polynomial,
    Symbol,
    SymbolicDim,
    floor_div,
    symbols_of,
)

__all__ = [
    "Atom",
    "Dim",
    "FloorDiv",
    "Max",
    "Min",
    "Polynomial",
    "Symbol",
    "SymbolicDim",
    "ceil_div",
    "definitely_different",
    "definitely_equal",
    "dim_max",
    "dim_min",
    "evaluate",
    "floor_div",
    "is_nonnegative",
    "lower_bound",
    "parse_dim",
    "product",
    "substitute",
    "symbols_of",
    "upper_bound",
]


def ceil_div(numerator: Dim, denominator: Dim) -> Dim:
    """Divide, rounding up; written by floor division.

    Raises:
        ShapeError: the denominator is 0.

    Example:
        >>> ceil_div(Symbol("n"), 2), ceil_div(7, 2)
        ((n + 1)//2, 4)
    """
    if isinstance(denominator, int) and denominator < 0:
        return ceil_div(-numerator, -denominator)
    below = floor_div(numerator, denominator)
    if below * denominator == numerator:
        return below
    if is_nonnegative(denominator):
        return floor_div(numerator + denominator - 1, denominator)
    return -floor_div(-numerator, denominator)


def dim_max(*dims: Dim) -> Dim:
    """Give the greatest of the dimensions; those that another is sure to reach are dropped.

    Raises:
        InvalidArgumentError: no dimension was given.

    Example:
        >>> n = Symbol("n")
        >>> dim_max(n, n + 1), dim_max(n, 0), dim_max(n - 2, 0)
        (n + 1, n, max(n - 2, 0))
    """
    return _extreme(Max, dims, lambda one, other: is_nonnegative(one - other))


def dim_min(*dims: Dim) -> Dim:
    """Give the least of the dimensions; those that another is sure not to exceed are dropped.

    Raises:
        InvalidArgumentError: no dimension was given.

    Example:
        >>> n = Symbol("n")
        >>> dim_min(n, n + 1), dim_min(n, 0), dim_min(n, 5)
        (n, 0, min(n, 5))
    """
    return _extreme(Min, dims, lambda one, other: is_nonnegative(other - one))


def _extreme(kind: type[Max | Min], dims: tuple[Dim, ...], wins: Callable[[Dim, Dim], bool]) -> Dim:
    flat: list[Dim] = []
    for dim in dims:
        flat += dim.args if isinstance(dim, kind) else (dim,)
    if not flat:
        raise InvalidArgumentError(f"The {kind.__name__.lower()}imum of no dimensions is undefined. Give at least one.")
    kept: list[Dim] = []
    for dim in flat:
        if not any(wins(other, dim) for other in kept):
            kept = [other for other in kept if not wins(dim, other)]
            kept.append(dim)
    if len(kept) == 1:
        return kept[0]
    return kind(*sorted(kept, key=lambda dim: (isinstance(dim, int), str(dim))))


def product(dims: Iterable[Dim]) -> Dim:
    """Multiply dimensions; the product of none is 1.

    Example:
        >>> product([2, Symbol("n"), 3])
        6*n
    """
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def lower_bound(dim: Dim) -> int | None:
    """Give a value that ``dim`` never falls below, or ``None`` where none is known.

    Example:
        >>> lower_bound(2 * Symbol("n") + 1), lower_bound(-Symbol("n"))
        (1, None)
    """
    return _bound(dim, 1)


def upper_bound(dim: Dim) -> int | None:
    """Give a value that ``dim`` never exceeds, or ``None`` where none is known.

    Example:
        >>> upper_bound(dim_min(Symbol("n"), 5) + 1), upper_bound(Symbol("n"))
        (6, None)
    """
    return _bound(dim, -1)


def is_nonnegative(dim: Dim) -> bool:
    """Tell whether ``dim`` is sure to be at least 0; ``False`` says only that it is not known.

    Example:
        >>> is_nonnegative(Symbol("n") + 1), is_nonnegative(Symbol("n") - 1)
        (True, False)
    """
    bound = lower_bound(dim)
    return bound is not None and bound >= 0


def _bound(dim: Dim, side: int) -> int | None:
    """Bound by interval arithmetic: from below for ``side`` 1, from above for -1."""
    if isinstance(dim, int):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        bound = _bound_monomial(monomial, side if coefficient > 0 else -side)
        if bound is None:
            return None
        total += coefficient * bound
    return total


def _bound_monomial(monomial: Monomial, side: int) -> int | None:
    if len(monomial) == 1:
        return _bound_atom(monomial[0], side)
    result = 1
    for atom in monomial:
        low, bound = _bound_atom(atom, 1), _bound_atom(atom, side)
        if low is None or low < 0 or bound is None:
            return None
        result *= bound
    return result


def _bound_atom(atom: Atom, side: int) -> int | None:
    if isinstance(atom, Symbol):
        return 0 if side == 1 else None
    if isinstance(atom, FloorDiv):
        bound, denominator = _bound(atom.numerator, side), atom.denominator
        if bound is None:
            return None
        if isinstance(denominator, int):
            return bound // denominator
        if bound < 0 or not is_nonnegative(denominator):
            return None
        return 0 if side == 1 else bound
    bounds = [_bound(arg, side) for arg in atom.args] if isinstance(atom, Max | Min) else []
    known = [bound for bound in bounds if bound is not None]
    if isinstance(atom, Max) == (side == 1):  # any argument bounds it on this side
        return (max if side == 1 else min)(known, default=None)
    if len(known) < len(bounds):
        return None
    return (min if side == 1 else max)(known)


def definitely_equal(left: Dim, right: Dim) -> bool:
    """Tell whether the two are equal whatever is fed.

    Example:
        >>> n = Symbol("n")
        >>> definitely_equal(n + n, 2 * n), definitely_equal(n, 4)
        (True, False)
    """
    return left == right


def definitely_different(left: Dim, right: Dim) -> bool:
    """Tell whether the two differ whatever is fed: their difference is never 0.

    Example:
        >>> n = Symbol("n")
        >>> definitely_different(n + 1, n), definitely_different(n, 4), definitely_different(n + 5, 4)
        (True, False, True)
    """
    difference = left - right
    if isinstance(difference, int):
        return difference != 0
    low, high = lower_bound(difference), upper_bound(difference)
    return (low is not None and low > 0) or (high is not None and high < 0)


def substitute(dim: Dim, mapping: Mapping[Symbol, Dim]) -> Dim:
    """Replace symbols by dimensions, all at once, and simplify; symbols that are not in ``mapping`` stay.

    Example:
        >>> n = Symbol("n")
        >>> substitute((n + 1) // 2, {n: 4 * n}), substitute(n * n, {n: 3})
        (2*n, 9)
    """
    if isinstance(dim, int) or symbols_of(dim).isdisjoint(mapping):
        return dim
    if isinstance(dim, Symbol):
        return mapping[dim]
    if isinstance(dim, FloorDiv):
        return floor_div(substitute(dim.numerator, mapping), substitute(dim.denominator, mapping))
    if isinstance(dim, Max):
        return dim_max(*(substitute(arg, mapping) for arg in dim.args))
    if isinstance(dim, Min):
        return dim_min(*(substitute(arg, mapping) for arg in dim.args))
    result: Dim = 0
    for monomial, coefficient in dim.terms:
        result = result + coefficient * product(substitute(atom, mapping) for atom in monomial)
    return result


def evaluate(dim: Dim, bindings: Mapping[Symbol, int]) -> int:
    """Compute the value of ``dim`` for given sizes.

    Raises:
        ShapeError: a symbol of ``dim`` has no value in ``bindings``, or a denominator is 0.

    Example:
        >>> n = Symbol("n")
        >>> evaluate((n + 1) // 2, {n: 8})
        4
    """
    if isinstance(dim, int):
        return dim
    if isinstance(dim, Symbol):
        value = bindings.get(dim)
        if value is None:
            known = ", ".join(sorted(symbol.name for symbol in bindings)) or "none"
            raise ShapeError(
                f"The dimension {dim} has no value (known: {known}). Feed a tensor whose shape holds it, or bind it."
            )
        return int(value)
    if isinstance(dim, FloorDiv):
        denominator = evaluate(dim.denominator, bindings)
        if denominator == 0:
            raise ShapeError(f"{dim} divides by {dim.denominator}, which is 0 here. Feed a size of at least 1.")
        return evaluate(dim.numerator, bindings) // denominator
    if isinstance(dim, Max):
        return max(evaluate(arg, bindings) for arg in dim.args)
    if isinstance(dim, Min):
        return min(evaluate(arg, bindings) for arg in dim.args)
    return sum(
        coefficient * math.prod(evaluate(atom, bindings) for atom in monomial) for monomial, coefficient in dim.terms
    )


_TOKEN: Final = re.compile(r"\s*([0-9]{1,40}|[A-Za-z_.][A-Za-z0-9_.]*\??|//|[-+*%(),])")
_DEEPEST: Final = 100


def parse_dim(text: str) -> Dim:
    """Read a dimension in the form that ``str`` prints.

    Args:
        text: ints and symbols joined by ``+ - * // %``, parentheses, ``max(...)`` and ``min(...)``; a symbol that is
            followed by ``?`` is data-dependent.

    Raises:
        InvalidArgumentError: the text has another form.

    Example:
        >>> parse_dim("(n + 3)//2 - 1"), parse_dim("2*8")
        ((n + 1)//2, 16)
    """
    return _Parser(text).parse()


@final
class _Parser:
    """Recursive descent with the precedence of Python's operators."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0
        self._token = ""
        self._advance()

    def parse(self) -> Dim:
        dim = self._sum()
        if self._token:
            self._fail("an operator")
        return dim

    def _advance(self) -> str:
        """Give the current token and read the next, ``""`` at the end."""
        taken = self._token
        match = _TOKEN.match(self._text, self._position)
        if match:
            self._token = match[1]
            self._position = match.end()
        else:
            self._token = ""
            if self._text[self._position :].strip():
                self._fail("a number, a name or an operator")
        return taken

    def _fail(self, expected: str) -> NoReturn:
        position = self._position - len(self._token)
        raise InvalidArgumentError(
            f"{self._text!r} is no dimension: expected {expected} at position {position}. "
            "Write one such as 'n', '2*n + 1', '(n + 1)//2' or 'max(n - 2, 0)'."
        )

    def _expect(self, token: str) -> None:
        if self._token != token:
            self._fail(f"{token!r}")
        self._advance()

    def _sum(self) -> Dim:
        dim = self._product()
        while self._token in ("+", "-"):
            dim = dim + self._product() if self._advance() == "+" else dim - self._product()
        return dim

    def _product(self) -> Dim:
        dim = self._unary()
        while self._token in ("*", "//", "%"):
            operator = self._advance()
            right = self._unary()
            if operator == "*":
                dim = dim * right
            elif operator == "//":
                dim = floor_div(dim, right)
            else:
                dim = dim - right * floor_div(dim, right)
        return dim

    def _unary(self) -> Dim:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("less nesting")
        dim = -self._unary() if self._token == "-" and self._advance() else self._primary()
        self._depth -= 1
        return dim

    def _primary(self) -> Dim:
        token = self._token
        if token == "(":
            self._advance()
            dim = self._sum()
            self._expect(")")
            return dim
        if token.isdigit():
            return int(self._advance())
        if not token or token in "//-+*%(),":
            self._fail("a number or a name")
        self._advance()
        if self._token == "(" and token in ("max", "min"):
            self._advance()
            args = [self._sum()]
            while self._token == ",":
                self._advance()
                args.append(self._sum())
            self._expect(")")
            return dim_max(*args) if token == "max" else dim_min(*args)
        return Symbol(token.removesuffix("?"), data_dependent=token.endswith("?"))
