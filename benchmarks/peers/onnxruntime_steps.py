"""The workloads of inference in ONNX Runtime; ``--mode`` is the ONNX file, which ``torch_steps`` exports."""

from __future__ import annotations

import os
import time
from typing import Any

_BEGIN = time.perf_counter()
import numpy as np  # noqa: E402 -- importing them is measured
import onnxruntime  # noqa: E402

IMPORT_SECONDS = time.perf_counter() - _BEGIN

from benchmarks import harness  # noqa: E402


def prepare(name: str, mode: str) -> harness.Prepared:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "2"))
    session = onnxruntime.InferenceSession(mode, options, providers=["CPUExecutionProvider"])
    (wanted,) = session.get_inputs()

    def batch(size: int) -> tuple[Any, ...]:
        return (np.random.default_rng(0).standard_normal([size, *wanted.shape[1:]], dtype=np.float32),)

    return harness.Prepared(lambda inputs: session.run(None, {wanted.name: inputs}), batch, wanted.shape[0])


if __name__ == "__main__":
    harness.main(prepare, import_seconds=IMPORT_SECONDS)
