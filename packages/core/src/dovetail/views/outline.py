"""What a drawing shows: boxes in boxes, by the scopes of names and the layers, and the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, final

from dovetail.compiler.lower import needed_operations
from dovetail.graph.graph import Graph
from dovetail.graph.layercall import LayerCall
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.state import AssignVariable, Placeholder, PlaceholderWithDefault, ReadVariable, VariableHandle
from dovetail.session.fetches import FetchPlan
from dovetail.views.ordering import Arrangement, arrange

__all__ = ["Box", "Lead", "Link", "outline"]

_MOST_APART: Final = 3


@final
class Link:
    """What leads from one box to another, within the box around both.

    Attributes:
        source, target: places among the children, or, counted on, the entries and exits, of the box around.
        tensors: the tensors, by name, with their types as shown; a control dependency has the type ``""``.
        exits, entries: for each tensor, the exit of the source and the entry of the target that it takes.
    """

    __slots__ = ("entries", "exits", "source", "target", "tensors")

    def __init__(self, source: int, target: int) -> None:
        """Begin with no tensor."""
        self.source = source
        self.target = target
        self.tensors: dict[str, str] = {}
        self.exits: dict[str, str] = {}
        self.entries: dict[str, str] = {}


@final
class Lead:
    """A tensor that leads from box to box.

    Attributes:
        source, target: where it begins and ends.
        tensor, type: its name, and its type as shown.
        exit, entry: names of the exits and entries that it takes on its way.
    """

    __slots__ = ("entry", "exit", "source", "target", "tensor", "type")

    def __init__(self, source: Box, target: Box, tensor: str, type: str) -> None:
        """Begin with exits and entries of its own."""
        self.source = source
        self.target = target
        self.tensor = tensor
        self.type = type
        self.exit = self.entry = tensor


@final
class Box:
    """A node, or a scope or layer with what is in it.

    Attributes:
        name: the full name.
        label: what is written in it.
        detail: a second line, in small.
        kind: ``operation``, ``placeholder``, ``variable``, ``output``, ``layer`` or ``scope``.
        around: the box that it is in.
        children: boxes in it, in the order of their first operations.
        entries, exits: where tensors come in from outside, and go out, by name: that of the tensor, or one for many
            that lead from one box to another.
        links: between children, entries and exits.
    """

    __slots__ = (
        "_arrangement",
        "_links",
        "_places",
        "around",
        "children",
        "detail",
        "entries",
        "exits",
        "kind",
        "label",
        "name",
    )

    def __init__(self, name: str, label: str, kind: str, detail: str = "", around: Box | None = None) -> None:
        """Make a box with nothing in it."""
        self.name = name
        self.label = label
        self.kind = kind
        self.detail = detail
        self.around = around
        self.children: list[Box] = []
        self.entries: dict[str, int] = {}
        self.exits: dict[str, int] = {}
        self._links: dict[tuple[Any, Any], Link] = {}
        self._places: dict[Box, int] = {}
        self._arrangement: Arrangement | None = None

    def add(self, child: Box) -> Box:
        """Put a box into this one."""
        child.around = self
        self._places[child] = len(self.children)
        self.children.append(child)
        return child

    def path(self) -> list[Box]:
        """Return the boxes around it from the outermost, and itself."""
        found: list[Box] = [self]
        while found[-1].around is not None:
            found.append(found[-1].around)
        return found[::-1]

    def join(self, source: Box | None, target: Box | None, lead: Lead) -> None:
        """Lead a tensor from one child to another; ``None`` stands for outside."""
        if source is None:
            self.entries.setdefault(lead.entry, len(self.entries))
        if target is None:
            self.exits.setdefault(lead.exit, len(self.exits))
        ends = (source or ("in", lead.entry), target or ("out", lead.exit))
        link = self._links.setdefault(ends, Link(0, 0))
        link.tensors.setdefault(lead.tensor, lead.type)
        link.exits.setdefault(lead.tensor, lead.exit)
        link.entries.setdefault(lead.tensor, lead.entry)

    @property
    def links(self) -> list[Link]:
        """What leads from child to child."""
        count = len(self.children)

        def place(end: Any) -> int:
            if isinstance(end, Box):
                return self._places[end]
            side, name = end
            return count + (self.entries[name] if side == "in" else len(self.entries) + self.exits[name])

        for (start, end), link in self._links.items():
            link.source, link.target = place(start), place(end)
        return list(self._links.values())

    def arrangement(self) -> Arrangement:
        """Put children, entries and exits into rows; entries and exits in the order of what they lead from and to."""
        if self._arrangement is None:
            if self.around is not None:
                before, after = self.around.neighbours(self)
                self.entries = {name: i for i, name in enumerate(sorted(self.entries, key=before.__getitem__))}
                self.exits = {name: i for i, name in enumerate(sorted(self.exits, key=after.__getitem__))}
            count = len(self.children) + len(self.entries) + len(self.exits)
            edges = [(link.source, link.target) for link in self.links]
            self._arrangement = arrange(count, edges, len(self.entries), len(self.exits))
        return self._arrangement

    def neighbours(self, child: Box) -> tuple[dict[str, float], dict[str, float]]:
        """Return how far to the right what leads to each entry of a child stands, and what each exit leads to."""
        found = self.arrangement()
        places = {vertex: at for row in found.rows for at, vertex in enumerate(row)}
        own = self._places[child]
        before: dict[str, list[int]] = {}
        after: dict[str, list[int]] = {}
        for link, chain, back in zip(self.links, found.chains, found.reversed, strict=True):
            if link.source == own:
                for name in set(link.exits.values()):
                    after.setdefault(name, []).append(places[chain[-2 if back else 1]])
            if link.target == own:
                for name in set(link.entries.values()):
                    before.setdefault(name, []).append(places[chain[1 if back else -2]])
        return _means(before), _means(after)

    def layers_within(self) -> bool:
        """Whether a layer is in it."""
        return any(child.kind == "layer" or child.layers_within() for child in self.children)

    def second_line(self) -> str:
        """Return what is written under the label while it is closed."""
        if self.detail or self.kind != "scope":
            return self.detail
        count = self.size()
        return f"{count} node{'s' if count > 1 else ''}"

    def size(self) -> int:
        """How many nodes are in it."""
        return sum(child.size() if child.children else 1 for child in self.children)


def _means(places: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(found) / len(found) for name, found in places.items()}


def outline(graph: Graph, fetches: Any) -> Box:
    """Return the box around all that fetches need, but for constants and what is made of them alone."""
    plan = FetchPlan(graph, fetches)
    return _Outline(graph, plan.tensors, plan.targets).root


@final
class _Outline:
    """The boxes of operations, while they are made."""

    def __init__(self, graph: Graph, tensors: Sequence[Tensor], targets: Iterable[Operation]) -> None:
        needed = needed_operations(tensors, targets, {})
        self.root = Box("", "", "scope")
        self._groups: dict[str, Box] = {"": self.root}
        self._boxes: dict[str, Box] = {}
        self._leads: list[Lead] = []
        self._calls = {call.name: call for call in graph.layer_calls}
        self._weights = _owners(graph.layer_calls)
        self._graph = graph
        self._variables = {op.name for op in needed if isinstance(op.definition, VariableHandle)}
        wanted = {tensor.op for tensor in tensors}
        shown = _shown(needed, wanted)
        boxed = [op for op in needed if op in shown and not isinstance(op.definition, (ReadVariable, VariableHandle))]
        self._scopes = {op.name.rpartition("/")[0] for op in boxed}
        for op in boxed:
            self._box(op)
        for op in boxed:
            self._connect(op, shown)
        for number, tensor in enumerate(dict.fromkeys(tensors)):
            if tensor.op in shown:
                label = tensor.op.layer.name if tensor.op.layer else tensor.op.name
                pill = self.root.add(Box(f"output {number}", label if len(wanted) > 1 else "output", "output"))
                self._lead(self._source(tensor, None), pill, tensor.name, _shown_type(tensor))
        self._join()

    def _box(self, op: Operation) -> Box:
        """Return the box of a node, made where its name and its layer put it."""
        found = self._boxes.get(op.name)
        if found is None:
            scope, _, label = op.name.rpartition("/")
            if op.name in self._scopes:
                scope = op.name  # the node has the name of a scope
            is_fed = isinstance(op.definition, (Placeholder, PlaceholderWithDefault))
            box = Box(op.name, label if is_fed else op.type, "placeholder" if is_fed else "operation")
            found = self._boxes[op.name] = self._group(scope).add(box)
        return found

    def _group(self, name: str) -> Box:
        found = self._groups.get(name)
        if found is None:
            scope, _, label = name.rpartition("/")
            call = self._calls.get(name)
            box = Box(name, label, "scope") if call is None else Box(name, label, "layer", self._described(call))
            found = self._groups[name] = self._group(scope).add(box)
        return found

    def _described(self, call: LayerCall) -> str:
        sizes = [self._graph.get_operation_by_name(name).outputs[0].type.size for name in call.weights]
        count = sum(size for size in sizes if isinstance(size, int))
        kind = call.layer if call.name.rpartition("/")[2].rstrip("_0123456789") != call.layer else ""
        return ", ".join(filter(None, [kind, f"{count:,} weights" if count else ""]))

    def _variable(self, handle: Operation, reader: Operation | None) -> Box:
        """Return the box of a variable: in the reader's layer if that has it, or in the first that has it."""
        owners = self._weights.get(handle.name, ())
        call = reader.layer if reader is not None else None
        while call is not None and call not in owners:
            call = call.parent
        owner = call or (owners[0] if owners else None)
        scope, _, label = handle.name.rpartition("/")
        if owner is not None:
            scope = owner.name
        elif scope in self._variables and reader is not None:
            scope, label = reader.name.rpartition("/")[0], handle.name  # what an optimizer keeps of a variable
        key = f"{scope}//{label}"
        found = self._boxes.get(key)
        if found is None:
            box = Box(handle.name, label, "variable", str(handle.outputs[0].type))
            found = self._boxes[key] = self._group(scope).add(box)
        return found

    def _source(self, tensor: Tensor, reader: Operation | None) -> Box:
        definition = tensor.op.definition
        if isinstance(definition, ReadVariable):
            return self._variable(tensor.op.inputs[0].op, reader)
        if isinstance(definition, VariableHandle):
            return self._variable(tensor.op, reader)
        return self._box(tensor.op)

    def _connect(self, op: Operation, shown: set[Operation]) -> None:
        inputs = op.inputs[1:] if isinstance(op.definition, AssignVariable) else op.inputs
        for tensor in inputs:
            if tensor.op in shown:
                self._lead(self._source(tensor, op), self._box(op), tensor.name, _shown_type(tensor))
        for before in op.control_inputs:
            if before in shown and not isinstance(before.definition, (ReadVariable, VariableHandle)):
                self._lead(self._box(before), self._box(op), f"^{before.name}", "")

    def _lead(self, source: Box, target: Box, tensor: str, type: str) -> None:
        if source is not target:
            self._leads.append(Lead(source, target, tensor, type))

    def _join(self) -> None:
        """Lead tensors from box to box, through the boxes around either that are not around both.

        Where many lead from one of these to another, they take one way out and one way in.
        """
        between: dict[tuple[Box, Box], list[Lead]] = {}
        ways: list[tuple[list[Box], list[Box], int]] = []
        for lead in self._leads:
            start, end = lead.source.path(), lead.target.path()
            common = next(i for i, (one, other) in enumerate(zip(start, end, strict=False)) if one is not other)
            ways.append((start, end, common))
            between.setdefault((start[common], end[common]), []).append(lead)
        for (one, other), leads in between.items():
            if len({lead.tensor for lead in leads}) > _MOST_APART:
                for lead in leads:
                    lead.exit, lead.entry = f"to {other.name}", f"from {one.name}"
        for lead, (start, end, common) in zip(self._leads, ways, strict=True):
            start[common - 1].join(start[common], end[common], lead)
            for around, inner in pairwise(start[common:]):
                around.join(inner, None, lead)
            for around, inner in pairwise(end[common:]):
                around.join(None, inner, lead)


def _owners(calls: Sequence[LayerCall]) -> Mapping[str, list[LayerCall]]:
    """Return for each variable the calls of the innermost layer that has it."""
    owners: dict[str, list[LayerCall]] = {}
    for call in calls:
        for name in call.weights:
            owners.setdefault(name, []).append(call)
    return {
        name: [one for one in found if not any(other.parent is one for other in found)]
        for name, found in owners.items()
    }


def _shown(needed: Sequence[Operation], wanted: set[Operation]) -> set[Operation]:
    """Return what depends on what is fed, kept or random; constants are no part of a drawing."""
    shown: set[Operation] = set()
    for op in needed:
        begins = op.definition.stateful or op.definition.effect
        fed = isinstance(op.definition, (Placeholder, PlaceholderWithDefault, VariableHandle))
        if begins or fed or op in wanted or any(tensor.op in shown for tensor in op.inputs) or op.control_inputs:
            shown.add(op)
    return shown


def _shown_type(tensor: Tensor) -> str:
    """The shape, with the dtype where it is not the usual one."""
    return str(tensor.type).removeprefix("float32")
