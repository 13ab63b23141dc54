"""A whole graph as JSON-able data, and back: nodes, variables, collections, layer calls, seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from dovetail.errors import DovetailError, FormatError, GraphError, NotFoundError, StorageError
from dovetail.graph.graph import Graph, get_default_graph
from dovetail.graph.layercall import LayerCall
from dovetail.graph.nodes import DAMAGE, decode_nodes, encode_nodes, foreign_domains
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.state import VariableHandle
from dovetail.ops.variables import Variable
from dovetail.plugins import GROUPS, manager
from dovetail.types.attributes import ArraySource, ArrayStore
from dovetail.types.dims import Symbol
from dovetail.types.shapes import parse_type
from dovetail.version import __version__

__all__ = ["FORMAT", "VERSION", "graph_from_data", "graph_hash", "graph_to_data"]

FORMAT: Final = "dovetail-graph"
VERSION: Final = 1


def graph_to_data(graph: Graph, store: ArrayStore | None = None) -> dict[str, Any]:
    """Return a graph as JSON-able data.

    Args:
        graph: the graph.
        store: is offered large arrays, to keep them beside the data.

    Items of collections that are neither of the graph nor plain data (functions, objects) are left out and listed under
    ``"left_out"``.
    """
    variables = _variables_of(graph)
    layers = {call: index for index, call in enumerate(graph.layer_calls)}
    nodes = encode_nodes(graph, store)
    for node, op in zip(nodes, graph.get_operations(), strict=True):
        if op.layer is not None and op.layer in layers:
            node["layer"] = layers[op.layer]
    collections: dict[str, list[Any]] = {}
    left_out: list[str] = []
    for key in graph.get_all_collection_keys():
        items = [_encode_item(item) for item in graph.get_collection(key)]
        if not isinstance(key, str) or any(item is None for item in items):
            left_out.append(str(key))
        if isinstance(key, str):
            collections[key] = [item for item in items if item is not None]
    domains = sorted({domain for op in graph.get_operations() for domain in foreign_domains(op.definition)})
    return {
        "format": FORMAT,
        "version": VERSION,
        "dovetail": __version__,
        "packages": domains,
        "seed": graph.seed,
        "nodes": nodes,
        "variables": [_encode_variable(variable) for variable in variables],
        "collections": collections,
        "left_out": left_out,
        "layers": [_encode_layer(call, layers) for call in graph.layer_calls],
        "reuse": {name: variable.op.name for name, variable in graph.state.get("variable_store", {}).items()},
    }


def graph_hash(data: Mapping[str, Any]) -> str:
    """Return a hash of what the graph computes: definitions, attributes, wiring and identities; lines do not count."""
    nodes = [
        {key: value for key, value in node.items() if key not in ("line", "types", "layer")} for node in data["nodes"]
    ]
    text = json.dumps({"seed": data["seed"], "nodes": nodes}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _variables_of(graph: Graph) -> list[Variable]:
    found: dict[Variable, None] = {}
    for key in graph.get_all_collection_keys():
        found.update((item, None) for item in graph.get_collection(key) if isinstance(item, Variable))
    found.update((variable, None) for variable in graph.state.get("variable_store", {}).values())
    return sorted(found, key=lambda variable: variable.op.index)


def _encode_variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.op.name,
        "initializer": variable.initializer.name,
        "initial_value": variable.initial_value.name,
        "trainable": variable.trainable,
        "save_name": variable.save_name,
    }


def _encode_item(item: Any) -> Any:
    if isinstance(item, Variable):
        return {"variable": item.op.name}
    if isinstance(item, Tensor):
        return {"tensor": item.name}
    if isinstance(item, Operation):
        return {"operation": item.name}
    if item is None or isinstance(item, (bool, int, float, str)):
        return {"value": item}
    return None


def _encode_layer(call: LayerCall, layers: Mapping[LayerCall, int]) -> dict[str, Any]:
    return {
        "name": call.name,
        "layer": call.layer,
        "distribution": call.distribution,
        "class": call.qualified_class,
        "config": call.config,
        "inputs": [tensor.name for tensor in call.inputs],
        "outputs": [tensor.name for tensor in call.outputs],
        "weights": list(call.weights),
        "updates": [op.name for op in call.updates],
        "parent": layers.get(call.parent) if call.parent is not None else None,
        "training": call.training,
    }


def graph_from_data(
    data: object,
    graph: Graph | None = None,
    *,
    import_scope: str = "",
    arrays: ArraySource | None = None,
) -> dict[str, Operation]:
    """Make what data describe in ``graph``, the default one unless given.

    Args:
        data: what ``graph_to_data`` gave.
        graph: where to make it.
        import_scope: a scope to put before every name.
        arrays: gives large constants.

    Returns:
        The operations by the names they have in the data.

    Raises:
        FormatError: the data are of another format or version, or damaged; the graph is as it was.
        GraphError: a name is taken in the graph.
        NotFoundError: an operation's package is not installed and it has no decomposition.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise FormatError("this is no graph of Dovetail's: its format is not 'dovetail-graph'.")
    if data.get("version") != VERSION:
        raise FormatError(
            f"the graph has format version {data.get('version')!r}; this dovetail-core reads {VERSION}. Update "
            f"dovetail-core."
        )
    graph = get_default_graph() if graph is None else graph
    prefix = f"{graph.unique_name(import_scope)}/" if import_scope else ""
    _check_names(data, graph, prefix)
    trial = Graph()
    with trial.as_default():
        try:
            _make(data, trial, "", arrays)
        except DovetailError as error:
            if isinstance(error, (FormatError, NotFoundError, StorageError)):
                raise
            raise FormatError(f"the graph is damaged: {error} Save it anew.") from error
    with graph.as_default():
        return _make(data, graph, prefix, arrays)


