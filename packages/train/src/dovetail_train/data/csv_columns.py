"""Columns of CSV files: what their fields stand for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, FormatError

__all__ = ["MISSING", "Column", "Missing", "infer"]

MISSING: Final = frozenset(["", "?", "-", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none"])
"""Fields that say in a column of numbers or truth values that there is no value."""

_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@final
class Missing:
    """What stands for a row in which a value is missing."""

    def __repr__(self) -> str:
        """Name it."""
        return "missing"


_MISSING: Final = Missing()


@final
@dataclass(frozen=True)
class Column:
    """One column that is read.

    Attributes:
        name: its name.
        dtype: what its values become.
        inferred: whether the dtype was learned from the first rows, rather than said.
        absent: fields that say that there is no value.
        fill: the value to put there; ``None`` where a missing value is an error.
        drop: whether rows in which the value is missing are left out.
        classes: texts whose places in it are the values; or ``None``.
        below: how many classes there are, where the fields are their numbers; or ``None``.
    """

    name: str
    dtype: dt.DType
    inferred: bool
    absent: frozenset[str]
    fill: Any = None
    drop: bool = False
    classes: Mapping[str, int] | None = None
    below: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether fields that read as finite numbers are the values, each of them."""
        return self._is_number and self.classes is None

    @functools.cached_property
    def _is_number(self) -> bool:
        return self.dtype.is_numeric and not any(parse(text, dt.float32) is not None for text in self.absent - MISSING)

    def numbers(self, values: Any) -> Any | None:
        """Return parsed numbers as an array of the dtype; ``None`` where one has to be looked at by itself."""
        if not values.size or not self.is_plain or not np.isfinite(values).all():
            return None
        if self.dtype.is_floating:
            with np.errstate(over="ignore"):
                made = values.astype(self.dtype.numpy)
            return made if np.isfinite(made).all() else None
        whole = (np.floor(values) == values) & (np.abs(values) < 2**53)
        if not whole.all() or not (values.min() >= self.dtype.min and values.max() <= self.dtype.max):
            return None
        made = values.astype(self.dtype.numpy)
        return None if self.below is not None and (made.min() < 0 or made.max() >= self.below) else made

    def array(self, fields: Sequence[str], where: Callable[[int], str]) -> tuple[Any, Any | None]:
        """Return the values of fields, and which rows stay, or ``None`` where all do.

        Args:
            fields: the texts.
            where: says where the row of this number stands, for messages.

        Raises:
            FormatError: a field is missing, or no such value.
        """
        quick = self._quick(fields)
        if quick is not None:
            return quick, None
        made = np.empty(len(fields), object if self.dtype.is_string else self.dtype.numpy)
        keep: Any = None
        for number, field in enumerate(fields):
            value = self._value(field, number, where)
            if value is _MISSING:
                if keep is None:
                    keep = np.ones(len(fields), bool)
                keep[number] = False
            else:
                made[number] = value
        return made, keep

    def _quick(self, fields: Sequence[str]) -> Any | None:
        """Return the values, where nothing is missing and nothing wrong."""
        if self.classes is not None:
            places = [self.classes.get(field, -1) for field in fields]
            return None if -1 in places else np.array(places, self.dtype.numpy)
        if self.dtype.is_string and not self.absent:
            made = np.empty(len(fields), object)
            made[:] = fields
            return made
        if not self.is_plain or "_" in ",".join(fields):
            return None
        try:
            return self.numbers(np.array(list(map(float, fields))))
        except ValueError:
            return None

    def _value(self, field: str, number: int, where: Callable[[int], str]) -> Any:
        text = field if self.dtype.is_string else field.strip()
        if text in self.absent and not (self.classes is not None and text in self.classes):
            if self.drop:
                return _MISSING
            if self.fill is None:
                raise FormatError(
                    f"{where(number)}, column {self.name!r}: the value is missing ({field!r}). Say what to do by "
                    f"missing: a value, {{{self.name!r}: a value}}, 'nan', or 'drop'."
                )
            return self.fill
        if self.classes is not None:
            found = self.classes.get(text)
            if found is None:
                raise FormatError(
                    f"{where(number)}, column {self.name!r}: {field!r} is none of the classes "
                    f"{_shown(list(self.classes))}."
                )
            return found
        return self._parsed(text, field, number, where)

    def _parsed(self, text: str, field: str, number: int, where: Callable[[int], str]) -> Any:
        value = parse(text, self.dtype)
        if value is None:
            learned = ", as which the first rows were read" if self.inferred else ""
            raise FormatError(
                f"{where(number)}, column {self.name!r}: {field!r:.60} is no {self.dtype.name}{learned}. Mend the "
                f"file, say another dtype by dtypes={{{self.name!r}: ...}}, or add it to na_values if nothing is meant."
            )
        if self.below is not None and not 0 <= value < self.below:
            raise FormatError(
                f"{where(number)}, column {self.name!r}: {field} is out of range; there are {self.below} classes, 0 to "
                f"{self.below - 1}."
            )
        return value


def parse(text: str, dtype: dt.DType) -> Any | None:
    """Return the value that a text stands for; ``None`` if it stands for none."""
    if dtype.is_string:
        return text
    if dtype.is_bool:
        return _TRUTH.get(text.lower())
    if "_" in text:  # Python's numbers may have it between digits, those of files do not
        return None
    try:
        if dtype.is_floating:
            value = float(text)
            with np.errstate(over="ignore"):
                fits = not np.isfinite(value) or bool(np.isfinite(dtype.numpy.type(value)))
            return value if fits else None
        whole = _integer(text)
    except ValueError:
        return None
    return whole if whole is not None and dtype.min <= whole <= dtype.max else None


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return int(value) if value.is_integer() else None


def infer(fields: Sequence[str], absent: Collection[str]) -> dt.DType:
    """Return the narrowest of int64, float32 and string that the fields of a column can be read as."""
    present = [field.strip() for field in fields if field.strip() not in absent]
    if not present:
        return dt.float32
    for dtype in (dt.int64, dt.float32):
        if all(_reads_as(text, dtype) for text in present):
            return dtype
    return dt.string


def _reads_as(text: str, dtype: dt.DType) -> bool:
    if dtype.is_integer and not text.lstrip("+-").isdigit():
        return False
    return parse(text, dtype) is not None


def as_classes(given: Any) -> tuple[dict[str, int] | None, int | None]:
    """Return classes by name, or how many there are by number.

    Raises:
        DTypeError: they are neither a number nor texts.
    """
    if given is None:
        return None, None
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool) and given > 0:
        return None, int(given)
    names = [str(one) for one in given] if isinstance(given, (list, tuple, np.ndarray)) else []
    if not names or len(set(names)) < len(names):
        raise DTypeError(
            f"from_csv: classes is {given!r}; give different texts in the order of their numbers, or how many classes "
            "there are where the fields are numbers."
        )
    return {name: number for number, name in enumerate(names)}, None


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(repr, names[:8])) + more
