"""What a model is compared on: arrays for its inputs, at several sizes of every open dimension."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, final

import numpy as np

from dovetail.errors import ExportError
from dovetail.extend import Array, Constraint, DType, Symbol, TensorType, dims

__all__ = ["Case", "cases"]

_SIZES: Final = 3
_CANDIDATES: Final = (
    1,
    3,
    7,
    2,
    4,
    5,
    6,
    8,
    10,
    12,
    14,
    16,
    20,
    24,
    28,
    32,
    40,
    48,
    56,
    64,
    96,
    112,
    128,
    192,
    224,
    256,
)
_TRIES: Final = 20_000


@final
class Case:
    """Sizes, and arrays of these sizes for the inputs.

    Attributes:
        sizes: sizes by symbol.
        arrays: arrays by the names of inputs, as the graph takes them.
        given: the same as the model takes them, where the order of axes differs.
    """

    __slots__ = ("arrays", "given", "sizes")

    def __init__(self, sizes: Mapping[Symbol, int], arrays: Mapping[str, Array]) -> None:
        """Pair them."""
        self.sizes = dict(sizes)
        self.arrays = dict(arrays)
        self.given = self.arrays

    def shape(self, type: TensorType) -> tuple[int, ...]:
        """Return the shape of a tensor at these sizes; sizes that are none of the inputs' are 1."""
        return type.shape.evaluate({symbol: self.sizes.get(symbol, 1) for symbol in type.shape.symbols})

    def __str__(self) -> str:
        """Give the sizes."""
        return ", ".join(f"{symbol} = {size}" for symbol, size in self.sizes.items()) or "its only sizes"


def cases(
    types: Mapping[str, TensorType], constraints: Sequence[Constraint], samples: Mapping[str, Array] | None
) -> list[Case]:
    """Return inputs to compare on: at three sizes of every symbolic dimension that the graph's constraints admit.

    Args:
        types: types of the inputs.
        constraints: what must hold of the sizes.
        samples: arrays to take the elements from; random ones by default.

    Raises:
        ExportError: no sizes that the constraints admit were found.
    """
    symbols = sorted(frozenset[Symbol]().union(*(one.shape.symbols for one in types.values())), key=str)
    first = _sizes_of(types, samples or {})
    known = [one for one in constraints if one.symbols <= set(symbols)]
    # Where one size may also be 1, so that the other is repeated, the model is made for equal sizes, if they can be.
    equal = [Constraint("equal", one.left, one.right) if one.kind == "broadcast" else one for one in known]
    chosen = _choose(symbols, equal, types, first) or _choose(symbols, known, types, first)
    if not chosen:
        raise ExportError(
            f"no sizes for {', '.join(map(str, symbols))} were found that the graph's constraints admit; pass "
            f"sample_inputs."
        )
    rng = np.random.default_rng(20)
    result = []
    for sizes in chosen:
        arrays = {}
        for name, type in types.items():
            shape = type.shape.evaluate(sizes)
            sample = None if samples is None else samples.get(name)
            empty = sample is None or (not sample.size and 0 not in shape)
            arrays[name] = _random(rng, type.dtype, shape) if sample is None or empty else _resized(sample, shape)
        result.append(Case(sizes, arrays))
    return result


def _sizes_of(types: Mapping[str, TensorType], samples: Mapping[str, Array]) -> dict[Symbol, int]:
    found: dict[Symbol, int] = {}
    for name, array in samples.items():
        for dim, size in zip(types[name].dims, array.shape, strict=True):
            if isinstance(dim, Symbol):
                found.setdefault(dim, size)
    return found


def _choose(
    symbols: Sequence[Symbol],
    constraints: Sequence[Constraint],
    types: Mapping[str, TensorType],
    first: Mapping[Symbol, int],
) -> list[dict[Symbol, int]]:
    """Return combinations in which each symbol has several values, the sizes of the samples before others."""
    if not symbols:
        return [{}]

    def holds(sizes: dict[Symbol, int]) -> bool:
        return all(one.holds(sizes) for one in constraints) and all(
            dims.evaluate(dim, sizes) >= 0 for one in types.values() for dim in one.dims
        )

    result: list[dict[Symbol, int]] = [dict(first)] if len(first) == len(symbols) and holds(dict(first)) else []
    seen: dict[Symbol, set[int]] = {symbol: {sizes[symbol] for sizes in result} for symbol in symbols}
    tries = 0
    for distinct in (True, False):  # sizes that differ from each other tell mistakes apart, where they can
        for combination in _combinations(len(symbols)):
            tries += 1
            if all(len(one) >= _SIZES for one in seen.values()) or tries > _TRIES:
                return result
            sizes = dict(zip(symbols, combination, strict=True))
            if distinct and len(symbols) > 1 and len(set(combination)) < len(symbols):
                continue
            if any(len(seen[symbol]) < _SIZES and size not in seen[symbol] for symbol, size in sizes.items()) and holds(
                sizes
            ):
                result.append(sizes)
                for symbol, size in sizes.items():
                    seen[symbol].add(size)
    return result


def _combinations(count: int) -> Iterator[tuple[int, ...]]:
    """Yield sizes for some symbols: those that are alike first, shifted against each other, then all."""
    length = len(_CANDIDATES)
    for start in range(length):
        yield tuple(_CANDIDATES[(start + shift) % length] for shift in range(count))
    for size in _CANDIDATES:
        yield (size,) * count
    yield from itertools.product(_CANDIDATES, repeat=count)


def _random(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> Array:
    """Normal numbers, integers 0 and 1 (which are likely to be valid indices), truth values, short strings."""
    if dtype.is_floating:
        return np.asarray(rng.normal(size=shape)).astype(dtype.numpy)
    numbers = np.asarray(rng.integers(0, 2, shape))
    if dtype.is_string:
        return np.array([b"a", b"bc"], object)[numbers]
    return numbers.astype(dtype.numpy)


def _resized(sample: Array, shape: tuple[int, ...]) -> Array:
    """Return a sample with elements dropped or repeated, in order, until it has a shape."""
    for axis, size in enumerate(shape):
        if sample.shape[axis] != size:
            sample = np.take(sample, np.arange(size) * sample.shape[axis] // size, axis)
    return sample
