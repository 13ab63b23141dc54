"""Functions of the user that a pipeline calls: on arrays, or on tensors of a graph of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail.errors import DataError, DTypeError
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec
from dovetail_train.data.stage import Stage
from dovetail_train.data.structure import Structure

__all__ = ["ElementFunction"]


@final
class ElementFunction:
    """A function of elements of a stage; what it raises says at which element.

    A function is called with arrays. Where it makes tensors of them, as those of TensorFlow 1's programs do, it is
    called once more with placeholders, and what it builds is run for each element.

    Args:
        who: the method that takes the function, for messages.
        function: the function.
        stage: where its arguments come from.

    Attributes:
        name: what messages call it.
        spec: what it returns, where it is a graph; ``None`` where it is not, or was not yet called.
    """

    def __init__(self, who: str, function: Callable[..., Any], stage: Stage) -> None:
        """Check that it can be called."""
        if not callable(function):
            raise DTypeError(f"{who}: {function!r} is no function; give one of the arrays of an element.")
        self.name = getattr(function, "__qualname__", type(function).__name__)
        self._who = who
        self._function = function
        self._stage = stage
        self._lock = threading.Lock()
        self._run: Callable[..., Any] | None = None
        self._structure: Structure | None = None
        self.spec: ElementSpec | None = None

    def __call__(self, leaves: Leaves, number: int, token: Any, **keywords: Any) -> Any:
        """Call it with an element.

        Raises:
            DataError: it raises.
        """
        try:
            if self._run is None:
                return self._first(leaves, keywords)
            return self._run(leaves, keywords)
        except Exception as error:
            place = self._stage.describe(token)
            raise DataError(
                f"{self._who}: {self.name} raised {type(error).__name__} at element {number}"
                f"{f' ({place})' if place else ''}: {error}"
            ) from error

    def _first(self, leaves: Leaves, keywords: dict[str, Any]) -> Any:
        """Find out whether it computes or builds a graph."""
        with self._lock:
            if self._run is not None:
                return self._run(leaves, keywords)
            with dt.Graph().as_default():
                result = self._plain(leaves, keywords)
            if not any(isinstance(leaf, dt.Tensor) for leaf in Structure.of(result).flatten(result) or ()):
                self._run = self._plain
                return result
            self._run = self._traced()
        return self._run(leaves, keywords)

    def _plain(self, leaves: Leaves, keywords: dict[str, Any]) -> Any:
        if self._structure is None:
            self._structure = self._stage.spec.structure
        return self._structure.call(self._function, leaves, **keywords)

    def trace(self) -> bool:
        """Call it with placeholders, to learn of its results without an element; says whether that can be."""
        with self._lock:
            if self._run is None:
                try:
                    self._run = self._traced()
                except Exception:  # noqa: BLE001 - it works on arrays, which may show in any way
                    return False
        return self.spec is not None

    def _traced(self) -> Callable[..., Any]:
        spec = self._stage.spec
        with dt.Graph().as_default() as graph:
            graph.seed = dt.get_default_graph().seed
            inputs = [dt.placeholder(one.dtype, None if one.shape is None else list(one.shape)) for one in spec.leaves]
            result = spec.structure.call(self._function, inputs)
            structure = Structure.of(result)
            outputs = [dt.convert_to_tensor(leaf) for leaf in structure.flatten(result) or ()]
            self.spec = ElementSpec(structure, tuple(TensorSpec(one.shape, one.dtype) for one in outputs))
        call = dt.Session(graph=graph).make_callable(outputs, inputs)
        return lambda leaves, keywords: structure.pack(call(*leaves))
