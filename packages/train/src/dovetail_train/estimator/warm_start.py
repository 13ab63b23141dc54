"""``WarmStartSettings``: first values of variables from another model's checkpoint."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError, ShapeError, UnsupportedOperationError

__all__ = ["WarmStartSettings", "warm_start"]


class WarmStartSettings(NamedTuple):
    """Which variables take their first values from which checkpoint.

    Attributes:
        ckpt_to_initialize_from: a checkpoint, or a folder, of which the newest is taken.
        vars_to_warm_start: a regular expression, or several, of which one is found in the names of trainable variables;
            or variables; all trainable ones by default, ``None`` for none.
        var_name_to_vocab_info: must be left out: vocabularies are not matched.
        var_name_to_prev_var_name: the names in the checkpoint of variables that are called otherwise there.
    """

    ckpt_to_initialize_from: str | os.PathLike[str]
    vars_to_warm_start: Any = ".*"
    var_name_to_vocab_info: Any = None
    var_name_to_prev_var_name: Mapping[str, str] | None = None


def warm_start(given: str | os.PathLike[str] | WarmStartSettings) -> Callable[[dt.Session], None]:
    """Return a function that gives the variables of the default graph values, in a session; read at once.

    Raises:
        NotFoundError: there is no checkpoint, or it lacks a variable.
        ShapeError: a tensor's shape is not its variable's.
    """
    settings = given if isinstance(given, WarmStartSettings) else WarmStartSettings(given)
    if settings.var_name_to_vocab_info is not None:
        raise UnsupportedOperationError(
            "warm_start_from: var_name_to_vocab_info is given, but vocabularies are not matched; keep the vocabulary, "
            "or leave the variable out of vars_to_warm_start."
        )
    path = Path(settings.ckpt_to_initialize_from)
    prefix = dt.train.latest_checkpoint(path) if path.is_dir() else str(path)
    if prefix is None:
        raise NotFoundError(f'warm_start_from: there is no checkpoint in the folder "{path}".')
    reader = dt.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    renamed = dict(settings.var_name_to_prev_var_name or {})
    values: dict[dt.Variable, Any] = {}
    for variable in _chosen(settings.vars_to_warm_start):
        name = renamed.pop(variable.op.name, variable.op.name)
        if name not in shapes:
            raise NotFoundError(
                f'warm_start_from: the checkpoint "{prefix}" has no value for "{name}"; choose others by '
                f"vars_to_warm_start, or name it by var_name_to_prev_var_name. It holds: {', '.join(sorted(shapes))}."
            )
        if not variable.shape.is_compatible_with(dt.Shape(shapes[name])):
            raise ShapeError(
                f'warm_start_from: "{name}" has shape {list(shapes[name])} in the checkpoint "{prefix}", but the '
                f"variable has {variable.shape}; leave it out of vars_to_warm_start. {variable.op.where()}"
            )
        values[variable] = reader.get_tensor(name)
    if renamed:
        raise InvalidArgumentError(
            f"warm_start_from: var_name_to_prev_var_name names {', '.join(map(repr, renamed))}, which "
            "vars_to_warm_start does not choose."
        )

    def fill(session: dt.Session) -> None:
        for variable, value in values.items():
            variable.load(value, session)

    return fill


def _chosen(given: Any) -> list[dt.Variable]:
    if given is None:
        return []
    patterns: list[Any] = [given] if isinstance(given, str) or not isinstance(given, Sequence) else list(given)
    if all(isinstance(one, dt.Variable) for one in patterns):
        return patterns
    return [
        variable
        for variable in dt.trainable_variables()
        if any(re.search(pattern, variable.op.name) for pattern in patterns)
    ]
