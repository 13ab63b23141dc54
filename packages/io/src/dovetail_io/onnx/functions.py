"""Functions of a model, made of layers; equal bodies are one function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from dovetail.extend import Array, LayerCall
from dovetail_io.onnx.builder import Builder
from dovetail_io.onnx.model import Function, Graph, Node, Value

__all__ = ["FunctionTable", "domain_of", "parameter_name"]


def domain_of(call: LayerCall) -> str:
    """Return the domain of a layer's function: ``dovetail.`` and its distribution, or ``local`` where there is none."""
    return f"dovetail.{call.distribution or 'local'}"


def parameter_name(value: Value, call: LayerCall) -> str:
    """Return what a function calls one of its inputs: a weight by its name within the layer."""
    if value.array is None:
        return ""
    return value.name.removeprefix(f"{call.name}/").rpartition("/")[2]


@final
class FunctionTable:
    """The functions made so far, by domain, name and body."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[str, str], dict[Any, Function]] = {}

    def call(self, call: LayerCall, graph: Graph, arguments: Sequence[Value], builder: Builder) -> tuple[Value, ...]:
        """Add a node that calls the function of this body; returns its outputs."""
        arguments = list(arguments)
        _hoist_transpositions(graph, arguments, builder)
        function = self._function(call, graph)
        node = Node(
            function.name,
            arguments,
            [Value() for _ in graph.outputs],
            domain=function.domain,
            function=function,
            name=call.name,
            source=_line(call),
            layer=call.qualified_class,
        )
        builder.graph.nodes.append(node)
        return node.outputs

    def _function(self, call: LayerCall, graph: Graph) -> Function:
        domain = domain_of(call)
        name = call.qualified_class.rpartition(":")[2].replace(".", "_")
        bodies = self._known.setdefault((domain, name), {})
        key = _structure(graph)
        function = bodies.get(key)
        if function is None:
            number = f"_{len(bodies) + 1}" if bodies else ""
            comment = f"{call.layer} of {call.distribution or 'this program'}"
            function = bodies[key] = Function(domain, name + number, graph, comment)
        return function


def _line(call: LayerCall) -> str:
    return str(call.outputs[0].op.source) if call.outputs else ""


def _hoist_transpositions(graph: Graph, arguments: list[Value], builder: Builder) -> None:
    """Transpose weights where the function is called, once and for all, rather than whenever it runs."""
    for index, parameter in enumerate(graph.inputs):
        array = arguments[index].array
        users = [node for node in graph.nodes if parameter in node.inputs]
        if (
            array is None
            or not users
            or any(node.op_type != "Transpose" for node in users)
            or parameter in graph.outputs
        ):
            continue
        perms = {tuple(node.attributes["perm"]) for node in users}
        if len(perms) > 1:
            continue
        arguments[index] = builder.transpose(arguments[index], perms.pop())
        parameter.type = arguments[index].type
        replaced = {node.outputs[0]: parameter for node in users}
        graph.nodes = [
            node.changed([replaced.get(v, v) if v is not None else None for v in node.inputs], node.outputs)
            for node in graph.nodes
            if node not in users
        ]


def _structure(graph: Graph, outer: dict[Value, int] | None = None) -> tuple[Any, ...]:
    """Return what two graphs that do the same have in common: everything but names and lines."""
    numbers = dict(outer or {})

    def number(value: Value | None) -> Any:
        if value is None:
            return None
        if value.array is not None:
            return _contents(value.array)
        return numbers.setdefault(value, len(numbers))

    def attribute(value: Any) -> Any:
        if isinstance(value, Graph):
            return _structure(value, numbers)
        if isinstance(value, list):
            return tuple(value)
        return value

    inputs = tuple(number(value) for value in graph.inputs)
    nodes = tuple(
        (
            node.domain,
            node.op_type,
            tuple(number(value) for value in node.inputs),
            tuple(number(value) for value in node.outputs),
            tuple(sorted((name, attribute(value)) for name, value in node.attributes.items())),
        )
        for node in graph.nodes
    )
    return inputs, nodes, tuple(number(value) for value in graph.outputs)


def _contents(array: Array) -> tuple[Any, ...]:
    content = tuple(array.reshape(-1).tolist()) if array.dtype == object else array.tobytes()
    return str(array.dtype), array.shape, content
