"""Random programs on the CPU backend: 100 by default, 2,000 in the long form."""

from __future__ import annotations

import pytest

from tests.backend_cpu.random_programs import RandomProgram

BACKEND = "cpu"
PROGRAMS = 100
LONG_PROGRAMS = 2000
EACH = 10


def check(seed: int) -> None:
    program = RandomProgram(seed)
    try:
        wrong = program.mismatches(BACKEND)
    except Exception as error:
        error.add_note(f"of random program {seed}:\n{program.reduced(BACKEND)}")
        raise
    if wrong:
        pytest.fail("\n".join([f"random program {seed} differs:", *wrong, program.reduced(BACKEND)]))


@pytest.mark.parametrize("first", range(0, PROGRAMS, EACH))
def test_random_programs_give_what_the_reference_gives(first: int) -> None:
    for seed in range(first, first + EACH):
        check(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(PROGRAMS, PROGRAMS + LONG_PROGRAMS, EACH))
def test_many_random_programs_give_what_the_reference_gives(first: int) -> None:
    for seed in range(first, first + EACH):
        check(seed)
