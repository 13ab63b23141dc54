"""Graphs as TensorBoard draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

pytest.importorskip("tensorboard", reason="TensorBoard's messages are needed")


def written(folder: Path) -> dict[str, Any]:
    """Return the nodes of the default graph by name, as TensorBoard's reader finds them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with dt.summary.FileWriter(folder, dt.get_default_graph()):
        pass
    return {node.name: node for node in EventAccumulator(str(folder)).Reload().Graph().node}


def shapes(node: Any) -> list[Any]:
    return [
        None if shape.unknown_rank else [dim.size for dim in shape.dim]
        for shape in node.attr["_output_shapes"].list.shape
    ]


def test_scopes_inputs_shapes_devices_and_lines(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    with dt.name_scope("net"), dt.device("/cpu:1"):
        low, high = dt.split(dt.matmul(x, dt.ones([3, 4]), name="product"), 2, axis=1, name="parts")
        with dt.control_dependencies([low]):
            total = dt.add(low, high, name="total")
    dt.placeholder(dt.string, None, name="words")
    nodes = written(tmp_path)
    assert total.name == "net/total:0"
    assert nodes["x"].op == "Placeholder"
    assert shapes(nodes["x"]) == [[-1, 3]]
    assert shapes(nodes["words"]) == [None]
    assert shapes(nodes["net/parts"]) == [[-1, 2], [-1, 2]]
    assert list(nodes["net/total"].input) == ["net/parts", "net/parts:1"], "what is an input is no dependency besides"
    assert nodes["net/total"].device == "/device:CPU:1"
    assert nodes["x"].device == "/device:CPU:0", "where a session runs what has no wish"
    assert nodes["net/total"].attr["dtype"].type == 1
    assert b"test_graph_def.py" in nodes["net/total"].attr["source"].s


def test_control_dependencies_lead_to_a_node(tmp_path: Path) -> None:
    v = dt.get_variable("v", [2])
    with dt.control_dependencies([v.assign_add([1.0, 1.0])]):
        dt.constant(1.0, name="after")
    nodes = written(tmp_path)
    (before,) = nodes["after"].input
    assert before.startswith("^")
    assert before[1:] in nodes
    assert nodes["after"].op == "Const"


def test_bodies_stand_in_scopes(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [4], name="x")
    scale = dt.constant(2.0, name="scale")
    dt.cond(dt.reduce_sum(x) > 0.0, lambda: dt.tanh(x, name="squash"), lambda: x * scale, name="choice")
    dt.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, dt.exp(y, name="grow")), [0, x], name="loop")
    nodes = written(tmp_path)
    inside = {name for name in nodes if name.count("/") >= 2}
    assert any(name.startswith("choice") and name.endswith("squash") for name in inside)
    assert any(name.startswith("loop") and name.endswith("grow") for name in inside)
    for node in nodes.values():
        for one in node.input:
            assert one.removeprefix("^").partition(":")[0] in nodes, f"{node.name} takes {one}"
    entries = [node for name, node in nodes.items() if node.op == "BodyInput" and name.startswith("choice")]
    assert {one for node in entries for one in node.input} >= {"x"}
    (choice,) = [node for node in nodes.values() if node.op == "Cond"]
    assert sum(one.startswith("^") for one in choice.input) == 2, "it waits for the result of each branch"


def test_every_kind_of_attribute_is_written(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["batch", 6, 6, 1], name="x")
    y = dt.layers.conv2d(x, 2, 3, activation="relu", name="conv")
    y = dt.layers.dropout(dt.layers.flatten(y), 0.5, training=True)
    with dt.variable_scope("rnn"):
        outputs, _ = dt.nn.dynamic_rnn(
            dt.nn.rnn_cell.BasicLSTMCell(3), dt.reshape(y, [-1, 4, 8]), dtype=dt.float32, sequence_length=[1, 2, 3]
        )
    step = dt.train.get_or_create_global_step()
    dt.train.AdamOptimizer().minimize(dt.reduce_mean(outputs), global_step=step)
    dt.constant(np.zeros(5000), name="large")
    nodes = written(tmp_path)
    names = {op.name for op in dt.get_default_graph().get_operations()}
    assert names <= set(nodes)
    assert nodes["x"].attr["_output_shapes"].list.shape[0].dim[0].name == "batch"
    assert max(len(attribute.s) for node in nodes.values() for attribute in node.attr.values()) <= 1024


def test_every_dtype_has_its_name(tmp_path: Path) -> None:
    from tensorboard.compat.proto import types_pb2

    dtypes = {one for one in vars(dt).values() if isinstance(one, dt.DType)}
    assert {dt.float32, dt.string, dt.complex64, dt.bfloat16} <= dtypes
    for dtype in dtypes:
        dt.placeholder(dtype, [], name=dtype.name)
    nodes = written(tmp_path)
    names = {dtype.name: types_pb2.DataType.Name(nodes[dtype.name].attr["dtype"].type) for dtype in dtypes}
    assert names["complex64"] == "DT_COMPLEX64"
    assert names["float32"] == "DT_FLOAT"
    assert len(set(names.values())) == len(dtypes)


def test_a_graph_def_is_taken_as_it_is(tmp_path: Path) -> None:
    from tensorboard.compat.proto import graph_pb2

    message = graph_pb2.GraphDef()
    message.node.add(name="mine", op="NoOp")
    with dt.summary.FileWriter(tmp_path, graph_def=message) as writer:
        writer.add_graph(dt.Session())
    graphs = [event.graph_def for event in dt.train.summary_iterator(writer.path) if event.graph_def]
    assert [[node.name for node in graph_pb2.GraphDef.FromString(one).node] for one in graphs] == [["mine"], []]
