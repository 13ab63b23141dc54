"""Pooling and its derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dovetail.compiler.kernels.elements import Custom, Elements, Pointwise, Read, computed, rule
from dovetail.compiler.kernels.indices import linear, symbols_in, unraveled
from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Buffer,
    Choose,
    Index,
    Kernel,
    Load,
    Local,
    Loop,
    Node,
    Reduction,
    Statement,
    Store,
    loop_symbol,
)
from dovetail.compiler.kernels.scalars import constant, convert_down, convert_up
from dovetail.compiler.program import Instruction
from dovetail.ops.pooling import AvgPool, AvgPoolGrad, MaxPool, MaxPoolGather, MaxPoolGrad
from dovetail.ops.scalar import basis
from dovetail.ops.windows import Window
from dovetail.types.dims import Dim, Symbol, ceil_div, dim_max, dim_min, floor_div, is_nonnegative
from dovetail.types.dtypes import DType, bool_, int64

__all__: list[str] = []

Places = Sequence[Dim]


class _Taps:
    """Where the elements of windows lie: position times stride, less the padding before, plus the tap."""

    def __init__(self, window: Window, spatial: Sequence[Dim]) -> None:
        self.window = window
        self.spatial = tuple(spatial)
        self.before = [pair[0] for pair in window.padding_for(spatial)]
        self.positions = window.positions(spatial)

    def place(self, positions: Places, taps: Places) -> tuple[list[Dim], list[Dim]]:
        """Return the index of an element, and the conditions under which it lies within the image."""
        places: list[Dim] = []
        conditions: list[Dim] = []
        for axis, (position, tap) in enumerate(zip(positions, taps, strict=True)):
            stride, size, extent = self.window.strides[axis], self.window.sizes[axis], self.spatial[axis]
            at = position * stride + tap - self.before[axis]
            places.append(at)
            if self.before[axis] != 0:
                conditions.append(at)
            last = (self.positions[axis] - 1) * stride + size - 1 - self.before[axis]
            if not is_nonnegative(extent - 1 - last):
                conditions.append(extent - 1 - at)
        return places, conditions


def _guarded(conditions: Sequence[Dim], inside: Node, outside: Node) -> Node:
    return Choose(conditions, inside, outside) if conditions else inside


def _lowest(dtype: DType) -> Node:
    wide = computed(dtype)
    return constant(-math.inf if wide.is_floating else int(wide.min), dtype)


def _window_loops(elements: Elements, window: Window) -> list[tuple[Symbol, Dim]]:
    return [(elements.symbol("r"), size) for size in window.sizes]


@rule(MaxPool)
def _max_pool(op: MaxPool, one: Instruction) -> Pointwise:
    kind = one.inputs[0].type
    taps = _Taps(op.geometry, kind.dims[1:-1])

    def node(elements: Elements, read: Read, index: Places) -> Node:
        loops = _window_loops(elements, op.geometry)
        result = Local(computed(kind.dtype), "largest")
        with elements.scope() as setup:
            places, conditions = taps.place(index[1:-1], [symbol for symbol, _ in loops])
            seen = _guarded(conditions, read(0, [index[0], *places, index[-1]]), _lowest(kind.dtype))
        elements.statements.append(Reduction([(result, "max", seen)], loops, setup=setup))
        return result

    return Pointwise(one.inputs, node, weight=100, guards=True, loops=True)


def _counts(op: AvgPool | AvgPoolGrad, taps: _Taps, positions: Places, dtype: DType) -> Node:
    """Return over how many elements the mean at a position is."""
    if op.count_include_pad:
        return constant(math.prod(op.window), dtype)
    count: Dim = 1
    for axis, (position, size) in enumerate(zip(positions, op.window, strict=True)):
        begin = position * op.strides[axis] - taps.before[axis]
        count = count * (dim_min(begin + size, taps.spatial[axis]) - dim_max(begin, 0))
    if isinstance(count, int):
        return constant(max(count, 1), dtype)
    return Index(dim_max(count, 1), computed(dtype))


@rule(AvgPool)
def _average_pool(op: AvgPool, one: Instruction) -> Pointwise:
    kind = one.inputs[0].type
    taps = _Taps(op.geometry, kind.dims[1:-1])
    wide = computed(kind.dtype)

    def node(elements: Elements, read: Read, index: Places) -> Node:
        loops = _window_loops(elements, op.geometry)
        total = Local(wide, "total")
        with elements.scope() as setup:
            places, conditions = taps.place(index[1:-1], [symbol for symbol, _ in loops])
            seen = _guarded(conditions, read(0, [index[0], *places, index[-1]]), constant(0, kind.dtype))
        elements.statements.append(Reduction([(total, "sum", seen)], loops, setup=setup))
        return Apply(basis.divide, [total, _counts(op, taps, index[1:-1], kind.dtype)], wide)

    return Pointwise(one.inputs, node, weight=100, guards=True, loops=True)


@rule(AvgPoolGrad)
def _average_pool_grad(op: AvgPoolGrad, one: Instruction) -> Pointwise:
    """Each element of the image gathers the shares of the windows that it lies in."""
    kind = one.outputs[0].type
    taps = _Taps(op.geometry, op.spatial)
    wide = computed(kind.dtype)

    def node(elements: Elements, read: Read, index: Places) -> Node:
        loops = [
            (elements.symbol("w"), ceil_div(size, stride)) for size, stride in zip(op.window, op.strides, strict=True)
        ]
        positions: list[Dim] = []
        conditions: list[Dim] = []
        for axis, (symbol, _) in enumerate(loops):
            at = index[1 + axis] + taps.before[axis]
            position = floor_div(at, op.strides[axis]) - symbol
            positions.append(position)
            conditions += [position, taps.positions[axis] - 1 - position]
            conditions.append(position * op.strides[axis] + op.window[axis] - 1 - at)
        total = Local(wide, "total")
        with elements.scope() as setup:
            grad = read(0, [index[0], *positions, index[-1]])
            share = Apply(basis.divide, [grad, _counts(op, taps, positions, kind.dtype)], wide)
            guarded = Choose(conditions, share, constant(0, kind.dtype))
        elements.statements.append(Reduction([(total, "sum", guarded)], loops, setup=setup))
        return total

    return Pointwise(one.inputs, node, weight=100, guards=True, loops=True)


@rule(MaxPoolGather)
def _max_pool_gather(op: MaxPoolGather, one: Instruction) -> Pointwise:
    kind, values = one.inputs[0].type, one.inputs[1].type.dtype
    taps = _Taps(op.geometry, kind.dims[1:-1])

    def node(elements: Elements, read: Read, index: Places) -> Node:
        wide = computed(kind.dtype)
        step = elements.symbol("k")
        best, found, any_ = Local(wide, "best"), Local(computed(values), "found"), Local(bool_, "any")
        with elements.scope() as body:
            places, conditions = taps.place(index[1:-1], unraveled(step, op.window))
            at = [index[0], *places, index[-1]]
            seen, value = (
                _guarded(conditions, read(0, at), _lowest(kind.dtype)),
                _guarded(conditions, read(1, at), constant(0, values)),
            )
            inside = _guarded(conditions, constant(True, bool_), constant(False, bool_))
            better = _beats(seen, best, any_, inside)
            body.append(Assign(best, Apply(basis.select, [better, seen, best], wide)))
            body.append(Assign(found, Apply(basis.select, [better, value, found], found.dtype)))
            body.append(Assign(any_, Apply(basis.logical_or, [any_, inside], bool_)))
        carried = [(best, _lowest(kind.dtype)), (found, constant(0, values)), (any_, constant(False, bool_))]
        elements.statements.append(Loop([(step, math.prod(op.window))], body, carried=carried))
        return found

    return Pointwise(one.inputs, node, weight=100, guards=True, loops=True)


def _beats(seen: Node, best: Node, some: Node, inside: Node) -> Node:
    """Return whether an element of a window is the first maximum so far: greater than all before, or the first NaN."""
    better: Node = Apply(basis.greater, [seen, best], bool_)
    if seen.dtype.is_floating:
        news = Apply(basis.is_nan, [seen], bool_)
        known = Apply(basis.is_nan, [best], bool_)
        better = Apply(basis.logical_or, [better, news], bool_)
        better = Apply(basis.logical_and, [better, Apply(basis.logical_not, [known], bool_)], bool_)
    better = Apply(basis.logical_or, [better, Apply(basis.logical_not, [some], bool_)], bool_)
    return Apply(basis.logical_and, [better, inside], bool_)


@rule(MaxPoolGrad)
def _max_pool_grad(op: MaxPoolGrad, one: Instruction) -> Custom:
    """One image after the other: zeros, then each window adds its gradient at its first maximum."""
    kind = one.inputs[0].type
    batch, *spatial, channels = kind.dims
    taps = _Taps(op.geometry, spatial)
    wide = computed(kind.dtype)
    half = wide is not kind.dtype

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        x, grad = inputs
        (result,) = outputs
        pixels: Dim = 1
        for size in spatial:
            pixels = pixels * size
        sums = Buffer(wide, pixels * channels, "scratch", "sums") if half else result
        n, c, flat, k = loop_symbol("n"), loop_symbol("c"), loop_symbol("k"), loop_symbol("t")
        windows = [(loop_symbol(f"p{axis}"), size) for axis, size in enumerate(taps.positions)]
        positions = [symbol for symbol, _ in windows]
        start = n * pixels * channels

        def image(places: Places) -> Dim:
            return linear(places, spatial) * channels + c

        places, conditions = taps.place(positions, unraveled(k, op.window))
        best, tap, some = Local(wide, "best"), Local(int64, "tap"), Local(bool_, "some")
        seen = _guarded(conditions, convert_up(Load(x, start + image(places)), kind.dtype), _lowest(kind.dtype))
        inside = _guarded(conditions, constant(True, bool_), constant(False, bool_))
        better = _beats(seen, best, some, inside)
        search = Loop(
            [(k, math.prod(op.window))],
            [
                Assign(best, Apply(basis.select, [better, seen, best], wide)),
                Assign(tap, Apply(basis.select, [better, Index(k, int64), tap], int64)),
                Assign(some, Apply(basis.logical_or, [some, inside], bool_)),
            ],
            carried=[
                (best, _lowest(kind.dtype)),
                (tap, constant(0, int64)),
                (some, constant(False, bool_)),
            ],
        )
        offset = linear([n, *positions], [batch, *taps.positions]) * channels + c
        arriving = convert_up(Load(grad, offset), kind.dtype)
        adds: list[Statement] = []
        for number in range(math.prod(op.window)):
            places, conditions = taps.place(positions, unraveled(number, op.window))
            here = (0 if half else start) + image(places)
            chosen = Apply(basis.equal, [tap, constant(number, int64)], bool_)
            share = Apply(basis.select, [chosen, arriving, constant(0, kind.dtype)], wide)
            adds.append(Store(sums, here, share, add=True, conditions=conditions))
        begin = 0 if half else start
        body: list[Statement] = [
            Loop([(flat, pixels * channels)], [Store(sums, begin + flat, constant(0, kind.dtype))], "vector"),
            Loop(windows, [Loop([(c, channels)], [search, *adds], "vector")]),
        ]
        if half:
            narrowed = convert_down(Load(sums, flat), kind.dtype)
            body.append(Loop([(flat, pixels * channels)], [Store(result, start + flat, narrowed)], "vector"))
        return Kernel(
            [x, grad, result, *([sums] if half else [])],
            symbols_in(*kind.dims),
            [Loop([(n, batch)], body, "parallel")],
            work=2 * kind.size * (2 + math.prod(op.window) // math.prod(op.strides)),
            label="MaxPoolGrad",
        )

    return Custom(one.inputs, build)
