"""Dimensions: canonical form, arithmetic, text form and errors."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.types.dims import (
    Dim,
    FloorDiv,
    Max,
    Min,
    Polynomial,
    Symbol,
    SymbolicDim,
    ceil_div,
    definitely_different,
    definitely_equal,
    dim_max,
    dim_min,
    evaluate,
    floor_div,
    is_nonnegative,
    lower_bound,
    parse_dim,
    product,
    substitute,
    symbols_of,
    upper_bound,
)

n, m, c, k = map(Symbol, "nmck")
SYMBOLS = (n, m, c)

# An expression is a leaf or (operation, left, right); it is computed with ints and with dimensions.
OPERATIONS: dict[str, tuple[Callable[[int, int], int], Callable[[Dim, Dim], Dim]]] = {
    "+": (operator.add, operator.add),
    "-": (operator.sub, operator.sub),
    "*": (operator.mul, operator.mul),
    "//": (operator.floordiv, floor_div),
    "%": (operator.mod, lambda left, right: left - right * floor_div(left, right)),
    "ceil": (lambda left, right: -(-left // right), ceil_div),
    "max": (max, dim_max),
    "min": (min, dim_min),
}
LEAVES = st.one_of(st.sampled_from(SYMBOLS), st.integers(-6, 12))
EXPRESSIONS = st.recursive(
    LEAVES, lambda inner: st.tuples(st.sampled_from(sorted(OPERATIONS)), inner, inner), max_leaves=10
)
BINDINGS = st.fixed_dictionaries({symbol: st.integers(0, 30) for symbol in SYMBOLS})


def build(expression: Any) -> Dim:
    if isinstance(expression, int | SymbolicDim):
        return expression
    name, left, right = expression
    try:
        return OPERATIONS[name][1](build(left), build(right))
    except ShapeError:
        assume(False)
        raise


def compute(expression: Any, bindings: dict[Symbol, int]) -> int:
    if isinstance(expression, Symbol):
        return bindings[expression]
    if isinstance(expression, int):
        return expression
    name, left, right = expression
    try:
        return OPERATIONS[name][0](compute(left, bindings), compute(right, bindings))
    except ZeroDivisionError:
        assume(False)
        raise


@given(EXPRESSIONS, BINDINGS)
def test_the_canonical_form_keeps_the_value(expression: Any, bindings: dict[Symbol, int]) -> None:
    expected = compute(expression, bindings)
    assert evaluate(build(expression), bindings) == expected


@given(EXPRESSIONS)
def test_text_parses_back_to_the_same_dimension(expression: Any) -> None:
    dim = build(expression)
    again = parse_dim(str(dim))
    assert again == dim
    assert hash(again) == hash(dim)
    assert str(again) == str(dim)


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(SYMBOLS), EXPRESSIONS, max_size=3), BINDINGS)
def test_substitution_and_evaluation_commute(
    expression: Any, replacements: dict[Symbol, Any], bindings: dict[Symbol, int]
) -> None:
    values = {symbol: compute(replacements.get(symbol, symbol), bindings) for symbol in SYMBOLS}
    assume(all(value >= 0 for value in values.values()))
    compute(expression, values)
    mapping = {symbol: build(replacement) for symbol, replacement in replacements.items()}
    dim = build(expression)
    try:
        replaced = substitute(dim, mapping)
    except ShapeError:  # a denominator became the constant 0
        assume(False)
        raise
    assert evaluate(replaced, bindings) == evaluate(dim, values)


@given(EXPRESSIONS, BINDINGS)
def test_bounds_hold(expression: Any, bindings: dict[Symbol, int]) -> None:
    value = compute(expression, bindings)
    dim = build(expression)
    low, high = lower_bound(dim), upper_bound(dim)
    assert low is None or low <= value
    assert high is None or value <= high
    assert not is_nonnegative(dim) or value >= 0


@given(EXPRESSIONS, EXPRESSIONS, BINDINGS)
def test_verdicts_on_equality_hold(left: Any, right: Any, bindings: dict[Symbol, int]) -> None:
    equal = compute(left, bindings) == compute(right, bindings)
    one, other = build(left), build(right)
    assert equal or not definitely_equal(one, other)
    assert not (equal and definitely_different(one, other))


@given(EXPRESSIONS)
def test_copying_keeps_a_dimension(expression: Any) -> None:
    dim = build(expression)
    again = copy.deepcopy(dim)
    assert again == dim
    assert hash(again) == hash(dim)


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        (n + 0, n),
        (2 * n - n, n),
        (n - n, 0),
        (n * 0, 0),
        (1 * n, n),
        (0 - n, -n),
        (7 - n + n, 7),
        (n * m, m * n),
        ((n + 1) * (n - 1), n * n - 1),
        ((n + m) + 1, n + (m + 1)),
        (+n, n),
        (-(1 - n), n - 1),
        (np.int64(3) * n, 3 * n),
        (np.int64(3) + n, n + 3),
        (np.int64(3) - n, 3 - n),
        (n * np.int32(2), 2 * n),
    ],
)
def test_sums_and_products_are_canonical(dim: Dim, expected: Dim) -> None:
    assert dim == expected
    assert hash(dim) == hash(expected)
    assert type(dim) is type(expected)


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        ((k * n * m) // k, n * m),
        ((k * n * m) // (m * k), n),
        ((n * c * 3) // c, 3 * n),
        ((n * c * 3) // (3 * c), n),
        ((4 * n + 2) // 2, 2 * n + 1),
        ((n * m + n) // (m + 1), n),
        ((n * n - m * m) // (n - m), n + m),
        ((6 * n) // 4, (3 * n) // 2),
        ((2 * n + 1) // 4, n // 2),
        ((n // 2) // 3, n // 6),
        (((n + 1) // 2 + 1) // 2, (n + 3) // 4),
        ((n - 3) // 2 + 1, (n - 1) // 2),
        (n // 1, n),
        (n // -2, -n // 2),
        ((n * c) // (m * c), n // m),
        ((n * c + m) // c, n + m // c),
        (n // (-m), (-n) // m),
        (n % 1, 0),
        ((4 * n) % 2, 0),
        ((4 * n + 3) % 2, 1),
        ((n * c) % c, 0),
        (7 % n + n * (7 // n), 7),
        (ceil_div(n, 2), (n + 1) // 2),
        (ceil_div(n * c, c), n),
        (ceil_div(4 * n, 4), n),
        (ceil_div(n, m), (m + n - 1) // m),
        (ceil_div(n, m - 4), -((-n) // (m - 4))),
        (ceil_div(n, -2), ceil_div(-n, 2)),
        (ceil_div(7, 2), 4),
        (floor_div(7, -2), -4),
    ],
)
def test_division_simplifies(dim: Dim, expected: Dim) -> None:
    assert dim == expected


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        (dim_max(n, n), n),
        (dim_max(n + 1, n), n + 1),
        (dim_max(n, n + 1, n - 1), n + 1),
        (dim_max(n, 0), n),
        (dim_max(3, 5), 5),
        (dim_max(n, 0, n - 2), n),
        (dim_max(dim_max(n, 3), m), dim_max(m, n, 3)),
        (dim_max(dim_max(n, 3), 5), dim_max(n, 5)),
        (dim_max(dim_min(n, 5), 5), 5),
        (dim_min(n, n + 1), n),
        (dim_min(n, 0), 0),
        (dim_min(3, 5), 3),
        (dim_min(dim_min(n, 3), m), dim_min(3, m, n)),
        (dim_min(dim_max(n, 5), 5), 5),
    ],
)
def test_maximum_and_minimum_simplify(dim: Dim, expected: Dim) -> None:
    assert dim == expected
    assert hash(dim) == hash(expected)


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (n, "n"),
        (2 * n + 1, "2*n + 1"),
        (n - 1, "n - 1"),
        (1 - n, "-n + 1"),
        (n * n * m - 2 * m, "m*n*n - 2*m"),
        ((n + 1) // 2, "(n + 1)//2"),
        (n // (m + 1), "n//(m + 1)"),
        (-(n // 2), "-(n//2)"),
        (m * (n // 2), "m*(n//2)"),
        (n // 2 // m, "(n//2)//m"),
        (dim_max(n - 2, 0), "max(n - 2, 0)"),
        (dim_min(m, n, 5), "min(m, n, 5)"),
        (dim_max(n - 2, 0) // m, "max(n - 2, 0)//m"),
        (Symbol("rows", data_dependent=True) + 1, "rows? + 1"),
    ],
)
def test_text_form(dim: Dim, text: str) -> None:
    assert str(dim) == repr(dim) == text
    assert parse_dim(text) == dim


@pytest.mark.parametrize(
    ("text", "dim"),
    [
        (" 2 * ( n+m ) ", 2 * n + 2 * m),
        ("n*m//m", n),
        ("7 % 4", 3),
        ("n % 2", n % 2),
        ("--n", n),
        ("max + min", Symbol("max") + Symbol("min")),
        ("scope.n_1", Symbol("scope.n_1")),
    ],
)
def test_parsing_reads_more_than_is_printed(text: str, dim: Dim) -> None:
    assert parse_dim(text) == dim


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected a number or a name at position 0"),
        ("n +", "expected a number or a name at position 3"),
        ("n m", "expected an operator at position 2"),
        ("(n", "expected ')' at position 2"),
        ("n $ 2", "expected a number, a name or an operator at position 1"),
        ("max(n", "expected ')' at position 5"),
        ("max()", "expected a number or a name at position 4"),
        ("(" * 200 + "n" + ")" * 200, "expected less nesting at position"),
        ("-" * 200 + "n", "expected less nesting at position"),
        ("1" * 50, "expected an operator at position 40"),
    ],
)
def test_text_that_does_not_parse_is_explained(text: str, expected: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_dim(text)
    assert expected in str(caught.value)
    assert f"{text!r} is no dimension" in str(caught.value)
    assert "Write one such as" in str(caught.value)


@given(st.text("nm0123 +-*/%(),max?.", max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        dim = parse_dim(text)
    except InvalidArgumentError:
        return
    assert parse_dim(str(dim)) == dim


@pytest.mark.parametrize("name", ["", "2n", "a b", "a-b", "a/b", "n?", "größe", None, 3])
def test_a_symbol_needs_a_proper_name(name: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"cannot name a dimension. Use letters, digits") as caught:
        Symbol(name)
    assert repr(name) in str(caught.value)


def test_symbols_are_equal_by_name() -> None:
    assert Symbol("n") == n
    assert Symbol("n", data_dependent=True) == n
    assert n != m
    assert n != "n"
    assert n != 1
    assert len({n, Symbol("n"), m}) == 2
    assert Symbol("n", data_dependent=True).data_dependent
    assert not n.data_dependent
    assert n.name == "n"


def test_a_symbol_is_a_dimension_and_immutable() -> None:
    assert isinstance(n, SymbolicDim)
    with pytest.raises(AttributeError):
        n.name = "m"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        n.extra = 1  # type: ignore[attr-defined]


def test_the_flag_of_a_symbol_survives_text_and_copies() -> None:
    rows = Symbol("rows", data_dependent=True)
    for again in (parse_dim(str(2 * rows)), copy.deepcopy(2 * rows)):
        (symbol,) = symbols_of(again)
        assert symbol.data_dependent


def test_the_structure_can_be_walked() -> None:
    quotient, greatest, least, polynomial = (n + 1) // 2, dim_max(n, m), dim_min(n, 4), 2 * n * m + 1
    assert isinstance(quotient, FloorDiv)
    assert (quotient.numerator, quotient.denominator) == (n + 1, 2)
    assert isinstance(greatest, Max)
    assert greatest.args == (m, n)
    assert isinstance(least, Min)
    assert least.args == (n, 4)
    assert isinstance(polynomial, Polynomial)
    assert polynomial.terms == (((m, n), 2), ((), 1))
    assert n.terms == (((n,), 1),)


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda: n < 3, "n < 3"),
        (lambda: n <= m, "n <= m"),
        (lambda: n + 1 > 3, "n + 1 > 3"),
        (lambda: np.int64(3) < n, "n > 3"),
        (lambda: n >= 3, "n >= 3"),
        (lambda: bool(n), "bool(n)"),
        (lambda: int(2 * n), "int(2*n)"),
        (lambda: range(n), "int(n)"),
        (lambda: [1, 2][n], "int(n)"),
        (lambda: np.zeros(n), "int(n)"),
    ],
)
def test_asking_for_the_value_is_explained(ask: Callable[[], Any], what: str) -> None:
    with pytest.raises(ShapeError) as caught:
        ask()
    message = str(caught.value)
    assert message.startswith(f"{what} has no answer yet: the dimension ")
    assert "is unknown until it is fed. Compute with the dimension itself" in message


@pytest.mark.parametrize("function", [floor_div, ceil_div])
def test_division_by_zero_is_explained(function: Callable[[Dim, Dim], Dim]) -> None:
    for numerator in (n, 3, 0):
        with pytest.raises(ShapeError, match=rf"^{numerator} is divided by 0\. Divide by a size of at least 1\.$"):
            function(numerator, 0)


def test_other_operands_get_their_turn() -> None:
    class Other:
        def __radd__(self, left: Any) -> str:
            return f"{left} and more"

    assert str(n + Other()) == "n and more"
    for operation in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod):
        with pytest.raises(TypeError):
            operation(n, object())
        with pytest.raises(TypeError):
            operation(1.5, n)


def test_nothing_has_no_extreme() -> None:
    with pytest.raises(InvalidArgumentError, match=r"The maximum of no dimensions is undefined. Give at least one."):
        dim_max()
    with pytest.raises(InvalidArgumentError, match=r"The minimum of no dimensions is undefined. Give at least one."):
        dim_min()


def test_product_of_dimensions() -> None:
    assert product([]) == 1
    assert product([2, n, 3, m]) == 6 * n * m


def test_symbols_of_a_dimension() -> None:
    assert symbols_of(3) == frozenset()
    assert symbols_of(dim_max((n * m + 1) // c, 4) * k) == {n, m, c, k}


def test_substitution_is_simultaneous() -> None:
    assert substitute(n + 2 * m, {n: m, m: n}) == m + 2 * n
    assert substitute(dim_max(n, m), {n: 3, m: 4}) == 4
    assert substitute(dim_min(n, m), {n: 3, m: 4}) == 3
    assert substitute(n * m, {}) == n * m
    assert substitute(5, {n: 1}) == 5


@pytest.mark.parametrize(
    ("left", "right", "different"),
    [
        (n + 1, n, True),
        (n, n, False),
        (n, m, False),
        (n, 0, False),
        (n + 1, 0, True),
        (dim_min(n, 4), 5, True),
        (3, 4, True),
        (3, 3, False),
    ],
)
def test_what_is_sure_to_differ(left: Dim, right: Dim, different: bool) -> None:
    assert definitely_different(left, right) is different
    assert definitely_different(right, left) is different


@pytest.mark.parametrize(
    ("dim", "sure"),
    [
        (0, True),
        (-1, False),
        (n, True),
        (n * m + 1, True),
        (n - 1, False),
        (dim_max(n, 1) - 1, True),
        (dim_max(n - 5, 0), True),
        (5 - dim_min(n, 5), True),
        (n // m, True),
        ((n - 1) // 2, False),
        ((n - 1) * (n // 2), False),
        (dim_max(n, 2) * dim_max(m, 3) - 6, True),
        (n // dim_min(m, 4), True),
        (n // (m - 4), False),
    ],
)
def test_what_is_sure_to_be_nonnegative(dim: Dim, sure: bool) -> None:
    assert is_nonnegative(dim) is sure


def test_bounds_of_quotients_and_products() -> None:
    assert upper_bound(dim_min(n, 9) // 2) == 4
    assert upper_bound(dim_min(n, 9) // m) == 9
    assert upper_bound(dim_min(n, 3) * dim_min(m, 4)) == 12
    assert upper_bound(dim_max(dim_min(n, 3), 7 - m)) == 7
    assert lower_bound(n // 2 + 3) == 3
    assert lower_bound((n - 5) // m) is None


def test_a_symbol_without_a_value_is_named() -> None:
    with pytest.raises(ShapeError) as caught:
        evaluate(2 * n + c, {c: 1, m: 2})
    assert str(caught.value) == (
        "The dimension n has no value (known: c, m). Feed a tensor whose shape holds it, or bind it."
    )
    with pytest.raises(ShapeError, match=r"known: none"):
        evaluate(n, {})


def test_a_denominator_that_is_fed_as_zero_is_named() -> None:
    with pytest.raises(ShapeError, match=r"n//m divides by m, which is 0 here\. Feed a size of at least 1\."):
        evaluate(n // m, {n: 3, m: 0})


def test_evaluation_gives_python_ints() -> None:
    assert type(evaluate(n, {n: np.int64(3)})) is int  # type: ignore[dict-item]
