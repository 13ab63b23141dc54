"""The global step: a variable that counts the steps of training."""

from __future__ import annotations

import dovetail as dt
from dovetail import Graph, GraphKeys, Variable
from dovetail.errors import AlreadyExistsError, DTypeError

__all__ = ["assert_global_step", "create_global_step", "get_global_step", "get_or_create_global_step", "global_step"]


def get_global_step(graph: Graph | None = None) -> Variable | None:
    """Return the global step of a graph, the default one unless given; ``None`` where there is none.

    Raises:
        DTypeError: what the collection holds is no integer variable.
    """
    found = (graph or dt.get_default_graph()).get_collection(GraphKeys.GLOBAL_STEP)
    if not found:
        return None
    step = found[0]
    if not isinstance(step, Variable) or not step.dtype.is_integer:
        raise DTypeError(
            f"get_global_step: the collection {GraphKeys.GLOBAL_STEP!r} holds {step!r}, no integer variable."
        )
    return step


def assert_global_step(global_step_tensor: Variable) -> None:
    """Make sure that something can be a global step: an integer variable or tensor that is one number.

    Raises:
        DTypeError: it is something else.
    """
    if not dt.is_tensor(global_step_tensor):
        raise DTypeError(f"assert_global_step: {global_step_tensor!r} is no variable or tensor.")
    if not global_step_tensor.dtype.is_integer or global_step_tensor.shape.rank not in (0, None):
        raise DTypeError(
            f'assert_global_step: "{global_step_tensor.name}" is '
            f"{global_step_tensor.dtype.name}{global_step_tensor.shape}; one integer is wanted."
        )


def create_global_step(graph: Graph | None = None) -> Variable:
    """Make the global step, an int64 variable named ``global_step`` that begins at zero.

    Raises:
        AlreadyExistsError: the graph has one.
    """
    target = graph or dt.get_default_graph()
    known = get_global_step(target)
    if known is not None:
        raise AlreadyExistsError(
            f'create_global_step: the graph has a global step, "{known.op.name}", made at {known.op.source}; use '
            f"get_or_create_global_step()."
        )
    with target.as_default(), target.name_scope(None):
        return dt.Variable(
            0,
            dtype=dt.int64,
            trainable=False,
            name="global_step",
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Variable:
    """Return the global step of a graph, made where there is none.

    Example:
        >>> step = dt.train.get_or_create_global_step()
        >>> w = dt.Variable(1.0)
        >>> train = dt.train.AdamOptimizer().minimize(w * w, global_step=step)
    """
    known = get_global_step(graph)
    return create_global_step(graph) if known is None else known


def global_step(sess: dt.Session, global_step_tensor: Variable) -> int:
    """Return the value of the global step in a session."""
    return int(sess.run(global_step_tensor))
