"""Pooling and its derivatives against plain loops, with ties, NaN and padding, and in what it refuses."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.graph import Graph
from dovetail.ops.gradients import gradients
from dovetail.ops.pooling import AvgPool, AvgPoolGrad, MaxPool, MaxPoolGather, MaxPoolGrad, average_pool, max_pool
from dovetail.ops.state import placeholder
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import as_dtype, float32
from dovetail.types.shapes import Shape, TensorType, parse_type


def type_of(array: Any) -> TensorType:
    return TensorType(as_dtype(array.dtype), Shape(array.shape))


def windows_by_loops(op: Any, spatial: tuple[int, ...]) -> list[tuple[tuple[int, ...], list[tuple[int, ...]], int]]:
    """Each position, the places of the input that its window meets, and how many places are padding."""
    padding, counts = [], []
    for axis, size in enumerate(spatial):
        if op.padding == "SAME":
            count = -(-size // op.strides[axis])
            padding.append(max((count - 1) * op.strides[axis] + op.window[axis] - size, 0) // 2)
        else:
            before, after = (0, 0) if op.padding == "VALID" else op.padding[axis]
            count = (size + before + after - op.window[axis]) // op.strides[axis] + 1
            padding.append(before)
        counts.append(count)
    found = []
    for position in np.ndindex(*counts):
        places = [
            tuple(p * s + t - b for p, s, t, b in zip(position, op.strides, tap, padding, strict=True))
            for tap in np.ndindex(*op.window)
        ]
        inside = [place for place in places if all(0 <= at < size for at, size in zip(place, spatial, strict=True))]
        found.append((position, inside, len(places) - len(inside)))
    return found


def samples(cls: Any) -> list[Any]:
    return list(cls.samples(np.random.default_rng(7)))


@pytest.mark.parametrize("sample", samples(MaxPool), ids=repr)
def test_maxima_are_what_loops_find(sample: Any) -> None:
    (x,) = sample.inputs
    result = sample.op.reference(x)
    assert sample.op.infer(type_of(x)) == type_of(result)
    for position, inside, _ in windows_by_loops(sample.op, x.shape[1:-1]):
        expected = np.max([x[(slice(None), *place)] for place in inside], axis=0)
        np.testing.assert_array_equal(result[(slice(None), *position)], expected)


@pytest.mark.parametrize("sample", samples(AvgPool), ids=repr)
def test_means_are_what_loops_find(sample: Any) -> None:
    (x,) = sample.inputs
    result = sample.op.reference(x)
    assert sample.op.infer(type_of(x)) == type_of(result)
    for position, inside, outside in windows_by_loops(sample.op, x.shape[1:-1]):
        total = np.sum([x[(slice(None), *place)] for place in inside], axis=0)
        count = len(inside) + (outside if sample.op.count_include_pad else 0)
        np.testing.assert_allclose(result[(slice(None), *position)], total / count, atol=1e-12)


@pytest.mark.parametrize("sample", samples(MaxPoolGrad), ids=repr)
def test_the_gradient_of_maxima_goes_to_the_maxima(sample: Any) -> None:
    x, grad = sample.inputs
    result = sample.op.reference(x, grad)
    assert sample.op.infer(type_of(x), type_of(grad)) == type_of(result) == type_of(x)
    expected = np.zeros(x.shape)
    for position, inside, _ in windows_by_loops(sample.op, x.shape[1:-1]):
        for b, c in np.ndindex(x.shape[0], x.shape[-1]):
            place = max(inside, key=lambda place: x[(b, *place, c)])
            expected[(b, *place, c)] += grad[(b, *position, c)]
    np.testing.assert_allclose(result, expected, atol=1e-12)


@pytest.mark.parametrize("sample", samples(MaxPoolGather), ids=repr)
def test_gathering_at_the_maxima_is_adjoint_to_the_gradient(sample: Any, rng: np.random.Generator) -> None:
    x, values = sample.inputs
    op = sample.op
    result = op.reference(x, values)
    assert op.infer(type_of(x), type_of(values)) == type_of(result)
    np.testing.assert_array_equal(op.reference(x, x), MaxPool(*op.attributes().values()).reference(x))
    grad = rng.normal(size=result.shape)
    back = MaxPoolGrad(*op.attributes().values()).reference(x, grad)
    np.testing.assert_allclose((result * grad).sum(), (values * back).sum(), atol=1e-12)


@pytest.mark.parametrize("sample", samples(AvgPoolGrad), ids=repr)
def test_the_gradient_of_means_is_adjoint_to_them(sample: Any, rng: np.random.Generator) -> None:
    (grad,) = sample.inputs
    op = sample.op
    result = op.reference(grad)
    assert op.infer(type_of(grad)) == type_of(result)
    x = rng.normal(size=result.shape)
    means = AvgPool(op.window, op.strides, op.padding, op.count_include_pad).reference(x)
    np.testing.assert_allclose((means * grad).sum(), (x * result).sum(), atol=1e-12)


def row(*values: float) -> Any:
    return np.array(values, np.float64).reshape(1, -1, 1)


def test_of_equal_maxima_the_first_takes_the_gradient() -> None:
    op = MaxPoolGrad((3,), (1,), "VALID")
    assert op.reference(row(1, 2, 2, 1), row(1, 10)).reshape(-1).tolist() == [0, 11, 0, 0]
    assert op.reference(row(3, 3, 3, 3), row(1, 10)).reshape(-1).tolist() == [1, 10, 0, 0]


def test_padding_is_never_a_maximum() -> None:
    lowest = row(-np.inf, -np.inf, -1.0)
    assert MaxPool((2,), (2,), "SAME").reference(lowest).reshape(-1).tolist() == [-np.inf, -1.0]
    padded = ((1, 0),)
    assert MaxPool((2,), (2,), padded).reference(lowest).reshape(-1).tolist() == [-np.inf, -1.0]
    assert MaxPoolGrad((2,), (2,), padded).reference(lowest, row(5, 7)).reshape(-1).tolist() == [5, 0, 7]
    integers = row(-7, -8, -9).astype(np.int8)
    assert MaxPool((2,), (2,), padded).reference(integers).reshape(-1).tolist() == [-7, -8]


def test_nan_is_the_maximum_of_its_window_and_takes_the_gradient() -> None:
    x = row(1, np.nan, 2, 3, np.nan, np.nan)
    np.testing.assert_array_equal(MaxPool((2,), (2,), "VALID").reference(x).reshape(-1), [np.nan, 3, np.nan])
    assert MaxPoolGrad((2,), (2,), "VALID").reference(x, row(1, 10, 100)).reshape(-1).tolist() == [0, 1, 0, 10, 100, 0]


def test_an_infinite_gradient_stays_where_it_belongs() -> None:
    assert MaxPoolGrad((2,), (2,), "VALID").reference(row(1, 2), row(np.inf)).reshape(-1).tolist() == [0, np.inf]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_accumulate_in_float32(dtype: Any) -> None:
    x = np.ones((1, 4096, 1), dtype)
    assert AvgPool((4096,), (4096,), "VALID").reference(x) == dtype(1)
    one = np.ones((1, 4095, 1), dtype)
    spread = AvgPoolGrad((2,), (1,), "VALID", False, (4096,)).reference(one)
    assert spread.dtype == dtype
    assert MaxPool((2,), (2,), "VALID").reference(x).dtype == dtype
    assert MaxPoolGrad((2,), (1,), "VALID").reference(x, one).dtype == dtype
    assert MaxPoolGather((2,), (1,), "VALID").reference(x, x).dtype == dtype


def test_symbolic_sizes_and_gradients() -> None:
    with Graph().as_default():
        x = placeholder(float32, [None, "h", "w", 3], name="x")
        high = max_pool(x, 2)
        assert [str(dim) for dim in high.shape.dims[1:]] == ["h//2", "w//2", "3"]
        mean = average_pool(x, 3, 2, "SAME")
        assert [str(dim) for dim in mean.shape.dims[1:]] == ["(h + 1)//2", "(w + 1)//2", "3"]
        for y in (high, mean):
            (first,) = gradients(y * y, x)
            (second,) = gradients(first, x)
            assert first.type == second.type == x.type


@pytest.mark.reference
def test_images_of_every_size_run_through_one_graph(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float64, ["n", "h", "w", 2])
    high, mean = max_pool(x, (2, 3), 2, "SAME"), average_pool(x, (3, 2), 2)
    slopes = dt.gradients([high, mean], x)
    with dt.Session() as session:
        for shape in ((2, 8, 5, 2), (1, 3, 7, 2), (0, 4, 4, 2)):
            images = rng.normal(size=shape)
            found = session.run([high, mean, *slopes], {x: images})
            np.testing.assert_array_equal(found[0], MaxPool((2, 3), (2, 2), "SAME").reference(images))
            np.testing.assert_array_equal(found[1], AvgPool((3, 2), (2, 2), "VALID").reference(images))
            assert found[2].shape == shape
            np.testing.assert_allclose(found[2].sum(), found[0].size + found[1].size)


def test_work_is_counted() -> None:
    images, windows = parse_type("float32[n, 8, 8, 3]"), parse_type("float32[n, 4, 4, 3]")
    work = 4 * 4 * 3 * 4 * Symbol("n")
    shared = ((2, 2), (2, 2), "VALID")
    assert MaxPool(*shared).flops([images], [windows]) == work
    assert MaxPoolGrad(*shared).flops([images, windows], [images]) == work
    assert AvgPoolGrad(*shared, False, (8, 8)).flops([windows], [images]) == work


def test_strides_are_the_window_by_default() -> None:
    with Graph().as_default():
        assert max_pool(np.zeros((1, 6, 6, 1)), (2, 3)).shape == (1, 3, 2, 1)
        assert average_pool(np.zeros((1, 6, 6, 1)), 3, 1).shape == (1, 4, 4, 1)
        assert (
            average_pool(np.zeros((1, 6, 6, 1)), 3, 1, count_include_pad=True).op.get_attr("count_include_pad") is True
        )


def test_unknown_rank_needs_a_tuple() -> None:
    with Graph().as_default():
        x = placeholder(float32, None)
        assert max_pool(x, (2, 2)).shape.rank is None
        with pytest.raises(ShapeError, match="max_pool: window is 2, and the number of spatial axes is not known"):
            max_pool(x, 2)


IMAGES = "float32[8, 3, 3, 1]"


@pytest.mark.parametrize(
    ("function", "x", "arguments", "error", "message"),
    [
        (max_pool, IMAGES, {"window": 4}, ShapeError, "the window (4) is larger than spatial axis 0 of the input (3)"),
        (average_pool, IMAGES, {"window": 0}, ShapeError, "average_pool: window [0, 0] holds a value below 1"),
        (max_pool, IMAGES, {"window": 2, "strides": 0}, ShapeError, "max_pool: strides [0, 0] holds a value below 1"),
        (max_pool, "float32[3, 3, 1]", {"window": (2, 2)}, ShapeError, "a window over 2 spatial axes takes rank 4"),
        (max_pool, IMAGES, {"window": 2.5}, ShapeError, "max_pool: window is 2.5. Use an int, or a tuple of ints"),
        (max_pool, "string[8, 3, 3, 1]", {"window": 2}, DTypeError, "max_pool: input 0 is string[8, 3, 3, 1], where"),
        (average_pool, "int32[8, 3, 3, 1]", {"window": 2}, DTypeError, "where a floating type is wanted"),
        (max_pool, IMAGES, {"window": 2, "padding": "same?"}, InvalidArgumentError, "padding is 'same?'. Use 'SAME'"),
        (
            max_pool,
            IMAGES,
            {"window": 2, "padding": ((2, 0), (0, 0))},
            InvalidArgumentError,
            "padding [(2, 0), (0, 0)] is not smaller than the window [2, 2]",
        ),
    ],
)
def test_refusals(function: Any, x: str, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    kind = parse_type(x)
    with Graph().as_default():
        tensor = placeholder(kind.dtype, kind.shape)
        with pytest.raises(error) as caught:
            function(tensor, **arguments)
    assert message in str(caught.value)


def test_derivatives_check_what_they_get() -> None:
    op = MaxPoolGrad((2,), (2,), "VALID")
    with pytest.raises(
        ShapeError, match=r"max_pool_grad: input 1 is float32\[1, 3, 1\], where the shape \[1, 2, 1\] is expected"
    ):
        op.infer(parse_type("float32[1, 4, 1]"), parse_type("float32[1, 3, 1]"))
    with pytest.raises(DTypeError, match=r"max_pool_grad: input 1 is float64\[1, 2, 1\], where float32 is wanted"):
        op.infer(parse_type("float32[1, 4, 1]"), parse_type("float64[1, 2, 1]"))
    with pytest.raises(
        ShapeError,
        match=r"average_pool_grad: input 0 is .* a window over \[4\] has 2 positions where the gradient has 3",
    ):
        AvgPoolGrad((2,), (2,), "VALID", False, (4,)).infer(parse_type("float32[1, 3, 1]"))
