"""The order of the axes of images at a model's inputs and outputs, where it is not that of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array

__all__ = ["Layouts"]

_LAST: Final = {"NWC": 3, "NHWC": 4, "NDHWC": 5}
_FIRST: Final = {"NCW": 3, "NCHW": 4, "NCDHW": 5}


@final
class Layouts:
    """Which inputs or outputs of a model have their channels first.

    Args:
        tensors: the inputs or outputs, with their names in the model.
        asked: a layout for all of its rank, or layouts by tensor or name; ``None`` leaves all as in the graph.
        what: the argument's name, for messages.

    Raises:
        InvalidArgumentError: there is no such layout, or no tensor of its rank.
    """

    def __init__(self, tensors: Mapping[dt.Tensor, str], asked: str | Mapping[Any, str] | None, what: str) -> None:
        self._first: set[str] = set()
        if asked is None:
            return
        if isinstance(asked, str):
            rank = _rank(asked, what)
            chosen = {label: asked for tensor, label in tensors.items() if tensor.shape.rank == rank}
            if not chosen:
                listed = ", ".join(f"{label} {tensor.type}" for tensor, label in tensors.items())
                raise InvalidArgumentError(
                    f"export_onnx: {what} is {asked!r}, of which none has {rank} axes: {listed}. Leave it out, or name "
                    f"a layout of their rank."
                )
        else:
            chosen = {_label(tensors, key, what): layout for key, layout in asked.items()}
            for tensor, label in tensors.items():
                if label in chosen and tensor.shape.rank != _rank(chosen[label], what):
                    raise InvalidArgumentError(
                        f"export_onnx: {what} is {chosen[label]!r} for {label!r}, which is {tensor.type}; name a "
                        f"layout of its rank."
                    )
        self._first = {label for label, layout in chosen.items() if layout.upper() in _FIRST}

    def order(self, label: str, rank: int) -> list[int] | None:
        """Return which axis of the graph's tensor each axis in the model is; ``None`` where they are the same."""
        return [0, rank - 1, *range(1, rank - 1)] if label in self._first else None

    def to_model(self, label: str, array: Array) -> Array:
        """Return an array of the graph as the model has it."""
        order = self.order(label, array.ndim)
        return array if order is None else np.ascontiguousarray(array.transpose(order))


def _rank(layout: str, what: str) -> int:
    known = _LAST | _FIRST
    if layout.upper() not in known:
        raise InvalidArgumentError(f"export_onnx: {what} is {layout!r}; use one of {', '.join(known)}.")
    return known[layout.upper()]


def _label(tensors: Mapping[dt.Tensor, str], key: Any, what: str) -> str:
    """Return the name in the model of what a dict names."""
    for tensor, label in tensors.items():
        if key is tensor or (isinstance(key, str) and key in (label, tensor.name, tensor.op.name)):
            return label
    shown = key.name if isinstance(key, dt.Tensor) else key
    raise InvalidArgumentError(f"export_onnx: {what} names {shown!r}, which is none of {', '.join(tensors.values())}.")
