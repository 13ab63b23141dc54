"""``text``, and ``tensor_summary``: tensors as they are, which a plugin of TensorBoard shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError
from dovetail.extend import Array, Sample, primitive
from dovetail_train.summary.naming import make_summary
from dovetail_train.summary.protobufs import load_tensorboard, protobuf
from dovetail_train.summary.scalars import SummaryOp, as_string_tensor

__all__ = ["tensor_summary", "text"]


@primitive
@final
class TensorSummary(SummaryOp):
    """A tensor under a tag, with what tells TensorBoard which plugin shows it.

    Attributes:
        metadata: a message ``SummaryMetadata``, written out.
        plugin: the plugin, where the metadata do not name it.
    """

    tag: str
    metadata: bytes = b""
    plugin: str = ""
    display_name: str = ""

    def reference(self, value: Array) -> Array:
        """The message."""
        messages = protobuf("summary")
        about = messages.SummaryMetadata.FromString(self.metadata)
        if self.plugin:
            about.plugin_data.plugin_name = self.plugin
        if self.display_name:
            about.display_name = self.display_name
        tensor = load_tensorboard("util.tensor_util").make_tensor_proto(value)
        shown = messages.Summary.Value(tag=self.tag, metadata=about, tensor=tensor)
        return as_string_tensor(messages.Summary(value=[shown]))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Text and numbers."""
        yield Sample(cls("notes", plugin="text"), np.array([b"one", b"two"], object))
        yield Sample(cls("curve", display_name="a curve"), rng.normal(size=(2, 3)).astype(np.float32))


def text(name: Any, tensor: Any = None, collections: Iterable[Any] | None = None) -> dt.Tensor:
    """Return a summary of text, which TensorBoard shows as Markdown; a table, where it has rows and columns.

    Args:
        name: what to call it; the tag is the name with the scopes around. A tensor alone gives its own name.
        tensor: text, of any shape.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Raises:
        DTypeError: the tensor holds no text.

    Example:
        >>> summary = dt.summary.text("note", dt.constant("the **best** so far"))
        >>> value, = dt.Summary.FromString(dt.Session().run(summary)).value
        >>> value.tag, value.metadata.plugin_data.plugin_name, value.tensor.string_val
        ('note', 'text', [b'the **best** so far'])
    """
    given = dt.convert_to_tensor(name if tensor is None else tensor)
    if not given.dtype.is_string:
        raise DTypeError(f"summary.text: {given.name!r} is {given.dtype.name}, where text is wanted. Use dt.as_string.")
    return make_summary("text", lambda tag: TensorSummary(tag, plugin="text"), name, tensor, collections, None)


def tensor_summary(
    name: Any,
    tensor: Any = None,
    summary_description: Any = None,
    collections: Iterable[Any] | None = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> dt.Tensor:
    """Return a summary of a tensor as it is, for a plugin of TensorBoard.

    Args:
        name: what to call it; the tag is the name with the scopes around. A tensor alone gives its own name.
        tensor: numbers or text, of any shape.
        summary_description: a message ``SummaryDescription``, whose ``type_hint`` is kept as the plugin's content.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.
        summary_metadata: a message ``SummaryMetadata``: which plugin shows it.
        family: what TensorBoard shows it under, in place of the first scope.
        display_name: what it is called on the screen; the tag by default.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Example:
        >>> about = dt.SummaryMetadata(plugin_data=dt.SummaryMetadata.PluginData(plugin_name="curves"))
        >>> summary = dt.summary.tensor_summary("curve", dt.constant([1.0, 2.0]), summary_metadata=about)
        >>> value, = dt.Summary.FromString(dt.Session().run(summary)).value
        >>> value.metadata.plugin_data.plugin_name, value.tensor.tensor_shape.dim[0].size
        ('curves', 2)
    """
    about = protobuf("summary").SummaryMetadata()
    if summary_metadata is not None:
        about.MergeFromString(summary_metadata.SerializeToString())
    if summary_description is not None:
        about.summary_description = summary_description.type_hint
    written = about.SerializeToString()
    return make_summary(
        "tensor_summary",
        lambda tag: TensorSummary(tag, metadata=written, display_name=display_name or ""),
        name,
        tensor,
        collections,
        family,
    )
