"""``export_onnx``: a graph and a session's weights as an ONNX model that has been compared with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, UnsupportedOperationError
from dovetail.extend import (
    Array,
    Feed,
    Program,
    TensorType,
    lower,
    optimize,
)
from dovetail_io.onnx.arguments import (
    Tensors,
    check_names,
    check_used,
    constant_feeds,
    input_types,
    named,
    other_placeholders,
    sample_arrays,
    type_of,
)
from dovetail_io.onnx.cases import Case, cases
from dovetail_io.onnx.check import check_model
from dovetail_io.onnx.convert import Conversion
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.packages import load_onnx
from dovetail_io.onnx.passes import improve
from dovetail_io.onnx.report import ExportReport
from dovetail_io.onnx.serialize import model_proto
from dovetail_io.onnx.units import Wanted
from dovetail_io.onnx.verify import Verification, compare
from dovetail_io.onnx.write import EXTERNAL_LIMIT, weight_bytes, write_model, write_with_data

__all__ = ["export_onnx"]

OPSETS: Final = range(18, 26)
_FIRST_PARTY: Final = "dovetail-layers"


def export_onnx(
    session: dt.Session,
    inputs: Tensors,
    outputs: Tensors,
    path: str | os.PathLike[str],
    *,
    opset: int = 21,
    verify: bool = True,
    sample_inputs: Mapping[Any, Any] | None = None,
    feeds: Mapping[Any, Any] | None = None,
    functions: bool | None = None,
    fold_batch_norm: bool = False,
    name: str = "dovetail",
    metadata: Mapping[str, str] | None = None,
) -> ExportReport:
    """Write what ``outputs`` compute of ``inputs``, with the weights that the session holds, as an ONNX model.

    Sizes that the graph leaves open stay open: a placeholder of shape ``["batch", 28]`` becomes an input of shape
    ``[batch, 28]``. Images keep their channels last at the model's inputs and outputs; inside they are transposed once,
    filters and the weights after ``flatten`` at export. Variables become initializers of their names.

    Before anything is written, everything that cannot be exported is listed with its line. The model then passes ONNX's
    full check and strict shape inference, is run by ONNX Runtime at three sizes of every open dimension, and is
    compared with the session. The file appears whole or not at all. Assertions of the graph are left out.

    Args:
        session: holds the variables; they must be initialized.
        inputs: tensors that the model takes, of known rank: placeholders, or any others. A dict gives them names.
        outputs: tensors that the model gives. A dict gives them names.
        path: the file. Above 1.8 GB of weights, these are in a file beside it, which has the ending ``.data``.
        opset: the version of ONNX's operators, from 18 to 25.
        verify: whether to compare with the session. A float32 output may differ by 1e-4 of its largest element.
        sample_inputs: arrays to compare on, by input; random numbers by default. For other sizes than theirs, elements
            are left out or repeated.
        feeds: values of other tensors that become constants, such as ``{is_training: False}``.
        functions: whether layers are functions of the model, with their weights as inputs. By default those that a
            third party's distribution provides are, since their names say what no operator does; those of
            dovetail-layers are not, since their operators are the standard's own, runtimes look for patterns of these,
            and transpositions cancel only where no function ends. ``True`` makes functions of all layers, ``False`` of
            none.
        fold_batch_norm: whether batch normalisation is folded into the convolution before it; that is faster, but the
            model can then not be trained on.
        name: the name of the model's graph.
        metadata: what the model says of itself, such as class labels.

    Returns:
        What was written, and how large the largest difference was.

    Raises:
        UnsupportedOperationError: operations cannot be exported; all are listed.
        MissingFeedError: a placeholder is needed that is neither among ``inputs`` nor ``feeds``.
        InvalidArgumentError: an input is unknown, used by no output, or of unknown rank; a version is out of range.
        UninitializedVariableError: a variable has no value.
        ExportError: the model does not do what the graph does. Nothing is written.
        PluginError: the package onnx is not installed.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        >>> y = dt.nn.softmax(x, name="y")
        >>> dt.io.export_onnx(dt.Session(), [x], [y], "softmax.onnx")
        ExportReport("softmax.onnx", opset 21: x float32[batch, 2] -> y float32[batch, 2]; ...)
    """
    onnx = load_onnx()
    newest = min(OPSETS[-1], onnx.defs.onnx_opset_version())
    if opset not in OPSETS or opset > newest:
        raise InvalidArgumentError(f"export_onnx: opset is {opset!r}; use one from {OPSETS[0]} to {newest}.")
    taken, given = named(session, inputs, "inputs"), named(session, outputs, "outputs")
    check_names(taken, given)
    samples = sample_arrays(session, taken, sample_inputs or {})
    constants = constant_feeds(session, feeds or {}, taken)
    types = input_types(taken)
    known = {tensor: Feed(types[tensor]) for tensor in taken}
    known.update({tensor: Feed(type_of(array), array) for tensor, array in constants.items()})
    others = other_placeholders(given, known)

    conversion = Conversion(opset, _wanted(functions))
    program = optimize(lower(session.graph, list(given), (), known | others), conversion.keeps)
    check_used(program, taken)
    graph = conversion.graph(program, taken, _variables(session, program))
    if conversion.problems:
        raise UnsupportedOperationError(_listing(conversion))
    improve(graph, fold_batch_norm=fold_batch_norm)

    names = dict(zip(graph.inputs, taken.values(), strict=True))
    model = model_proto(graph, names, given.values(), opset, name, metadata or {})
    chosen: list[Case] = []
    if verify:
        by_name = {label: types[tensor] for tensor, label in taken.items()}
        chosen = cases(by_name, [constraint for constraint, _ in program.constraints], samples)

    def run(case: Case) -> Sequence[Any]:
        fed: dict[Any, Array] = {tensor: case.arrays[label] for tensor, label in taken.items()}
        unused = {tensor: np.zeros(case.shape(tensor.type), tensor.dtype.numpy) for tensor in others}
        results = session.run(list(given), fed | constants | unused)
        return [np.asarray(one, tensor.dtype.numpy) for one, tensor in zip(results, given, strict=True)]

    def examine(place: Path | None) -> Verification:
        check_model(model, place)
        if not verify:
            return Verification()
        lines = {node.name: node.doc_string for node in model.graph.node}
        return compare(model, place, run, list(given.values()), chosen, lines)

    target = Path(path)
    if weight_bytes(graph) > EXTERNAL_LIMIT:
        outcome = write_with_data(model, target, examine)
    else:
        outcome = examine(None)
        write_model(model, target)
    return ExportReport(
        target, opset, _types(taken.values(), graph.inputs), _types(given.values(), graph.outputs), outcome
    )


def _types(names: Iterable[str], values: Iterable[Value]) -> dict[str, TensorType]:
    return {name: value.type for name, value in zip(names, values, strict=True) if value.type is not None}


def _wanted(functions: bool | None) -> Wanted:
    if functions is None:
        return lambda call: call.distribution not in ("", _FIRST_PARTY)
    return lambda call: functions


def _variables(session: dt.Session, program: Program) -> dict[str, Array]:
    states = [given for given in program.inputs if given.kind == "state"]
    arrays = session.run([f"{given.key}:0" for given in states])
    return {
        given.key: np.asarray(array, given.value.type.dtype.numpy) for given, array in zip(states, arrays, strict=True)
    }


def _listing(conversion: Conversion) -> str:
    count = len(conversion.problems)
    lines = "".join(f"\n  {problem}" for problem in conversion.problems)
    return (
        f"export_onnx: {count} operation{'s' if count > 1 else ''} cannot be exported, so nothing was written:{lines}\n"
        f"Choose outputs that do not need {'them' if count > 1 else 'it'}."
    )
