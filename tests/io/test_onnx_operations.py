"""Every sample of every operation, exported with fixed sizes and with an open first one, and run by ONNX Runtime.

Each at one of three opsets, in turn, and at all of them in the long form; with fixed sizes by ONNX's own reference
implementation as well, where it has the operators.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, ShapeError, UnsupportedOperationError
from dovetail.extend import CompositeOp, Op, Sample, Shape, Symbol, TensorType, all_definitions, definitions
from dovetail.ops.custom_gradient import CustomGradient
from dovetail_io.onnx import ExportReport
from dovetail_io.onnx.registry import find_converter

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")

GRADIENTS = ("MaxPoolGrad", "AvgPoolGrad")
RANDOM = ("PhiloxBits", "DynamicPhiloxBits")
BY_NUMPY = {
    *(one.name for one in definitions.COMPUTED_BY_NUMPY),
    "CholeskySolve",
    "MatrixSolveLs",
    "Pinv",
} - {"MatrixDeterminant"}
LOWERED = {  # what no program holds any more, or what only a training step does
    "AssignVariable",
    "BodyInput",
    "DynamicRandomBits",
    "IsInitialized",
    "NoOp",
    "Placeholder",
    "PlaceholderWithDefault",
    "RandomBits",
    "ReadVariable",
    "UninitializedNames",
    "VariableHandle",
}


def every_definition() -> list[type[Op]]:
    for namespace in (dt.nn, dt.image, dt.losses, dt.metrics, dt.layers):
        dir(namespace)
    first_party = ("", "dovetail_layers")
    return [one for one in all_definitions() if one.domain in first_party]


def every_sample() -> list[Any]:
    found = []
    for definition in every_definition():
        rng = np.random.default_rng(zlib.crc32(definition.__qualname__.encode()))
        for number, sample in enumerate(definition.samples(rng)):
            label = f"{definition.domain}.{definition.name}" if definition.domain else definition.name
            found.append(pytest.param(sample, id=f"{label}-{number}"))
    return found


SAMPLES = every_sample()
OPSETS = (18, 21, 23)


def at_opsets(samples: Sequence[Any]) -> list[Any]:
    """Each sample at each opset; but one of them, in turn, only in the long form."""
    found = []
    for place, one in enumerate(samples):
        for turn, opset in enumerate(OPSETS):
            marks = () if turn == place % len(OPSETS) else pytest.mark.long
            found.append(pytest.param(one.values[0], opset, id=f"{one.id}-{opset}", marks=marks))
    return found


def arrays_of(sample: Sample) -> list[np.ndarray]:
    """Samples are float64, of which ONNX Runtime knows little; models are float32, but for bodies made for others."""
    arrays = [np.asarray(one) for one in sample.inputs]
    if isinstance(sample.op, CustomGradient):
        return arrays
    return [one.astype(np.float32) if one.dtype == np.float64 else one for one in arrays]


def refused(sample: Sample) -> str:
    """What a message says of an operation that cannot be exported; empty for others."""
    op = sample.op
    kinds = types_of(sample)
    if op.name == "DCT" or any(one.dtype.is_complex for one in (*kinds, *op.infer_all(kinds))):
        return "ONNX computes with no complex numbers"
    if op.name in GRADIENTS:
        return "the gradient of pooling has no operator"
    if op.name in BY_NUMPY:
        return "no operators for what NumPy computes"
    if op.name in RANDOM:
        return "it draws random numbers"
    if op.name == "CTCBeamSearch":
        return "a search over prefixes has no operator"
    if isinstance(op, definitions.ConvFilterGrad) and op.groups > 1:
        return "a grouped convolution's filter"
    if isinstance(op, definitions.Pad) and arrays_of(sample)[0].dtype == object:
        return "takes no strings"
    return ""


_BY_SCAN = definitions.Cumprod | definitions.CumulativeLogsumexp | definitions.LinearRecurrence


def beyond_runtime(sample: Sample) -> str:
    """Where ONNX Runtime differs by right or by a fault: there the file is checked, and not the values."""
    op, arrays = sample.op, arrays_of(sample)
    if isinstance(op, definitions.ArgMax | definitions.ArgMin) and np.isnan(arrays[0].astype(float)).any():
        return "the standard leaves open whether NaN is an extreme"
    if isinstance(op, _BY_SCAN) and not arrays[0].size:
        return "ONNX Runtime's Scan takes no empty sequences"
    if op.name == "Tile" and 0 in op.attributes()["multiples"]:
        return "ONNX Runtime drops an Expand to no elements"
    return ""


def export(sample: Sample, path: Path, opset: int, *, symbolic: bool, verify: bool = True) -> ExportReport:
    """Export a sample; inputs of which only a size counts, known at export, are left out."""
    arrays = arrays_of(sample)

    def shape(array: np.ndarray) -> Sequence[Any]:
        return [f"size{array.shape[0]}", *array.shape[1:]] if symbolic and array.ndim else array.shape

    inputs = {f"in{i}": dt.placeholder(one.dtype, shape(one), name=f"in{i}") for i, one in enumerate(arrays)}
    result = sample.op(*inputs.values())
    outputs = list(result) if isinstance(result, tuple) else [result]
    samples = dict(zip(inputs, arrays, strict=True))
    feeds = dict(zip(inputs.values(), arrays, strict=True))
    with dt.Session() as session, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ONNX Runtime .* has no CPU kernel")
        while True:
            try:
                report = dt.io.export_onnx(
                    session, inputs, outputs, path, sample_inputs=samples, verify=verify, opset=opset
                )
                if verify and not symbolic:
                    check_reference(path, samples, session.run(outputs, feeds))
                return report
            except InvalidArgumentError as error:
                unused = re.search(r'no output depends on input "(\w+)"', str(error))
                if unused is None:
                    raise
                del inputs[unused[1]], samples[unused[1]]


def attributes_of(node: Any) -> dict[str, Any]:
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def _scans_otherwise(node: Any) -> bool:
    names = [f"scan_{kind}_{what}" for kind in ("input", "output") for what in ("axes", "directions")]
    return any(any(attributes_of(node).get(name, ())) for name in names)


REFERENCE_LACKS: dict[str, Callable[[Any], bool]] = {
    "ConvTranspose": lambda node: True,  # wrong with strides and groups, fails with output_padding (1.23)
    "RNN": lambda node: attributes_of(node).get("activations") == [b"Relu"],
    "Scan": _scans_otherwise,  # the first axis forwards alone
    "Softsign": lambda node: True,  # fails on scalars (1.23)
}
"""Nodes that the reference implementation of onnx 1.23 does not compute, or not as the standard says."""


def check_reference(path: Path, arrays: dict[str, np.ndarray], expected: Sequence[Any]) -> None:
    """Compare with what ONNX's reference implementation makes of the model, where it has what that needs."""
    model = onnx.load(path)
    if any(lacks(node) for node in model.graph.node for lacks in [REFERENCE_LACKS.get(node.op_type)] if lacks):
        return
    evaluator = onnx.reference.ReferenceEvaluator(model)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = evaluator.run(None, {name: as_text(arrays[name]) for name in evaluator.input_names})
    for mine, theirs in zip(expected, found, strict=True):
        wanted = np.asarray(mine)
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(as_text(np.asarray(theirs)), as_text(wanted))
        else:
            precision = {2: 1e-2, 4: 1e-5, 8: 1e-6}[wanted.dtype.itemsize]
            scale = max(1.0, float(np.abs(wanted, where=np.isfinite(wanted), out=np.zeros_like(wanted)).max(initial=0)))
            np.testing.assert_allclose(np.asarray(theirs, np.float64), wanted, rtol=precision, atol=precision * scale)


