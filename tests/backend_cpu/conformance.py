"""What a backend must do: every operation's samples, forward and gradient, as the reference does them.

A backend's own tests call ``check_definition`` for each of ``definitions()`` and each of ``modes()``, with the name
that the backend has as a plugin, and with tolerances of its own where ``TOLERANCES`` does not fit what it promises.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

import dovetail as dt
from dovetail.errors import DovetailError
from dovetail.extend import Op, Sample, all_definitions
from dovetail.extend import definitions as known
from dovetail.ops.loops import While

REFERENCE: Final = "reference"

TOLERANCES: Final[Mapping[str, float]] = {
    # A few dozen roundings of sums in another order, and functions to 4 units in the last place.
    "float64": 2e-13,
    "float32": 2e-5,
    # Stored with 11 and 8 bits. The reference rounds after each operation, a backend where it stores.
    "float16": 2e-2,
    "bfloat16": 1e-1,
}
"""For each dtype the error that may be, relative to the element and to a tenth of the greatest in its array, or of 1.

Samples are numbers around 1, so that is what sums are made of whose terms cancel. Integers, booleans and random bits
are exact.
"""
FLOATS: Final = tuple(TOLERANCES)

SIZES_OF_DATA: Final = frozenset(
    {
        "ArrayBuffer",
        "DynamicBroadcastTo",
        "DynamicPhiloxBits",
        "DynamicRange",
        "DynamicRandomBits",
        "DynamicReshape",
        "DynamicSlice",
        "DynamicSliceGrad",
        "MaskIndices",
        "Unique",
        "Where",
    }
)
"""Definitions whose results have a size that only the run tells: the program is cut there, and no others fall back."""

BY_NUMPY: Final = frozenset({*(one.name for one in known.COMPUTED_BY_NUMPY), "CTCBeamSearch"})
"""Definitions that need no kernels: of core, and the search of a decoder, which sorts what it keeps at every step."""

_WITHOUT_INPUTS_OF_THEIR_OWN: Final = frozenset({"BodyInput", "Placeholder", "VariableHandle"})


class Mode(NamedTuple):
    """How samples are fed: floating inputs in ``dtype``, sizes known to the graph or not."""

    dtype: str
    symbolic: bool

    def __str__(self) -> str:
        return f"{self.dtype}-{'symbolic' if self.symbolic else 'static'}"


WIDEST: Final = Mode("float64", symbolic=False)
"""What samples are written for, so that all of them can be made."""


def modes() -> list[Mode]:
    """Every way to feed samples."""
    return [Mode(dtype, symbolic) for dtype in FLOATS for symbolic in (False, True)]


# Running. ------------------------------------------------------------------------------------------------------------


def session(backend: str, **options: Any) -> dt.Session:
    """Open a session whose processor is served by that backend."""
    return dt.Session(config=dt.ConfigProto(backends={"CPU": backend}), **options)


def fallen_back(opened: dt.Session, backend: str) -> set[str]:
    """Return the names of the operations on real numbers that another backend ran, but for those that may."""
    segments = [segment for entry in opened._plans.values() for segment in entry.plan.segments]
    others = [one for each in segments if each.backend.name != backend for one in each.program.instructions]
    real = [one.op for one in others if not any(v.type.dtype.is_complex for v in (*one.inputs, *one.outputs))]
    return {op.name for op in real if op.name not in SIZES_OF_DATA | BY_NUMPY and not _keeps_stacks(op)}


def _keeps_stacks(op: Op) -> bool:
    """Whether it is a loop that keeps what its gradient needs of each iteration, as many as there turn out to be."""
    return isinstance(op, While) and len(op.body.output_types) > op.carries


def run_all(backend: str, fetches: Any, feeds: Any = None) -> Any:
    """Run in a session of its own; all of it but ``SIZES_OF_DATA`` and ``BY_NUMPY`` must be the backend's."""
    with session(backend) as opened:
        result = opened.run(fetches, feeds)
        others = fallen_back(opened, backend)
        assert not others, f"{', '.join(sorted(others))} fell back to another backend"
        return result


