"""``dovetail export``: a saved model as an ONNX file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, StorageError
from dovetail_io.onnx.options import Options
from dovetail_io.onnx.sources import opened

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Run ``dovetail export`` with the arguments after it; returns the exit status."""
    asked = _parser().parse_args(list(arguments))
    metadata = dict(_pair(text, "--metadata") for text in asked.metadata)
    feeds = {name: _value(text) for name, text in (_pair(one, "--feed") for one in asked.feed)}
    options = {key: getattr(asked, key) for key in _PASSED_ON}
    with dt.Graph().as_default() as graph, dt.Session(graph=graph) as session:
        inputs, outputs, constants = opened(session, Path(asked.source), asked, feeds)
        report = dt.save(
            session,
            asked.model,
            format="onnx",
            inputs=inputs,
            outputs=outputs,
            feeds=constants,
            verify=not asked.no_verify,
            sample_inputs=_samples(asked.sample_inputs),
            metadata=metadata,
            class_labels=_lines(asked.class_labels),
            preprocessing=None if asked.preprocessing is None else _value(asked.preprocessing),
            **options,
        )
    sys.stdout.write(f"{report}\n")
    return 0


_PASSED_ON = (
    "opset",
    "ir_version",
    "functions",
    "inline",
    "fold_batch_norm",
    "keep_training",
    "float16_weights",
    "input_layout",
    "output_layout",
    "serving_script",
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dovetail export",
        description="Write a saved model as an ONNX file that has been run by ONNX Runtime and compared. "
        "dt.io.export_onnx describes each option.",
    )
    add = parser.add_argument
    add("source", metavar="BUNDLE", help="a bundle, a checkpoint with its graph, or a folder of checkpoints")
    add("model", metavar="MODEL.onnx", help="the file to write")
    add("--signature", help="of a bundle: whose inputs and outputs to take (default: serving_default, or the only one)")
    add("--tags", help="of a bundle: tags of the graph, divided by commas (default: the only graph, or serve)")
    names: dict[str, Any] = {"action": "extend", "type": _names, "metavar": "TENSOR,…"}
    add("--inputs", **names, help="tensors to take (default: the placeholders that are needed)")
    add("--outputs", **names, help="tensors to give, of a checkpoint")
    add("--feed", action="append", default=[], metavar="TENSOR=VALUE", help="a constant, such as is_training=false")
    add("--opset", type=int, default=Options.opset, help="version of the operators, 18 to 25 (default: %(default)s)")
    add("--ir-version", type=int, help="version of the file's format (default: 10, of opsets below 21 an older one)")
    add("--functions", action="store_true", help="make functions of all layers")
    add("--inline", action="store_true", help="make functions of no layer, not of third parties' either")
    add("--fold-batch-norm", action="store_true", help="fold batch normalisation into what is before it")
    add("--keep-training", action="store_true", help="keep dropout and batch normalisation as in training")
    add("--float16-weights", action="store_true", help="store kernels and tables in half the size")
    add("--input-layout", metavar="LAYOUT", help="NHWC or NCHW: order of the axes of images taken")
    add("--output-layout", metavar="LAYOUT", help="NHWC or NCHW: order of the axes of images given")
    add("--class-labels", metavar="FILE", help="a text file with the name of a class in each line")
    add("--preprocessing", metavar="JSON", help="what is done to data before, such as '{\"scale\": 0.0039}'")
    add("--metadata", action="append", default=[], metavar="KEY=TEXT", help="what the model says of itself")
    add("--sample-inputs", metavar="FILE.npz", help="arrays to compare on, by names of inputs (default: random ones)")
    add("--no-verify", action="store_true", help="do not run and compare the model")
    add("--serving-script", action="store_true", help="write a program beside the model that runs it")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgumentError(f"{option} {text!r} is not of the form NAME=VALUE.")
    return name, value


def _value(text: str) -> Any:
    """Return what JSON makes of a text; Python's ``True`` and ``False`` are understood, too."""
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except json.JSONDecodeError as error:
        raise InvalidArgumentError(
            f"{text!r} is no value: {error}. Give JSON, such as false, 0.5 or [1, 2]."
        ) from error


def _lines(path: str | None) -> list[str] | None:
    if path is None:
        return None
    try:
        return [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f'the class labels "{path}" cannot be read: {error}.') from error


def _samples(path: str | None) -> dict[str, np.ndarray] | None:
    if path is None:
        return None
    return dict(dt.load(path, format="npz"))
