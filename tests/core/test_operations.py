"""What every operation must keep, generated from the samples that each definition declares."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.program import verify
from dovetail.compiler.text import parse_program, print_program
from dovetail.extend import Sample, all_definitions
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.graphdata import graph_from_data, graph_to_data
from dovetail.plugins import manager
from dovetail.types.dtypes import as_dtype

STEP = 1e-6


def every_sample() -> list[Any]:
    """Every sample of every operation that core and the first-party plugins define."""
    for namespace in (dt.nn, dt.image, dt.losses, dt.metrics, dt.layers):
        dir(namespace)
    manager.load_package("dovetail.ops", "dovetail_train")
    found = []
    for definition in all_definitions():
        rng = np.random.default_rng(zlib.crc32(definition.__qualname__.encode()))
        for number, sample in enumerate(definition.samples(rng)):
            label = f"{definition.domain}.{definition.name}" if definition.domain else definition.name
            found.append(pytest.param(sample, id=f"{label}-{number}"))
    return found


SAMPLES = every_sample()


def arrays_of(sample: Sample) -> list[np.ndarray]:
    return [np.asarray(array) for array in sample.inputs]


def build(sample: Sample) -> tuple[list[Tensor], list[Tensor]]:
    """Apply the sample's operation to placeholders of its inputs' types."""
    inputs = [
        dt.placeholder(as_dtype(array.dtype), array.shape, name=f"in{i}") for i, array in enumerate(arrays_of(sample))
    ]
    result = sample.op(*inputs)
    return inputs, outputs_of(result)


def outputs_of(result: Any) -> list[Tensor]:
    """Return what applying an operation gave as a list of tensors."""
    if isinstance(result, Operation):
        return list(result.outputs)
    return list(result) if isinstance(result, tuple) else [result]


def feeds(inputs: Sequence[Tensor], sample: Sample) -> dict[Tensor, np.ndarray]:
    return dict(zip(inputs, arrays_of(sample), strict=True))


def run(fetches: Any, feed_dict: Any) -> Any:
    with dt.Session(config=dt.ConfigProto(backends={"CPU": "reference"})) as session:
        return session.run(fetches, feed_dict)


def assert_same(left: Any, right: Any) -> None:
    left, right = np.asarray(left), np.asarray(right)
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    np.testing.assert_array_equal(left, right)


def test_there_are_samples_for_most_definitions() -> None:
    assert len(SAMPLES) > 200


@pytest.mark.parametrize("sample", SAMPLES)
def test_declared_type_is_the_computed_type(sample: Sample) -> None:
    inputs, outputs = build(sample)
    for tensor, array in zip(outputs, run(outputs, feeds(inputs, sample)), strict=True):
        array = np.asarray(array)
        assert as_dtype(array.dtype) is tensor.dtype
        assert tensor.shape.rank == array.ndim
        for dim, size in zip(tensor.shape.dims, array.shape, strict=True):
            assert not isinstance(dim, int) or dim == size


@pytest.mark.parametrize("sample", SAMPLES)
def test_values_do_not_depend_on_what_is_known_of_shapes(sample: Sample) -> None:
    """Placeholders of unknown rank give what placeholders of known shape give."""
    inputs, outputs = build(sample)
    known = run(outputs, feeds(inputs, sample))
    with dt.Graph().as_default():
        loose = [dt.placeholder(tensor.dtype, None) for tensor in inputs]
        result = sample.op(*loose)
        unknown = run(outputs_of(result), feeds(loose, sample))
    for one, other in zip(known, unknown, strict=True):
        assert_same(one, other)


@pytest.mark.reference
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_graph_survives_a_round_trip_through_data(sample: Sample) -> None:
    inputs, outputs = build(sample)
    expected = run(outputs, feeds(inputs, sample))
    data = json.loads(json.dumps(graph_to_data(dt.get_default_graph())))
    graph = dt.Graph()
    graph_from_data(data, graph)
    with dt.Session(graph=graph) as session:
        again = session.run(
            [tensor.name for tensor in outputs], {tensor.name: array for tensor, array in feeds(inputs, sample).items()}
        )
    for one, other in zip(expected, again, strict=True):
        assert_same(one, other)
    assert graph_to_data(graph)["nodes"] == data["nodes"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_passes_keep_programs_valid_and_texts_parse(sample: Sample) -> None:
    _, outputs = build(sample)
    with dt.Session() as session:
        stages: dict[str, Any] = {}
        session.program(outputs, watch=stages.__setitem__)
    for program in stages.values():
        text = print_program(verify(program))
        assert print_program(verify(parse_program(text))) == text


def wanted_inputs(sample: Sample) -> list[int]:
    floating = [i for i, array in enumerate(arrays_of(sample)) if array.dtype in (np.float64, np.complex128)]
    return floating if sample.wrt is None else [i for i in sample.wrt if i in floating]


def has_gradient(sample: Sample) -> bool:
    op = sample.op
    return op.differentiable and (op.gradient is not None or op.kind == "composite") and bool(wanted_inputs(sample))


DIFFERENTIABLE = [param for param in SAMPLES if has_gradient(param.values[0])]


def drawn(rng: np.random.Generator, shape: Any, dtype: Any) -> np.ndarray:
    """Draw numbers, complex ones if the dtype is."""
    found = rng.normal(size=shape)
    return np.asarray(found + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else found)


class Directional:
    """A scalar function of a sample's inputs, with its derivative along a direction, both by the graph."""

    def __init__(self, sample: Sample, order: int) -> None:
        rng = np.random.default_rng(17)
        self.inputs, outputs = build(sample)
        self.arrays = arrays_of(sample)
        self.wrt = wanted_inputs(sample)
        chosen = [self.inputs[i] for i in self.wrt]
        floating = [tensor for tensor in outputs if tensor.dtype.is_inexact]
        self.value = self._project(floating, [np.shape(one) for one in run(floating, feeds(self.inputs, sample))], rng)
        for _ in range(order - 1):
            grads = [grad for grad in dt.gradients(self.value, chosen) if grad is not None]
            dense = [dt.convert_to_tensor(grad) for grad in grads]
            self.value = self._project(dense, [np.shape(one) for one in run(dense, feeds(self.inputs, sample))], rng)
        self.grads = [
            dt.zeros_like(x) if grad is None else dt.convert_to_tensor(grad)
            for x, grad in zip(chosen, dt.gradients(self.value, chosen), strict=True)
        ]
        self.directions = [drawn(rng, self.arrays[i].shape, self.arrays[i].dtype) for i in self.wrt]

    @staticmethod
    def _project(tensors: Sequence[Tensor], shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> Tensor:
        parts = [
            dt.reduce_sum(dt.real(tensor * dt.constant(drawn(rng, shape, tensor.dtype.numpy), tensor.dtype)))
            for tensor, shape in zip(tensors, shapes, strict=True)
        ]
        return dt.add_n(parts) if parts else dt.constant(0.0, dt.float64)

    def feed(self, shift: float) -> dict[Tensor, np.ndarray]:
        moved = list(self.arrays)
        for index, direction in zip(self.wrt, self.directions, strict=True):
            moved[index] = moved[index] + shift * direction
        return dict(zip(self.inputs, moved, strict=True))

    def check(self, session: dt.Session) -> None:
        grads = session.run(self.grads, self.feed(0.0))
        pairs = zip(grads, self.directions, strict=True)
        claimed = sum(float(np.sum(np.real(np.conj(grad) * direction))) for grad, direction in pairs)
        above, below = (float(session.run(self.value, self.feed(shift))) for shift in (STEP, -STEP))
        measured = (above - below) / (2 * STEP)
        scale = max(1.0, abs(measured), abs(above))
        assert abs(claimed - measured) <= 2e-4 * scale, f"gradient says {claimed}, differences say {measured}"


@pytest.mark.parametrize("sample", DIFFERENTIABLE)
def test_gradient_agrees_with_finite_differences(sample: Sample) -> None:
    case = Directional(sample, order=1)
    with dt.Session() as session:
        case.check(session)


@pytest.mark.parametrize("sample", [p for p in DIFFERENTIABLE if p.values[0].second_order])
def test_second_gradient_agrees_with_finite_differences(sample: Sample) -> None:
    case = Directional(sample, order=2)
    with dt.Session() as session:
        case.check(session)
