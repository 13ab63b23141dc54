"""Index arithmetic: dimensions as i64 values, each computed once, in the outermost loop that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, final

from dovetail.kernels import Dim, FloorDiv, Max, Min, Symbol, is_nonnegative, lower_bound, symbols_of
from dovetail_backend_cpu.llvm.text import Function

__all__ = ["Indices", "Place"]

Place: TypeAlias = "str | Sequence[str]"
"""The value of a symbol: an i64, or one for each lane where it was bound from data in lanes."""


@final
class _Scope:
    """The part of a function where some symbols are known: the body of a loop, or what follows a bind."""

    __slots__ = ("lines", "place", "symbols", "values")

    def __init__(self, place: int, symbols: Sequence[Symbol]) -> None:
        self.place = place
        self.symbols = symbols
        self.lines: list[str] = []
        self.values: dict[object, str] = {}


@final
class Indices:
    """Prints dimensions; a scope is opened for each loop body and each bind, at the point from which it holds."""

    def __init__(self, function: Function) -> None:
        """Begin without scopes."""
        self._function = function
        self._scopes: list[_Scope] = []
        self._depths: dict[Symbol, int] = {}
        self._bound: dict[Symbol, Place] = {}
        self._lane_symbol: Symbol | None = None
        self._varying: frozenset[Symbol] = frozenset()

    # Scopes and lanes. ------------------------------------------------------------------------------------------------

    def open(self, symbols: Mapping[Symbol, Place]) -> None:
        """Begin a scope here, in which these symbols have values."""
        self._scopes.append(_Scope(self._function.reserve(), tuple(symbols)))
        for symbol, value in symbols.items():
            self._bound[symbol] = value
            self._depths[symbol] = len(self._scopes) - 1
        self._varying |= {symbol for symbol, value in symbols.items() if not isinstance(value, str)}

    def close(self) -> None:
        """End the innermost scope."""
        scope = self._scopes.pop()
        self._function.fill(scope.place, scope.lines)
        for symbol in scope.symbols:
            del self._bound[symbol], self._depths[symbol]
        self._varying = self._varying.difference(scope.symbols)

    def begin_lanes(self, symbol: Symbol) -> None:
        """Let ``symbol`` be one more in each lane."""
        self._lane_symbol = symbol
        self._varying |= {symbol}

    def end_lanes(self) -> None:
        """End what ``begin_lanes`` began."""
        self._varying = self._varying.difference({self._lane_symbol})
        self._lane_symbol = None

    def varies(self, dim: Dim) -> bool:
        """Tell whether ``dim`` differs between lanes."""
        return bool(self._varying) and not symbols_of(dim).isdisjoint(self._varying)

    def stride(self, dim: Dim) -> Dim | None:
        """Return by how much ``dim`` grows from lane to lane, a dimension that is one for all; None if by no such."""
        symbol = self._lane_symbol
        total: Dim = 0
        for monomial, coefficient in _terms(dim):
            count = monomial.count(symbol) if symbol is not None else 0
            rest = [atom for atom in monomial if atom != symbol]
            if count > 1 or any(self.varies(atom) for atom in rest):
                return None
            if count:
                term: Dim = coefficient
                for atom in rest:
                    term = term * atom
                total = total + term
        return total

    # Values. ----------------------------------------------------------------------------------------------------------

    def value(self, dim: Dim, lane: int = 0) -> str:
        """Return the i64 value of ``dim``, in lane ``lane``."""
        if isinstance(dim, int):
            return str(dim)
        if lane and not self.varies(dim):
            lane = 0
        if isinstance(dim, Symbol):
            return self._symbol(dim, lane)
        depth = self._depth(dim)
        values = self._scopes[depth].values
        key = dim, lane
        found = values.get(key)
        if found is None:
            found = values[key] = self._compute(dim, lane, depth)
        return found

    def _depth(self, dim: Dim) -> int:
        return max((self._depths[symbol] for symbol in symbols_of(dim)), default=0)

    def _symbol(self, symbol: Symbol, lane: int) -> str:
        bound = self._bound[symbol]
        if not isinstance(bound, str):
            return bound[lane]
        return self._add(self._depths[symbol], bound, str(lane)) if lane else bound

    def _compute(self, dim: Dim, lane: int, depth: int) -> str:
        if isinstance(dim, FloorDiv):
            return self._quotient(dim, lane, depth)
        if isinstance(dim, Max | Min):
            name = "llvm.smax.i64" if isinstance(dim, Max) else "llvm.smin.i64"
            self._function.module.declare(f"declare i64 @{name}(i64, i64)")
            result = self.value(dim.args[0], lane)
            for arg in dim.args[1:]:
                result = self._emit(depth, f"call i64 @{name}(i64 {result}, i64 {self.value(arg, lane)})")
            return result
        return self._sum(dim, lane)

    def _sum(self, dim: Dim, lane: int) -> str:
        """Add the terms of outer scopes first, and the constant last, so that what is known early is shared."""
        terms = [(self._depth_of(monomial), monomial, coefficient) for monomial, coefficient in _terms(dim) if monomial]
        terms.sort(key=lambda term: term[0])
        total, seen = "", []
        for depth, monomial, coefficient in terms:
            seen.append((monomial, coefficient))
            key = (tuple(seen), lane)
            values = self._scopes[depth].values
            found = values.get(key)
            if found is None:
                product = str(coefficient)
                for atom in monomial:
                    product = self._multiply(depth, self.value(atom, lane), product)
                found = values[key] = self._add(depth, total, product) if total else product
            total = found
        constant = next((coefficient for monomial, coefficient in _terms(dim) if not monomial), 0)
        return self._add(self._depth(dim), total, str(constant)) if constant else total

    def _depth_of(self, monomial: Sequence[Dim]) -> int:
        return max(self._depth(atom) for atom in monomial)

    def _quotient(self, dim: FloorDiv, lane: int, depth: int) -> str:
        numerator, denominator = self.value(dim.numerator, lane), self.value(dim.denominator, lane)
        if (lower_bound(dim.denominator) or 0) < 1:
            # Computed early, the quotient may be one that is never asked for, of a size that is 0.
            self._function.module.declare(_UMAX)
            denominator = self._emit(depth, f"call i64 @llvm.umax.i64(i64 {denominator}, i64 1)")
        if is_nonnegative(dim.numerator):
            return self._emit(depth, f"udiv i64 {numerator}, {denominator}")
        if isinstance(dim.denominator, int) and dim.denominator & (dim.denominator - 1) == 0:
            return self._emit(depth, f"ashr i64 {numerator}, {dim.denominator.bit_length() - 1}")
        quotient = self._emit(depth, f"sdiv i64 {numerator}, {denominator}")
        remainder = self._emit(depth, f"srem i64 {numerator}, {denominator}")
        below = self._emit(depth, f"ashr i64 {remainder}, 63")
        return self._add(depth, quotient, below)

    def _emit(self, depth: int, text: str) -> str:
        name = f"%{self._function.fresh('x')}"
        self._scopes[depth].lines.append(f"{name} = {text}")
        return name

    def _add(self, depth: int, left: str, right: str) -> str:
        if left == "0" or right == "0":
            return right if left == "0" else left
        if _is_number(left) and _is_number(right):
            return str(int(left) + int(right))
        return self._emit(depth, f"add nsw i64 {left}, {right}")

    def _multiply(self, depth: int, left: str, right: str) -> str:
        if left == "1" or right == "1":
            return right if left == "1" else left
        if _is_number(left) and _is_number(right):
            return str(int(left) * int(right))
        return self._emit(depth, f"mul nsw i64 {left}, {right}")


_UMAX: Final = "declare i64 @llvm.umax.i64(i64, i64)"


def _is_number(text: str) -> bool:
    return text[0] != "%"


def _terms(dim: Dim) -> Sequence[tuple[tuple[Dim, ...], int]]:
    return (((), dim),) if isinstance(dim, int) else dim.terms
