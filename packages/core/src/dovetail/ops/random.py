"""Random tensors: bits counted out by Philox, and the distributions made of them.

A random operation is a node ``RandomBits``, which owns a counter of its executions, followed by operations on its
bits. When a program is made of the graph, it becomes ``PhiloxBits``, a function of the operation's key, its counter,
and the indices of the loops around it; so a program is pure, and what else runs with an operation does not change its
numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedOperationError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import TensorOperators
from dovetail.graph.registry import primitive
from dovetail.ops.casting import cast
from dovetail.ops.constants import constant
from dovetail.ops.elementary import exp
from dovetail.ops.gather import gather
from dovetail.ops.philox import bits_dtype, mix_key, random_bits
from dovetail.ops.reductions import reduce_max
from dovetail.ops.reshaping import as_shape_tensor, check_shape_tensor, counted
from dovetail.ops.running import cumsum
from dovetail.ops.scalar import Expression, Input, Literal
from dovetail.ops.scalar.basis import minimum
from dovetail.ops.scalars import Elementwise
from dovetail.ops.shapes import shape as shape_of
from dovetail.ops.sizes import Resolved, Sizes, Types, Values, concrete, opaque_name, opaque_shape, sizes_of
from dovetail.ops.sorting import ArgSort, SearchSorted
from dovetail.ops.variates import IntegersFromBits, NormalFromBits, TruncatedNormalFromBits, UniformFromBits
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, int64, uint64
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "multinomial",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]

_DEFAULT_GRAPH_SEED: Final = 87654321
"""What takes the graph's seed where only the operation has one, as in TensorFlow 1."""


def key_of(graph_seed: int | None, op_seed: int | None, stable_id: int, session_seed: int) -> int:
    """Make the key of a random operation from the seeds that were set.

    Args:
        graph_seed: from ``set_random_seed``.
        op_seed: the operation's own.
        stable_id: tells the operation from others of the graph.
        session_seed: drawn once by the session; counts where no seed was set.

    Example:
        >>> key_of(1, None, 7, 99) == key_of(1, None, 7, 98), key_of(None, 2, 7, 99) == key_of(None, 2, 8, 98)
        (True, True)
    """
    if op_seed is not None:
        return mix_key(_DEFAULT_GRAPH_SEED if graph_seed is None else graph_seed, op_seed)
    return mix_key(session_seed if graph_seed is None else graph_seed, stable_id)


# The source of the bits. ---------------------------------------------------------------------------------------------


def _bits_type(dtype: DType, shape: Shape) -> TensorType:
    if not dtype.is_unsigned or dtype.size < 4:
        raise DTypeError(f"random bits come as uint32 or uint64, not {dtype.name}.")
    return TensorType(dtype, shape)


class _CountedBits(Op):
    """Random bits as a graph has them: with a seed, and a counter that the session keeps."""

    stateful = True
    differentiable = False

    @property
    def in_program(self) -> Op:
        """The operation that a program has instead; after the inputs it takes the key, the counter and loop indices."""
        raise UnsupportedOperationError(f"{self.name} declares no operation for programs.")

    def reference(self, *inputs: Array) -> Array:
        """Raise: the bits depend on a counter, which a session keeps."""
        raise UnsupportedOperationError(
            f"{self.name} has no value of its own: its bits follow from a key and a counter, which a session keeps. "
            f"Run it in a session."
        )


@primitive
@final
class RandomBits(_CountedBits):
    """Random bits, new ones in every run."""

    shape: tuple[Dim, ...]
    dtype: DType
    seed: int | None = None

    def infer(self) -> Signature:
        """The shape asked for."""
        return _bits_type(self.dtype, Shape(self.shape))

    @property
    def in_program(self) -> Op:
        """Bits of the same shape."""
        return PhiloxBits(self.shape, self.dtype)


