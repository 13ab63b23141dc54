"""Names that TensorFlow 1 gave to what has another name now, and that its programs still use."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Final, final

from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.shortcuts import name_scope
from dovetail.ops.positions import argmax, argmin
from dovetail.ops.state import no_op
from dovetail.ops.variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    variables_initializer,
)
from dovetail.types.dtypes import DTypeLike, int64

__all__ = [
    "AggregationMethod",
    "all_variables",
    "arg_max",
    "arg_min",
    "initialize_all_tables",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "op_scope",
    "tables_initializer",
]


@final
class AggregationMethod:
    """How gradients of one tensor are added up; all of these do the same."""

    ADD_N: Final = 0
    DEFAULT: Final = ADD_N
    EXPERIMENTAL_TREE: Final = 1
    EXPERIMENTAL_ACCUMULATE_N: Final = 2


all_variables = global_variables
initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
initialize_variables = variables_initializer


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """Return an operation that does nothing: there are no tables to initialize."""
    return no_op(name)


initialize_all_tables = tables_initializer


def op_scope(values: Iterable[Any], name: str | None, default_name: str | None = None) -> AbstractContextManager[str]:
    """Put the nodes made inside under ``name``, or under ``default_name`` where that is ``None``."""
    return name_scope(name, default_name, values)


def arg_max(input: Any, dimension: int, output_type: DTypeLike = int64, name: str | None = None) -> Tensor:
    """Return what ``argmax`` does; ``dimension`` is its axis.

    Example:
        >>> dt.Session().run(dt.arg_max([1.0, 7.0, 5.0], 0))
        np.int64(1)
    """
    return argmax(input, dimension, name=name, output_type=output_type)


def arg_min(input: Any, dimension: int, output_type: DTypeLike = int64, name: str | None = None) -> Tensor:
    """Return what ``argmin`` does; ``dimension`` is its axis.

    Example:
        >>> dt.Session().run(dt.arg_min([1.0, 7.0, 0.5], 0))
        np.int64(2)
    """
    return argmin(input, dimension, name=name, output_type=output_type)
