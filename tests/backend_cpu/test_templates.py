"""Templates against the operations' references: the samples, in every floating type, on one to three threads."""

import numpy as np
import pytest

from dovetail.ops.convolution import Conv, ConvFilterGrad, ConvInputGrad
from dovetail.ops.linear import MatMul
from dovetail.types.dtypes import as_dtype
from tests.backend_cpu.template_runs import Compiled, make_template, symbolic

TOLERANCES = {"float32": 1e-5, "float64": 1e-12, "float16": 2e-2, "bfloat16": 1e-1}
SAMPLES = [sample for cls in (MatMul, Conv, ConvInputGrad, ConvFilterGrad) for sample in cls.samples(np.random.default_rng(7))]


def check(op, inputs, *, isa=None, bias=False, symbols=(), sizes=None, packed=()):
    """Compare with the reference, and the runs on one, two and three threads with each other."""
    types = symbolic([one.shape for one in inputs], inputs[0].dtype, symbols)
    template = make_template(op, types, bias=bias, packed=packed)
    compiled = Compiled(template, isa)
    extra = ()
    expected = op.reference(*inputs)
    if bias:
        extra = (np.random.default_rng(1).normal(size=expected.shape[-1:]).astype(inputs[0].dtype),)
        expected = np.maximum(expected + extra[0], 0)
    results = [compiled.run(sizes or {}, inputs, threads, extra) for threads in (1, 2, 3)]
    tolerance = TOLERANCES.get(inputs[0].dtype.name, 0)
    np.testing.assert_allclose(
        results[0].astype(np.float64), expected.astype(np.float64), rtol=tolerance, atol=tolerance
    )
    for other in results[1:]:
        assert other.tobytes() == results[0].tobytes(), "the result depends on the number of threads"
    return results[0]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
@pytest.mark.parametrize("dtype", list(TOLERANCES))
def test_samples_in_every_floating_type(sample, dtype):
    inputs = [np.asarray(one) for one in sample.inputs]
    if inputs[0].dtype.kind == "f":
        inputs = [one.astype(as_dtype(dtype).numpy) for one in inputs]
    check(sample.op, inputs, bias=dtype == "float32" and inputs[0].dtype.kind == "f")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_samples_without_wide_vectors(sample):
    inputs = [np.asarray(one) for one in sample.inputs]
    if inputs[0].dtype.kind == "f":
        inputs = [one.astype(np.float32) for one in inputs]
    check(sample.op, inputs, isa="sse")
