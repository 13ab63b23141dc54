"""Methods of the default graph as functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dovetail.graph.graph import get_default_graph, session_stack
from dovetail.graph.operation import Tensor
from dovetail.types.shapes import Shape

__all__ = [
    "TensorShape",
    "add_to_collection",
    "add_to_collections",
    "colocate_with",
    "control_dependencies",
    "device",
    "get_collection",
    "get_collection_ref",
    "get_default_session",
    "is_tensor",
    "name_scope",
]


def name_scope(
    name: str | None, default_name: str | None = None, values: Iterable[Any] | None = None
) -> AbstractContextManager[str]:
    """Put the nodes made inside under ``name``, or under ``default_name`` where that is ``None``.

    Example:
        >>> with dt.name_scope("head"):
        ...     x = dt.constant(1.0, name="x")
        >>> x.name
        'head/x:0'
    """
    return get_default_graph().name_scope(default_name if name is None and default_name is not None else name)


def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """Ask that nodes made inside run on a device, such as ``"/cpu:0"``."""
    return get_default_graph().device(device_name_or_function)


@contextmanager
def colocate_with(op: Any, ignore_existing: bool = False) -> Iterator[None]:
    """Ask that nodes made inside run on the device that was asked for ``op``."""
    place = get_default_graph().as_graph_element(op).device
    with device(place or None):
        yield


def control_dependencies(control_inputs: Iterable[Any] | None) -> AbstractContextManager[None]:
    """Make nodes created inside run after ``control_inputs``."""
    return get_default_graph().control_dependencies(control_inputs)


def add_to_collection(name: Any, value: Any) -> None:
    """Append ``value`` to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    """Append ``value`` to several collections of the default graph."""
    get_default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """Return a copy of a collection of the default graph."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """Return a collection of the default graph itself, to be changed in place."""
    return get_default_graph().get_collection_ref(key)


def get_default_session() -> Any:
    """Return the default session of this thread, or ``None``."""
    stack = session_stack()
    return stack[-1] if stack else None


def is_tensor(x: Any) -> bool:
    """Say whether something is a tensor, or stands for one as a variable does."""
    return isinstance(x, Tensor) or hasattr(type(x), "_as_graph_element")


def TensorShape(dims: Any) -> Shape:  # noqa: N802 - TensorFlow 1's name
    """Return a shape as users write it: ``None`` for all is an unknown rank, for a dimension a size known when fed.

    Example:
        >>> dt.TensorShape([None, 2]).as_list()
        [None, 2]
    """
    return get_default_graph().make_shape(dims).of_dimensions()
