"""``pad``: a tensor with a border of one value, or of its own elements mirrored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.composites import composite
from dovetail.ops.constants import Constant
from dovetail.ops.indexing import reverse, take_range
from dovetail.ops.joining import concat
from dovetail.ops.sizes import Gradients, Tensors, known_elements
from dovetail.ops.slicing import StridedSlice
from dovetail.types.dims import Dim
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = ["Pad", "pad"]


def _check_paddings(paddings: tuple[tuple[Dim, Dim], ...], x: TensorType) -> None:
    shown = [[str(one) for one in pair] for pair in paddings]
    text = str(shown).replace("'", "")
    if len(paddings) != len(x.dims):
        raise ShapeError(
            f"pad: the paddings {text} are for {len(paddings)} axes, but the input is {x}. Give two numbers an axis."
        )
    for before, after in paddings:
        for size in (before, after):
            demand("nonnegative", size, 0, f"pad: the paddings {text} hold a negative number. Use slices to cut off.")


@primitive
@final
class Pad(Op):
    """The tensor with ``value`` before and after it along each axis."""

    paddings: tuple[tuple[Dim, Dim], ...]
    value: float | bytes = 0.0

    def infer(self, x: TensorType) -> Signature:
        """The sizes with their borders."""
        _check_paddings(self.paddings, x)
        return TensorType(x.dtype, Shape([a + dim + b for dim, (a, b) in zip(x.dims, self.paddings, strict=True)]))

    def reference(self, x: Array) -> Array:
        """An array of the value, and an assignment to its middle."""
        sizes = [a + dim + b for dim, (a, b) in zip(x.shape, self.paddings, strict=True)]
        result = np.full(sizes, self.value, x.dtype)
        result[tuple([np.s_[a : a + dim] for dim, (a, _) in zip(x.shape, self.paddings, strict=True)])] = x
        return result

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The middle of the gradient."""
        items = tuple([("size", a, dim) for dim, (a, _) in zip(inputs[0].shape.dims, self.paddings, strict=True)])
        return (StridedSlice(items)(grads[0]),)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Borders on some sides, another value, scalars, empty, integers, strings."""
        yield Sample(cls(((1, 2), (0, 1))), rng.normal(size=(2, 3)))
        yield Sample(cls(((1, 0),), -1.5), rng.normal(size=(2,)))
        yield Sample(cls(()), np.float64(2.0))
        yield Sample(cls(((0, 2), (1, 1))), np.zeros((0, 2)))
        yield Sample(cls(((1, 1),), 7), np.arange(2, dtype=np.int64))
        yield Sample(cls(((1, 0),), b"-"), np.array([b"ab"], object))


def _mirror_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(3, 4)), {"paddings": ((2, 1), (0, 3)), "reflect": True}
    yield rng.normal(size=(3, 2)), {"paddings": ((3, 0), (1, 2)), "reflect": False}
    yield np.arange(3, dtype=np.int32), {"paddings": ((1, 1),), "reflect": True}


@composite(name="MirrorPad", samples=_mirror_samples)
def _mirror_pad(x: Tensor, *, paddings: tuple[tuple[Dim, Dim], ...], reflect: bool) -> Tensor:
    """The tensor continued by its own elements in reverse order."""
    _check_paddings(paddings, x.type)
    skip = 1 if reflect else 0
    for axis, (before, after) in enumerate(paddings):
        dim = x.shape[axis]
        for size in (before, after):
            demand(
                "nonnegative",
                dim - skip - size,
                0,
                (
                    f"pad: {size} mirrored elements are more than axis {axis} of {x.type} has"
                    f"{' next to its border' if reflect else ''}. Pad less, or use mode CONSTANT."
                ),
            )
        parts = [x]
        if before != 0:
            parts.insert(0, reverse(take_range(x, skip, before, axis), (axis,)))
        if after != 0:
            parts.append(reverse(take_range(x, dim - skip - after, after, axis), (axis,)))
        if len(parts) > 1:
            x = concat(parts, axis)
    return x


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """Return the tensor with elements added before and after it along each axis.

    Args:
        tensor: the tensor, of rank ``r``.
        paddings: how many before and after, of shape ``[r, 2]``; for mode CONSTANT also a tensor that the run computes.
        mode: ``"CONSTANT"``; ``"REFLECT"``, mirrored without the border; ``"SYMMETRIC"``, mirrored with the border.
        name: name of the node.
        constant_values: the value added in mode CONSTANT.

    Raises:
        ShapeError: ``paddings`` has another shape, a negative number, or one too large to mirror.
        InvalidArgumentError: the mode is unknown, or paddings that it needs are not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.pad([1, 2, 3], [[1, 2]], "REFLECT"))
        array([2, 1, 2, 3, 2, 1], dtype=int32)
    """
    x = as_tensor(tensor)
    chosen = mode.upper()
    if chosen not in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        raise InvalidArgumentError(f"pad: mode is {mode!r}; use 'CONSTANT', 'REFLECT' or 'SYMMETRIC'.")
    known = known_elements(paddings, "pad: paddings")
    if known is not None and known.size and (known.ndim != 2 or known.shape[1] != 2):
        raise ShapeError(f"pad: the paddings have shape {list(known.shape)}; two numbers for each axis are needed.")
    pairs = None if known is None else tuple([(before, after) for before, after in known.reshape(-1, 2).tolist()])
    result: Tensor
    if chosen != "CONSTANT":
        if pairs is None:
            raise InvalidArgumentError(f"pad: mode {chosen} needs paddings that are known while the graph is built.")
        result = _mirror_pad(x, paddings=pairs, reflect=chosen == "REFLECT", name=name or "MirrorPad")
        return result
    value = _scalar_value(constant_values, x)
    if pairs is None or isinstance(value, Tensor):
        return _pad_by_parts(x, paddings if pairs is None else pairs, as_tensor(value, x.dtype), name)
    result = Pad(pairs, value)(x, name=name)
    return result


def _scalar_value(value: Any, x: Tensor) -> Any:
    """Return the value as an attribute of the element type, or as a tensor where only the run knows it."""
    if value is None or (isinstance(value, int) and value == 0 and x.dtype.is_string):
        value = b"" if x.dtype.is_string else 0
    tensor = value if isinstance(value, Tensor) else as_tensor(value, x.dtype)
    if tensor.shape.rank not in (0, None):
        raise ShapeError(f"pad: constant_values is {tensor.type}; use a scalar.")
    definition = tensor.op.definition
    if not isinstance(definition, Constant) or tensor.dtype is not x.dtype:
        return tensor
    known = definition.value.array.item()
    return (tensor if known else 0.0) if x.dtype.is_complex else known


def _pad_by_parts(x: Tensor, paddings: Any, value: Tensor, name: str | None) -> Tensor:
    if x.shape.rank is None:
        raise ShapeError(f'pad: the rank of "{x.name}" is unknown; use set_shape. {x.op.where()}')
    if isinstance(paddings, tuple):
        _check_paddings(paddings, x.type)
    result = x
    for axis in range(x.shape.rank):
        sides = []
        for side in (0, 1):
            size = paddings[axis][side] if isinstance(paddings, tuple | list) else paddings[axis, side]
            sides.append(broadcast_to(value, [*result.shape[:axis], size, *result.shape[axis + 1 :]]))
        result = concat([sides[0], result, sides[1]], axis, name=name or "Pad")
    return result
