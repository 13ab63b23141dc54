"""Code for older processors: part of the conformance suite, in processes that may use fewer instructions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dovetail_backend_cpu.llvm.machine import ISAS, host

ROOT = Path(__file__).parents[2]
SCRIPT = """
from dovetail_backend_cpu.llvm.machine import host
from tests.backend_cpu import conformance
from tests.backend_cpu.random_programs import RandomProgram

assert host().isa == "{isa}"
groups = conformance.spread_samples(96, 2)
for group in groups[::{stride}]:
    conformance.check_samples("cpu", group)
for seed in range({programs}):
    wrong = RandomProgram(seed).mismatches("cpu")
    assert not wrong, (seed, wrong)
print("agreed")
"""


@pytest.mark.parametrize("isa", ISAS)
def test_narrower_instruction_sets_give_the_same(isa: str, long_tests: bool) -> None:
    widest = host().isa
    if ISAS.index(isa) <= ISAS.index(widest) or "neon" in (isa, widest):
        pytest.skip(f"this processor is tested with {widest} by the other tests")
    script = SCRIPT.format(isa=isa, stride=1 if long_tests else 24, programs=200 if long_tests else 6)
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "DOVETAIL_CPU_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    assert result.stdout.endswith("agreed\n")