@primitive
@final
class DynamicRandomBits(_CountedBits):
    """``RandomBits`` of a shape that only the run computes; ``sizes`` holds what is known of it."""

    sizes: Sizes | None
    symbol: str
    dtype: DType
    seed: int | None = None

    def default_name(self) -> str:
        """``RandomBits``, as where the shape is known."""
        return "RandomBits"

    def infer(self, shape: TensorType) -> Signature:
        """The known sizes, and opaque symbols for the others."""
        return self.infer_all((shape,))[0]

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The known sizes, and opaque symbols for the others."""
        return self.in_program.infer_all(types)

    @property
    def in_program(self) -> Op:
        """Bits of the shape that the input says."""
        return DynamicPhiloxBits(self.sizes, self.symbol, self.dtype)


def _count_out(shape: tuple[int, ...], dtype: DType, key: Array, counter: Array, loops: Iterable[Array]) -> Array:
    indices = [int(index) for loop in loops for index in np.ravel(loop)]
    return random_bits(int(np.prod(shape, dtype=np.int64)), dtype, int(key), int(counter), indices).reshape(shape)


@primitive
@final
class PhiloxBits(Op):
    """Random bits: a function of a key, the number of executions so far, and the indices of the loops around."""

    differentiable = False
    shape: tuple[Dim, ...]
    dtype: DType

    def infer(self, key: TensorType, counter: TensorType, *loops: TensorType) -> Signature:
        """The shape asked for."""
        return _bits_type(self.dtype, Shape(self.shape))

    def reference(self, key: Array, counter: Array, *loops: Array) -> Array:
        """Philox, block by block."""
        return _count_out(concrete(self.shape), self.dtype, key, counter, loops)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both widths, none, in a loop, a counter beyond 32 bits."""
        key = np.uint64(0x0123456789ABCDEF)
        yield Sample(cls((2, 3), as_dtype("uint32")), key, np.uint64(0))
        yield Sample(cls((5,), uint64), key, np.uint64(2**33 + 1), np.int32(4), np.int64(7))
        yield Sample(cls((0, 3), as_dtype("uint32")), key, np.uint64(1))
        yield Sample(cls((), uint64), key, np.uint64(1))


@primitive
@final
class DynamicPhiloxBits(Op):
    """``PhiloxBits`` of a shape that only the run computes; ``sizes`` holds what is known of it."""

    differentiable = False
    sizes: Sizes | None
    symbol: str
    dtype: DType

    def infer(self, shape: TensorType, *state: TensorType) -> Signature:
        """The known sizes, and opaque symbols for the others."""
        return self.infer_all((shape, *state))[0]

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The known sizes, and opaque symbols for the others."""
        check_shape_tensor("RandomBits", types[0], None if self.sizes is None else len(self.sizes))
        return (_bits_type(self.dtype, opaque_shape(counted(self.sizes, types[0]), self.symbol)),)

    def reference(self, shape: Array, key: Array, counter: Array, *loops: Array) -> Array:
        """Philox, block by block."""
        sizes = tuple([int(size) for size in shape])
        if any(size < 0 for size in sizes):
            raise InvalidArgumentError(f"RandomBits: the shape is {list(sizes)}; sizes are at least 0.")
        return _count_out(sizes, self.dtype, key, counter, loops)

    def resolve(self, types: Types, values: Values) -> Resolved:
        """``PhiloxBits``, once the shape is known."""
        if values[0] is None:
            return None
        return PhiloxBits(tuple(values[0].tolist()), self.dtype), tuple(range(1, len(types)))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Partly known and unknown sizes."""
        key = np.uint64(0x0123456789ABCDEF)
        sizes = np.array([2, 3], np.int32)
        yield Sample(cls((None, 3), "bits.sample", as_dtype("uint32")), sizes, key, np.uint64(0))
        yield Sample(cls((None, None), "bits.sample", uint64), sizes, key, np.uint64(3), np.int32(1))


def _bits(what: str, shape: Any, dtype: DType, seed: int | None) -> Tensor:
    """Make the node of random bits of a shape, which may be known only when run."""
    own = _checked_seed(what, seed)
    sizes = sizes_of(shape, f"{what}: shape")
    known = () if sizes is None else tuple([size for size in sizes if size is not None])
    result: Tensor
    if sizes is not None and len(known) == len(sizes):
        result = RandomBits(Shape(known).dims, dtype, own)()
    else:
        result = DynamicRandomBits(sizes, opaque_name("random"), dtype, own)(as_shape_tensor(shape))
    return result


def _checked_seed(what: str, seed: Any) -> int | None:
    if seed is None:
        return None
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise DTypeError(f"{what}: the seed is {seed!r}; use an int, or None.")
    return int(seed)


def set_random_seed(seed: int | None) -> None:
    """Set the seed of the default graph; two graphs built alike then give the same numbers, in every session.

    A random operation with a seed of its own combines both. Without any seed, a session draws one.

    Args:
        seed: an int; ``None`` takes the seed back.

    Raises:
        DTypeError: the seed is no int.

    Example:
        >>> dt.set_random_seed(1234)
        >>> x = dt.random_uniform([])
        >>> dt.Session().run(x) == dt.Session().run(x)
        np.True_
    """
    get_default_graph().seed = _checked_seed("set_random_seed", seed)


# Distributions. ------------------------------------------------------------------------------------------------------


