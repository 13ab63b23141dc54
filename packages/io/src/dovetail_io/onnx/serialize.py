"""From nodes to the protocol buffers of a model: unique names, constants as initializers, lines as documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import ExportError
from dovetail.extend import Array, DType
from dovetail_io.onnx.model import ELEMENT_TYPES, Function, Graph, Node, Value
from dovetail_io.onnx.options import Options
from dovetail_io.onnx.packages import load_onnx

__all__ = ["model_proto", "tensor_proto"]

_NODE_METADATA: Final = 10
"""The IR version from which on nodes have metadata."""


def model_proto(
    graph: Graph,
    inputs: Mapping[Value, str],
    outputs: Iterable[str],
    options: Options,
    metadata: Mapping[str, str],
) -> Any:
    """Return the model as a ``ModelProto``.

    Args:
        graph: the graph.
        inputs: names of its inputs.
        outputs: names of its outputs, in order.
        options: versions, and the name of the graph.
        metadata: what the model says of itself.
    """
    onnx = load_onnx()
    opset, provenance = options.opset, options.file_version >= _NODE_METADATA
    names = _Names()
    for value, text in inputs.items():
        names.take(value, text)
    for value, text in zip(graph.outputs, outputs, strict=True):
        names.take(value, text)
    for value in graph.constants():
        names.of(value)
    proto = onnx.helper.make_graph(
        _nodes(graph.nodes, names, provenance),
        options.name,
        [_value_info(value, names) for value in graph.inputs],
        [_value_info(value, names) for value in graph.outputs],
        [tensor_proto(value.array, names.of(value)) for value in graph.constants() if value.array is not None],
    )
    functions = list(_functions(graph, {}))
    opsets = [onnx.helper.make_opsetid("", opset)]
    domains = {node.domain: 1 for node in _all_nodes(graph) if node.domain}
    opsets += [onnx.helper.make_opsetid(domain, version) for domain, version in sorted(domains.items())]
    model = onnx.helper.make_model(
        proto,
        opset_imports=opsets,
        functions=[_function_proto(function, opset) for function in functions],
        ir_version=options.file_version,
        producer_name="dovetail",
        producer_version=dt.__version__,
    )
    onnx.helper.set_model_props(model, dict(metadata))
    return model


@final
class _Names:
    """Unique names of values and nodes; the first that wants a name gets it."""

    def __init__(self, outer: _Names | None = None) -> None:
        self._values: dict[Value, str] = dict(outer._values) if outer is not None else {}
        self._used: set[str] = outer._used if outer is not None else set()
        self._nodes: set[str] = outer._nodes if outer is not None else set()

    def take(self, value: Value, name: str) -> None:
        """Give a value a name that it must have."""
        if name in self._used:
            raise ExportError(
                f"the model would have two values of the name {name!r}; give inputs and outputs names of their own."
            )
        self._used.add(name)
        self._values[value] = name

    def of(self, value: Value, default: str = "value") -> str:
        """Return the name of a value."""
        found = self._values.get(value)
        if found is None:
            found = self._values[value] = _unique(value.name or default, self._used)
        return found

    def node(self, node: Node) -> str:
        """Return a name for a node."""
        return _unique(node.name or node.op_type, self._nodes)


def _unique(name: str, used: set[str]) -> str:
    unique, count = name, 1
    while unique in used:
        count += 1
        unique = f"{name}_{count}"
    used.add(unique)
    return unique


def _value_info(value: Value, names: _Names) -> Any:
    assert value.type is not None
    shape = [dim if isinstance(dim, int) else str(dim).removesuffix("?") for dim in value.type.dims]
    return load_onnx().helper.make_tensor_value_info(names.of(value), ELEMENT_TYPES[value.dtype.name], shape)


def _nodes(nodes: Iterable[Node], names: _Names, provenance: bool = False) -> list[Any]:
    """Return the nodes; ``provenance`` has their metadata tell scope, layer and line."""
    helper = load_onnx().helper
    result = []
    for node in nodes:
        attributes = {key: _attribute(value, names, provenance) for key, value in node.attributes.items()}
        inputs = ["" if value is None else names.of(value) for value in node.inputs]
        while inputs and not inputs[-1]:
            del inputs[-1]
        proto = helper.make_node(
            node.op_type,
            inputs,
            [names.of(value, node.name or node.op_type) for value in node.outputs],
            name=names.node(node),
            domain=node.domain,
            doc_string=node.source,
            **attributes,
        )
        if provenance:
            told = {"scope": node.name.rpartition("/")[0], "layer": node.layer, "source": node.source}
            helper.set_model_props(proto, {f"dovetail.{key}": text for key, text in told.items() if text})
        result.append(proto)
    return result


def _attribute(value: Any, names: _Names, provenance: bool) -> Any:
    if isinstance(value, DType):
        return ELEMENT_TYPES[value.name]
    if isinstance(value, np.ndarray):
        return tensor_proto(value, "")
    if isinstance(value, Graph):
        return _body(value, names, provenance)
    return value


def _body(graph: Graph, outer: _Names, provenance: bool) -> Any:
    names = _Names(outer)
    nodes = _nodes(graph.nodes, names, provenance)
    return load_onnx().helper.make_graph(
        nodes,
        "body",
        [_value_info(value, names) for value in graph.inputs],
        [_value_info(value, names) for value in graph.outputs],
    )


def _all_nodes(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes:
        yield node
        for inner in node.graphs():
            yield from _all_nodes(inner)


def _functions(graph: Graph, seen: dict[Function, None]) -> Iterator[Function]:
    for node in _all_nodes(graph):
        if node.function is not None and node.function not in seen:
            seen[node.function] = None
            yield from _functions(node.function.graph, seen)
            yield node.function


def _function_proto(function: Function, opset: int) -> Any:
    """A function has no initializers: its constants are nodes."""
    onnx = load_onnx()
    names = _Names()
    graph = function.graph
    for index, value in enumerate(graph.inputs):
        names.of(value, f"x{index}")
    constants = [
        onnx.helper.make_node(
            "Constant", [], [names.of(value)], value=tensor_proto(value.array, ""), name=names.of(value)
        )
        for value in graph.constants()
        if value.array is not None
    ]
    plain = [node.changed(node.inputs, node.outputs) for node in graph.nodes]
    for node in plain:
        node.source = ""  # the line of each call stands with the call
    return onnx.helper.make_function(
        function.domain,
        function.name,
        [names.of(value) for value in graph.inputs],
        [names.of(value) for value in graph.outputs],
        [*constants, *_nodes(plain, names)],
        [onnx.helper.make_opsetid("", opset)],
        doc_string=function.comment,
    )


def tensor_proto(array: Array, name: str) -> Any:
    """Return an array as a ``TensorProto``."""
    helper = load_onnx().helper
    dtype = dt.as_dtype(array.dtype)
    code = ELEMENT_TYPES[dtype.name]
    if dtype.is_string:
        return helper.make_tensor(name, code, array.shape, [bytes(one) for one in array.reshape(-1).tolist()])
    content = np.ascontiguousarray(array, dtype.numpy.newbyteorder("<") if dtype.numpy.isbuiltin else None).tobytes()
    return helper.make_tensor(name, code, array.shape, content, raw=True)
