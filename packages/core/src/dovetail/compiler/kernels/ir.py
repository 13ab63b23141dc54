"""The kernel IR: loop nests over index and scalar expressions, which compiling backends print.

A *node* is a typed scalar expression; an index is a dimension (``Dim``) whose symbols are loop variables, sizes, and
indices bound from data. A *statement* loops, binds, reduces, stores. A ``Kernel`` is statements over buffers. Products
and convolutions are no loop nests but a ``Template``: the operation's definition, which a backend has a tuned routine
for, and an epilogue in this IR.

Types are storage types at loads and stores; between them float16 and bfloat16 do not occur, for whoever builds nodes
converts them to float32, and back before a store. Buffers are contiguous in row-major order; an offset counts elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, final

from dovetail.graph.op import Op
from dovetail.ops.scalar.expression import Basis
from dovetail.types.dims import Dim, Symbol
from dovetail.types.dtypes import DType
from dovetail.types.shapes import TensorType

__all__ = [
    "Apply",
    "Assign",
    "Bind",
    "Buffer",
    "Check",
    "Choose",
    "Constant",
    "Convert",
    "Epilogue",
    "Index",
    "Kernel",
    "Let",
    "Load",
    "Local",
    "Loop",
    "LoopKind",
    "Node",
    "Philox",
    "ReduceKind",
    "Reduction",
    "Statement",
    "Store",
    "Template",
    "While",
    "loop_symbol",
]


def loop_symbol(name: str) -> Symbol:
    """Return the symbol of a loop variable or of an index; a name that no size has, as sizes are named by users.

    Example:
        >>> loop_symbol("i0")
        __i0
    """
    return Symbol(f"__{name}")


# Nodes. --------------------------------------------------------------------------------------------------------------


class Node:
    """A scalar expression; immutable, compared by identity.

    Attributes:
        dtype: the type of its value.
        args: the nodes that it is made of.
    """

    __slots__ = ("args", "dtype")

    def __init__(self, dtype: DType, args: Iterable[Node] = ()) -> None:
        """Make a node."""
        self.dtype = dtype
        self.args = tuple(args)


@final
class Constant(Node):
    """A number or truth value."""

    __slots__ = ("value",)

    def __init__(self, value: bool | int | float, dtype: DType) -> None:
        """Make a constant of ``dtype``, which holds ``value``."""
        super().__init__(dtype)
        self.value = value


@final
class Load(Node):
    """An element of a buffer, of the buffer's dtype."""

    __slots__ = ("buffer", "offset")

    def __init__(self, buffer: Buffer, offset: Dim) -> None:
        """Read ``buffer[offset]``."""
        super().__init__(buffer.dtype)
        self.buffer = buffer
        self.offset = offset


@final
class Index(Node):
    """The value of an index, as a number of an integer or floating dtype; it fits."""

    __slots__ = ("index",)

    def __init__(self, index: Dim, dtype: DType) -> None:
        """Make a number of an index."""
        super().__init__(dtype)
        self.index = index


@final
class Apply(Node):
    """A basis function of scalar expressions, applied to nodes.

    The operands have one dtype (the condition of ``select`` is bool); the result has it too, or is bool for
    comparisons and predicates. Division (``divide``) is of floating operands only; who builds nodes converts. An
    integer ``floor_divide`` or ``remainder`` by zero, and an integer ``power`` with a negative exponent, make the
    kernel fail as ``Check`` does.
    """

    __slots__ = ("function",)

    def __init__(self, function: Basis, args: Sequence[Node], dtype: DType) -> None:
        """Apply ``function``; ``dtype`` is the result's."""
        super().__init__(dtype, args)
        self.function = function


@final
class Convert(Node):
    """A value in another dtype, as ``dovetail.ops.scalar.Convert`` defines it; from and to halves as well."""

    __slots__ = ()

    def __init__(self, dtype: DType, arg: Node) -> None:
        """Convert ``arg``."""
        super().__init__(dtype, (arg,))


@final
class Choose(Node):
    """``then`` where every one of ``conditions`` is at least 0, else ``otherwise``.

    What is not chosen is not loaded either, so offsets in ``then`` may lie outside where a condition does not hold.
    """

    __slots__ = ("conditions",)

    def __init__(self, conditions: Sequence[Dim], then: Node, otherwise: Node) -> None:
        """Guard ``then``."""
        super().__init__(then.dtype, (then, otherwise))
        self.conditions = tuple(conditions)


