"""``dt.test.TestCase``: a graph and a session for each test, and assertions that pass and fail as they should."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError


@pytest.fixture
def case() -> Any:
    class Case(dt.test.TestCase):
        def runTest(self) -> None: ...  # noqa: N802

    made = Case()
    made.setUp()
    yield made
    made.doCleanups()


def test_variables_last_within_a_test_and_graphs_do_not_outlast_it() -> None:
    seen: list[int] = []

    class Counting(dt.test.TestCase):
        def test_counting(self) -> None:
            seen.append(len(dt.get_default_graph().get_operations()))
            count = dt.Variable(0)
            with self.cached_session() as session:
                session.run(count.initializer)
                self.assertAllEqual(count.assign_add(2), 2)
            with self.test_session():
                self.assertAllEqual(count, 2)
            self.assertAllEqual(self.evaluate(count), 2)
            with self.session() as session, self.assertRaisesOpError("restore it with a Saver"):
                session.run(count)
            Path(self.get_temp_dir(), "file").write_text("")

        test_again = test_counting

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Counting).run(result)
    problems = [text for _, text in [*result.failures, *result.errors]]
    assert problems == []
    assert (result.testsRun, seen) == (2, [0, 0]), "test_session itself is no test"


def test_a_seed_that_is_the_same_for_each_test(case: Any) -> None:
    first = case.evaluate(dt.random_uniform([2]))
    case.setUp()
    case.assertAllEqual(case.evaluate(dt.random_uniform([2])), first)


@pytest.mark.parametrize(
    ("assertion", "right", "wrong", "message"),
    [
        ("assertAllEqual", ([1, 2], [1, 2]), ([1, 2], [1, 3]), "Mismatched elements: 1 / 2"),
        ("assertAllEqual", ([np.nan], [np.nan]), ([1.0], [[1.0, 1.0]]), "not equal"),
        ("assertAllEqual", ({"a": [1, [2]]}, {"a": [1, [2]]}), ({"a": [1, [2]]}, {"a": [1, [3]]}), r"\['a'\]\[1\]"),
        ("assertAllEqual", ({"a": 1}, {"a": 1}), ({"a": 1}, {"b": 1}), "the keys of a and b differ"),
        ("assertAllClose", ([1.0], [1.0 + 1e-7]), ([1.0], [1.1]), "Not equal to tolerance"),
        ("assertAllClose", ([1.0, [2.0]], (1.0, [2.0])), ([[1.0], [2.0]], [[1.0]]), "the lengths of a and b differ"),
        ("assertAllCloseAccordingToType", (np.float16([1]), [1.0005]), (np.float32([1]), [1.0005]), "Not equal"),
        ("assertNotAllEqual", ([1, 2], [1, 3]), ([1, 2], [1, 2]), "all elements are equal"),
        ("assertNotAllClose", ([1.0], [1.1]), ([1.0], [1.0]), "all elements are close"),
        ("assertNear", (1.0, 1.05, 0.1), (1.0, 1.2, 0.1), "1.0 and 1.2 are more than 0.1 apart"),
        ("assertArrayNear", ([1.0, 2.0], [1.05, 2.0], 0.1), ([1.0, 2.0], [1.0, 2.2], 0.1), "more than 0.1 apart"),
        ("assertShapeEqual", ([[1, 2]], dt.TensorShape([1, 2])), ([1, 2], dt.TensorShape([1, 2])), "differ"),
        ("assertDTypeEqual", (np.float32(1), np.float32), (1.0, np.float32), "float64"),
        ("assertAllGreater", ([2, 3], 1), ([2, 1], 1), r"\[1\] are not greater than 1"),
        ("assertAllGreaterEqual", ([2, 1], 1), ([2, 0], 1), r"\[0\] are not at least 1"),
        ("assertAllLess", ([2, 3], 4), ([2, 4], 4), r"\[4\] are not less than 4"),
        ("assertAllLessEqual", ([2, 4], 4), ([2, 5], 4), r"\[5\] are not at most 4"),
    ],
)
def test_assertions(case: Any, assertion: str, right: tuple[Any, ...], wrong: tuple[Any, ...], message: str) -> None:
    def given(one: Any) -> Any:
        return dt.placeholder(dt.float32, one) if isinstance(one, dt.Shape) else one

    getattr(case, assertion)(*map(given, right))
    with pytest.raises(AssertionError, match=message):
        getattr(case, assertion)(*map(given, wrong))


def test_tensors_are_evaluated(case: Any) -> None:
    case.assertAllClose(dt.square([1.0, 2.0]), [1.0, 4.0])
    case.assertAllClose({"a": dt.constant(1.0)}, {"a": 1.0})
    case.assertAllClose(dt.constant([1.0], dt.bfloat16), [1.0])
    case.assertNear(dt.constant(1.0), 1.0, 0.0)
    case.assertAllLess(dt.random_uniform([10]), 1.0)


def test_errors_that_are_awaited(case: Any) -> None:
    with case.assertRaisesWithPredicateMatch(ValueError, "one"):
        raise ValueError("this one")
    with case.assertRaisesWithPredicateMatch(ValueError, lambda error: "one" in str(error)):
        raise ValueError("this one")
    another = pytest.raises(AssertionError, match="the error is another than 'other': this one")
    with another, case.assertRaisesOpError("other"):
        raise DovetailError("this one")
    with pytest.raises(AssertionError, match="DovetailError was not raised"), case.assertRaisesOpError("any"):
        pass


def test_programs_run_their_tests_and_ask_for_devices(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "import dovetail as tf\n"
        "assert 'dovetail.testing.case' not in sys.modules\n"
        "class Squares(tf.test.TestCase):\n"
        "    def test_square(self):\n"
        "        self.assertAllEqual(tf.square([1, 2]), [1, 4])\n"
        "if __name__ == '__main__':\n"
        "    tf.test.main()\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Ran 1 test" in done.stderr
    assert dt.test.is_gpu_available() == bool(dt.test.gpu_device_name())
    assert dt.test.is_gpu_available() <= dt.test.is_built_with_cuda()
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = dt.test.nothing
