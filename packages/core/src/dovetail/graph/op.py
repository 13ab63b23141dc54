"""``Op``: the definition of an operation, its attributes and the contract that every kind keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.types.attributes import ArrayAttribute, check_attribute
from dovetail.types.dims import Dim, Symbol, SymbolicDim, evaluate, substitute, symbols_of
from dovetail.types.dtypes import DType
from dovetail.types.fields import Field, read_fields
from dovetail.types.shapes import Shape, TensorType

if TYPE_CHECKING:
    from dovetail.graph.operation import Tensor

__all__ = ["Array", "Body", "Op", "Sample", "Signature", "free_symbols"]

Array = np.ndarray[Any, np.dtype[Any]]
Signature = TensorType | tuple[TensorType, ...]
_WITHOUT_DIMS: Final = frozenset((bool, int, float, str, type(None), DType, ArrayAttribute))


@final
class Sample:
    """Inputs that exercise an operation; every generated test is fed from these.

    Attributes:
        op: the operation with its attributes.
        inputs: arrays, one for each input.
        wrt: inputs to differentiate; ``None`` is every floating one, ``()`` none.
        second_order: whether the second derivative exists at these inputs.
        tolerance: relative tolerance of backends in float32, where the default is too strict.
    """

    __slots__ = ("inputs", "op", "second_order", "tolerance", "wrt")

    def __init__(
        self,
        op: Op,
        *inputs: Any,
        wrt: tuple[int, ...] | None = None,
        second_order: bool = True,
        tolerance: float | None = None,
    ) -> None:
        """Collect a sample."""
        self.op = op
        self.inputs = inputs
        self.wrt = wrt
        self.second_order = second_order
        self.tolerance = tolerance

    def __repr__(self) -> str:
        """Show the operation and the types of the inputs; used as the name of a test."""
        kinds = ",".join(f"{np.asarray(x).dtype.name}{list(np.shape(x))}" for x in self.inputs)
        return f"{self.op}({kinds})".replace(" ", "")


class Body(ABC):
    """A function among the attributes of an operation, as a branch or the body of a loop: a subgraph, or a program."""

    __slots__ = ()

    @property
    @abstractmethod
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of the inputs."""

    @property
    @abstractmethod
    def output_types(self) -> tuple[TensorType, ...]:
        """Types of the outputs."""

    @property
    @abstractmethod
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that its inputs or attributes mention and that nothing inside determines."""

    @property
    @abstractmethod
    def effect(self) -> bool:
        """Whether something inside has an effect."""

    @property
    @abstractmethod
    def flops(self) -> Dim:
        """Floating-point operations of a run."""

    @abstractmethod
    def substitute(self, dims: Mapping[Symbol, Dim]) -> Body:
        """Return the body with symbols replaced by dimensions."""


def free_symbols(types: Iterable[TensorType], steps: Iterable[tuple[Op, Iterable[TensorType]]]) -> frozenset[Symbol]:
    """Return the symbols that a body mentions and does not determine itself.

    Args:
        types: types of its inputs.
        steps: its operations in order, each with the types of its outputs.
    """
    free = frozenset[Symbol]().union(*(one.shape.symbols for one in types))
    made: frozenset[Symbol] = frozenset()
    for op, outputs in steps:
        free |= op.symbols - made
        made = made.union(*(one.shape.symbols for one in outputs)) - free
    return free


def _symbols_in(value: Any) -> frozenset[Symbol]:
    if type(value) in _WITHOUT_DIMS:
        return frozenset()
    if isinstance(value, SymbolicDim):
        return symbols_of(value)
    if isinstance(value, Shape | Body | Op):
        return value.symbols
    if isinstance(value, TensorType):
        return value.shape.symbols
    if isinstance(value, tuple):
        return frozenset().union(*map(_symbols_in, value))
    return frozenset()


def _rewrite_dims(value: Any, rule: Callable[[SymbolicDim], Any], body: Callable[[Body], Body]) -> Any:
    if isinstance(value, SymbolicDim):
        return rule(value)
    if isinstance(value, Shape):
        return value if value.rank is None else Shape(_rewrite_dims(tuple(value.dims), rule, body))
    if isinstance(value, TensorType):
        return TensorType(value.dtype, _rewrite_dims(value.shape, rule, body))
    if isinstance(value, tuple):
        return tuple(_rewrite_dims(item, rule, body) for item in value)
    if isinstance(value, Op):
        return value._rewrite(rule, body)
    return body(value) if isinstance(value, Body) else value


class Op:
    """The definition of an operation.

    A subclass declares its attributes as annotated fields; instances are immutable, comparable and hashable. Applying
    an instance to tensors makes a node of the default graph: ``MatMul(transpose_a=True)(a, b)``.

    Class attributes:
        name: the operation's type, as shown in ``Operation.type``; the class's name unless given.
        domain: empty for core, else the plugin's top-level package.
        version: raised when the meaning of stored attributes changes.
        kind: ``"primitive"``, ``"composite"`` or ``"scalar"``.
        gradient: the reverse rule, or ``None`` where the operation has none.
        differentiable: false where the result is piecewise constant, so that gradients simply stop.
        gradient_without_ranks: whether the reverse rule also serves inputs of unknown rank.
        effect: whether it is kept although nobody takes its outputs (printing, asserting).
        passes_slices: whether the reverse rule takes ``IndexedSlices`` as they are.
        partial_gradient: whether the reverse rule is told by ``needed=`` which inputs' gradients are wanted, returns
            these only, and takes ``None`` for outputs that have no gradient.
        stateful: whether two equal nodes must stay two (state, effects, random numbers).
        free_shape: whether nothing but ``set_shape`` tells the shapes of its outputs; see ``free_dim``, ``with_types``.
    """

    name: ClassVar[str] = "Op"
    domain: ClassVar[str] = ""
    version: ClassVar[int] = 1
    kind: ClassVar[Literal["primitive", "composite", "scalar"]] = "primitive"
    fields: ClassVar[tuple[Field, ...]] = ()
    differentiable: ClassVar[bool] = True
    gradient_without_ranks: ClassVar[bool] = False
    stateful: ClassVar[bool] = False
    effect: ClassVar[bool] = False
    passes_slices: ClassVar[bool] = False
    partial_gradient: ClassVar[bool] = False
    free_shape: ClassVar[bool] = False
    gradient: ClassVar[Callable[..., Sequence[Tensor | None]] | None] = None
    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Read the fields of the class from its annotations."""
        super().__init_subclass__(**keywords)
        cls.fields = read_fields(cls, cls.fields)
        cls._names = tuple(field.name for field in cls.fields)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__
        module = cls.__module__.partition(".")[0]
        cls.domain = "" if module == "dovetail" else module

    def __init__(self, *args: Any, **attributes: Any) -> None:
        """Set the attributes, positional in the order of the fields.

        Raises:
            DTypeError: an attribute is missing, unknown, or of a kind that no attribute may have.
        """
        values = self.__dict__
        if len(args) > len(self._names):
            raise DTypeError(f"{self.name} takes {len(self._names)} attributes, {len(args)} were given.")
        for name, value in zip(self._names, args, strict=False):
            values[name] = value
        for field in self.fields:
            name = field.name
            if name in values:
                continue
            if name in attributes:
                values[name] = attributes.pop(name)
            elif field.required:
                raise DTypeError(f"{self.name} needs the attribute {name!r}.")
            else:
                values[name] = field.default
        if attributes:
            known = ", ".join(self._names) or "none"
            raise DTypeError(f"{self.name} has no attribute {next(iter(attributes))!r}; it has {known}.")
        for name in self._names:
            check_attribute(values[name], f"{self.name}.{name}")
        values["_hash"] = hash((type(self), *(values[name] for name in self._names)))
        values["_symbols"] = frozenset().union(*(_symbols_in(values[name]) for name in self._names))

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse: definitions are immutable."""
        raise AttributeError(f"{self.name} is immutable; use replace({name}=…) for a changed copy.")

    def __eq__(self, other: object) -> bool:
        """Compare class and attributes."""
        if self is other:
            return True
        if type(self) is not type(other) or self.__dict__["_hash"] != other.__dict__["_hash"]:
            return False
        mine, theirs = self.__dict__, other.__dict__
        return all(mine[name] == theirs[name] and type(mine[name]) is type(theirs[name]) for name in self._names)

    def __hash__(self) -> int:
        """Hash class and attributes."""
        result: int = self.__dict__["_hash"]
        return result

    def __str__(self) -> str:
        """Show the type and the attributes that differ from their defaults."""
        shown = [
            f"{field.name}={self.__dict__[field.name]!s}"
            for field in self.fields
            if field.required or self.__dict__[field.name] != field.default
        ]
        return f"{self.name}[{', '.join(shown)}]" if shown else self.name

    __repr__ = __str__

    def attributes(self) -> dict[str, Any]:
        """Return the attributes by name."""
        return {name: self.__dict__[name] for name in self._names}

    def replace(self, **changes: Any) -> Op:
        """Return a copy with some attributes changed."""
        return type(self)(**{**self.attributes(), **changes})

    @property
    def is_symbolic(self) -> bool:
        """Whether an attribute mentions a symbolic dimension."""
        return bool(self.__dict__["_symbols"])

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that its attributes mention."""
        result: frozenset[Symbol] = self.__dict__["_symbols"]
        return result

    def substitute(self, dims: Mapping[Symbol, Any]) -> Op:
        """Return the definition with symbols replaced by dimensions, in bodies too."""
        return self._rewrite(lambda dim: substitute(dim, dims), lambda body: body.substitute(dims))

    def bind(self, sizes: Mapping[Symbol, int]) -> Op:
        """Return the definition with every symbolic dimension replaced by its value; who runs bodies hands sizes on."""
        return self._rewrite(lambda dim: evaluate(dim, sizes), lambda body: body)

    def _rewrite(self, rule: Callable[[SymbolicDim], Any], body: Callable[[Body], Body]) -> Op:
        if not self.is_symbolic:
            return self
        return type(self)(**{name: _rewrite_dims(self.__dict__[name], rule, body) for name in self._names})

    def __call__(self, *inputs: Any, name: str | None = None) -> Any:
        """Make a node of the default graph.

        Returns:
            The output; a tuple where there are several; the operation where there is none.
        """
        from dovetail.graph.convert import convert_inputs
        from dovetail.graph.graph import get_default_graph

        node = get_default_graph().create(self, convert_inputs(self, inputs), name=name)
        if len(node.outputs) == 1:
            return node.outputs[0]
        return node.outputs or node

    # The contract. ---------------------------------------------------------------------------------------------------

    def default_name(self) -> str:
        """The name of a node that the user did not name."""
        return self.name

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Dtypes of the outputs; asked where the rank of an input is unknown."""
        return dtypes[:1]

    def infer(self, *types: Any) -> Signature:  # Any, so that an override may name its inputs
        """Types of the outputs from those of the inputs, whose ranks are known.

        Raises:
            ShapeError: the shapes do not fit.
            DTypeError: the dtypes do not fit.
        """
        raise InvalidArgumentError(f"{type(self).__name__} declares no type rule.")

    def infer_all(self, types: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Types of the outputs, also where ranks are unknown."""
        for one in types:
            if one.rank is None:
                return tuple(TensorType(dtype, Shape(None)) for dtype in self.dtypes(*(each.dtype for each in types)))
        result = self.infer(*types)
        return result if isinstance(result, tuple) else (result,)

    def reference(self, *arrays: Any, **bodies: Any) -> Any:
        """Compute the outputs with NumPy; attributes are concrete. This is the definition."""
        raise InvalidArgumentError(f"{type(self).__name__} has no reference.")

    def symbolic_value(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> Array | None:
        """The output as an object array of dimensions, where it is a small integer tensor known before it runs."""
        return None

    def resolve(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> tuple[Op, tuple[int, ...]] | None:
        """The operation to use instead once ``values`` are known, and which inputs it takes."""
        return None

    def free_dim(self, output: int, axis: int) -> Dim:
        """The size of an axis of an output of free shape, where only a run tells it."""
        raise InvalidArgumentError(f"{type(self).__name__} has no output of free shape.")

    def with_types(self, types: Sequence[TensorType]) -> Op:
        """The operation of free shape whose outputs have these types."""
        return self

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Floating-point operations: by default none, as for what only moves data."""
        return 0

    def passes_through(self, types: Sequence[TensorType]) -> int | None:
        """Which input the output equals whenever their types are equal; ``None`` where that depends on the values."""
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Inputs that exercise the operation."""
        return ()
