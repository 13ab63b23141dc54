"""Whether a model does what the graph does: run by ONNX Runtime at several sizes and compared with the session."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DovetailError, ExportError
from dovetail.extend import Array, DType
from dovetail_io.onnx.cases import Case
from dovetail_io.onnx.packages import load_onnx, load_runtime, warn_user

__all__ = ["Verification", "compare"]

TOLERANCE: Final[Mapping[DType, float]] = {
    dt.float64: 1e-9,
    dt.float32: 1e-4,
    dt.float16: 1e-2,
    dt.bfloat16: 1e-1,
}
"""The largest difference, as a part of the largest element if that is above 1; what is not floating must be equal."""

_RUNTIME: Final = "ONNX Runtime"
_REFERENCE_TOLERANCE: Final = 1e-6
"""ONNX's reference implementation computes some functions in single precision whatever the dtype."""

Runner = Callable[[Mapping[str, Array]], Sequence[Any]]


@final
class Verification:
    """What was compared.

    Attributes:
        by: who ran the model: ``"ONNX Runtime"``, ``"the ONNX reference"``, or nobody.
        cases: the sizes compared.
        difference: the largest difference of a floating element.
        lack: why nothing was compared, where that was wanted.
        relative: the same as a part of the output's largest element, where that is above 1.
    """

    __slots__ = ("by", "cases", "difference", "lack", "relative")

    def __init__(
        self,
        by: str = "",
        cases: Sequence[Case] = (),
        difference: float = 0.0,
        relative: float = 0.0,
        lack: str = "",
    ) -> None:
        """Keep the outcome."""
        self.lack = lack
        self.relative = relative
        self.by = by
        self.cases = tuple(cases)
        self.difference = difference


def compare(
    model: Any,
    path: Path | None,
    run: Callable[[Case], Sequence[Any]],
    names: Sequence[str],
    chosen: Sequence[Case],
    lines: Mapping[str, str],
    *,
    halved: bool = False,
    optimized: bool = True,
) -> Verification:
    """Compare a model with the session.

    Where ONNX Runtime has no kernel for an operator and dtype, a warning names it and ONNX's reference implementation
    runs the model; where ONNX Runtime is not installed, a warning says that nothing was compared.

    Args:
        model: the ``ModelProto``.
        path: where the model lies, if its data are in a file beside it.
        run: runs the session.
        names: names of the outputs.
        chosen: the inputs.
        lines: the user's line for names of nodes.
        halved: whether weights have the precision of float16 only.
        optimized: whether ONNX Runtime may rewrite the model.

    Raises:
        ExportError: an output differs by more than the tolerance of its dtype, or the model does not run.
    """
    runtime = load_runtime()
    if runtime is None:
        warn_user(
            "onnxruntime is not installed: the model follows the standard, but whether it computes what the graph does "
            "was not checked. Install it: pip install 'dovetail-io[onnx]'"
        )
        return Verification(lack="onnxruntime is not installed")
    by, runner = _runner(runtime, model, path, lines, optimized=optimized)
    largest = relative = 0.0
    compared: list[Case] = []
    for case in chosen:
        try:
            expected = run(case)
        except DovetailError as error:
            if compared or case is not chosen[-1]:
                continue  # as an index out of the range of a smaller size
            raise ExportError(
                f"the session itself failed on the inputs that the model was to be compared on ({case}); pass arrays "
                f"that suit the graph as sample_inputs, or verify=False. {error}"
            ) from error
        compared.append(case)
        try:
            found = runner(case.given)
        except Exception as error:
            raise ExportError(f"{by} fails to run the model at {case}, which the session runs: {error}") from error
        for name, mine, theirs in zip(names, expected, found, strict=True):
            difference, scale = _compare(name, mine, theirs, case, by, halved=halved)
            largest, relative = max(largest, difference), max(relative, difference / scale)
    return Verification(by, compared, largest, relative)