@final
class Philox(Node):
    """The random word at ``position`` of one execution: ``dovetail.ops.philox`` defines it.

    ``args`` are the key and the execution (uint64), then the index of each loop around, outermost first (int64); all of
    them are the same for the whole kernel. ``dtype`` is uint32 or uint64.
    """

    __slots__ = ("position",)

    def __init__(self, dtype: DType, args: Sequence[Node], position: Dim) -> None:
        """Make the word."""
        super().__init__(dtype, args)
        self.position = position


@final
class Local(Node):
    """A value that ``Let``, ``Reduction``, a loop or a template defines; a node like any other after that."""

    __slots__ = ("hint",)

    def __init__(self, dtype: DType, hint: str = "t") -> None:
        """Make a local value."""
        super().__init__(dtype)
        self.hint = hint


# Statements. ---------------------------------------------------------------------------------------------------------

LoopKind: TypeAlias = Literal["parallel", "serial", "vector"]
ReduceKind: TypeAlias = Literal["sum", "prod", "max", "min", "all", "any"]


@final
class Let:
    """``local = node``, evaluated once at this point."""

    __slots__ = ("local", "node")

    def __init__(self, local: Local, node: Node) -> None:
        """Define ``local``."""
        self.local = local
        self.node = node


@final
class Bind:
    """An index from data: ``symbol`` is the integer ``node``; the kernel fails unless ``0 <= node < size``.

    After a failure the symbol counts as 0, so that what follows reads no memory that is not there: where ``size`` is 0,
    nothing is read by it.
    """

    __slots__ = ("node", "size", "symbol")

    def __init__(self, symbol: Symbol, node: Node, size: Dim) -> None:
        """Bind ``symbol``."""
        self.symbol = symbol
        self.node = node
        self.size = size


