"""Convolution and its two derivatives against plain loops, with symbolic sizes, and in what they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.graph import Graph
from dovetail.ops.convolution import Conv, ConvFilterGrad, ConvInputGrad, convolution, convolution_transpose
from dovetail.ops.gradients import gradients
from dovetail.ops.state import placeholder
from dovetail.ops.windows import Window
from dovetail.types.dims import Symbol, evaluate
from dovetail.types.dtypes import as_dtype, float32
from dovetail.types.shapes import Shape, TensorType, parse_type

n, h, w = map(Symbol, "nhw")


def type_of(array: Any) -> TensorType:
    return TensorType(as_dtype(array.dtype), Shape(array.shape))


def padding_by_hand(
    size: int, window: int, stride: int, dilation: int, padding: Any, axis: int
) -> tuple[int, int, int]:
    extent = (window - 1) * dilation + 1
    if padding == "SAME":
        positions = -(-size // stride)
        total = max((positions - 1) * stride + extent - size, 0)
        return total // 2, total - total // 2, positions
    before, after = (0, 0) if padding == "VALID" else padding[axis]
    return before, after, (size + before + after - extent) // stride + 1


def convolve_by_loops(op: Conv, x: np.ndarray, filter: np.ndarray) -> np.ndarray:
    """One multiplication at a time, but for the batch."""
    *sizes, depth, filters = filter.shape
    per_axis = [
        padding_by_hand(*known, op.padding, axis)
        for axis, known in enumerate(zip(x.shape[1:-1], sizes, op.strides, op.dilations, strict=True))
    ]
    padded = np.pad(x, [(0, 0), *((before, after) for before, after, _ in per_axis), (0, 0)])
    result = np.zeros((x.shape[0], *(count for _, _, count in per_axis), filters))
    for position in np.ndindex(*(count for _, _, count in per_axis)):
        for tap in np.ndindex(*sizes):
            place = tuple(p * s + t * d for p, s, t, d in zip(position, op.strides, tap, op.dilations, strict=True))
            for k, c in itertools.product(range(filters), range(depth)):
                group = k // (filters // op.groups)
                result[(slice(None), *position, k)] += (
                    padded[(slice(None), *place, group * depth + c)] * filter[(*tap, c, k)]
                )
    return result


SAMPLES = list(Conv.samples(np.random.default_rng(7)))


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_convolution_is_what_loops_compute(sample: Any) -> None:
    x, filter = sample.inputs
    result = sample.op.reference(x, filter)
    np.testing.assert_allclose(result, convolve_by_loops(sample.op, x, filter), atol=1e-12)
    assert sample.op.infer(type_of(x), type_of(filter)) == type_of(result)


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_the_two_derivatives_are_adjoint_to_the_convolution(sample: Any, rng: np.random.Generator) -> None:
    """For a trilinear form ``<conv(x, f), g>`` equals ``<x, input_grad(f, g)>`` and ``<f, filter_grad(x, g)>``."""
    (x, filter), conv = sample.inputs, sample.op
    shared = (conv.strides, conv.padding, conv.dilations, conv.groups)
    output = conv.reference(x, filter)
    grad = rng.normal(size=output.shape)
    for_input, for_filter = ConvInputGrad(*shared, x.shape[1:-1]), ConvFilterGrad(*shared, filter.shape[:-2])
    dx, df = for_input.reference(filter, grad), for_filter.reference(x, grad)
    np.testing.assert_allclose((x * dx).sum(), (output * grad).sum(), atol=1e-12)
    np.testing.assert_allclose((filter * df).sum(), (output * grad).sum(), atol=1e-12)
    assert for_input.infer(type_of(filter), type_of(grad)) == type_of(dx) == type_of(x)
    assert for_filter.infer(type_of(x), type_of(grad)) == type_of(df) == type_of(filter)


def test_same_padding_puts_the_odd_element_at_the_end() -> None:
    result = Conv((2,), "SAME", (1,)).reference(
        np.arange(1.0, 5.0).reshape(1, 4, 1), np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    )
    assert result.reshape(-1).tolist() == [321.0, 43.0]  # windows (1, 2, 3) and (3, 4, padding)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_accumulate_in_float32(dtype: Any, rng: np.random.Generator) -> None:
    # 4096 ones: adding one more to 2048 changes no float16, and to 256 no bfloat16.
    x, filter = np.ones((1, 64, 64, 1), dtype), np.ones((64, 64, 1, 1), dtype)
    shared = ((1, 1), "VALID", (1, 1), 1)
    assert Conv(*shared).reference(x, filter) == dtype(4096.0)
    one = np.ones((1, 1, 1, 1), dtype)
    assert ConvFilterGrad(*shared, (1, 1)).reference(x, x) == dtype(4096.0)
    assert ConvInputGrad(*shared, (64, 64)).reference(filter, one).dtype == dtype


@given(st.data())
def test_symbolic_sizes_agree_with_those_of_arrays(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=2))
    rank = len(sizes)
    several = lambda low, high: st.tuples(*[st.integers(low, high)] * rank)  # noqa: E731
    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    padding = data.draw(st.one_of(st.sampled_from(["SAME", "VALID"]), st.tuples(*[pair] * rank)))
    op = Conv(data.draw(several(1, 3)), padding, data.draw(several(1, 2)))
    window = data.draw(several(1, 4))
    x, filter = np.ones((2, *sizes, 1)), np.ones((*window, 1, 1))
    try:
        expected = op.reference(x, filter).shape
    except ShapeError:
        with pytest.raises(ShapeError, match="larger than spatial axis"):
            op.infer(type_of(x), type_of(filter))
        return
    symbols = [h, w][:rank]
    inferred = op.infer(TensorType(as_dtype("float64"), Shape([n, *symbols, 1])), type_of(filter))
    assert isinstance(inferred, TensorType)
    assert tuple(evaluate(dim, {n: 2, **dict(zip(symbols, sizes, strict=True))}) for dim in inferred.dims) == expected


def test_symbolic_types() -> None:
    conv = Conv((2, 2), "SAME", (1, 1))
    assert (
        str(conv.infer(parse_type("float32[n, h, 28, 3]"), parse_type("float32[5, 5, 3, 6]")))
        == "float32[n, (h + 1)//2, 14, 6]"
    )
    valid = Conv((1, 1), "VALID", (1, 1))
    assert (
        str(valid.infer(parse_type("float32[n, h, 28, 3]"), parse_type("float32[5, 5, 3, 6]")))
        == "float32[n, h - 4, 24, 6]"
    )


def test_gradients_have_the_types_of_what_they_belong_to() -> None:
    with Graph().as_default():
        x = placeholder(float32, [None, "h", "w", 4], name="x")
        filter = placeholder(float32, [3, 3, 2, 6], name="filter")
        y = convolution(x, filter, strides=2, padding="SAME", groups=2)
        first = gradients(y, [x, filter])
        assert [one.type for one in first] == [x.type, filter.type]
        assert [one.type for one in gradients(first[0], [filter])] == [filter.type]
        assert [one.type for one in gradients(first[1], [x])] == [x.type]


def test_unknown_rank_is_settled_later() -> None:
    with Graph().as_default():
        x = placeholder(float32, None, name="x")
        y = convolution(x, np.zeros((3, 3, 1, 2), np.float32))
        assert y.shape.rank is None
        assert y.dtype is float32
        with pytest.raises(ShapeError, match="strides is 2, and the number of spatial axes is not known"):
            convolution(x, placeholder(float32, None), strides=2)


def test_numbers_take_the_dtype_of_the_tensor() -> None:
    with Graph().as_default():
        x = placeholder(float32, [1, 4, 4, 1])
        assert convolution(x, np.ones((2, 2, 1, 1))).type == parse_type("float32[1, 3, 3, 1]")


@pytest.mark.parametrize(
    ("x", "filter", "attributes", "error", "message"),
    [
        (
            "float32[8, 28, 28, 3]",
            "float32[5, 5, 1, 6]",
            {},
            ShapeError,
            "conv: channels differ: input 0 is float32[8, 28, 28, 3], input 1 is float32[5, 5, 1, 6]; the input has 3 ",
        ),
        (
            "float32[8, 28, 28, 4]",
            "float32[5, 5, 1, 6]",
            {"groups": 2},
            ShapeError,
            "(groups=2); the input has 4 channels, the filter takes 2.",
        ),
        (
            "float32[8, 28, 28, 4]",
            "float32[5, 5, 2, 5]",
            {"groups": 2},
            ShapeError,
            "conv: 5 filters do not make 2 groups",
        ),
        (
            "float32[8, 28, 28, 4]",
            "float32[5, 5, 4, 5]",
            {"groups": 0},
            ShapeError,
            "conv: groups is 0. Use 1 or more.",
        ),
        (
            "float32[28, 28, 1]",
            "float32[5, 5, 1, 6]",
            {},
            ShapeError,
            "over 2 spatial axes, input 0 has rank 4: images are [batch, *spatial, channels]",
        ),
        (
            "float32[8, 28, 28, 1]",
            "float64[5, 5, 1, 6]",
            {},
            DTypeError,
            "conv: dtypes differ: input 0 is float32[8, 28, 28, 1], input 1 is float64[5, 5, 1, 6]. Use cast",
        ),
        (
            "int32[8, 28, 28, 1]",
            "int32[5, 5, 1, 6]",
            {},
            DTypeError,
            "conv: input 0 is int32[8, 28, 28, 1], where a floating type is wanted.",
        ),
        (
            "float32[8, 3, 28, 1]",
            "float32[5, 5, 1, 6]",
            {},
            ShapeError,
            "conv: the window (5) is larger than spatial axis 0 of the input (3). Use padding 'SAME'",
        ),
        (
            "float32[8, 3, 28, 1]",
            "float32[3, 3, 1, 6]",
            {"dilations": (2, 1), "padding": ((1, 0), (0, 0))},
            ShapeError,
            "conv: the window (3 at dilation 2) is larger than spatial axis 0 of the input (3, padded by 1 and 0).",
        ),
        (
            "float32[8, 9, 9, 1]",
            "float32[3, 3, 1, 6]",
            {"strides": (0, 1)},
            ShapeError,
            "conv: strides [0, 1] holds a value below 1. Use 1 or more.",
        ),
    ],
)
def test_refusals(x: str, filter: str, attributes: dict[str, Any], error: type[Exception], message: str) -> None:
    op = Conv(**{"strides": (1, 1), "padding": "VALID", "dilations": (1, 1), **attributes})
    with pytest.raises(error) as caught:
        op.infer(parse_type(x), parse_type(filter))
    assert message in str(caught.value)


@pytest.mark.parametrize("padding", ["FULL", 3, ((1, 1), (-1, 0)), ((1, 1, 1), (1, 1))])
def test_padding_of_another_form(padding: Any) -> None:
    with (
        Graph().as_default(),
        pytest.raises(InvalidArgumentError, match=r"conv: padding is .* Use 'SAME', 'VALID', or for each"),
    ):
        convolution(np.zeros((1, 4, 4, 1)), np.zeros((2, 2, 1, 1)), padding=padding)


def test_the_node_and_the_line_are_named() -> None:
    with (
        Graph().as_default(),
        pytest.raises(ShapeError, match=r'channels differ.*\(node "first" made at .*test_convolution.py:'),
    ):
        convolution(np.zeros((1, 4, 4, 2)), np.zeros((2, 2, 1, 1)), name="first")


def test_one_stride_for_each_axis() -> None:
    with Graph().as_default(), pytest.raises(ShapeError, match=r"conv: input 0 is .* over 3 spatial axes"):
        convolution(np.zeros((1, 4, 4, 1)), np.zeros((2, 2, 1, 1)), strides=(1, 2, 1), dilations=(1, 1, 1))


def test_images_of_every_size_run_through_one_graph(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float64, ["n", "h", "w", 2])
    filter = dt.constant(rng.normal(size=(3, 2, 2, 4)))
    y = convolution(x, filter, strides=(2, 1), padding="SAME")
    back = convolution_transpose(y, filter, strides=(2, 1), padding="SAME")
    dx, df = dt.gradients(y, [x, filter])
    with dt.Session() as session:
        for shape in ((2, 8, 5, 2), (1, 6, 7, 2), (0, 4, 4, 2)):
            images = rng.normal(size=shape)
            found = session.run([y, dx, df, back], {x: images})
            op = Conv((2, 1), "SAME", (1, 1))
            kernel = session.run(filter)
            np.testing.assert_allclose(found[0], convolve_by_loops(op, images, kernel), atol=1e-12)
            ones = np.ones(found[0].shape)
            np.testing.assert_allclose(
                found[1], ConvInputGrad((2, 1), "SAME", (1, 1), 1, shape[1:-1]).reference(kernel, ones)
            )
            np.testing.assert_allclose(
                found[2], ConvFilterGrad((2, 1), "SAME", (1, 1), 1, (3, 2)).reference(images, ones)
            )
            assert found[3].shape == shape


def test_a_feed_smaller_than_the_window() -> None:
    x = dt.placeholder(dt.float32, [1, "h", 4, 1])
    y = convolution(x, np.zeros((3, 3, 1, 1)), name="first")
    with dt.Session() as session, pytest.raises(dt.errors.FeedError, match=r'h - 3 = -1 must be at least 0.*"first"'):
        session.run(y, {x: np.zeros((1, 2, 4, 1))})


def test_the_rank_may_be_fed(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float64, None)
    filter = dt.constant(rng.normal(size=(3, 3, 2, 4)))
    y = convolution(x, filter, strides=2, padding="SAME")
    images = rng.normal(size=(2, 6, 6, 2))
    with dt.Session() as session:
        dx, df = session.run(dt.gradients(y, [x, filter]), {x: images})
    assert dx.shape == images.shape
    assert df.shape == (3, 3, 2, 4)


def test_work_is_counted() -> None:
    types = [parse_type("float32[n, 28, 28, 4]"), parse_type("float32[5, 5, 2, 6]")]
    op = Conv((1, 1), "SAME", (1, 1), 2)
    output = op.infer(*types)
    assert isinstance(output, TensorType)
    work = 2 * 28 * 28 * 25 * 2 * 6 * n
    assert op.flops(types, [output]) == work
    shared = ((1, 1), "SAME", (1, 1), 2)
    assert ConvInputGrad(*shared, (28, 28)).flops([types[1], output], [types[0]]) == work
    assert ConvFilterGrad(*shared, (5, 5)).flops([types[0], output], [types[1]]) == work


class TestTransposed:
    def test_default_sizes(self) -> None:
        with Graph().as_default():
            x = placeholder(float32, [None, 7, "w", 6])
            filter = placeholder(float32, [5, 5, 3, 6])
            same = convolution_transpose(x, filter, strides=2, padding="SAME")
            valid = convolution_transpose(x, filter, strides=2)
            explicit = convolution_transpose(x, filter, strides=2, padding=[(1, 2), (2, 2)])
        assert [str(dim) for dim in same.shape.dims[1:]] == ["14", "2*w", "3"]
        assert [str(dim) for dim in valid.shape.dims[1:]] == ["17", "2*w + 3", "3"]
        assert [str(dim) for dim in explicit.shape.dims[1:]] == ["14", "2*w - 1", "3"]
        assert same.shape[0] == x.shape[0]

    def test_the_other_sizes_that_fit(self) -> None:
        with Graph().as_default():
            x, filter = placeholder(float32, [1, 7, 6]), placeholder(float32, [5, 3, 6])
            assert convolution_transpose(x, filter, 2, "SAME", output_size=[13]).shape == (1, 13, 3)
            with pytest.raises(
                ShapeError,
                match=r"conv_transpose: spatial axis 0 of an output of size 15 has 8 windows, but input 1 is .* with 7",
            ):
                convolution_transpose(x, filter, 2, "SAME", output_size=[15])
            with pytest.raises(
                ShapeError, match=r"output_size is \[15, 2\]. Give a known size for each of 1 spatial axes"
            ):
                convolution_transpose(x, filter, 2, "SAME", output_size=[15, 2])

    def test_channels(self) -> None:
        with Graph().as_default(), pytest.raises(ShapeError, match="the filter takes 6 channels, input 1 has 5"):
            convolution_transpose(np.zeros((1, 7, 5)), np.zeros((5, 3, 6)))

    def test_rank(self) -> None:
        with Graph().as_default(), pytest.raises(ShapeError, match="whose ranks must be known and equal"):
            convolution_transpose(placeholder(float32, None), np.zeros((5, 3, 6)))

    def test_values(self) -> None:
        """Each element is spread over its window."""
        op = ConvInputGrad((2,), "VALID", (1,), 1, (5,))
        spread = op.reference(np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1), np.array([1.0, 10.0]).reshape(1, 2, 1))
        assert spread.reshape(-1).tolist() == [1.0, 2.0, 13.0, 20.0, 30.0]


@given(
    size=st.integers(0, 12),
    window=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.one_of(st.sampled_from(["SAME", "VALID"]), st.tuples(st.tuples(st.integers(0, 3), st.integers(0, 3)))),
)
def test_taps_meet_the_elements_that_arithmetic_says(
    size: int, window: int, stride: int, dilation: int, padding: Any
) -> None:
    geometry = Window("test", (window,), (stride,), (dilation,), padding)
    try:
        positions = int(geometry.positions([size])[0])
    except ShapeError:
        return
    before = int(geometry.padding_for([size])[0][0])
    for index, (at_position, at_input) in enumerate(geometry.taps_of_axis(0, size, positions)):
        met = {p: p * stride + index * dilation - before for p in range(positions)}
        expected = [(p, place) for p, place in met.items() if 0 <= place < size]
        found = zip(range(positions)[at_position], range(size)[at_input], strict=True)
        assert list(found) == expected
