"""The conformance suite on the CPU backend: samples of every definition in every mode."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail.extend import Op, TensorType
from dovetail_backend_cpu.backend import CpuBackend
from tests.backend_cpu import conformance
from tests.backend_cpu.conformance import Mode

BACKEND = "cpu"
GROUPS = 24


@pytest.mark.parametrize("number", range(GROUPS))
def test_a_few_samples_of_every_definition(number: int) -> None:
    conformance.check_samples(BACKEND, conformance.spread_samples(GROUPS, 2)[number], order=2 if number < 4 else 1)


@pytest.mark.long
@pytest.mark.parametrize("mode", conformance.modes(), ids=str)
@pytest.mark.parametrize("definition", conformance.definitions(), ids=lambda one: one.__name__)
def test_every_sample(definition: type[Op], mode: Mode) -> None:
    """With second derivatives where numbers have the digits for them."""
    conformance.check_definition(BACKEND, definition, mode, order=2 if mode.dtype == "float64" else 1)


def test_what_has_no_kernel_has_a_size_that_only_a_run_knows_or_is_left_to_numpy() -> None:
    without = set()
    for definition in conformance.definitions():
        for sample in conformance.samples_of(definition):
            types = [TensorType(dt.as_dtype(one.dtype), dt.Shape(one.shape)) for one in map(np.asarray, sample.inputs)]
            if definition.kind != "composite" and not CpuBackend().supports(sample.op, types):
                without.add(definition.name)
    assert without == (conformance.SIZES_OF_DATA | conformance.BY_NUMPY) & {
        one.name for one in conformance.definitions()
    }
