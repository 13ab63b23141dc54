"""``dt.estimator.export``: what a saved model takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import nest

__all__ = [
    "ClassificationOutput",
    "ExportOutput",
    "PredictOutput",
    "RegressionOutput",
    "ServingInputReceiver",
    "build_raw_serving_input_receiver_fn",
    "outputs_of",
]


class ExportOutput:
    """Base of what a signature gives.

    Attributes:
        outputs: tensors by name.
    """

    outputs: dict[str, Any]


@final
class PredictOutput(ExportOutput):
    """Any tensors.

    Args:
        outputs: tensors by name, or one, which is called ``output``.
    """

    def __init__(self, outputs: Any) -> None:
        """Name them."""
        self.outputs = dict(outputs) if isinstance(outputs, Mapping) else {"output": outputs}


@final
class ClassificationOutput(ExportOutput):
    """Classes, their scores, or both.

    Args:
        scores: a number for each class.
        classes: names of classes, text.

    Raises:
        InvalidArgumentError: neither is given.
    """

    def __init__(self, scores: Any = None, classes: Any = None) -> None:
        """Name them."""
        if scores is None and classes is None:
            raise InvalidArgumentError("ClassificationOutput: give scores, classes, or both.")
        given = {"scores": scores, "classes": classes}
        self.outputs = {name: value for name, value in given.items() if value is not None}


@final
class RegressionOutput(ExportOutput):
    """Numbers.

    Args:
        value: the numbers.
    """

    def __init__(self, value: Any) -> None:
        """Name them."""
        self.outputs = {"outputs": value}


class ServingInputReceiver(NamedTuple):
    """What a saved model takes.

    Attributes:
        features: what the model function gets.
        receiver_tensors: what is fed, by name; or one tensor, which is called ``input``.
        receiver_tensors_alternatives: other tensors to feed in their place, by the name of a further signature.
    """

    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Mapping[str, Any] | None = None


def build_raw_serving_input_receiver_fn(
    features: Any, default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """Return a function that makes placeholders like features, which go to the model as they are fed.

    Args:
        features: tensors, arrays or placeholders by name, of which dtype and shape are taken; or one.
        default_batch_size: the size of the first axis; open by default.

    Raises:
        DTypeError: there are none.

    Example:
        >>> receive = dt.estimator.export.build_raw_serving_input_receiver_fn({"x": np.zeros([1, 4], np.float32)})
        >>> receive().features["x"].shape
        Shape([x.0, 4])
    """
    leaves = nest.flatten(features)
    if not leaves:
        raise DTypeError("build_raw_serving_input_receiver_fn: there are no features; give one at least.")
    types = [_type_of(one) for one in leaves]

    def receive() -> ServingInputReceiver:
        made = []
        for (path, _), (dtype, sizes) in zip(nest.flatten_with_paths(features), types, strict=True):
            name = "".join(one for one in path if one.isalnum() or one in "_.-").lstrip("_-") or "input"
            made.append(dt.placeholder(dtype, [default_batch_size, *sizes], name=name))
        given = nest.pack(features, made)
        return ServingInputReceiver(given, given)

    return receive


def _type_of(value: Any) -> tuple[dt.DType, list[Any]]:
    if isinstance(value, dt.Tensor):
        dims = value.shape.dims[1:] if value.shape.rank else ()
        return value.dtype, [one if isinstance(one, int) else None for one in dims]
    array = np.asarray(value)
    return dt.as_dtype(array.dtype), list(array.shape[1:])


def outputs_of(name: str, given: Any) -> dict[str, Any]:
    """Return what a signature gives, by name.

    Raises:
        DTypeError: it is neither tensors nor an `ExportOutput`.
    """
    if isinstance(given, ExportOutput):
        return given.outputs
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, dt.Tensor):
        return {"output": given}
    raise DTypeError(
        f"export_saved_model: export_outputs[{name!r}] is {given!r}; give a dict of tensors, or an output of "
        "dt.estimator.export."
    )
