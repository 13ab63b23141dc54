"""Values of variables and the random state of a session, all of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import dovetail as dt
from dovetail.errors import UninitializedVariableError
from dovetail.extend import Array

__all__ = ["Snapshot", "frozen", "listed", "take_snapshot"]

_SHOWN = 5


class Snapshot(NamedTuple):
    """Values by name, further names for some of them, and what ``Session.random_state`` gave."""

    arrays: dict[str, Array]
    ties: dict[str, str]
    random_state: dict[str, Any]

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Snapshot:
        """Return one of arrays alone, without a session."""
        return cls(dict(arrays), {}, {"seed": None, "counters": {}})


@contextmanager
def frozen(sess: dt.Session, variables: Mapping[str, dt.Variable]) -> Iterator[Snapshot]:
    """Show what a session holds, and keep all as it is meanwhile; the values are the session's own arrays.

    Raises:
        UninitializedVariableError: a variable has no value.
    """
    names: dict[dt.Variable, str] = {}
    ties: dict[str, str] = {}
    for name, variable in variables.items():
        if names.setdefault(variable, name) != name:
            ties[name] = names[variable]
    with sess.frozen() as (values, random_state):
        empty = [name for name, variable in variables.items() if variable.op.name not in values]
        if empty:
            raise UninitializedVariableError(
                f"{len(empty)} of {len(variables)} variables have no value to save: {listed(empty)}. Run "
                f"dt.global_variables_initializer() first, or leave them out of the Saver's var_list."
            )
        arrays = {name: np.asarray(values[one.op.name], one.dtype.numpy) for one, name in names.items()}
        yield Snapshot(arrays, ties, random_state)


def take_snapshot(sess: dt.Session, variables: Mapping[str, dt.Variable]) -> Snapshot:
    """Return a copy of what a session holds now; raises what ``frozen`` raises."""
    with frozen(sess, variables) as shown:
        return shown._replace(arrays={name: array.copy() for name, array in shown.arrays.items()})


def listed(names: Sequence[str]) -> str:
    """Return names for a message, the first few where there are many."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
