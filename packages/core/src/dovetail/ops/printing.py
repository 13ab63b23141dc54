"""``Print``: passing a tensor on, and showing others on the way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import Tensors
from dovetail.types.shapes import TensorType

__all__ = ["Print", "Printing"]


@primitive
@final
class Printing(Op):
    """The first input; shows the others on standard error.

    Where ``first_n`` is not negative, a program hands it as its last input how often it ran before.
    """

    name = "Print"
    stateful = True
    effect = True
    message: str = ""
    first_n: int = -1
    summarize: int = 3
    counted: bool = False

    def infer_all(self, types: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The first input's type, whatever the ranks."""
        return (types[0],)

    def infer(self, x: TensorType, *data: TensorType) -> Signature:
        """The first input's type."""
        return x

    def reference(self, x: Array, *data: Any) -> Array:
        """Write one line."""
        if self.counted:
            *data, count = data  # type: ignore[assignment] # the rest of the tuple as a list
            if int(count) >= self.first_n:
                return x
        sys.stderr.write(self.message + "".join(f"[{summary(one, self.summarize)}]" for one in data) + "\n")
        sys.stderr.flush()
        return x

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Any:
        """The gradient itself; none for what is shown."""
        return [grads[0], *[None] * (len(inputs) - 1)]

    gradient_without_ranks = True
    passes_slices = True


def summary(array: Any, count: int) -> str:
    """Return the first elements of an array as TensorFlow shows them: rows in brackets, ``...`` for those left out.

    Args:
        array: of any dtype.
        count: how many elements to show; negative for all.

    Example:
        >>> summary(np.arange(6).reshape(2, 3), 4)
        '[0 1 2][3...]'
    """
    array = np.asarray(array)
    left = array.size if count < 0 else count
    if array.ndim == 0:
        return _element(array[()])
    if array.size == 0:
        return ""
    text, _ = _rows(array, left)
    return text


def _rows(array: Array, left: int) -> tuple[str, int]:
    """Return the text of an array of rank 1 or more, and how many elements may still be shown."""
    if array.ndim == 1:
        shown = [_element(item) for item in array[:left]]
        return " ".join(shown) + ("..." if left < len(array) else ""), max(left - len(array), 0)
    parts: list[str] = []
    for row in array:
        if left == 0:
            return "".join(parts) + "...", 0
        text, left = _rows(row, left)
        parts.append(f"[{text}]")
    return "".join(parts), left


def _element(item: Any) -> str:
    if isinstance(item, (bytes, str)):
        return item.decode(errors="replace") if isinstance(item, bytes) else item
    if isinstance(item, (bool, np.bool_)):
        return str(int(item))
    if isinstance(item, (int, np.integer)):
        return str(int(item))
    if isinstance(item, (complex, np.complexfloating)):
        return f"({_element(item.real)},{_element(item.imag)})"
    short = f"{float(item):.6g}"
    if type(item)(short) == item or np.isnan(item):
        return short
    return f"{float(item):.17g}" if isinstance(item, (float, np.float64)) else f"{float(item):.9g}"


def Print(  # noqa: N802 - TensorFlow 1's name
    input_: Any,
    data: Sequence[Any],
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return ``input_``; whenever it is computed, show other tensors on standard error.

    Lines appear in the order in which a program was written. On the way the values leave what a backend compiles, so
    that a step with ``Print`` in it is slower. Gradients pass through.

    Args:
        input_: the tensor to pass on.
        data: tensors to show, in a list.
        message: text in front of them.
        first_n: show only in the first so many runs of a session; always by default.
        summarize: how many elements of each tensor to show, 3 by default; -1 for all.
        name: name of the node.

    Raises:
        InvalidArgumentError: ``data`` is no list.

    Example:
        >>> x = dt.Print([1.0, 2.0], [dt.constant(3)], message="seen: ")
        >>> dt.Session().run(x)  # and "seen: [3]" on standard error
        array([1., 2.], dtype=float32)
    """
    if not isinstance(data, (list, tuple)):
        raise InvalidArgumentError(f"Print: data is a {type(data).__name__}; give a list of tensors.")
    op = Printing(message or "", -1 if first_n is None else first_n, 3 if summarize is None else summarize)
    result: Tensor = op(as_tensor(input_), *map(as_tensor, data), name=name)
    return result
