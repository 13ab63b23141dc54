"""How two files differ: tensor by tensor, and in what else they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from dovetail.extend import Array
from dovetail_io.inspection.contents import Contents

__all__ = ["Difference", "compare"]

_NOT_COMPARED: Final = ("saved", "dovetail")


class Difference(NamedTuple):
    """One thing in which two files differ.

    Attributes:
        part: the kind of thing: ``"tensor"``, or the name of a part.
        name: its name.
        change: ``"added"``, ``"removed"`` or ``"changed"``.
        before, after: what it was and is, for people; ``None`` where it is not there.
        detail: what differs in values, as JSON-able data.
    """

    part: str
    name: str
    change: str
    before: Any
    after: Any
    detail: Mapping[str, Any] = {}


def compare(first: Contents, second: Contents, tolerance: float = 0.0) -> tuple[list[Difference], int]:
    """Return the differences, and how many tensors are equal.

    Facts and parts are compared where both files have them.

    Args:
        first: the one.
        second: the other.
        tolerance: values of tensors that are not farther apart count as equal; with 0, every bit counts.
    """
    found: list[Difference] = []
    for key, before in first.facts.items():
        if key in second.facts and key not in _NOT_COMPARED and before != second.facts[key]:
            found.append(Difference("fact", key, "changed", before, second.facts[key]))
    tensors, equal = _tensors(first, second, tolerance)
    found += tensors
    for part, items in first.parts.items():
        if part in second.parts:
            found += _items(part, items, second.parts[part])
    return found, equal


def _items(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    found = [Difference(part, name, "removed", one, None) for name, one in before.items() if name not in after]
    found += [Difference(part, name, "added", None, one) for name, one in after.items() if name not in before]
    for name, one in before.items():
        if name in after and one != after[name]:
            found.append(Difference(part, name, "changed", *_narrowed(one, after[name])))
    return found


def _narrowed(before: Any, after: Any) -> tuple[Any, Any]:
    """Leave out the members of two objects in which they agree."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return before, after
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}


def _tensors(first: Contents, second: Contents, tolerance: float) -> tuple[list[Difference], int]:
    before, after = first.tensors, second.tensors
    found = [Difference("tensor", name, "removed", str(row), None) for name, row in before.items() if name not in after]
    found += [Difference("tensor", name, "added", None, str(row)) for name, row in after.items() if name not in before]
    equal = 0
    for name, row in before.items():
        if name not in after:
            continue
        if str(row) != str(after[name]):
            found.append(Difference("tensor", name, "changed", str(row), str(after[name])))
            continue
        detail = _values(first.read(name), second.read(name), tolerance)
        if detail is None:
            equal += 1
        else:
            found.append(Difference("tensor", name, "changed", str(row), str(row), detail))
    return found, equal


def _values(before: Array, after: Array, tolerance: float) -> dict[str, Any] | None:
    """Return in how many values two arrays of one type differ, and where most; nothing where they are equal."""
    if before.dtype != object and not tolerance and before.tobytes() == after.tobytes():
        return None
    differs = np.asarray(before != after)
    if before.dtype.kind not in "OSU":
        nan = np.isnan(before.astype(np.complex128)) if before.dtype.kind not in "biu" else np.zeros(before.shape, bool)
        other = np.isnan(after.astype(np.complex128)) if after.dtype.kind not in "biu" else np.zeros(after.shape, bool)
        differs &= ~(nan & other)
        distance = np.where(differs, _distance(before, after), 0.0)
        differs &= ~(distance <= tolerance)
        if not differs.any():
            return None if tolerance else {"differing": 0, "of": before.size}
        unknown = int((differs & (nan ^ other)).sum())
        place = np.unravel_index(int(np.argmax(np.where(differs & ~np.isnan(distance), distance, -1.0))), before.shape)
        largest = float(distance[place])
        detail: dict[str, Any] = {"differing": int(differs.sum()), "of": before.size}
        if unknown:
            detail["nan_on_one_side"] = unknown
        if not np.isnan(largest) and differs[place]:
            detail |= {
                "largest": largest,
                "at": [int(one) for one in place],
                "before": before[place].item(),
                "after": after[place].item(),
            }
        return detail
    if not differs.any():
        return None
    place = np.unravel_index(int(np.argmax(differs)), before.shape)
    first, second = (repr(array[place]) for array in (before, after))
    at = [int(one) for one in place]
    return {"differing": int(differs.sum()), "of": before.size, "at": at, "before": first, "after": second}


def _distance(before: Array, after: Array) -> Array:
    """Return how far values are apart, as float64; of integers it is exact before it is rounded."""
    if before.dtype.kind in "iub":
        large, small = np.maximum(before, after), np.minimum(before, after)
        apart: Array = (large.astype(np.uint64) - small.astype(np.uint64)).astype(np.float64)
        return apart
    wide = np.complex128 if before.dtype.kind == "c" else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.abs(before.astype(wide) - after.astype(wide)))
