"""Random programs: valid graphs made one operation at a time, whose values are known while they grow.

``RandomProgram(seed)`` makes the graph. Each tensor is computed by the reference as soon as it is made, for two sets of
feeds of different batch size; so values stay around 1, and what jumps (comparisons, rounding, the place of a maximum)
is only applied where rounding cannot decide it. What the operations are, ``random_operations`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.compiler.text import print_program
from dovetail.errors import DovetailError
from tests.backend_cpu.conformance import REFERENCE, fallen_back, session, tensors_of

TOLERANCES: Final = {"float64": 1e-11, "float32": 2e-4, "float16": 3e-2, "bfloat16": 2e-1}
"""The error that may be of what was computed in a dtype on the way, relative to the greatest element or 1."""
EXACT: Final = 0.0
BATCHES: Final = ((5, 3), (1, 4), (4, 7), (2, 1), (67, 2))
GREATEST: Final = 4.0


@final
class Known:
    """A tensor and its values.

    Attributes:
        tensor: in the graph.
        values: what it is, for each of the feeds.
        error: what rounding may have made of it.
        chance: whether it depends on random numbers, which are others in the next run.
    """

    def __init__(self, tensor: dt.Tensor, values: Sequence[np.ndarray], error: float, chance: bool) -> None:
        self.tensor = tensor
        self.values = [np.asarray(value) for value in values]
        self.error = error
        self.chance = chance

    @property
    def dtype(self) -> str:
        return str(self.tensor.dtype.name)

    @property
    def rank(self) -> int:
        return self.values[0].ndim

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [value.shape for value in self.values]

    @property
    def floating(self) -> bool:
        return self.dtype in TOLERANCES

    def apart_from(self, *marks: float) -> bool:
        """Whether no element is so near to one of the marks that rounding might carry it over."""
        if self.chance:
            return False
        gaps = [abs(value.astype(np.float64) - mark).min(initial=9.0) for value in self.values for mark in marks]
        return min(gaps) > 20 * self.error

    def apart_along(self, axis: int) -> bool:
        """Whether no two elements along an axis are so near to each other that rounding might change their order."""
        if self.chance:
            return False
        gaps = [
            abs(np.diff(np.sort(value.astype(np.float64), axis), axis=axis)).min(initial=9.0) for value in self.values
        ]
        return min(gaps) > 20 * self.error


@final
class RandomProgram:
    """A graph, feeds, and what to fetch.

    Attributes:
        feeds: for each run the values of the placeholders.
        fetches: tensors.
        errors: for each of them what rounding may make of it.
        targets: assignments that run with them.
        variables: all variables.
    """

    def __init__(self, seed: int) -> None:
        from tests.backend_cpu.random_operations import OPERATIONS

        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.pool: list[Known] = []
        self.made: list[str] = []
        self.feeds: list[dict[dt.Tensor, np.ndarray]] = [{}, {}]
        self.variables: list[dt.Variable] = []
        self.targets: list[dt.Tensor] = []
        self.graph = dt.Graph()
        with self.graph.as_default(), session(REFERENCE) as self._session:
            dt.set_random_seed(seed)
            self._begin()
            wanted = int(self.rng.integers(5, 60))
            weights = np.array([weight for _, weight in OPERATIONS], float)
            for _ in range(3 * wanted):
                operation = OPERATIONS[int(self.rng.choice(len(OPERATIONS), p=weights / weights.sum()))][0]
                count = len(self.pool)
                operation(self)
                if len(self.pool) > count:
                    self.made.append(operation.__name__)
                if len(self.made) >= wanted:
                    break
            self.fetches, self.errors = self._choose()

    def _begin(self) -> None:
        batches = BATCHES[int(self.rng.integers(len(BATCHES)))]
        shapes: list[tuple[Any, ...]] = [(None, 4), (None, 3, 5), (4, 6), (None, 6, 6, 2), (5,), (), (None,)]
        chosen = self.rng.choice(len(shapes), size=int(self.rng.integers(2, 5)), replace=False)
        for number in chosen:
            self.placeholder(shapes[number], "float32", batches)
        if self.rng.random() < 0.3:
            self.placeholder((None, 4), "float64", batches)
        if self.rng.random() < 0.6:
            self.placeholder((None,) if self.rng.random() < 0.5 else (3,), "int32", batches)
        if self.rng.random() < 0.3:
            self.placeholder((None, 4), "bool", batches)
        for _ in range(int(self.rng.integers(0, 3))):
            shape = [(4,), (4, 6), (3, 5), ()][int(self.rng.integers(4))]
            initial = self.numbers(shape, "float32")
            variable = dt.Variable(initial, name=f"variable{len(self.variables)}")
            self.variables.append(variable)
            self.keep(variable.read_value(), [initial, initial], EXACT)

    def placeholder(self, shape: Sequence[int | None], dtype: str, batches: Sequence[int]) -> None:
        """Add an input."""
        tensor = dt.placeholder(dt.as_dtype(dtype), list(shape))
        values = [self.numbers([batch if dim is None else dim for dim in shape], dtype) for batch in batches]
        for feed, value in zip(self.feeds, values, strict=True):
            feed[tensor] = value
        self.keep(tensor, values, EXACT)

    def numbers(self, shape: Sequence[int], dtype: str) -> np.ndarray:
        """Draw numbers around 1."""
        if dtype == "bool":
            return self.rng.random(shape) < 0.5
        if dtype.startswith("int"):
            return self.rng.integers(-6, 7, shape).astype(dtype)
        return np.asarray(self.rng.normal(size=shape)).astype(dt.as_dtype(dtype).numpy)

    # Growing. --------------------------------------------------------------------------------------------------------

    def keep(self, tensor: dt.Tensor, values: Sequence[Any], error: float, chance: bool = False) -> Known:
        """Let later operations use a tensor."""
        known = Known(tensor, values, error, chance)
        self.pool.append(known)
        return known

    def pick(self, *tests: Callable[[Known], bool]) -> Known | None:
        """Choose a tensor for which all tests hold; late ones rather than early ones."""
        fitting = [known for known in self.pool if all(test(known) for test in tests)]
        if not fitting:
            return None
        return fitting[-1 - min(int(self.rng.geometric(0.25)) - 1, len(fitting) - 1)]

    def grow(self, make: Callable[..., Any], *inputs: Known, chance: bool = False) -> bool:
        """Make an operation of tensors; it is dropped where it is not valid, or its values are extreme."""
        try:
            tensors = tensors_of(make(*(one.tensor for one in inputs)))
            with np.errstate(all="ignore"):
                runs = [
                    self._session.run(tensors, {one.tensor: one.values[i] for one in inputs})
                    for i in range(len(self.feeds))
                ]
        except DovetailError:
            return False
        error = max([one.error for one in inputs], default=EXACT)
        chance = chance or any(one.chance for one in inputs)
        kept = False
        for tensor, *values in zip(tensors, *runs, strict=True):
            known = Known(tensor, values, error, chance)
            if any(value.size > 5000 or value.ndim > 5 for value in known.values):
                continue
            if not known.floating:
                if known.dtype == "bool" or all(abs(v.astype(np.int64)).max(initial=0) < 1000 for v in known.values):
                    self.pool.append(known)
                    kept = True
                continue
            largest = max(float(abs(value.astype(np.float64)).max(initial=0.0)) for value in known.values)
            if not np.isfinite(largest) or largest > 1e3:
                continue
            known.error = max(error, TOLERANCES[known.dtype])
            if largest <= GREATEST:
                self.pool.append(known)
                kept = True
            else:
                factor = 2.0 ** -np.ceil(np.log2(largest))
                kept = self.grow(lambda x, factor=factor: x * factor, known) or kept
        return kept

    def _choose(self) -> tuple[list[dt.Tensor], list[float]]:
        last = self.pool[-1]
        others = self.rng.choice(len(self.pool), size=min(len(self.pool), int(self.rng.integers(1, 6))), replace=False)
        chosen = list(dict.fromkeys([last, *(self.pool[i] for i in others)]))
        fetches, errors = [one.tensor for one in chosen], [one.error for one in chosen]
        if self.rng.random() < 0.5:
            for tensor, error in self._gradients(chosen):
                fetches.append(tensor)
                errors.append(error)
        return fetches, errors

    def _gradients(self, chosen: Sequence[Known]) -> list[tuple[dt.Tensor, float]]:
        """Return derivatives of what is fetched with respect to inputs and variables, where they are of a sane size."""
        sources = [tensor for tensor in self.feeds[0] if tensor.dtype.is_floating]
        found: list[tuple[dt.Tensor, float]] = []
        for known in chosen[:2]:
            if not known.floating or known.error > TOLERANCES["float32"]:
                continue
            grads = dt.gradients(dt.reduce_mean(known.tensor), sources)
            grads = [dt.convert_to_tensor(one) for one in grads if one is not None]
            try:
                self._session.run([one.initializer for one in self.variables])
                runs = [self._session.run(grads, feed) for feed in self.feeds]
            except DovetailError:
                continue
            for tensor, *values in zip(grads, *runs, strict=True):
                if all(np.isfinite(value).all() and abs(value).max(initial=0.0) < 100.0 for value in values):
                    found.append((tensor, 5 * known.error))
        return found

    # Checking. -------------------------------------------------------------------------------------------------------

    def run(
        self, backend: str, feed: int, fetches: Sequence[dt.Tensor], extra: Any = None
    ) -> tuple[list[Any], set[str]]:
        """Run once from the first state; returns the fetches and the variables, and what fell back."""
        with session(backend, graph=self.graph) as opened:
            opened.run([one.initializer for one in self.variables])
            result = opened.run([list(fetches), self.targets], {**self.feeds[feed], **(extra or {})})[0]
            return [*result, *opened.run(self.variables)], fallen_back(opened, backend)

    def mismatches(self, backend: str) -> list[str]:
        """Compare both runs in one session of each backend."""
        results: list[list[Any]] = []
        wrong: list[str] = []
        for name in (backend, REFERENCE):
            with session(name, graph=self.graph) as opened, np.errstate(all="ignore"):
                runs = []
                for feed in self.feeds:
                    opened.run([one.initializer for one in self.variables])
                    runs.append(opened.run([self.fetches, self.targets], feed)[0] + opened.run(self.variables))
                results.append(runs)
                wrong += [f"{one} fell back" for one in sorted(fallen_back(opened, name))]
        errors = [*self.errors, *[TOLERANCES["float32"]] * len(self.variables)]
        names = [one.name for one in (*self.fetches, *self.variables)]
        for number, (found, expected) in enumerate(zip(*results, strict=True)):
            for name, left, right, error in zip(names, found, expected, errors, strict=True):
                text = apart(left, right, error)
                if text is not None:
                    wrong.append(f"run {number}, {name}: {text}")
        return wrong

    def reduced(self, backend: str, tries: int = 60) -> str:
        """Return the text of a smaller program that still differs: few fetches, and values fed where they can be."""
        feed = next((i for i in range(len(self.feeds)) if self._differs(backend, i, self.fetches, {})), None)
        if feed is None:
            return "it does not differ in a session of its own"
        fetches = list(self.fetches)
        for one in self.fetches:
            fewer = [other for other in fetches if other is not one]
            if fewer and self._differs(backend, feed, fewer, {}):
                fetches = fewer
        extra: dict[dt.Tensor, Any] = {}
        for op in reversed(self.graph.get_operations()):
            if tries == 0:
                break
            if not op.outputs or op.type in ("Placeholder", "Constant") or set(op.outputs) & set(fetches):
                continue
            try:
                values = self.run(REFERENCE, feed, list(op.outputs))[0]
                wider = {**extra, **dict(zip(op.outputs, values, strict=False))}
                smaller = self._size(feed, fetches, wider) < self._size(feed, fetches, extra)
            except DovetailError:
                continue
            if smaller:
                tries -= 1
                if self._differs(backend, feed, fetches, wider):
                    extra = wider
        with session(backend, graph=self.graph) as opened:
            return print_program(opened.program(fetches, {**self.feeds[feed], **extra}))

    def _size(self, feed: int, fetches: Sequence[dt.Tensor], extra: dict[dt.Tensor, Any]) -> int:
        with session(REFERENCE, graph=self.graph) as opened:
            return len(opened.program(fetches, {**self.feeds[feed], **extra}).instructions)

    def _differs(self, backend: str, feed: int, fetches: Sequence[dt.Tensor], extra: dict[dt.Tensor, Any]) -> bool:
        try:
            expected = self.run(REFERENCE, feed, fetches, extra)[0]
        except DovetailError:
            return False
        try:
            found = self.run(backend, feed, fetches, extra)[0]
        except Exception:  # noqa: BLE001 - a compiler that fails is what is looked for
            return True
        errors = [self.errors[self.fetches.index(one)] for one in fetches] + [self.errors[0]] * len(self.variables)
        return any(apart(*each) is not None for each in zip(found, expected, errors, strict=True))


def apart(found: Any, expected: Any, error: float) -> str | None:
    """Say in what two results differ by more than ``error``, relative to the greatest element or 1."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"it is {found.dtype}{list(found.shape)}, not {expected.dtype}{list(expected.shape)}"
    if found.size == 0:
        return None
    if found.dtype.name not in TOLERANCES:
        return None if np.array_equal(found, expected) else f"it is {found.tolist()}, not {expected.tolist()}"
    left, right = found.astype(np.float64), expected.astype(np.float64)
    worst = float(np.max(np.abs(left - right) / max(1.0, float(np.abs(right).max()))))
    return (
        None if worst <= max(error, TOLERANCES[found.dtype.name]) else f"it is off by {worst:.2g}, {error:.2g} allowed"
    )
