"""``py_func``: a Python function as an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, UnsupportedOperationError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.free_shapes import FreeShapes
from dovetail.ops.sizes import concrete, opaque_name
from dovetail.types.attributes import ArraySource, ArrayStore, register_kind
from dovetail.types.dtypes import DTypeLike, as_dtype, string

__all__ = ["numpy_function", "py_func"]


@final
class PythonFunction:
    """A function among the attributes of an operation; equal to itself alone. Files hold its name, not its code."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        """Hold it."""
        self.function = function

    def __repr__(self) -> str:
        """Show its name."""
        return str(getattr(self.function, "__qualname__", type(self.function).__name__))


def _named(value: PythonFunction, store: ArrayStore | None) -> str:
    return repr(value)


def _missing(data: Any, source: ArraySource | None) -> PythonFunction:
    """Return what stands for a function in a graph that was read from a file."""
    if not isinstance(data, str):
        raise FormatError(f"the name of a Python function is {data!r}, where a text is wanted.")

    def missing(*arrays: Array) -> Any:
        raise UnsupportedOperationError(
            f"py_func: {data} is Python code, which the file that this graph was read from does not hold. Feed what it "
            f"returned, or make the graph by the program that saved it and restore the variables."
        )

    missing.__qualname__ = data
    return PythonFunction(missing)


register_kind("python_function", PythonFunction, _named, _missing)


class _PythonCall(FreeShapes):
    """What a Python function returns for the inputs, as arrays."""

    differentiable = False
    function: PythonFunction

    def reference(self, *arrays: Array) -> Any:
        """Call it, and see whether it returns what was said."""
        result = self.function.function(*arrays)
        count = len(self.kinds)
        if count == 0:
            return ()
        values = list(result) if isinstance(result, (list, tuple)) else [result]
        if len(values) != count:
            raise InvalidArgumentError(
                f"py_func: {self.function!r} returned {len(values)} values, {count} were expected by Tout."
            )
        found = tuple([self._checked(number, value) for number, value in enumerate(values)])
        return found if count > 1 else found[0]

    def _checked(self, number: int, value: Any) -> Array:
        wanted, sizes = self.kinds[number], self.shapes[number]
        array = np.asarray(value, object) if wanted is string else np.asarray(value)
        if wanted is not string and as_dtype(array.dtype) is not wanted:
            raise InvalidArgumentError(
                f"py_func: value {number} that {self.function!r} returned is {as_dtype(array.dtype).name}, where Tout "
                f"says {wanted.name}. Return it as np.{wanted.name}."
            )
        if wanted is string:
            array = np.vectorize(_as_bytes, otypes=[object])(array) if array.size else array
        if sizes is not None and (
            array.ndim != len(sizes)
            or any(size is not None and size != have for size, have in zip(sizes, array.shape, strict=True))
        ):
            known = [None if size is None else concrete([size])[0] for size in sizes]
            raise InvalidArgumentError(
                f"py_func: value {number} that {self.function!r} returned has shape {list(array.shape)}, where "
                f"set_shape said {known}."
            )
        return array


def _as_bytes(item: Any) -> bytes:
    return item.encode() if isinstance(item, str) else bytes(item)


@primitive
@final
class PyFunc(_PythonCall):
    """A call that is made whenever a run reaches it, in the order of the program."""

    stateful = True
    effect = True


@primitive
@final
class PyFuncStateless(_PythonCall):
    """A call that may be left out, or shared with an equal one: its result depends on the inputs alone."""


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Return what a Python function gives for the values of tensors, when a session runs.

    The function runs on the host, between what backends compile, and cannot be differentiated. A graph file holds its
    name alone: in a graph that was read from a file, feed what it returned. Where something other than a fetch takes a
    result, say its shape by ``set_shape``, with ``None`` for a size that only a run tells.

    Args:
        func: takes a NumPy array for each input, which it must not change; returns an array, or several in a list.
        inp: tensors, in a list.
        Tout: the dtype of the result, or a list of one for each; an empty list for none.
        stateful: whether two equal calls must stay two, and each must be made although its result is not used, as of a
            function with effects.
        name: name of the node.

    Returns:
        A tensor; a list of tensors where ``Tout`` is a list, and the operation where that is empty.

    Raises:
        DTypeError: ``func`` cannot be called.
        UnsupportedOperationError: when run, where the rank of a result is unknown.
        OperationError: when run, the function raises, or returns something else than ``Tout`` and ``set_shape`` say.

    Example:
        >>> x = dt.placeholder(dt.float32, [None])
        >>> y = dt.py_func(np.sort, [x], dt.float32)
        >>> y.set_shape(x.shape)
        >>> dt.Session().run(y * 2.0, {x: [3.0, 1.0]})
        array([2., 6.], dtype=float32)
    """
    if not callable(func):
        raise DTypeError(f"py_func: func is {func!r}; give a function of arrays.")
    several = isinstance(Tout, (list, tuple))
    kinds = tuple(as_dtype(one) for one in (Tout if several else [Tout]))
    call = PyFunc if stateful else PyFuncStateless
    inputs = inp if isinstance(inp, (list, tuple)) else [inp]
    op = call(
        label=opaque_name(name or "PyFunc"),
        kinds=kinds,
        shapes=(None,) * len(kinds),
        function=PythonFunction(func),
    )
    result = op(*map(as_tensor, inputs), name=name or "PyFunc")
    if isinstance(result, Operation):
        return result
    outputs = [result] if isinstance(result, Tensor) else list(result)
    return outputs if several else outputs[0]


def numpy_function(
    func: Callable[..., Any], inp: Sequence[Any], Tout: DTypeLike | Sequence[DTypeLike], name: str | None = None
) -> Any:
    """Return what a Python function of NumPy arrays gives: the later name of ``py_func``."""
    return py_func(func, inp, Tout, True, name)
