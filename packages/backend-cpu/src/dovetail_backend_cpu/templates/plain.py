"""Products and convolutions of any sizes, one output element at a time: what the tuned routines leave over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

from dovetail.kernels import Conv, ConvFilterGrad, ConvInputGrad, Dim, MatMul, Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.plan import Phase, TemplatePlan

__all__ = ["plain_module", "plain_plan"]

Factors: TypeAlias = Callable[[list[Value]], tuple[Value, Value, str]]
"""From the indices of the loops of a sum: the offsets of both factors, and an i1 where there may be none, or ``""``."""

Written: TypeAlias = tuple[Sequence[Value], Callable[[list[Value]], Factors]]
"""The extents of a sum's loops and, from the indices of an element of the output, its factors."""

_Convolution: TypeAlias = Conv | ConvInputGrad | ConvFilterGrad


def plain_plan(name: str) -> TemplatePlan:
    """Return the plan of what ``plain_module`` writes."""
    return TemplatePlan([Phase(f"{name}_0")])


def plain_module(template: Template, name: str, machine: Machine) -> Module:
    """Write any template as loops over scalars."""
    module = Module()
    phase = PhaseWriter(module, template, f"{name}_0", machine, workspace=False)
    sums = _Sums(phase)
    op = template.op
    if isinstance(op, MatMul):
        extents, factors = _product(sums, op)
    elif isinstance(op, Conv):
        extents, factors = _convolution(sums, op)
    elif isinstance(op, ConvInputGrad):
        extents, factors = _input_gradient(sums, op)
    elif isinstance(op, ConvFilterGrad):
        extents, factors = _filter_gradient(sums, op)
    else:
        raise AssertionError(f"no template is written for {op.name}")
    sums.write(extents, factors)
    phase.write.ret()
    return module


@final
class _Sums:
    """The loop over output elements, and the sum of products that is one."""

    def __init__(self, phase: PhaseWriter) -> None:
        self.phase = phase
        self.template = phase.template
        self.arithmetic = Arithmetic(self.template.output.dtype, phase.machine)
        self.left, self.right = ([phase.dim(dim) for dim in one.dims] for one in self.template.inputs)
        self.sizes = [phase.dim(dim) for dim in self.template.output.dims]

    def write(self, extents: Sequence[Value], factors: Callable[[list[Value]], Factors]) -> None:
        """Compute every element of the output as a sum over loops.

        Args:
            extents: of the loops.
            factors: from the indices of the element, where the factors of an iteration are.
        """
        phase = self.phase
        total: Value = 1
        for size in self.sizes:
            total = phase.multiply(total, size)
        start, stop = phase.share(total)
        with phase.write.loop(start, stop, metadata=phase.no_unrolling()) as element:
            rest: Value = element.index
            indices: list[Value] = []
            for size in reversed(self.sizes):
                rest, one = phase.split(rest, size)
                indices.insert(0, one)
            result = self._sum(extents, [], factors(indices), self.arithmetic.zero)
            phase.finish(dict(zip(self.template.epilogue.axes, indices, strict=True)), None, result)

    def _sum(self, extents: Sequence[Value], indices: list[Value], factors: Factors, first: str) -> str:
        phase = self.phase
        extent, *others = extents
        carried = [(self.arithmetic.type, first)]
        with phase.write.loop("0", str(extent), carried=carried, metadata=phase.no_unrolling()) as loop:
            inside = [*indices, loop.index]
            if others:
                loop.next(self._sum(others, inside, factors, loop.carried[0]))
            else:
                loop.next(self._product(*factors(inside), loop.carried[0]))
        return loop.results[0]

    def _product(self, left: Value, right: Value, exists: str, addend: str) -> str:
        if not exists:
            return self._added(left, right, addend)
        # A loop of at most one iteration, so that nothing outside is read.
        times = self.phase.write.value(f"zext i1 {exists} to i64")
        with self.phase.write.loop("0", times, carried=[(self.arithmetic.type, addend)]) as once:
            once.next(self._added(left, right, once.carried[0]))
        return once.results[0]

    def _added(self, left: Value, right: Value, addend: str) -> str:
        phase, arithmetic = self.phase, self.arithmetic
        first, second = (
            arithmetic.load(phase.write, phase.at(arithmetic.stored, phase.operand(index), offset))
            for index, offset in enumerate((left, right))
        )
        return arithmetic.multiply_add(phase.write, first, second, addend, 1)

    def offset(self, indices: Sequence[Value], sizes: Sequence[Value]) -> Value:
        """Return the place of an element in an array of these sizes."""
        result: Value = 0
        for index, size in zip(indices, sizes, strict=True):
            result = self.phase.add(self.phase.multiply(result, size), index)
        return result


def _product(sums: _Sums, op: MatMul) -> Written:
    depth = sums.left[-2 if op.transpose_a else -1]

    def factors(element: list[Value]) -> Factors:
        *batch, row, column = element

        def at(loops: list[Value]) -> tuple[Value, Value, str]:
            (inner,) = loops
            left = (inner, row) if op.transpose_a else (row, inner)
            right = (column, inner) if op.transpose_b else (inner, column)
            return _stacked(sums, batch, sums.left, left), _stacked(sums, batch, sums.right, right), ""

        return at

    return [depth], factors


