"""Whatever bytes a file holds, nothing but the format's own errors comes of reading it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io import fuzz

NAMES = ("safetensors", "header", "npz", "checkpoint", "list", "graph", "bundle")


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_and_mutations_of_it(name: str, rng: np.random.Generator, long_tests: bool) -> None:
    target = fuzz.targets()[name]
    found = fuzz.corpus(name)
    with fuzz.reader(target) as read:
        for content in found:
            read(content)
        for _ in range(20_000 if long_tests else 60):
            content = fuzz.mutated(found[rng.integers(len(found))], rng, target.json)
            try:
                read(content)
            except Exception:
                print(content)
                raise


def test_what_is_not_the_formats_own_error_comes_through() -> None:
    def broken(folder: Path) -> None:
        raise LookupError("a mistake of the reader")

    assert fuzz.targets().keys() == set(NAMES)
    for name, target in fuzz.targets().items():
        with fuzz.reader(target._replace(read=broken)) as read, pytest.raises(LookupError, match="a mistake"):
            read(fuzz.corpus(name)[0])