def _check_names(data: Mapping[str, Any], graph: Graph, prefix: str) -> None:
    try:
        names = [prefix + node["name"] for node in data["nodes"]]
    except (KeyError, TypeError) as error:
        raise FormatError(f"the graph is damaged: {error!r} in its nodes.") from error
    taken = {op.name for op in graph.get_operations()}
    clash = next((name for name in names if name in taken), None)
    if clash is not None:
        raise GraphError(
            f"the graph already has an operation {clash!r}; import into a new dt.Graph(), call "
            f"dt.reset_default_graph() first, or give an import_scope."
        )


def _make(data: Mapping[str, Any], graph: Graph, prefix: str, arrays: ArraySource | None) -> dict[str, Operation]:
    try:
        taken: set[str] = graph.state.setdefault("symbols", set())
        symbols = _fresh_symbols(data, graph) if taken else {}
        with graph.name_scope(None), graph.control_dependencies(None):
            made = decode_nodes(data["nodes"], graph, prefix=prefix, arrays=arrays, symbols=symbols, find=_load_package)
        for node in data["nodes"]:
            for tensor in made[node["name"]].outputs:
                taken.update(symbol.name for symbol in tensor.shape.symbols)
        if graph.seed is None and not graph.layer_calls and len(made) == graph.version:
            graph.seed = data["seed"]
        variables = {one["name"]: _decode_variable(one, made, prefix) for one in data["variables"]}
        for key, items in data["collections"].items():
            for item in items:
                graph.add_to_collection(key, _decode_item(item, made, variables))
        _decode_layers(data["layers"], data["nodes"], graph, made, prefix)
        store = graph.state.setdefault("variable_store", {})
        for name, op_name in data["reuse"].items():
            store.setdefault(prefix + name, variables[op_name])
        return made
    except DovetailError:
        raise
    except DAMAGE as error:
        raise FormatError(f"the graph is damaged: {error!r}. Save it anew.") from error


def _fresh_symbols(data: Mapping[str, Any], graph: Graph) -> dict[Symbol, Symbol]:
    taken: set[str] = graph.state["symbols"]
    found = {s for node in data["nodes"] for text in node.get("types", ()) for s in _symbols_of(parse_type(text))}
    return {
        symbol: graph.new_symbol(symbol.name, data_dependent=symbol.data_dependent)
        for symbol in sorted(found, key=str)
        if symbol.name in taken
    }


def _symbols_of(type: Any) -> frozenset[Symbol]:
    return type.shape.symbols if type.rank is not None else frozenset()


def _load_package(domain: str) -> None:
    """Load the plugins of a package, so that the operations it defines are known; what fails is left out."""
    for group in GROUPS:
        try:
            manager.load_package(group, domain)
        except DovetailError:
            continue


def _decode_variable(data: Mapping[str, Any], made: Mapping[str, Operation], prefix: str) -> Variable:
    handle = made[data["name"]]
    if not isinstance(handle.definition, VariableHandle):
        raise FormatError(f"{data['name']!r} is listed as a variable and is {handle.type}; the graph is damaged.")
    initial, _, index = data["initial_value"].rpartition(":")
    return Variable.from_nodes(
        handle.outputs[0],
        made[data["initializer"]].outputs[0],
        made[initial].outputs[int(index)],
        bool(data["trainable"]),
        prefix + data["save_name"],
    )


def _decode_item(item: Mapping[str, Any], made: Mapping[str, Operation], variables: Mapping[str, Variable]) -> Any:
    if "variable" in item:
        return variables[item["variable"]]
    if "tensor" in item:
        name, _, index = item["tensor"].rpartition(":")
        return made[name].outputs[int(index)]
    if "operation" in item:
        return made[item["operation"]]
    return item["value"]


def _decode_layers(layers: Any, nodes: Any, graph: Graph, made: Mapping[str, Operation], prefix: str) -> None:
    def tensor(name: str) -> Tensor:
        op, _, index = name.rpartition(":")
        return made[op].outputs[int(index)]

    calls: list[LayerCall] = []
    for one in layers:
        training = one["training"]
        call = LayerCall(
            prefix + one["name"],
            one["layer"],
            one["distribution"],
            one["class"],
            one["config"],
            tuple(tensor(name) for name in one["inputs"] if name.rpartition(":")[0] in made),
            calls[one["parent"]] if one["parent"] is not None else None,
            prefix + training if isinstance(training, str) else training,
        )
        call.outputs = tuple(tensor(name) for name in one["outputs"] if name.rpartition(":")[0] in made)
        call.weights = tuple(prefix + name for name in one["weights"])
        call.updates = tuple(made[name] for name in one["updates"] if name in made)
        calls.append(call)
    graph.layer_calls.extend(calls)
    for node in nodes:
        if "layer" in node:
            made[node["name"]].layer = calls[node["layer"]]
