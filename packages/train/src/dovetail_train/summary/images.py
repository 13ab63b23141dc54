"""``image``: pictures at each step."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Array, DType, Sample, Signature, TensorType, primitive
from dovetail_train.summary.naming import make_summary
from dovetail_train.summary.protobufs import load_pillow, protobuf
from dovetail_train.summary.scalars import SummaryOp, as_string_tensor

__all__ = ["image", "numbered"]

_RED: Final = (255, 0, 0, 255)
_FAINT: Final = 1e-6  # numbers no greater than that are taken as 0


def numbered(tag: str, kind: str, most: int, index: int) -> str:
    """Return the tag of one of several pictures or sounds, as TensorFlow makes it."""
    return f"{tag}/{kind}/{index}" if most > 1 else f"{tag}/{kind}"


def as_bytes(picture: Array, bad_color: Sequence[int]) -> Array:
    """Return a picture of floats with bytes in place of them.

    Numbers from 0 up are stretched so that the greatest becomes 255; where there are lower ones too, 0 becomes 128 and
    the number farthest from it 1 or 255. Pixels with a number that is not finite have the bad color.
    """
    good = np.isfinite(picture).all(axis=-1)
    seen = picture[good].astype(np.float32)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if low < 0.0:
        most, reach, offset = max(-low, abs(high)), 127.0, 128.0
    else:
        most, reach, offset = high, 255.0, 0.0
    result = np.empty(picture.shape, np.uint8)
    result[:] = np.resize(np.array(bad_color, np.uint8), picture.shape[-1])
    scale = np.float32(0.0 if most < _FAINT else reach / most)
    result[good] = (seen * scale + np.float32(offset)).clip(0.0, 255.0).astype(np.uint8)
    return result


@primitive
@final
class ImageSummary(SummaryOp):
    """Pictures under a tag, as PNG."""

    tag: str
    max_outputs: int = 3
    bad_color: tuple[int, ...] = _RED

    def check(self, *dtypes: DType) -> None:
        """Floats and bytes alone."""
        if not (dtypes[0].is_floating or dtypes[0] is dt.uint8):
            raise DTypeError(
                f"summary.image: {self.tag!r} is {dtypes[0].name}, where floats or uint8 are wanted. Use dt.cast."
            )

    def infer(self, *types: TensorType) -> Signature:
        """One text, for pictures of one, three or four channels."""
        result = super().infer(*types)
        dims = types[0].dims
        if len(dims) != 4 or dims[3] in (0, 2) or (isinstance(dims[3], int) and dims[3] > 4):
            raise ShapeError(
                f"summary.image: {self.tag!r} is {types[0]}, where [batch, height, width, channels] with 1, 3 or 4 "
                "channels is wanted. Use dt.expand_dims, dt.reshape, or a slice of the channels."
            )
        return result

    def reference(self, pictures: Array) -> Array:
        """The message."""
        if pictures.shape[-1] not in (1, 3, 4):
            raise InvalidArgumentError(
                f"summary.image: {self.tag!r} has {pictures.shape[-1]} channels, where 1, 3 or 4 are wanted"
            )
        summary, pillow = protobuf("summary").Summary, load_pillow()
        values = []
        for index, picture in enumerate(pictures[: self.max_outputs]):
            height, width, channels = picture.shape
            if picture.dtype != np.uint8:
                picture = as_bytes(picture, self.bad_color)
            written = io.BytesIO()
            pillow.fromarray(picture[..., 0] if channels == 1 else picture).save(written, "PNG")
            shown = summary.Image(
                height=height, width=width, colorspace=channels, encoded_image_string=written.getvalue()
            )
            values.append(summary.Value(tag=numbered(self.tag, "image", self.max_outputs, index), image=shown))
        return as_string_tensor(summary(value=values))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Floats with and without signs, a bad pixel, bytes."""
        yield Sample(cls("grey"), rng.normal(size=(2, 3, 4, 1)).astype(np.float32))
        yield Sample(cls("bad"), np.array([[[[0.5, 0.2, 0.1], [np.nan, 0.0, 0.0]]]]))
        yield Sample(cls("bytes", max_outputs=1), np.arange(32, dtype=np.uint8).reshape(1, 2, 4, 4))


def image(
    name: Any,
    tensor: Any = None,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> dt.Tensor:
    """Return a summary of pictures.

    Bytes are shown as they are. Floats are stretched to bytes, picture by picture: so that the greatest becomes 255
    where none is below 0, else so that 0 becomes 128. Pixels that hold NaN or infinities are red.

    Args:
        name: what to call it; the tag is the name with the scopes around, then ``/image``, and a number where
            ``max_outputs`` is above 1. A tensor alone gives its own name.
        tensor: floats or uint8 of shape ``[batch, height, width, channels]``, with 1 (grey), 3 (RGB) or 4 channels.
        max_outputs: how many pictures of a batch to show at most.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.
        family: what TensorBoard shows it under, in place of the first scope.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Raises:
        DTypeError: the tensor holds neither floats nor uint8.
        ShapeError: it holds no pictures.
        InvalidArgumentError: ``max_outputs`` is below 1.

    Example:
        >>> summary = dt.summary.image("digits", dt.zeros([10, 8, 8, 1]), max_outputs=2)
        >>> [value.tag for value in dt.Summary.FromString(dt.Session().run(summary)).value]
        ['digits/image/0', 'digits/image/1']
    """
    if max_outputs < 1:
        raise InvalidArgumentError(f"summary.image: max_outputs is {max_outputs}; give at least 1.")
    return make_summary("image", lambda tag: ImageSummary(tag, int(max_outputs)), name, tensor, collections, family)
