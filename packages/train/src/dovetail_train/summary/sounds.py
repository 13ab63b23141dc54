"""``audio``: sounds at each step."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Array, DType, Sample, Signature, TensorType, primitive
from dovetail_train.summary.images import numbered
from dovetail_train.summary.naming import make_summary
from dovetail_train.summary.protobufs import protobuf
from dovetail_train.summary.scalars import SummaryOp, as_string_tensor

__all__ = ["audio"]

_FULL: Final = 1 << 15


@primitive
@final
class AudioSummary(SummaryOp):
    """Sounds under a tag, as WAV files of 16 bits."""

    tag: str
    max_outputs: int = 3

    def check(self, *dtypes: DType) -> None:
        """Floats alone."""
        if not dtypes[0].is_floating:
            raise DTypeError(f"summary.audio: {self.tag!r} is {dtypes[0].name}, where floats are wanted. Use dt.cast.")

    def infer(self, *types: TensorType) -> Signature:
        """One text, for sounds with or without channels."""
        result = super().infer(*types)
        if len(types[0].dims) not in (2, 3):
            raise ShapeError(
                f"summary.audio: {self.tag!r} is {types[0]}, where [batch, frames] or [batch, frames, channels] is "
                "wanted. Use dt.expand_dims or dt.reshape."
            )
        if types[1].rank != 0:
            raise ShapeError(f"summary.audio: the sample_rate of {self.tag!r} is {types[1]}; give one number.")
        return result

    def reference(self, sounds: Array, rate: Array) -> Array:
        """The message."""
        summary = protobuf("summary").Summary
        values = []
        for index, sound in enumerate(sounds[: self.max_outputs]):
            frames = sound.reshape(len(sound), -1)
            channels = frames.shape[1]
            written = io.BytesIO()
            with wave.open(written, "wb") as file:
                file.setparams((channels, 2, round(float(rate)), len(frames), "NONE", "not compressed"))
                loud = np.round(frames.astype(np.float32) * _FULL).clip(-_FULL, _FULL - 1)
                file.writeframes(loud.astype("<i2").tobytes())
            shown = summary.Audio(
                sample_rate=float(rate),
                num_channels=channels,
                length_frames=len(frames),
                encoded_audio_string=written.getvalue(),
                content_type="audio/wav",
            )
            values.append(summary.Value(tag=numbered(self.tag, "audio", self.max_outputs, index), audio=shown))
        return as_string_tensor(summary(value=values))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One channel, and two."""
        yield Sample(cls("hum"), rng.normal(size=(2, 8)).astype(np.float32), np.float32(8000))
        yield Sample(cls("both", max_outputs=1), rng.normal(size=(2, 8, 2)), np.float32(44100))


def audio(
    name: Any,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> dt.Tensor:
    """Return a summary of sounds, which TensorBoard plays.

    Args:
        name: what to call it; the tag is the name with the scopes around, then ``/audio``, and a number where
            ``max_outputs`` is above 1.
        tensor: floats from -1 to 1 of shape ``[batch, frames]`` or ``[batch, frames, channels]``.
        sample_rate: how many frames a second; a number, or a tensor of one.
        max_outputs: how many sounds of a batch to keep at most.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.
        family: what TensorBoard shows it under, in place of the first scope.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Raises:
        DTypeError: the tensor holds no floats.
        ShapeError: it holds no sounds.
        InvalidArgumentError: ``max_outputs`` is below 1.

    Example:
        >>> tone = dt.sin(dt.reshape(dt.range(0.0, 800.0), [1, -1]) * 0.3)
        >>> summary = dt.summary.audio("tone", tone, sample_rate=8000, max_outputs=1)
        >>> value, = dt.Summary.FromString(dt.Session().run(summary)).value
        >>> value.tag, value.audio.length_frames
        ('tone/audio', 800)
    """
    if max_outputs < 1:
        raise InvalidArgumentError(f"summary.audio: max_outputs is {max_outputs}; give at least 1.")
    rate = dt.cast(dt.convert_to_tensor(sample_rate), dt.float32)
    return make_summary(
        "audio", lambda tag: AudioSummary(tag, int(max_outputs)), name, tensor, collections, family, rate
    )
