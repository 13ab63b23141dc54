"""The columns of a CSV file: what they hold, and the feature columns that are made of them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DataError, DovetailError
from dovetail_train.commands.settings import Settings

__all__ = ["Study", "Table"]

_CATEGORIES_AT_MOST: Final = 10_000
_SHOWN_BY_ONES: Final = 20
_PASS: Final = 4096


@final
class Study:
    """What a column holds, found in one pass over the rows.

    Attributes:
        count: how many rows there are.
        mean: of numbers.
        deviation: of numbers, their standard deviation.
        items: the texts or integers that are there; ``None`` where there are too many.
    """

    def __init__(self) -> None:
        """Begin before the first row."""
        self.count = 0
        self.items: set[Any] | None = set()
        self.mean = 0.0
        self._squares = 0.0

    def add(self, values: Any) -> None:
        """Look at a part of the rows (Chan, Golub and LeVeque, 1983)."""
        count = len(values)
        if values.dtype.kind in "iufb":
            part = values.astype(np.float64)
            mean = float(part.mean())
            total = self.count + count
            self._squares += float(((part - mean) ** 2).sum()) + (mean - self.mean) ** 2 * self.count * count / total
            self.mean += (mean - self.mean) * count / total
        self.count += count
        if self.items is not None and values.dtype.kind != "f":
            self.items.update(values.tolist())
            if len(self.items) > _CATEGORIES_AT_MOST:
                self.items = None

    @property
    def deviation(self) -> float:
        """The standard deviation; 1 where all numbers are the same."""
        found = math.sqrt(self._squares / self.count) if self.count else 0.0
        return found or 1.0


@final
class Table:
    """A CSV file as settings describe it.

    Args:
        settings: the settings.

    Attributes:
        label: the column to predict.
        classes: the classes as text, where they are to be told apart.
        rows: how many rows there are to train with.

    Raises:
        ConfigurationError: a column is not there, or does not fit its type.
        DataError: there are no rows.
    """

    def __init__(self, settings: Settings) -> None:
        """Look at all rows once."""
        self._settings = settings
        self.label: str = settings["data"]["label"]
        self._classifies = settings["model"]["type"].endswith("classifier")
        whole = self._open("file")
        spec = whole.element_spec
        names = list(spec)
        for name in [*settings.columns, self.label]:
            if name not in names:
                file = settings["data"]["file"]
                raise settings.fail(f'there is no column {name!r} in "{file}"{_near(name, names)}')
        self._types = {name: one.dtype for name, one in spec.items()}
        self._studies = {name: Study() for name in names}
        for batch in whole.batch(_PASS):
            for name, values in batch.items():
                self._studies[name].add(values)
        self.count = self._studies[self.label].count
        if not self.count:
            raise DataError(f'"{settings["data"]["file"]}" has no rows.')
        self.classes = self._find_classes() if self._classifies else None
        held = settings["data"]["validation"] if settings["data"]["validation_file"] is None else 0.0
        self._held = float(held)
        self.rows = self.count - math.floor(self.count * self._held)

    def _open(self, name: str) -> Any:
        data = self._settings["data"]
        missing: Any = data["missing"]
        return dt.data.from_csv(
            self._settings.existing(name), delimiter=data["delimiter"], encoding=data["encoding"], missing=missing
        )

    def _find_classes(self) -> list[str]:
        items = self._studies[self.label].items
        if not items:
            raise self._settings.fail(
                f"the label {self.label!r} is {self._types[self.label].name}, of too many values for classes; use a "
                "regressor."
            )
        return [one.decode() if isinstance(one, bytes) else str(one) for one in sorted(items)]

    # Data. -----------------------------------------------------------------------------------------------------------

    def training(self) -> Any:
        """Return the rows to train with, as pairs of features and label."""
        data = self._open("file")
        return self._labelled(self._part(data, held=False) if self._held else data)

    def validation(self) -> Any:
        """Return the rows to validate with; ``None`` where there are none."""
        if self._settings["data"]["validation_file"] is not None:
            return self._labelled(self._open("validation_file"))
        if not self._held:
            return None
        return self._labelled(self._part(self._open("file"), held=True))

    def _part(self, data: Any, held: bool) -> Any:
        """Take the rows that are held out, evenly spread over the file, or the others."""
        share = self._held

        def belongs(number: Any, row: Any) -> bool:
            return (math.floor((int(number) + 1) * share) > math.floor(int(number) * share)) is held

        return data.enumerate().filter(belongs).map(lambda number, row: row)

    def _labelled(self, data: Any) -> Any:
        used = [one for one in self._types if one != self.label and self._kind(one)["type"] != "ignore"]
        label, classes = self.label, self.classes

        def split(row: Mapping[str, Any]) -> Any:
            value = row[label]
            if classes is not None:
                value = value.decode() if isinstance(value, bytes) else str(value)
            return {name: row[name] for name in used}, value

        return data.map(split)

    # Feature columns. ------------------------------------------------------------------------------------------------

    def _kind(self, name: str) -> dict[str, Any]:
        """Return what the settings say of a column, or what its numbers or texts suggest."""
        said = self._settings.columns.get(name)
        if said is not None:
            return said
        if not self._types[name].is_string:
            return {"type": "numeric", "normalize": True}
        if self._studies[name].items is None:
            return {"type": "hash", "buckets": 1000, "dimension": None}
        return {"type": "category", "vocabulary": None, "dimension": None}

    def columns(self) -> list[Any]:
        """Return a feature column for each column that is used."""
        wide = self._settings["model"]["type"].startswith("linear")
        found = []
        for name in self._types:
            kind = self._kind(name)
            if name == self.label or kind["type"] == "ignore":
                continue
            try:
                made = self._column(name, kind)
            except DovetailError as error:
                raise self._settings.fail(f"columns.{name}: {error}") from error
            found.append(made if wide or kind["type"] in ("numeric", "bucketized") else _shown(made, kind))
        if not found:
            raise self._settings.fail(f"there is no column but the label {self.label!r}.")
        return found

    def _column(self, name: str, kind: Mapping[str, Any]) -> Any:
        column, study, is_text = dt.feature_column, self._studies[name], self._types[name].is_string
        if kind["type"] in ("numeric", "bucketized") and is_text:
            raise self._settings.fail(f'columns.{name}: the column holds text; use "category" or "hash".')
        if kind["type"] == "numeric":
            if not kind["normalize"]:
                return column.numeric_column(name)
            mean, deviation = study.mean, study.deviation
            return column.numeric_column(name, normalizer_fn=lambda x: (x - mean) / deviation)
        if kind["type"] == "bucketized":
            if not kind["boundaries"]:
                raise self._settings.fail(f"columns.{name}: boundaries are missing, such as boundaries = [18, 65].")
            return column.bucketized_column(column.numeric_column(name), kind["boundaries"])
        if kind["type"] == "hash":
            return column.categorical_column_with_hash_bucket(name, kind["buckets"], self._types[name])
        if kind["type"] == "identity":
            if kind["buckets"] is None:
                raise self._settings.fail(f"columns.{name}: buckets is missing, the number of categories.")
            return column.categorical_column_with_identity(name, kind["buckets"])
        vocabulary: Sequence[Any] | None = kind["vocabulary"]
        if vocabulary is None:
            if study.items is None or self._types[name].is_floating:
                raise self._settings.fail(
                    f'columns.{name}: there are too many values for categories; use "hash", or give a vocabulary.'
                )
            vocabulary = sorted(one for one in study.items if one not in (b"", "", -1))
        return column.categorical_column_with_vocabulary_list(name, vocabulary, num_oov_buckets=1)


def _shown(column: Any, kind: Mapping[str, Any]) -> Any:
    """Return a categorical column as numbers: by ones and zeros where categories are few, or embedded."""
    size = kind["dimension"]
    if size is None and column.num_buckets <= _SHOWN_BY_ONES:
        return dt.feature_column.indicator_column(column)
    return dt.feature_column.embedding_column(column, size or max(2, round(column.num_buckets**0.25 * 2)))


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f". Did you mean {near[0]!r}?" if near else f"; it has {', '.join(map(repr, names[:12]))}."
