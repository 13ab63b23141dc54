"""What the elements of a value are computed from: ``Pointwise``, ``Reduce``, ``Reshaped``, ``Product``, ``Custom``.

Each primitive has a rule that gives the definitions of its outputs; rules are registered by class, in ``rules``.
``Elements`` turns definitions into nodes: it reads what is in memory and computes the rest where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, final

from dovetail.compiler.kernels.indices import linear, reindex
from dovetail.compiler.kernels.ir import (
    Bind,
    Buffer,
    Check,
    Convert,
    Kernel,
    Load,
    Node,
    ReduceKind,
    Statement,
    loop_symbol,
)
from dovetail.compiler.program import Instruction, Value
from dovetail.graph.op import Op
from dovetail.types.dims import Dim, Symbol
from dovetail.types.dtypes import DType, float32

__all__ = [
    "Custom",
    "Definition",
    "Elements",
    "Pointwise",
    "Product",
    "Read",
    "Reduce",
    "Rule",
    "Reshaped",
    "computed",
    "rule",
    "rule_for",
]

Read: TypeAlias = Callable[[int, Sequence[Dim]], Node]
"""Gives the node of an input's element: number of the input, index."""


def computed(dtype: DType) -> DType:
    """Return the dtype in which values of ``dtype`` are computed: float32 for halves."""
    return float32 if dtype.is_half else dtype


@final
class Pointwise:
    """Each element is an expression of elements of the inputs.

    Attributes:
        inputs: the values it is computed from.
        node: gives the node of the element at an index; it reads inputs by the function handed to it.
        weight: about how many operations an element takes, beyond reading.
        guards: whether it reads under conditions, so that what it reads may not bind indices.
        binds: whether it binds indices from data.
        loops: whether it states loops of its own, so that it is computed once and kept rather than where it is read.
        fails: whether a check in it may fail.
    """

    __slots__ = ("binds", "fails", "guards", "inputs", "loops", "node", "weight")

    def __init__(
        self,
        inputs: Sequence[Value],
        node: Callable[[Elements, Read, Sequence[Dim]], Node],
        *,
        weight: int = 0,
        guards: bool = False,
        binds: bool = False,
        loops: bool = False,
        fails: bool = False,
    ) -> None:
        """Define a value by its elements."""
        self.loops = loops
        self.fails = fails
        self.inputs = tuple(inputs)
        self.node = node
        self.weight = weight
        self.guards = guards
        self.binds = binds


@final
class Reduce:
    """Each element is a reduction over axes of a larger array that is itself given by its elements.

    Attributes:
        inputs: the values it is computed from.
        kind: how elements are combined.
        dims: sizes of the larger array.
        axes: which of its axes are reduced; the others, in order, are those of the value, but for axes of size 1.
        node: as for ``Pointwise``, at an index of the larger array.
        finish: what is done with the reduction of an element; it may read inputs at the value's own index.
        weight: as for ``Pointwise``.
        demand: a condition without which the kernel fails, checked for each element.
        block: where the reduction is one of blocks along its first reduced axis, so many elements to a block; the
            value has an axis of blocks in front.
    """

    __slots__ = ("axes", "binds", "block", "demand", "dims", "finish", "guards", "inputs", "kind", "node", "weight")

    def __init__(
        self,
        inputs: Sequence[Value],
        kind: ReduceKind,
        dims: Sequence[Dim],
        axes: Sequence[int],
        node: Callable[[Elements, Read, Sequence[Dim]], Node],
        *,
        finish: Callable[[Node], Node] | None = None,
        weight: int = 1,
        guards: bool = False,
        demand: Node | None = None,
        block: int | None = None,
    ) -> None:
        """Define a value by a reduction."""
        self.demand = demand
        self.block = block
        self.inputs = tuple(inputs)
        self.kind: ReduceKind = kind
        self.dims = tuple(dims)
        self.axes = tuple(axes)
        self.node = node
        self.finish = finish
        self.weight = weight
        self.guards = guards
        self.binds = False

    @property
    def fails(self) -> bool:
        """Whether a check in it may fail."""
        return self.demand is not None

    @property
    def kept(self) -> tuple[int, ...]:
        """The axes that are not reduced."""
        return tuple([axis for axis in range(len(self.dims)) if axis not in self.axes])


