"""``explain`` for users: from fetches to an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dovetail.compiler.explain import Explanation, describe
from dovetail.compiler.program import Program
from dovetail.graph.graph import get_default_graph, session_stack
from dovetail.session.session import Session

__all__ = ["explain"]


def explain(
    fetches: Any,
    feed_dict: Mapping[Any, Any] | None = None,
    *,
    session: Session | None = None,
    stage: str = "share",
    sizes: Mapping[str, int] | int = 1,
) -> Explanation:
    """Return what fetching ``fetches`` would do, without doing it.

    Args:
        fetches: as for ``Session.run``.
        feed_dict: values for flags and for placeholders of unknown rank; others may be left out.
        session: whose devices and graph to use; the default session, or one made for the purpose.
        stage: the pass after which to show the program: ``lower``, ``fold``, ``decompose``, ``simplify``, ``drop`` or
            ``share``.
        sizes: sizes to assume for symbolic dimensions, by name, or one for all.

    Returns:
        An explanation: print it for a table; it has ``peak_bytes``, ``flops``, ``rows``, ``largest()`` and
        ``fallbacks``.

    Raises:
        InvalidArgumentError: there is no such stage.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 784])
        >>> dt.explain(dt.matmul(x, dt.zeros([784, 10])), sizes=64).flops
        1003520
    """
    if session is None:
        session = session_stack()[-1] if session_stack() else Session(graph=get_default_graph())
    programs: dict[str, Program] = {}
    session.program(fetches, feed_dict, watch=programs.__setitem__)
    return describe(programs, session.devices, stage, sizes)
