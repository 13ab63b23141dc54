"""What passes do to bodies: constants flow in, equal work is shared, and nothing is computed for nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from dovetail.compiler.passes import drop_dead, fold, share, simplify
from dovetail.compiler.program import Instruction, Program, ProgramInput, Value, bodies_of, verify
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.compiler.text import equal_programs, parse_program, print_program
from dovetail.extend import composite
from dovetail.ops.loops import Scan, While


def stages(fetches: Any, feed_dict: Any = None) -> dict[str, Program]:
    found: dict[str, Program] = {}
    dt.Session().program(fetches, feed_dict, watch=found.__setitem__)
    for program in found.values():
        verify(program)
    return found


def final(fetches: Any, feed_dict: Any = None) -> Program:
    return stages(fetches, feed_dict)["share"]


def loops(program: Program) -> list[Instruction]:
    return [one for one in program.instructions if isinstance(one.op, Scan | While)]


def names(program: Program) -> list[str]:
    return [one.op.name for one in verify(program).instructions]


def values(program: Program, *arrays: Any) -> list[Any]:
    outputs, status = ReferenceExecutable(program)(arrays, {})
    assert status is None
    return list(outputs)


def test_no_history_is_kept_without_a_gradient() -> None:
    x = dt.placeholder(dt.float32, [5, 3], name="x")
    last = dt.foldl(lambda a, row: dt.tanh(a + row), x, initializer=dt.zeros([3]))
    every = dt.scan(lambda a, row: dt.tanh(a + row), x, initializer=dt.zeros([3]))
    (lowered,) = loops(stages(last)["lower"])
    assert [str(one.type) for one in lowered.outputs] == ["float32[3]", "float32[5, 3]", "int64[5]"]
    assert [[str(one.type) for one in loop.outputs] for loop in loops(final([last, every]))] == [
        ["float32[3]"],
        ["float32[3]", "float32[5, 3]"],
    ]
    (gradient,) = dt.gradients(last, x)
    forward, backward = loops(final(gradient))
    assert [str(one.type) for one in forward.outputs] == ["float32[3]", "float32[5, 3]"]
    assert [str(one.type) for one in backward.outputs] == ["float32[3]", "float32[5, 3]"]


def test_a_gradient_keeps_only_the_history_it_needs() -> None:
    x = dt.placeholder(dt.float32, [3], name="x")

    def body(i: Any, unused: Any, a: Any) -> Any:
        return i + 1, unused * 2.0, a * 3.0

    result = dt.while_loop(lambda i, unused, a: i < 4, body, [0, x, x])
    (forward,) = loops(final(result[2]))
    assert [str(one.type) for one in forward.outputs] == ["int32[]", "float32[3]"]
    gradient = dt.gradients(result[2], x)
    forward, backward = loops(final(gradient))
    assert [str(one.type) for one in forward.outputs] == ["int32[]", "int64[while.data.steps?]"]
    assert len(backward.inputs) == 2
    assert dt.Session().run(gradient, {x: [1.0, 2.0, 3.0]})[0].tolist() == [81.0] * 3


def test_the_index_is_there_only_where_it_is_used() -> None:
    plain = dt.while_loop(lambda i: i < 4, lambda i: i + 1, [0])
    limited = dt.while_loop(lambda i: i < 4, lambda i: i + 1, [0], maximum_iterations=2)
    assert [loop.op.indexed for loop in loops(final([plain, limited]))] == [False, True]


def test_a_scan_that_slices_nothing_knows_its_length() -> None:
    x = dt.placeholder(dt.float32, ["n", 2], name="x")
    powers = dt.foldl(lambda a, row: a * 2.0, x, initializer=dt.constant(1.0))
    (loop,) = loops(final(powers))
    assert isinstance(loop.op, Scan)
    assert (loop.op.xs, str(loop.op.length)) == (0, "n")
    assert dt.Session().run(powers, {x: np.zeros((5, 2))}) == 32.0


def test_a_scan_over_data_keeps_a_slice_for_its_length() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    kept = dt.boolean_mask(x, x > 0.0)
    powers = dt.foldl(lambda a, row: a * 2.0, kept, initializer=dt.constant(1.0))
    (loop,) = loops(final(powers))
    assert isinstance(loop.op, Scan)
    assert loop.op.xs == 1
    assert dt.Session().run(powers, {x: [1.0, -1.0, 3.0]}) == 4.0


def test_variables_that_a_loop_only_writes_stay_outputs() -> None:
    v = dt.Variable(0, name="v")
    last = dt.while_loop(lambda i: i < 4, lambda i: (v.assign(i * 10), i + 1)[1], [0])
    program = final(last)
    assert [one.kind for one in program.outputs] == ["fetch", "state"]
    assert [one.kind for one in program.inputs] == ["state"]


def test_constants_flow_into_bodies() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    factor = dt.constant(2.0) * 3.0
    y = dt.cond(x[0] > 0.0, lambda: x * (factor + 1.0), lambda: x)
    program = final(y)
    cond = program.instructions[-1]
    assert len(cond.inputs) == 2
    assert names(cond.op.attributes()["then_body"]) == ["Constant", "Mul"]


def test_a_condition_on_known_sizes_is_decided_by_folding() -> None:
    x = dt.placeholder(dt.float32, [4], name="x")
    y = dt.cond(dt.shape(x)[0] > 3, lambda: x * 2.0, lambda: x)
    assert names(final(y)) == ["Constant", "Mul"]
    nested = dt.map_fn(lambda one: dt.cond(dt.rank(one) > 0, lambda: one * 2.0, lambda: one), x)
    (loop,) = loops(final(nested))
    assert names(loop.op.attributes()["body"]) == []


def test_bodies_are_simplified_and_shared() -> None:
    x = dt.placeholder(dt.float32, [3, 2], name="x")
    y = dt.map_fn(lambda row: dt.tanh(dt.identity(row)) + dt.tanh(dt.reshape(row, [2])), x)
    program = final(y)
    (loop,) = loops(program)
    assert names(loop.op.attributes()["body"]) == ["Tanh", "Add"]
    rows = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    np.testing.assert_array_equal(values(program, rows)[0], 2 * np.tanh(rows))


def test_passes_leave_what_they_cannot_better_as_it_is() -> None:
    x = dt.placeholder(dt.float32, [3], name="x")
    y = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [0, x])[1]
    program = final(y)
    for rule in (fold, simplify, share, drop_dead):
        assert rule(program) is program


def test_programs_with_bodies_print_and_parse() -> None:
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    y = dt.scan(lambda a, row: dt.cond(row[0] > 0.0, lambda: a + row, lambda: a), x, initializer=dt.zeros([2]))
    program = final([y, *dt.gradients(y, x)])
    text = print_program(program)
    assert equal_programs(verify(parse_program(text)), program)


def test_the_verifier_looks_at_bodies() -> None:
    x = dt.placeholder(dt.float32, [3], name="x")
    y = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [0, x])[1]
    program = final(y)
    (loop,) = loops(program)
    body: Program = loop.op.attributes()["body"]

    def with_body(changed: Program) -> Program:
        one = Instruction(loop.op.replace(body=changed), loop.inputs, loop.outputs, loop.origin)
        return program.replace(instructions=[one if other is loop else other for other in program.instructions])

    with pytest.raises(errors.ProgramError, match="does not take its inputs"):
        verify(with_body(body.replace(outputs=body.outputs[::-1])))
    with pytest.raises(errors.ProgramError, match="does not take its inputs"):
        verify(with_body(body.replace(inputs=[*body.inputs, ProgramInput(Value(x.type), "argument", 9)])))
    with pytest.raises(errors.ProgramError, match="nothing before it makes"):
        verify(with_body(body.replace(inputs=body.inputs[:-1])))


def test_explain_shows_what_loops_cost() -> None:
    x = dt.placeholder(dt.float32, ["n", 4, 3], name="x")
    w = dt.Variable(np.ones((3, 3), np.float32))
    y = dt.foldl(lambda a, row: dt.matmul(a, w) + row, x, initializer=dt.zeros([4, 3]))
    explanation = dt.explain(y, sizes=10)
    row = next(one for one in explanation.rows if one.name == "foldl/Scan")
    assert row.operation == "Scan[carries=1, indexed=False, xs=1]"
    assert row.flops == 10 * (2 * 4 * 3 * 3 + 4 * 3)


def test_what_loops_in_decompositions_compute_comes_from_the_users_line() -> None:
    @composite(name="TestRunningProduct")
    def running_product(x: dt.Tensor) -> dt.Tensor:
        return dt.scan(lambda so_far, one: so_far * one, x)

    found = final(running_product(dt.placeholder(dt.float32, [None, 3])))
    bodies = [body for one in found.instructions for body in bodies_of(one.op).values()]
    assert bodies
    files = {one.origin.source.file for body in bodies for one in body.instructions}
    assert files == {__file__}
