"""Dovetail and its peers: how each is run, and why one that is absent is left out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venv-peers"
LIMIT_SECONDS = 900


class MeasurementError(RuntimeError):
    """A contender did not get through a workload."""


@dataclass(frozen=True)
class Contender:
    """One framework in one of its ways to run.

    Attributes:
        name: names it on the command line and in the JSON.
        title: names it in tables.
        module: the program that measures it.
        environment: its environment below ``.venv-peers``; empty for that of this process.
        package: what must be importable there.
        distributions: what its installed size counts.
        mode: the mode to run ``module`` in.
        infers_only: whether it cannot train.
        compiles: whether it compiles its steps, so that its first step and changing batch sizes are of interest.
    """

    name: str
    title: str
    module: str
    environment: str
    package: str
    distributions: tuple[str, ...]
    mode: str = ""
    infers_only: bool = False
    compiles: bool = True

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        if not self.environment:
            return Path(sys.executable)
        folder = "Scripts" if os.name == "nt" else "bin"
        return ENVIRONMENTS / self.environment / folder / "python"

    def absence(self) -> str | None:
        """Return why it cannot be measured here; ``None`` if it can."""
        if not self.python.exists():
            return "not installed; `make bench-peers` installs it"
        done = subprocess.run([self.python, "-c", f"import {self.package}"], capture_output=True, text=True)
        if done.returncode:
            return f"cannot be imported: {last_line(done.stderr)}"
        if self.name == "torch-compile" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
            return "it needs a C++ compiler, and there is none"
        return None


_OWN = ("dovetail-core", "dovetail-layers", "dovetail-optim", "dovetail-io", "dovetail-train", "dovetail-backend-cpu")
_TORCH = ("benchmarks.peers.torch_steps", "torch", "torch", ("torch",))
_TENSORFLOW = ("benchmarks.peers.tensorflow_steps", "tensorflow", "tensorflow", ("tensorflow", "tensorflow-cpu"))
DOVETAIL = Contender("dovetail", "Dovetail", "benchmarks.workloads", "", "dovetail", _OWN)
ONNXRUNTIME = Contender(
    "onnxruntime",
    "ONNX Runtime",
    "benchmarks.peers.onnxruntime_steps",
    "onnxruntime",
    "onnxruntime",
    ("onnxruntime",),
    infers_only=True,
)
EAGER = Contender("torch", "PyTorch", *_TORCH, "eager", compiles=False)
PEERS: Mapping[str, Contender] = MappingProxyType(
    {
        one.name: one
        for one in (
            EAGER,
            Contender("torch-channels-last", "channels last", *_TORCH, "channels_last", compiles=False),
            Contender("torch-compile", "torch.compile", *_TORCH, "compile"),
            Contender("jax", "JAX", "benchmarks.peers.jax_steps", "jax", "jax", ("jax",)),
            Contender("tensorflow", "TensorFlow", *_TENSORFLOW, "graph"),
            Contender("tensorflow-xla", "TF XLA", *_TENSORFLOW, "xla"),
            ONNXRUNTIME,
        )
    }
)


@dataclass(frozen=True)
class Runner:
    """Runs contenders, each measurement in a process of its own.

    Attributes:
        threads: how many each may use.
        folder: holds the ONNX files and the caches.
        cache: the name of the compile caches below ``folder``, where compiled code is kept and found again.
    """

    threads: int
    folder: Path
    cache: str = "caches"

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a measurement."""
        threads = str(self.threads)
        caches = self.folder / self.cache
        return {
            **os.environ,
            "DOVETAIL_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "DOVETAIL_CACHE_DIR": str(caches / "dovetail"),
            "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
            "JAX_COMPILATION_CACHE_DIR": str(caches / "jax"),
        }

    def run(self, contender: Contender, workload: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
        """Return the line that a contender prints for a workload.

        Raises:
            MeasurementError: it failed, or took too long.
        """
        mode = str(self.onnx_file(workload)) if contender is ONNXRUNTIME else contender.mode
        line = self._output([contender.python, "-m", contender.module, workload, "--mode", mode, *arguments])
        return {"contender": contender.name, **json.loads(line)}

    def onnx_file(self, workload: str) -> Path:
        """Return the ONNX file of a workload; PyTorch writes it if it is not there."""
        path = self.folder / "models" / f"{workload}.onnx"
        if not path.exists():
            if not EAGER.python.exists():
                raise MeasurementError("PyTorch, which exports its models, is not installed")
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            self._output([EAGER.python, "-m", EAGER.module, "--export", unfinished, workload], printed=False)
            unfinished.rename(path)
        return path

    def _output(self, command: Sequence[str | Path], printed: bool = True) -> str:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=ROOT, env=self.environment(), timeout=LIMIT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise MeasurementError(f"not done after {LIMIT_SECONDS} s") from None
        if done.returncode:
            raise MeasurementError(last_line(done.stderr) or f"ended with status {done.returncode}")
        lines = done.stdout.splitlines()
        if printed and not lines:
            raise MeasurementError("printed nothing")
        return lines[-1] if printed else ""


def last_line(text: str) -> str:
    """Return the last line of a traceback: the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def keep_to_cores(threads: int) -> None:
    """Keep this process and those it starts to as many cores as there are threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
