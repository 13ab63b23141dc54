"""Nodes as JSON-able data, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dovetail.errors import DovetailError, FormatError, NotFoundError
from dovetail.graph.graph import Graph, stable_id_of
from dovetail.graph.op import Op
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import find_definition
from dovetail.graph.source import Source
from dovetail.graph.subgraph import BodyGraph, Subgraph
from dovetail.types.attributes import ArraySource, ArrayStore, decode, encode, register_kind
from dovetail.types.dims import Symbol
from dovetail.types.shapes import parse_type

__all__ = [
    "DAMAGE",
    "decode_nodes",
    "decode_op",
    "encode_nodes",
    "encode_op",
    "foreign_domains",
    "substitute_decompositions",
]

DAMAGE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading data of another form than expected comes to."""
Decomposer = Callable[[Operation], Subgraph]
Caller = Callable[[Subgraph, str], Op]
_DECOMPOSE: list[tuple[Decomposer, Caller]] = []


def substitute_decompositions(decomposer: Decomposer, caller: Caller) -> None:
    """Say how a plugin's operation is decomposed when it is saved, and what stands for it without the plugin."""
    _DECOMPOSE[:] = [(decomposer, caller)]


def foreign_domains(op: Op) -> set[str]:
    """Return the packages, other than core, that define ``op`` and the operations among its attributes."""
    found = {op.domain} if op.domain else set()
    for value in op.attributes().values():
        if isinstance(value, Op):
            found |= foreign_domains(value)
    return found


def encode_op(op: Op, store: ArrayStore | None = None) -> dict[str, Any]:
    """Return a definition as data; attributes that have their default are left out."""
    data: dict[str, Any] = {"op": op.name}
    if op.domain:
        data["domain"] = op.domain
    if op.version != 1:
        data["version"] = op.version
    attributes = {
        field.name: encode(value, store)
        for field, value in zip(op.fields, op.attributes().values(), strict=True)
        if field.required or type(value) is not type(field.default) or value != field.default
    }
    if attributes:
        data["attributes"] = attributes
    return data


def decode_op(data: Mapping[str, Any], source: ArraySource | None = None) -> Op:
    """Return the definition that data describe.

    Raises:
        NotFoundError: it is not defined here.
        FormatError: an attribute is damaged.
    """
    definition = find_definition(data.get("domain", ""), data["op"], data.get("version", 1))
    return definition(**{name: decode(value, source) for name, value in data.get("attributes", {}).items()})


def encode_nodes(graph: Graph, store: ArrayStore | None = None) -> list[dict[str, Any]]:
    """Return the nodes of a graph as data, in the order of creation."""
    return [_encode_node(op, store) for op in graph.get_operations()]


def _encode_node(op: Operation, store: ArrayStore | None) -> dict[str, Any]:
    data: dict[str, Any] = {"name": op.name, **encode_op(op.definition, store)}
    if op.inputs:
        data["inputs"] = [tensor.name for tensor in op.inputs]
    if op.control_inputs:
        data["control"] = [one.name for one in op.control_inputs]
    if op.device:
        data["device"] = op.device
    if op.stable_id != stable_id_of(op.name):
        data["id"] = f"{op.stable_id:016x}"
    if op.outputs:
        data["types"] = [str(tensor.type) for tensor in op.outputs]
    data["line"] = str(op.source)
    if foreign_domains(op.definition) and _DECOMPOSE and op.definition.kind != "primitive":
        data["decomposition"] = _encode_subgraph(_DECOMPOSE[0][0](op), store)
    return data


