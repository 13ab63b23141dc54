"""What all tests share: a fresh default graph, reproducible numbers, a cache, and the tests that take minutes."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import dovetail

TESTS = Path(__file__).parent
NATIVE = {"backend_cpu", "benchmarks", "together"}
NATIVE_TESTS = os.environ.get("DOVETAIL_NATIVE_TESTS", "0") not in ("", "0")
LONG_TESTS = os.environ.get("DOVETAIL_LONG_TESTS", "0") not in ("", "0")

# A busy machine must not fail a test, and a failure must be the same one tomorrow: hence no deadline and no chance.
hypothesis.settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "long",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("long" if LONG_TESTS else "ci")


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled kernels for this run of the tests, in one folder for all workers, and not in the user's cache."""
    if not hasattr(config, "workerinput"):  # workers inherit the variable
        folder = tempfile.TemporaryDirectory(prefix="dovetail-tests-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ["DOVETAIL_CACHE_DIR"] = folder.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if LONG_TESTS:
        return
    skip = pytest.mark.skip(reason="takes minutes; make test-long runs it")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    """No test sees another's nodes."""
    dovetail.reset_default_graph()
    yield
    dovetail.reset_default_graph()


@pytest.fixture(autouse=True)
def plain_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of what does not concern a backend run on the reference, which compiles nothing."""
    exact = request.node.get_closest_marker("reference") is not None
    if exact or (request.path.relative_to(TESTS).parts[0] not in NATIVE and not NATIVE_TESTS):
        monkeypatch.setenv("DOVETAIL_BACKENDS", "CPU=reference")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that differ from test to test and are the same in every run."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def long_tests() -> bool:
    """Whether the tests may take minutes; for a test that does more of the same then."""
    return LONG_TESTS
