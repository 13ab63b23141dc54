"""From a unit to the kernel or template that computes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, final

from dovetail.compiler.kernels.elements import Custom, Elements, Pointwise, Reduce, computed
from dovetail.compiler.kernels.fusion import Fusion, Unit, domain_of, in_rows, long_dims, placed, reduce_index
from dovetail.compiler.kernels.indices import coefficient, linear, reindex, unraveled
from dovetail.compiler.kernels.ir import (
    Buffer,
    Epilogue,
    Kernel,
    Let,
    Local,
    Loop,
    Node,
    Reduction,
    Statement,
    Store,
    Template,
    loop_symbol,
)
from dovetail.compiler.kernels.scalars import convert_down
from dovetail.compiler.kernels.walk import can_fail, free_sizes, indices_in
from dovetail.compiler.program import Value
from dovetail.types.dims import Dim, Symbol, ceil_div, dim_min, product, symbols_of

__all__ = ["Nest"]

_CHUNK: Final = 1 << 10
"""So many elements of a single loop make one unit of work for a thread."""
_ROW_SCRATCH: Final = 1 << 13
"""Rows of at most so many elements are kept in scratch memory, where nobody else reads them."""


@final
class Nest:
    """The kernel or template of a unit.

    Attributes:
        task: the kernel or template.
        values: for each of its buffers the value in it; ``None`` for scratch.
    """

    def __init__(
        self,
        fusion: Fusion,
        unit: Unit,
        stored: Iterable[Value],
        in_place: Mapping[Value, Value],
        lasting: Collection[Value],
        label: str,
    ) -> None:
        """Make the kernel.

        Args:
            fusion: what the unit is from.
            unit: the unit.
            stored: which of its roots are read elsewhere.
            in_place: for a root the value whose memory it takes.
            lasting: values that change so rarely that packed copies of them are worth keeping.
            label: what the kernel is called in profiles.
        """
        self._fusion = fusion
        self._unit = unit
        self._stored = set(stored)
        self._in_place = in_place
        self._lasting = lasting
        self._label = label
        self._buffers: dict[Value, Buffer] = {}
        self._scratch: dict[Value, tuple[Buffer, tuple[Dim, ...]]] = {}
        self._rows: Sequence[Symbol] = ()
        self._last: list[Statement] = []
        self._last_reduction: Reduction | None = None
        self._last_known: Mapping[Any, Any] = {}
        self.values: list[Value | None] = []
        self.task = self._made()

    def _made(self) -> Kernel | Template:
        kind = self._unit.kind
        if kind == "map":
            return self._map()
        if kind == "rows":
            return self._row_kernel()
        return self._product() if kind == "product" else self._custom()

    # Memory. ---------------------------------------------------------------------------------------------------------

    def _memory(self, value: Value) -> tuple[Buffer, Dim] | None:
        scratch = self._scratch.get(value)
        if scratch is not None:
            # The offset of an element counts whole rows; in scratch memory there is one row.
            buffer, inner = scratch
            row = linear(self._rows, long_dims(value.type.dims)[: len(self._rows)])
            return buffer, -row * product(inner)
        if value in self._fusion.definitions and value not in self._fusion.kept:
            return None
        return self.buffer(value), 0

    def buffer(self, value: Value) -> Buffer:
        """Return the buffer of a value in memory."""
        found = self._buffers.get(value)
        if found is not None:
            return found
        source = self._in_place.get(value)
        if source is not None:
            other = self._buffers.get(source)
            found = other or Buffer(value.type.dtype, value.type.size, "inout", "b")
            self._buffers[source] = found
        elif value in self._unit.roots:
            found = Buffer(value.type.dtype, value.type.size, "out", "b")
        else:
            taker = next((one for one, given in self._in_place.items() if given is value), None)
            if taker is not None:
                return self.buffer(taker)
            found = Buffer(value.type.dtype, value.type.size, "in", "b")
        self._buffers[value] = found
        return found

    def _kernel(self, body: Sequence[Statement], extra: Sequence[Buffer] = (), work: Dim = 0) -> Kernel:
        buffers = list(dict.fromkeys(self._buffers.values()))
        owners = {buffer: value for value, buffer in reversed(self._buffers.items())}
        self.values = [owners[buffer] for buffer in buffers] + [None] * len(extra)
        dims = [buffer.size for buffer in (*buffers, *extra)]
        sizes = set(free_sizes(body)).union(*(symbols_of(dim) for dim in dims))
        return Kernel(
            [*buffers, *extra],
            sorted(sizes, key=str),
            body,
            work=work,
            can_fail=can_fail(body),
            label=self._label,
        )

    def _weight(self) -> int:
        definitions = [self._fusion.definitions[value] for value in self._unit.roots]
        return sum(1 + one.weight for one in definitions if isinstance(one, Pointwise | Reduce))

    # Elements of one shape. ------------------------------------------------------------------------------------------

    def _map(self) -> Kernel:
        domain = self._unit.domain
        plain = [loop_symbol(f"i{axis}") for axis in range(len(domain))]
        statements = self._elements_at(plain)
        groups = _mergeable(statements, plain, domain)
        extents = [product(domain[axis] for axis in group) for group in groups]
        loops = [loop_symbol(f"i{number}") for number in range(len(groups))]
        chunk: Dim = 0
        whole: list[Dim] = list(loops)
        width: Dim = 1
        if groups:
            width = extents[-1]
            if not isinstance(width, int) or width > 2 * _CHUNK:
                chunk = loops[-1]
                inner = loop_symbol(f"i{len(groups)}")
                whole[-1] = chunk * _CHUNK + inner
                width = dim_min(extents[-1] - chunk * _CHUNK, _CHUNK)
        index: list[Dim] = []
        for place, group in zip(whole, groups, strict=True):
            index.extend(unraveled(place, [domain[axis] for axis in group]))
        if index != list(plain):
            self._buffers.clear()
            statements = self._elements_at(index)
        if not groups:
            return self._kernel(statements, work=self._weight())
        lanes = inner if chunk != 0 else loops[-1]
        vector = Loop([(lanes, width)], statements, "vector")
        outer = list(zip(loops[:-1], extents[:-1], strict=True))
        if chunk != 0:
            outer.append((loops[-1], ceil_div(extents[-1], _CHUNK)))
        body = [Loop(outer, [vector], "parallel")] if outer else [vector]
        return self._kernel(body, work=product(domain) * self._weight() * self._inner_size())

    def _inner_size(self) -> Dim:
        """Return over how many elements the reductions within an element go, at most."""
        sizes: list[Dim] = [1]
        for value in self._unit.roots:
            definition = self._fusion.definitions[value]
            if isinstance(definition, Reduce):
                if definition.block is not None:
                    rest = product(definition.dims[axis] for axis in definition.axes[1:])
                    sizes.append(rest * definition.block)
                else:
                    sizes.append(product(definition.dims[axis] for axis in definition.axes))
        known = [size for size in sizes if isinstance(size, int)]
        return next((size for size in sizes if not isinstance(size, int)), max(known))

    def _elements_at(self, index: Sequence[Dim]) -> list[Statement]:
        """Return the statements that compute and store the roots at an index of the domain."""
        fusion, domain = self._fusion, self._unit.domain
        elements = Elements(fusion.definitions, self._memory)
        reduced: list[Value] = []
        for value in self._unit.roots:
            definition = fusion.definitions[value]
            if isinstance(definition, Reduce):
                reduced = self._reduce(elements, value, definition, index, reduced)
                continue
            assert isinstance(definition, Pointwise)
            reduced = []
            dims = value.type.dims
            where = reindex(index, domain, dims)
            self._finish(elements, value, where, elements.expand(definition, where))
        return elements.statements + self._taken_last()

    def _taken_last(self) -> list[Statement]:
        taken, self._last = self._last, []
        return taken

    def _finish(self, elements: Elements, value: Value, where: Sequence[Dim], node: Node) -> None:
        """Name an element and store it where it is wanted."""
        if not isinstance(node, Local):
            local = Local(node.dtype)
            elements.statements.append(Let(local, node))
            node = local
        elements.know(value, where, node)
        if value in self._stored:
            stored = convert_down(node, value.type.dtype)
            buffer = self.buffer(value)
            store = Store(buffer, linear(where, value.type.dims), stored)
            # What is written in place is written last, for others may read what was there before.
            (self._last if buffer.role == "inout" else elements.statements).append(store)

    def _reduce(
        self, elements: Elements, value: Value, definition: Reduce, loops: Sequence[Dim], together: list[Value]
    ) -> list[Value]:
        """State a reduction, in one statement with those before it where the loops are the same.

        Returns:
            The reductions stated at last, with which the next can go together.
        """
        if definition.demand is not None:
            elements.check(definition.demand)
        inner = {axis: loop_symbol(f"j{number}") for number, axis in enumerate(definition.axes)}
        index, extents = reduce_index(definition, loops, inner)
        vector = in_rows(definition)
        result = Local(computed(value.type.dtype), "sum")
        before = self._last_reduction
        joined = (
            bool(together)
            and before is not None
            and before.loops == tuple(extents)
            and before.vector == vector
            and not any(one in self._fusion.reads_of(value) for one in together)
        )
        with elements.scope() as setup:
            if joined and before is not None:
                elements.resume(self._last_known)
                setup.extend(before.setup)
            node = elements.expand(definition, index)
            known = elements.known()
        results = [(result, definition.kind, node)]
        if joined and before is not None:
            results = [*before.results, *results]
            place = max(i for i, one in enumerate(elements.statements) if one is before)
            statement = Reduction(results, extents, vector=vector, setup=setup)
            elements.statements[place] = statement
        else:
            statement = Reduction(results, extents, vector=vector, setup=setup)
            elements.statements.append(statement)
        self._last_reduction, self._last_known = statement, known
        where = placed(value.type.dims, loops) if definition.block is None else placed(domain_of(definition), loops)
        node = result if definition.finish is None else definition.finish(result)
        self._finish(elements, value, where, node)
        return [*together, value] if joined else [value]

    # Rows. -----------------------------------------------------------------------------------------------------------

    def _row_kernel(self) -> Kernel:
        domain = self._unit.domain
        rows = [loop_symbol(f"i{axis}") for axis in range(len(domain))]
        self._rows = rows
        count = len(domain)
        scratch: list[Buffer] = []
        for value in self._unit.roots:
            inner = long_dims(value.type.dims)[count:]
            if value in self._stored or not inner or isinstance(self._fusion.definitions[value], Reduce):
                continue
            size = product(inner)
            if isinstance(size, int) and size <= _ROW_SCRATCH:
                buffer = Buffer(value.type.dtype, size, "scratch", "row")
                self._scratch[value] = buffer, inner
                scratch.append(buffer)
            else:
                self._stored.add(value)
        elements = Elements(self._fusion.definitions, self._memory)
        waiting: list[Value] = []
        reduced: list[Value] = []

        def flush() -> None:
            if waiting:
                self._row_loop(elements, rows, waiting)
                waiting.clear()

        for value in self._unit.roots:
            definition = self._fusion.definitions[value]
            inner = long_dims(value.type.dims)[count:]
            if isinstance(definition, Reduce):
                flush()
                reduced = self._reduce(elements, value, definition, rows, reduced)
                continue
            assert isinstance(definition, Pointwise)
            reduced = []
            if not inner:
                flush()
                where = placed(value.type.dims, rows)
                self._finish(elements, value, where, elements.expand(definition, where))
                continue
            if waiting and (
                long_dims(waiting[0].type.dims) != long_dims(value.type.dims) or self._crosses(value, waiting, rows)
            ):
                flush()
            waiting.append(value)
        flush()
        statements = elements.statements
        work = product(domain) * self._weight() * self._row_size(count)
        body = [Loop(list(zip(rows, domain, strict=True)), statements, "parallel")] if rows else statements
        return self._kernel(body, scratch, work)

    def _row_size(self, count: int) -> Dim:
        sizes: list[Dim] = [self._inner_size()]
        sizes += [product(long_dims(value.type.dims)[count:]) for value in self._unit.roots]
        known = [size for size in sizes if isinstance(size, int)]
        return next((size for size in sizes if not isinstance(size, int)), max(known, default=1))

    def _crosses(self, value: Value, waiting: Sequence[Value], rows: Sequence[Symbol]) -> bool:
        """Tell whether an element reads others than its own of values computed in the same loop."""
        dims = long_dims(value.type.dims)
        loops = [*rows, *(loop_symbol(f"j{axis}") for axis in range(len(dims) - len(rows)))]
        for one, where in self._fusion.read_at(value, placed(value.type.dims, loops)):
            if one in waiting and [p for p, dim in zip(where, one.type.dims, strict=True) if dim != 1] != loops:
                return True
        return False

    def _row_loop(self, elements: Elements, rows: Sequence[Symbol], values: Sequence[Value]) -> None:
        """State a loop over the elements of a row that computes ``values``."""
        inner = long_dims(values[0].type.dims)[len(rows) :]
        plain = [loop_symbol(f"j{axis}") for axis in range(len(inner))]

        def stated(places: Sequence[Dim]) -> list[Statement]:
            with elements.scope() as body:
                for value in values:
                    where = placed(value.type.dims, [*rows, *places])
                    definition = self._fusion.definitions[value]
                    assert isinstance(definition, Pointwise)
                    node: Node = elements.expand(definition, where)
                    if not isinstance(node, Local):
                        local = Local(node.dtype)
                        body.append(Let(local, node))
                        node = local
                    elements.know(value, where, node)
                    memory = self._memory(value)
                    assert memory is not None
                    buffer, start = memory
                    stored = convert_down(node, value.type.dtype)
                    body.append(Store(buffer, start + linear(where, value.type.dims), stored))
            return body

        groups = _mergeable(stated(plain), plain, inner)
        loops = [loop_symbol(f"j{number}") for number in range(len(groups))]
        extents = [product(inner[axis] for axis in group) for group in groups]
        places: list[Dim] = []
        for symbol, group in zip(loops, groups, strict=True):
            places.extend(unraveled(symbol, [inner[axis] for axis in group]))
        body: Sequence[Statement] = [Loop([(loops[-1], extents[-1])], stated(places), "vector")]
        if len(loops) > 1:
            body = [Loop(list(zip(loops[:-1], extents[:-1], strict=True)), body)]
        elements.statements.extend(body)

    # Templates and kernels of their own. -----------------------------------------------------------------------------

    def _product(self) -> Template:
        unit = self._unit
        one = unit.instruction
        assert one is not None
        value = unit.roots[0]
        operands = [self.buffer(self._fusion.base(given)) for given in one.inputs]
        dims = value.type.dims
        axes = [loop_symbol(f"e{axis}") for axis in range(len(dims))]
        elements = Elements(self._fusion.definitions, self._memory)
        result = Local(computed(value.type.dtype), "acc")
        self._finish(elements, value, axes, result)
        loops = [axis for axis, dim in zip(axes, dims, strict=True) if dim != 1]
        for other in unit.roots[1:]:
            definition = self._fusion.definitions[other]
            assert isinstance(definition, Pointwise)
            own = other.type.dims
            where = reindex(loops, unit.domain, own)
            self._finish(elements, other, where, elements.expand(definition, where))
        body = elements.statements + self._taken_last()
        buffers = list(dict.fromkeys([*operands, *self._buffers.values()]))
        owners = {buffer: owner for owner, buffer in reversed(self._buffers.items())}
        self.values = [owners[buffer] for buffer in buffers]
        types = [given.type for given in one.inputs]
        sizes = set(free_sizes(body, axes)).union(*(kind.shape.symbols for kind in (*types, value.type)))
        sizes |= one.op.symbols
        return Template(
            one.op,
            types,
            value.type,
            operands,
            buffers,
            sorted(sizes, key=str),
            Epilogue(axes, result, body),
            packed=[self._fusion.base(given) in self._lasting for given in one.inputs],
            work=one.op.flops(types, [value.type]),
            label=self._label,
        )

    def _custom(self) -> Kernel:
        one = self._unit.instruction
        assert one is not None
        definition = self._fusion.definition_of(one)
        assert isinstance(definition, Custom)
        inputs = [self.buffer(self._fusion.base(given)) for given in definition.inputs]
        outputs = [self.buffer(value) for value in one.outputs]
        kernel = definition.build(inputs, outputs)
        owners = {buffer: value for value, buffer in self._buffers.items()}
        self.values = [owners.get(buffer) for buffer in kernel.buffers]
        return kernel


def _mergeable(statements: Sequence[Statement], loops: Sequence[Symbol], extents: Sequence[Dim]) -> list[list[int]]:
    """Group neighbouring loops that can be one: every index treats them as the digits of one number."""
    if not loops:
        return []
    indices = list(dict.fromkeys(dim for dim in indices_in(statements) if not isinstance(dim, int)))
    groups = [[0]]
    for axis in range(1, len(loops)):
        outer, inner, extent = loops[axis - 1], loops[axis], extents[axis]
        if all(_together(dim, outer, inner, extent) for dim in indices):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def _together(dim: Dim, outer: Symbol, inner: Symbol, extent: Dim) -> bool:
    symbols = symbols_of(dim)
    if outer not in symbols and inner not in symbols:
        return True
    below, above = coefficient(dim, inner), coefficient(dim, outer)
    return below is not None and above is not None and above == below * extent