def decode_nodes(
    nodes: Sequence[Any],
    graph: Graph,
    *,
    prefix: str = "",
    tensors: dict[str, Tensor] | None = None,
    arrays: ArraySource | None = None,
    symbols: Mapping[Symbol, Symbol] | None = None,
    find: Callable[[str], None] | None = None,
) -> dict[str, Operation]:
    """Make nodes in ``graph`` from data.

    Args:
        nodes: data of nodes, each after those that it takes; from a file they may be anything.
        graph: where to make them.
        prefix: put before every name.
        tensors: tensors that stand for names instead of nodes; nodes whose outputs are all given are not made.
        arrays: gives large constants.
        symbols: symbols to rename.
        find: is given a package's name, to load it, before its operations are given up.

    Returns:
        The operations by the names they have in the data.

    Raises:
        FormatError: a node is damaged, or takes what no node before it makes.
        NotFoundError: an operation's package is not installed and the data hold no decomposition.
    """
    known: dict[str, Tensor] = dict(tensors or {})
    made: dict[str, Operation] = {}
    for position, data in enumerate(nodes):
        name = data.get("name", f"#{position}") if isinstance(data, Mapping) else f"#{position}"
        try:
            if f"{name}:0" in (tensors or {}):
                continue
            op = _definition(data, arrays, find)
            if symbols:
                op = op.substitute(symbols)
            full = f"{prefix}{name}"
            graph.reserve_name(full)
            node = graph.create(
                op,
                [known[one] for one in data.get("inputs", ())],
                name=full + "/",
                control_inputs=[made[one] for one in data.get("control", ())],
                stable_id=int(data["id"], 16) if "id" in data else stable_id_of(name),
                source=_decode_source(data.get("line", "")),
            )
            node.device = data.get("device", "")
        except NotFoundError:
            raise
        except KeyError as error:
            raise FormatError(
                f"node {name!r} names {error}, which no node before it makes; the graph is damaged."
            ) from error
        except (DovetailError, *DAMAGE) as error:
            raise FormatError(f"node {name!r} cannot be read: {error}") from error
        made[name] = node
        for tensor, text in zip(node.outputs, data.get("types", ()), strict=False):
            known[f"{name}:{tensor.value_index}"] = tensor
            kind = parse_type(text)
            if tensor.shape.rank is None and kind.rank is not None:
                tensor.set_shape(kind.shape.substitute(symbols) if symbols else kind.shape)
    return made


def _definition(data: Mapping[str, Any], arrays: ArraySource | None, find: Callable[[str], None] | None) -> Op:
    try:
        return decode_op(data, arrays)
    except NotFoundError:
        for domain in sorted(_domains(data)):
            if find is not None:
                find(domain)
        try:
            return decode_op(data, arrays)
        except NotFoundError:
            if "decomposition" not in data or not _DECOMPOSE:
                raise
            return _DECOMPOSE[0][1](_decode_subgraph(data["decomposition"], arrays, find), data["op"])


def _domains(data: Any) -> set[str]:
    found = {data["domain"]} if isinstance(data.get("domain"), str) and data["domain"] else set()
    for value in data.get("attributes", {}).values():
        if isinstance(value, Mapping) and isinstance(value.get("operation"), Mapping):
            found |= _domains(value["operation"])
    return found


def _decode_source(text: str) -> Source:
    file, _, line = text.rpartition(":")
    return Source(file or "<file>", int(line) if line.isdigit() else 0)


def _encode_subgraph(body: Subgraph, store: ArrayStore | None) -> dict[str, Any]:
    return {
        "inputs": [tensor.name for tensor in body.inputs],
        "outputs": [tensor.name for tensor in body.outputs],
        "nodes": encode_nodes(body.graph, store),
    }


def _decode_subgraph(
    data: Mapping[str, Any], arrays: ArraySource | None, find: Callable[[str], None] | None = None
) -> Subgraph:
    graph = BodyGraph(None)
    made = decode_nodes(data["nodes"], graph, arrays=arrays, find=find)

    def tensor(name: str) -> Tensor:
        op, _, index = name.rpartition(":")
        return made[op].outputs[int(index)]

    return Subgraph(graph, [tensor(one) for one in data["inputs"]], [tensor(one) for one in data["outputs"]], ())


def _decode_attribute_subgraph(data: Any, arrays: ArraySource | None) -> Subgraph:
    try:
        return _decode_subgraph(data, arrays)
    except DAMAGE as error:
        if isinstance(error, DovetailError):
            raise
        raise FormatError(f"the body of a control-flow node is damaged: {error!r}") from error


register_kind("operation", Op, encode_op, decode_op)
register_kind("subgraph", Subgraph, _encode_subgraph, _decode_attribute_subgraph)
