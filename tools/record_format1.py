"""Write a file of every kind in format version 1, which every later Dovetail must load: `tests/data/format1/`.

Run it once for a version of the formats; what it has written is never written again, but read by
`tests/together/test_format1.py` for ever. A later version gets a script and a folder of its own.

    .venv/bin/python tools/record_format1.py FOLDER

`expected.npz` holds what the files held when they were written: the values of all variables, outputs of the network,
and what its random operations gave next.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt

NUMBERS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FEED = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(2, 4, 3)


def network() -> None:
    """Make a network with layers, control flow, randomness and a large constant, in the default graph."""
    x = dt.placeholder(dt.float32, ["batch", 4, 3], name="x")
    training = dt.placeholder_with_default(False, [], name="training")
    h = dt.layers.conv1d(x, 4, 2, padding="same", activation=dt.nn.relu, name="conv")
    h = dt.layers.batch_normalization(h, training=training, name="norm")
    h = dt.layers.lstm(h, 3, name="memory")
    h = dt.layers.dropout(dt.layers.flatten(h), 0.5, training=training, name="drop")
    table = dt.constant(np.linspace(0.0, 1.0, 3 * 128, dtype=np.float32).reshape(3, 128), name="table")
    y = dt.layers.dense(dt.matmul(h[:, :3], table), 2, name="head")
    y = dt.cond(dt.reduce_sum(y) > 1e6, lambda: y * 2.0, lambda: y + 1.0, name="choice")
    _, y = dt.while_loop(lambda i, _: i < 3, lambda i, value: (i + 1, dt.tanh(value)), (0, y), name="again")
    dt.identity(y, name="y")
    dt.random_normal([3], name="noise")


def training() -> None:
    """Add an optimizer, and variables of every kind."""
    loss = dt.reduce_mean(dt.square(dt.get_default_graph().get_tensor_by_name("y:0")), name="loss")
    dt.train.AdamOptimizer(0.1).minimize(loss, dt.train.get_or_create_global_step(), name="train")
    values: dict[str, Any] = {name: np.array([0, 1, 100], name) for name in NUMBERS}
    values |= {
        "bool": np.array([[True], [False]]),
        "string": np.array([b"", b"caf\xc3\xa9", b"\x00\xff"], object),
        "scalar": np.float64(0.1),
        "empty": np.zeros((0, 2), np.float32),
    }
    for name, value in values.items():
        dt.Variable(value, name=f"kinds/{name}", trainable=False)
    dt.Variable(dt.cast([1.0, 3.140625], dt.bfloat16), name="kinds/bfloat16", trainable=False)


def outputs_of(session: dt.Session) -> dict[str, Any]:
    """Return what the network computes now, and what it draws next."""
    outputs = {"y": session.run("y:0", {"x:0": FEED})}
    outputs["dropped"] = session.run("y:0", {"x:0": FEED, "training:0": True})
    return outputs | {"noise": session.run("noise:0")}


def main() -> None:
    """Write the files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    os.environ["DOVETAIL_BACKENDS"] = "CPU=reference"
    dt.set_random_seed(11)
    network()
    training()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(3):
            session.run("train", {"x:0": FEED, "training:0": True})
        dt.train.Saver().save(session, folder / "model", global_step=3)
        dt.train.Saver(max_shard_bytes=1000).save(session, folder / "shards" / "model", write_meta_graph=False)
        dt.save({"x": FEED, "count": np.arange(3)}, folder / "values.npz")
        values = {f"variable:{one.op.name}": session.run(one) for one in dt.global_variables()}
        outputs = {f"output:{name}": value for name, value in outputs_of(session).items()}
    with dt.Graph().as_default() as graph, dt.Session() as session:
        network()
        dt.train.Saver().restore(session, folder / "model-3")
        dt.io.write_graph(graph, folder / "net.meta")
        signature = dt.saved_model.signature_def_utils.predict_signature_def(
            {"x": graph.get_tensor_by_name("x:0")}, {"y": graph.get_tensor_by_name("y:0")}
        )
        key = dt.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        builder = dt.saved_model.builder.SavedModelBuilder(folder / "bundle")
        builder.add_meta_graph_and_variables(session, [dt.saved_model.tag_constants.SERVING], {key: signature})
        builder.save()
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype == object:  # NumPy's archives hold neither bytes objects nor bfloat16
            values[name] = np.array([one.hex() for one in array.tolist()])
        elif array.dtype == dt.bfloat16.numpy:
            values[name] = array.astype(np.float32)
    np.savez_compressed(folder / "expected.npz", **values, **outputs)


if __name__ == "__main__":
    main()
