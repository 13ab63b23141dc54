"""Symbolic dimensions in canonical form, and their arithmetic.

A symbolic dimension is a polynomial with integer coefficients over atoms: a ``Symbol``, a ``FloorDiv``, a ``Max`` or
a ``Min`` of dimensions. It is kept in a canonical form, so that ``==`` compares structure. Symbols are sizes, hence
at least zero, and whatever divides is not zero; simplification relies on both.

Monomials are tuples of atoms sorted by text (``n*n*m`` is ``(m, n, n)``; the constant is ``()``), and the terms of a
polynomial are in graded lexicographic order, which makes exact division of polynomials a plain loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeAlias, final

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError

__all__ = [
    "Atom",
    "Dim",
    "FloorDiv",
    "Max",
    "Min",
    "Monomial",
    "Polynomial",
    "Symbol",
    "SymbolicDim",
    "Terms",
    "floor_div",
    "symbols_of",
]


class SymbolicDim:
    """A dimension whose value is unknown until the graph is fed; immutable and hashable.

    Arithmetic with ints and dimensions (``+ - * // %``) gives a dimension again, and an ``int`` where the result is
    constant. Asking for the value (``int``, ``bool``, ``<``) raises ``ShapeError``.

    Example:
        >>> n = Symbol("n")
        >>> (4 * n + 2) // 2
        2*n + 1
        >>> n + 1 - n
        1
    """

    __slots__ = ("_hash", "_symbols", "_text")
    __array_ufunc__ = None  # NumPy's integers then leave arithmetic to the reflected methods below

    _hash: int
    _symbols: frozenset[Symbol] | None
    _text: str | None

    @property
    def value(self) -> None:
        """Always ``None``, what TensorFlow 1's programs take for a size that is not known yet."""
        return

    @property
    def terms(self) -> Terms:
        """The polynomial as ``(monomial, coefficient)`` pairs; a monomial is a tuple of atoms, ``()`` for 1."""
        raise NotImplementedError

    def _print(self) -> str:
        raise NotImplementedError

    def _find_symbols(self) -> frozenset[Symbol]:
        raise NotImplementedError

    def __add__(self, other: Any) -> Dim:
        """Add an int or a dimension."""
        right = _operand(other)
        if right is None:
            return NotImplemented
        return _sum(self, right, 1) if right != 0 else self

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dim:
        """Subtract an int or a dimension."""
        right = _operand(other)
        if right is None:
            return NotImplemented
        return _sum(self, right, -1) if right != 0 else self

    def __rsub__(self, other: Any) -> Dim:
        """Subtract this dimension from an int."""
        left = _operand(other)
        return NotImplemented if left is None else _sum(left, self, -1)

    def __mul__(self, other: Any) -> Dim:
        """Multiply by an int or a dimension."""
        right = _operand(other)
        if right is None:
            return NotImplemented
        return _multiply(self, right) if right != 1 else self

    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        """Negate."""
        return _multiply(self, -1)

    def __pos__(self) -> Dim:
        """Give the dimension itself."""
        return self

    def __floordiv__(self, other: Any) -> Dim:
        """Divide by an int or a dimension, rounding down."""
        right = _operand(other)
        return NotImplemented if right is None else floor_div(self, right)

    def __rfloordiv__(self, other: Any) -> Dim:
        """Divide an int by this dimension, rounding down."""
        left = _operand(other)
        return NotImplemented if left is None else floor_div(left, self)

    def __mod__(self, other: Any) -> Dim:
        """Give what remains after ``//``."""
        right = _operand(other)
        return NotImplemented if right is None else self - right * floor_div(self, right)

    def __rmod__(self, other: Any) -> Dim:
        """Give what remains of an int after division by this dimension."""
        left = _operand(other)
        return NotImplemented if left is None else left - self * floor_div(left, self)

    def __hash__(self) -> int:
        """Hash the structure; computed once."""
        return self._hash

    def __str__(self) -> str:
        """Print in the form that ``parse_dim`` reads."""
        text = self._text
        if text is None:
            text = self._text = self._print()
        return text

    def __repr__(self) -> str:
        """Print like ``str``, so that shapes read well."""
        return str(self)

    def __lt__(self, other: object) -> NoReturn:
        """Raise ``ShapeError``: the order is not known."""
        self._undecided(f"{self} < {other}")

    def __le__(self, other: object) -> NoReturn:
        """Raise ``ShapeError``: the order is not known."""
        self._undecided(f"{self} <= {other}")

    def __gt__(self, other: object) -> NoReturn:
        """Raise ``ShapeError``: the order is not known."""
        self._undecided(f"{self} > {other}")

    def __ge__(self, other: object) -> NoReturn:
        """Raise ``ShapeError``: the order is not known."""
        self._undecided(f"{self} >= {other}")

    def __bool__(self) -> bool:
        """Raise ``ShapeError``: whether the size is zero is not known."""
        return self._undecided(f"bool({self})")

    def __index__(self) -> int:
        """Raise ``ShapeError``: the value is not known."""
        return self._undecided(f"int({self})")

    __int__ = __index__

    def _undecided(self, what: str) -> NoReturn:
        raise ShapeError(
            f"{what} has no answer yet: the dimension {self} is unknown until it is fed. "
            "Compute with the dimension itself (dim_max, dim_min, //), or give the placeholder a fixed size."
        )


class Atom(SymbolicDim):
    """What polynomials are made of: a symbol, a floor division, a maximum or a minimum."""

    __slots__ = ()

    @property
    def terms(self) -> Terms:
        """The atom as a polynomial of one term."""
        return (((self,), 1),)


@final
class Symbol(Atom):
    """A named size, at least zero; two symbols are equal if they have the same name.

    Args:
        name: letters, digits, ``_`` and ``.``; no digit first.
        data_dependent: whether the size is known only after an operation has run, as the number of rows that
            ``boolean_mask`` keeps. Printed with a question mark.

    Raises:
        InvalidArgumentError: the name has another form.

    Example:
        >>> n = Symbol("batch")
        >>> 2 * n - n == n, Symbol("rows", data_dependent=True)
        (True, rows?)
    """

    __slots__ = ("_data_dependent", "_name")

    def __init__(self, name: str, data_dependent: bool = False) -> None:
        """Name a size."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):  # type: ignore[redundant-expr] # from users
            raise InvalidArgumentError(
                f"{name!r} cannot name a dimension. Use letters, digits, '_' and '.', and no digit first."
            )
        self._name = name
        self._data_dependent = data_dependent
        self._hash = hash(name)
        self._symbols = None
        self._text = None

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def data_dependent(self) -> bool:
        """Whether the size is known only after an operation has run."""
        return self._data_dependent

    def __eq__(self, other: object) -> bool:
        """Compare names."""
        return self is other or (isinstance(other, Symbol) and self._name == other._name)

    __hash__ = SymbolicDim.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name; the cached hash holds for one process only."""
        return Symbol, (self._name, self._data_dependent)

    def _print(self) -> str:
        return self._name + "?" if self._data_dependent else self._name

    def _find_symbols(self) -> frozenset[Symbol]:
        return frozenset((self,))


class _Compound(Atom):
    """An atom made of other dimensions."""

    __slots__ = ("_args",)

    _args: tuple[Dim, ...]

    def __init__(self, *args: Dim) -> None:
        """Hold dimensions that are canonical already."""
        self._args = args
        self._hash = hash((type(self).__name__, args))
        self._symbols = None
        self._text = None

    @property
    def args(self) -> tuple[Dim, ...]:
        """The dimensions it is made of."""
        return self._args

    def __eq__(self, other: object) -> bool:
        """Compare structure."""
        return self is other or (
            isinstance(other, type(self)) and self._hash == other._hash and self._args == other._args
        )

    __hash__ = SymbolicDim.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parts; the cached hash holds for one process only."""
        return type(self), self._args

    def _find_symbols(self) -> frozenset[Symbol]:
        return frozenset[Symbol]().union(*(symbols_of(arg) for arg in self._args))


@final
class FloorDiv(_Compound):
    """A quotient, rounded down, that does not simplify; made by ``floor_div``."""

    __slots__ = ()

    @property
    def numerator(self) -> Dim:
        """What is divided."""
        return self._args[0]

    @property
    def denominator(self) -> Dim:
        """What divides; an int is at least 2."""
        return self._args[1]

    def _print(self) -> str:
        return f"{_factor_text(self.numerator)}//{_factor_text(self.denominator)}"


@final
class Max(_Compound):
    """The greatest of several dimensions; made by ``dim_max``."""

    __slots__ = ()

    def _print(self) -> str:
        return f"max({', '.join(map(str, self._args))})"


@final
class Min(_Compound):
    """The least of several dimensions; made by ``dim_min``."""

    __slots__ = ()

    def _print(self) -> str:
        return f"min({', '.join(map(str, self._args))})"


@final
class Polynomial(SymbolicDim):
    """A sum of products of atoms, neither constant nor a single atom; made by arithmetic."""

    __slots__ = ("_terms",)

    def __init__(self, terms: Terms) -> None:
        """Hold terms that are canonical already."""
        self._terms = terms
        self._hash = hash(terms)
        self._symbols = None
        self._text = None

    @property
    def terms(self) -> Terms:
        """The ``(monomial, coefficient)`` pairs, of the highest degree first."""
        return self._terms

    def __eq__(self, other: object) -> bool:
        """Compare structure."""
        return self is other or (
            isinstance(other, Polynomial) and self._hash == other._hash and self._terms == other._terms
        )

    __hash__ = SymbolicDim.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the terms; the cached hash holds for one process only."""
        return Polynomial, (self._terms,)

    def _print(self) -> str:
        parts: list[str] = []
        for monomial, coefficient in self._terms:
            size = abs(coefficient)
            factors = [] if size == 1 and monomial else [str(size)]
            bare = coefficient == 1 and len(monomial) == 1
            factors += [str(atom) if bare else _factor_text(atom) for atom in monomial]
            if parts:
                parts.append(" - " if coefficient < 0 else " + ")
            elif coefficient < 0:
                parts.append("-")
            parts.append("*".join(factors))
        return "".join(parts)

    def _find_symbols(self) -> frozenset[Symbol]:
        return frozenset[Symbol]().union(*(symbols_of(atom) for monomial, _ in self._terms for atom in monomial))


Dim: TypeAlias = int | SymbolicDim
Monomial: TypeAlias = tuple[Atom, ...]
Terms: TypeAlias = tuple[tuple[Monomial, int], ...]

_NAME: Final = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]*")