def _stacked(sums: _Sums, batch: Sequence[Value], sizes: Sequence[Value], matrix: tuple[Value, Value]) -> Value:
    """Return the place of an element of a stack of matrices that broadcasts along axes of size 1."""
    phase = sums.phase
    own = batch[len(batch) - (len(sizes) - 2) :]
    places: list[Value] = []
    for index, size in zip(own, sizes, strict=False):
        if isinstance(size, int):
            places.append(0 if size == 1 else index)
        else:
            places.append(phase.select(phase.compare("eq", size, 1), 0, index))
    return sums.offset([*places, *matrix], sizes)


def _befores(sums: _Sums, op: _Convolution, sizes: Sequence[Dim], spatial: Sequence[Dim]) -> list[Value]:
    """Return how much padding comes before each axis."""
    return [sums.phase.dim(before) for before, _ in op.geometry(sizes).padding_for(spatial)]


def _shifted(
    sums: _Sums, op: _Convolution, positions: Sequence[Value], taps: Sequence[Value], befores: Sequence[Value]
) -> list[Value]:
    """Return where an element of a window at a position lies in the input, counted without padding."""
    phase = sums.phase
    return [
        phase.subtract(phase.add(phase.multiply(position, stride), phase.multiply(tap, dilation)), before)
        for position, stride, tap, dilation, before in zip(
            positions, op.strides, taps, op.dilations, befores, strict=True
        )
    ]


def _inside(sums: _Sums, places: Sequence[Value], sizes: Sequence[Value]) -> str:
    """Return an i1: whether a place lies within the sizes."""
    phase = sums.phase
    result = "true"
    for place, size in zip(places, sizes, strict=True):
        result = phase.write.value(f"and i1 {result}, {phase.compare('ult', place, size)}")
    return result


def _convolution(sums: _Sums, op: Conv) -> Written:
    phase = sums.phase
    *window, depth, filters = sums.right
    rank = len(window)
    befores = _befores(sums, op, sums.template.inputs[1].dims[:-2], sums.template.inputs[0].dims[1:-1])
    filters_of_group = phase.divide(filters, op.groups)

    def factors(element: list[Value]) -> Factors:
        batch, *positions, filter = element
        first_channel = phase.multiply(phase.divide(filter, filters_of_group), depth)

        def at(loops: list[Value]) -> tuple[Value, Value, str]:
            taps, channel = loops[:rank], loops[rank]
            places = _shifted(sums, op, positions, taps, befores)
            left = sums.offset([batch, *places, phase.add(first_channel, channel)], sums.left)
            right = sums.offset([*taps, channel, filter], sums.right)
            return left, right, _inside(sums, places, sums.left[1:-1])

        return at

    return [*window, depth], factors


def _input_gradient(sums: _Sums, op: ConvInputGrad) -> Written:
    phase = sums.phase
    *window, depth, filters = sums.left
    rank = len(window)
    befores = _befores(sums, op, sums.template.inputs[0].dims[:-2], sums.template.output.dims[1:-1])
    filters_of_group = phase.divide(filters, op.groups)

    def factors(element: list[Value]) -> Factors:
        batch, *places, channel = element
        group, channel_of_group = phase.split(channel, depth)
        first_filter = phase.multiply(group, filters_of_group)

        def at(loops: list[Value]) -> tuple[Value, Value, str]:
            taps, filter = loops[:rank], phase.add(first_filter, loops[rank])
            exists = "true"
            positions: list[Value] = []
            for place, before, tap, stride, dilation in zip(
                places, befores, taps, op.strides, op.dilations, strict=True
            ):
                shift = phase.subtract(phase.add(place, before), phase.multiply(tap, dilation))
                position = phase.floor_divide(shift, stride)
                meets = phase.compare("eq", phase.multiply(position, stride), shift)
                exists = phase.write.value(f"and i1 {exists}, {meets}")
                positions.append(position)
            exists = phase.write.value(f"and i1 {exists}, {_inside(sums, positions, sums.right[1:-1])}")
            left = sums.offset([*taps, channel_of_group, filter], sums.left)
            return left, sums.offset([batch, *positions, filter], sums.right), exists

        return at

    return [*window, filters_of_group], factors


def _filter_gradient(sums: _Sums, op: ConvFilterGrad) -> Written:
    phase = sums.phase
    *_, depth, filters = sums.sizes
    befores = _befores(sums, op, op.sizes, sums.template.inputs[0].dims[1:-1])
    filters_of_group = phase.divide(filters, op.groups)

    def factors(element: list[Value]) -> Factors:
        *taps, channel, filter = element
        group = phase.divide(filter, filters_of_group)
        channel = phase.add(phase.multiply(group, depth), channel)

        def at(loops: list[Value]) -> tuple[Value, Value, str]:
            batch, *positions = loops
            places = _shifted(sums, op, positions, taps, befores)
            left = sums.offset([batch, *places, channel], sums.left)
            right = sums.offset([batch, *positions, filter], sums.right)
            return left, right, _inside(sums, places, sums.left[1:-1])

        return at

    return sums.right[:-1], factors