@final
class Reshaped:
    """The same elements in row-major order, in another shape."""

    __slots__ = ("input",)

    def __init__(self, input: Value) -> None:
        """Define a value as a view."""
        self.input = input

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The value viewed."""
        return (self.input,)


@final
class Product:
    """A product or convolution: a template."""

    __slots__ = ("inputs", "op")

    def __init__(self, op: Op, inputs: Sequence[Value]) -> None:
        """Define a value by a template."""
        self.op = op
        self.inputs = tuple(inputs)


@final
class Custom:
    """Values that a loop nest of their own computes, from inputs in memory.

    Attributes:
        inputs: what it reads.
        build: makes the kernel, given buffers of the inputs and of the outputs; one buffer for both where the output is
            written over an input.
        fails: whether a check in it may fail.
        checked: for the number of an input what is read in its place, computed into memory before: there stand the
            checks of a kernel that may write over an input, which must not fail halfway.
        over: the number of the input that its only output may be written over.
    """

    __slots__ = ("build", "checked", "fails", "inputs", "over")

    def __init__(
        self,
        inputs: Sequence[Value],
        build: Callable[[Sequence[Buffer], Sequence[Buffer]], Kernel],
        *,
        fails: bool = False,
        checked: Mapping[int, Pointwise] | None = None,
        over: int | None = None,
    ) -> None:
        """Define values by a kernel."""
        self.fails = fails
        self.checked = dict(checked or {})
        self.over = over
        self.inputs = tuple(inputs)
        self.build = build


Definition: TypeAlias = Pointwise | Reduce | Reshaped | Product | Custom
Rule: TypeAlias = Callable[[Any, Instruction], "Definition | Sequence[Definition]"]

_rules: Final[dict[type[Op], Rule]] = {}


def rule(*classes: type[Op]) -> Callable[[Rule], Rule]:
    """Register the rule of operations: from definition and instruction to the definitions of its outputs.

    A ``Custom`` defines all outputs at once.
    """

    def add(function: Rule) -> Rule:
        for one in classes:
            _rules[one] = function
        return function

    return add


def rule_for(op: Op) -> Rule | None:
    """Return the rule of an operation, if it has one."""
    for kind in type(op).__mro__:
        found = _rules.get(kind)
        if found is not None:
            return found
    return None


class Elements:
    """Makes nodes of the elements of values, for one kernel.

    Args:
        definitions: of the values that are computed where they are read.
        buffer: gives the buffer of a value that is in memory, and what to add to the offset of an element; ``None`` for
            a value that is to be computed.
        log: takes down which elements of values in memory are read.
    """

    def __init__(
        self,
        definitions: Mapping[Value, Definition],
        buffer: Callable[[Value], tuple[Buffer, Dim] | None],
        log: list[tuple[Value, tuple[Dim, ...]]] | None = None,
    ) -> None:
        """Begin with no statements."""
        self._log = log
        self._definitions = definitions
        self._buffer = buffer
        self._scopes: list[tuple[list[Statement], dict[Any, Any]]] = [([], {})]
        self._symbols = 0

    def symbol(self, hint: str) -> Symbol:
        """Return a symbol that the kernel does not use yet."""
        self._symbols += 1
        return loop_symbol(f"{hint}.{self._symbols}")

    @contextmanager
    def scope(self) -> Iterator[list[Statement]]:
        """Collect what is stated within the context, as the body of a loop."""
        statements: list[Statement] = []
        self._scopes.append((statements, {}))
        yield statements
        self._scopes.pop()

    @property
    def statements(self) -> list[Statement]:
        """The statements of the scope."""
        return self._scopes[-1][0]

    def bind(self, node: Node, size: Dim) -> Symbol:
        """Return an index from data; the kernel fails where it is out of range."""
        key = (node, size)
        known = self._find(key)
        if known is None:
            known = self.symbol("at")
            self.statements.append(Bind(known, node, size))
            self._scopes[-1][1][key] = known
        result: Symbol = known
        return result

    def check(self, node: Node) -> None:
        """State that the kernel fails unless ``node`` holds."""
        self.statements.append(Check(node))

    def know(self, value: Value, index: Sequence[Dim], node: Node) -> None:
        """Take ``node`` for an element from now on, in this scope."""
        at = tuple([0 if dim == 1 else place for place, dim in zip(index, value.type.dims, strict=True)])
        self._scopes[-1][1][value, at] = node

    def known(self) -> dict[Any, Any]:
        """Return what is known in this scope, for ``resume``."""
        return self._scopes[-1][1]

    def resume(self, known: Mapping[Any, Any]) -> None:
        """Take over what was known in a scope that this one continues."""
        self._scopes[-1][1].update(known)

    def _find(self, key: Any) -> Any:
        for _, known in reversed(self._scopes):
            found = known.get(key)
            if found is not None:
                return found
        return None

    def element(self, value: Value, index: Sequence[Dim]) -> Node:
        """Return the node of an element, in the dtype that it is computed in."""
        definition = self._definitions.get(value)
        while isinstance(definition, Reshaped):
            source = definition.input
            index = reindex(index, value.type.dims, source.type.dims)
            value = source
            definition = self._definitions.get(value)
        index = tuple([0 if dim == 1 else place for place, dim in zip(index, value.type.dims, strict=True)])
        key = (value, index)
        found = self._find(key)
        if found is None:
            found = self._make(value, index, definition)
            self._scopes[-1][1][key] = found
        result: Node = found
        return result

    def _make(self, value: Value, index: tuple[Dim, ...], definition: Definition | None) -> Node:
        memory = self._buffer(value)
        if memory is not None:
            buffer, start = memory
            if self._log is not None:
                self._log.append((value, index))
            node: Node = Load(buffer, start + linear(index, value.type.dims))
            wide = computed(value.type.dtype)
            return node if wide is value.type.dtype else Convert(wide, node)
        if not isinstance(definition, Pointwise):
            raise TypeError(f"{value} is to be computed where it is read, but it is {type(definition).__name__}")
        return self.expand(definition, index)

    def expand(self, definition: Pointwise | Reduce, index: Sequence[Dim]) -> Node:
        """Return the node that a definition gives for an index."""
        return definition.node(self, lambda number, place: self.element(definition.inputs[number], place), index)
