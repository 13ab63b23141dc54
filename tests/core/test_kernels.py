"""What programs become for compiling backends: which values are kept, what is computed together, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.kernels.fusion import Fusion
from dovetail.compiler.kernels.indices import coefficient, linear, reindex, unraveled
from dovetail.compiler.plan import divide
from dovetail.extend import Op, Symbol, TensorType, definitions, primitive
from dovetail.kernels import (
    Kernel,
    Loop,
    Pointwise,
    Reduction,
    Repeat,
    Schedule,
    Step,
    Store,
    Template,
    donations,
    has_kernels,
    launches,
    plan_memory,
    rule,
    schedule,
    task_text,
)

i, j, n = Symbol("i"), Symbol("j"), Symbol("n")


def made(fetches: Any, feeds: Any = None) -> tuple[Schedule, Any]:
    """The schedule of a run, with variables written in place; and its program."""
    session = dt.Session()
    program = session.program(fetches, feeds)
    ((_, part),) = divide(program, session.devices)
    return schedule(part, donations(part)), part


def tasks(found: Schedule) -> list[Kernel | Template]:
    return [one.task for one in launches(found.steps)]


def statements(body: Any) -> Iterator[Any]:
    for one in body:
        yield one
        if isinstance(one, Loop):
            yield from statements(one.body)


def all_repeats(steps: Any) -> list[Repeat]:
    return [one for one in steps if isinstance(one, Repeat)]


# Indices. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "dims", "wanted", "expected"),
    [
        ((i, j), (4, 6), (4, 6), (i, j)),
        ((i, j), (n, 6), (n, 2, 3), (i, j // 3, j - 3 * (j // 3))),
        ((i, j), (n, 3), (3 * n,), (3 * i + j,)),
        ((i, j), (n, 3), (1, n, 1, 3), (0, i, 0, j)),
        ((), (), (1, 1), (0, 0)),
        ((0, 0), (1, 1), (), ()),
    ],
)
def test_axes_are_divided_only_where_shapes_divide_them(index: Any, dims: Any, wanted: Any, expected: Any) -> None:
    assert reindex(index, dims, wanted) == expected


def test_reshaping_there_and_back_is_the_same_offset() -> None:
    dims, other = (n * 128, 32), (n, 128, 4, 8)
    assert linear(reindex((i, j), dims, other), other) == linear((i, j), dims)
    for offset in range(24):
        assert linear(unraveled(offset, (2, 3, 4)), (2, 3, 4)) == offset


def test_factors_of_symbols() -> None:
    assert coefficient(n * i + 3 * j + 1, i) == n
    assert coefficient(n, i) == 0
    assert coefficient(i // 2, i) is None
    assert coefficient(i * i, i) is None


# What is computed together. ------------------------------------------------------------------------------------------


def test_a_chain_of_elements_is_one_kernel_without_memory_between() -> None:
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    found, _ = made(dt.tanh(dt.exp(x) * 2.0 + dt.transpose(dt.transpose(x)))[:, ::2])
    assert len(tasks(found)) == 1
    assert not found.lifetimes


def test_bias_and_activation_follow_a_product_in_registers() -> None:
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    w, b = dt.Variable(np.ones((8, 4), np.float32)), dt.Variable(np.zeros(4, np.float32))
    found, _ = made(dt.maximum(dt.matmul(x, w.value()) + b.value(), 0.0))
    (task,) = tasks(found)
    assert isinstance(task, Template)
    assert isinstance(task.op, definitions.MatMul)
    assert [type(one) for one in task.epilogue.body].count(Store) == 1
    assert task.packed == (False, True)


def test_softmax_is_one_pass_over_each_row() -> None:
    x = dt.placeholder(dt.float32, [None, 10], name="x")
    shifted = x - dt.reduce_max(x, 1, keepdims=True)
    powers = dt.exp(shifted)
    found, _ = made(powers / dt.reduce_sum(powers, 1, keepdims=True))
    (task,) = tasks(found)
    assert isinstance(task, Kernel)
    (rows,) = task.body
    assert isinstance(rows, Loop)
    assert rows.kind == "parallel"
    assert sum(isinstance(one, Reduction) for one in rows.body) == 2
    assert [buffer.role for buffer in task.buffers] == ["in", "out", "scratch"]


def test_sums_over_the_batch_are_divided_into_blocks_and_share_their_pass() -> None:
    x = dt.placeholder(dt.float32, [None, 16], name="x")
    found, _ = made([dt.reduce_sum(x, 0), dt.reduce_sum(x * x, 0)])
    first, *rest = tasks(found)
    assert isinstance(first, Kernel)
    reductions = [one for one in statements(first.body) if isinstance(one, Reduction)]
    assert [len(one.results) for one in reductions] == [2]
    assert len(rest) <= 2


def test_equal_layers_share_their_kernels() -> None:
    x = dt.placeholder(dt.float32, [None, 16], name="x")
    for _ in range(4):
        x = dt.tanh(dt.matmul(x, dt.Variable(np.eye(16, dtype=np.float32)).value()))
    found, _ = made(x)
    texts = [task_text(one) for one in tasks(found)]
    assert len(texts) == 4
    assert len(set(texts)) <= 2  # the first reads a feed, where the others read what one of them made


def test_a_training_step_writes_every_variable_in_place_in_few_kernels() -> None:
    x = dt.placeholder(dt.float32, [None, 20], name="x")
    label = dt.placeholder(dt.int64, [None], name="label")
    hidden = dt.layers.dense(x, 32, activation="relu")
    hidden = dt.layers.batch_normalization(hidden, training=True)
    scores = dt.layers.dense(hidden, 10)
    loss = dt.losses.sparse_softmax_cross_entropy(labels=label, logits=scores)
    found, part = made([loss, dt.train.AdamOptimizer(0.01).minimize(loss)])
    written = [storage for storage in found.outputs if storage.role == "state"]
    assert len(written) == len(donations(part)) == len(dt.global_variables())
    assert len(tasks(found)) <= 40
    products = [one for one in tasks(found) if isinstance(one, Template)]
    assert len(products) == 5  # two forward, two for the kernels, one between; updates ride on them


def test_all_that_can_fail_comes_before_anything_is_written() -> None:
    table = dt.Variable(np.ones((4, 2), np.float32))
    other = dt.Variable(np.ones(2, np.float32))
    index = dt.placeholder(dt.int32, [None], name="index")
    early = dt.assign_add(other, dt.constant([1.0, 1.0]))
    picked = dt.reduce_sum(dt.gather(table.value(), index))
    found, _ = made([early.op, picked])
    failing = [number for number, step in enumerate(found.steps) if step.task.can_fail]
    assert failing
    assert max(failing) < found.commit


@pytest.mark.parametrize("dtype", [dt.float32, dt.float16])
def test_rows_are_added_to_tables_in_place_after_all_indices_are_checked(dtype: dt.DType) -> None:
    index, rows = dt.placeholder(dt.int32, [None], name="index"), dt.placeholder(dtype, [None, 3], name="rows")
    tables = [dt.Variable(np.ones((4, 3)), dtype=dtype) for _ in range(2)]
    picked = dt.reduce_sum(dt.gather(tables[0].value(), index))
    steps = [dt.scatter_add(tables[0], index, rows).op, dt.scatter_update(tables[1], index, rows).op]
    found, _ = made([picked, *steps])
    in_place = dtype is dt.float32  # halves are summed in float32, beside the table
    assert [one.role for one in found.outputs[1:]] == ["state" if in_place else "output"] * 2
    writers = [
        (number, step)
        for number, step in enumerate(found.steps)
        if any(
            view is not None and view.storage in found.outputs[1:] and buffer.role != "in"
            for buffer, view in zip(step.task.buffers, step.buffers, strict=True)
        )
    ]
    assert len(writers) == 2
    assert all((len(step.buffers) == 3) == in_place for _, step in writers)  # indices, rows, table
    if in_place:
        assert [number for number, _ in writers] == [found.commit, found.commit + 1]


def test_a_table_that_is_its_own_update_is_not_written_over() -> None:
    table = dt.Variable(np.ones((4, 4), np.float32))
    index = dt.placeholder(dt.int32, [4], name="index")
    found, _ = made(dt.scatter_add(table, index, table.value()).op)
    assert [one.role for one in found.outputs] == ["output"]


def test_old_values_are_read_before_new_ones_are_written() -> None:
    weight = dt.Variable(np.ones((8, 8), np.float32))
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    loss = dt.reduce_sum(dt.square(dt.matmul(dt.matmul(x, weight.value()), weight.value())))
    (gradient,) = dt.gradients(loss, [weight])
    found, _ = made(dt.assign_sub(weight, gradient * 0.1).op)
    (state,) = (storage for storage in found.inputs if storage.role == "state")
    users = [
        number
        for number, step in enumerate(found.steps)
        if any(view is not None and view.storage is state for view in step.buffers)
    ]
    assert users[-1] == len(found.steps) - 1
    assert found.commit == users[-1]


def test_variables_that_trade_values_do_not_write_over_each_other() -> None:
    a, b = dt.Variable(np.ones((2, 2), np.float32)), dt.Variable(np.zeros((2, 2), np.float32))
    old_a, old_b = a.value(), b.value()
    turned, _ = made([dt.assign(a, dt.transpose(old_b)).op, dt.assign(b, dt.transpose(old_a)).op])
    assert sorted(one.role for one in turned.outputs) != ["state", "state"]


# Loops. --------------------------------------------------------------------------------------------------------------


def test_a_scan_is_a_repeat_whose_carries_trade_places() -> None:
    x = dt.placeholder(dt.float32, [5, None, 4], name="x")
    w = dt.Variable(np.eye(4, dtype=np.float32)).value()
    states = dt.scan(lambda h, one: dt.tanh(dt.matmul(h, w) + one), x, initializer=x[0])
    found, _ = made(states)
    (repeat,) = all_repeats(found.steps)
    assert repeat.length == 5
    assert len(repeat.swaps) == 1
    (step,) = repeat.steps
    assert isinstance(step.task, Template)
    assert step.task.packed == (False, True)
    pair = repeat.swaps[0]
    assert found.lifetimes[pair[0]] == found.lifetimes[pair[1]]


def test_a_loop_inside_a_loop_has_its_carries_in_the_arena() -> None:
    def inner(k: Any, total: Any) -> Any:
        return k + 1, total * 2.0

    def outer(k: Any, total: Any) -> Any:
        return k + 1, dt.while_loop(lambda k, t: k < 2, inner, [0, total])[1]

    found, _ = made(dt.while_loop(lambda k, t: k < 3, outer, [0, dt.placeholder(dt.float32, [4], name="x")])[1])
    (repeat,) = all_repeats(found.steps)

    def storages(steps: tuple[Step, ...]) -> Iterator[Any]:
        for one in all_repeats(steps):
            yield from (storage for pair in one.swaps for storage in pair)
            yield from storages(one.steps)

    carried = list(storages(found.steps))
    assert len(carried) == 8
    assert set(carried) <= set(found.lifetimes)
    assert repeat.condition is not None


def test_memory_is_shared_by_what_is_not_needed_at_one_time() -> None:
    x = dt.placeholder(dt.float32, [64, 64], name="x")
    w = dt.placeholder(dt.float32, [64, 64], name="w")
    for _ in range(10):
        x = dt.matmul(x, w)
    found, _ = made(x)
    assert plan_memory(found, {}).total == 2 * 64 * 64 * 4


def test_sizes_may_have_any_name() -> None:
    """Users name sizes; loop variables have names of their own."""
    x = dt.placeholder(dt.float32, ["n", "i0", "j0", 2], name="x")
    pooled = dt.reduce_max(x, 3) + dt.reduce_sum(dt.square(x), 3)
    (gradient,) = dt.gradients(dt.cumsum(pooled, 1), x)
    for task in tasks(made([pooled, gradient])[0]):
        assert set(task.sizes) <= {Symbol("n"), Symbol("i0"), Symbol("j0")}
        assert task.sizes or not any(buffer.size != 1 for buffer in task.buffers)


# What has kernels. ---------------------------------------------------------------------------------------------------


def test_strings_and_sizes_that_only_a_run_knows_have_no_kernels() -> None:
    floats = TensorType(dt.float32, dt.TensorShape([3]))
    assert has_kernels(definitions.Reshape((3, 1)), [floats])
    assert not has_kernels(definitions.Reshape((3, 1)), [TensorType(dt.string, dt.TensorShape([3]))])
    assert not has_kernels(definitions.Unique("unique.0", dt.int32), [floats])
    assert not has_kernels(definitions.Reshape((3, 1)), [TensorType(dt.float32, dt.TensorShape(None))])


def test_an_operation_of_others_gets_kernels_by_a_rule() -> None:
    @primitive
    class Interleave(Op):
        """Elements of two vectors in turn."""

        def infer(self, a: TensorType, b: TensorType) -> TensorType:
            return TensorType(a.dtype, dt.TensorShape([a.dims[0] + b.dims[0]]))

        def reference(self, a: Any, b: Any) -> Any:
            return np.stack([a, b], 1).reshape(-1)

    types = [TensorType(dt.float32, dt.TensorShape([3]))] * 2
    assert not has_kernels(Interleave(), types)

    @rule(Interleave)
    def _interleave(op: Interleave, one: Any) -> Pointwise:
        from dovetail.kernels import Choose

        def node(elements: Any, read: Any, index: Any) -> Any:
            at = index[0] // 2
            return Choose([2 * at - index[0]], read(0, [at]), read(1, [at]))

        return Pointwise(one.inputs, node, guards=True)

    assert has_kernels(Interleave(), types)
    x = dt.placeholder(dt.float32, [3], name="x")
    found, _ = made(Interleave()(x, x * 2.0) + 1.0)
    assert len(tasks(found)) == 1


def test_texts_of_kernels_tell_them_apart() -> None:
    x = dt.placeholder(dt.float32, [None, 4], name="x")
    texts = {task_text(tasks(made(one)[0])[0]) for one in (x + 1.0, x + 2.0, x * 1.0 + 1.0, dt.reduce_sum(x, 1))}
    assert len(texts) == 4
    again = made(x + 1.0)[0]
    assert task_text(tasks(again)[0]) in texts


def test_units_say_what_they_compute() -> None:
    x = dt.placeholder(dt.float32, [None, 4], name="x")
    _, part = made(dt.exp(x))
    assert repr(Fusion(part).units[0]).startswith("<Unit map [")
