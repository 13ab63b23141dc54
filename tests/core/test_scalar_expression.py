"""Scalar expressions as data: building, sharing, printing, reading."""

from __future__ import annotations

import copy
import gc
import math
import pickle  # noqa: TID251  (written and read here)
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops.scalar import (
    BASIS,
    Apply,
    Convert,
    Expression,
    Input,
    Literal,
    as_expression,
    inputs_of,
    nodes_of,
    parse_expression,
    rename_inputs,
    substitute_inputs,
    trace,
)
from dovetail.ops.scalar.basis import absolute, equal, exp, log1p, maximum, negative, select

x, y = Input(0), Input(1)

literals = st.one_of(st.booleans(), st.integers(), st.floats()).map(Literal)
leaves = st.one_of(st.integers(0, 12).map(Input), literals)


def applications(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def apply(name: str) -> st.SearchStrategy[Expression]:
        function = BASIS[name]
        return st.tuples(*[children] * function.arity).map(lambda args: Apply(function, args))

    converted = st.tuples(st.sampled_from(["float32", "bfloat16", "int8", "bool"]), children)
    return st.one_of(st.sampled_from(sorted(BASIS)).flatmap(apply), converted.map(lambda pair: Convert(*pair)))


@given(st.recursive(leaves, applications, max_leaves=40))
def test_text_reads_back_as_the_same_object(expression: Expression) -> None:
    parse_expression.cache_clear()
    assert parse_expression(str(expression)) is expression


@given(st.recursive(leaves, applications, max_leaves=10))
def test_pickles_and_copies_are_the_same_object(expression: Expression) -> None:
    assert pickle.loads(pickle.dumps(expression)) is expression
    assert copy.deepcopy(expression) is expression
    assert copy.copy(expression) is expression


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("x0+x1*x2", "x0 + x1 * x2"),
        ("(x0+x1)*x2", "(x0 + x1) * x2"),
        ("x0-(x1-x2)", "x0 - (x1 - x2)"),
        ("x0-x1-x2", "x0 - x1 - x2"),
        ("x0**x1**x2", "x0 ** x1 ** x2"),
        ("(x0**x1)**x2", "(x0 ** x1) ** x2"),
        ("-x0**2.0", "-x0 ** 2.0"),
        ("(-x0)**2.0", "(-x0) ** 2.0"),
        ("-2.0**x0", "-2.0 ** x0"),
        ("(-2.0)**x0", "(-2.0) ** x0"),
        ("x0**-2.0", "x0 ** -2.0"),
        ("- 2.0", "-2.0"),
        ("negative(2.0)", "negative(2.0)"),
        ("--2.0", "--2.0"),
        ("x0 // x1 % x2", "x0 // x1 % x2"),
        ("~(x0 < x1) & (x2 == x3) | x4", "~(x0 < x1) & (x2 == x3) | x4"),
        ("(x0 < x1) == x2", "(x0 < x1) == x2"),
        ("select(x0 > 0.0, 1e-7, -inf)", "select(x0 > 0.0, 1e-07, -inf)"),
        ("cast(x0, float32) + nan", "cast(x0, float32) + nan"),
        ("a = exp(x0); a * a", "exp(x0) * exp(x0)"),
    ],
)
def test_printing_keeps_pythons_precedence(text: str, printed: str) -> None:
    assert str(parse_expression(text)) == printed
    assert parse_expression(printed) is parse_expression(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a number, a name or a parenthesis at position 0"),
        ("x0 +", "expected a number, a name or a parenthesis at position 4"),
        ("x0 x1", "expected an operator or the end at position 3"),
        ("(x0", "expected '[)]' at position 3"),
        ("exq(x0)", r"'exq' is no basis function \(did you mean 'exp'\?\) at position 0"),
        ("exp(x0, x1)", "exp takes 1 argument, 2 given"),
        ("x0 < x1 < x2", "comparisons do not chain"),
        ("cast(x0, float31)", "expected a dtype at position 9"),
        ("cast(x0, string)", "no conversion to string"),
        ("x0 $ x1", "unexpected character at position 2"),
        ("x0 = x1; x0", "the name 'x0' is taken"),
        ("t0 = x1; t0 = x2; t0", "the name 't0' is taken"),
        ("t0 = x1", "expected ';'"),
    ],
)
def test_malformed_text_names_the_position(text: str, message: str) -> None:
    with pytest.raises((InvalidArgumentError, DTypeError), match=message):
        parse_expression(text)


