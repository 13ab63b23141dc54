"""Text from text, element by element: joining, changing, cutting. The reference computes it, on every backend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final, Literal, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.types.dtypes import DType, bool_, int32, string
from dovetail.types.shapes import Shape, TensorType, broadcast_shapes

__all__ = [
    "join",
    "length",
    "lower",
    "regex_full_match",
    "regex_replace",
    "string_strip",
    "substr",
    "upper",
]

Unit = Literal["BYTE", "UTF8_CHAR"]
_TEXTS: Final = np.array([b"Ab c", "dé".encode(), b""], object)


def mapped(function: Callable[..., Any], dtype: Any, *arrays: Array) -> Array:
    """Return what a function gives for each element of arrays, whose shapes broadcast."""
    result = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return np.asarray(result, object if dtype is object else None).astype(dtype, copy=False)


class TextOp(Op):
    """An operation on text, element by element.

    Class attributes:
        label: the function's name, with which errors begin.
        result: dtype of the result.
    """

    differentiable = False
    label: ClassVar[str]
    result: ClassVar[DType] = string

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """That of the result."""
        for index, dtype in enumerate(dtypes):
            if not dtype.is_string:
                raise DTypeError(
                    f"{self.label}: input {index} is {dtype.name}, where text is wanted. Use dt.as_string."
                )
        return (self.result,)

    def infer(self, *types: TensorType) -> Signature:
        """The shape that the inputs broadcast to."""
        (dtype,) = self.dtypes(*(one.dtype for one in types))
        return TensorType(dtype, broadcast_shapes(*(one.shape for one in types)))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A vector, a scalar, none."""
        yield Sample(cls(), _TEXTS)
        yield Sample(cls(), np.array(b"One", object))
        yield Sample(cls(), np.zeros((0, 2), object))


@primitive
@final
class StringJoin(TextOp):
    """The texts of all inputs one after the other, with a separator between."""

    label = "string_join"
    separator: str = ""

    def infer(self, *types: TensorType) -> Signature:
        """The inputs' shape; scalars go with any."""
        (dtype,) = self.dtypes(*(one.dtype for one in types))
        shapes = [one.shape for one in types if one.rank]
        message = f"string_join: the inputs are {', '.join(map(str, types))}; all but scalars must have one shape."
        if any(len(shape) != len(shapes[0]) for shape in shapes):
            raise ShapeError(message)
        return TensorType(dtype, broadcast_shapes(*shapes, message=message) if shapes else Shape(()))

    def reference(self, *arrays: Array) -> Array:
        """Python's join."""
        between = self.separator.encode()
        return mapped(lambda *parts: between.join(parts), object, *arrays)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """With a separator, a scalar beside a vector."""
        yield Sample(cls("-"), _TEXTS, _TEXTS[::-1], np.array(b"x", object))
        yield Sample(cls(), np.array(b"a", object), np.array(b"b", object))


class _Cased(TextOp):
    encoding: str = ""

    def changed(self, text: Any) -> Any:
        """Change letters, of ASCII or of all writing."""
        raise InvalidArgumentError(f"{type(self).__name__} says no change.")

    def reference(self, x: Array) -> Array:
        """Python's method."""
        if self.encoding:
            return mapped(lambda item: self.changed(item.decode(self.encoding)).encode(self.encoding), object, x)
        return mapped(self.changed, object, x)


@primitive
@final
class StringLower(_Cased):
    """Small letters in place of capital ones."""

    label = "strings.lower"

    def changed(self, text: Any) -> Any:
        """Python's ``lower``."""
        return text.lower()


@primitive
@final
class StringUpper(_Cased):
    """Capital letters in place of small ones."""

    label = "strings.upper"

    def changed(self, text: Any) -> Any:
        """Python's ``upper``."""
        return text.upper()


@primitive
@final
class StringStrip(TextOp):
    """Text without white space at its ends."""

    label = "string_strip"

    def reference(self, x: Array) -> Array:
        """Python's ``strip``."""
        return mapped(bytes.strip, object, x)


