"""``dovetail predict``: what a trained network or a bundle says of a CSV file or of pictures."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import FormatError, InvalidArgumentError, NotFoundError, StorageError
from dovetail_train.commands.settings import nearest_path
from dovetail_train.commands.train import RECORD
from dovetail_train.data.images import load_image

__all__ = ["predict"]

_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_BATCH: Final = 256
_SIGNATURES: Final = ("classification", "regression")


def predict(arguments: Sequence[str]) -> int:
    """Predict, and write a row for each input; returns 0."""
    parser = argparse.ArgumentParser(
        prog="dovetail predict",
        description="Predict with what `dovetail train` trained, or with a saved model, and write a CSV row for each "
        "row of a CSV file or for each picture of a folder.",
    )
    parser.add_argument("model", metavar="MODEL", help="the output folder of a training, or a saved model's folder")
    parser.add_argument("input", metavar="INPUT", help="a CSV file with the columns of the training, or pictures")
    parser.add_argument("--output", metavar="FILE", help="the CSV file to write; printed unless given")
    parser.add_argument("--delimiter", default=",", help="what stands between the fields of the input")
    options = parser.parse_args(arguments)
    folder, record = _find(Path(options.model))
    answer = dt.saved_model.predictor(folder)
    name = next((one for one in _SIGNATURES if one in answer.signatures), answer.signature)
    inputs = answer.signatures[name].inputs
    source = Path(options.input)
    if not source.exists():
        raise NotFoundError(f'there is no "{source}".{nearest_path(source)}')
    if source.is_dir() or source.suffix.lower() in _ENDINGS:
        batches = _pictures(source, inputs, record)
    else:
        batches = _rows(source, inputs, options.delimiter)
    classes = record.get("classes")
    with _place(options.output) as file:
        writer = csv.writer(file, lineterminator="\n")
        header = False
        for names, batch in batches:
            table = _columns(answer(batch, signature=name), classes)
            if names is not None:
                table = {"file": np.array(names, object), **table}
            if not header:
                writer.writerow(table)
                header = True
            writer.writerows(zip(*(map(_text, values.tolist()) for values in table.values()), strict=True))
    return 0


@contextmanager
def _place(output: str | None) -> Iterator[Any]:
    """Give where to write: a file, or what is printed."""
    if output is None:
        yield sys.stdout
        return
    try:
        with Path(output).open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise StorageError(f'"{output}" cannot be written: {error.strerror or error}.') from error


def _find(path: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a bundle, and what `dovetail train` recorded beside it.

    Raises:
        NotFoundError: there is neither.
    """
    if dt.saved_model.contains_saved_model(path):
        return path, _record(path.parent.parent / RECORD)
    exports = path / "export"
    versions = [one for one in exports.iterdir() if one.name.isdecimal()] if exports.is_dir() else []
    for version in sorted(versions, key=lambda one: int(one.name), reverse=True):
        if dt.saved_model.contains_saved_model(version):
            return version, _record(path / RECORD)
    if not path.exists():
        raise NotFoundError(f'there is no folder "{path}".{nearest_path(path)}')
    raise NotFoundError(
        f'"{path}" holds no saved model; give the output folder of `dovetail train`, or a folder that '
        "Estimator.export_saved_model wrote."
    )


def _record(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise FormatError(f'"{path}", which `dovetail train` wrote, is damaged: {error}.') from error
    return found


Batches = Iterator[tuple[list[str] | None, dict[str, Any]]]


def _rows(path: Path, inputs: Mapping[str, Any], delimiter: str) -> Batches:
    """Return the rows of a CSV file in batches, with the columns that the model takes."""
    dtypes = {name: info.dtype for name, info in inputs.items()}
    data = dt.data.from_csv(path, columns=list(inputs), dtypes=dtypes, delimiter=delimiter)
    for batch in data.batch(_BATCH):
        yield None, dict(batch)


def _pictures(path: Path, inputs: Mapping[str, Any], record: Mapping[str, Any]) -> Batches:
    """Return pictures in batches, with their files.

    Raises:
        InvalidArgumentError: the model takes no pictures, or there are none.
    """
    if len(inputs) != 1 or "size" not in record:
        raise InvalidArgumentError(
            f'"{path}" holds pictures, but the model takes {", ".join(map(repr, inputs))}; give a CSV file.'
        )
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix.lower() in _ENDINGS)
    if not files:
        raise InvalidArgumentError(f'"{path}" holds no pictures ({", ".join(_ENDINGS)}).')
    (name,) = inputs
    for start in range(0, len(files), _BATCH):
        part = files[start : start + _BATCH]
        pictures = [load_image(one, mode=record["mode"], size=record["size"]) for one in part]
        yield [str(one) for one in part], {name: np.stack(pictures)}


def _columns(outputs: Mapping[str, Any], classes: Sequence[str] | None) -> dict[str, Any]:
    """Return the columns to write: one for each number of a row of what a model gives."""
    found: dict[str, Any] = {}
    for name in sorted(outputs):
        values = np.asarray(outputs[name])
        flat = values.reshape(len(values), -1)
        title = {"classes": "class", "scores": "probability", "outputs": "prediction"}.get(name, name)
        for place in range(flat.shape[1]):
            ending = ""
            if flat.shape[1] > 1:
                known = classes is not None and len(classes) == flat.shape[1]
                ending = f"_{classes[place]}" if classes is not None and known else f"_{place}"
            column = flat[:, place]
            if name == "classes" and classes is not None:
                column = np.array([_named(one, classes) for one in column.tolist()], object)
            found[title + ending] = column
    return found


def _named(item: Any, classes: Sequence[str]) -> str:
    """Return the name of a class that is given by name or by number."""
    text = _text(item)
    if text in classes or not text.isdecimal() or int(text) >= len(classes):
        return text
    return classes[int(text)]


def _text(item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode(errors="replace")
    return f"{item:.6g}" if isinstance(item, float) else str(item)
