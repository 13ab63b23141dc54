"""Branches and loops, and what ONNX computes by a loop only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail.extend import Dim, Op, Shape, TensorType, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of

__all__: list[str] = []

_INDEX = TensorType(dt.int64, Shape(()))


@converter(definitions.Cond)
def _cond(to: Builder, op: definitions.Cond, predicate: Value, *arguments: Value) -> Sequence[Value]:
    def branch(taken: bool) -> object:
        inner = to.nested(())
        return inner.gives(inner.inline(op.branch(taken), arguments))

    return to.several("If", predicate, types=to.types, then_branch=branch(True), else_branch=branch(False))


@converter(definitions.While)
def _while(to: Builder, op: definitions.While, *inputs: Value) -> Sequence[Value]:
    """``Loop``; the condition is computed before it, and at the end of each iteration for the next."""
    carries, constants = inputs[: op.carries], inputs[op.carries :]
    body: Any = op.body
    condition: Any = op.condition
    kinds = [one.value.type for one in body.inputs[op.indexed : op.indexed + op.carries]]
    (first,) = to.inline(condition, _arguments(op, to.constant(0), carries, constants))
    step, going = Value(_INDEX, "step"), Value(TensorType(dt.bool, Shape(())), "going")
    state = [Value(kind, "state") for kind in kinds]
    inner = to.nested([step, going, *state])
    results = inner.inline(body, _arguments(op, step, state, constants))
    after = inner.node("Add", step, inner.constant(1), type=_INDEX)
    (again,) = inner.inline(condition, _arguments(op, after, results[: op.carries], constants))
    return to.several("Loop", None, first, *carries, types=to.types, body=inner.gives([again, *results]))


def _arguments(
    op: definitions.While, index: Value, carries: Sequence[Value], constants: Sequence[Value]
) -> list[Value]:
    return [*([index] if op.indexed else []), *carries, *constants]


@converter(definitions.Scan)
def _scan(to: Builder, op: definitions.Scan, *inputs: Value) -> Sequence[Value]:
    """``Scan``, which slices the numbers of the iterations too."""
    end = op.carries + op.xs
    carries, xs, constants = inputs[: op.carries], inputs[op.carries : end], inputs[end:]
    length: Dim = op.length
    if xs and xs[0].type is not None:
        length = xs[0].type.dims[0]
    numbers = to.node("Range", to.constant(0), to.squeeze(to.size(length), [0]), to.constant(1))
    body: Any = op.body
    kinds = [one.value.type for one in body.inputs[op.indexed : op.indexed + end]]
    index = Value(_INDEX, "index")
    state = [Value(kind, "state") for kind in kinds[: op.carries]]
    slices = [Value(kind, "slice") for kind in kinds[op.carries :]]
    inner = to.nested([*state, index, *slices])
    results = inner.inline(body, [*([index] if op.indexed else []), *state, *slices, *constants])
    backwards = int(op.reverse)
    stacked = len(results) - op.carries
    directions: dict[str, Any] = {"scan_output_directions": [backwards] * stacked} if stacked else {}
    return to.several(
        "Scan",
        *carries,
        numbers,
        *xs,
        types=to.types,
        body=inner.gives(results),
        num_scan_inputs=1 + op.xs,
        scan_input_directions=[backwards] * (1 + op.xs),
        **directions,
    )


@converter(definitions.Cumprod)
def _cumprod(to: Builder, op: definitions.Cumprod, x: Value) -> Value:
    assert x.type is not None
    axis, kind = op.axis % len(x.type.dims), _without(x.type, op.axis)
    before, element = Value(kind, "product"), Value(kind, "element")
    inner = to.nested([before, element])
    after = inner.node("Mul", before, element, type=kind)
    body = inner.gives([after, before if op.exclusive else after])
    start = to.expand(to.constant(1, x.dtype), kind.dims)
    return _along(to, axis, op.reverse, body, start, x)


@converter(definitions.CumulativeLogsumexp)
def _running_logs(to: Builder, op: definitions.CumulativeLogsumexp, x: Value) -> Value:
    """The greater of what came before and an element, and what the lesser adds to it; the least number adds nothing."""
    assert x.type is not None
    axis, kind = op.axis % len(x.type.dims), _without(x.type, op.axis)
    before, element = Value(kind, "logarithm"), Value(kind, "element")
    inner = to.nested([before, element])
    high = inner.node("Max", before, element, type=kind)
    apart = inner.node("Sub", inner.node("Min", before, element, type=kind), high, type=kind)
    one = inner.constant(1, x.dtype)
    more = inner.node("Log", inner.node("Add", one, inner.node("Exp", apart, type=kind), type=kind), type=kind)
    after = inner.node("Add", high, more, type=kind)
    body = inner.gives([after, after])
    start = to.expand(to.constant(float(x.dtype.min), x.dtype), kind.dims)
    return _along(to, axis, op.reverse, body, start, x)


@converter(definitions.LinearRecurrence)
def _linear_recurrence(to: Builder, op: definitions.LinearRecurrence, a: Value, b: Value) -> Value:
    assert a.type is not None
    axis, kind = op.axis % len(a.type.dims), _without(a.type, op.axis)
    before, factor, term = Value(kind, "state"), Value(kind, "factor"), Value(kind, "term")
    inner = to.nested([before, factor, term])
    after = inner.node("Add", term, inner.node("Mul", factor, before), type=kind)
    body = inner.gives([after, after])
    start = to.expand(to.constant(0, a.dtype), kind.dims)
    return _along(to, axis, op.reverse, body, start, a, b)


def _without(kind: TensorType, axis: int) -> TensorType:
    dims = list(kind.dims)
    del dims[axis]
    return TensorType(kind.dtype, Shape(dims))


def _along(to: Builder, axis: int, reverse: bool, body: object, start: Value, *xs: Value) -> Value:
    return to.several(
        "Scan",
        start,
        *xs,
        types=(None, xs[0].type),
        body=body,
        num_scan_inputs=len(xs),
        scan_input_axes=[axis] * len(xs),
        scan_input_directions=[int(reverse)] * len(xs),
        scan_output_axes=[axis],
        scan_output_directions=[int(reverse)],
    )[1]


@converter(definitions.Assertion)
def _assert(to: Builder, op: definitions.Assertion, *inputs: Value) -> Sequence[Value]:
    """Nothing: a model has no assertions, and does what the graph does where they hold."""
    return ()


@converter(definitions.CheckNumerics, definitions.Printing)
def _passed_on(to: Builder, op: Op, x: Value, *shown: Value) -> Value:
    """The input: a model checks and shows nothing."""
    return to.node("Identity", x, type=x.type)


@converter(definitions.PyFunc, definitions.PyFuncStateless)
def _python(to: Builder, op: Op, *inputs: Value) -> Value:
    raise ConversionError("it is Python code; build what it computes of operations")


@converter(definitions.ArrayBuffer)
def _array_buffer(to: Builder, op: definitions.ArrayBuffer, fill: Value, size: Value) -> Value:
    raise ConversionError(
        "only a run tells the size of this TensorArray; give one that is known, or a size of an input"
    )


@converter_of("dovetail_layers", "CTCBeamSearch")
def _ctc_beam_search(to: Builder, op: Op, *inputs: Value) -> Value:
    raise ConversionError("a search over prefixes has no operator; export the scores and search outside of the model")
