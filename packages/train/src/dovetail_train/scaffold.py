"""``Scaffold``: how a model's variables get their values and are saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import dovetail as dt
from dovetail.errors import GraphError

__all__ = ["Scaffold"]


@final
class Scaffold:
    """How a model's variables get their values, how to see that all of them have one, and what saves them.

    What is not given comes from the graph's collection of that name, or is made when the scaffold is finalized.

    Args:
        init_op: runs where no checkpoint is restored; initializes the global variables by default.
        init_feed_dict: values for placeholders that ``init_op`` needs.
        init_fn: a function of the scaffold and the session, called after ``init_op``.
        ready_op: gives the names of variables without a value; of all variables by default.
        ready_for_local_init_op: gives the names of variables that ``local_init_op`` needs and that have no value; of
            the global variables by default.
        local_init_op: runs always, after that; initializes the local variables by default.
        summary_op: the summary that a training session writes; that of all summaries of the graph by default, and
            ``None`` where there are none.
        saver: restores and saves; a ``Saver`` of all variables by default.
        copy_from_scaffold: another scaffold, which gives what is not given here.
        local_init_feed_dict: values for placeholders that ``local_init_op`` needs.

    Example:
        >>> v = dt.Variable(1.0, name="v")
        >>> scaffold = dt.train.Scaffold(init_fn=lambda scaffold, session: v.load(5.0, session))
        >>> with dt.train.MonitoredTrainingSession(scaffold=scaffold) as session:
        ...     session.run(v)
        np.float32(5.0)
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Mapping[Any, Any] | None = None,
        init_fn: Callable[[Scaffold, dt.Session], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
        local_init_feed_dict: Mapping[Any, Any] | None = None,
    ) -> None:
        """Remember what is given."""

        def chosen(name: str, value: Any) -> Any:
            return getattr(copy_from_scaffold, name) if value is None and copy_from_scaffold is not None else value

        self.init_op = chosen("init_op", init_op)
        self.init_feed_dict = chosen("init_feed_dict", init_feed_dict)
        self.init_fn = chosen("init_fn", init_fn)
        self.ready_op = chosen("ready_op", ready_op)
        self.ready_for_local_init_op = chosen("ready_for_local_init_op", ready_for_local_init_op)
        self.local_init_op = chosen("local_init_op", local_init_op)
        self.summary_op = chosen("summary_op", summary_op)
        self.saver = chosen("saver", saver)
        self.local_init_feed_dict = chosen("local_init_feed_dict", local_init_feed_dict)

    def finalize(self) -> Scaffold:
        """Make what is not given, and finalize the graph: a training loop cannot add to it by mistake."""
        keys = dt.GraphKeys
        defaults: dict[str, tuple[str, Callable[[], Any]]] = {
            "init_op": (keys.INIT_OP, dt.global_variables_initializer),
            "ready_op": (keys.READY_OP, dt.report_uninitialized_variables),
            "ready_for_local_init_op": (
                keys.READY_FOR_LOCAL_INIT_OP,
                lambda: dt.report_uninitialized_variables(dt.global_variables()),
            ),
            "local_init_op": (keys.LOCAL_INIT_OP, self.default_local_init_op),
            "summary_op": (keys.SUMMARY_OP, dt.summary.merge_all),
            "saver": (keys.SAVERS, lambda: dt.train.Saver(allow_empty=True)),
        }
        for name, (key, make) in defaults.items():
            if getattr(self, name) is None:
                setattr(self, name, self.get_or_default(name, key, make))
        self.saver.build()
        dt.get_default_graph().finalize()
        return self

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """Return what a collection of the default graph holds; where it holds nothing, make it and put it there.

        Raises:
            GraphError: the collection holds several.
        """
        found = dt.get_collection(collection_key)
        if len(found) > 1:
            raise GraphError(
                f"Scaffold: the collection {collection_key!r} holds {len(found)} items; pass the one that is meant as "
                f"{arg_name}."
            )
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            dt.add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op() -> dt.Operation:
        """Return what initializes the local variables."""
        return dt.local_variables_initializer()
