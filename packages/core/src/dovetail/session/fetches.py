"""What to fetch: nested structures of tensors, operations and variables, flattened and put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from dovetail.errors import DTypeError, FetchError, NotFoundError
from dovetail.graph.graph import Graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.sparse import SparseTensor, SparseTensorValue

__all__ = ["FetchPlan", "IndexedSlicesValue"]

Rebuild = Callable[[Sequence[Any]], Any]


@final
class IndexedSlicesValue(tuple[Any, Any, Any]):
    """Values, indices and shape of fetched ``IndexedSlices``."""

    __slots__ = ()

    @property
    def values(self) -> Any:
        """The rows."""
        return self[0]

    @property
    def indices(self) -> Any:
        """Their places."""
        return self[1]

    @property
    def dense_shape(self) -> Any:
        """Shape of the whole; ``None`` where a dimension is known only when fed."""
        return self[2]


@final
class FetchPlan:
    """Tensors and operations to run, and how the results are put together.

    Attributes:
        tensors: distinct tensors whose values are wanted.
        targets: operations to run.
        rebuild: makes the result from the values of ``tensors``.
        identity: a number that a session gives to equal sets of tensors and targets.
    """

    __slots__ = ("_places", "identity", "rebuild", "targets", "tensors")

    def __init__(self, graph: Graph, fetches: Any) -> None:
        """Flatten ``fetches``.

        Raises:
            FetchError: something in it cannot be fetched.
            GraphError: something belongs to another graph.
            NotFoundError: a name is unknown.
        """
        self.identity = -1
        self.tensors: list[Tensor] = []
        self.targets: list[Operation] = []
        self._places: dict[Tensor, int] = {}
        self.rebuild: Rebuild = self._walk(graph, fetches)

    def _tensor(self, tensor: Tensor) -> Rebuild:
        place = self._places.setdefault(tensor, len(self._places))
        if place == len(self.tensors):
            self.tensors.append(tensor)
        return lambda values: values[place]

    def _walk(self, graph: Graph, fetch: Any) -> Rebuild:
        if isinstance(fetch, (list, tuple)):
            parts = [self._walk(graph, item) for item in fetch]
            kind = type(fetch)
            if hasattr(kind, "_fields"):
                return lambda values: kind(*(part(values) for part in parts))
            if kind is list:
                return lambda values: [part(values) for part in parts]
            return lambda values: tuple(part(values) for part in parts)
        if isinstance(fetch, Mapping):
            pairs = [(key, self._walk(graph, item)) for key, item in fetch.items()]
            made = type(fetch) if isinstance(fetch, dict) else dict
            return lambda values: made((key, part(values)) for key, part in pairs)
        if isinstance(fetch, IndexedSlices):
            rows, places = self._walk(graph, fetch.values), self._walk(graph, fetch.indices)
            shape = fetch.dense_shape.as_list() if fetch.dense_shape.is_static else None
            return lambda values: IndexedSlicesValue((rows(values), places(values), shape))
        if isinstance(fetch, SparseTensor):
            return self._walk(graph, SparseTensorValue(*fetch.parts()))
        try:
            element = graph.as_graph_element(fetch)
        except DTypeError as error:
            raise FetchError(
                f"cannot fetch {fetch!r} ({type(fetch).__name__}); fetch tensors, operations, variables, their names, "
                f"or lists, tuples and dicts of them."
                + (" An optimizer's minimize() or a function may have returned nothing." if fetch is None else "")
            ) from error
        except NotFoundError as error:
            raise NotFoundError(f"cannot fetch {fetch!r}: {error}") from error
        if isinstance(element, Operation):
            self.targets.append(element)
            return lambda values: None
        return self._tensor(element)
