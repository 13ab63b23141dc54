"""Operations on images as a TensorFlow 1 program writes them, for TensorFlow to record and for Dovetail to repeat.

A case is a function of a module, which is one of the two, and of tensors; and the shapes of what it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["CASES", "Case", "inputs_of"]


class Case(NamedTuple):
    """One case.

    Attributes:
        function: takes the module and a tensor for each shape; returns a tensor, or several.
        shapes: of the inputs.
        dtype: of the inputs.
        gradients: whether TensorFlow has a gradient of it.
    """

    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float64"
    gradients: bool = True


def inputs_of(name: str) -> list[np.ndarray]:
    """The inputs of a case; they follow from its name."""
    case = CASES[name]
    rng = np.random.default_rng(list(name.encode()))
    if case.dtype == "uint8":
        return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in case.shapes]
    return [rng.normal(size=shape).astype(case.dtype) for shape in case.shapes]


CASES: Final[dict[str, Case]] = {
    "conv1d_same": Case(lambda tf, x, f: tf.nn.conv1d(x, f, 2, "SAME"), ((2, 7, 2), (3, 2, 4))),
    "conv1d_valid": Case(lambda tf, x, f: tf.nn.conv1d(x, f, stride=1, padding="VALID"), ((2, 7, 2), (3, 2, 4))),
    "conv2d_same": Case(lambda tf, x, f: tf.nn.conv2d(x, f, [1, 2, 3, 1], "SAME"), ((2, 7, 8, 2), (3, 4, 2, 3))),
    "conv2d_same_even": Case(lambda tf, x, f: tf.nn.conv2d(x, f, [1, 2, 2, 1], "SAME"), ((1, 6, 5, 2), (2, 4, 2, 3))),
    "conv2d_explicit": Case(
        lambda tf, x, f: tf.nn.conv2d(x, f, [1, 2, 1, 1], [[0, 0], [2, 1], [0, 3], [0, 0]]),
        ((2, 5, 4, 2), (3, 3, 2, 3)),
    ),
    "conv3d_same": Case(
        lambda tf, x, f: tf.nn.conv3d(x, f, [1, 2, 1, 2, 1], "SAME"), ((1, 5, 4, 6, 2), (3, 2, 3, 2, 2))
    ),
    "convolution": Case(
        lambda tf, x, f: tf.nn.convolution(x, f, "SAME", dilation_rate=[2, 3]), ((1, 7, 8, 2), (3, 2, 2, 2))
    ),
    "atrous": Case(lambda tf, x, f: tf.nn.atrous_conv2d(x, f, 2, "SAME"), ((1, 7, 6, 2), (3, 3, 2, 2))),
    "depthwise": Case(
        lambda tf, x, f: tf.nn.depthwise_conv2d(x, f, [1, 2, 2, 1], "SAME"), ((2, 7, 6, 3), (3, 3, 3, 2))
    ),
    "depthwise_rate": Case(
        lambda tf, x, f: tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "VALID", [2, 2]), ((1, 8, 7, 2), (3, 2, 2, 1))
    ),
    "depthwise_native": Case(
        lambda tf, x, f: tf.nn.depthwise_conv2d_native(x, f, [1, 1, 1, 1], "VALID"), ((1, 5, 5, 2), (2, 2, 2, 3))
    ),
    "separable": Case(
        lambda tf, x, d, p: tf.nn.separable_conv2d(x, d, p, [1, 2, 2, 1], "SAME"),
        ((2, 7, 6, 3), (3, 3, 3, 2), (1, 1, 6, 4)),
    ),
    "conv1d_transpose": Case(
        lambda tf, x, f: tf.nn.conv1d_transpose(x, f, [2, 7, 3], 2, "SAME"), ((2, 4, 2), (3, 3, 2))
    ),
    "conv2d_transpose": Case(
        lambda tf, x, f: tf.nn.conv2d_transpose(x, f, [1, 7, 6, 3], [1, 2, 2, 1], "SAME"), ((1, 4, 3, 2), (3, 4, 3, 2))
    ),
    "conv2d_transpose_valid": Case(
        lambda tf, x, f: tf.nn.conv2d_transpose(x, f, [1, 10, 7, 3], [1, 2, 2, 1], "VALID"),
        ((1, 4, 3, 2), (3, 3, 3, 2)),
    ),
    "conv3d_transpose": Case(
        lambda tf, x, f: tf.nn.conv3d_transpose(x, f, [1, 4, 3, 5, 2], [1, 2, 1, 2, 1], "SAME"),
        ((1, 2, 3, 3, 2), (3, 2, 2, 2, 2)),
    ),
    "atrous_transpose": Case(
        lambda tf, x, f: tf.nn.atrous_conv2d_transpose(x, f, [1, 7, 6, 3], 2, "SAME"), ((1, 7, 6, 2), (3, 3, 3, 2))
    ),
    "backprop_input": Case(
        lambda tf, f, g: tf.nn.conv2d_backprop_input([2, 7, 6, 2], f, g, [1, 2, 2, 1], "SAME"),
        ((3, 3, 2, 4), (2, 4, 3, 4)),
    ),
    "backprop_filter": Case(
        lambda tf, x, g: tf.nn.conv2d_backprop_filter(x, [3, 3, 2, 4], g, [1, 2, 2, 1], "SAME"),
        ((2, 7, 6, 2), (2, 4, 3, 4)),
    ),
    "max_pool": Case(lambda tf, x: tf.nn.max_pool(x, [1, 3, 2, 1], [1, 2, 2, 1], "SAME"), ((2, 6, 7, 2),)),
    "avg_pool": Case(lambda tf, x: tf.nn.avg_pool(x, [1, 3, 2, 1], [1, 2, 2, 1], "SAME"), ((2, 6, 7, 2),)),
    "max_pool1d": Case(lambda tf, x: tf.nn.max_pool1d(x, 3, 2, "SAME"), ((2, 6, 2),)),
    "avg_pool1d": Case(lambda tf, x: tf.nn.avg_pool1d(x, 3, 2, "VALID"), ((2, 8, 2),)),
    "max_pool3d": Case(lambda tf, x: tf.nn.max_pool3d(x, 2, 2, "SAME"), ((1, 3, 4, 5, 2),), "float32"),
    "avg_pool3d": Case(lambda tf, x: tf.nn.avg_pool3d(x, 2, 2, "VALID"), ((1, 4, 4, 5, 2),), "float32"),
    "pool_dilated": Case(lambda tf, x: tf.nn.pool(x, [3, 2], "AVG", "VALID", dilation_rate=[2, 3]), ((1, 8, 9, 2),)),
    "pool_max_dilated": Case(lambda tf, x: tf.nn.pool(x, [2, 2], "MAX", "VALID", [2, 1]), ((1, 6, 5, 2),)),
    "pool_strided": Case(lambda tf, x: tf.nn.pool(x, [3], "MAX", "SAME", strides=[2]), ((2, 7, 2),)),
    "argmax": Case(
        lambda tf, x: tf.nn.max_pool_with_argmax(x, [1, 2, 3, 1], [1, 2, 2, 1], "SAME"),
        ((2, 5, 6, 3),),
        "float32",
        gradients=False,
    ),
    "argmax_of_batch": Case(
        lambda tf, x: tf.nn.max_pool_with_argmax(x, [1, 2, 2, 1], [1, 1, 1, 1], "VALID", include_batch_in_index=True),
        ((2, 3, 4, 2),),
        "float32",
        gradients=False,
    ),
    "dilation": Case(
        lambda tf, x, f: tf.nn.dilation2d(x, f, [1, 1, 2, 1], [1, 2, 1, 1], "SAME"), ((2, 6, 5, 2), (3, 2, 2))
    ),
    "dilation_valid": Case(
        lambda tf, x, f: tf.nn.dilation2d(x, f, [1, 1, 1, 1], [1, 1, 1, 1], "VALID"), ((1, 6, 5, 2), (3, 2, 2))
    ),
    "erosion": Case(
        lambda tf, x, f: tf.nn.erosion2d(x, f, [1, 2, 1, 1], [1, 1, 1, 1], "SAME"), ((2, 6, 5, 2), (3, 2, 2))
    ),
    "resize_images": Case(lambda tf, x: tf.image.resize_images(x, [3, 8]), ((2, 5, 4, 2),), "float32"),
    "resize_one_image": Case(
        lambda tf, x: tf.image.resize_images(x, [6, 6], tf.image.ResizeMethod.BICUBIC, preserve_aspect_ratio=True),
        ((5, 4, 2),),
        "float32",
    ),
    "resize_bytes": Case(lambda tf, x: tf.image.resize_bilinear(x, [3, 7]), ((1, 5, 4, 2),), "uint8", gradients=False),
    "nearest_bytes": Case(
        lambda tf, x: tf.image.resize_nearest_neighbor(x, [3, 7]), ((1, 5, 4, 2),), "uint8", gradients=False
    ),
}

_SIZES: Final = ((2, 3), (7, 9), (5, 1), (10, 12))
for _method in ("bilinear", "nearest_neighbor", "bicubic", "area"):
    for _rule in ("", "align_corners", "half_pixel_centers"):
        for _size in _SIZES:
            if _method == "area" and _rule == "half_pixel_centers":
                continue

            def _resized(tf: Any, x: Any, method: str = _method, rule: str = _rule, size: Any = _size) -> Any:
                rules = {rule: True} if rule else {}
                return getattr(tf.image, f"resize_{method}")(x, list(size), **rules)

            _label = f"{_method}_{_rule or 'plain'}_{_size[0]}_{_size[1]}"
            CASES[_label] = Case(_resized, ((2, 5, 6, 2),), "float32", gradients=_method != "area")
