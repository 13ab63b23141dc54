"""The table through which Python's operators on tensors reach the operations, which live a layer above."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dovetail.graph.operation import Tensor

__all__ = ["OPERATORS", "TensorOperators", "operator"]

OPERATORS: Final[dict[str, Callable[..., Tensor]]] = {}


def operator(name: str, function: Callable[..., Any]) -> None:
    """Let ``function`` serve the Python operator ``name`` (``"add"``, ``"getitem"``, …)."""
    OPERATORS[name] = function


class TensorOperators:
    """Python's operators, for tensors and for what converts to them."""

    __slots__ = ()
    __array_priority__ = 100
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Tensor:
        """Elementwise sum."""
        return OPERATORS["add"](self, other)

    def __radd__(self, other: Any) -> Tensor:
        """Elementwise sum."""
        return OPERATORS["add"](other, self)

    def __sub__(self, other: Any) -> Tensor:
        """Elementwise difference."""
        return OPERATORS["sub"](self, other)

    def __rsub__(self, other: Any) -> Tensor:
        """Elementwise difference."""
        return OPERATORS["sub"](other, self)

    def __mul__(self, other: Any) -> Tensor:
        """Elementwise product."""
        return OPERATORS["mul"](self, other)

    def __rmul__(self, other: Any) -> Tensor:
        """Elementwise product."""
        return OPERATORS["mul"](other, self)

    def __truediv__(self, other: Any) -> Tensor:
        """Elementwise quotient; integers give floating point."""
        return OPERATORS["truediv"](self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        """Elementwise quotient; integers give floating point."""
        return OPERATORS["truediv"](other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        """Elementwise quotient, rounded down."""
        return OPERATORS["floordiv"](self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        """Elementwise quotient, rounded down."""
        return OPERATORS["floordiv"](other, self)

    def __mod__(self, other: Any) -> Tensor:
        """Elementwise remainder of ``//``."""
        return OPERATORS["mod"](self, other)

    def __rmod__(self, other: Any) -> Tensor:
        """Elementwise remainder of ``//``."""
        return OPERATORS["mod"](other, self)

    def __pow__(self, other: Any) -> Tensor:
        """Elementwise power."""
        return OPERATORS["pow"](self, other)

    def __rpow__(self, other: Any) -> Tensor:
        """Elementwise power."""
        return OPERATORS["pow"](other, self)

    def __matmul__(self, other: Any) -> Tensor:
        """Matrix product."""
        return OPERATORS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        """Matrix product."""
        return OPERATORS["matmul"](other, self)

    def __neg__(self) -> Tensor:
        """Elementwise negative."""
        return OPERATORS["neg"](self)

    def __pos__(self) -> Any:
        """The tensor itself."""
        return self

    def __abs__(self) -> Tensor:
        """Elementwise absolute value."""
        return OPERATORS["abs"](self)

    def __lt__(self, other: Any) -> Tensor:
        """Elementwise comparison."""
        return OPERATORS["lt"](self, other)

    def __le__(self, other: Any) -> Tensor:
        """Elementwise comparison."""
        return OPERATORS["le"](self, other)

    def __gt__(self, other: Any) -> Tensor:
        """Elementwise comparison."""
        return OPERATORS["gt"](self, other)

    def __ge__(self, other: Any) -> Tensor:
        """Elementwise comparison."""
        return OPERATORS["ge"](self, other)

    def __and__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) and."""
        return OPERATORS["and"](self, other)

    def __rand__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) and."""
        return OPERATORS["and"](other, self)

    def __or__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) or."""
        return OPERATORS["or"](self, other)

    def __ror__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) or."""
        return OPERATORS["or"](other, self)

    def __xor__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) exclusive or."""
        return OPERATORS["xor"](self, other)

    def __rxor__(self, other: Any) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) exclusive or."""
        return OPERATORS["xor"](other, self)

    def __invert__(self) -> Tensor:
        """Elementwise logical (or, of integers, bitwise) not."""
        return OPERATORS["invert"](self)

    def __getitem__(self, key: Any) -> Tensor:
        """Slice as NumPy does: integers, slices, ``...``, ``None``; and whole integer tensors on one axis."""
        return OPERATORS["getitem"](self, key)