def _factor_text(dim: Dim) -> str:
    """Print ``dim`` so that it can stand beside ``*`` and ``//``."""
    bare = isinstance(dim, Symbol | Max | Min) or (isinstance(dim, int) and dim >= 0)
    return str(dim) if bare else f"({dim})"


def _operand(value: Any) -> Dim | None:
    if isinstance(value, int | SymbolicDim):
        return value
    return int(value) if isinstance(value, np.integer) else None


def _terms(dim: Dim) -> Terms:
    if isinstance(dim, SymbolicDim):
        return dim.terms
    return (((), dim),) if dim else ()


def _order(monomial: Monomial) -> tuple[int, list[str]]:
    return -len(monomial), [str(atom) for atom in monomial]


def _from_terms(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    """Make the canonical dimension of terms whose monomials are sorted and differ from each other."""
    kept = [term for term in terms if term[1]]
    if not kept:
        return 0
    if len(kept) > 1:
        kept.sort(key=lambda term: _order(term[0]))
        return Polynomial(tuple(kept))
    monomial, coefficient = kept[0]
    if not monomial:
        return coefficient
    return monomial[0] if coefficient == 1 and len(monomial) == 1 else Polynomial(tuple(kept))


def _sum(left: Dim, right: Dim, sign: int) -> Dim:
    terms = dict(_terms(left))
    for monomial, coefficient in _terms(right):
        terms[monomial] = terms.get(monomial, 0) + sign * coefficient
    return _from_terms(terms.items())


def _multiply(left: Dim, right: Dim) -> Dim:
    terms: dict[Monomial, int] = {}
    for one, a in _terms(left):
        for two, b in _terms(right):
            monomial = tuple(sorted(one + two, key=str)) if one and two else one or two
            terms[monomial] = terms.get(monomial, 0) + a * b
    return _from_terms(terms.items())


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    """Divide monomials; ``None`` where that is not exact."""
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def _divide_term(term: tuple[Monomial, int], divisor: tuple[Monomial, int]) -> tuple[Monomial, int] | None:
    if term[1] % divisor[1]:
        return None
    rest = _without(term[0], divisor[0])
    return None if rest is None else (rest, term[1] // divisor[1])


def _exact_quotient(numerator: Dim, denominator: Dim) -> Dim | None:
    """Divide polynomials; ``None`` where a remainder is left. Leading terms divide, as the order respects products."""
    lead = _terms(denominator)[0]
    quotient = []
    while terms := _terms(numerator):
        term = _divide_term(terms[0], lead)
        if term is None:
            return None
        quotient.append(term)
        numerator = numerator - _multiply(denominator, _from_terms([term]))
    return _from_terms(quotient)


def floor_div(numerator: Dim, denominator: Dim) -> Dim:
    """Divide, rounding down; factors that are sure to divide are taken out.

    Raises:
        ShapeError: the denominator is 0.

    Example:
        >>> n, c = Symbol("n"), Symbol("c")
        >>> floor_div(n - 3, 2), floor_div(3 * n * c, c), floor_div(n, c)
        ((n + 1)//2 - 2, 3*n, n//c)
    """
    if isinstance(denominator, int):
        if denominator == 0:
            raise ShapeError(f"{numerator} is divided by 0. Divide by a size of at least 1.")
        if isinstance(numerator, int):
            return numerator // denominator
        return _floor_div_int(numerator, denominator) if denominator > 0 else _floor_div_int(-numerator, -denominator)
    exact = _exact_quotient(numerator, denominator)
    return _floor_div_symbolic(numerator, denominator) if exact is None else exact


def _floor_div_int(numerator: Dim, denominator: int) -> Dim:
    """``floor(x + y)`` is ``x + floor(y)`` for an integer x: whole multiples leave, common factors cancel."""
    whole: list[tuple[Monomial, int]] = []
    rest: list[tuple[Monomial, int]] = []
    constant, common = 0, denominator
    for monomial, coefficient in _terms(numerator):
        if not monomial:
            constant = coefficient
        elif coefficient % denominator:
            rest.append((monomial, coefficient))
            common = math.gcd(common, coefficient)
        else:
            whole.append((monomial, coefficient // denominator))
    whole.append(((), constant // denominator))
    outside = _from_terms(whole)
    if not rest:
        return outside
    divisor = denominator // common
    inside = _from_terms([(monomial, coefficient // common) for monomial, coefficient in rest])
    shift = constant % denominator // common
    if isinstance(inside, FloorDiv) and isinstance(inside.denominator, int):
        # (x//a + shift)//b is (x + a*shift)//(a*b)
        inner = inside.denominator
        return outside + _floor_div_int(inside.numerator + inner * shift, inner * divisor)
    return outside + FloorDiv(inside + shift, divisor)


def _floor_div_symbolic(numerator: Dim, denominator: SymbolicDim) -> Dim:
    """Divide where the quotient is not exact: cancel what is common, then take whole multiples out."""
    terms = _terms(numerator) + denominator.terms
    common = terms[0][0]
    for monomial, _ in terms[1:]:
        common = tuple(atom for i, atom in enumerate(common) if common[:i].count(atom) < monomial.count(atom))
    content = math.gcd(*(coefficient for _, coefficient in terms))
    if denominator.terms[0][1] < 0:
        content = -content
    if common or content != 1:
        divisor = _from_terms([(common, content)])
        return floor_div(_cancel(numerator, divisor), _cancel(denominator, divisor))
    if len(denominator.terms) == 1:
        pairs = [(term, _divide_term(term, denominator.terms[0])) for term in _terms(numerator)]
        whole = _from_terms([quotient for _, quotient in pairs if quotient is not None])
        if whole != 0:
            return whole + floor_div(_from_terms([term for term, quotient in pairs if quotient is None]), denominator)
    return FloorDiv(numerator, denominator)


def _cancel(dim: Dim, divisor: Dim) -> Dim:
    quotient = _exact_quotient(dim, divisor)
    assert quotient is not None, (dim, divisor)
    return quotient


def symbols_of(dim: Dim) -> frozenset[Symbol]:
    """Give the symbols that ``dim`` depends on.

    Example:
        >>> sorted(str(symbol) for symbol in symbols_of(Symbol("n") * Symbol("m") + 1))
        ['m', 'n']
    """
    if isinstance(dim, int):
        return frozenset()
    found = dim._symbols
    if found is None:
        found = dim._symbols = dim._find_symbols()
    return found
