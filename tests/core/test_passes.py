"""Passes: what they do to a program, and that values stay; the text form; the verifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from dovetail.compiler.lower import lower
from dovetail.compiler.passes import decompose_composites, fold, share, simplify
from dovetail.compiler.program import Instruction, Program, Value, prune, verify
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.compiler.text import equal_programs, parse_program, print_program
from dovetail.graph.operation import Tensor
from dovetail.types.dims import Symbol


def lowered(*fetches: Tensor) -> Program:
    session = dt.Session()
    stages: dict[str, Program] = {}
    session.program(list(fetches), watch=stages.__setitem__)
    return stages["lower"]


def names(program: Program) -> list[str]:
    return [one.op.name for one in verify(program).instructions]


def values(program: Program, *arrays: Any, **sizes: int) -> list[Any]:
    outputs, status = ReferenceExecutable(program)(arrays, {Symbol(name): size for name, size in sizes.items()})
    assert status is None
    return list(outputs)


def test_fold_computes_what_depends_on_constants_alone() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    y = x + dt.sqrt(dt.constant([4.0, 9.0]) * 4.0)
    before = lowered(y)
    after = fold(before)
    assert names(after) == ["Constant", "Add"]
    np.testing.assert_array_equal(values(before, np.ones(2, np.float32))[0], values(after, np.ones(2, np.float32))[0])


def test_fold_makes_nothing_large() -> None:
    big = dt.reduce_sum(dt.exp(dt.zeros([1000, 1000])))
    assert "Exp" in names(fold(lowered(big)))


def test_fold_leaves_what_fails_to_fail_when_it_runs() -> None:
    x = dt.floordiv(dt.constant(1), dt.constant(0))
    assert "Constant" in names(fold(lowered(x)))
    with dt.Session() as session, pytest.raises(errors.OperationError, match=r"zero.*made at .*test_passes"):
        session.run(x)


def test_fold_knows_sizes() -> None:
    x = dt.placeholder(dt.float32, ["n", 3], name="x")
    assert names(fold(lowered(dt.shape(x) * 2))) == ["Dims"]
    static = dt.placeholder(dt.float32, [4, 3], name="static")
    assert names(fold(lowered(dt.shape(static) * 2))) == ["Constant"]


def test_fold_knows_sizes_that_form_a_matrix() -> None:
    x = dt.placeholder(dt.float32, ["n", 3], name="x")
    program = fold(lowered(dt.add(dt.expand_dims(dt.shape(x), 1), [0, 1])))
    assert names(program) == ["Dims", "Reshape"]
    np.testing.assert_array_equal(values(program, n=5)[0], [[5, 6], [3, 4]])


def test_share_computes_once_what_is_equal() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    program = lowered(dt.tanh(x * 2.0) + dt.tanh(x * 2.0))
    assert names(share(program)).count("Tanh") == 1
    assert (
        values(share(program), np.ones(2, np.float32))[0].tolist()
        == values(program, np.ones(2, np.float32))[0].tolist()
    )


def test_share_keeps_random_operations_apart() -> None:
    a = dt.random_uniform([3], seed=1)
    b = dt.random_uniform([3], seed=2)
    with dt.Session() as session:
        first, second = session.run([a, b])
    assert not np.array_equal(first, second)


def test_simplify_drops_what_gives_back_its_input() -> None:
    x = dt.placeholder(dt.float32, [2, 3], name="x")
    y = dt.reshape(dt.identity(dt.cast(dt.transpose(x, [0, 1]), dt.float32)), [2, 3]) + 1.0
    assert names(simplify(fold(lowered(y)))) == ["Constant", "Add"]


def test_simplify_drops_writes_of_the_value_that_is_there() -> None:
    w = dt.Variable([1.0])
    same = w.assign(dt.identity(w))
    program = simplify(lowered(same))
    assert [one.kind for one in program.outputs] == ["fetch"]


def test_decompose_keeps_what_the_backend_wants() -> None:
    x = dt.placeholder(dt.float32, [None, 4], name="x")
    program = lowered(dt.reduce_mean(x))
    composite = next(one.op for one in program.instructions if one.op.kind == "composite")
    assert all(one.op.kind != "composite" for one in decompose_composites(program).instructions)
    kept = decompose_composites(program, keeps=lambda op: op == composite)
    assert composite in [one.op for one in kept.instructions]


def test_prune_drops_what_nobody_takes() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    program = lowered(x + 1.0, dt.exp(x))
    assert names(prune(program.replace(outputs=program.outputs[:1]))) == ["Constant", "Add"]


def test_the_verifier_finds_broken_programs() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    program = lowered(dt.exp(x) * 2.0)
    reversed_program = program.replace(instructions=program.instructions[::-1])
    with pytest.raises(errors.ProgramError, match="which nothing before it makes"):
        verify(reversed_program)
    one = program.instructions[0]
    wrong = Instruction(one.op, one.inputs, [Value(dt.constant([1, 2, 3]).type)], one.origin)
    with pytest.raises(errors.ProgramError, match=r"output 0 is int32\[3\]; its operation gives float32\[2\]"):
        verify(program.replace(instructions=[wrong]))
    with pytest.raises(errors.ProgramError, match="which nothing makes"):
        verify(program.replace(instructions=()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('program main {\n  %0: float32[2] = Nothing {} at "a" f.py:1\n}', "line 2.*no operation 'Nothing'"),
        ('program main {\n  fetch %3 "y:0"\n}', "line 2.*names '%3'"),
        ('program main {\n  input %0: float32[2] feed "x:0"', "ends before"),
        ("nonsense", "line 1: expected `program NAME {`"),
        ("program main {\n  what is this\n}", "line 2: 'what is this' is no input"),
    ],
)
def test_text_that_does_not_parse_gives_the_line(text: str, message: str) -> None:
    with pytest.raises(errors.ProgramError, match=message):
        parse_program(text)


def test_text_round_trip_with_state_bodies_and_constraints() -> None:
    w = dt.Variable(np.ones((3, 2), np.float32), name="w")
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    y = dt.placeholder(dt.float32, [None, 2], name="y")
    flag = dt.placeholder(dt.bool, [None], name="flag")
    z = dt.matmul(x, w) + y
    z = dt.cond(dt.reduce_all(flag), lambda: z * 2.0, lambda: z)
    program = lowered(z, w.assign_add(dt.zeros([3, 2])))
    text = print_program(program)
    assert "require broadcast" in text
    assert "program body0" in text
    assert 'state "w"' in text
    again = parse_program(text)
    assert equal_programs(verify(again), program)


def test_a_program_of_a_graph_without_a_session() -> None:
    x = dt.constant(2.0)
    assert "Mul" in str(lower(dt.get_default_graph(), [x * x]))


def test_a_composite_that_draws_random_numbers_is_refused() -> None:
    from dovetail.extend import composite

    @composite
    def test_noisy(x: Tensor) -> Tensor:
        """Adds noise within, which it must not."""
        noisy: Tensor = x + dt.random_uniform([2])
        return noisy

    y = test_noisy(dt.placeholder(dt.float32, [2], name="x"))
    with (
        dt.Session() as session,
        pytest.raises(errors.GraphError, match=r"the composite TestNoisy draws random numbers"),
    ):
        session.run(y, {"x:0": [1.0, 2.0]})
