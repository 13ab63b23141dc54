"""Write what the fuzzer of file readers begins with, `tests/data/fuzz/`: small files of every kind.

    .venv/bin/python tools/record_fuzz_corpus.py tests/data/fuzz

What the fuzzer finds (`make fuzz`) is added to it by hand: a file that broke a reader stays in the corpus.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import dovetail as dt
from dovetail_io.tensors import encoded

ARRAYS = {
    "v": np.arange(3.0),
    "words": np.array([b"a", b"", b"bc"], object),
    "pairs": np.array([1j]),
    "flag": np.array(True),
}


def dense() -> None:
    """A layer, variables and an optimizer."""
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    y = dt.nn.relu(dt.layers.dense(x, 2, name="d"), name="y")
    dt.train.GradientDescentOptimizer(0.1).minimize(dt.reduce_sum(y))


def control_flow() -> None:
    """Bodies, a large constant, and random numbers."""
    x = dt.placeholder(dt.float32, ["n"], name="x")
    table = dt.constant(np.linspace(0.0, 1.0, 200), name="table")
    y = dt.cond(dt.reduce_sum(x) > 0.0, lambda: x + 1.0, lambda: x * 2.0)
    dt.while_loop(lambda i, _: i < 3, lambda i, value: (i + 1, dt.sin(value)), (0, y))
    dt.random_uniform(dt.shape(x), seed=3) + dt.cast(dt.reduce_sum(table), dt.float32)


def shapes() -> None:
    """Sizes that only the run tells, strings and slices."""
    x = dt.placeholder(dt.float32, ["n", 4], name="x")
    y = dt.reshape(x[1:, ::2], [-1, 2, 2])
    dt.concat([dt.transpose(y, [0, 2, 1]), y], axis=0)
    dt.nn.conv2d(dt.placeholder(dt.float32, ["n", 8, 8, 1]), dt.ones([3, 3, 1, 2]), 2, "SAME")
    dt.boolean_mask(x, dt.reduce_sum(x, axis=1) > 0.0)
    dt.string_join(["a", dt.as_string(dt.reduce_sum(x))])


def main() -> None:
    """Write them."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)

        def keep(target: str, seed: str, content: bytes) -> None:
            place = folder / target / seed
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

        graphs: dict[str, Callable[[], None]] = {"dense": dense, "control_flow": control_flow, "shapes": shapes}
        for seed, build in graphs.items():
            with dt.Graph().as_default() as graph:
                build()
                dt.io.write_graph(graph, made / f"{seed}.meta")
            keep("graph", seed, (made / f"{seed}.meta").read_bytes())
        arrays = dict(ARRAYS)
        content = b"".join(encoded(arrays, {"a": 1}))
        keep("safetensors", "arrays", content)
        del arrays["words"]  # whose offsets are no zeros, as the fuzzer puts behind a header
        content = b"".join(encoded(arrays, {}))
        keep("header", "arrays", content[8 : 8 + int.from_bytes(content[:8], "little")].rstrip())
        header = {"x": {"dtype": "F32", "shape": [2, 8], "data_offsets": [0, 64]}, "__metadata__": {"a": "b"}}
        keep("header", "floats", json.dumps(header).encode())
        for compress in (False, True):
            buffer = io.BytesIO()
            (np.savez_compressed if compress else np.savez)(buffer, a=np.arange(3), b=np.float32(1.0))
            keep("npz", "compressed" if compress else "stored", buffer.getvalue())
        with dt.Graph().as_default() as graph, dt.Session() as session:
            dense()
            dt.constant(str(made / "words.txt"), name="asset")
            (made / "words.txt").write_text("a\n")
            session.run(dt.global_variables_initializer())
            x, y = graph.get_tensor_by_name("x:0"), graph.get_tensor_by_name("y:0")
            saver = dt.train.Saver(max_to_keep=2)
            for step in range(3):
                saver.save(session, made / "saved" / "model", global_step=step)
            keep("list", "three", (made / "saved" / "checkpoint").read_bytes())
            path = dt.save(session, made / "alone" / "model.safetensors", write_meta_graph=False)
            keep("checkpoint", "session", Path(f"{path}.json").read_bytes())
            keep("beside", "model.safetensors", Path(f"{path}.safetensors").read_bytes())
            builder = dt.saved_model.builder.SavedModelBuilder(made / "bundle")
            signature = dt.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
            assets = [graph.get_tensor_by_name("asset:0")]
            builder.add_meta_graph_and_variables(session, ["serve"], {"predict": signature}, assets_collection=assets)
            builder.save()
        keep("bundle", "signature", (made / "bundle" / "saved_model.json").read_bytes())
        (made / "bundle" / "saved_model.json").unlink()
        shutil.copytree(made / "bundle", folder / "beside" / "bundle", dirs_exist_ok=True)
        shutil.copy(made / "control_flow.meta.safetensors", folder / "beside" / "net.meta.safetensors")


if __name__ == "__main__":
    main()
