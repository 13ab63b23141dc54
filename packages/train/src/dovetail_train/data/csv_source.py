"""``from_csv``: typed columns of CSV files as a dataset."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError
from dovetail_train.data.csv_columns import MISSING, Column, as_classes, infer, parse
from dovetail_train.data.csv_rows import CsvForm, CsvRows, read_records
from dovetail_train.data.dataset import Dataset
from dovetail_train.data.files import as_paths, check_encoding, open_text, unreadable
from dovetail_train.data.spec import ElementSpec, TensorSpec
from dovetail_train.data.structure import Structure

__all__ = ["from_csv"]

_LOOKED_AT: Final = 1000


def from_csv(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    label: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    dtypes: Mapping[str, Any] | Any = None,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | int | None = None,
    missing: Literal["error", "drop", "nan"] | float | str | Mapping[str, Any] = "error",
    na_values: Iterable[str] | None = None,
    delimiter: str = ",",
    quotechar: str = '"',
    encoding: str = "utf-8",
    stack: bool = False,
) -> Dataset:
    r"""Return the rows of CSV files as elements, read piece by piece: memory does not grow with the files.

    An element is a dict with a value for each column; with a label a pair of that dict and the label.

    Args:
        paths: a file, or several of the same columns; ``.gz``, ``.bz2`` and ``.xz`` are decompressed.
        label: the column that becomes the second part of each element.
        columns: the columns to read, in order; all unless given. The label is read in any case.
        dtypes: dtypes by column, or one for all but the label. For others the first 1000 rows tell: int64, float32 or
            string.
        header: whether each file begins with the names of the columns; it does unless ``names`` is given.
        names: the names of all columns in the files, for files that do not have them; with ``header=True`` in place of
            those that they have.
        classes: what the label may be: texts, which become their places in the list as int64, or how many classes there
            are, where the fields are their numbers.
        missing: what to do where a value is missing: ``"error"``; ``"drop"`` leaves out the row; ``"nan"`` puts NaN
            into columns of floats; or the value to put there, for all columns or by column.
        na_values: fields that mean a missing value, in all columns. Unless given, those in common use, such as ``""``,
            ``NA`` and ``nan``, do so in columns of numbers and truth values; a text may be any.
        delimiter: what stands between fields.
        quotechar: what stands around fields that hold delimiters or line ends; the empty string for nothing.
        encoding: of the text; a byte order mark of UTF-8 is passed over.
        stack: whether the columns, which are then numbers, are one vector instead of a dict.

    Raises:
        StorageError: a file cannot be read.
        FormatError: a file is empty, or its header has a name twice. When read: fields are missing, too many, or no
            values of their column. The message names file, line and column.
        InvalidArgumentError: a column is asked for that is not there.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("iris.csv").write_text("width,kind\n3.5,setosa\n2.9,versicolor\n")
        >>> iris = dt.data.from_csv("iris.csv", "kind", classes=["setosa", "versicolor"])
        >>> next(iter(iris.batch(2)))
        ({'width': array([3.5, 2.9], dtype=float32)}, array([0, 1]))
    """
    files = as_paths(paths, "from_csv")
    if len(delimiter) != 1 or len(quotechar) > 1:
        raise InvalidArgumentError(
            f"from_csv: delimiter is {delimiter!r} and quotechar {quotechar!r}; give one character, such as ';'."
        )
    given = tuple(_texts_in_order(names, "names")) if names is not None else None
    has_header = given is None if header is None else bool(header)
    form = CsvForm(
        delimiter, quotechar, check_encoding(encoding, "from_csv"), has_header, given is not None, given or ()
    )
    form, sample = _looked_at(files[0], form)
    chosen = _chosen(form.names, columns, label, files[0])
    absent = None if na_values is None else _texts(na_values, "na_values")
    known = _dtypes(dtypes, chosen, label)
    if isinstance(missing, Mapping):
        _check_keys(missing, chosen, "missing")
    elif isinstance(missing, str) and missing not in ("error", "drop", "nan") and absent is None:
        raise InvalidArgumentError(
            f"from_csv: missing is {missing!r}; give 'error', 'drop', 'nan', a number, or values by column. A text for "
            "columns of texts needs na_values, which say what is missing there."
        )
    kinds, below = as_classes(classes)
    if classes is not None and label is None:
        raise InvalidArgumentError("from_csv: classes are those of the label; say which column that is by label.")
    made = []
    for name in chosen:
        is_label = name == label
        dtype = known.get(name)
        if is_label and classes is not None:
            dtype = dt.int64
        fields = [record[form.names.index(name)] for record in sample]
        found = infer(fields, MISSING if absent is None else absent) if dtype is None else dtype
        inferred = dtype is None
        column = Column(
            name,
            found,
            inferred,
            absent if absent is not None else frozenset() if found.is_string else MISSING,
            fill=_fill(missing, name, found),
            drop=isinstance(missing, str) and missing == "drop",
            classes=kinds if is_label else None,
            below=below if is_label else None,
        )
        made.append(column)
    features = made if label is None else made[:-1]
    spec, stacked = _spec(features, made[-1] if label is not None else None, stack)
    if stack:
        made[: len(features)] = [_as_number(one, features) for one in features]
    return Dataset(CsvRows(files, form, made, spec, stacked))


def _looked_at(path: Path, form: CsvForm) -> tuple[CsvForm, list[list[str]]]:
    """Return the form with the names of the columns, and the first records of the file."""
    try:
        with open_text(path, form.encoding) as file:
            found = list(itertools.islice(read_records(form, iter(file.readline, ""), path, 1), _LOOKED_AT + 1))
    except (UnicodeError, OSError, EOFError) as error:
        raise unreadable(path, form.encoding, error) from error
    if not found:
        raise FormatError(f"{path}: the file is empty; there is {'not even a header' if form.header else 'no row'}.")
    records = [record for _, record in found]
    if form.header:
        head = tuple(name.strip() for name in records.pop(0))
        if not form.renamed:
            _check_names(head, f"{path}: the header")
            form = dataclasses.replace(form, names=head)
    elif not form.renamed:
        form = dataclasses.replace(form, names=tuple(map(str, range(len(records[0])))))
    width = len(form.names)
    if records and all(len(record) != width for record in records):
        raise FormatError(
            f"{path}: its rows have {len(records[0])} fields, where there are {width} names: {', '.join(form.names)}. "
            f"Is {form.delimiter!r} the delimiter, and does the file have a header?"
        )
    return form, [record for record in records if len(record) == width]


def _check_names(names: Sequence[str], what: str) -> None:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise FormatError(
            f"{what} has the name {', '.join(map(repr, twice))} more than once. Give every column its own, in "
            "the file or by names."
        )


def _chosen(names: Sequence[str], columns: Sequence[str] | None, label: str | None, path: Path) -> list[str]:
    """Return the names of the columns to read, the label last."""
    if isinstance(columns, str):
        raise DTypeError(f"from_csv: columns is {columns!r}; give a list of names.")
    features = [name for name in (names if columns is None else columns) if name != label]
    wanted = features if label is None else [*features, label]
    absent = [name for name in wanted if name not in names]
    if absent:
        near = difflib.get_close_matches(absent[0].lower(), {name.lower(): name for name in names}, 1)
        meant = next((name for name in names if near and name.lower() == near[0]), None)
        hint = " Is the delimiter another?" if len(names) == 1 else ""
        if meant is not None:
            hint = f" Did you mean {meant!r}?"
        raise InvalidArgumentError(
            f"from_csv: {path} has no column {', '.join(map(repr, absent))}; its columns are {', '.join(names)}.{hint}"
        )
    if not features:
        raise InvalidArgumentError(f"from_csv: there is no column besides the label; {path} has {', '.join(names)}.")
    _check_names(wanted, "from_csv: columns")
    return wanted


def _dtypes(given: Any, chosen: Sequence[str], label: str | None) -> dict[str, dt.DType]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {name: dt.as_dtype(given) for name in chosen if name != label}
    _check_keys(given, chosen, "dtypes")
    found = {name: dt.as_dtype(one) for name, one in given.items()}
    for name, dtype in found.items():
        if not (dtype.is_numeric or dtype.is_bool or dtype.is_string):
            raise DTypeError(f"from_csv: dtypes says {dtype.name} for {name!r}; no field is read as that.")
    return found


def _check_keys(given: Mapping[str, Any], chosen: Sequence[str], what: str) -> None:
    for name in given:
        if name not in chosen:
            raise InvalidArgumentError(
                f"from_csv: {what} speaks of a column {name!r}, which is not read; those that are: {', '.join(chosen)}."
            )


def _texts_in_order(given: Sequence[str], what: str) -> list[str]:
    if isinstance(given, str) or not given or not all(isinstance(one, str) for one in given):
        raise DTypeError(f"from_csv: {what} is {given!r}; give a list of texts.")
    _check_names(list(given), f"from_csv: {what}")
    return list(given)


def _texts(given: Iterable[str], what: str) -> frozenset[str]:
    found = [given] if isinstance(given, str) else list(given)
    if not all(isinstance(one, str) for one in found):
        raise DTypeError(f"from_csv: {what} is {given!r}; give the texts of fields, such as ['?', 'NA'].")
    return frozenset(found)


def _fill(missing: Any, name: str, dtype: dt.DType) -> Any:
    """Return what to put where a value of a column is missing; ``None`` for nothing."""
    if isinstance(missing, Mapping):
        if name not in missing:
            return None
        value = missing[name]
    elif isinstance(missing, str) and missing in ("error", "drop"):
        return None
    else:
        value = missing
    found = parse(str(value), dtype)
    if found is None and isinstance(missing, Mapping):
        raise InvalidArgumentError(f"from_csv: missing says {value!r} for {name!r}, which is no {dtype.name}.")
    return found


def _spec(features: Sequence[Column], label: Column | None, stack: bool) -> tuple[ElementSpec, int]:
    """Return what the elements are, and how many columns make one vector."""
    if stack:
        part, leaves = Structure(None), [TensorSpec([len(features)], _common(features))]
    else:
        part = Structure(dict, [one.name for one in features], [Structure(None)] * len(features))
        leaves = [TensorSpec([], one.dtype) for one in features]
    if label is not None:
        part = Structure(tuple, range(2), [part, Structure(None)])
        leaves.append(TensorSpec([], label.dtype))
    return ElementSpec(part, tuple(leaves)), len(features) if stack else 0


def _common(features: Sequence[Column]) -> dt.DType:
    for one in features:
        if not one.dtype.is_numeric:
            raise DTypeError(
                f"from_csv: stack makes a vector of numbers, but column {one.name!r} is {one.dtype.name}. Leave it out "
                "by columns, or say its dtype by dtypes."
            )
    kinds = {one.dtype for one in features}
    return kinds.pop() if len(kinds) == 1 else dt.float32


def _as_number(column: Column, features: Sequence[Column]) -> Column:
    return dataclasses.replace(column, dtype=_common(features))
