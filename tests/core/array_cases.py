"""Small TensorFlow 1 programs of arrays that Dovetail and TensorFlow both run: the one to test, the other to record.

Each is a function of the module (``dovetail``, or ``tensorflow.compat.v1``) and of tensors. A program that takes
floating arrays is differentiated by them, unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A program, the arrays it is fed, and whether gradients are compared."""

    program: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    gradients: bool


CASES: Final[dict[str, Case]] = {}
RNG: Final = np.random.default_rng(1105)


def case(name: str, program: Callable[..., Any], *arrays: Any, gradients: bool = True) -> None:
    """Add a program."""
    CASES[name] = Case(program, tuple(np.asarray(one) for one in arrays), gradients)


def normal(*shape: int) -> np.ndarray:
    """Numbers of the normal distribution, in float32."""
    return RNG.normal(size=shape).astype(np.float32)


def plain(value: Any) -> np.ndarray:
    """A result as an array that a file holds; text as bytes of one length."""
    array = np.asarray(value)
    return array.astype(np.bytes_) if array.dtype == object or array.dtype.kind == "S" else array


def cotangents(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """What outputs of these shapes are weighed with before they are differentiated."""
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


# Clipping. -----------------------------------------------------------------------------------------------------------

for _limit in (1.0, 100.0):
    case(f"clip_by_norm_{_limit:g}", lambda tf, x, limit=_limit: tf.clip_by_norm(x, limit), normal(3, 4))
    case(
        f"clip_by_average_norm_{_limit:g}",
        lambda tf, x, limit=_limit: tf.clip_by_average_norm(x, limit / 10),
        normal(3, 4),
    )
    case(
        f"clip_by_global_norm_{_limit:g}",
        lambda tf, x, y, limit=_limit: [*tf.clip_by_global_norm([x, y], limit)[0], tf.global_norm([x, y])],
        normal(3, 4),
        normal(2),
    )
case("clip_by_norm_axes", lambda tf, x: tf.clip_by_norm(x, 1.0, axes=[1]), normal(3, 4))
case("clip_by_norm_zeros", lambda tf, x: tf.clip_by_norm(x, 1.0), np.zeros((2, 2), np.float32))
case(
    "clip_by_global_norm_infinite",
    lambda tf, x: tf.clip_by_global_norm([x], 1.0)[0],
    np.array([1.0, np.inf], np.float32),
    gradients=False,
)
case("clip_by_global_norm_use_norm", lambda tf, x: tf.clip_by_global_norm([x], 1.0, tf.constant(4.0))[0], normal(3))


def _rows_of_a_gather(tf: Any, x: Any) -> Any:
    """The gradient of repeated rows, clipped: rows count as they are."""
    (slices,) = tf.gradients(tf.reduce_sum(tf.gather(x, [2, 0, 2]) ** 3.0), x)
    (clipped,), norm = tf.clip_by_global_norm([slices], 1.0)
    return [tf.convert_to_tensor(clipped), norm]


case("clip_by_global_norm_slices", _rows_of_a_gather, normal(4, 3), gradients=False)

# Scatter. ------------------------------------------------------------------------------------------------------------

_INDICES, _ROWS = np.array([3, 0, 2], np.int32), normal(3, 2)
for _how in ("update", "add", "sub", "mul", "div", "min", "max"):
    case(
        f"scatter_{_how}",
        lambda tf, x, indices, rows, how=_how: getattr(tf, f"scatter_{how}")(
            tf.Variable(np.arange(8.0, dtype=np.float32).reshape(4, 2) - 3.5), indices, rows
        ),
        normal(1),
        _INDICES,
        _ROWS,
        gradients=False,
    )
for _how in ("update", "add", "sub"):
    case(
        f"scatter_nd_{_how}",
        lambda tf, indices, rows, how=_how: getattr(tf, f"scatter_nd_{how}")(
            tf.Variable(np.arange(24.0, dtype=np.float32).reshape(4, 3, 2)), indices, rows
        ),
        np.array([[3, 1], [0, 0]], np.int32),
        normal(2, 2),
        gradients=False,
    )
case(
    "scatter_add_repeated",
    lambda tf, rows: tf.scatter_add(tf.Variable(np.zeros((3, 2), np.float32)), [[1, 1], [2, 1]], rows),
    normal(2, 2, 2),
    gradients=False,
)
for _how in ("add", "sub", "min", "max"):
    case(
        f"tensor_scatter_nd_{_how}",
        lambda tf, x, indices, rows, how=_how: getattr(tf, f"tensor_scatter_nd_{how}")(x, indices, rows),
        normal(4, 3, 2),
        np.array([[3, 1], [0, 0], [3, 1]], np.int32),
        normal(3, 2),
        gradients=_how in ("add", "sub"),
    )
case(
    "tensor_scatter_nd_update",
    lambda tf, x, indices, rows: tf.tensor_scatter_nd_update(x, indices, rows),
    normal(4, 3, 2),
    np.array([[3, 1], [0, 0]], np.int32),
    normal(2, 2),
)
case(
    "tensor_scatter_max_integers", lambda tf, x: tf.tensor_scatter_nd_max(x, [[1]], [7]), np.array([5, 6, 8], np.int32)
)

# Segments. -----------------------------------------------------------------------------------------------------------

for _how in ("sum", "mean", "max", "min", "prod"):
    case(
        f"segment_{_how}",
        lambda tf, x, ids, how=_how: getattr(tf, f"segment_{how}")(x, ids),
        normal(5, 2),
        np.array([0, 0, 2, 2, 3], np.int32),
        gradients=_how != "prod",  # TensorFlow has none
    )
for _how in ("sum", "mean", "max", "min", "prod", "sqrt_n"):
    case(
        f"unsorted_segment_{_how}",
        lambda tf, x, ids, how=_how: getattr(tf, f"unsorted_segment_{how}")(x, ids, 4),
        normal(6, 2),
        np.array([2, 0, 3, -1, 2, 1], np.int64),
    )
case(
    "unsorted_segment_prod_zeros",
    lambda tf, x, ids: tf.unsorted_segment_prod(x, ids, 3),
    np.array([0.0, 2.0, 0.0, 0.0, 3.0], np.float32),
    np.array([0, 0, 1, 1, 2], np.int32),
)
case(
    "unsorted_segment_max_ties",
    lambda tf, x, ids: tf.unsorted_segment_max(x, ids, 3),
    np.array([1.0, 1.0, 0.0, 2.0], np.float32),
    np.array([0, 0, 0, 2], np.int32),
)
case(
    "unsorted_segment_sum_matrix",
    lambda tf, x, ids: tf.unsorted_segment_sum(x, ids, 3),
    normal(2, 2, 3),
    np.array([[0, 2], [2, -1]], np.int32),
)
for _how in ("sum", "mean", "sqrt_n"):
    case(
        f"sparse_segment_{_how}",
        lambda tf, x, how=_how: getattr(tf, f"sparse_segment_{how}")(x, [4, 1, 1, 0], [0, 0, 1, 3]),
        normal(5, 2),
    )
case(
    "sparse_segment_sum_num_segments",
    lambda tf, x: tf.sparse_segment_sum(x, [4, 1], [0, 2], num_segments=5),
    normal(5, 2),
)

# Arrays of tensors, and loops over them. -----------------------------------------------------------------------------


def _recurrence(tf: Any, x: Any, weights: Any) -> Any:
    """A recurrent network as tutorials write it, with arrays in a loop."""
    steps = tf.shape(x)[0]
    given = tf.TensorArray(tf.float32, size=steps).unstack(x)
    states = tf.TensorArray(tf.float32, size=steps)

    def step(i: Any, state: Any, array: Any) -> Any:
        state = tf.tanh(tf.matmul(given.read(i) + state, weights))
        return i + 1, state, array.write(i, state)

    _, last, states = tf.while_loop(lambda i, *_: i < steps, step, (0, tf.zeros([2, 3]), states))
    return [states.stack(), last]


case("tensor_array_recurrence", _recurrence, normal(4, 2, 3), normal(3, 3))


def _everything(tf: Any, x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=3, element_shape=[2]).scatter([2, 0, 1], x)
    array = array.write(1, x[0] * 2.0)
    parts = tf.TensorArray(tf.float32, size=3).split(tf.reshape(x, [6]), [2, 2, 2])
    return [array.gather([2, 0]), array.stack(), array.concat(), array.read(1), array.size(), parts.stack()]


case("tensor_array_everything", _everything, normal(3, 2))


def _grown(tf: Any, x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False)
    for i in range(3):
        array = array.write(i, x[i] * float(i + 1))
    return [array.stack(), array.size(), array.read(2)]


case("tensor_array_grown", _grown, normal(3, 2))


def _growing(tf: Any, x: Any) -> Any:
    """As decoders do: nobody knows how many steps there will be."""
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    _, _, array = tf.while_loop(
        lambda i, total, _: tf.reduce_sum(total) < 20.0,
        lambda i, total, one: (i + 1, total * 2.0, one.write(i, total)),
        (0, x, array),
    )
    return [array.stack(), array.size()]


case("tensor_array_growing", _growing, np.array([1.0, 1.5], np.float32), gradients=False)


def _of_branches(tf: Any, x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=2).write(0, x)
    array = array.write(1, tf.cond(x[0] > 0.0, lambda: x * 2.0, lambda: -x))
    return array.stack()


case("tensor_array_of_branches", _of_branches, normal(2))

# Counting. -----------------------------------------------------------------------------------------------------------

_NUMBERS = np.array([1, 1, 3, 0, 3, 3], np.int32)
case("bincount", lambda tf, x: [tf.bincount(x), tf.bincount(x, minlength=6), tf.bincount(x, maxlength=2)], _NUMBERS)
case(
    "bincount_weights",
    lambda tf, x, w: tf.bincount(x, weights=w, minlength=5, maxlength=5),
    _NUMBERS,
    normal(6),
    gradients=False,
)
case("bincount_nothing", lambda tf, x: tf.bincount(x, minlength=2), np.zeros((0,), np.int32))
_VALUES = np.array([[-1.0, 0.0, 1.5], [2.0, 5.0, 15.0]], np.float32)
case(
    "histogram_fixed_width",
    lambda tf, x: [
        tf.histogram_fixed_width(x, [0.0, 5.0], nbins=5),
        tf.histogram_fixed_width(x, [0.0, 5.0], dtype=tf.int64),
        tf.histogram_fixed_width_bins(x, [0.0, 5.0], nbins=5),
    ],
    _VALUES,
    gradients=False,
)
case(
    "confusion_matrix",
    lambda tf, x, y, w: [
        tf.confusion_matrix(x, y),
        tf.confusion_matrix(x, y, num_classes=5, dtype=tf.float32),
        tf.confusion_matrix(tf.expand_dims(x, 1), y, 5, weights=w, dtype=tf.float32),
    ],
    np.array([1, 2, 4, 2], np.int32),
    np.array([2, 2, 4, 0], np.int32),
    normal(4),
    gradients=False,
)

# Blocks, patches, partitions. ----------------------------------------------------------------------------------------

case("space_to_batch_nd", lambda tf, x: tf.space_to_batch_nd(x, [2, 3], [[1, 0], [0, 1]]), normal(2, 3, 5, 2))
case("space_to_batch", lambda tf, x: tf.space_to_batch(x, [[0, 1], [1, 0]], 2), normal(1, 3, 3, 2))
case("batch_to_space_nd", lambda tf, x: tf.batch_to_space_nd(x, [2, 3], [[1, 0], [0, 2]]), normal(12, 2, 2, 2))
case("batch_to_space", lambda tf, x: tf.batch_to_space(x, [[0, 1], [0, 0]], 2), normal(4, 2, 2, 1))
case(
    "required_space_to_batch_paddings",
    lambda tf: list(tf.required_space_to_batch_paddings([10, 7], [4, 3], [[1, 0], [0, 2]])),
)
for _padding in ("VALID", "SAME"):
    case(
        f"extract_image_patches_{_padding.lower()}",
        lambda tf, x, padding=_padding: tf.extract_image_patches(x, [1, 2, 3, 1], [1, 2, 1, 1], [1, 1, 2, 1], padding),
        normal(2, 6, 7, 2),
    )
case(
    "dynamic_partition",
    lambda tf, x: tf.dynamic_partition(x, [1, 0, 1, 2], 3),
    normal(4, 2),
)
case(
    "dynamic_stitch",
    lambda tf, x, y: tf.dynamic_stitch([[0, 3], [[1], [3]]], [x, y]),
    normal(2, 2),
    normal(2, 1, 2),
    gradients=False,  # TensorFlow's counts rows that others replaced
)
case(
    "repeat",
    lambda tf, x: [tf.repeat(x, 2), tf.repeat(x, [1, 3], axis=0), tf.repeat(x, 2, axis=1)],
    normal(2, 3),
)
case("repeat_by_tensor", lambda tf, x, n: tf.repeat(x, n, axis=0), normal(3, 2), np.array([2, 0, 1], np.int32))
case("setdiff1d", lambda tf, x: list(tf.setdiff1d(x, [3, 9, 1])), np.array([1, 5, 3, 5, 2], np.int32))
case("unravel_index", lambda tf, x: tf.unravel_index(x, [3, 4, 2]), np.array([22, 5, 0], np.int32))
case("truncatemod", lambda tf, x: [tf.truncatemod(x, 3), tf.truncatemod(x, [-2])], np.array([-7, 7, 0], np.int32))
case("where_v2", lambda tf, x: tf.where_v2([True, False], x, 0.0), normal(3, 2))
case("scalar_mul", lambda tf, x: tf.scalar_mul(3.0, x), normal(3, 2))
for _flags in ((False, False), (True, False), (False, True), (True, True)):
    case(
        f"cumulative_logsumexp_{_flags[0]:d}{_flags[1]:d}",
        lambda tf, x, flags=_flags: tf.math.cumulative_logsumexp(x, 1, exclusive=flags[0], reverse=flags[1]),
        normal(2, 5) * 3,
    )

# Text. ---------------------------------------------------------------------------------------------------------------

_TEXTS = np.array([b"Hello, World", b"  a1b22 ", b""], object)
case(
    "strings",
    lambda tf, x: [
        tf.string_join([x, "-", x], separator="|"),
        tf.strings.lower(x),
        tf.strings.upper(x),
        tf.string_strip(x),
        tf.strings.length(x),
        tf.regex_replace(x, "[a-z]+([0-9])", r"<\1\0>"),
        tf.regex_replace(x, "[0-9]", "#", replace_global=False),
        tf.strings.regex_full_match(x, "[A-Z].*d"),
        tf.reduce_join(x, 0, separator="+"),
    ],
    _TEXTS,
)
case(
    "strings_utf8",
    lambda tf, x: [
        tf.strings.length(x, unit="UTF8_CHAR"),
        tf.strings.upper(x, encoding="utf-8"),
        tf.substr(x, 1, 2, unit="UTF8_CHAR"),
    ],
    np.array(["añb".encode(), "éàü".encode()], object),
)
case("substr", lambda tf, x: [tf.substr(x, [1, -2], [3, 9]), tf.substr(x, 0, 2)], np.array([b"hello", b"abc"], object))
case(
    "reduce_join",
    lambda tf, x: [
        tf.reduce_join(x),
        tf.reduce_join(x, [0, 1]),
        tf.reduce_join(x, [1, 0], separator="."),
        tf.reduce_join(x, -1, keepdims=True),
    ],
    np.array([[b"a", b"b", b"c"], [b"d", b"e", b"f"]], object),
)
case(
    "as_string",
    lambda tf, x, i, b: [
        tf.as_string(x),
        tf.as_string(x, precision=2, width=9),
        tf.as_string(x, scientific=True),
        tf.as_string(x, shortest=True),
        tf.as_string(x, precision=1, width=9, fill="0"),
        tf.as_string(i),
        tf.as_string(i, width=6, fill="0"),
        tf.as_string(i, width=6, fill="-"),
        tf.as_string(b),
    ],
    np.array([0.5, -2.25, 1e10, 3.0], np.float32),
    np.array([[3, -12]], np.int64),
    np.array([True, False]),
    gradients=False,
)
case(
    "string_to_number",
    lambda tf, x, y: [tf.string_to_number(x), tf.string_to_number(x, tf.float64), tf.string_to_number(y, tf.int64)],
    np.array([b"1.5", b"-2e3", b"inf"], object),
    np.array([b"12", b"-3"], object),
)


def _parts(tf: Any, x: Any) -> Any:
    found = [tf.string_split(x), tf.string_split(x, ",b", skip_empty=False), tf.strings.split(x, ", ")]
    found += [tf.strings.split(x), tf.strings.split(x, " ", maxsplit=1)]
    return [part for one in found for part in (one.indices, one.values, one.dense_shape)]


case("string_split", _parts, _TEXTS)

# Sparse tensors. -----------------------------------------------------------------------------------------------------

case(
    "sparse_to_dense",
    lambda tf, x: [
        tf.sparse_to_dense([[0, 1], [2, 0]], [3, 2], x, default_value=-1.0),
        tf.sparse_to_dense([1, 3], [4], 7),
        tf.sparse_tensor_to_dense(tf.SparseTensor([[0, 1], [2, 0]], x, [3, 2])),
    ],
    normal(2),
    gradients=False,
)


def _products(tf: Any, x: Any, y: Any) -> Any:
    sparse = tf.SparseTensor([[0, 1], [0, 2], [2, 0]], x, [3, 4])
    return [
        tf.sparse_tensor_dense_matmul(sparse, y),
        tf.sparse_tensor_dense_matmul(sparse, y[:3], adjoint_a=True),
        tf.sparse_tensor_dense_matmul(sparse, tf.transpose(y), adjoint_b=True),
    ]


case("sparse_tensor_dense_matmul", _products, normal(3), normal(4, 2))

# Quantization. -------------------------------------------------------------------------------------------------------

for _bits, _narrow in ((8, False), (4, True)):
    case(
        f"fake_quant_{_bits}",
        lambda tf, x, low, high, bits=_bits, narrow=_narrow: [
            tf.fake_quant_with_min_max_args(x, -2.0, 3.0, num_bits=bits, narrow_range=narrow),
            tf.fake_quant_with_min_max_vars(x, low[0], high[0], num_bits=bits, narrow_range=narrow),
            tf.fake_quant_with_min_max_vars_per_channel(x, low, high, num_bits=bits, narrow_range=narrow),
        ],
        normal(4, 3) * 3,
        np.array([-1.0, -0.7, -3.0], np.float32),
        np.array([2.0, 0.9, 4.1], np.float32),
    )
