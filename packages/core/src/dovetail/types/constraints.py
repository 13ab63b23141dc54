"""Constraints between dimensions: what a type rule demands and only a feed can settle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeAlias, final

from dovetail.errors import ShapeError
from dovetail.types.dims import (
    Dim,
    Symbol,
    definitely_different,
    dim_max,
    evaluate,
    is_nonnegative,
    symbols_of,
    upper_bound,
)

__all__ = [
    "Constraint",
    "ConstraintKind",
    "ConstraintSink",
    "Message",
    "Settled",
    "broadcast_dim",
    "collecting",
    "demand",
    "require",
    "unify",
]

Message: TypeAlias = Callable[[], str] | str
ConstraintKind: TypeAlias = Literal["equal", "broadcast", "divisible", "nonnegative"]


@final
class Constraint:
    """A relation between dimensions that must hold when they are fed; immutable and hashable.

    Args:
        kind: ``"equal"``; ``"broadcast"``, equal or one of them 1; ``"divisible"``, ``left`` is a multiple of
            ``right``; ``"nonnegative"``, ``left`` is at least 0.
        left: a dimension.
        right: a dimension; 0 for ``"nonnegative"``.
        where: what the constraint stems from, such as a node. It takes no part in equality.

    Example:
        >>> n, m = Symbol("n"), Symbol("m")
        >>> Constraint("equal", n, m).holds({n: 3, m: 4})
        False
        >>> print(Constraint("equal", n, m).describe({n: 3, m: 4}))
        n = 3 and m = 4 must be equal
    """

    __slots__ = ("_kind", "_left", "_right", "_where")

    def __init__(self, kind: ConstraintKind, left: Dim, right: Dim, where: object = None) -> None:
        """State a relation."""
        self._kind: ConstraintKind = kind
        self._left = left
        self._right = right
        self._where = where

    @property
    def kind(self) -> ConstraintKind:
        """Which relation must hold."""
        return self._kind

    @property
    def left(self) -> Dim:
        """The first dimension."""
        return self._left

    @property
    def right(self) -> Dim:
        """The second dimension."""
        return self._right

    @property
    def where(self) -> object:
        """What the constraint stems from."""
        return self._where

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that the relation depends on."""
        return symbols_of(self._left) | symbols_of(self._right)

    def holds(self, bindings: Mapping[Symbol, int]) -> bool:
        """Tell whether the relation holds for given sizes.

        Raises:
            ShapeError: a symbol has no value.
        """
        left, right = evaluate(self._left, bindings), evaluate(self._right, bindings)
        return _decide(self._kind, left, right) is True

    def describe(self, bindings: Mapping[Symbol, int]) -> str:
        """Say what must hold, with the values of those sizes that are given."""
        left, right = _valued(self._left, bindings), _valued(self._right, bindings)
        if self._kind == "equal":
            return f"{left} and {right} must be equal"
        if self._kind == "broadcast":
            return f"{left} and {right} must be equal, or one of them 1"
        if self._kind == "divisible":
            return f"{left} must be a multiple of {right}"
        return f"{left} must be at least 0"

    def __eq__(self, other: object) -> bool:
        """Compare kind and dimensions."""
        return (
            isinstance(other, Constraint)
            and self._kind == other._kind
            and self._left == other._left
            and self._right == other._right
        )

    def __hash__(self) -> int:
        """Hash kind and dimensions."""
        return hash((self._kind, self._left, self._right))

    def __repr__(self) -> str:
        """Print kind and dimensions."""
        return f"Constraint({self._kind!r}, {self._left}, {self._right})"


def _valued(dim: Dim, bindings: Mapping[Symbol, int]) -> str:
    if isinstance(dim, int) or not symbols_of(dim) <= bindings.keys():
        return str(dim)
    return f"{dim} = {evaluate(dim, bindings)}"


class ConstraintSink(Protocol):
    """What records constraints: a graph, or a list in a test."""

    def require(self, constraint: Constraint) -> None:
        """Record a constraint."""


@final
class Settled:
    """A sink for constraints that a program holds already: it drops them."""

    def require(self, constraint: Constraint) -> None:
        """Drop ``constraint``."""


_sink: Final[ContextVar[ConstraintSink | None]] = ContextVar("dovetail_constraint_sink", default=None)


