"""``compute_gradient``: whole Jacobians, by the graph and by differences, as TensorFlow 1 has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import default_session
from dovetail.graph.operation import Tensor
from dovetail.ops.gradients import gradients
from dovetail.ops.state import placeholder

__all__ = ["compute_gradient", "compute_gradient_error"]

Array = np.ndarray[Any, np.dtype[Any]]


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Sequence[Any] | None = None,
    extra_feed_dict: Mapping[Any, Any] | None = None,
) -> Any:
    """Return the Jacobian of ``y`` with respect to ``x``, by the gradients of the graph and by central differences.

    It runs in the default session and adds nodes to the graph. ``dt.testing.assert_gradients`` compares in float64, and
    higher orders too.

    Args:
        x: a floating tensor or variable, or a list of them.
        x_shape: its sizes; a list of them for a list.
        y: a floating tensor.
        y_shape: its sizes.
        x_init_value: the value of ``x``, random from 0 to 1 by default; a list for a list.
        delta: how far to go from the value in each direction.
        init_targets: operations to run before, such as initializers.
        extra_feed_dict: values of other tensors.

    Returns:
        Two arrays of a row for each element of ``x`` and a column for each of ``y``; for a list, a list of such pairs.

    Raises:
        GraphError: there is no default session.
        ShapeError: a value has other sizes than are said.

    Example:
        >>> x = dt.placeholder(dt.float64, [2])
        >>> with dt.Session():
        ...     by_graph, _ = dt.test.compute_gradient(x, [2], x * x, [2], np.array([1.0, 3.0]))
        >>> by_graph
        array([[2., 0.],
               [0., 6.]])
    """
    session = default_session(None, y.op)
    for target in init_targets or ():
        session.run(target)
    feeds = dict(extra_feed_dict or {})
    if not isinstance(x, list):
        value = _value(x, x_shape, x_init_value, np.random.default_rng(0))
        return _both(session, x, value, y, y_shape, delta, feeds)
    rng = np.random.default_rng(0)
    given = [None] * len(x) if x_init_value is None else x_init_value
    values = [_value(*one, rng) for one in zip(x, x_shape, given, strict=True)]
    feeds |= dict(zip(x, values, strict=True))
    return [_both(session, one, value, y, y_shape, delta, feeds) for one, value in zip(x, values, strict=True)]


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Sequence[Any] | None = None,
    extra_feed_dict: Mapping[Any, Any] | None = None,
) -> float:
    """Return the greatest difference between the two Jacobians that ``compute_gradient`` gives.

    Args:
        x: a floating tensor or variable, or a list of them.
        x_shape: its sizes; a list of them for a list.
        y: a floating tensor.
        y_shape: its sizes.
        x_init_value: the value of ``x``, random from 0 to 1 by default; a list for a list.
        delta: how far to go from the value in each direction.
        init_targets: operations to run before, such as initializers.
        extra_feed_dict: values of other tensors.

    Example:
        >>> x = dt.placeholder(dt.float64, [2])
        >>> with dt.Session():
        ...     dt.test.compute_gradient_error(x, [2], dt.sin(x), [2]) < 1e-6
        True
    """
    found = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = found if isinstance(found, list) else [found]
    return max(float(np.max(np.abs(by_graph - measured), initial=0.0)) for by_graph, measured in pairs)


def _value(x: Any, shape: Any, given: Any, rng: np.random.Generator) -> Array:
    sizes = tuple(int(size) for size in shape)
    if given is None:
        return rng.uniform(size=sizes).astype(x.dtype.numpy)
    value = np.array(given, x.dtype.numpy)
    if value.shape != sizes:
        raise ShapeError(
            f'compute_gradient: the value of "{x.name}" has shape {list(value.shape)}, where {list(sizes)} is said.'
        )
    return value


def _both(
    session: Any, x: Any, value: Array, y: Tensor, y_shape: Any, delta: float, feeds: Mapping[Any, Any]
) -> tuple[Array, Array]:
    by_graph = _by_graph(session, x, value, y, y_shape, feeds)
    return by_graph, _by_differences(session, x, value, y, y_shape, delta, feeds)


def _by_graph(session: Any, x: Any, value: Array, y: Tensor, y_shape: Any, feeds: Mapping[Any, Any]) -> Array:
    with y.graph.as_default():
        cotangent = placeholder(y.dtype, list(y_shape))
        (grad,) = gradients(y, x, cotangent)
        dense = None if grad is None else as_tensor(grad)
    one = np.zeros(tuple(y_shape), y.dtype.numpy)
    jacobian = np.zeros((value.size, one.size), value.dtype)
    for column in range(one.size if dense is not None else 0):
        one.reshape(-1)[column] = 1.0
        jacobian[:, column] = session.run(dense, {**feeds, x: value, cotangent: one}).reshape(-1)
        one.reshape(-1)[column] = 0.0
    return jacobian


def _by_differences(
    session: Any, x: Any, value: Array, y: Tensor, y_shape: Any, delta: float, feeds: Mapping[Any, Any]
) -> Array:
    rows = []
    for row in range(value.size):
        ends = []
        for shift in (delta, -delta):
            moved = value.copy()
            moved.reshape(-1)[row] += value.dtype.type(shift)
            ends.append(np.asarray(session.run(y, {**feeds, x: moved})).reshape(-1))
        rows.append((ends[0] - ends[1]) / value.dtype.type(2.0 * delta))
    return np.array(rows, value.dtype).reshape(value.size, int(np.prod(y_shape)))
