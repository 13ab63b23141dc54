"""An operation that is not core's gets a kernel on the CPU backend by a rule of its own, and falls back without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.extend import Dim, Instruction, Op, Shape, TensorType, basis, primitive
from dovetail.kernels import (
    Apply,
    Assign,
    Buffer,
    Custom,
    Kernel,
    Load,
    Local,
    Loop,
    Node,
    Pointwise,
    Reduce,
    Store,
    computed,
    constant,
    convert_down,
    convert_up,
    loop_symbol,
    rule,
    symbols_in,
)

pytest.importorskip("dovetail_backend_cpu")


@primitive
class Neighbours(Op):
    """Differences of neighbours along the last axis."""

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(x.dtype, Shape([*x.dims[:-1], x.dims[-1] - 1]))

    def reference(self, x: Any) -> Any:
        return x[..., 1:] - x[..., :-1]


@rule(Neighbours)
def _neighbours(op: Neighbours, one: Instruction) -> Pointwise:
    def node(elements: Any, read: Callable[[int, Sequence[Dim]], Node], index: Sequence[Dim]) -> Node:
        *outer, at = index
        left, right = read(0, [*outer, at]), read(0, [*outer, at + 1])
        return Apply(basis.subtract, [right, left], left.dtype)

    return Pointwise(one.inputs, node)


@primitive
class LargestSquare(Op):
    """The largest square of each row."""

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(x.dtype, Shape(x.dims[:1]))

    def reference(self, x: Any) -> Any:
        return (x * x).max(axis=1)


@rule(LargestSquare)
def _largest_square(op: LargestSquare, one: Instruction) -> Reduce:
    def node(elements: Any, read: Callable[[int, Sequence[Dim]], Node], index: Sequence[Dim]) -> Node:
        x = read(0, index)
        return Apply(basis.multiply, [x, x], x.dtype)

    return Reduce(one.inputs, "max", one.inputs[0].type.dims, [1], node)


@primitive
class Decay(Op):
    """Each element of a vector, and half of what came of the element before."""

    def infer(self, x: TensorType) -> TensorType:
        return x

    def reference(self, x: Any) -> Any:
        result, carried = np.empty_like(x), x.dtype.type(0)
        for place, element in enumerate(x):
            result[place] = carried = element + carried * x.dtype.type(0.5)
        return result


@rule(Decay)
def _decay(op: Decay, one: Instruction) -> Custom:
    kind = one.outputs[0].type

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        k, carried = loop_symbol("k"), Local(computed(kind.dtype), "carried")
        halved = Apply(basis.multiply, [carried, constant(0.5, kind.dtype)], carried.dtype)
        after = Apply(basis.add, [convert_up(Load(inputs[0], k), kind.dtype), halved], carried.dtype)
        body = [Store(outputs[0], k, convert_down(after, kind.dtype)), Assign(carried, after)]
        walk = Loop([(k, kind.dims[0])], body, carried=[(carried, constant(0.0, kind.dtype))])
        return Kernel([*inputs, *outputs], symbols_in(*kind.dims), [walk], work=2 * kind.size, label="decay")

    return Custom(one.inputs, build)


@primitive
class Halved(Op):
    """Half of each element; it has no rule."""

    def infer(self, x: TensorType) -> TensorType:
        return x

    def reference(self, x: Any) -> Any:
        return x * x.dtype.type(0.5)


def both(fetch: dt.Tensor, feeds: dict[Any, Any]) -> tuple[Any, Any]:
    """The value of a run on the CPU backend, and on the reference."""
    found = []
    for backend in ("cpu", "reference"):
        with dt.Session(config=dt.ConfigProto(backends={"CPU": backend})) as session:
            found.append(session.run(fetch, feeds))
    return found[0], found[1]


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_elements_of_a_rule_are_computed_where_they_are_read(rows: int, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 9], name="x")
    y = dt.tanh(Neighbours()(x * 2.0)) + 1.0
    explanation = dt.explain(y)
    assert not explanation.fallbacks
    assert len(explanation.kernels) == 1
    native, reference = both(y, {x: rng.normal(size=(rows, 9)).astype(np.float32)})
    np.testing.assert_allclose(native, reference, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", [dt.float64, dt.float16, dt.int32], ids=str)
def test_a_rule_may_be_a_reduction(dtype: dt.DType, rng: np.random.Generator) -> None:
    x = dt.placeholder(dtype, [None, 33], name="x")
    native, reference = both(LargestSquare()(x), {x: rng.integers(-30, 30, (4, 33)).astype(dtype.numpy)})
    np.testing.assert_array_equal(native, reference)


@pytest.mark.parametrize("length", [0, 1, 70])
def test_a_rule_may_be_a_loop_nest(length: int, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    y = Decay()(x)
    assert [one.label for one in dt.explain(y).kernels] == ["decay"]
    native, reference = both(y, {x: rng.normal(size=length).astype(np.float32)})
    np.testing.assert_allclose(native, reference, rtol=1e-6)


def test_what_has_no_rule_falls_back(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    y = dt.exp(Halved()(x))
    assert [row.operation for row in dt.explain(y).fallbacks] == ["Halved"]
    native, reference = both(y, {x: rng.normal(size=6).astype(np.float32)})
    np.testing.assert_allclose(native, reference, rtol=1e-6)
