"""The conformance suite on the CPU backend: samples of every definition in every mode."""

from __future__ import annotations

import pytest

from dovetail.extend import Op
from tests.backend_cpu import conformance
from tests.backend_cpu.conformance import Mode

BACKEND = "cpu"
GROUPS = 24


@pytest.mark.parametrize("number", range(GROUPS))
def test_a_few_samples_of_every_definition(number: int) -> None:
    conformance.check_samples(BACKEND, conformance.spread_samples(GROUPS, 2)[number])


@pytest.mark.long
@pytest.mark.parametrize("mode", conformance.modes(), ids=str)
@pytest.mark.parametrize("definition", conformance.definitions(), ids=lambda one: one.__name__)
def test_every_sample(definition: type[Op], mode: Mode) -> None:
    """With second derivatives where numbers have the digits for them."""
    conformance.check_definition(BACKEND, definition, mode, order=2 if mode.dtype == "float64" else 1)