@final
class collecting:  # noqa: N801 - a context manager, read as a verb; a class because one is entered for every node
    """Send the constraints that arise inside the block to ``sink``, in this thread or task only.

    Example:
        >>> class Printer:
        ...     def require(self, constraint):
        ...         print(constraint)
        >>> with collecting(Printer()):
        ...     unify(Symbol("n"), 4, "never shown")
        Constraint('equal', n, 4)
        4
    """

    __slots__ = ("_outer", "_sink")

    def __init__(self, sink: ConstraintSink) -> None:
        """Name the sink."""
        self._sink = sink

    def __enter__(self) -> None:
        """Begin to send."""
        self._outer = _sink.set(self._sink)

    def __exit__(self, *exception: object) -> None:
        """Go back to the sink before."""
        _sink.reset(self._outer)


def _decide(kind: ConstraintKind, left: Dim, right: Dim) -> bool | None:
    """Tell whether a relation holds whatever is fed; ``None`` where only a feed can tell."""
    if kind == "nonnegative":
        high = upper_bound(left)
        return True if is_nonnegative(left) else False if high is not None and high < 0 else None
    if kind == "divisible":
        remainder = None if right == 0 else left % right
        return remainder == 0 if remainder is None or isinstance(remainder, int) else None
    if left == right or (kind == "broadcast" and (left == 1 or right == 1)):
        return True
    different = definitely_different(left, right) and (
        kind == "equal" or (definitely_different(left, 1) and definitely_different(right, 1))
    )
    return False if different else None


def require(constraint: Constraint) -> None:
    """Hand a constraint to the current sink; outside of ``collecting`` it is dropped."""
    sink = _sink.get()
    if sink is not None:
        sink.require(constraint)


def demand(kind: ConstraintKind, left: Dim, right: Dim, message: Message) -> None:
    """Demand a relation: nothing happens where it is sure to hold, and what a feed must settle goes to the sink.

    Args:
        kind: the relation, see ``Constraint``.
        left: a dimension.
        right: a dimension; 0 for ``"nonnegative"``.
        message: the text of the error, or a function that makes it.

    Raises:
        ShapeError: the relation is sure not to hold.

    Example:
        >>> demand("divisible", 6 * Symbol("n"), 3, "never shown")
        >>> demand("divisible", 7, 3, "split: 7 columns do not make 3 equal parts.")
        Traceback (most recent call last):
        dovetail.errors.ShapeError: split: 7 columns do not make 3 equal parts.
    """
    decided = _decide(kind, left, right)
    if decided is False:
        raise ShapeError(message if isinstance(message, str) else message())
    if decided is None:
        require(Constraint(kind, left, right))


def _preferred(left: Dim, right: Dim) -> Dim:
    """Choose between dimensions that are to be equal: fed before computed, then a symbol, then the lesser text."""

    def order(dim: Dim) -> tuple[bool, bool, str]:
        late = any(symbol.data_dependent for symbol in symbols_of(dim))
        return late, not isinstance(dim, Symbol), str(dim)

    return left if order(left) <= order(right) else right


def unify(left: Dim, right: Dim, message: Message) -> Dim:
    """Demand that two dimensions are equal and give the more specific: an int where one is.

    Raises:
        ShapeError: they are sure to differ; its text is ``message``.

    Example:
        >>> unify(Symbol("n"), 4, "never shown"), unify(Symbol("n"), Symbol("m"), "never shown")
        (4, m)
    """
    demand("equal", left, right, message)
    if isinstance(left, int) or isinstance(right, int):
        return left if isinstance(left, int) else right
    return _preferred(left, right)


def broadcast_dim(left: Dim, right: Dim, message: Message) -> Dim:
    """Give the dimension that two broadcast to: where they differ, 1 gives way to the other.

    An int that is not 1 wins against a symbolic dimension; two symbolic ones give the greater, which is right whether
    they are equal or one of them is fed as 1. The constraint goes to the current sink.

    Raises:
        ShapeError: they cannot broadcast; its text is ``message``.

    Example:
        >>> broadcast_dim(1, Symbol("n"), "never shown"), broadcast_dim(3, Symbol("n"), "never shown")
        (n, 3)
        >>> broadcast_dim(Symbol("m"), Symbol("n"), "never shown")
        max(m, n)
    """
    if left == right or right == 1:
        return left
    if left == 1:
        return right
    demand("broadcast", left, right, message)
    if isinstance(left, int) or isinstance(right, int):
        return left if isinstance(left, int) else right
    return dim_max(left, right)
