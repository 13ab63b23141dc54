"""``summary_table``: layers with their outputs, weights and work."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from dovetail.compiler.explain import Explanation, bytes_of, short
from dovetail.compiler.lower import needed_operations
from dovetail.graph.graph import get_default_graph, session_stack
from dovetail.graph.layercall import LayerCall
from dovetail.graph.operation import Operation
from dovetail.ops.state import Placeholder, VariableHandle
from dovetail.session.explain import explain
from dovetail.session.fetches import FetchPlan
from dovetail.types.shapes import TensorType

if TYPE_CHECKING:
    from dovetail.session.session import Session

__all__ = ["SummaryRow", "SummaryTable", "summary_table"]

_HEADINGS = ("layer", "kind", "output", "weights", "FLOP")
_OUTSIDE = "(outside layers)"


@final
class SummaryRow:
    """A line of a summary.

    Attributes:
        name: the layer's scope in the graph.
        kind: what it is registered as, such as ``"dense"``; ``"placeholder"`` for what is fed.
        depth: how many layers are around it.
        outputs: types of what it gives.
        trainable: how many numbers its trainable weights hold, those of the layers in it included.
        fixed: how many its other weights hold.
        kept: how many numbers are kept outside layers that are not trained, as by an optimizer.
        shares: whether its weights are those of a row before it.
        flops: floating-point operations of a run.
    """

    __slots__ = ("depth", "fixed", "flops", "kept", "kind", "name", "outputs", "shares", "trainable")

    def __init__(self, name: str, kind: str, depth: int = 0, outputs: Iterable[TensorType] = ()) -> None:
        """Begin with no weights and no work."""
        self.name = name
        self.kind = kind
        self.depth = depth
        self.outputs = tuple(outputs)
        self.trainable = 0
        self.fixed = 0
        self.kept = 0
        self.shares = False
        self.flops = 0

    @property
    def weights(self) -> int:
        """How many numbers all its weights hold."""
        return self.trainable + self.fixed

    def cells(self) -> tuple[str, ...]:
        """Return what a table shows of it."""
        count = f"{self.weights:,}" if self.weights else ""
        if self.shares:
            count = "shared"
        elif self.fixed:
            count += f" ({self.fixed:,} fixed)"
        elif self.kept:
            count = f"{count} ({self.kept:,} kept)".strip()
        work = short(self.flops).strip() if self.flops else ""
        return ("  " * self.depth + self.name, self.kind, " ".join(map(str, self.outputs)), count, work)


@final
class SummaryTable:
    """What a network is made of: print it for a table; a notebook shows it as one.

    Attributes:
        rows: what is fed; layers in the order of their calls, each followed by those in it; what is outside them.
        trainable: how many numbers all trainable weights hold.
        fixed: how many the other weights of layers hold.
        kept: how many are kept beside weights, as by an optimizer.
        bytes: bytes of all weights.
        flops: floating-point operations of a run, as ``dt.explain`` counts them.
        sizes: what the symbols in shapes were taken to be.
    """

    def __init__(self, operations: Sequence[Operation], explanation: Explanation) -> None:
        """Gather what layers did."""
        self.flops = explanation.flops
        self.sizes = explanation.sizes
        graph = operations[0].graph if operations else get_default_graph()
        calls = _called(operations)
        variables = {op.name: op for op in operations if isinstance(op.definition, VariableHandle)}
        variables |= {name: graph.get_operation_by_name(name) for call in calls for name in call.weights}
        self.rows = [
            SummaryRow(op.name, "placeholder", 0, [op.outputs[0].type])
            for op in operations
            if isinstance(op.definition, Placeholder)
        ]
        work: dict[LayerCall | None, int] = dict.fromkeys([*calls, None], 0)
        by_name = {op.name: op for op in operations}
        for one in explanation.rows:
            call = by_name[one.name].layer if one.name in by_name else None
            work[None] += 0 if call is not None else one.flops
            while call is not None:
                work[call] += one.flops
                call = call.parent
        counted: set[str] = set()
        for call in (one for one in graph.layer_calls if one in work):
            row = SummaryRow(call.name, call.layer, calls[call], (one.type for one in call.outputs))
            row.flops = work[call]
            top = call.parent is None
            row.shares = bool(call.weights) and top and counted.issuperset(call.weights)
            _count(row, (variables[name] for name in call.weights))
            counted.update(call.weights if top else ())
            self.rows.append(row)
        outside = SummaryRow(_OUTSIDE, "")
        outside.flops = work[None]
        inside = {name for call in calls for name in call.weights}
        _count(outside, (op for name, op in variables.items() if name not in inside))
        outside.kept, outside.fixed = outside.fixed, 0
        if outside.flops or outside.weights or outside.kept:
            self.rows.append(outside)
        total = SummaryRow("", "")
        weights = [op for name, op in variables.items() if name in inside or op.get_attr("trainable")]
        _count(total, weights)
        self.trainable, self.fixed, self.kept = total.trainable, total.fixed, outside.kept
        self.bytes = sum(bytes_of(op.outputs[0].type, {}) for op in weights)

    def _totals(self) -> list[str]:
        fixed = f", {self.fixed:,} of them fixed" if self.fixed else ""
        kept = f", and {self.kept:,} numbers kept beside them" if self.kept else ""
        sizes = ", ".join(f"{symbol}={size}" for symbol, size in self.sizes.items())
        return [
            f"{self.trainable + self.fixed:,} weights{fixed}, {short(self.bytes)}B{kept}",
            f"{short(self.flops)}FLOP" + (f" for {sizes}" if sizes else ""),
        ]

    def __str__(self) -> str:
        """Lay the rows out as a table."""
        cells = [_HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]

        def laid_out(line: Sequence[str]) -> str:
            padded = [
                cell.rjust(width) if column >= 3 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            return "  ".join(padded).rstrip()

        lines = [laid_out(line) for line in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, "", *self._totals()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: Sequence[str], tag: str, depth: int = 0) -> str:
            styles = [f"text-align:left;padding-left:{0.5 + 1.5 * depth}em", *["text-align:left"] * 2]
            styles += ["text-align:right"] * 2
            return "".join(
                f'<{tag} style="{style}">{html.escape(cell.strip())}</{tag}>'
                for cell, style in zip(cells, styles, strict=True)
            )

        rows = "".join(f"<tr>{line(row.cells(), 'td', row.depth)}</tr>" for row in self.rows)
        totals = "".join(f"<div>{html.escape(one)}</div>" for one in self._totals())
        return f"<table><thead><tr>{line(_HEADINGS, 'th')}</tr></thead><tbody>{rows}</tbody></table>{totals}"


def _called(operations: Sequence[Operation]) -> dict[LayerCall, int]:
    """Return the calls that made the operations, those around them included, with their depths."""
    found: dict[LayerCall, int] = {}
    for op in operations:
        call = op.layer
        while call is not None and call not in found:
            depth, around = 0, call.parent
            while around is not None:
                depth, around = depth + 1, around.parent
            found[call] = depth
            call = call.parent
    return found


def _count(row: SummaryRow, variables: Iterable[Operation]) -> None:
    for op in variables:
        size = op.outputs[0].type.size
        number = size if isinstance(size, int) else 0
        if op.get_attr("trainable"):
            row.trainable += number
        else:
            row.fixed += number


def summary_table(
    fetches: Any,
    feed_dict: Mapping[Any, Any] | None = None,
    *,
    session: Session | None = None,
    sizes: Mapping[str, int] | int = 1,
) -> SummaryTable:
    """Return a table of the layers that ``fetches`` need: their outputs, weights and work.

    Args:
        fetches: as for ``Session.run``: the output of a network; with the step of an optimizer among them, what it
            computes and keeps stands outside the layers.
        feed_dict: values for flags and for placeholders of unknown rank; others may be left out.
        session: whose devices and graph to use; the default session, or one made for the purpose.
        sizes: sizes to assume for symbolic dimensions when work is counted, by name, or one for all: by default, work
            is that for a batch of 1.

    Returns:
        A table: print it; it has ``rows``, ``trainable``, ``fixed``, ``bytes`` and ``flops``.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 784], name="x")
        >>> hidden = dt.layers.dense(x, 100, activation="relu", name="hidden")
        >>> print(dt.summary_table(dt.layers.dense(hidden, 10, name="scores")))
        layer   kind         output               weights    FLOP
        ------  -----------  -------------------  -------  ------
        x       placeholder  float32[batch, 784]
        hidden  dense        float32[batch, 100]   78,500   157 k
        scores  dense        float32[batch, 10]     1,010  2.01 k
        <BLANKLINE>
        79,510 weights, 318 kB
        159 kFLOP for batch=1
    """
    explanation = explain(fetches, feed_dict, session=session, sizes=sizes)
    graph = session.graph if session else session_stack()[-1].graph if session_stack() else get_default_graph()
    plan = FetchPlan(graph, fetches)
    feeds = {graph.as_graph_element(key): None for key in feed_dict or {}}
    return SummaryTable(needed_operations(plan.tensors, plan.targets, feeds), explanation)