@final
class Check:
    """The kernel fails unless the bool ``node`` holds. It runs on; the step ends before any state is written."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        """Demand ``node``."""
        self.node = node


@final
class Store:
    """``buffer[offset] = node``, or ``+=`` where ``add``; only where every one of ``conditions`` is at least 0.

    The node has the buffer's dtype. Two iterations of a parallel or vector loop never store to one place, but for
    ``add`` in a serial loop around.
    """

    __slots__ = ("add", "buffer", "conditions", "node", "offset")

    def __init__(
        self, buffer: Buffer, offset: Dim, node: Node, *, add: bool = False, conditions: Sequence[Dim] = ()
    ) -> None:
        """Store ``node``."""
        self.conditions = tuple(conditions)
        self.buffer = buffer
        self.offset = offset
        self.node = node
        self.add = add


@final
class Reduction:
    """Reductions over the same loops: after it, each local is the reduction of its node over all iterations.

    Attributes:
        results: for each, the local that it defines, how values are combined, and the node of one iteration. Over no
            iterations: 0, 1, the lowest, the highest, true, false. ``max`` and ``min`` give NaN if any value is.
        loops: symbol and extent, outermost first.
        vector: whether the last loop may run in vector lanes, combined at the end in an order that depends on the
            extent and the vector width alone; else all loops are serial (and values may be vectors of a loop around).
        setup: statements run in each iteration before the nodes.
    """

    __slots__ = ("loops", "results", "setup", "vector")

    def __init__(
        self,
        results: Sequence[tuple[Local, ReduceKind, Node]],
        loops: Sequence[tuple[Symbol, Dim]],
        *,
        vector: bool = False,
        setup: Sequence[Statement] = (),
    ) -> None:
        """Reduce."""
        self.results = tuple(results)
        self.loops = tuple(loops)
        self.vector = vector
        self.setup = tuple(setup)


@final
class Loop:
    """Runs ``body`` for every combination of values from 0 to the extents.

    Attributes:
        variables: symbol and extent, outermost first. A ``vector`` loop has one, a ``serial`` one with ``carried`` too.
        kind: ``parallel``: divided among threads, only outermost; ``serial``: in order; ``vector``: lanes of the one
            variable, in any order. In a vector loop there are no serial loops with stores to one place for two lanes.
        carried: locals that keep their value from one iteration to the next and after the loop, each with its first
            value; ``Assign`` in the body, at its end, gives the next. Only in serial loops.
        reverse: whether the values of the variables run down; only in serial loops.
    """

    __slots__ = ("body", "carried", "kind", "reverse", "variables")

    def __init__(
        self,
        variables: Sequence[tuple[Symbol, Dim]],
        body: Sequence[Statement],
        kind: LoopKind = "serial",
        *,
        carried: Sequence[tuple[Local, Node]] = (),
        reverse: bool = False,
    ) -> None:
        """Loop."""
        self.variables = tuple(variables)
        self.body = tuple(body)
        self.kind: LoopKind = kind
        self.carried = tuple(carried)
        self.reverse = reverse


@final
class While:
    """Runs ``body`` as long as ``condition``, a bool of the carried locals, holds; never in a vector loop."""

    __slots__ = ("body", "carried", "condition")

    def __init__(self, condition: Node, body: Sequence[Statement], carried: Sequence[tuple[Local, Node]]) -> None:
        """Loop while ``condition``."""
        self.condition = condition
        self.body = tuple(body)
        self.carried = tuple(carried)


@final
class Assign:
    """The next value of a local that the loop around carries; all assignments of an iteration count at once."""

    __slots__ = ("local", "node")

    def __init__(self, local: Local, node: Node) -> None:
        """Assign."""
        self.local = local
        self.node = node


Statement: TypeAlias = Let | Bind | Check | Store | Reduction | Loop | While | Assign

# Kernels. ------------------------------------------------------------------------------------------------------------


@final
class Buffer:
    """An array that a kernel works on.

    Attributes:
        dtype: the type of its elements in memory; bool is one byte, 0 or 1.
        size: how many elements.
        role: ``in`` is read, ``out`` written (and may be read after that by the same iteration of the parallel loop),
            ``inout`` read and written in place, each element by the iteration that writes it; ``scratch`` is private to
            a thread, and empty of meaning at the start of each iteration of the parallel loop.
    """

    __slots__ = ("dtype", "hint", "role", "size")

    def __init__(
        self, dtype: DType, size: Dim, role: Literal["in", "out", "inout", "scratch"], hint: str = "b"
    ) -> None:
        """Describe an array."""
        self.dtype = dtype
        self.size = size
        self.role = role
        self.hint = hint


@final
class Kernel:
    """Statements over buffers.

    Attributes:
        buffers: those that are handed to it, in order; ``scratch`` ones are among them, and are handed to it as well.
        sizes: the symbols, in order, whose values are handed to it as well.
        body: either one ``parallel`` loop, or statements that one thread runs.
        work: about how many scalar operations it is, to decide how many threads are worth their while.
        can_fail: whether a check in it may fail.
        label: what it does, for profiles.
    """

    __slots__ = ("body", "buffers", "can_fail", "label", "sizes", "work")

    def __init__(
        self,
        buffers: Sequence[Buffer],
        sizes: Sequence[Symbol],
        body: Sequence[Statement],
        *,
        work: Dim = 0,
        can_fail: bool = False,
        label: str = "",
    ) -> None:
        """Make a kernel."""
        self.buffers = tuple(buffers)
        self.sizes = tuple(sizes)
        self.body = tuple(body)
        self.work = work
        self.can_fail = can_fail
        self.label = label


@final
class Epilogue:
    """What is done to each element of a product before it is stored.

    Attributes:
        axes: the index along each axis of the template's output.
        result: the element, in the output's dtype (float32 for halves).
        body: lets and stores; a store's offset is in terms of ``axes`` and sizes, and different for different elements.
    """

    __slots__ = ("axes", "body", "result")

    def __init__(self, axes: Sequence[Symbol], result: Local, body: Sequence[Statement]) -> None:
        """Make an epilogue."""
        self.axes = tuple(axes)
        self.result = result
        self.body = tuple(body)


@final
class Template:
    """A product or convolution with an epilogue: what a backend has tuned routines for.

    Attributes:
        op: ``MatMul``, ``Conv``, ``ConvInputGrad`` or ``ConvFilterGrad``.
        inputs: types of its inputs.
        output: type of its result.
        operands: the buffers of its inputs, in order.
        buffers: all buffers in the order they are handed over: operands, then those of the epilogue.
        sizes: the symbols whose values are handed over.
        epilogue: stores the result.
        packed: for each input whether its contents change so rarely that a packed copy is worth keeping: a variable in
            a program that writes none, or what stays the same in all iterations of the loop around.
    """

    __slots__ = ("buffers", "epilogue", "inputs", "label", "op", "operands", "output", "packed", "sizes", "work")

    def __init__(
        self,
        op: Op,
        inputs: Sequence[TensorType],
        output: TensorType,
        operands: Sequence[Buffer],
        buffers: Sequence[Buffer],
        sizes: Sequence[Symbol],
        epilogue: Epilogue,
        *,
        packed: Sequence[bool] = (),
        work: Dim = 0,
        label: str = "",
    ) -> None:
        """Make a template."""
        self.op = op
        self.inputs = tuple(inputs)
        self.output = output
        self.operands = tuple(operands)
        self.buffers = tuple(buffers)
        self.sizes = tuple(sizes)
        self.epilogue = epilogue
        self.packed = tuple(packed)
        self.work = work
        self.label = label

    @property
    def can_fail(self) -> bool:
        """Whether a check in it may fail: never."""
        return False
