"""``Assert``: a condition that must hold while a session runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Op, Signature
from dovetail.graph.operation import Operation
from dovetail.graph.registry import primitive
from dovetail.types.dtypes import bool_
from dovetail.types.shapes import TensorType

__all__ = ["Assert", "Assertion"]


@primitive
@final
class Assertion(Op):
    """Fails, showing the other inputs, unless every element of the first is true; gives nothing."""

    name = "Assert"
    effect = True
    differentiable = False
    message: str = ""
    summarize: int = 3

    def infer_all(self, types: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """No outputs, whatever the ranks."""
        if types[0].dtype is not bool_:
            raise DTypeError(f"Assert: the condition is {types[0]}; give truth values, as a comparison does.")
        return ()

    def infer(self, condition: TensorType, *data: TensorType) -> Signature:
        """No outputs."""
        return self.infer_all([condition, *data])

    def reference(self, condition: Any, *data: Any) -> tuple[()]:
        """Look at the condition."""
        if not np.all(condition):
            shown = "; ".join(_shown(one, self.summarize) for one in data)
            raise InvalidArgumentError(" ".join(filter(None, ["the assertion does not hold.", self.message, shown])))
        return ()


def _shown(array: Any, count: int) -> str:
    flat = np.asarray(array).reshape(-1)
    shown = flat if count < 0 else flat[:count]
    items = [item.decode(errors="replace") if isinstance(item, bytes) else str(item) for item in shown.tolist()]
    return " ".join([*items, "…"] if len(items) < flat.size else items)


def Assert(  # noqa: N802 - TensorFlow 1's name
    condition: Any, data: Sequence[Any], summarize: int | None = None, name: str | None = None
) -> Operation:
    """Return an operation that fails the run unless every element of ``condition`` is true.

    It runs when it is fetched, or when something depends on it by ``dt.control_dependencies``; inside a body of control
    flow it always runs.

    Args:
        condition: truth values.
        data: tensors to show in the error.
        summarize: how many elements of each to show, 3 by default; -1 for all.
        name: name of the node.

    Raises:
        DTypeError: the condition is not boolean.

    Example:
        >>> x = dt.placeholder(dt.float32, [])
        >>> with dt.control_dependencies([dt.Assert(x > 0.0, [x])]):
        ...     root = dt.sqrt(x)
    """
    op: Operation = Assertion(summarize=3 if summarize is None else summarize)(
        condition, *map(as_tensor, data), name=name
    )
    return op
