"""Walking along sequences: the product before the loop, and sequences of several lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, ShapeError
from dovetail.extend import composite

__all__ = ["as_lengths", "gathered", "projected", "time_and_batch_swapped", "turned", "within_lengths"]

Walk: TypeAlias = Callable[[list[Tensor]], "tuple[list[Tensor], list[Tensor], list[Tensor]]"]
"""Takes inputs ``[time, batch, …]``; returns the outputs of all steps, the states after each, those after the last."""


def projected(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    """Return ``x @ kernel + bias`` for all steps by one product."""
    time, batch, depth = x.shape.dims
    product = dt.matmul(dt.reshape(x, [time * batch, depth]), kernel) + bias
    return dt.reshape(product, [time, batch, kernel.shape[-1]])


def time_and_batch_swapped(x: Tensor) -> Tensor:
    """Return ``[batch, time, …]`` as ``[time, batch, …]``, and the other way round."""
    return dt.transpose(x, [1, 0, *range(2, len(x.shape))])


def as_lengths(operation: str, lengths: Any) -> Tensor:
    """Return lengths of sequences as a tensor.

    Raises:
        DTypeError: they are no integers.
        ShapeError: they are no vector.
    """
    tensor = dt.convert_to_tensor(lengths)
    if not tensor.dtype.is_integer:
        raise DTypeError(f"{operation}: sequence_length is {tensor.type}; give integers, by dt.cast if need be.")
    if tensor.shape.rank not in (1, None):
        raise ShapeError(f"{operation}: sequence_length is {tensor.type}; give one length for each sequence.")
    return tensor


def turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return ``[time, batch, …]`` from each sequence's last step to its first; what stands beyond stays."""
    if lengths is None:
        return dt.reverse(x, [0])
    return dt.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def within_lengths(
    walk: Walk, xs: Sequence[Tensor], initial: Sequence[Tensor], lengths: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Walk along all steps, and leave out those beyond the lengths: nothing before depends on them.

    There inputs are taken as zero, so that nothing that is not finite gets into gradients.

    Args:
        walk: the loop.
        xs: inputs of shape ``[time, batch, …]``.
        initial: the initial states.
        lengths: of shape ``[batch]``.

    Returns:
        Outputs, zero beyond the lengths, and the last states within them.
    """
    outputs, states, last = walk([_within(x, lengths) for x in xs])
    return [_within(one, lengths) for one in outputs], [
        _last_within(first, after, lengths) if len(first.shape) else end
        for first, after, end in zip(initial, states, last, strict=True)
    ]


_LENGTHS = np.array([3, 1, 0], np.int32)


def _within_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Vectors and numbers at each step."""
    yield rng.normal(size=(4, 3, 2)), _LENGTHS
    yield rng.normal(size=(3, 3)), _LENGTHS


def _last_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """One sequence has no step."""
    yield rng.normal(size=(3, 2)), rng.normal(size=(4, 3, 2)), _LENGTHS


# They are composites so that an exporter sees what is meant: ONNX's recurrent operators take lengths themselves.


@composite(name="WithinLengths", samples=_within_samples)
def _within(x: Tensor, lengths: Tensor) -> Tensor:
    """``[time, batch, …]`` with zeros beyond the length of each sequence."""
    mask = dt.less(dt.expand_dims(dt.range(x.shape[0], dtype=lengths.dtype), 1), lengths)
    for _ in range(len(x.shape) - 2):
        mask = dt.expand_dims(mask, -1)
    return dt.where(mask, x, dt.zeros_like(x))


@composite(name="LastWithinLengths", samples=_last_samples)
def _last_within(first: Tensor, after: Tensor, lengths: Tensor) -> Tensor:
    """The last state of each sequence, of those after each step; the first one where there is no step."""
    rows = dt.stack([dt.cast(lengths, dt.int64), dt.range(after.shape[1], dtype=dt.int64)], axis=1)
    return dt.gather_nd(dt.concat([dt.expand_dims(first, 0), after], 0), rows)


def gathered(x: Tensor, places: Tensor) -> Tensor:
    """Return ``[time, batch, …]`` with other steps of each sequence: ``places [time, batch]`` says which."""
    columns = dt.broadcast_to(dt.range(x.shape[1], dtype=places.dtype), dt.shape(places))
    return dt.gather_nd(x, dt.stack([places, columns], axis=-1))