def both(backend: str, fetches: Any, feeds: Any = None) -> tuple[Any, Any]:
    """Run on a backend and on the reference."""
    return run_all(backend, fetches, feeds), run_all(REFERENCE, fetches, feeds)


# Comparing. ----------------------------------------------------------------------------------------------------------


def difference(found: Any, expected: Any, tolerance: float | None = None) -> str | None:
    """Say in what two results differ; ``None`` where they agree.

    Args:
        found: what the backend computed.
        expected: what it should be.
        tolerance: of floating results; by default that of their dtype.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"it is {found.dtype}{list(found.shape)}, not {expected.dtype}{list(expected.shape)}"
    if found.dtype.name not in TOLERANCES:
        wrong = found != expected
    else:
        left, right = found.astype(np.float64), expected.astype(np.float64)
        allowed = TOLERANCES[found.dtype.name] if tolerance is None else tolerance
        finite = np.isfinite(right)
        scale = np.abs(right[finite]).max(initial=1.0) / 10
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.abs(left - right) > allowed * (np.abs(right) + scale)
        wrong = np.where(finite, far | ~np.isfinite(left), (left != right) & ~(np.isnan(left) & np.isnan(right)))
    if not np.any(wrong):
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{np.count_nonzero(wrong)} of {wrong.size} elements of {found.dtype}{list(found.shape)} differ; "
        f"at {list(first)} it is {found[first]!r}, not {expected[first]!r}"
    )


def assert_agree(found: Any, expected: Any, tolerance: float | None = None) -> None:
    """Fail where two results, or lists of them, differ."""
    if isinstance(expected, (list, tuple)):
        for left, right in zip(found, expected, strict=True):
            assert_agree(left, right, tolerance)
        return
    text = difference(found, expected, tolerance)
    assert text is None, text


# Samples. ------------------------------------------------------------------------------------------------------------


@functools.cache
def definitions() -> tuple[type[Op], ...]:
    """Every definition that has samples, of core and of the first-party plugins."""
    for namespace in (dt.nn, dt.image, dt.losses, dt.metrics, dt.layers):
        dir(namespace)
    found = [one for one in all_definitions() if one.name not in _WITHOUT_INPUTS_OF_THEIR_OWN and samples_of(one)]
    return tuple(sorted(found, key=lambda one: (one.domain, one.name)))


@functools.cache
def samples_of(definition: type[Op]) -> tuple[Sample, ...]:
    """Return the samples of a definition but for those of strings and complex numbers, which no kernel takes."""
    rng = np.random.default_rng(zlib.crc32(definition.__qualname__.encode()))
    return tuple(
        sample
        for sample in definition.samples(rng)
        if all(np.asarray(one).dtype.kind not in "OSUc" for one in sample.inputs)
    )


class Built:
    """Samples in a graph: what to fetch under which name, how near it must be, and what to feed."""

    def __init__(self, tolerances: Mapping[str, float] = TOLERANCES) -> None:
        self.tolerances = tolerances
        self.names: list[str] = []
        self.allowed: list[float] = []
        self.fetches: list[dt.Tensor] = []
        self.feeds: dict[dt.Tensor, np.ndarray] = {}

    def add(self, sample: Sample, mode: Mode, rng: np.random.Generator, order: int) -> None:
        """Add a sample with its derivatives up to an order; what does not take these types adds nothing."""
        arrays = [as_mode(one, mode) for one in sample.inputs]
        inputs = [
            dt.placeholder(dt.as_dtype(one.dtype), [None] * one.ndim if mode.symbolic else one.shape) for one in arrays
        ]
        try:
            outputs = tensors_of(sample.op(*inputs))
        except DovetailError:  # not this dtype, or not without the sizes
            assert mode != WIDEST, f"{sample} is no sample"
            return
        feeds = dict(zip(inputs, arrays, strict=True))
        self._keep(f"{sample}", sample, outputs, feeds)
        floating = [i for i, one in enumerate(arrays) if one.dtype.name == mode.dtype]
        chosen = floating if sample.wrt is None else [i for i in sample.wrt if i in floating]
        wanted = (
            [inputs[i] for i in chosen] if differentiable(sample.op) and sample.op.name not in SIZES_OF_DATA else []
        )
        for each in range(1, order + 1):
            outputs = [one for one in outputs if one.dtype.is_floating]
            if not wanted or not outputs or (each > 1 and not sample.second_order):
                return
            shapes = [np.shape(one) for one in run_all(REFERENCE, outputs, feeds)]
            weights = [dt.placeholder(one.dtype, shape) for one, shape in zip(outputs, shapes, strict=True)]
            values = [
                rng.normal(size=shape).astype(one.dtype.numpy) for one, shape in zip(outputs, shapes, strict=True)
            ]
            feeds.update(zip(weights, values, strict=True))
            grads = dt.gradients(outputs, wanted, grad_ys=weights)
            outputs = [dt.convert_to_tensor(one) for one in grads if one is not None]
            self._keep(f"derivative {each} of {sample}", sample, outputs, feeds)

    def _keep(
        self, name: str, sample: Sample, outputs: Sequence[dt.Tensor], feeds: Mapping[dt.Tensor, np.ndarray]
    ) -> None:
        own = sample.tolerance or 0.0  # in float32, and in what is computed in it
        for output in outputs:
            allowed = self.tolerances.get(output.dtype.name, 0.0)
            self.allowed.append(max(allowed, own) if output.dtype is not dt.float64 else allowed)
        self.names += [name] * len(outputs)
        self.fetches += outputs
        self.feeds.update(feeds)

    def check(self, backend: str) -> None:
        """Compare all that was added with the reference."""
        if not self.fetches:
            return
        found = run_all(backend, self.fetches, self.feeds)
        with np.errstate(all="ignore"):
            expected = run_all(REFERENCE, self.fetches, self.feeds)
        texts = map(difference, found, expected, self.allowed)
        wrong = [f"{name}: {text}" for name, text in zip(self.names, texts, strict=True) if text is not None]
        assert not wrong, "\n".join(wrong)


def as_mode(array: Any, mode: Mode) -> np.ndarray:
    """Return an input of a sample as that mode feeds it."""
    array = np.asarray(array)
    with np.errstate(over="ignore"):
        return array.astype(dt.as_dtype(mode.dtype).numpy) if array.dtype == np.float64 else array


def tensors_of(result: Any) -> list[dt.Tensor]:
    """Return what applying an operation gave as a list."""
    if isinstance(result, dt.Operation):
        return list(result.outputs)
    return list(result) if isinstance(result, (tuple, list)) else [result]


def differentiable(op: Op) -> bool:
    """Whether gradients pass through an operation."""
    return op.differentiable and (op.gradient is not None or op.kind == "composite")


def check_definition(
    backend: str, definition: type[Op], mode: Mode, order: int = 1, tolerances: Mapping[str, float] = TOLERANCES
) -> None:
    """Compare all samples of a definition, with derivatives up to ``order``, in one program."""
    check_samples(backend, [(sample, mode) for sample in samples_of(definition)], order, tolerances)


def check_samples(
    backend: str,
    samples: Iterable[tuple[Sample, Mode]],
    order: int = 1,
    tolerances: Mapping[str, float] = TOLERANCES,
) -> None:
    """Compare samples, with derivatives up to ``order``, in one program."""
    with dt.Graph().as_default():
        built = Built(tolerances)
        for number, (sample, mode) in enumerate(samples):
            built.add(sample, mode, np.random.default_rng(number), order)
        built.check(backend)


def spread_samples(groups: int, each: int) -> list[list[tuple[Sample, Mode]]]:
    """Return some samples of every definition, each definition in one of the modes, in groups that take one program."""
    found: list[list[tuple[Sample, Mode]]] = [[] for _ in range(groups)]
    for number, definition in enumerate(definitions()):
        samples = samples_of(definition)
        places = {round(i) for i in np.linspace(0, len(samples) - 1, each)}
        mode = modes()[number * 3 % len(modes())]
        found[number % groups] += [(samples[i], mode) for i in sorted(places)]
    return found
