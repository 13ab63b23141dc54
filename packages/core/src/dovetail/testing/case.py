"""``TestCase``: unittest's, with the assertions and the session that tests of TensorFlow 1 programs use."""

from __future__ import annotations

import re
import shutil
import tempfile
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from dovetail.errors import DovetailError
from dovetail.graph.graph import Graph, reset_default_graph, session_stack
from dovetail.graph.operation import Tensor
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.random import set_random_seed
from dovetail.ops.variables import Variable
from dovetail.session.session import Session

__all__ = ["TestCase", "main"]

_SEED = 87654321


class TestCase(unittest.TestCase):
    """A test case with a fresh graph and a fixed seed for each test.

    What is compared may be arrays, nested lists, tuples and dicts of them, and tensors, which are evaluated in the
    default session, or else in the one of ``cached_session``.

    Example:
        >>> class Squares(dt.test.TestCase):
        ...     def test_square(self):
        ...         with self.cached_session():
        ...             self.assertAllClose(dt.square([1.0, 2.0]), [1.0, 4.0])

        A program ends with ``dt.test.main()``, or pytest finds it.
    """

    _cached: Session | None = None

    def setUp(self) -> None:
        """Begin with an empty default graph."""
        super().setUp()
        self._cached = None
        reset_default_graph()
        set_random_seed(_SEED)
        np.random.seed(_SEED)  # noqa: NPY002, TID251 - programs of TensorFlow 1 count on it

    # Sessions. -------------------------------------------------------------------------------------------------------

    @contextmanager
    def session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """Within: a new session of ``graph``, or of the default graph, is the default one."""
        with Session(graph=graph, config=config) as session:
            yield session

    @contextmanager
    def cached_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """Within: the session of this test is the default one; variables last from one use to the next."""
        if self._cached is None:
            self._cached = Session(graph=graph, config=config)
            self.addCleanup(self._cached.close)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    @property
    def test_session(self) -> Callable[..., AbstractContextManager[Session]]:
        """``session`` where a graph is given, else ``cached_session``; as a method it would be taken for a test."""
        return lambda graph=None, *args, **options: (self.cached_session if graph is None else self.session)(
            graph, *args, **options
        )

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of tensors in the default session, or in that of this test."""
        if session_stack():
            return session_stack()[-1].run(tensors)
        with self.cached_session() as session:
            return session.run(tensors)

    def get_temp_dir(self) -> str:
        """Return a folder that goes with the test."""
        folder = tempfile.mkdtemp(prefix="dovetail-test-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    # Assertions; their names are TensorFlow 1's. ----------------------------------------------------------------------

    def _value(self, one: Any) -> Any:
        return self.evaluate(one) if isinstance(one, (Tensor, Variable, IndexedSlices)) else one

    def _compare(
        self, a: Any, b: Any, compare: Callable[[Any, Any, str], None], path: str = "", msg: str | None = None
    ) -> None:
        a, b = self._value(a), self._value(b)
        if isinstance(a, Mapping):
            self.assertIsInstance(b, Mapping, f"{path or 'b'} is no mapping, as a is")
            self.assertEqual(sorted(a), sorted(b), f"the keys of {path or 'a and b'} differ")
            for key in a:
                self._compare(a[key], b[key], compare, f"{path}[{key!r}]", msg)
        elif isinstance(a, (list, tuple)) and any(isinstance(one, (list, tuple, Mapping, Tensor)) for one in a):
            self.assertEqual(len(a), len(b), f"the lengths of {path or 'a and b'} differ")
            for index, (one, other) in enumerate(zip(a, b, strict=True)):
                self._compare(one, other, compare, f"{path}[{index}]", msg)
        else:
            compare(np.asarray(a), np.asarray(b), ": ".join(filter(None, [path, msg])))

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail unless shapes and all elements are equal; NaN equals NaN."""
        self._compare(
            a, b, lambda one, other, why: np.testing.assert_array_equal(one, other, why, strict=False), "", msg
        )

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """Fail unless shapes are equal and ``|a − b| <= atol + rtol |b|`` for all elements."""

        def compare(one: Any, other: Any, why: str) -> None:
            np.testing.assert_allclose(_widened(one), _widened(other), rtol=rtol, atol=atol, err_msg=why)

        self._compare(a, b, compare, msg=msg)

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """Fail unless shapes are equal and elements as close as the lesser of the two dtypes can tell."""
        one, other = np.asarray(self._value(a)), np.asarray(self._value(b))
        for name, wider in (
            ("float32", (float_rtol, float_atol)),
            ("float16", (half_rtol, half_atol)),
            ("bfloat16", (bfloat16_rtol, bfloat16_atol)),
        ):
            if name in (one.dtype.name, other.dtype.name):
                rtol, atol = max(rtol, wider[0]), max(atol, wider[1])
        self.assertAllClose(one, other, rtol, atol, msg)

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail if shapes and all elements are equal."""
        if np.array_equal(np.asarray(self._value(a)), np.asarray(self._value(b))):
            self.fail(f"all elements are equal. {msg or ''}".strip())

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6) -> None:
        """Fail if ``assertAllClose`` would not."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        self.fail("all elements are close.")

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:
        """Fail unless two numbers are at most ``err`` apart."""
        f1, f2 = self._value(f1), self._value(f2)
        self.assertTrue(
            f1 == f2 or abs(f1 - f2) <= err, f"{f1} and {f2} are more than {err} apart. {msg or ''}".strip()
        )

    def assertArrayNear(self, farray1: Sequence[float], farray2: Sequence[float], err: float) -> None:
        """Fail unless arrays are equally long and their numbers at most ``err`` apart."""
        self.assertEqual(len(farray1), len(farray2))
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err)

    def assertShapeEqual(self, np_array: Any, tf_tensor: Tensor, msg: str | None = None) -> None:
        """Fail unless a tensor has, as far as is known before it runs, the shape of an array."""
        self.assertEqual(list(np.shape(np_array)), tf_tensor.shape.as_list(), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Fail unless an array or the value of a tensor has a dtype."""
        self.assertEqual(np.asarray(self._value(target)).dtype, np.dtype(expected_dtype))

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are greater than a number."""
        self._all(np.greater, "greater than", a, comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are a number or greater."""
        self._all(np.greater_equal, "at least", a, comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are less than a number."""
        self._all(np.less, "less than", a, comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are a number or less."""
        self._all(np.less_equal, "at most", a, comparison_target)

    def _all(self, holds: Callable[[Any, Any], Any], what: str, a: Any, target: Any) -> None:
        found = np.asarray(self._value(a))
        wrong = ~holds(found, target)
        self.assertFalse(np.any(wrong), f"{found[wrong].reshape(-1)[:3].tolist()} are not {what} {target}")

    @contextmanager
    def assertRaisesWithPredicateMatch(
        self, exception_type: type[BaseException], expected_err_re_or_predicate: str | Callable[[Any], bool]
    ) -> Iterator[None]:
        """Within: fail unless an error is raised whose message matches, or for which the predicate holds."""
        expected = expected_err_re_or_predicate
        try:
            yield
        except exception_type as error:
            matches = expected(error) if callable(expected) else re.search(expected, str(error)) is not None
            if not matches:
                raise AssertionError(f"the error is another than {expected!r}: {error}") from error
        else:
            self.fail(f"{exception_type.__name__} was not raised.")

    def assertRaisesOpError(self, expected_err_re_or_predicate: str | Callable[[Any], bool]) -> Any:
        """Within: fail unless one of Dovetail's errors is raised whose message matches."""
        return self.assertRaisesWithPredicateMatch(DovetailError, expected_err_re_or_predicate)


def _widened(array: Any) -> Any:
    """Return numbers of NumPy's own, for those of bfloat16."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def main(argv: list[str] | None = None) -> None:
    """Run the tests of the program."""
    unittest.main(argv=argv)
