"""The settings of ``dovetail train``: what a file may say, checked."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, final

from dovetail.errors import ConfigurationError, FormatError, NotFoundError

__all__ = ["MODELS", "Setting", "Settings", "nearest_path", "read_settings"]

MODELS: Final = (
    "dnn_classifier",
    "dnn_regressor",
    "linear_classifier",
    "linear_regressor",
    "baseline_classifier",
    "baseline_regressor",
    "cnn_classifier",
)


class Setting(NamedTuple):
    """One setting.

    Attributes:
        default: what holds where nothing is said.
        kinds: the Python types that it may have.
        choices: what it may be, where that is a list.
        least: the least number that it may be.
    """

    default: Any
    kinds: tuple[type, ...]
    choices: tuple[str, ...] = ()
    least: float | None = None


_SETTINGS: Final[Mapping[str, Mapping[str, Setting]]] = {
    "data": {
        "file": Setting(None, (str,)),
        "images": Setting(None, (str,)),
        "label": Setting(None, (str,)),
        "delimiter": Setting(",", (str,)),
        "encoding": Setting("utf-8", (str,)),
        "missing": Setting("error", (str, float, int)),
        "validation": Setting(0.2, (float, int), least=0.0),
        "validation_file": Setting(None, (str,)),
        "validation_images": Setting(None, (str,)),
        "image_size": Setting(None, (list, int)),
        "image_mode": Setting("RGB", (str,), ("RGB", "RGBA", "L")),
    },
    "model": {
        "type": Setting(None, (str,), MODELS),
        "hidden_units": Setting([64, 32], (list,)),
        "filters": Setting([32, 64], (list,)),
        "optimizer": Setting("adam", (str,)),
        "learning_rate": Setting(0.001, (float, int), least=0.0),
        "activation": Setting("relu", (str,)),
        "dropout": Setting(None, (float, int), least=0.0),
        "batch_norm": Setting(False, (bool,)),
    },
    "train": {
        "epochs": Setting(None, (int, float), least=0.0),
        "steps": Setting(None, (int,), least=1),
        "batch_size": Setting(32, (int,), least=1),
        "shuffle": Setting(10_000, (int,), least=0),
        "seed": Setting(None, (int,), least=0),
        "evaluate_every": Setting(None, (int,), least=1),
        "patience": Setting(None, (int,), least=1),
        "metric": Setting("average_loss", (str,)),
        "progress": Setting(True, (bool,)),
    },
    "output": {"folder": Setting(None, (str,))},
}
_COLUMN: Final[Mapping[str, Mapping[str, Setting]]] = {
    "numeric": {"normalize": Setting(True, (bool,))},
    "bucketized": {"boundaries": Setting(None, (list,))},
    "category": {
        "vocabulary": Setting(None, (list,)),
        "dimension": Setting(None, (int,), least=1),
    },
    "hash": {"buckets": Setting(1000, (int,), least=2), "dimension": Setting(None, (int,), least=1)},
    "identity": {"buckets": Setting(None, (int,), least=1), "dimension": Setting(None, (int,), least=1)},
    "ignore": {},
}


@final
class Settings:
    """Settings by section, checked; ``settings["train"]["steps"]``.

    Attributes:
        folder: paths are relative to it: that of the file.
        columns: for each column that the file speaks of, a dict with its ``type``.
        text: the sections as they were given, for the record.
    """

    def __init__(self, given: Mapping[str, Any], folder: Path, where: str) -> None:
        """Check sections, names, types and numbers.

        Raises:
            ConfigurationError: one is wrong; the message names it, and the nearest.
        """
        self.folder = folder
        self.text = given
        self._where = where
        self._sections: dict[str, dict[str, Any]] = {}
        for name in given:
            if name not in _SETTINGS and name != "columns":
                raise ConfigurationError(f"{where}: {_unknown('section', name, [*_SETTINGS, 'columns'])}")
        for section, allowed in _SETTINGS.items():
            self._sections[section] = self._checked(given.get(section, {}), allowed, section)
        self.columns = {name: self._column(name, one) for name, one in self._table(given, "columns").items()}
        self._check_all()

    def __getitem__(self, section: str) -> dict[str, Any]:
        """Return a section."""
        return self._sections[section]

    def path(self, text: str) -> Path:
        """Return a path that the file names, which is relative to the file."""
        return self.folder / Path(text).expanduser()

    def existing(self, name: str) -> Path:
        """Return the path that a setting of the data names.

        Raises:
            NotFoundError: there is none; the message gives the nearest.
        """
        path = self.path(self["data"][name])
        if not path.exists():
            raise NotFoundError(f'{self._where}: data.{name} is "{path}", which is not there.{nearest_path(path)}')
        return path

    def fail(self, message: str) -> ConfigurationError:
        """Return an error that names the file."""
        return ConfigurationError(f"{self._where}: {message}")

    def _table(self, given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = given.get(name, {})
        if not isinstance(found, Mapping):
            raise self.fail(f"{name} is {found!r}; write a section [{name}].")
        return found

    def _checked(self, given: Any, allowed: Mapping[str, Setting], section: str) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise self.fail(f"{section} is {given!r}; write a section [{section}].")
        for name, value in given.items():
            if name not in allowed:
                raise self.fail(f"[{section}]: {_unknown('setting', name, list(allowed))}")
            self._check_one(f"{section}.{name}", value, allowed[name])
        return {name: given.get(name, one.default) for name, one in allowed.items()}

    def _check_one(self, name: str, value: Any, setting: Setting) -> None:
        if not isinstance(value, setting.kinds) or (isinstance(value, bool) and bool not in setting.kinds):
            kinds = " or ".join(_KINDS[one] for one in setting.kinds)
            raise self.fail(f"{name} is {value!r}; give {kinds}.")
        if setting.choices and value not in setting.choices:
            near = difflib.get_close_matches(str(value), setting.choices, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise self.fail(f"{name} is {value!r}; use one of {', '.join(map(repr, setting.choices))}.{hint}")
        number: Any = value
        if setting.least is not None and number < setting.least:
            raise self.fail(f"{name} is {value!r}; it must be at least {setting.least:g}.")

    def _column(self, name: str, given: Any) -> dict[str, Any]:
        table = {"type": given} if isinstance(given, str) else given
        if not isinstance(table, Mapping) or "type" not in table:
            raise self.fail(f'columns.{name} is {given!r}; give a type, such as "numeric", or {{type = "numeric", …}}.')
        kind = table["type"]
        if kind not in _COLUMN:
            raise self.fail(f"columns.{name}: {_unknown('type of column', str(kind), list(_COLUMN))}")
        rest = {key: value for key, value in table.items() if key != "type"}
        return {"type": kind, **self._checked(rest, _COLUMN[kind], f"columns.{name}")}

    def _check_all(self) -> None:
        """Look at what must be said, and at what belongs together."""
        data, model, train = self["data"], self["model"], self["train"]
        if model["type"] is None:
            raise self.fail(f"[model]: type is missing; use one of {', '.join(map(repr, MODELS))}.")
        if self["output"]["folder"] is None:
            raise self.fail('[output]: folder is missing; say where to keep the model, such as folder = "model".')
        pictures = model["type"] == "cnn_classifier"
        needed, other = ("images", "file") if pictures else ("file", "images")
        if data[needed] is None:
            what = "a folder with a subfolder of pictures for each class" if pictures else "a CSV file"
            raise self.fail(f"[data]: {needed} is missing; {model['type']} trains on {what}.")
        if data[other] is not None:
            raise self.fail(f"[data]: {other} is given, but {model['type']} trains on {needed}; leave it out.")
        if not pictures and data["label"] is None:
            raise self.fail("[data]: label is missing; name the column to predict.")
        if (train["steps"] is None) == (train["epochs"] is None):
            raise self.fail("[train]: give one of steps and epochs, which say when training ends.")
        if data["validation"] >= 1.0:
            raise self.fail(f"data.validation is {data['validation']}; give the part of the rows to hold out, below 1.")
        if train["patience"] is not None and not self.validates:
            raise self.fail("train.patience needs data to validate; raise data.validation above 0.")
        for name in ("hidden_units", "filters"):
            if not all(isinstance(one, int) and one > 0 for one in model[name]):
                raise self.fail(f"model.{name} is {model[name]!r}; give positive sizes, such as [64, 32].")

    @property
    def validates(self) -> bool:
        """Whether there are data to validate."""
        data = self["data"]
        return bool(data["validation"] or data["validation_file"] or data["validation_images"])


_KINDS: Final = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
}


def read_settings(path: str | Path, changes: Sequence[str] = ()) -> Settings:
    """Read settings from a file in TOML.

    Args:
        path: the file.
        changes: ``section.name=value``, which replace what the file says; values in TOML, or text.

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is no TOML.
        ConfigurationError: a setting is wrong.
    """
    file = Path(path)
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = nearest_path(file) or " Give the settings of a training in TOML."
        raise NotFoundError(f'there is no file "{file}".{hint}') from error
    except IsADirectoryError as error:
        raise NotFoundError(f'"{file}" is a folder; give the file with the settings of a training.') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f'"{file}" is no TOML: {error}.') from error
    for change in changes:
        _change(given, change)
    return Settings(given, file.parent, f'"{file}"')


def _change(given: dict[str, Any], change: str) -> None:
    name, equals, value = change.partition("=")
    *sections, last = name.strip().split(".")
    if not equals or not sections or not last:
        raise ConfigurationError(f"--set {change}: write section.name=value, such as --set train.steps=100.")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value
    table = given
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"--set {change}: {section!r} is no section.")
    table[last] = read


def nearest_path(path: Path) -> str:
    """Return a sentence with the file that is nearest to one that is not there, or nothing."""
    try:
        names = [one.name for one in path.parent.iterdir()]
    except OSError:
        return f' There is no folder "{path.parent}" either.'
    near = difflib.get_close_matches(path.name, names, 1)
    return f' Did you mean "{path.parent / near[0]}"?' if near else ""


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(known)}."
    return f"there is no {what} {name!r}.{hint}"
