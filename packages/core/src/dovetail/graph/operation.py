"""``Operation``, a node of a graph, and ``Tensor``, one of its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, final

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.op import Array, Op
from dovetail.graph.operators import TensorOperators
from dovetail.graph.source import Source
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Shape, TensorType

if TYPE_CHECKING:
    from dovetail.graph.graph import Graph
    from dovetail.graph.layercall import LayerCall

__all__ = ["Operation", "Tensor"]


@final
class Operation:
    """A node of a graph: a definition applied to tensors.

    Attributes:
        graph: the graph it belongs to.
        definition: what it computes, with its attributes.
        inputs, outputs: tensors.
        control_inputs: operations that run before it.
        name: unique in the graph, scopes separated by ``/``.
        index: its place in the order of creation.
        stable_id: 64 bits that name the operation for random numbers; saved with the graph.
        device: the device string asked for; empty for no wish.
        source: the user's line.
        layer: the layer call that made it, if one did.
    """

    __slots__ = (
        "__weakref__",
        "control_inputs",
        "definition",
        "device",
        "graph",
        "index",
        "inputs",
        "layer",
        "name",
        "outputs",
        "source",
        "stable_id",
    )

    graph: Graph
    definition: Op
    inputs: tuple[Tensor, ...]
    control_inputs: tuple[Operation, ...]
    outputs: tuple[Tensor, ...]
    name: str
    index: int
    stable_id: int
    device: str
    source: Source
    layer: LayerCall | None

    @property
    def type(self) -> str:
        """The name of the definition, such as ``"MatMul"``."""
        return self.definition.name

    @property
    def node_def(self) -> str:
        """The node as one line of text."""
        inputs = ", ".join(tensor.name for tensor in self.inputs)
        return f"{self.name} = {self.definition}({inputs})"

    def get_attr(self, name: str) -> Any:
        """Return an attribute by name.

        Raises:
            InvalidArgumentError: the definition has no such attribute.
        """
        attributes = self.definition.attributes()
        if name not in attributes:
            known = ", ".join(attributes) or "none"
            raise InvalidArgumentError(f"{self.name} ({self.type}) has no attribute {name!r}; it has {known}.")
        return attributes[name]

    def values(self) -> tuple[Tensor, ...]:
        """Return the outputs."""
        return self.outputs

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in ``session``, or in the default session."""
        from dovetail.graph.graph import default_session

        default_session(session, self).run(self, feed_dict)

    def where(self) -> str:
        """Name the node and its line, for messages."""
        return f'(node "{self.name}" made at {self.source})'

    def __repr__(self) -> str:
        """Show name and type."""
        return f"<dovetail.Operation '{self.name}' type={self.type}>"


@final
class Tensor(TensorOperators):
    """One output of an operation: a value that will exist when a session runs it.

    Attributes:
        op: the operation that makes it.
        value_index: which of the operation's outputs it is.
        type: dtype and shape.
        symbolic_value: for small integer tensors known before they run, their elements as dimensions.
    """

    __slots__ = ("__weakref__", "_consumers", "op", "symbolic_value", "type", "value_index")

    op: Operation
    value_index: int
    type: TensorType
    symbolic_value: Array | None

    def __init__(self, op: Operation, value_index: int, type: TensorType) -> None:
        """Make an output; only graphs do."""
        self.op = op
        self.value_index = value_index
        self.type = type
        self.symbolic_value = None
        self._consumers: list[Operation] = []

    @property
    def graph(self) -> Graph:
        """The graph it belongs to."""
        return self.op.graph

    @property
    def name(self) -> str:
        """``scope/op:0``."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.type.dtype

    @property
    def shape(self) -> Shape:
        """The shape; dimensions are ints or symbolic."""
        return self.type.shape

    @property
    def device(self) -> str:
        """The device string asked for."""
        return self.op.device

    def get_shape(self) -> Shape:
        """Return the shape, as TensorFlow 1 names it, of dimensions that have a ``value``."""
        return self.type.shape.of_dimensions()

    def set_shape(self, shape: Any) -> None:
        """Narrow the shape to what it is known to be.

        Raises:
            ShapeError: the shapes contradict each other.
        """
        if isinstance(shape, (list, tuple)) and None in shape:
            own = self._own_sizes(len(shape))
            shape = [mine if dim is None else dim for mine, dim in zip(own, shape, strict=True)]
        merged = self.type.shape.merge_with(self.op.graph.make_shape(shape, self.op.name))
        self.type = TensorType(self.type.dtype, merged)

    def _own_sizes(self, rank: int) -> list[Any]:
        """Return what ``None`` in a shape that is given stands for: what is known, or a size yet to be named."""
        if self.type.rank == rank:
            return list(self.type.dims)
        if self.op.definition.free_shape:
            return [self.op.definition.free_dim(self.value_index, axis) for axis in range(rank)]
        return [None] * rank

    def consumers(self) -> list[Operation]:
        """Return the operations that take this tensor."""
        return list(self._consumers)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Compute the value in ``session``, or in the default session."""
        from dovetail.graph.graph import default_session

        return default_session(session, self.op).run(self, feed_dict)

    def __hash__(self) -> int:
        """Hash by identity: a tensor is a place in a graph."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Compare by identity, as TensorFlow 1 does; ``dt.equal`` compares values."""
        return self is other

    def __bool__(self) -> bool:
        """Refuse: the value is known only when a session runs."""
        raise DTypeError(
            f'tensor "{self.name}" has no truth value while the graph is built; use dt.cond or dt.where, '
            f"or compare with `is None`. {self.op.where()}"
        )

    def __iter__(self) -> Iterator[Any]:
        """Yield the slices along the first axis, whose size must be known."""
        if self.shape.rank is None or self.shape.rank == 0 or not isinstance(self.shape.dims[0], int):
            raise DTypeError(
                f'tensor "{self.name}" of type {self.type} cannot be iterated: its first dimension is not known '
                f"while the graph is built; use dt.map_fn or dt.while_loop. {self.op.where()}"
            )
        return (self[i] for i in range(self.shape.dims[0]))

    def __len__(self) -> int:
        """Return the first dimension, which must be known."""
        if self.shape.rank is None or self.shape.rank == 0 or not isinstance(self.shape.dims[0], int):
            raise ShapeError(f'tensor "{self.name}" of type {self.type} has no known length. {self.op.where()}')
        return self.shape.dims[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refuse: NumPy cannot see a value that does not exist yet."""
        raise DTypeError(
            f'tensor "{self.name}" is a node of a graph, not an array; use the dt function instead of NumPy\'s, or '
            f"session.run to get an array. {self.op.where()}"
        )

    def __repr__(self) -> str:
        """Show name, shape and dtype."""
        return f"<dovetail.Tensor '{self.name}' {self.type}>"
