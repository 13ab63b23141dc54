"""What feature columns have in common, and the features that they read."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, NotFoundError, ShapeError

__all__ = ["CategoricalColumn", "DenseColumn", "FeatureColumn", "Features", "as_columns", "checked_key"]

_T = TypeVar("_T", bound="FeatureColumn")


class FeatureColumn(ABC):
    """Base of columns: they know which features they need, and have a name that tells them apart."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name, made of what it is of."""

    @property
    @abstractmethod
    def features(self) -> tuple[str, ...]:
        """The names of the features that it needs."""

    def _as_given(self) -> tuple[Any, ...]:
        """What the column was made with."""
        return tuple(self.__dict__.items())

    def __eq__(self, other: object) -> bool:
        """Columns made alike are equal."""
        return type(self) is type(other) and self._as_given() == other._as_given()

    def __hash__(self) -> int:
        """By the name."""
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        """Print what it was made with."""
        given = ", ".join(f"{key.lstrip('_')}={value!r}" for key, value in self._as_given())
        return f"{type(self).__name__}({given})"


class DenseColumn(FeatureColumn):
    """Base of columns that give numbers, which a network takes as they are."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers there are in a row."""

    @abstractmethod
    def dense(self, features: Features) -> Tensor:
        """Return the numbers, of shape ``[batch, width]``."""


class CategoricalColumn(FeatureColumn):
    """Base of columns that give categories, which are embedded, shown by ones and zeros, or weighed one by one."""

    @property
    @abstractmethod
    def num_buckets(self) -> int:
        """How many categories there are."""

    @abstractmethod
    def ids(self, features: Features) -> Tensor:
        """Return numbers from 0 below ``num_buckets``, int64 of shape ``[batch, items]``; -1 stands for nothing."""


@final
class Features:
    """The features of a batch, by name; what a column makes of them is made once.

    Args:
        given: tensors by name.
    """

    def __init__(self, given: Any) -> None:
        """Remember them."""
        if not isinstance(given, Mapping):
            raise DTypeError(
                f"the features are {given!r}, but columns find theirs by name; give a dict such as {{'x': x}}."
            )
        self._given = given
        self._made: dict[Any, Tensor] = {}

    def raw(self, key: str, who: str) -> Tensor:
        """Return a feature.

        Raises:
            NotFoundError: there is none of that name.
        """
        if key not in self._given:
            near = difflib.get_close_matches(key, list(map(str, self._given)), 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise NotFoundError(
                f"{who}: there is no feature {key!r}; input_fn gives {', '.join(map(repr, self._given))}.{hint}"
            )
        found: Tensor = dt.convert_to_tensor(self._given[key])
        return found

    def rows(self, key: str, who: str) -> Tensor:
        """Return a feature as a matrix: a vector becomes a column.

        Raises:
            NotFoundError: there is none of that name.
            ShapeError: it has no rows.
        """
        tensor = self.raw(key, who)
        rank = tensor.shape.rank
        if rank is None or rank == 0:
            raise ShapeError(f"{who}: the feature {key!r} is {tensor.type}; it needs a first axis of rows.")
        if rank == 1:
            return dt.expand_dims(tensor, -1)
        return tensor if rank == 2 else dt.reshape(tensor, [dt.shape(tensor)[0], -1])

    def made(self, column: FeatureColumn, make: Callable[[Features], Tensor]) -> Tensor:
        """Return what a column makes, which is remembered."""
        key = (column, make.__name__)
        if key not in self._made:
            self._made[key] = make(self)
        return self._made[key]


def checked_key(key: Any, who: str) -> str:
    """Return the name of a feature.

    Raises:
        DTypeError: it is no string.
    """
    if not isinstance(key, str):
        raise DTypeError(f"{who}: key is {key!r}; give the name of a feature, a string.")
    return key


def as_columns(given: Any, kinds: tuple[type[_T], ...], who: str, advice: str) -> list[_T]:
    """Return columns in the order of their names.

    Raises:
        DTypeError: something is no column, or of another kind; ``advice`` says what to do then.
        InvalidArgumentError: there are none, or two have one name.
    """
    columns: Sequence[Any] = [given] if isinstance(given, FeatureColumn) else list(_iterated(given, who))
    if not columns:
        raise InvalidArgumentError(f"{who}: feature_columns is empty; give one column at least.")
    for one in columns:
        if not isinstance(one, FeatureColumn):
            raise DTypeError(f"{who}: {one!r} is no feature column; use one of dt.feature_column.")
        if not isinstance(one, kinds):
            raise DTypeError(f"{who}: the column {one.name!r} is a {type(one).__name__}; {advice}")
    names = [one.name for one in columns]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgumentError(f"{who}: two columns have the name {name!r}; leave one out.")
    return sorted(columns, key=lambda one: str(one.name))


def _iterated(given: Any, who: str) -> Iterable[Any]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise DTypeError(f"{who}: feature_columns is {given!r}; give a list of columns.")
    return given
