"""The serving script: a short program beside a model that runs it with NumPy and ONNX Runtime alone."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import AlreadyExistsError, DTypeError
from dovetail.extend import TensorType
from dovetail_io.onnx.options import Options

__all__ = ["check_script", "script_path", "serving_script"]

_MARK: Final = "Written by Dovetail's export."

_SCRIPT: Final = string.Template('''\
"""Runs $model: predict({$example}), or python $script $usage.

$mark"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

DTYPES = $dtypes
session = onnxruntime.InferenceSession(str(Path(__file__).with_name($file)), providers=["CPUExecutionProvider"])
NAMES = [one.name for one in session.get_outputs()]
$constants

def predict(inputs):
    """Return the outputs by name for arrays by name."""
    arrays = {name: np.asarray(inputs[name], dtype) for name, dtype in DTYPES.items()}
$prepared    return dict(zip(NAMES, session.run(NAMES, arrays)))


if __name__ == "__main__":
    given = {name: np.load(file) for name, file in (one.split("=", 1) for one in sys.argv[1:])}
    for name, array in predict(given).items():
        print(f"{name} {array.dtype}{list(array.shape)}\\n{array}")
$labelled''')


def script_path(model: Path) -> Path:
    """Return where the script of a model lies."""
    return model.with_name(f"{model.stem}_serve.py")


def check_script(model: Path, types: Mapping[str, TensorType]) -> None:
    """Make sure that a script can be written and would replace nobody's own program.

    Raises:
        AlreadyExistsError: there is a file of its name that no export wrote.
        DTypeError: an input or output is bfloat16, which NumPy alone has not.
    """
    path = script_path(model)
    if path.exists() and _MARK not in path.read_text(encoding="utf-8", errors="replace")[:1000]:
        raise AlreadyExistsError(
            f'export_onnx: the serving script would replace "{path}", which no export wrote; move it away.'
        )
    for name, type in types.items():
        if type.dtype is dt.bfloat16:
            raise DTypeError(
                f"export_onnx: a serving script needs NumPy alone, which has no bfloat16, the dtype of {name!r}; cast "
                f"it to float32 in the graph, or leave serving_script out."
            )


def serving_script(model: Path, inputs: Mapping[str, TensorType], options: Options, *, channels_first: bool) -> str:
    """Return the text of the script.

    Args:
        model: where the model lies.
        inputs: types of the inputs by name.
        options: of the export.
        channels_first: whether the first input's channels come before the places of its images.
    """
    names = list(inputs)
    trailing = len(inputs[names[0]].dims) - 2 if channels_first else 0
    dtypes = {name: "str" if one.dtype.is_string else one.dtype.name for name, one in inputs.items()}
    constants, prepared = _preparation(names, options.preprocessing or {}, trailing)
    labelled = ""
    if options.class_labels is not None:
        labels = [str(one) for one in options.class_labels]
        constants += f"LABELS = {_literal(labels)}\n"
        labelled = (
            f"        if array.ndim and array.shape[-1] == {len(labels)}:\n"
            "            print([LABELS[place] for place in array.argmax(-1).reshape(-1)])\n"
        )
    return _SCRIPT.substitute(
        model=model.name,
        example=", ".join(f"{_literal(name)}: array" for name in names),
        script=script_path(model).name,
        usage=" ".join(f"{name}=array.npy" for name in names),
        mark=_MARK,
        dtypes=_literal(dtypes),
        file=_literal(model.name),
        constants=constants,
        prepared=prepared,
        labelled=labelled,
    )


def _preparation(names: list[str], preprocessing: Mapping[str, Any], trailing: int) -> tuple[str, str]:
    """Return the numbers that the first input is prepared by, with axes after the channels, and the line that does."""
    steps = {"scale": "*", "mean": "-", "std": "/"}
    found = {key: sign for key, sign in steps.items() if preprocessing.get(key) is not None}
    if not found or not names:
        return "", ""
    constants = "".join(f"{key.upper()} = {_numbers(preprocessing[key], trailing)}\n" for key in found)
    text = f"np.asarray(inputs[{_literal(names[0])}])"
    for key, sign in found.items():
        text = f"({text} {sign} {key.upper()})"
    return constants, f"    arrays[{_literal(names[0])}] = {text}.astype(DTYPES[{_literal(names[0])}])\n"


def _numbers(value: Any, trailing: int) -> str:
    array = np.asarray(value, np.float64)
    return f"np.asarray({array.reshape(array.shape + (1,) * (trailing if array.ndim else 0)).tolist()})"


def _literal(value: Any) -> str:
    """Return Python's text of strings, lists and dicts of them, with double quotes."""
    return json.dumps(value, ensure_ascii=False)
