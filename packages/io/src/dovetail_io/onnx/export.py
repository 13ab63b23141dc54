"""An export: from a graph and a session's weights to a file that has been compared with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from dovetail_io.onnx.description import description
from dovetail_io.onnx.layouts import Layouts
from dovetail_io.onnx.model import Graph, Value
from dovetail_io.onnx.options import Options
from dovetail_io.onnx.passes import improve, narrow_weights
from dovetail_io.onnx.report import ExportReport
from dovetail_io.onnx.serialize import model_proto
from dovetail_io.onnx.serving import check_script, script_path, serving_script
from dovetail_io.onnx.training import fixed_model, fixed_program, run_reference, trains
from dovetail_io.onnx.units import Wanted
from dovetail_io.onnx.verify import Verification, compare
from dovetail_io.onnx.write import EXTERNAL_LIMIT, weight_bytes, write_model, write_script, write_with_data

__all__ = ["export"]

_FIRST_PARTY: Final = "dovetail-layers"


def export(session: dt.Session, path: Path, options: Options) -> ExportReport:
    """Export; see ``dt.io.export_onnx``."""
    options.check()
    taken, given = named(session, options.inputs, "inputs"), named(session, options.outputs, "outputs")
    check_names(taken, given)
    entering = Layouts(taken, options.input_layout, "input_layout")
    leaving = Layouts(given, options.output_layout, "output_layout")
    metadata = description(options, given)
    samples = sample_arrays(session, taken, options.sample_inputs or {})
    constants = constant_feeds(session, options.feeds or {}, taken)
    types = input_types(taken)
    known = {tensor: Feed(types[tensor]) for tensor in taken}
    known.update({tensor: Feed(type_of(array), array) for tensor, array in constants.items()})
    others = other_placeholders(given, known)

    conversion = Conversion(options.opset, _wanted(options), training=options.keep_training)
    program = optimize(lower(session.graph, list(given), (), known | others), conversion.keeps)
    check_used(program, taken)
    variables = _variables(session, program, training=options.keep_training)
    orders = {label: order for tensor, label in taken.items() if (order := entering.order(label, _rank(tensor)))}
    last = [leaving.order(label, _rank(tensor)) for tensor, label in given.items()]
    graph = conversion.graph(program, taken, variables, orders, last)
    if conversion.problems:
        raise UnsupportedOperationError(_listing(conversion))
    improve(graph, fold_batch_norm=options.fold_batch_norm)
    if options.keep_training:
        _check_training(graph)
    if options.float16_weights:
        narrow_weights(graph)

    inputs, outputs = _types(taken.values(), graph.inputs), _types(given.values(), graph.outputs)
    if options.serving_script:
        check_script(path, inputs | outputs)
    model = model_proto(graph, dict(zip(graph.inputs, inputs, strict=True)), outputs, options, metadata)
    chosen: list[Case] = []
    if options.verify:
        by_name = {label: types[tensor] for tensor, label in taken.items()}
        chosen = cases(by_name, [constraint for constraint, _ in program.constraints], samples)
    run = _runner(session, program, variables, taken, given, constants, others, fixed=options.keep_training)

    def expected(case: Case) -> Sequence[Any]:
        return [leaving.to_model(label, one) for label, one in zip(outputs, run(case), strict=True)]

    def examine(place: Path | None) -> Verification:
        check_model(model, place)
        if not options.verify:
            return Verification()
        for case in chosen:
            case.given = {label: entering.to_model(label, array) for label, array in case.arrays.items()}
        lines = {node.name: node.doc_string for node in model.graph.node}
        training = options.keep_training
        return compare(
            fixed_model(model) if training else model,
            place,
            expected,
            list(outputs),
            chosen,
            lines,
            halved=options.float16_weights,
            optimized=not training,
        )

    if weight_bytes(graph) > EXTERNAL_LIMIT:
        outcome = write_with_data(model, path, examine)
    else:
        outcome = examine(None)
        write_model(model, path)
    script = None
    if options.serving_script:
        first = next(iter(orders), None) == next(iter(inputs), "")
        script = script_path(path)
        write_script(script, serving_script(path, inputs, options, channels_first=first))
    return ExportReport(path, options.opset, inputs, outputs, outcome, script)


def _rank(tensor: dt.Tensor) -> int:
    return tensor.shape.rank or 0


def _runner(
    session: dt.Session,
    program: Program,
    variables: Mapping[str, Array],
    taken: Mapping[dt.Tensor, str],
    given: Mapping[dt.Tensor, str],
    constants: Mapping[dt.Tensor, Array],
    others: Iterable[dt.Tensor],
    *,
    fixed: bool,
) -> Callable[[Case], Sequence[Array]]:
    """Return what computes the outputs of a case: the session; or, with random numbers ``fixed``, the reference."""
    if fixed:
        program = fixed_program(program)

    def run(case: Case) -> Sequence[Any]:
        fed: dict[Any, Array] = {tensor: case.arrays[label] for tensor, label in taken.items()}
        unused = {tensor: np.zeros(case.shape(tensor.type), tensor.dtype.numpy) for tensor in others}
        if fixed:
            results = run_reference(program, fed | unused | dict(constants), variables, case.sizes)
        else:
            results = session.run(list(given), fed | dict(constants) | unused)
        return [np.asarray(one, tensor.dtype.numpy) for one, tensor in zip(results, given, strict=True)]

    return run


def _check_training(graph: Graph) -> None:
    """Make sure that there is something to keep.

    Raises:
        InvalidArgumentError: there is not.
    """
    if not any(trains(node) for node in graph.every_node()):
        raise InvalidArgumentError(
            "export_onnx: keep_training=True, but nothing that the outputs need is done while training only; feed the "
            "flag of training as true, as in feeds={is_training: True}, or leave keep_training out."
        )


def _types(names: Iterable[str], values: Iterable[Value]) -> dict[str, TensorType]:
    return {name: value.type for name, value in zip(names, values, strict=True) if value.type is not None}


def _wanted(options: Options) -> Wanted:
    if options.functions or options.inline:
        return lambda call: options.functions
    return lambda call: call.distribution not in ("", _FIRST_PARTY)


def _variables(session: dt.Session, program: Program, *, training: bool) -> dict[str, Array]:
    """Return the values of the variables that a program takes; for training, of all that its layers have."""
    names = [given.key for given in program.inputs if given.kind == "state"]
    if training:
        calls = [one.origin.layer for one in program.instructions]
        names += [weight for call in calls if call is not None for weight in call.weights]
    names = list(dict.fromkeys(names))
    tensors = [session.graph.get_tensor_by_name(f"{name}:0") for name in names]
    arrays = session.run(tensors)
    return {
        name: np.asarray(array, tensor.dtype.numpy) for name, tensor, array in zip(names, tensors, arrays, strict=True)
    }


def _listing(conversion: Conversion) -> str:
    count = len(conversion.problems)
    lines = "".join(f"\n  {problem}" for problem in conversion.problems)
    return (
        f"export_onnx: {count} operation{'s' if count > 1 else ''} cannot be exported, so nothing was written:{lines}\n"
        f"Choose outputs that do not need {'them' if count > 1 else 'it'}."
    )
