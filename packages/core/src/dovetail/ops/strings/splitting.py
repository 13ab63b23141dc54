"""Cutting text into parts: ``string_split`` and ``strings.split``, whose results are sparse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import opaque_dim, opaque_name
from dovetail.ops.sparse import SparseTensor
from dovetail.types.dtypes import DType, int64, string
from dovetail.types.shapes import Shape, TensorType

__all__ = ["split", "string_split"]


@primitive
@final
class StringSplit(Op):
    """The parts of texts: a row and column for each, the parts, and the shape of the whole.

    Attributes:
        symbol: names how many parts there are.
        separators: what parts lie between: each of these, or white space where there is none.
        skip_empty: whether parts of no text are left out.
        keep_nothing: whether no text is one part, where it stands alone.
        most: how often a text is cut at most; negative for no bound.
    """

    differentiable = False
    symbol: str
    separators: tuple[bytes, ...] = ()
    skip_empty: bool = False
    keep_nothing: bool = True
    most: int = -1

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Integers, text, integers."""
        if not dtypes[0].is_string:
            raise DTypeError(f"string_split: the input is {dtypes[0].name}, where text is wanted. Use dt.as_string.")
        return int64, string, int64

    def infer(self, x: TensorType) -> Signature:
        """As many parts as the data have."""
        self.dtypes(x.dtype)
        if x.rank != 1:
            raise ShapeError(f"string_split: the input is {x}; a vector of texts is needed. Reshape it to [-1].")
        count = opaque_dim(self.symbol)
        return (
            TensorType(int64, Shape((count, 2))),
            TensorType(string, Shape((count,))),
            TensorType(int64, Shape((2,))),
        )

    def reference(self, x: Array) -> tuple[Array, Array, Array]:
        """Cut each text."""
        rows = [self._parts(text) for text in x.tolist()]
        places = [(row, column) for row, parts in enumerate(rows) for column in np.arange(len(parts)).tolist()]
        values = np.empty(len(places), object)
        values[:] = [part for parts in rows for part in parts]
        longest = max(map(len, rows), default=0)
        return np.array(places, np.int64).reshape(-1, 2), values, np.array([len(rows), longest], np.int64)

    def _parts(self, text: bytes) -> list[bytes]:
        if not self.separators:
            return text.split(None, self.most)
        if not text and not self.keep_nothing:
            return []
        parts = [text]
        for separator in self.separators:
            parts = [piece for part in parts for piece in part.split(separator, self.most)]
        return [part for part in parts if part] if self.skip_empty else parts

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """White space, separators, none."""
        texts = np.array([b"a b  c", b"", b"d-e,f"], object)
        yield Sample(cls("split.sample"), texts)
        yield Sample(cls("split.sample", (b",", b"-"), True), texts)
        yield Sample(cls("split.sample", (b" ",), most=1), texts)
        yield Sample(cls("split.sample"), np.zeros((0,), object))


def string_split(
    source: Any, sep: str | None = None, skip_empty: bool = True, delimiter: str = " ", name: str | None = None
) -> SparseTensor:
    """Return the parts of texts between any of the characters of ``sep``.

    Args:
        source: a vector of texts.
        sep: the characters to cut at; those of ``delimiter`` by default.
        skip_empty: whether parts of no text are left out.
        delimiter: the later name of ``sep``.
        name: name of the node.

    Returns:
        A ``SparseTensor`` with a row for each text and its parts in it.

    Raises:
        InvalidArgumentError: there is nothing to cut at.
        DTypeError: this is no text.
        ShapeError: it is no vector.

    Example:
        >>> parts = dt.Session().run(dt.string_split(["hello world", "a"]))
        >>> parts.values, parts.dense_shape
        (array([b'hello', b'world', b'a'], dtype=object), array([2, 2]))
    """
    characters = (delimiter if sep is None else sep).encode()
    if not characters:
        raise InvalidArgumentError("string_split: sep is empty; give the characters to cut at.")
    separators = tuple(bytes([one]) for one in characters)
    op = StringSplit(opaque_name("split"), separators, bool(skip_empty), keep_nothing=False)
    return SparseTensor(*op(as_tensor(source), name=name))


def split(
    input: Any = None,
    sep: str | None = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> SparseTensor:
    """Return the parts of texts between ``sep``, as Python's ``split`` gives them.

    Args:
        input: a vector of texts.
        sep: the text to cut at; white space by default.
        maxsplit: how often a text is cut at most.
        result_type: ``"SparseTensor"``; there are no ragged tensors.
        source: the old name of ``input``.
        name: name of the node.

    Returns:
        A ``SparseTensor`` with a row for each text and its parts in it.

    Raises:
        InvalidArgumentError: another ``result_type`` is wanted.
        DTypeError: this is no text.
        ShapeError: it is no vector.

    Example:
        >>> dt.Session().run(dt.strings.split(["hello  world", "a"]).values)
        array([b'hello', b'world', b'a'], dtype=object)
    """
    if result_type != "SparseTensor":
        raise InvalidArgumentError(
            f"strings.split: result_type is {result_type!r}; there are no ragged tensors, use 'SparseTensor'."
        )
    op = StringSplit(opaque_name("split"), (sep.encode(),) if sep else (), most=maxsplit)
    return SparseTensor(*op(as_tensor(input if source is None else source), name=name))
