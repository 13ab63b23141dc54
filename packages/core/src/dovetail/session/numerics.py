"""Finding the operation that made the first NaN or infinity of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from dovetail.compiler.program import Instruction, Program
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.errors import NumericsError
from dovetail.graph.op import Array
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import as_dtype

__all__ = ["all_finite", "first_bad_operation"]


def all_finite(arrays: Sequence[Any]) -> bool:
    """Whether no floating or complex element is NaN or infinite."""
    return all(_finite(np.asarray(array)) for array in arrays)


def _finite(array: Array) -> bool:
    if array.dtype.kind == "O" or not as_dtype(array.dtype).is_inexact:
        return True
    return bool(np.isfinite(array.astype(np.float32) if array.dtype.itemsize == 2 else array).all())


def first_bad_operation(program: Program, inputs: Sequence[Any], sizes: Mapping[Symbol, int]) -> NumericsError:
    """Repeat a step on the reference and return the error that names the operation which made the first bad number."""
    for given, array in zip(program.inputs, inputs, strict=True):
        if not _finite(np.asarray(array)):
            return NumericsError(
                f'"{getattr(given.key, "name", given.key)}" was fed, or held, {_bad_numbers(array)} before the step; '
                f"look at what was fed or restored. {given.origin.where()}"
            )
    try:
        for one, arrays, outputs in ReferenceExecutable(program).trace(inputs, sizes, _look):
            _look(one, arrays, outputs)
    except _FoundError as found:
        return found.error
    return NumericsError(
        "the step gave a NaN or an infinity that repeating it on the reference backend did not; compare the backends "
        "on this step, and report it."
    )


@final
class _FoundError(Exception):
    """Leads out of the bodies of control flow, however deep."""

    def __init__(self, error: NumericsError) -> None:
        super().__init__()
        self.error = error


def _look(one: Instruction, arrays: Sequence[Any], outputs: Sequence[Any]) -> None:
    for output in outputs:
        if not _finite(np.asarray(output)):
            raise _FoundError(_error(one, arrays, output))


def _error(one: Instruction, arrays: Sequence[Any], output: Any) -> NumericsError:
    inputs = ", ".join(_summary(array) for array in arrays) or "nothing"
    return NumericsError(
        f"{one.op.name} made {_bad_numbers(output)}, the first of this step. Its inputs were {inputs}. No variable has "
        f"changed. {one.origin.where()}"
    )


def _bad_numbers(array: Any) -> str:
    flat = np.asarray(array).reshape(-1)
    flat = flat if flat.dtype.kind == "c" else flat.astype(np.float64)
    nan, infinite = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
    parts = [f"{nan} NaN"] * bool(nan) + [f"{infinite} infinite"] * bool(infinite)
    return f"{' and '.join(parts)} of {flat.size} elements"


def _summary(array: Any) -> str:
    array = np.asarray(array)
    text = f"{as_dtype(array.dtype).name}{list(array.shape)}"
    if array.dtype.kind == "O" or not array.size:
        return text
    measured = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
    size = "in magnitude " if array.dtype.kind == "c" else ""
    return f"{text} {size}from {measured.min():g} to {measured.max():g}"
