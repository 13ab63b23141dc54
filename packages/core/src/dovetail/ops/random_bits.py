"""Random bits, counted out by Philox: what all random operations are made of.

A random operation is a node ``RandomBits``, which owns a counter of its executions, followed by operations on its
bits. When a program is made of the graph, it becomes ``PhiloxBits``, a function of the operation's key, its counter,
and the indices of the loops around it; so a program is pure, and what else runs with an operation does not change its
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, UnsupportedOperationError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.philox import mix_key, random_bits
from dovetail.ops.reshaping import as_shape_tensor, check_shape_tensor
from dovetail.ops.reshaping import counted as sizes_counted
from dovetail.ops.sizes import Resolved, Sizes, Types, Values, concrete, opaque_name, opaque_shape, sizes_of
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, as_dtype, uint64
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "Draw",
    "DynamicPhiloxBits",
    "DynamicRandomBits",
    "PhiloxBits",
    "RandomBits",
    "checked_seed",
    "counted",
    "key_of",
    "keyed",
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
        return (_bits_type(self.dtype, opaque_shape(sizes_counted(self.sizes, types[0]), self.symbol)),)

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


Draw: TypeAlias = Callable[[Any, DType], Tensor]
"""What gives random bits of a shape, which may be known only when run, and a dtype."""


def counted(what: str, seed: int | None) -> Draw:
    """Return what makes bits that are new in every run.

    Args:
        what: the operation, with which an error begins.
        seed: its own.

    Raises:
        DTypeError: the seed is no int.
    """
    own = checked_seed(what, seed)

    def draw(shape: Any, dtype: DType) -> Tensor:
        sizes, known = _sizes(what, shape)
        result: Tensor
        if known is not None:
            result = RandomBits(known, dtype, own)()
        else:
            result = DynamicRandomBits(sizes, opaque_name("random"), dtype, own)(as_shape_tensor(shape))
        return result

    return draw


def keyed(what: str, key: Tensor, counter: Tensor) -> Draw:
    """Return what makes bits that depend on two scalars of uint64 alone."""

    def draw(shape: Any, dtype: DType) -> Tensor:
        sizes, known = _sizes(what, shape)
        result: Tensor
        if known is not None:
            result = PhiloxBits(known, dtype)(key, counter)
        else:
            result = DynamicPhiloxBits(sizes, opaque_name("random"), dtype)(as_shape_tensor(shape), key, counter)
        return result

    return draw


def _sizes(what: str, shape: Any) -> tuple[Sizes | None, tuple[Dim, ...] | None]:
    """Return what is known of a shape, and the shape where all of it is."""
    sizes = sizes_of(shape, f"{what}: shape")
    known = () if sizes is None else tuple([size for size in sizes if size is not None])
    return sizes, Shape(known).dims if sizes is not None and len(known) == len(sizes) else None


def checked_seed(what: str, seed: Any) -> int | None:
    """Return a seed as an int, or ``None``.

    Raises:
        DTypeError: it is neither.
    """
    if seed is None:
        return None
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise DTypeError(f"{what}: the seed is {seed!r}; use an int, or None.")
    return int(seed)
