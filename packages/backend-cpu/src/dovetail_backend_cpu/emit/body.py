"""``Body``: statements of the kernel IR, printed into a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import final

from dovetail.kernels import Buffer, Local, Statement, Symbol
from dovetail_backend_cpu.emit.state import Lanes, State
from dovetail_backend_cpu.emit.statements import print_statements
from dovetail_backend_cpu.emit.types import Value
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function

__all__ = ["Body", "Lanes"]


@final
class Body:
    """Prints statements into a function.

    Args:
        function: the function; the body is made in its entry block.
        machine: what it is printed for.
        pointers: the address of each buffer.
        sizes: the i64 value of each size.
        status: the address of the status word.
    """

    def __init__(
        self,
        function: Function,
        machine: Machine,
        pointers: Mapping[Buffer, str],
        sizes: Mapping[Symbol, str],
        status: str,
    ) -> None:
        """Begin at the function's current point."""
        self._state = State(function, machine, pointers, sizes, status)

    def run(
        self,
        statements: Sequence[Statement],
        indices: Mapping[Symbol, str],
        lanes: Lanes | None = None,
        locals: Mapping[Local, str] | None = None,
    ) -> None:
        """Print statements at the function's current point.

        Args:
            statements: what is printed.
            indices: the i64 values of loop variables around, that of lane 0 for the symbol of the lanes.
            lanes: the lanes in force; None for scalars.
            locals: values of locals that are defined outside: scalars, or one for each lane where lanes are in force.
        """
        state = self._state
        with state.scope({**state.sizes, **indices}), state.in_lanes(lanes) if lanes else nullcontext():
            for local, text in (locals or {}).items():
                state.define(local, Value(text, state.width > 1))
            print_statements(state, statements)
