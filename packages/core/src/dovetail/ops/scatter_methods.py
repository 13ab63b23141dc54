"""The methods of variables that write rows; what they call is filled in by ``scatter_functions``, a layer above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dovetail.errors import DTypeError
from dovetail.graph.operation import Tensor
from dovetail.ops.indexed_slices import IndexedSlices

__all__ = ["SCATTERS", "ScatterMethods"]

SCATTERS: Final[dict[str, Callable[..., Tensor]]] = {}


class ScatterMethods:
    """Writing rows of a variable, which ``IndexedSlices`` hold, or slices at indices."""

    __slots__ = ()

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Write the rows that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_update", self, sparse_delta, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Add the rows that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_add", self, sparse_delta, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Subtract the rows that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_sub", self, sparse_delta, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Multiply by the rows that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_mul", self, sparse_delta, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Divide by the rows that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_div", self, sparse_delta, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Raise rows to those that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_max", self, sparse_delta, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Lower rows to those that ``IndexedSlices`` hold; the result is the new value."""
        return _scattered("scatter_min", self, sparse_delta, name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Write slices at indices into the leading axes; the result is the new value."""
        return SCATTERS["scatter_nd_update"](self, indices, updates, name=name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Add slices at indices into the leading axes; the result is the new value."""
        return SCATTERS["scatter_nd_add"](self, indices, updates, name=name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Subtract slices at indices into the leading axes; the result is the new value."""
        return SCATTERS["scatter_nd_sub"](self, indices, updates, name=name)


def _scattered(label: str, variable: Any, slices: Any, name: str | None) -> Tensor:
    if not isinstance(slices, IndexedSlices):
        raise DTypeError(
            f"Variable.{label}: a {type(slices).__name__} was given; give dt.IndexedSlices(values, indices), or use "
            f"dt.{label}(variable, indices, updates)."
        )
    return SCATTERS[label](variable, slices.indices, slices.values, name=name)