def _floating(what: str, dtype: DTypeLike) -> DType:
    wanted = as_dtype(dtype)
    if not wanted.is_floating:
        raise DTypeError(f"{what}: dtype is {wanted.name}; use a floating dtype.")
    return wanted


def _is_number(value: Any, number: float) -> bool:
    return not isinstance(value, TensorOperators | np.ndarray) and value == number


def _operand(value: Any, dtype: DType, inputs: list[Tensor]) -> Expression:
    """Return a number as a literal, and anything else as one more input."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return Literal(float(value))
    inputs.append(as_tensor(value, dtype))
    return Input(len(inputs) - 1)


def _scaled(what: str, x: Tensor, factor: Any, term: Any, name: str, bound: float | None = None) -> Tensor:
    """Return ``min(x * factor + term, bound)``, of the shape of ``x``."""
    inputs = [x]
    expression: Expression = Input(0)
    if not _is_number(factor, 1):
        expression = expression * _operand(factor, x.dtype, inputs)
    if not _is_number(term, 0):
        expression = expression + _operand(term, x.dtype, inputs)
    if bound is not None:
        expression = minimum(expression, bound)
    result: Tensor = Elementwise(str(expression))(*inputs, name=name)
    if result.shape.rank != x.shape.rank:
        shapes = ", ".join(str(one.type) for one in inputs[1:])
        raise ShapeError(
            f"{what}: the shape asked for is {x.shape}, but parameters are {shapes}. Use scalars, or a larger shape."
        )
    return result


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return uniform random numbers from ``minval`` up to but without ``maxval``, new ones in every run.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        minval: the least number; a number or a tensor that broadcasts to ``shape``.
        maxval: the bound that is not reached; 1 by default for floating types.
        dtype: a floating or integer type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Returns:
        A tensor of multiples of 2**-24 (2**-53 for float64), scaled; or of integers, each with a probability that is
        off by less than 2**-32 (2**-64 for types of 64 bits). All backends give the same bits.

    Raises:
        InvalidArgumentError: integers without ``maxval``; an empty range; or a bound that the type does not hold.
        DTypeError: the type is neither floating nor integer.

    Example:
        >>> x = dt.Session().run(dt.random_uniform([1000], -1, 1))
        >>> bool(x.min() >= -1 and x.max() < 1)
        True
    """
    wanted = as_dtype(dtype)
    with get_default_graph().name_scope(name or "random_uniform") as scope:
        if wanted.is_integer:
            return _uniform_integers(shape, minval, maxval, wanted, seed, scope)
        _floating("random_uniform", wanted)
        bits = _bits("random_uniform", shape, bits_dtype(wanted), seed)
        high = 1 if maxval is None else maxval
        if _is_number(minval, 0) and _is_number(high, 1):
            result: Tensor = UniformFromBits(wanted)(bits, name=scope)
            return result
        unit = UniformFromBits(wanted)(bits)
        if isinstance(minval, int | float) and isinstance(high, int | float):
            return _scaled("random_uniform", unit, high - minval, minval, scope, _below(minval, high, wanted))
        low = as_tensor(minval, wanted)
        return _scaled("random_uniform", unit, as_tensor(high, wanted) - low, low, scope)


def _below(low: float, high: float, dtype: DType) -> float | None:
    """Return the greatest number of ``dtype`` below ``high``, which the rounding of a sum might reach."""
    if low == 0 or low >= high:
        return None
    found = np.nextafter(np.asarray(high, dtype.numpy), np.asarray(low, dtype.numpy))
    return float(found)