def _runner(
    runtime: Any, model: Any, path: Path | None, lines: Mapping[str, str], *, optimized: bool
) -> tuple[str, Runner]:
    if path is None:
        model = _without_bfloat16(model)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = runtime.InferenceSession(
            model.SerializeToString() if path is None else str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - a runtime raises classes of its own
        warn_user(
            f"ONNX Runtime {runtime.__version__} {_lack(error, lines)}; the model was compared by ONNX's reference "
            f"implementation instead."
        )
        return "the ONNX reference", _reference(model, path)
    names = [one.name for one in session.get_inputs()]
    return _RUNTIME, lambda arrays: session.run(None, dict(zip(names, map(_for_runtime, arrays.values()), strict=True)))


def _lack(error: Exception, lines: Mapping[str, str]) -> str:
    """Say what the runtime lacks for a model.

    Raises:
        ExportError: it lacks nothing; the model is wrong.
    """
    missing = re.search(r"Could not find an implementation for (\w+)\(\d+\) node with name '(.*?)'", str(error))
    if missing is not None:
        where = f" ({lines[missing[2]]})" if lines.get(missing[2]) else ""
        return (
            f'has no CPU kernel for {missing[1]} in the dtype of node "{missing[2]}"{where}, so cast to float32 before '
            f"it if the model is to run there"
        )
    if re.search(r"official released onnx opset|opset .* is till opset", str(error)):
        return "does not know so new an opset"
    raise ExportError(f"ONNX Runtime does not load the model: {error}") from error


def _reference(model: Any, path: Path | None) -> Runner:
    load_onnx()
    module: Any = importlib.import_module("onnx.reference")
    evaluator = module.ReferenceEvaluator(model if path is None else str(path))

    def run(arrays: Mapping[str, Array]) -> Sequence[Any]:
        inputs = dict(zip(evaluator.input_names, map(_for_runtime, arrays.values()), strict=True))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result: Sequence[Any] = evaluator.run(None, inputs)
        return result

    return run


def _without_bfloat16(model: Any) -> Any:
    """Return a model whose inputs and outputs of bfloat16 are float32: arrays of bfloat16 cannot be handed over."""
    onnx = load_onnx()
    narrow, wide = onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    before, after = [], []
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == narrow:
            inside, value.name = value.name, f"{value.name}/float32"
            value.type.tensor_type.elem_type = wide
            if value in graph.input:
                before.append(onnx.helper.make_node("Cast", [value.name], [inside], to=narrow))
            else:
                after.append(onnx.helper.make_node("Cast", [inside], [value.name], to=wide))
    if not before and not after:
        return model
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


def _for_runtime(array: Array) -> Array:
    if array.dtype == object:
        return _as_text(array)
    return array.astype(np.float32) if dt.as_dtype(array.dtype) is dt.bfloat16 else array


def _as_text(array: Array) -> Array:
    result = np.empty(array.shape, object)
    result.reshape(-1)[:] = [one.decode() if isinstance(one, bytes) else one for one in array.reshape(-1).tolist()]
    return result


def _compare(name: str, mine: Array, theirs: Any, case: Case, by: str, *, halved: bool) -> tuple[float, float]:
    """Return the largest difference, and the largest element where that is above 1."""
    theirs = np.asarray(theirs, object) if mine.dtype == object else np.asarray(theirs)
    dtype = dt.as_dtype(mine.dtype)
    mine, theirs = _for_runtime(mine), _for_runtime(theirs)
    if mine.dtype != theirs.dtype or mine.shape != theirs.shape:
        raise ExportError(
            f"output {name!r} is {theirs.dtype}{list(theirs.shape)} in {by} and {mine.dtype}{list(mine.shape)} in the "
            f"session, at {case}."
        )
    if not dtype.is_floating:
        wrong = int(np.sum(mine != theirs))
        if wrong:
            raise ExportError(
                f"output {name!r} of {by} differs from the session's in {wrong} of {mine.size} elements, at {case}."
            )
        return 0.0, 1.0
    mine, theirs = mine.astype(np.float64), theirs.astype(np.float64)
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    finite = np.isfinite(mine)
    scale = max(1.0, float(np.max(np.abs(mine), where=finite, initial=0.0)))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(mine - theirs))
    largest = float(np.max(np.where(np.isnan(difference), np.inf, difference), initial=0.0))
    tolerance = TOLERANCE[dtype] if by == _RUNTIME else max(TOLERANCE[dtype], _REFERENCE_TOLERANCE)
    if halved:
        tolerance = max(tolerance, TOLERANCE[dt.float16])
    if largest > tolerance * scale:
        raise ExportError(
            f"output {name!r} of {by} differs from the session's by up to {largest:.3g}, which is above "
            f"{tolerance:g} of its largest element {scale:.3g}, at {case}."
        )
    return largest, scale
