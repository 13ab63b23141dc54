"""Signatures: which tensors of a graph are the inputs and outputs of a use of it, by names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import DType, Shape, dims
from dovetail_io.saved_model.signature_constants import (
    CLASSIFY_INPUTS,
    CLASSIFY_METHOD_NAME,
    CLASSIFY_OUTPUT_CLASSES,
    CLASSIFY_OUTPUT_SCORES,
    PREDICT_METHOD_NAME,
    REGRESS_INPUTS,
    REGRESS_METHOD_NAME,
    REGRESS_OUTPUTS,
)

__all__ = [
    "SignatureDef",
    "TensorInfo",
    "build_signature_def",
    "build_tensor_info",
    "classification_signature_def",
    "get_tensor_from_tensor_info",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]


class TensorInfo(NamedTuple):
    """What a signature says of a tensor: its name in the graph, its dtype and shape."""

    name: str
    dtype: DType
    tensor_shape: Shape

    def __str__(self) -> str:
        """Print dtype and shape, such as ``float32[batch, 3]``."""
        return f"{self.dtype.name}[...]" if self.tensor_shape.rank is None else f"{self.dtype.name}{self.tensor_shape}"

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data; sizes that are not known are strings."""
        shape = self.tensor_shape
        sizes = None if shape.rank is None else [dim if isinstance(dim, int) else str(dim) for dim in shape.dims]
        return {"name": self.name, "dtype": self.dtype.name, "shape": sizes}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_data`` gave; raises KeyError, TypeError or ValueError where it is something else."""
        sizes = data["shape"]
        shape = None if sizes is None else [one if type(one) is int else dims.parse_dim(one) for one in sizes]
        return cls(_text(data["name"]), dt.as_dtype(_text(data["dtype"])), Shape(shape))


class SignatureDef(NamedTuple):
    """A use of a graph: inputs and outputs by name, and what kind of use it is."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    method_name: str

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "method_name": self.method_name,
            "inputs": {key: info.to_data() for key, info in self.inputs.items()},
            "outputs": {key: info.to_data() for key, info in self.outputs.items()},
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_data`` gave; raises KeyError, TypeError or ValueError where it is something else."""
        inputs, outputs = (
            {_text(key): TensorInfo.from_data(info) for key, info in data[part].items()}
            for part in ("inputs", "outputs")
        )
        return cls(inputs, outputs, _text(data["method_name"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no string")
    return value


def build_tensor_info(tensor: Any) -> TensorInfo:
    """Return what a signature says of a tensor, or of the value of a variable.

    Raises:
        DTypeError: it is no tensor.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 3], name="x")
        >>> info = dt.saved_model.build_tensor_info(x)
        >>> info.name, str(info)
        ('x:0', 'float32[batch, 3]')
    """
    if isinstance(tensor, dt.SparseTensor):
        raise DTypeError(
            f"build_tensor_info: {tensor.name!r} is a SparseTensor; give its indices, values and dense_shape, each a "
            "name of its own."
        )
    if isinstance(tensor, dt.Variable):
        tensor = tensor.value()
    if not isinstance(tensor, dt.Tensor):
        raise DTypeError(f"build_tensor_info: {tensor!r} is no tensor of a graph; give a dt.Tensor.")
    return TensorInfo(tensor.name, tensor.dtype, tensor.shape)


def get_tensor_from_tensor_info(
    tensor_info: TensorInfo, graph: dt.Graph | None = None, import_scope: str | None = None
) -> dt.Tensor:
    """Return the tensor of a graph that a signature speaks of.

    Args:
        tensor_info: what the signature says of it.
        graph: the graph, the default one unless given.
        import_scope: the scope that the graph was loaded into.

    Raises:
        NotFoundError: the graph has no such tensor.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> info = dt.saved_model.utils.build_tensor_info(x)
        >>> dt.saved_model.utils.get_tensor_from_tensor_info(info) is x
        True
    """
    name = f"{import_scope}/{tensor_info.name}" if import_scope else tensor_info.name
    return (graph or dt.get_default_graph()).get_tensor_by_name(name)


def build_signature_def(
    inputs: Any = None,
    outputs: Any = None,
    method_name: str | None = None,
) -> SignatureDef:
    """Make a signature.

    Args:
        inputs: what `build_tensor_info` gives, by the names that the signature uses.
        outputs: likewise.
        method_name: what kind of use it is, such as ``signature_constants.PREDICT_METHOD_NAME``.

    Raises:
        DTypeError: inputs or outputs are something else.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> signature = dt.saved_model.signature_def_utils.build_signature_def(
        ...     inputs={"images": dt.saved_model.utils.build_tensor_info(x)},
        ...     outputs={"scores": dt.saved_model.utils.build_tensor_info(dt.nn.softmax(x))},
        ...     method_name=dt.saved_model.signature_constants.PREDICT_METHOD_NAME,
        ... )
        >>> signature.inputs["images"].name
        'x:0'
    """
    for part, given in (("inputs", inputs), ("outputs", outputs)):
        if not isinstance(given, Mapping | None):
            raise DTypeError(f"build_signature_def: {part} is {given!r}; give a dict of names to what they stand for.")
        for key, info in (given or {}).items():
            if not isinstance(key, str) or not isinstance(info, TensorInfo):
                raise DTypeError(
                    f"build_signature_def: {part} has {key!r}: {info!r}; give a string and what "
                    "dt.saved_model.build_tensor_info(tensor) returns."
                )
    return SignatureDef(dict(inputs or {}), dict(outputs or {}), method_name or "")


def _infos(tensors: Any, what: str) -> dict[str, TensorInfo]:
    if not isinstance(tensors, Mapping) or not tensors:
        raise InvalidArgumentError(f"{what} is {tensors!r}; give a dict of tensors by name, with at least one.")
    return {key: build_tensor_info(tensor) for key, tensor in tensors.items()}


def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> SignatureDef:
    """Make a signature from tensors by name.

    Raises:
        InvalidArgumentError: there are no inputs or no outputs.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> dt.saved_model.predict_signature_def({"x": x}, {"y": 2.0 * x}).method_name
        'tensorflow/serving/predict'
    """
    return build_signature_def(
        _infos(inputs, "predict_signature_def: inputs"),
        _infos(outputs, "predict_signature_def: outputs"),
        PREDICT_METHOD_NAME,
    )


def regression_signature_def(examples: dt.Tensor | None, predictions: dt.Tensor | None) -> SignatureDef:
    """Make a signature of a regression: examples, of any dtype, and a prediction of float32 for each.

    Raises:
        InvalidArgumentError: the predictions are no float32, or one of the two is missing.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> signature = dt.saved_model.regression_signature_def(x, dt.reduce_sum(x, axis=1))
        >>> list(signature.inputs), list(signature.outputs)
        (['inputs'], ['outputs'])
    """
    if examples is None or predictions is None:
        raise InvalidArgumentError("regression_signature_def: examples and predictions must both be given.")
    outputs = {REGRESS_OUTPUTS: build_tensor_info(predictions)}
    signature = build_signature_def({REGRESS_INPUTS: build_tensor_info(examples)}, outputs, REGRESS_METHOD_NAME)
    if not is_valid_signature(signature):
        raise InvalidArgumentError(
            f"regression_signature_def: predictions are {outputs[REGRESS_OUTPUTS]}; give float32, as dt.cast makes it."
        )
    return signature


def classification_signature_def(
    examples: dt.Tensor | None, classes: dt.Tensor | None, scores: dt.Tensor | None
) -> SignatureDef:
    """Make a signature of a classification: examples, of any dtype, with names of classes, scores of them, or both.

    Raises:
        InvalidArgumentError: classes are no strings, scores no float32, or neither is given.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> signature = dt.saved_model.classification_signature_def(x, None, scores=dt.nn.softmax(x))
        >>> list(signature.outputs), signature.method_name
        (['scores'], 'tensorflow/serving/classify')
    """
    if examples is None or (classes is None and scores is None):
        raise InvalidArgumentError("classification_signature_def: give examples, and classes or scores or both.")
    outputs = {}
    if classes is not None:
        outputs[CLASSIFY_OUTPUT_CLASSES] = build_tensor_info(classes)
    if scores is not None:
        outputs[CLASSIFY_OUTPUT_SCORES] = build_tensor_info(scores)
    signature = build_signature_def({CLASSIFY_INPUTS: build_tensor_info(examples)}, outputs, CLASSIFY_METHOD_NAME)
    if not is_valid_signature(signature):
        found = ", ".join(f"{key}: {info}" for key, info in outputs.items())
        raise InvalidArgumentError(
            f"classification_signature_def: the outputs are {found}; classes must be strings and scores float32."
        )
    return signature


def is_valid_signature(signature_def: Any) -> bool:
    """Whether a signature has the inputs and outputs that its method has.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> signature = dt.saved_model.predict_signature_def({"x": x}, {"y": 2.0 * x})
        >>> dt.saved_model.is_valid_signature(signature)
        True
    """
    if not isinstance(signature_def, SignatureDef):
        return False
    inputs, outputs, method = signature_def
    dtypes = {key: info.dtype for key, info in outputs.items()}
    if method == PREDICT_METHOD_NAME:
        return bool(inputs) and bool(outputs)
    if method == REGRESS_METHOD_NAME:
        return inputs.keys() == {REGRESS_INPUTS} and dtypes == {REGRESS_OUTPUTS: dt.float32}
    if method == CLASSIFY_METHOD_NAME:
        allowed = {CLASSIFY_OUTPUT_CLASSES: dt.string, CLASSIFY_OUTPUT_SCORES: dt.float32}
        return inputs.keys() == {CLASSIFY_INPUTS} and bool(outputs) and dtypes.items() <= allowed.items()
    return False
