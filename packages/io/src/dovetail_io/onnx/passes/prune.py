"""Prune: nodes whose outputs nobody takes are dropped, and ``Identity`` between nodes."""

from __future__ import annotations

from dovetail_io.onnx.model import Graph, Value

__all__ = ["prune", "substitute"]


def prune(graph: Graph) -> None:
    """Drop what nobody takes, and what only passes on a value that a node of this graph makes."""
    made = {value for node in graph.nodes for value in node.outputs}
    replaced: dict[Value, Value] = {}
    kept = []
    for node in graph.nodes:
        given = node.inputs[0] if node.op_type == "Identity" and not node.domain else None
        if given is not None:
            source = replaced.get(given, given)
            is_output = node.outputs[0] in graph.outputs
            if not is_output or (source in made and source not in graph.outputs):
                replaced[node.outputs[0]] = source
                if is_output:
                    graph.outputs = [source if value is node.outputs[0] else value for value in graph.outputs]
                continue
        kept.append(node)
    graph.nodes = kept
    substitute(graph, replaced)
    needed = set(graph.outputs)
    alive = []
    for node in reversed(graph.nodes):
        if any(value in needed for value in node.outputs):
            alive.append(node)
            needed.update(value for value in node.inputs if value is not None)
            for inner in node.graphs():
                needed.update(inner.uses())
    graph.nodes = alive[::-1]


def substitute(graph: Graph, replaced: dict[Value, Value]) -> None:
    """Take other values in place of some, in graphs within nodes too."""
    if not replaced:
        return

    def current(value: Value) -> Value:
        while value in replaced:
            value = replaced[value]
        return value

    for index, node in enumerate(graph.nodes):
        if any(value in replaced for value in node.inputs if value is not None):
            inputs = [None if value is None else current(value) for value in node.inputs]
            graph.nodes[index] = node.changed(inputs, node.outputs)
        for inner in node.graphs():
            substitute(inner, replaced)
    graph.outputs = [current(value) for value in graph.outputs]
