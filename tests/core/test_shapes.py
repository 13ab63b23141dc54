"""Shapes, types of tensors, constraints, broadcasting and axes."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.types.dims import Dim, Symbol, dim_max, dim_min
from dovetail.types.dtypes import bool_, float32, int64
from dovetail.types.shapes import (
    Constraint,
    Shape,
    TensorType,
    broadcast_dim,
    broadcast_shapes,
    collecting,
    demand,
    normalize_axes,
    normalize_axis,
    parse_shape,
    parse_type,
    require,
    unify,
)

n, m = Symbol("n"), Symbol("m")
late = Symbol("a_rows", data_dependent=True)
UNKNOWN = Shape(None)


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.found: list[Constraint] = []

    def require(self, constraint: Constraint) -> None:
        self.found.append(constraint)


def recorded(action: Callable[[], Any]) -> tuple[Any, list[Constraint]]:
    sink = Recorder()
    with collecting(sink):
        result = action()
    return result, sink.found


DIMS = st.one_of(
    st.integers(0, 9),
    st.sampled_from([n, m, 2 * n + 1, (n + 1) // 2, dim_max(n - 2, 0), n * m, dim_min(m, late)]),
)
SHAPES = st.one_of(st.just(UNKNOWN), st.lists(DIMS, max_size=5).map(Shape))


def test_what_a_shape_tells() -> None:
    shape = Shape([8, n, np.int64(3)])  # type: ignore[list-item]
    assert (shape.rank, shape.ndims, len(shape)) == (3, 3, 3)
    assert shape.dims == tuple(shape) == (8, n, 3)
    assert shape.as_list() == [8, None, 3]
    assert shape.size == 24 * n
    assert shape.num_elements() is None
    assert shape.symbols == {n}
    assert not shape.is_static
    assert not shape.is_fully_defined()
    assert (shape[1], shape[-1], shape[1:]) == (n, 3, Shape([n, 3]))
    assert type(shape[2]) is int
    assert bool(shape)


def test_what_a_static_shape_tells() -> None:
    shape = Shape((2, 3))
    assert shape.is_static
    assert shape.is_fully_defined()
    assert shape.size == shape.num_elements() == 6
    assert Shape(()).num_elements() == 1
    assert bool(Shape(()))


def test_what_an_unknown_rank_tells() -> None:
    assert UNKNOWN.rank is None
    assert UNKNOWN.ndims is None
    assert UNKNOWN.num_elements() is None
    assert UNKNOWN.symbols == frozenset()
    assert not UNKNOWN
    assert not UNKNOWN.is_static
    assert Shape(None) == UNKNOWN
    assert Shape(()) != UNKNOWN
    assert UNKNOWN.substitute({n: 1}) is UNKNOWN


@pytest.mark.parametrize(
    "ask",
    [
        lambda: UNKNOWN.dims,
        lambda: len(UNKNOWN),
        lambda: list(UNKNOWN),
        lambda: UNKNOWN[0],
        lambda: UNKNOWN[1:],
        lambda: UNKNOWN.as_list(),
        lambda: UNKNOWN.size,
        lambda: UNKNOWN.evaluate({}),
    ],
)
def test_dimensions_of_an_unknown_rank_are_refused(ask: Callable[[], Any]) -> None:
    with pytest.raises(ShapeError, match=r"of unknown rank were asked for. Give the placeholder a shape"):
        ask()


@pytest.mark.parametrize(
    ("dim", "message"),
    [
        (-1, "A dimension cannot be -1. Use a size of at least 0, or a symbol where it is unknown."),
        (None, "None is no dimension. Use an int of at least 0, or Symbol('n') where the size is unknown."),
        (True, "True is no dimension. Use an int"),
        (2.0, "2.0 is no dimension. Use an int"),
        ("n", "'n' is no dimension. Use an int"),
    ],
)
def test_what_is_no_dimension(dim: Any, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Shape([3, dim])
    assert str(caught.value).startswith(message)


def test_an_index_out_of_range_is_explained() -> None:
    with pytest.raises(ShapeError, match=r"The shape \[8, n\] has no dimension 2\. Use an index from -2 to 1\."):
        Shape([8, n])[2]
    with pytest.raises(ShapeError, match=r"The shape \[\] is a scalar's and has no dimension 0\."):
        Shape([])[0]


def test_equality_of_shapes() -> None:
    shape = Shape([8, n])
    assert shape == Shape((8, Symbol("n")))
    assert shape == [8, n]
    assert shape == (8, n)
    assert shape != [8, None]
    assert shape != [8]
    assert shape != "[8, n]"
    assert hash(shape) == hash(Shape((8, n)))
    assert Shape(shape) == shape


@given(SHAPES)
def test_text_and_copies_give_the_shape_back(shape: Shape) -> None:
    for again in (parse_shape(str(shape)), copy.deepcopy(shape)):
        assert again == shape
        assert hash(again) == hash(shape)


@pytest.mark.parametrize(
    ("shape", "text", "representation"),
    [
        (Shape([8, n, 2 * n + 1]), "[8, n, 2*n + 1]", "Shape([8, n, 2*n + 1])"),
        (Shape([]), "[]", "Shape([])"),
        (UNKNOWN, "unknown rank", "Shape(None)"),
    ],
)
def test_text_of_a_shape(shape: Shape, text: str, representation: str) -> None:
    assert str(shape) == text
    assert repr(shape) == representation


def test_parsing_a_shape() -> None:
    assert parse_shape(" [ 8 , max(n, m) ] ") == Shape([8, dim_max(n, m)])
    assert parse_shape("[ ]") == Shape([])
    assert parse_shape("[...]") == UNKNOWN
    with pytest.raises(InvalidArgumentError, match=r"'\(8, n\)' is no shape. Write one such as '\[8, n\]'"):
        parse_shape("(8, n)")
    with pytest.raises(InvalidArgumentError, match=r"'' is no dimension"):
        parse_shape("[8,]")
    with pytest.raises(ShapeError, match=r"A dimension cannot be -1"):
        parse_shape("[-1]")


@given(st.text("nm09 +-*/(),max[].", max_size=20))
def test_any_text_is_a_shape_or_refused(text: str) -> None:
    try:
        shape = parse_shape(text)
    except InvalidArgumentError:
        return
    assert parse_shape(str(shape)) == shape


def test_ranks_are_demanded() -> None:
    shape = Shape([8, n])
    assert shape.with_rank(2) is shape
    shape.assert_has_rank(2)
    with pytest.raises(ShapeError, match=r"A shape of rank 3 is needed, not \[8, n\]\. Reshape the tensor"):
        shape.with_rank(3)
    with pytest.raises(ShapeError, match=r"A shape of rank 3 is needed, not unknown rank\."):
        UNKNOWN.assert_has_rank(3)


@pytest.mark.parametrize(
    ("left", "right", "compatible"),
    [
        (Shape([8, n]), Shape([8, 3]), True),
        (Shape([8, n]), [None, 3], True),
        (Shape([8, n]), Shape([9, n]), False),
        (Shape([8, n]), Shape([8, n + 1]), False),
        (Shape([8, n]), Shape([8]), False),
        (Shape([8, n]), UNKNOWN, True),
        (Shape([8, n]), None, True),
        (UNKNOWN, Shape([8]), True),
    ],
)
def test_compatibility(left: Shape, right: Any, compatible: bool) -> None:
    assert left.is_compatible_with(right) is compatible


def test_merging_shapes() -> None:
    merged, constraints = recorded(lambda: Shape([8, n, m]).merge_with(Shape([n, 3, m])))
    assert merged == Shape([8, 3, m])
    assert constraints == [Constraint("equal", 8, n), Constraint("equal", n, 3)]
    assert UNKNOWN.merge_with([8, 3]) == Shape([8, 3])
    assert Shape([8]).merge_with(UNKNOWN) == Shape([8])
    assert UNKNOWN.merge_with(None) == UNKNOWN
    assert Shape([n, 3]).merge_with([None, None]) == Shape([n, 3])


def test_shapes_that_do_not_merge() -> None:
    with pytest.raises(ShapeError, match=r"The shapes \[8, n\] and \[9, n\] cannot be those of one tensor\."):
        Shape([8, n]).merge_with(Shape([9, n]))
    with pytest.raises(ShapeError, match=r"The shapes \[8, n\] and \[8\] cannot be those of one tensor\."):
        Shape([8, n]).merge_with([8])
    with pytest.raises(ShapeError, match=r"unknown rank cannot merge with \[8, None\]: None names no dimension"):
        UNKNOWN.merge_with([8, None])


def test_joining_shapes() -> None:
    front = Shape([8])
    back: list[Dim] = [n, 3]
    assert front.concatenate(back) == front + back == Shape([8, n, 3])
    assert tuple(back) + front == Shape([n, 3, 8])
    assert Shape([8]) + UNKNOWN == UNKNOWN
    assert UNKNOWN.concatenate([8]) == UNKNOWN
    with pytest.raises(TypeError):
        Shape([8]) + 3  # type: ignore[operator]
    with pytest.raises(TypeError):
        3 + Shape([8])  # type: ignore[operator]


def test_substituting_and_evaluating() -> None:
    shape = Shape([8, n, n + m])
    assert shape.substitute({n: 3}) == Shape([8, 3, m + 3])
    assert shape.substitute({Symbol("other"): 3}) is shape
    assert shape.evaluate({n: 1, m: 2}) == (8, 1, 3)
    with pytest.raises(ShapeError, match=r"The dimension m has no value"):
        shape.evaluate({n: 1})


def test_types_of_tensors() -> None:
    kind = TensorType(float32, Shape([8, n]))
    assert (kind.dtype, kind.shape, kind.rank, kind.dims, kind.size) == (float32, Shape([8, n]), 2, (8, n), 8 * n)
    assert kind == TensorType(float32, Shape([8, n]))
    assert hash(kind) == hash(TensorType(float32, Shape([8, n])))
    assert kind != TensorType(int64, Shape([8, n]))
    assert kind != TensorType(float32, Shape([8, m]))
    assert kind != "float32[8, n]"
    assert TensorType(float32, UNKNOWN).rank is None
    with pytest.raises(AttributeError):
        kind.shape = UNKNOWN  # type: ignore[misc]


@given(st.sampled_from([float32, int64, bool_]), SHAPES)
def test_text_and_copies_give_the_type_back(dtype: Any, shape: Shape) -> None:
    kind = TensorType(dtype, shape)
    assert parse_type(str(kind)) == kind == copy.deepcopy(kind)


def test_text_of_types() -> None:
    assert str(TensorType(float32, Shape([8, n]))) == repr(TensorType(float32, Shape([8, n]))) == "float32[8, n]"
    assert str(TensorType(bool_, UNKNOWN)) == "bool[...]"
    assert str(TensorType(int64, Shape([]))) == "int64[]"
    for text in ("float32", "[8]"):
        with pytest.raises(InvalidArgumentError, match=r"is no type of a tensor. Write one such as"):
            parse_type(text)
    with pytest.raises(DTypeError, match=r"'float33' is no element type"):
        parse_type("float33[8]")
    with pytest.raises(InvalidArgumentError, match=r"is no shape"):
        parse_type("float32[8")


Kind = Literal["equal", "broadcast", "divisible", "nonnegative"]


@pytest.mark.parametrize(
    ("kind", "left", "right", "values", "holds", "text"),
    [
        ("equal", n, m, (3, 3), True, "n = 3 and m = 3 must be equal"),
        ("equal", 2 * n, m, (3, 4), False, "2*n = 6 and m = 4 must be equal"),
        ("equal", n, 4, (3, 0), False, "n = 3 and 4 must be equal"),
        ("broadcast", n, m, (3, 1), True, "n = 3 and m = 1 must be equal, or one of them 1"),
        ("broadcast", n, m, (3, 4), False, "n = 3 and m = 4 must be equal, or one of them 1"),
        ("divisible", n, m, (6, 3), True, "n = 6 must be a multiple of m = 3"),
        ("divisible", n, 4, (6, 3), False, "n = 6 must be a multiple of 4"),
        ("divisible", n, m, (6, 0), False, "n = 6 must be a multiple of m = 0"),
        ("nonnegative", n - 3, 0, (3, 0), True, "n - 3 = 0 must be at least 0"),
        ("nonnegative", n - 3, 0, (2, 0), False, "n - 3 = -1 must be at least 0"),
    ],
)
def test_constraints(kind: Kind, left: Dim, right: Dim, values: tuple[int, int], holds: bool, text: str) -> None:
    constraint = Constraint(kind, left, right)
    bindings = dict(zip((n, m), values, strict=True))
    assert constraint.holds(bindings) is holds
    assert constraint.describe(bindings) == text


def test_a_constraint_is_described_without_values() -> None:
    assert Constraint("equal", n, 2 * m).describe({n: 3}) == "n = 3 and 2*m must be equal"


def test_constraints_compare_by_content() -> None:
    constraint = Constraint("equal", n, m, where="head/MatMul")
    assert constraint.where == "head/MatMul"
    assert (constraint.kind, constraint.left, constraint.right) == ("equal", n, m)
    assert constraint.symbols == {n, m}
    assert constraint == Constraint("equal", n, m)
    assert hash(constraint) == hash(Constraint("equal", n, m))
    assert constraint != Constraint("broadcast", n, m)
    assert constraint != "equal"
    assert repr(constraint) == "Constraint('equal', n, m)"


@pytest.mark.parametrize(
    ("kind", "left", "right", "verdict"),
    [
        ("equal", n, n, "holds"),
        ("equal", 3, 4, "fails"),
        ("equal", n + 5, 4, "fails"),
        ("equal", n, 4, "open"),
        ("broadcast", n, 1, "holds"),
        ("broadcast", 3, 4, "fails"),
        ("broadcast", n, n + 1, "open"),
        ("broadcast", n + 2, n + 3, "fails"),
        ("divisible", 6 * n, 3, "holds"),
        ("divisible", 7, 3, "fails"),
        ("divisible", n, 3, "open"),
        ("divisible", n, 0, "fails"),
        ("nonnegative", n, 0, "holds"),
        ("nonnegative", -n - 1, 0, "fails"),
        ("nonnegative", n - 1, 0, "open"),
    ],
)
def test_demands(kind: Kind, left: Dim, right: Dim, verdict: str) -> None:
    if verdict == "fails":
        with pytest.raises(ShapeError, match=r"^the caller's words$"):
            demand(kind, left, right, "the caller's words")
        with pytest.raises(ShapeError, match=r"^made when needed$"):
            demand(kind, left, right, lambda: "made when needed")
        return
    _, constraints = recorded(lambda: demand(kind, left, right, "never shown"))
    assert constraints == ([Constraint(kind, left, right)] if verdict == "open" else [])


def test_sinks_nest_and_belong_to_a_thread() -> None:
    constraint = Constraint("equal", n, m)
    require(constraint)  # nowhere to go
    outer, inner = Recorder(), Recorder()
    with collecting(outer):
        with contextlib.suppress(KeyError), collecting(inner):
            require(constraint)
            raise KeyError
        thread = threading.Thread(target=require, args=(Constraint("equal", n, 7),))
        thread.start()
        thread.join()
        require(Constraint("equal", n, 4))
    assert inner.found == [constraint]
    assert outer.found == [Constraint("equal", n, 4)]


@pytest.mark.parametrize(
    ("left", "right", "result", "constrained"),
    [
        (4, 4, 4, False),
        (n, n, n, False),
        (n, 4, 4, True),
        (4, n, 4, True),
        (n, m, m, True),
        (m, n, m, True),
        (2 * m, n, n, True),
        (late, n, n, True),
    ],
)
def test_unifying(left: Dim, right: Dim, result: Dim, constrained: bool) -> None:
    found, constraints = recorded(lambda: unify(left, right, "never shown"))
    assert found == result
    assert constraints == ([Constraint("equal", left, right)] if constrained else [])


def test_dimensions_that_do_not_unify() -> None:
    with pytest.raises(ShapeError, match=r"^inner dimensions differ$"):
        unify(3, 4, "inner dimensions differ")


@pytest.mark.parametrize(
    ("left", "right", "result", "constrained"),
    [
        (4, 4, 4, False),
        (1, 4, 4, False),
        (0, 1, 0, False),
        (1, n, n, False),
        (n, 1, n, False),
        (n, n, n, False),
        (n, 4, 4, True),
        (0, n, 0, True),
        (n, m, dim_max(m, n), True),
        (m, n, dim_max(m, n), True),
    ],
)
def test_broadcasting_dimensions(left: Dim, right: Dim, result: Dim, constrained: bool) -> None:
    found, constraints = recorded(lambda: broadcast_dim(left, right, "never shown"))
    assert found == result
    assert constraints == ([Constraint("broadcast", left, right)] if constrained else [])


def test_dimensions_that_do_not_broadcast() -> None:
    for left, right in ((3, 4), (0, 3), (n + 2, n + 3)):
        with pytest.raises(ShapeError, match=r"^made when needed$"):
            broadcast_dim(left, right, lambda: "made when needed")


@given(st.lists(st.lists(st.integers(0, 3), max_size=4).map(tuple), max_size=4))
def test_broadcasting_agrees_with_numpy(shapes: Sequence[tuple[int, ...]]) -> None:
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError, match=r"do not broadcast"):
            broadcast_shapes(*map(Shape, shapes))
        return
    assert broadcast_shapes(*map(Shape, shapes)) == expected


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_symbolic_broadcasting_holds_exactly_where_numpy_broadcasts(sizes: list[int], symbolic: list[bool]) -> None:
    symbols = [Symbol(f"s{i}") for i in range(4)]
    dims = [s if is_symbol else size for s, size, is_symbol in zip(symbols, sizes, symbolic, strict=True)]
    bindings = dict(zip(symbols, sizes, strict=True))
    pairs = (sizes[:2], sizes[2:])
    sink = Recorder()
    try:
        with collecting(sink):
            result = broadcast_shapes(Shape(dims[:2]), Shape(dims[2:]))
        accepted = all(constraint.holds(bindings) for constraint in sink.found)
    except ShapeError:
        accepted = False
    try:
        expected = np.broadcast_shapes(*pairs)
    except ValueError:
        assert not accepted
        return
    assert accepted
    if 1 not in sizes:
        assert result.evaluate(bindings) == expected


def test_broadcasting_shapes() -> None:
    assert broadcast_shapes() == Shape([])
    assert broadcast_shapes(Shape([n, 1]), Shape([3]), Shape([1, 1])) == Shape([n, 3])
    assert broadcast_shapes(Shape([n, 1]), UNKNOWN) == UNKNOWN
    with pytest.raises(ShapeError) as caught:
        broadcast_shapes(Shape([n, 2]), Shape([3]))
    assert str(caught.value) == (
        "The shapes [n, 2] and [3] do not broadcast: aligned at the right, sizes must be equal or 1. Reshape one."
    )
    with pytest.raises(ShapeError, match=r"^Add: words$"):
        broadcast_shapes(Shape([2]), Shape([3]), message=lambda: "Add: words")


def test_one_axis() -> None:
    assert [normalize_axis(axis, 3, "op") for axis in range(-3, 3)] == [0, 1, 2, 0, 1, 2]
    assert normalize_axis(np.int64(-1), 2, "op") == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("axis", "rank", "message"),
    [
        (3, 3, "softmax: axis 3 is out of range for rank 3. Use one from -3 to 2."),
        (-4, 3, "softmax: axis -4 is out of range for rank 3. Use one from -3 to 2."),
        (0, 0, "softmax: axis 0 is out of range: the input is a scalar and has no axes."),
        (1.0, 3, "softmax: axis 1.0 is no int. Give the position of a dimension."),
        (True, 3, "softmax: axis True is no int. Give the position of a dimension."),
    ],
)
def test_axes_that_are_refused(axis: Any, rank: int, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        normalize_axis(axis, rank, "softmax")
    assert str(caught.value) == message


def test_several_axes() -> None:
    assert normalize_axes(None, 3, "op") == (0, 1, 2)
    assert normalize_axes(None, 0, "op") == ()
    assert normalize_axes(-1, 3, "op") == (2,)
    assert normalize_axes([2, 0], 3, "op") == (0, 2)
    assert normalize_axes((), 3, "op") == ()
    assert normalize_axes(np.array([1, -3]), 3, "op") == (0, 1)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"^reduce_sum: axis 2 is named twice in \[2, -1\]\. Name each axis once\.$"):
        normalize_axes([2, -1], 3, "reduce_sum")
    with pytest.raises(ShapeError, match=r"^reduce_sum: axis 5 is out of range for rank 3\."):
        normalize_axes([0, 5], 3, "reduce_sum")


@pytest.mark.parametrize(
    ("fed", "shown"), [((4, 3), r"float32\[x\.fed, 3\]"), ((4,), r"float32\[x\.fed\]")], ids=["size", "rank"]
)
def test_what_set_shape_said_is_held_against_what_is_fed(fed: tuple[int, ...], shown: str) -> None:
    with dt.Graph().as_default(), dt.Session() as session:
        x = dt.placeholder(dt.float32, name="x")
        y = dt.multiply(x, 2.0, name="y")
        y.set_shape([None, 2])
        assert session.run(y, {x: np.ones((3, 2))}).shape == (3, 2)
        with pytest.raises(ShapeError, match=rf'^Mul: with what is fed, "y:0" is {shown}, where set_shape said \['):
            session.run(y, {x: np.ones(fed)})


def test_dimensions_of_get_shape_have_a_value_as_in_tensorflow_1() -> None:
    with dt.Graph().as_default(), dt.Session() as session:
        x = dt.placeholder(dt.float32, [None, 8, 3])
        batch, rows, columns = x.get_shape()
        assert (batch.value, rows.value, columns.value) == (None, 8, 3)
        assert x.get_shape()[-1].value == 3
        assert [one.value for one in x.get_shape()[1:]] == [8, 3]
        assert dt.Variable(dt.zeros([2, 5])).get_shape()[1].value == 5
        assert dt.TensorShape([None, 4])[1].value == 4
        assert x.get_shape() == x.shape
        assert hash(x.get_shape()) == hash(x.shape)
        assert type(x.shape[1]) is int
        assert type(rows * columns) is int
        assert repr(x.get_shape()) == repr(x.shape)
        # They go wherever an int goes.
        taken = dt.reshape(x, [-1, rows * columns])[:, :columns] + dt.reduce_sum(x, rows - 7)
        made = dt.layers.dense(taken, columns, use_bias=False, kernel_initializer=dt.ones_initializer())
        session.run(dt.global_variables_initializer())
        np.testing.assert_array_equal(session.run(made, {x: np.ones((2, rows, columns))}), np.full((2, 3), 27.0))
