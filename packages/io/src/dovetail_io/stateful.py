"""What a checkpoint keeps besides variables and random numbers: the state of objects, such as a place in the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail_io.checkpoint import Checkpoint, nearest

__all__ = ["Stateful", "as_stateful", "collected", "restore_states", "take_states"]


@runtime_checkable
class Stateful(Protocol):
    """An object whose state a ``Saver`` keeps in checkpoints beside the variables.

    Any class with these two methods is one. Hand it to ``Saver(stateful={"input": object})``; or give it an attribute
    ``name`` and add it to the graph's collection ``dt.GraphKeys.SAVEABLE_OBJECTS``, where every saver of all variables
    finds it, whenever that was made.

    Example:
        >>> class Position:
        ...     line = 0
        ...
        ...     def state(self):
        ...         return {"line": self.line}
        ...
        ...     def restore(self, state):
        ...         self.line = state["line"]
        >>> v, position = dt.Variable(1.0, name="v"), Position()
        >>> saver = dt.train.Saver(stateful={"input": position})
        >>> with dt.Session() as session:
        ...     session.run(v.initializer)
        ...     position.line = 40
        ...     path = saver.save(session, "model")
        ...     position.line = 90
        ...     saver.restore(session, path)
        >>> position.line
        40
    """

    def state(self) -> Any:
        """Return the state as JSON-able data: None, booleans, numbers, strings, lists, and dicts by strings."""

    def restore(self, state: Any) -> None:
        """Take over what ``state`` gave, in this process or another; tuples come back as lists."""


def as_stateful(given: Any) -> dict[str, Stateful]:
    """Return the objects by name, checked.

    Raises:
        DTypeError: there is something else among them.
        InvalidArgumentError: a name is empty.
    """
    if not isinstance(given, Mapping | None):
        raise DTypeError(f'Saver: stateful is {given!r}; give a dict of objects by name, such as {{"input": data}}.')
    for name, one in (given or {}).items():
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError(f"Saver: {name!r} cannot be the name of a state in a checkpoint; give a string.")
        if not isinstance(one, Stateful):
            raise DTypeError(
                f"Saver: stateful[{name!r}] is {one!r}, whose state cannot be kept; give an object with the methods "
                "state() and restore(state)."
            )
    return dict(given or {})


def collected(graph: dt.Graph) -> dict[str, Stateful]:
    """Return the objects that a graph's collection ``SAVEABLE_OBJECTS`` holds, by their names.

    Raises:
        DTypeError: one is no ``Stateful``, or has no name.
        InvalidArgumentError: two have one name.
    """
    found: dict[str, Stateful] = {}
    for one in graph.get_collection(dt.GraphKeys.SAVEABLE_OBJECTS):
        name = getattr(one, "name", None)
        if not isinstance(one, Stateful) or not isinstance(name, str) or not name:
            raise DTypeError(
                f"Saver: the graph's collection {dt.GraphKeys.SAVEABLE_OBJECTS!r} holds {one!r}; objects there need a "
                "name and the methods state() and restore(state)."
            )
        if found.setdefault(name, one) is not one:
            raise InvalidArgumentError(
                f"Saver: two objects in the graph's collection {dt.GraphKeys.SAVEABLE_OBJECTS!r} have the name "
                f"{name!r}: {found[name]!r} and {one!r}. Name them apart."
            )
    return found


def take_states(objects: Mapping[str, Stateful]) -> dict[str, Any]:
    """Return the states by name, as JSON gives them back.

    Raises:
        DTypeError: a state is not JSON-able.
    """
    return {name: _plain(one.state(), name, "state()") for name, one in objects.items()}


def _plain(value: Any, name: str, where: str) -> Any:
    """Return a copy of ``value`` that shares nothing with it, and that JSON keeps."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, name, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping) and all(type(key) is str for key in value):
        return {key: _plain(item, name, f"{where}[{key!r}]") for key, item in value.items()}
    raise DTypeError(
        f"Saver: the state of {name!r} cannot be saved: {where} is {value!r}, a {type(value).__name__}; give None, "
        "booleans, numbers, strings, lists, and dicts by strings (of arrays: array.tolist())."
    )


def restore_states(
    checkpoint: Checkpoint, given: Mapping[str, Stateful], found: Mapping[str, Stateful], *, tell_unknown: bool
) -> None:
    """Give objects the states that a checkpoint keeps.

    Args:
        checkpoint: the checkpoint.
        given: objects that must have a state in it.
        found: objects that go on as they are where they have none, which is logged.
        tell_unknown: whether to log which states nothing takes.

    Raises:
        NotFoundError: the checkpoint has no state for one of ``given``; no object has changed.
        FormatError: an object does not take its state.
    """
    kept = checkpoint.states
    missing = [name for name in given if name not in kept]
    if missing:
        name = missing[0]
        there = f"it holds those of {', '.join(map(repr, kept))}" if kept else "it holds none"
        raise NotFoundError(
            f'the checkpoint "{checkpoint.prefix}" has no state of {name!r}: {there}.{nearest(name, kept)} Leave '
            f"{name!r} out of the Saver's stateful to restore the variables alone."
        )
    objects = {**found, **given}
    for name in objects:
        if name not in kept:
            dt.logging.warning('"%s" holds no state of %r, which goes on as it is.', checkpoint.prefix, name)
    for name in kept if tell_unknown else ():
        if name not in objects:
            dt.logging.warning(
                '"%s" holds a state of %r, which nothing here takes; Saver(stateful={%r: …}) restores it.',
                checkpoint.prefix,
                name,
                name,
            )
    for name, one in objects.items():
        if name in kept:
            try:
                one.restore(kept[name])
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise FormatError(
                    f'the checkpoint "{checkpoint.prefix}" holds a state of {name!r} that {one!r} does not take: '
                    f"{error!r}. Was it saved with another object of that name?"
                ) from error
