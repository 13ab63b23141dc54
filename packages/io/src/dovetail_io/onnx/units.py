"""Which instructions of a program become a function: those of one call of a layer, where they hold together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

from dovetail.extend import Instruction, LayerCall, Value, definitions

__all__ = ["Unit", "Wanted", "divide"]

Wanted: TypeAlias = Callable[[LayerCall], bool]


@final
class Unit:
    """The instructions of one call of a layer.

    Attributes:
        call: the call.
        instructions: in order.
    """

    __slots__ = ("call", "instructions")

    def __init__(self, call: LayerCall) -> None:
        """Begin a unit."""
        self.call = call
        self.instructions: list[Instruction] = []


def divide(instructions: Sequence[Instruction], wanted: Wanted) -> list[Instruction | Unit]:
    """Return the instructions, in an order that respects data; those of outermost calls that are ``wanted`` together.

    The instructions of a call from which a path leads away and back cannot be one node; they stay as they are. So do
    those of one of several calls that are woven into each other. Constants belong to nobody.
    """
    units: dict[LayerCall, Unit] = {}
    owner: dict[Instruction, Unit] = {}
    for one in instructions:
        call = _outermost(one.origin.layer, wanted)
        if call is not None and not isinstance(one.op, definitions.Constant):
            unit = owner[one] = units.setdefault(call, Unit(call))
            unit.instructions.append(one)
    for unit in units.values():
        if not _is_convex(unit, instructions, owner):
            _dissolve(unit, owner)
    while True:
        order, stuck = _ordered(instructions, owner)
        if stuck is None:
            return order
        _dissolve(stuck, owner)


def _outermost(call: LayerCall | None, wanted: Wanted) -> LayerCall | None:
    found = None
    while call is not None:
        if wanted(call):
            found = call
        call = call.parent
    return found


def _dissolve(unit: Unit, owner: dict[Instruction, Unit]) -> None:
    for one in unit.instructions:
        del owner[one]


def _is_convex(unit: Unit, instructions: Sequence[Instruction], owner: dict[Instruction, Unit]) -> bool:
    inside = {value for one in unit.instructions for value in one.outputs}
    beyond: set[Value] = set()
    for one in instructions:
        if owner.get(one) is unit:
            if any(value in beyond for value in one.inputs):
                return False
        elif any(value in inside or value in beyond for value in one.inputs):
            beyond.update(one.outputs)
    return True


def _ordered(
    instructions: Sequence[Instruction], owner: dict[Instruction, Unit]
) -> tuple[list[Instruction | Unit], Unit | None]:
    """Return the order, or a unit that waits for what waits for it."""
    items: list[Instruction | Unit] = list(dict.fromkeys(owner.get(one, one) for one in instructions))
    made_by: dict[Value, Instruction | Unit] = {}
    for one in instructions:
        made_by.update(dict.fromkeys(one.outputs, owner.get(one, one)))
    order: list[Instruction | Unit] = []
    done: set[Instruction | Unit] = set()
    waiting = items
    while waiting:
        left = []
        for item in waiting:
            members = item.instructions if isinstance(item, Unit) else [item]
            needs = {made_by.get(value, item) for one in members for value in one.inputs}
            if all(need is item or need in done for need in needs):
                order.append(item)
                done.add(item)
            else:
                left.append(item)
        if len(left) == len(waiting):
            return order, next(item for item in left if isinstance(item, Unit))
        waiting = left
    return order, None