def test_equal_expressions_are_one_object() -> None:
    assert exp(x) * 2.0 is exp(Input(0)) * 2.0
    assert x + y is not y + x
    assert Literal(1) is not Literal(1.0)
    assert Literal(1) is not Literal(True)
    assert Literal(0.0) is not Literal(-0.0)
    assert Literal(math.nan) is Literal(float("-nan"))
    assert Literal(np.float32(0.1)) is Literal(float(np.float32(0.1)))


def test_unused_expressions_are_forgotten() -> None:
    from dovetail.ops.scalar import expression

    gc.collect()
    before = len(expression._interned)
    kept = [Input(1000 + i) * 2.5 for i in range(50)]
    assert len(expression._interned) >= before + 100
    del kept
    gc.collect()
    assert len(expression._interned) <= before + 1


def test_threads_agree_on_one_object() -> None:
    made: list[list[Expression]] = []

    def build() -> None:
        made.append([exp(Input(5000 + i) + float(i)) for i in range(200)])

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in made[1:]:
        assert all(a is b for a, b in zip(made[0], other, strict=True))


def test_a_python_function_traces() -> None:
    softplus = trace(lambda x: maximum(x, 0.0) + log1p(exp(-absolute(x))), 1)
    assert str(softplus) == "maximum(x0, 0.0) + log1p(exp(-absolute(x0)))"
    assert str(trace(lambda a, b: (1 - a) / (2 // b) % 3 - 4**a, 2)) == "(1 - x0) / (2 // x1) % 3 - 4 ** x0"
    logic = trace(lambda a, b: ~(a < 1) & True | (True ^ (b >= 2)) | (True & (a <= b)) | (False | (a > b)), 2)
    assert parse_expression(str(logic)) is logic
    assert str(abs(-x)) == "absolute(-x0)"
    assert trace(lambda: 2, 0) is Literal(2)


def test_misuse_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"x0 > 0.0 has no truth value; use select"):
        bool(x > 0.0)
    with pytest.raises(AttributeError, match="immutable"):
        x.index = 3  # type: ignore[misc]
    with pytest.raises(InvalidArgumentError, match="integer from 0 up, not -1"):
        Input(-1)
    with pytest.raises(DTypeError, match="not str"):
        as_expression("x0")  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="scalar function returns a scalar expression"):
        trace(lambda x: [x], 1)  # type: ignore[arg-type, return-value]
    with pytest.raises(InvalidArgumentError, match="select takes 3 arguments, 2 given"):
        select(x, y)


def test_inputs_are_found_renamed_and_replaced() -> None:
    expression = Input(4) * x + exp(Input(4))
    assert inputs_of(expression) == (0, 4)
    assert str(rename_inputs(expression, {4: 1})) == "x1 * x0 + exp(x1)"
    assert str(substitute_inputs(x * x - y, [y, 2.0])) == "x1 * x1 - 2.0"
    with pytest.raises(InvalidArgumentError, match="mentions x4, but 2 values are given"):
        substitute_inputs(expression, [x, y])


def test_sharing_keeps_size_and_text_small() -> None:
    expression: Expression = x
    for _ in range(200):
        expression = expression * expression + 1.0
    assert len(nodes_of(expression)) == 402
    text = str(expression)
    assert len(text) < 10_000
    assert parse_expression(text) is expression


def test_deep_expressions_print_and_read() -> None:
    expression: Expression = x
    for _ in range(3000):
        expression = exp(expression)
    assert parse_expression(str(expression)) is expression
    chain: Expression = x
    for _ in range(3000):
        chain = chain - 1.0
    assert parse_expression(str(chain)) is chain


def test_the_table_is_whole() -> None:
    for name, function in BASIS.items():
        assert function.name == name
        assert function.arity == len(function.derivatives) > 0
        assert function.doc
    assert equal(x, 1).function is BASIS["equal"]  # type: ignore[attr-defined]
    assert repr(negative) == "<basis function negative>"
    assert repr(x + 1) == "<scalar expression 'x0 + 1'>"
