"""The operations that random programs are made of: functions that add one to a program, or nothing where none fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import dovetail as dt
from tests.backend_cpu.random_programs import Known, RandomProgram

__all__ = ["OPERATIONS"]

Operation = Callable[[RandomProgram], Any]

SMOOTH: Final[tuple[Callable[[Any], Any], ...]] = (
    dt.tanh,
    dt.sigmoid,
    dt.sin,
    dt.cos,
    dt.abs,
    lambda x: -x,
    dt.square,
    dt.nn.relu,
    dt.nn.softplus,
    dt.nn.elu,
    dt.nn.gelu,
    dt.nn.swish,
    dt.erf,
    lambda x: dt.exp(-dt.abs(x)),
    lambda x: dt.log(dt.abs(x) + 0.5),
    lambda x: dt.log1p(dt.square(x)),
    lambda x: dt.sqrt(dt.abs(x) + 0.25),
    lambda x: dt.rsqrt(dt.square(x) + 1.0),
    lambda x: dt.pow(dt.abs(x) + 0.5, 1.5),
    lambda x: dt.clip_by_value(x, -0.8, 1.3),
    lambda x: dt.atan2(x, dt.square(x) + 1.0),
    lambda x: dt.nn.leaky_relu(x, 0.1),
)
BINARY: Final[tuple[Callable[[Any, Any], Any], ...]] = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    dt.maximum,
    dt.minimum,
    lambda x, y: x / (dt.square(y) + 1.0),
    dt.squared_difference,
    lambda x, y: dt.div_no_nan(x, dt.abs(y) + 0.5),
)
INTEGER: Final[tuple[Callable[[Any, Any], Any], ...]] = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    dt.maximum,
    dt.minimum,
    lambda x, y: x // (dt.abs(y) + 1),
    lambda x, y: x % (dt.abs(y) + 1),
    dt.truncatediv,
    dt.bitwise_and,
    dt.bitwise_or,
    dt.bitwise_xor,
    lambda x, y: dt.left_shift(x, dt.bitwise_and(y, 3)),
)


def floating(known: Known) -> bool:
    return known.floating


def single(known: Known) -> bool:
    return known.dtype == "float32"


def integer(known: Known) -> bool:
    return known.dtype in ("int32", "int64")


def boolean(known: Known) -> bool:
    return known.dtype == "bool"


def ranked(least: int) -> Callable[[Known], bool]:
    return lambda known: known.rank >= least


def broadcasts_with(other: Known) -> Callable[[Known], bool]:
    def test(known: Known) -> bool:
        if known.dtype != other.dtype:
            return False
        try:
            return all(len(np.broadcast_shapes(*pair)) <= 4 for pair in zip(known.shapes, other.shapes, strict=True))
        except ValueError:
            return False

    return test


def same_type(other: Known) -> Callable[[Known], bool]:
    return lambda known: known.dtype == other.dtype and known.shapes == other.shapes


def axis_of(program: RandomProgram, known: Known) -> int:
    return int(program.rng.integers(known.rank))


def chosen(program: RandomProgram, options: Any) -> Any:
    return options[int(program.rng.integers(len(options)))]


# Elementwise. --------------------------------------------------------------------------------------------------------


def smooth(program: RandomProgram) -> None:
    if x := program.pick(floating):
        program.grow(chosen(program, SMOOTH), x)


def binary(program: RandomProgram) -> None:
    x = program.pick(floating)
    if x and (y := program.pick(broadcasts_with(x))):
        program.grow(chosen(program, BINARY), x, y)


def integers(program: RandomProgram) -> None:
    x = program.pick(integer)
    if x and (y := program.pick(broadcasts_with(x))):
        program.grow(chosen(program, INTEGER), x, y)


def steps(program: RandomProgram) -> None:
    """Rounding and signs, away from where they jump."""
    marks = np.arange(-8, 8.5, 0.5)
    if x := program.pick(floating, lambda known: known.apart_from(*marks)):
        program.grow(chosen(program, (dt.floor, dt.ceil, dt.round, dt.sign, lambda v: dt.cast(v, dt.int32))), x)


def comparison(program: RandomProgram) -> None:
    functions = (dt.greater, dt.less_equal, dt.not_equal)
    if program.rng.random() < 0.4:
        x = program.pick(integer)
        if x and (y := program.pick(broadcasts_with(x))):
            program.grow(chosen(program, (*functions, dt.equal)), x, y)
    elif x := program.pick(floating, lambda known: known.apart_from(0.25)):
        program.grow(lambda v: chosen(program, functions)(v, dt.constant(0.25, v.dtype)), x)


def logic(program: RandomProgram) -> None:
    x = program.pick(boolean)
    if x and (y := program.pick(broadcasts_with(x))):
        program.grow(chosen(program, (dt.logical_and, dt.logical_or, dt.logical_xor)), x, y)


def selection(program: RandomProgram) -> None:
    x = program.pick(lambda known: known.dtype != "bool")
    y = x and program.pick(same_type(x))
    condition = x and program.pick(boolean, lambda known: known.shapes == x.shapes)
    if x and y and condition:
        program.grow(dt.where, condition, x, y)


def cast(program: RandomProgram) -> None:
    if x := program.pick(lambda known: known.dtype != "bool" or program.rng.random() < 0.7):
        if x.floating:
            target = chosen(program, ("float32", "float32", "float64", "float64", "float16", "bfloat16"))
        else:
            target = chosen(program, ("float32", "float32", "float64", "int32", "int64"))
        scale = 1.0 if x.dtype == "bool" else 0.125
        if target.startswith("int") or x.floating:
            program.grow(lambda v: dt.cast(v, dt.as_dtype(target)), x)
        else:
            program.grow(lambda v: dt.cast(v, dt.as_dtype(target)) * scale, x)


# Reductions. ---------------------------------------------------------------------------------------------------------


def reduction(program: RandomProgram) -> None:
    x = program.pick(lambda known: known.dtype != "bool")
    if not x:
        return
    axes = [axis for axis in range(x.rank) if program.rng.random() < 0.6]
    keep = bool(program.rng.random() < 0.5)
    functions = [dt.reduce_mean, dt.reduce_max, dt.reduce_min, dt.reduce_sum]
    if x.floating:
        functions += [dt.reduce_logsumexp, lambda v, a, keepdims: dt.reduce_prod(dt.tanh(v), a, keepdims=keepdims)]
        functions += [lambda v, a, keepdims: dt.sqrt(dt.reduce_variance(v, a, keepdims=keepdims) + 0.1)]
    else:
        functions.pop(0)
    function = chosen(program, functions)
    program.grow(lambda v: function(v, axes or None, keepdims=keep), x)


def truth(program: RandomProgram) -> None:
    if x := program.pick(boolean, ranked(1)):
        axis = axis_of(program, x)
        program.grow(lambda v: chosen(program, (dt.reduce_all, dt.reduce_any))(v, axis), x)


def softmax(program: RandomProgram) -> None:
    if x := program.pick(floating, ranked(1)):
        axis = axis_of(program, x)
        function = chosen(program, (dt.nn.softmax, dt.nn.log_softmax))
        program.grow(lambda v: function(v, axis=axis), x)


def normalization(program: RandomProgram) -> None:
    if x := program.pick(floating, ranked(2)):
        program.grow(lambda v: dt.nn.layer_normalization(v, epsilon=0.1), x)


def running(program: RandomProgram) -> None:
    if x := program.pick(lambda known: known.dtype != "bool", ranked(1)):
        axis, exclusive, reverse = axis_of(program, x), *(bool(b) for b in program.rng.random(2) < 0.5)
        program.grow(lambda v: dt.cumsum(v, axis, exclusive=exclusive, reverse=reverse), x)


def place_of_greatest(program: RandomProgram) -> None:
    x = program.pick(lambda known: known.dtype != "bool", ranked(1))
    if x:
        axis = axis_of(program, x)
        if not x.floating or x.apart_along(axis):
            program.grow(lambda v: chosen(program, (dt.argmax, lambda u, a: dt.argsort(u, a)))(v, axis), x)


def sorting(program: RandomProgram) -> None:
    if x := program.pick(lambda known: known.dtype != "bool", ranked(1)):
        axis = axis_of(program, x)
        program.grow(lambda v: dt.sort(v, axis), x)


# Moving data. --------------------------------------------------------------------------------------------------------


def reshape(program: RandomProgram) -> None:
    if x := program.pick(ranked(1)):
        tail = [int(size) for size in x.tensor.shape.dims[1:] if isinstance(size, int)]
        options: list[list[int]] = [[-1], [1, -1], [-1, 1]]
        if len(tail) == x.rank - 1:
            options += [[-1, *tail[::-1]], [-1, *tail[:-2], int(np.prod(tail[-2:], dtype=int))], [-1, *tail, 1]]
        shape = chosen(program, options)
        program.grow(lambda v: dt.reshape(v, shape), x)


def transpose(program: RandomProgram) -> None:
    if x := program.pick(ranked(2)):
        order = [int(i) for i in program.rng.permutation(x.rank)]
        program.grow(lambda v: dt.transpose(v, order), x)


def cut(program: RandomProgram) -> None:
    if x := program.pick(ranked(1)):
        key: list[Any] = []
        for axis in range(x.rank):
            least = min(shape[axis] for shape in x.shapes)
            kinds: list[Any] = [slice(None), slice(None), slice(None, None, -1), slice(None, None, 2), np.newaxis]
            if least > 1:
                kinds += [slice(1, None), slice(None, -1), slice(-2, None, -1), 0, -1]
            part = chosen(program, kinds)
            key += [part, slice(None)] if part is np.newaxis else [part]
        program.grow(lambda v: v[tuple(key)], x)


def join(program: RandomProgram) -> None:
    x = program.pick(lambda known: known.dtype != "bool", ranked(1))
    y = x and program.pick(same_type(x))
    if x and y:
        axis = axis_of(program, x)
        program.grow(lambda u, v: chosen(program, (dt.concat, dt.stack))([u, v, u], axis), x, y)


def divide(program: RandomProgram) -> None:
    if x := program.pick(ranked(1)):
        axis = axis_of(program, x)
        size = x.tensor.shape.dims[axis]
        if not isinstance(size, int) or size < 2:
            return
        if program.rng.random() < 0.5:
            program.grow(lambda v: dt.unstack(v, axis=axis)[:3], x)
        else:
            program.grow(lambda v: dt.split(v, [1, size - 1], axis), x)


def pad(program: RandomProgram) -> None:
    if x := program.pick(lambda known: known.dtype != "bool", ranked(1)):
        widths = [[int(i) for i in program.rng.integers(0, 3, 2)] for _ in range(x.rank)]
        mode = chosen(program, ("CONSTANT", "CONSTANT", "REFLECT", "SYMMETRIC"))
        program.grow(lambda v: dt.pad(v, widths, mode), x)


def rearrange(program: RandomProgram) -> None:
    if x := program.pick(lambda known: known.dtype != "bool", ranked(1)):
        axis = axis_of(program, x)
        options = [
            lambda v: dt.reverse(v, [axis]),
            lambda v: dt.tile(v, [2 if i == axis else 1 for i in range(x.rank)]),
            lambda v: dt.expand_dims(v, axis),
            lambda v: dt.roll(v, 2, axis),
            lambda v: dt.broadcast_to(v, dt.concat([[2], dt.shape(v)], 0)),
        ]
        if x.floating and x.rank >= 2:
            options.append(lambda v: dt.matrix_band_part(v, 1, 1))
        program.grow(chosen(program, options), x)


def gather(program: RandomProgram) -> None:
    x = program.pick(ranked(1))
    if not x:
        return
    axis = axis_of(program, x)
    indices = program.pick(integer, lambda known: 0 < known.rank <= 2)
    if indices is not None and program.rng.random() < 0.7:
        program.grow(lambda v, i: dt.gather(v, i % dt.cast(dt.shape(v)[axis], i.dtype), axis=axis), x, indices)
    else:
        program.grow(lambda v: dt.gather(v, [0, 0], axis=axis), x)


def scatter(program: RandomProgram) -> None:
    x = program.pick(single, ranked(1))
    if x and (
        rows := program.pick(
            integer,
            lambda known: [s[:1] for s in known.shapes] == [s[:1] for s in x.shapes],
            lambda known: known.rank == 1,
        )
    ):
        program.grow(
            lambda v, i: dt.scatter_nd(dt.expand_dims(i % 4, -1), v, dt.concat([[4], dt.shape(v)[1:]], 0)), x, rows
        )


def one_hot(program: RandomProgram) -> None:
    if x := program.pick(integer, lambda known: known.rank <= 2):
        program.grow(lambda v: dt.one_hot(v, 5), x)


# Products and windows. -----------------------------------------------------------------------------------------------


def product(program: RandomProgram) -> None:
    x = program.pick(floating, ranked(2))
    if not x:
        return
    size = x.tensor.shape.dims[-1]
    if isinstance(size, int) and program.rng.random() < 0.6:
        columns = int(chosen(program, (1, 2, 3, 5, 8, 17)))
        weights = program.numbers((size, columns), "float64") / max(size, 1)
        program.grow(
            lambda v: (
                dt.tensordot(v, dt.constant(weights, v.dtype), 1)
                if x.rank > 2
                else dt.matmul(v, dt.constant(weights, v.dtype))
            ),
            x,
        )
    else:
        transpose_first = bool(program.rng.random() < 0.5)
        program.grow(lambda v: dt.matmul(v, v, transpose_a=transpose_first, transpose_b=not transpose_first) * 0.1, x)


def einsum(program: RandomProgram) -> None:
    if x := program.pick(floating, lambda known: known.rank == 3):
        equation = chosen(program, ("abc->cb", "abc,abc->ac", "abc,abd->acd", "abc,dbc->ad"))
        program.grow(lambda v: dt.einsum(equation, *[v] * (equation.count(",") + 1)) * 0.2, x)


def image(program: RandomProgram) -> None:
    """Something to convolve, where nothing has rank 4."""
    if x := program.pick(single, ranked(2)):
        program.grow(
            lambda v: dt.reshape(dt.pad(dt.reshape(v, [-1, 1, 1, 1]), [[0, 0], [2, 2], [3, 2], [0, 1]]), [-1, 5, 6, 2]),
            x,
        )


def convolution(program: RandomProgram) -> None:
    x = program.pick(floating, lambda known: known.rank == 4)
    if not x:
        return
    channels = x.tensor.shape.dims[3]
    if not isinstance(channels, int):
        return
    size, out = int(chosen(program, (1, 2, 3))), int(chosen(program, (1, 3, 4, 9)))
    filters = program.numbers((size, size, channels, out), "float64") / (size * np.sqrt(max(channels, 1)))
    strides, padding = int(chosen(program, (1, 1, 2))), chosen(program, ("SAME", "VALID"))
    program.grow(lambda v: dt.nn.conv2d(v, dt.constant(filters, v.dtype), strides=strides, padding=padding), x)


def pooling(program: RandomProgram) -> None:
    if x := program.pick(floating, lambda known: known.rank == 4):
        function = chosen(program, (dt.nn.max_pool, dt.nn.avg_pool))
        size, stride, padding = (
            int(chosen(program, (2, 3))),
            int(chosen(program, (1, 2))),
            chosen(program, ("SAME", "VALID")),
        )
        program.grow(lambda v: function(v, size, stride, padding), x)


# Control flow, state, random numbers. --------------------------------------------------------------------------------


def _body(program: RandomProgram, others: list[Any]) -> Callable[[Any], Any]:
    """Draw a function that keeps shape and dtype, of a tensor and others of the same type around it."""
    numbers = [float(one) for one in program.rng.normal(size=3)]
    kinds = [int(one) for one in program.rng.integers(0, 7, int(program.rng.integers(1, 4)))]

    def body(x: Any) -> Any:
        for kind in kinds:
            if kind == 0:
                x = dt.tanh(x + numbers[0])
            elif kind == 1:
                x = x * 0.5 + (others[0] if others else numbers[1])
            elif kind == 2:
                x = dt.maximum(x, others[-1] * 0.25 if others else numbers[2])
            elif kind == 3 and x.shape.rank:
                x = dt.nn.softmax(x)
            elif kind == 4 and x.shape.rank:
                x = dt.tanh(x - dt.reduce_mean(x, -1, keepdims=True))
            elif kind == 5 and x.shape.rank == 2 and isinstance(x.shape.dims[1], int):
                size = x.shape.dims[1]
                x = dt.tanh(dt.matmul(x, dt.constant(np.full((size, size), numbers[0] / size), x.dtype)))
            else:
                x = dt.sigmoid(x) * numbers[1]
        return x

    return body


def condition(program: RandomProgram) -> None:
    predicate = program.pick(boolean, lambda known: known.rank == 0)
    x = program.pick(floating)
    if not x:
        return
    if predicate is None:
        predicate = program.pick(boolean, ranked(1))
        if predicate:
            program.grow(dt.reduce_any, predicate)
        return
    y = program.pick(same_type(x)) or x
    first, second = _body(program, []), _body(program, [])
    program.grow(lambda p, u, v: dt.cond(p, lambda: first(u), lambda: second(v)), predicate, x, y)


def while_loop(program: RandomProgram) -> None:
    x = program.pick(floating)
    if not x:
        return
    other = program.pick(same_type(x)) or x
    count = program.pick(integer, lambda known: known.rank == 0)
    fixed = int(program.rng.integers(0, 4))
    state = program.rng.bit_generator.state

    def make(v: Any, w: Any, *limit: Any) -> Any:
        program.rng.bit_generator.state = state  # the same body, however often it is made
        body = _body(program, [w])
        end = dt.cast(limit[0] % 4, dt.int32) if limit else fixed
        return dt.while_loop(lambda i, u: i < end, lambda i, u: (i + 1, body(u)), (0, v))

    program.grow(make, x, other, *([count] if count else []))


def scan(program: RandomProgram) -> None:
    xs = program.pick(floating, ranked(2))
    if not xs:
        return
    reverse = bool(program.rng.random() < 0.3)
    kind = chosen(program, ("scan", "scan", "map", "fold"))
    bodies = _body(program, [])

    def make(v: Any) -> Any:
        if kind == "map":
            return dt.map_fn(bodies, v)
        first = dt.zeros_like(v[0])
        if kind == "fold":
            return dt.foldl(lambda a, row: bodies(a * 0.5 + row), v, first)
        return dt.scan(lambda a, row: bodies(a * 0.5 + row), v, first, reverse=reverse)

    program.grow(make, xs)


def assignment(program: RandomProgram) -> None:
    if not program.variables:
        return
    variable = chosen(program, program.variables)
    size = tuple(variable.shape.as_list())
    x = program.pick(single, lambda known: known.shapes == [size, size], lambda known: not known.chance)
    if x:
        program.targets.append(variable.assign(x.tensor))
        program.keep(variable.read_value(), x.values, x.error)


def random_numbers(program: RandomProgram) -> None:
    x = program.pick(floating, ranked(1))
    if not x:
        return
    kind, seed = chosen(program, ("uniform", "normal", "integers")), int(program.rng.integers(100))

    def make(v: Any) -> Any:
        if kind == "uniform":
            return dt.random_uniform(dt.shape(v), -1.0, 1.0, seed=seed)
        if kind == "normal":
            return dt.clip_by_value(dt.random_normal(dt.shape(v), seed=seed), -3.0, 3.0)
        return dt.random_uniform(dt.shape(v), 0, 9, dt.int32, seed=seed)

    program.grow(make, x, chance=True)


OPERATIONS: Final[tuple[tuple[Operation, float], ...]] = (
    (smooth, 6),
    (binary, 8),
    (integers, 3),
    (steps, 1.5),
    (comparison, 2),
    (logic, 1),
    (selection, 2),
    (cast, 3),
    (reduction, 4),
    (truth, 0.7),
    (softmax, 1.5),
    (normalization, 1),
    (running, 1),
    (place_of_greatest, 1),
    (sorting, 0.7),
    (reshape, 3),
    (transpose, 2.5),
    (cut, 3),
    (join, 2),
    (divide, 1),
    (pad, 1.5),
    (rearrange, 2),
    (gather, 2),
    (scatter, 1),
    (one_hot, 0.7),
    (product, 2.5),
    (einsum, 1),
    (image, 0.6),
    (convolution, 1.5),
    (pooling, 1.2),
    (condition, 1.2),
    (while_loop, 1),
    (scan, 1.2),
    (assignment, 1.5),
    (random_numbers, 0.8),
)
"""Each operation with how often it is tried, relative to the others."""