def _uniform_integers(shape: Any, low: Any, high: Any, dtype: DType, seed: int | None, scope: str) -> Tensor:
    if high is None:
        raise InvalidArgumentError(f"random_uniform: {dtype.name} needs maxval; give the bound that is not reached.")
    if not isinstance(low, TensorOperators | np.ndarray) and not isinstance(high, TensorOperators | np.ndarray):
        for which, bound in (("minval", low), ("maxval", high)):
            if not isinstance(bound, int | np.integer) or isinstance(bound, bool):
                raise DTypeError(f"random_uniform: {which} is {bound!r}; for {dtype.name}, use an int.")
        if low >= high:
            raise InvalidArgumentError(f"random_uniform: there is no integer from {low} up to but without {high}.")
        if low < dtype.min or high - 1 > dtype.max:
            raise InvalidArgumentError(
                f"random_uniform: from {low} up to but without {high} is more than {dtype.name} holds, which is "
                f"{dtype.min} to {dtype.max}. Use a larger dtype."
            )
        last = constant(np.asarray(int(high) - 1, dtype.numpy))
    else:
        last = as_tensor(high, dtype) - constant(np.asarray(1, dtype.numpy))
    bits = _bits("random_uniform", shape, bits_dtype(dtype), seed)
    result: Tensor = IntegersFromBits(dtype)(bits, as_tensor(low, dtype), last, name=scope)
    return result


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return normally distributed random numbers, new ones in every run.

    Each is made of one random word, by a rational approximation of the inverse distribution function (Wichura, 1988).

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        mean: a number or a tensor that broadcasts to ``shape``.
        stddev: the standard deviation, likewise.
        dtype: a floating type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        DTypeError: the type is not floating.

    Example:
        >>> x = dt.Session().run(dt.random_normal([10000], mean=3.0, stddev=2.0))
        >>> bool(abs(x.mean() - 3) < 0.1 and abs(x.std() - 2) < 0.1)
        True
    """
    wanted = _floating("random_normal", dtype)
    with get_default_graph().name_scope(name or "random_normal") as scope:
        bits = _bits("random_normal", shape, bits_dtype(wanted), seed)
        return _normal("random_normal", NormalFromBits(wanted), bits, mean, stddev, scope)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return normally distributed random numbers no further than two standard deviations from the mean.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        mean: a number or a tensor that broadcasts to ``shape``.
        stddev: the standard deviation before truncation, likewise.
        dtype: a floating type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        DTypeError: the type is not floating.

    Example:
        >>> x = dt.Session().run(dt.truncated_normal([1000], stddev=0.1))
        >>> bool(abs(x).max() <= 0.2)
        True
    """
    wanted = _floating("truncated_normal", dtype)
    with get_default_graph().name_scope(name or "truncated_normal") as scope:
        bits = _bits("truncated_normal", shape, bits_dtype(wanted), seed)
        return _normal("truncated_normal", TruncatedNormalFromBits(wanted), bits, mean, stddev, scope)


def _normal(what: str, op: Op, bits: Tensor, mean: Any, stddev: Any, scope: str) -> Tensor:
    if _is_number(mean, 0) and _is_number(stddev, 1):
        result: Tensor = op(bits, name=scope)
        return result
    return _scaled(what, op(bits), stddev, mean, scope)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Return the slices of a tensor along its first axis in random order, another one in every run.

    Args:
        value: a tensor of rank 1 or more.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        ShapeError: the tensor is a scalar.

    Example:
        >>> sorted(dt.Session().run(dt.random_shuffle([3, 1, 2])).tolist())
        [1, 2, 3]
    """
    x = as_tensor(value)
    if x.shape.rank == 0:
        raise ShapeError(f"random_shuffle: the value is {x.type}, a scalar, which has no axis to shuffle.")
    with get_default_graph().name_scope(name or "random_shuffle") as scope:
        length = shape_of(x)[:1] if x.shape.rank is None else x.shape.dims[:1]
        order = ArgSort()(_bits("random_shuffle", length, uint64, seed))
        return gather(x, order, name=scope)


def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: DTypeLike | None = None,
) -> Tensor:
    """Return random classes, each drawn with probability ``softmax(logits)``, new ones in every run.

    Args:
        logits: floating, of shape ``[batch, classes]``: logarithms of unnormalised probabilities.
        num_samples: how many classes to draw for each row.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.
        output_dtype: int32 or int64, int64 by default.

    Returns:
        An integer tensor of shape ``[batch, num_samples]``.

    Raises:
        ShapeError: ``logits`` is no matrix.
        DTypeError: ``logits`` are not floating.

    Example:
        >>> dt.Session().run(dt.multinomial(dt.log([[0.0, 1.0, 0.0]]), 4))
        array([[1, 1, 1, 1]])
    """
    x = as_tensor(logits)
    _floating("multinomial", x.dtype)
    if x.shape.rank not in (2, None):
        raise ShapeError(
            f"multinomial: logits are {x.type}, where [batch, classes] is wanted. Use expand_dims or reshape."
        )
    wanted = int64 if output_dtype is None else as_dtype(output_dtype)
    with get_default_graph().name_scope(name or "multinomial") as scope:
        wide = cast(x, float32) if x.dtype.is_half else x
        cumulative = cumsum(exp(wide - reduce_max(wide, 1, keepdims=True)), 1)
        rows = shape_of(x)[0] if x.shape.rank is None else x.shape[0]
        bits = _bits("multinomial", [rows, num_samples], bits_dtype(wide.dtype), seed)
        # A uniform below the sum of all falls on each class as often as its share is; never on one of width 0.
        result: Tensor = SearchSorted(True, wanted)(
            cumulative, UniformFromBits(wide.dtype)(bits) * cumulative[:, -1:], name=scope
        )
        return result
