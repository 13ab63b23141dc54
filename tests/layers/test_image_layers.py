"""Layers and functions on images: shapes with any batch, both layouts, configurations, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

IMAGES = {1: [None, 8, 4], 2: [None, 8, 9, 4], 3: [None, 4, 5, 6, 4]}


def every_layer() -> list[Any]:
    """Each layer over each number of axes, with the sizes that it gives."""
    found: list[tuple[Any, int, list[int]]] = []
    for rank in (1, 2, 3):
        size = [int(one) for one in IMAGES[rank][1:-1]]
        layers = dt.layers
        conv, transposed = getattr(layers, f"Conv{rank}D"), getattr(layers, f"Conv{rank}DTranspose")
        found.append((conv(6, 3, 2, "same", groups=2), rank, [*(-(-n // 2) for n in size), 6]))
        found.append((transposed(6, 3, 2), rank, [*(2 * n + 1 for n in size), 6]))
        if rank < 3:
            depthwise, separable = getattr(layers, f"DepthwiseConv{rank}D"), getattr(layers, f"SeparableConv{rank}D")
            found.append((depthwise(3, depth_multiplier=2), rank, [*(n - 2 for n in size), 8]))
            found.append((separable(5, 3, padding="same"), rank, [*size, 5]))
        for kind in ("Max", "Average"):
            found.append((getattr(layers, f"{kind}Pooling{rank}D")(2), rank, [*(n // 2 for n in size), 4]))
            found.append((getattr(layers, f"Global{kind}Pooling{rank}D")(), rank, [4]))
            found.append((getattr(layers, f"Adaptive{kind}Pooling{rank}D")(3), rank, [*(3 for _ in size), 4]))
        found.append((getattr(layers, f"ZeroPadding{rank}D")(), rank, [*(n + 2 for n in size), 4]))
        found.append((getattr(layers, f"Cropping{rank}D")(), rank, [*(n - 2 for n in size), 4]))
        found.append((getattr(layers, f"UpSampling{rank}D")(), rank, [*(2 * n for n in size), 4]))
    found.append((dt.layers.UpSampling2D((2, 3), interpolation="bilinear"), 2, [16, 27, 4]))
    found.append((dt.layers.Conv1D(6, 3, padding="causal", dilation_rate=2), 1, [8, 6]))
    return [pytest.param(*one, id=f"{type(one[0]).__name__}-{number}") for number, one in enumerate(found)]


@pytest.mark.parametrize(("layer", "rank", "expected"), every_layer())
def test_shapes_layouts_and_configurations(
    layer: Any, rank: int, expected: list[int], rng: np.random.Generator
) -> None:
    shape = IMAGES[rank]
    x = dt.placeholder(dt.float32, shape)
    made = type(layer).from_config(layer.get_config())  # one for each test: weights belong to a graph
    assert made.get_config() == layer.get_config()
    y = made(x)
    assert y.shape.as_list() == [None, *expected]
    fed = rng.normal(size=[3, *shape[1:]]).astype(np.float32)
    fetches, feeds = [y], {x: fed}
    if "data_format" in layer.get_config():
        first = type(layer).from_config({**layer.get_config(), "data_format": "channels_first"})
        turned = dt.placeholder(dt.float32, [None, shape[-1], *shape[1:-1]])
        fetches.append(first(turned))
        feeds[turned] = np.moveaxis(fed, -1, 1)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        if len(fetches) > 1:
            for weight, other in zip(made.weights, first.weights, strict=True):
                other.load(session.run(weight), session)
        value, *others = session.run(fetches, feeds)
        assert session.run(y, {x: fed[:0]}).shape == (0, *expected)
    assert value.shape == (3, *expected)
    for other in others:
        back = other if other.ndim == 2 else np.moveaxis(other, 1, -1)
        np.testing.assert_allclose(back, value, rtol=1e-5, atol=1e-5)


def test_channels_of_a_convolution_in_groups() -> None:
    """Filters with fewer channels than the images make groups, of which each sees its own."""
    x = np.arange(8.0, dtype=np.float32).reshape(1, 1, 1, 8)
    y = dt.nn.conv2d(x, np.ones((1, 1, 2, 4), np.float32), 1, "VALID")
    np.testing.assert_array_equal(dt.Session().run(y)[0, 0, 0], [1.0, 5.0, 9.0, 13.0])


def test_causal_padding_sees_nothing_later(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float64, [1, 6, 2])
    y = dt.layers.conv1d(x, 3, 3, padding="causal", dilation_rate=2)
    (gradient,) = dt.gradients(y[:, 3], x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found = session.run(gradient, {x: rng.normal(size=(1, 6, 2))})
    assert (found[0, 4:] == 0.0).all()
    assert (found[0, [1, 3]] != 0.0).all()


def test_adaptive_pooling_where_sizes_are_known_only_when_fed(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float64, [None, None, None, 2])
    outputs = [dt.layers.adaptive_average_pooling2d(x, (3, 2)), dt.layers.adaptive_max_pooling2d(x, (3, 2))]
    with dt.Session() as session:
        for height, width in ((7, 5), (6, 4), (3, 2), (2, 1)):
            fed = rng.normal(size=(1, height, width, 2))
            means, maxima = session.run(outputs, {x: fed})
            for i in range(3):
                for j in range(2):
                    rows = slice(i * height // 3, -(-(i + 1) * height // 3))
                    window = fed[0, rows, j * width // 2 : -(-(j + 1) * width // 2)]
                    np.testing.assert_allclose(means[0, i, j], window.mean((0, 1)), rtol=1e-12)
                    np.testing.assert_array_equal(maxima[0, i, j], window.max((0, 1)))


def test_sizes_known_only_when_fed(rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, None, None, 2])
    wanted = dt.shape(x)[1:3] * 2
    outputs = [
        dt.image.resize_images(x, wanted),
        dt.layers.up_sampling2d(x, interpolation="bilinear"),
        dt.nn.conv2d_transpose(x, dt.ones([3, 3, 1, 2]), [2, *x.shape.dims[1:3], 1], 1, "SAME"),
        dt.nn.conv2d_transpose(x, dt.ones([2, 2, 1, 2]), dt.stack([2, wanted[0], wanted[1], 1]), 2),
    ]
    with dt.Session() as session:
        for height, width in ((3, 4), (5, 2)):
            found = session.run(outputs, {x: rng.normal(size=(2, height, width, 2))})
            assert [one.shape[1:3] for one in found[:2]] == [(2 * height, 2 * width)] * 2
            assert found[2].shape == (2, height, width, 1)
            assert found[3].shape == (2, 2 * height, 2 * width, 1)


def test_a_size_that_the_images_have_changes_nothing() -> None:
    x = dt.constant(np.zeros((2, 5, 4, 3), np.uint8))
    assert dt.image.resize_images(x, [5, 4]) is x


def test_pooling_with_dilation_does_not_count_padding() -> None:
    x = dt.ones([1, 5, 1])
    mean = dt.nn.pool(x, [3], "AVG", "SAME", dilation_rate=[2])
    most = dt.nn.pool(-x, [3], "MAX", "SAME", dilation_rate=[2])
    for value, expected in zip(dt.Session().run([mean, most]), (1.0, -1.0), strict=True):
        np.testing.assert_array_equal(value, np.full((1, 5, 1), expected))


IMAGE = np.zeros((1, 4, 4, 2), np.float32)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: dt.nn.conv1d(IMAGE[0], padding="SAME"), InvalidArgumentError, "conv1d: give the filter"),
        (lambda: dt.nn.conv1d(None, dt.ones([1, 1, 1])), InvalidArgumentError, "conv1d: give the images"),
        (
            lambda: dt.nn.conv1d(IMAGE[0], dt.ones([1, 2, 1]), [1, 2]),
            ShapeError,
            r"strides is \[1, 2\]; give an int or one for each of the 3 axes",
        ),
        (
            lambda: dt.nn.conv3d(IMAGE[None], dt.ones([1, 1, 1, 2, 1]), [1, 2]),
            ShapeError,
            r"give an int, three of them, or one for each of the 5 axes",
        ),
        (
            lambda: dt.nn.conv2d(IMAGE, dt.ones([1, 1, 2, 1]), 1, [[1, 0], [0, 0], [0, 0], [0, 0]]),
            InvalidArgumentError,
            r"padding is \[\(1, 0\), .*batch and channels are not padded",
        ),
        (
            lambda: dt.nn.conv3d(IMAGE[None], dt.ones([1, 1, 1, 2, 1]), data_format="NCHW"),
            InvalidArgumentError,
            "conv3d: data_format is 'NCHW'; use 'NDHWC' or 'NCDHW'",
        ),
        (
            lambda: dt.nn.convolution(IMAGE, dt.ones([2, 2])),
            ShapeError,
            r"the filter is float32\[2, 2\]; rank 3 to 5 is expected",
        ),
        (
            lambda: dt.nn.depthwise_conv2d(IMAGE, dt.ones([3, 3, 2]), 1, "SAME"),
            ShapeError,
            r"depthwise_conv2d: the filter is float32\[3, 3, 2\]; rank 4 is expected",
        ),
        (
            lambda: dt.nn.separable_conv2d(IMAGE, dt.ones([3, 3, 2, 1]), dt.ones([2, 1, 2, 3]), 1, "SAME"),
            ShapeError,
            r"the pointwise filter is float32\[2, 1, 2, 3\]; its window must be of one pixel",
        ),
        (
            lambda: dt.nn.conv2d_transpose(IMAGE, dt.ones([3, 3, 5, 2]), [1, 8, 8, 3], 2),
            ShapeError,
            r"output_shape asks for 3 channels; the filter, float32\[3, 3, 5, 2\], makes 5",
        ),
        (
            lambda: dt.nn.conv2d_transpose(IMAGE, dt.ones([3, 3, 5, 2]), [1, 8, 8], 2),
            ShapeError,
            r"output_shape is \[1, 8, 8\]; give 4 sizes, or one for each of 2",
        ),
        (
            lambda: dt.nn.conv2d_transpose(IMAGE, None, [1, 8, 8, 3], 2),
            InvalidArgumentError,
            "conv2d_transpose: give the filter",
        ),
        (
            lambda: dt.nn.conv2d_transpose(None, dt.ones([3, 3, 5, 2]), [8, 8], 2),
            InvalidArgumentError,
            "conv2d_transpose: give the images",
        ),
        (lambda: dt.nn.conv_transpose(IMAGE, dt.ones([3, 3]), [8, 8], 2), ShapeError, "rank 3 to 5 is expected"),
        (
            lambda: dt.nn.conv2d_backprop_filter(IMAGE, [3, 3], IMAGE, 1, "SAME"),
            InvalidArgumentError,
            r"filter_sizes is \[3, 3\]; give the filter's four sizes",
        ),
        (lambda: dt.nn.pool(IMAGE, [2, 2], "MIN", "SAME"), InvalidArgumentError, "pooling_type is 'MIN'; use 'MAX'"),
        (lambda: dt.nn.pool(IMAGE, [2] * 4, "MAX", "SAME"), ShapeError, r"window_shape is \[2, 2, 2, 2\]; give one"),
        (
            lambda: dt.nn.pool(IMAGE, [2, 2], "MAX", "SAME", 2, 2),
            InvalidArgumentError,
            r"strides are \(2, 2\) and dilations \(2, 2\); one of them must be 1",
        ),
        (
            lambda: dt.nn.max_pool_with_argmax(IMAGE, 2, data_format="NCHW"),
            InvalidArgumentError,
            "places are counted in 'NHWC' only",
        ),
        (lambda: dt.nn.max_pool_with_argmax(IMAGE[0], 2), ShapeError, r"float32\[4, 4, 2\]; rank 4 is expected"),
        (lambda: dt.nn.dilation2d(IMAGE), InvalidArgumentError, "dilation2d: give the filter"),
        (lambda: dt.nn.dilation2d(IMAGE, dt.ones([3, 3])), ShapeError, r"the filter is float32\[3, 3\]; \[batch, hei"),
        (
            lambda: dt.nn.dilation2d(IMAGE, dt.ones([3, 3, 2], dt.float64)),
            DTypeError,
            r"the filter is float64\[3, 3, 2\]; give numbers of one type",
        ),
        (
            lambda: dt.image.resize_bilinear(IMAGE, [2, 2], True, half_pixel_centers=True),
            InvalidArgumentError,
            "align_corners and half_pixel_centers exclude each other",
        ),
        (lambda: dt.image.resize_area(IMAGE, [2]), ShapeError, r"size is \[2\]; give height and width, at least 1"),
        (lambda: dt.image.resize_area(IMAGE[0], [2, 2]), ShapeError, r"float32\[4, 4, 2\]; rank 4 is expected"),
        (
            lambda: dt.image.resize_bicubic(IMAGE, dt.placeholder(dt.int32, [2])),
            InvalidArgumentError,
            "only a run knows the size",
        ),
        (lambda: dt.image.resize_bicubic(IMAGE > 0, [2, 2]), DTypeError, r"the images are bool.*; give numbers"),
        (lambda: dt.image.resize_images(IMAGE, [2, 2], 7), InvalidArgumentError, "method is 7; use one of dt.image.Re"),
        (lambda: dt.image.resize_images(IMAGE[0, 0], [2, 2]), ShapeError, r"float32\[4, 2\]; \[batch, height"),
        (
            lambda: dt.image.resize_images(dt.placeholder(dt.float32, [1, None, 4, 2]), [2, 2], 0, False, True),
            InvalidArgumentError,
            "preserve_aspect_ratio needs known sizes",
        ),
        (lambda: dt.nn.bias_add(IMAGE, [1.0, 2.0], "HWC"), InvalidArgumentError, "data_format is 'HWC'; use 'NHWC'"),
        (lambda: dt.layers.Conv2D(0, 3), InvalidArgumentError, "conv2d: filters is 0; it must be positive"),
        (lambda: dt.layers.Conv2D(3, 3, groups=2), InvalidArgumentError, "3 filters do not make 2 groups; choose a mu"),
        (
            lambda: dt.layers.conv2d(IMAGE[..., :1], 4, 3, groups=2),
            InvalidArgumentError,
            r"float32\[1, 4, 4, 1\], whose 1 channels do not make 2 groups",
        ),
        (
            lambda: dt.layers.Conv1D(4, 3, padding="full"),
            InvalidArgumentError,
            "padding is 'full'; use 'valid', 'same' or 'causal'",
        ),
        (
            lambda: dt.layers.Conv2DTranspose(4, 3, 2, output_padding=2),
            InvalidArgumentError,
            "output_padding is 2; it must be at least 0 and less than the strides, 2",
        ),
        (lambda: dt.layers.SeparableConv2D(4, 3, depth_multiplier=0), InvalidArgumentError, "depth_multiplier is 0"),
        (lambda: dt.layers.DepthwiseConv2D(3, depth_multiplier=0), InvalidArgumentError, "depth_multiplier is 0"),
        (
            lambda: dt.layers.MaxPooling3D((2, 2)),
            InvalidArgumentError,
            r"\(2, 2\); give one number, or one for each of 3",
        ),
        (lambda: dt.layers.AdaptiveMaxPooling2D(0), InvalidArgumentError, "output_size is 0; use 1 or more"),
        (
            lambda: dt.layers.UpSampling2D(2, interpolation="area"),
            InvalidArgumentError,
            "'area'; use 'nearest' or 'bil",
        ),
        (
            lambda: dt.layers.ZeroPadding2D((1, 2, 3)),
            InvalidArgumentError,
            r"\(1, 2, 3\); give a number or 2 numbers or",
        ),
        (
            lambda: dt.layers.Cropping1D(-1),
            InvalidArgumentError,
            "cropping is -1; give a number or a pair, not below 0",
        ),
        (lambda: dt.layers.cropping2d(IMAGE, 2), ShapeError, "cropping 2 leaves nothing of axis 1. Crop less"),
    ],
)
def test_what_is_refused(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