def as_text(array: np.ndarray) -> np.ndarray:
    """Bytes as strings, which ONNX has."""
    if array.dtype.kind not in "OUS":
        return array
    result = np.empty(array.shape, object)
    result.reshape(-1)[:] = [one.decode() if isinstance(one, bytes) else one for one in array.reshape(-1).tolist()]
    return result


def types_of(sample: Sample, *, symbolic: bool = False) -> list[TensorType]:
    """Types of the inputs, perhaps with an open first size."""
    result = []
    for array in arrays_of(sample):
        dims = [Symbol(f"size{array.shape[0]}"), *array.shape[1:]] if symbolic and array.ndim else array.shape
        result.append(TensorType(dt.as_dtype(array.dtype), Shape(dims)))
    return result


def has_outputs(sample: Sample) -> bool:
    return bool(sample.op.infer_all(types_of(sample)))


def has_open_size(sample: Sample) -> bool:
    """Whether a first axis can be left open; of some operations only certain sizes fit."""
    fixed = definitions.ConvInputGrad | definitions.DynamicSliceGrad
    if isinstance(sample.op, fixed) or sample.op.name == "SumTo" or not any(one.ndim for one in arrays_of(sample)):
        return False
    try:
        return bool(sample.op.infer_all(types_of(sample, symbolic=True)))
    except ShapeError:
        return False


@pytest.mark.parametrize(("sample", "opset"), at_opsets([one for one in SAMPLES if has_outputs(one.values[0])]))
def test_samples_agree_with_fixed_sizes(sample: Sample, opset: int, tmp_path: Path) -> None:
    if refused(sample):
        with pytest.raises(UnsupportedOperationError, match=refused(sample)):
            export(sample, tmp_path / "model.onnx", opset, symbolic=False)
        assert not list(tmp_path.iterdir())
    elif beyond_runtime(sample):
        assert not export(sample, tmp_path / "model.onnx", opset, symbolic=False, verify=False).verified_by
        onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)
    else:
        report = export(sample, tmp_path / "model.onnx", opset, symbolic=False)
        assert report.verified_by
        assert report.sizes == [{}]
        if all(type.dtype not in (dt.float16, dt.bfloat16) for type in report.outputs.values()):
            assert report.relative_difference <= 1e-5


@pytest.mark.parametrize(
    ("sample", "opset"),
    at_opsets([one for one in SAMPLES if has_open_size(one.values[0]) and not refused(one.values[0])]),
)
def test_samples_agree_with_an_open_first_size(sample: Sample, opset: int, tmp_path: Path) -> None:
    verify = not beyond_runtime(sample)
    assert bool(export(sample, tmp_path / "model.onnx", opset, symbolic=True, verify=verify).verified_by) is verify
    onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)


def test_every_definition_is_exported_or_says_why() -> None:
    for definition in every_definition():
        if definition.name in LOWERED or issubclass(definition, CompositeOp):
            continue
        assert find_converter(definition, 21) is not None, definition


def test_every_converter_is_of_a_definition() -> None:
    """A converter whose operation was renamed would never be found."""
    from dovetail_io.onnx import converters
    from dovetail_io.onnx.registry import _CONVERTERS

    assert converters.__all__
    known = {(one.domain, one.name) for one in every_definition()}
    assert set(_CONVERTERS) <= known