@primitive
@final
class StringLength(TextOp):
    """How many bytes or characters text has."""

    label = "strings.length"
    result = int32
    unit: str = "BYTE"

    def reference(self, x: Array) -> Array:
        """Python's ``len``."""
        return mapped((lambda item: len(item.decode())) if self.unit == "UTF8_CHAR" else len, np.int32, x)


@primitive
@final
class RegexReplace(TextOp):
    """Text with what a pattern finds replaced."""

    label = "regex_replace"
    pattern: str
    rewrite: str
    replace_global: bool = True

    def reference(self, x: Array) -> Array:
        """Python's ``re.sub`` on bytes."""
        found, count = re.compile(self.pattern.encode()), 0 if self.replace_global else 1
        rewrite = self.rewrite.replace("\\0", "\\g<0>").encode()
        return mapped(lambda item: found.sub(rewrite, item, count=count), object, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Everywhere and once, with groups."""
        texts = np.array([b"a1b22", b"", b"12-34"], object)
        yield Sample(cls("[0-9]+", "#"), texts)
        yield Sample(cls("([0-9])", r"<\1\0>", False), texts)


@primitive
@final
class RegexFullMatch(TextOp):
    """Whether a pattern describes the whole text."""

    label = "regex_full_match"
    result = bool_
    pattern: str

    def reference(self, x: Array) -> Array:
        """Python's ``re.fullmatch`` on bytes."""
        found = re.compile(self.pattern.encode())
        return mapped(lambda item: found.fullmatch(item) is not None, np.bool_, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Some that fit."""
        yield Sample(cls("[a-c]+"), np.array([b"abc", b"abd", b""], object))


@primitive
@final
class Substr(TextOp):
    """The part of a text from a position on, of a length at most."""

    label = "substr"
    unit: str = "BYTE"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Text, from text and integers."""
        for dtype in dtypes[1:]:
            if not dtype.is_integer:
                raise DTypeError(f"substr: a position or length is {dtype.name}; use integers.")
        return super().dtypes(dtypes[0])

    def reference(self, x: Array, position: Array, length: Array) -> Array:
        """A slice; a position outside is an error."""
        characters = self.unit == "UTF8_CHAR"

        def cut(item: bytes, start: int, count: int) -> bytes:
            text: Any = item.decode() if characters else item
            if not -len(text) <= start <= len(text):
                raise InvalidArgumentError(
                    f"substr: position {start} lies outside {item!r}, which has {len(text)}. Use one within it."
                )
            start += len(text) if start < 0 else 0
            part = text[start : start + max(int(count), 0)]
            result: bytes = part.encode() if characters else part
            return result

        return mapped(cut, object, x, position.astype(object), length.astype(object))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """From both ends, one for all, characters."""
        texts = np.array([b"hello", b"abc"], object)
        yield Sample(cls(), texts, np.array([1, -2], np.int32), np.array([3, 9], np.int32))
        yield Sample(cls("UTF8_CHAR"), np.array(["añb".encode()], object), np.int64(1), np.int64(1))


# Functions. ----------------------------------------------------------------------------------------------------------


def join(inputs: Any, separator: str = "", name: str | None = None) -> Tensor:
    """Return the texts of tensors one after the other.

    Args:
        inputs: a list of string tensors of one shape, or scalars.
        separator: what stands between two.
        name: name of the node.

    Raises:
        DTypeError: one is no text.
        ShapeError: the shapes differ.

    Example:
        >>> dt.Session().run(dt.strings.join([["a", "b"], "c"], separator="-"))
        array([b'a-c', b'b-c'], dtype=object)
    """
    result: Tensor = StringJoin(separator)(*[as_tensor(one) for one in inputs], name=name)
    return result


def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Return text in small letters: those of ASCII, or of all writing with ``encoding="utf-8"``.

    Example:
        >>> dt.Session().run(dt.strings.lower("A Tensor"))
        b'a tensor'
    """
    result: Tensor = StringLower(_encoding("strings.lower", encoding))(as_tensor(input), name=name)
    return result


def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Return text in capital letters: those of ASCII, or of all writing with ``encoding="utf-8"``.

    Example:
        >>> dt.Session().run(dt.strings.upper("A Tensor"))
        b'A TENSOR'
    """
    result: Tensor = StringUpper(_encoding("strings.upper", encoding))(as_tensor(input), name=name)
    return result


def _encoding(label: str, encoding: str) -> str:
    if encoding not in ("", "utf-8"):
        raise InvalidArgumentError(f"{label}: encoding is {encoding!r}; use 'utf-8', or '' for the letters of ASCII.")
    return encoding


def string_strip(input: Any, name: str | None = None) -> Tensor:
    """Return text without white space at its beginning and end.

    Example:
        >>> dt.Session().run(dt.strings.strip("  a b "))
        b'a b'
    """
    result: Tensor = StringStrip()(as_tensor(input), name=name)
    return result


def length(input: Any, name: str | None = None, unit: Unit = "BYTE") -> Tensor:
    """Return the length of text, an int32.

    Args:
        input: a string tensor.
        name: name of the node.
        unit: ``"BYTE"``, or ``"UTF8_CHAR"`` for characters.

    Raises:
        InvalidArgumentError: the unit is another.

    Example:
        >>> dt.Session().run(dt.strings.length(["a", "bcd"]))
        array([1, 3], dtype=int32)
    """
    result: Tensor = StringLength(_unit("strings.length", unit))(as_tensor(input), name=name)
    return result


def _unit(label: str, unit: str) -> str:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise InvalidArgumentError(f"{label}: unit is {unit!r}; use 'BYTE' or 'UTF8_CHAR'.")
    return unit


def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: Unit = "BYTE") -> Tensor:
    """Return parts of text.

    Args:
        input: a string tensor.
        pos: where they begin, integers; negative ones count from the end.
        len: how long they are at most.
        name: name of the node.
        unit: ``"BYTE"``, or ``"UTF8_CHAR"`` for characters.

    Raises:
        DTypeError: positions are no integers.
        OperationError: when run, a position lies outside.

    Example:
        >>> dt.Session().run(dt.substr(["hello", "world"], 1, 3))
        array([b'ell', b'orl'], dtype=object)
    """
    result: Tensor = Substr(_unit("substr", unit))(as_tensor(input), as_tensor(pos), as_tensor(len), name=name)
    return result


def regex_replace(
    input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Return text with what a regular expression finds replaced.

    Args:
        input: a string tensor.
        pattern: a regular expression of Python's ``re``, on bytes.
        rewrite: what to put in place; ``\1`` is the first group, ``\0`` all that was found.
        replace_global: whether everything that is found is replaced, or only the first.
        name: name of the node.

    Raises:
        InvalidArgumentError: the pattern is no regular expression.

    Example:
        >>> dt.Session().run(dt.regex_replace("a1b22", "[0-9]+", "#"))
        b'a#b#'
    """
    op = RegexReplace(_pattern("regex_replace", pattern), rewrite, bool(replace_global))
    result: Tensor = op(as_tensor(input), name=name)
    return result


def regex_full_match(input: Any, pattern: str, name: str | None = None) -> Tensor:
    """Return whether a regular expression describes the whole of each text.

    Raises:
        InvalidArgumentError: the pattern is no regular expression.

    Example:
        >>> dt.Session().run(dt.strings.regex_full_match(["abc", "abd"], "[a-c]+"))
        array([ True, False])
    """
    result: Tensor = RegexFullMatch(_pattern("regex_full_match", pattern))(as_tensor(input), name=name)
    return result


def _pattern(label: str, pattern: Any) -> str:
    try:
        re.compile(pattern.encode())
    except (re.error, AttributeError) as error:
        raise InvalidArgumentError(f"{label}: the pattern {pattern!r} is no regular expression: {error}.") from error
    text: str = pattern
    return text
