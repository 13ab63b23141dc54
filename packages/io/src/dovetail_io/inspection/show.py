"""Contents and differences as text for people."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dovetail_io.inspection.compare import Difference
from dovetail_io.inspection.contents import Contents

__all__ = ["shown", "shown_differences", "size_text"]

_SHOWN: Final = 40
_MARKS: Final = {"added": "+", "removed": "-", "changed": "~"}
_SUMMARIZED: Final = ("nodes",)


def size_text(count: float) -> str:
    """Return a number of bytes for people, such as ``1.5 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


def _plural(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def _table(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return lines with columns of even width; those in ``right`` are set to the right."""
    listed = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in listed) for i in range(len(listed[0]))] if listed else []
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in listed
    ]


def shown(contents: Contents, *, everything: bool = False) -> str:
    """Return what a file holds, as text; long parts whole if ``everything``."""
    lines = [f"{contents.kind} {contents.path}"]
    for key, value in contents.facts.items():
        if value not in (None, ""):
            lines.append(f"  {key.replace('_', ' ')}: {value}")
    if contents.tensors:
        ties = contents.parts.get("ties", {})
        own = {name: row for name, row in contents.tensors.items() if name not in ties}
        values = sum(_count(row.shape) for row in own.values())
        size = sum(row.bytes for row in own.values())
        lines += ["", f"{_plural(len(own), 'tensor')}, {_plural(values, 'value')}, {size_text(size)}"]
        rows = [("name", "dtype", "shape", "size", "file")]
        for name, row in contents.tensors.items():
            place = f"as {ties[name]}" if name in ties else row.file
            rows.append((name, row.dtype, str(list(row.shape)), size_text(row.bytes), place))
        lines += _table(rows, right=[3])
    for part, items in contents.parts.items():
        if items and part != "ties":
            lines += ["", *_part(part, items, everything)]
    if contents.files:
        lines += ["", _plural(len(contents.files), "file")]
        lines += _table(
            [("name", "bytes", "SHA-256"), *((one.name, f"{one.bytes:,}", one.sha256) for one in contents.files)],
            right=[1],
        )
    return "\n".join(lines)


def _count(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _part(part: str, items: Mapping[str, Any], everything: bool) -> list[str]:
    title = f"{len(items):,} {part.replace('_', ' ').removesuffix('s')}{'' if len(items) == 1 else 's'}"
    if part in _SUMMARIZED and not everything:
        counts = collections.Counter(item["op"] for item in items.values()).most_common()
        return [f"{title}: " + ", ".join(f"{count} {op}" for op, count in counts)]
    listed = list(items.items()) if everything else list(items.items())[:_SHOWN]
    rows = _table([(name, _item(part, item)) for name, item in listed])
    left = len(items) - len(listed)
    return [title, *rows, *([f"  … and {left:,} more; --all shows them"] if left else [])]


def _item(part: str, item: Any) -> str:
    if part == "signatures":
        inputs, outputs = (
            ", ".join(f"{name} = {one['name']} {one['dtype']}{_dims(one['shape'])}" for name, one in item[side].items())
            for side in ("inputs", "outputs")
        )
        return f"{inputs} -> {outputs}  ({item['method_name'] or 'no method'})"
    if part == "checkpoints":
        step = "" if item["step"] is None else f"step {item['step']}, "
        return f"{step}{item['saved'] or ''}  {item['state']}"
    if isinstance(item, str):
        return item
    if isinstance(item, Mapping) and part != "states":
        return ", ".join(f"{key} {_text(value)}" for key, value in item.items() if value is not None)
    return _text(item)


def _dims(shape: Sequence[Any] | None) -> str:
    return "[...]" if shape is None else f"[{', '.join(map(str, shape))}]"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# Differences. --------------------------------------------------------------------------------------------------------


def shown_differences(first: Contents, second: Contents, found: Sequence[Difference], equal: int) -> str:
    """Return the differences of two files, as text; the last line counts them."""
    lines = [f"--- {first.path}  ({first.kind})", f"+++ {second.path}  ({second.kind})"]
    for part, items in _by_part(found).items():
        if part == "fact":
            lines += [f"{one.name.replace('_', ' ')}: {_text(one.before)} → {_text(one.after)}" for one in items]
            continue
        if part != "tensor":
            lines.append(f"{part.replace('_', ' ')}:")
        rows = [(_MARKS[one.change], one.name, _change(one)) for one in items]
        lines += [line[2:] if part == "tensor" else line for line in _table(rows)]
    counts = collections.Counter(one.change for one in found if one.part == "tensor")
    totals = [f"{counts[change]} {change}" for change in ("added", "removed", "changed") if counts[change]]
    lines.append(f"tensors: {', '.join([*totals, f'{equal} equal'])}")
    return "\n".join(lines)


def _by_part(found: Iterable[Difference]) -> dict[str, list[Difference]]:
    parts: dict[str, list[Difference]] = {}
    for one in found:
        parts.setdefault(one.part, []).append(one)
    return parts


def _change(one: Difference) -> str:
    if one.change != "changed":
        return _item(one.part, one.before if one.after is None else one.after)
    if not one.detail:
        return f"{_item('', one.before)} → {_item('', one.after)}"
    detail = one.detail
    if not detail["differing"]:
        return f"{one.before}  equal values, other bits (zeros of other sign, or NaN)"
    before, after = _value(detail.get("before")), _value(detail.get("after"))
    if detail["of"] == 1 and before:
        return f"{one.before}  {before} → {after}"
    text = f"{one.before}  {detail['differing']:,} of {detail['of']:,} values differ"
    if "nan_on_one_side" in detail:
        text += f", {detail['nan_on_one_side']:,} of them NaN on one side"
    if "largest" in detail:
        text += f"; the most by {detail['largest']:.6g} at {detail['at']}: {before} → {after}"
    elif "at" in detail:
        text += f"; the first at {detail['at']}: {before} → {after}"
    return text


def _value(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float | complex) else str(value)
