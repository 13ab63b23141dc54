"""``TensorArray``: tensors of one shape by number, written and read one by one, as in a loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Sample
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.arithmetic import maximum
from dovetail.ops.broadcasting import BroadcastTo
from dovetail.ops.casting import cast
from dovetail.ops.constants import constant
from dovetail.ops.fills import zeros, zeros_like
from dovetail.ops.free_shapes import FreeShapes
from dovetail.ops.gather import gather
from dovetail.ops.joining import concat
from dovetail.ops.nest import Nested
from dovetail.ops.passing import identity
from dovetail.ops.reshaping import expand_dims, reshape
from dovetail.ops.scattering import ScatterUpdate
from dovetail.ops.shapes import shape
from dovetail.ops.sizes import Resolved, Types, Values, as_dim, concrete, known_elements, opaque_name
from dovetail.ops.state import no_op
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DTypeLike, as_dtype, int32, string
from dovetail.types.shapes import Shape

__all__ = ["ArrayBuffer", "TensorArray"]


@primitive
@final
class ArrayBuffer(FreeShapes):
    """Room for a ``TensorArray``: the first input in the shape that ``set_shape`` tells; the second counts."""

    differentiable = False

    def resolve(self, types: Types, values: Values) -> Resolved:
        """Once every size is known, repeat the first input."""
        (sizes,) = self.shapes
        if sizes is None or None in sizes:
            return None
        return BroadcastTo(tuple(size for size in sizes if size is not None)), (0,)

    def reference(self, fill: Array, size: Array) -> Array:
        """NumPy's ``full``."""
        (sizes,) = self.shapes
        if sizes is None:
            raise InvalidArgumentError(
                "TensorArray: nothing says what shape its elements have; write one, or give element_shape."
            )
        return np.full((int(size), *concrete(one for one in sizes[1:] if one is not None)), fill[()], fill.dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Known sizes."""
        yield Sample(cls("array.sample", (int32,), ((3, 2),)), np.int32(7), np.int32(3))


@final
class _Family:
    """What all arrays that came of one ``TensorArray`` share: the shape of the elements, once something says it."""

    __slots__ = ("count", "element", "sizes", "waiting")

    def __init__(self) -> None:
        self.element: Shape | None = None
        self.count: Dim = 0
        self.sizes: dict[Tensor, Dim] = {}
        self.waiting: list[Tensor] = []


@final
class TensorArray(Nested):
    """Tensors of one shape and dtype by number; each writing gives a new array, and the old one stays as it was.

    It may be among the variables of a loop, and gradients flow through it, to any order. An element that was never
    written is 0. All elements have one shape, which ``element_shape`` or the first writing says.

    Args:
        dtype: the dtype of the elements.
        size: how many there are: an int, a dimension or an integer scalar.
        dynamic_size: whether writing behind the end makes the array longer. In a loop, such an array is computed by the
            reference and has no gradient: an array whose size is known runs natively.
        clear_after_read: has no effect; here for TensorFlow 1 programs.
        tensor_array_name: has no effect; here for TensorFlow 1 programs.
        handle: must be ``None``.
        flow: a tensor that holds the elements already.
        infer_shape: has no effect: elements always have one shape.
        element_shape: the shape of the elements.
        colocate_with_first_write_call: has no effect; here for TensorFlow 1 programs.
        name: the scope of the nodes.

    Raises:
        InvalidArgumentError: neither ``size`` nor ``flow`` is given, or ``handle`` is.

    Example:
        >>> squares = dt.TensorArray(dt.float32, size=4)
        >>> _, squares = dt.while_loop(
        ...     lambda i, array: i < 4,
        ...     lambda i, array: (i + 1, array.write(i, dt.to_float(i * i))),
        ...     (0, squares),
        ... )
        >>> dt.Session().run(squares.stack())
        array([0., 1., 4., 9.], dtype=float32)
    """

    __slots__ = ("_dtype", "_dynamic", "_family", "_flow")

    def __init__(
        self,
        dtype: DTypeLike,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        """Make room."""
        if handle is not None:
            raise InvalidArgumentError("TensorArray: there are no handles here; leave it out, and pass flow.")
        if size is None and flow is None:
            raise InvalidArgumentError("TensorArray: give size, the number of elements.")
        self._dtype = as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._family = _Family()
        if flow is not None:
            self._flow = as_tensor(flow, self._dtype)
            self._family.element = self._flow.shape[1:] if self._flow.shape.rank is not None else None
            return
        count = as_dim(size, "TensorArray: size")
        fill = constant(b"" if self._dtype is string else np.zeros((), self._dtype.numpy))
        op = ArrayBuffer(label=opaque_name(name or "TensorArray"), kinds=(self._dtype,), shapes=(None,))
        self._flow = op(fill, as_tensor(size if count is None else count), name=name or "TensorArray")
        self._family.count = op.free_dim(0, 0) if count is None else count
        self._family.waiting.append(self._flow)
        if element_shape is not None and (isinstance(element_shape, Shape) or None not in list(element_shape)):
            self._learn(get_default_graph().make_shape(element_shape))

    # What structures take apart. -------------------------------------------------------------------------------------

    def parts(self) -> list[Any]:
        """Return the tensor that holds the elements."""
        return [self._flow]

    def with_parts(self, parts: list[Any]) -> TensorArray:
        """Return an array of the same kind whose elements another tensor holds."""
        (flow,) = parts
        return self._with(as_tensor(flow))

    @property
    def grows(self) -> bool:
        """Whether its size is dynamic."""
        return self._dynamic

    def in_loop(self, part: Any, size: Any) -> None:
        """Note how many elements it has in a loop."""
        self._family.sizes[part] = size

    def _with(self, flow: Tensor) -> TensorArray:
        result: TensorArray = object.__new__(TensorArray)
        result._dtype, result._dynamic, result._family, result._flow = self._dtype, self._dynamic, self._family, flow
        if flow.shape.rank is None:
            self._family.waiting.append(flow)
        return result

    def _learn(self, element: Shape) -> None:
        """Note the shape of the elements: all arrays of the family now have it, loops' variables among them."""
        family = self._family
        if family.element is None and element.rank is not None:
            family.element = element
            for tensor in family.waiting:
                tensor.set_shape([family.sizes.get(tensor, family.count), *element.dims])
            family.waiting.clear()

    # What it is. -----------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self._dtype

    @property
    def flow(self) -> Tensor:
        """The tensor that holds the elements, one after the other along its first axis."""
        return self._flow

    @property
    def handle(self) -> None:
        """Always ``None``; here for TensorFlow 1 programs."""
        return

    @property
    def dynamic_size(self) -> bool:
        """Whether writing behind the end makes the array longer."""
        return self._dynamic

    @property
    def element_shape(self) -> Shape:
        """The shape of the elements; of unknown rank before anything says it."""
        return Shape(None) if self._family.element is None else self._family.element

    def __repr__(self) -> str:
        """Show what it holds."""
        return f"<dovetail.TensorArray {self._dtype.name}{self._flow.shape}>"

    # Writing. --------------------------------------------------------------------------------------------------------

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return an array with another element at ``index``.

        Raises:
            DTypeError: the dtype is not that of the array.
            ShapeError: the shape is not that of the other elements.
            OperationError: when run, the index is out of range.
        """
        element = self._element("write", value)
        place = as_tensor(index)
        if place.shape.rank is not None and place.shape.rank != 0:
            raise ShapeError(f"TensorArray.write: the index is {place.type}; give a scalar, or use scatter.")
        with get_default_graph().name_scope(name or "TensorArrayWrite"):
            longer = self._grown(index)
            flow = ScatterUpdate()(longer, expand_dims(place, 0), expand_dims(element, 0))
        return self._with(flow)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return an array with the rows of ``value`` as elements at ``indices``."""
        rows = self._rows("scatter", value)
        with get_default_graph().name_scope(name or "TensorArrayScatter"):
            return self._with(ScatterUpdate()(self._flow, as_tensor(indices), rows))

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Return an array with the rows of ``value`` as elements, from the first on.

        Raises:
            ShapeError: there are not as many rows as elements, of an array whose size is not dynamic.
        """
        rows = self._rows("unstack", value)
        have, want = rows.shape[0], self._flow.shape[0]
        if not self._dynamic and isinstance(have, int) and isinstance(want, int) and have != want:
            raise ShapeError(
                f"TensorArray.unstack: the value is {rows.type}, but the array has {want} elements. Give as many rows, "
                f"or make the array with dynamic_size=True."
            )
        return self._with(identity(rows, name=name or "TensorArrayUnstack"))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Return an array whose elements are parts of ``value`` along its first axis, of equal ``lengths``.

        Raises:
            InvalidArgumentError: the lengths are not known while the graph is built, or differ.
        """
        x = as_tensor(value, self._dtype)
        known = known_elements(lengths, "TensorArray.split: lengths")
        sizes = None if known is None else known.reshape(-1).tolist()
        if not sizes or any(size != sizes[0] for size in sizes):
            raise InvalidArgumentError(
                f"TensorArray.split: the lengths are {sizes}; elements have one shape here, so give equal lengths that "
                f"are known while the graph is built."
            )
        return self.unstack(reshape(x, (len(sizes), sizes[0], *x.shape.dims[1:])), name=name or "TensorArraySplit")

    def identity(self) -> TensorArray:
        """Return the array as nodes of its own, that take part in control dependencies."""
        return self._with(identity(self._flow))

    # Reading. --------------------------------------------------------------------------------------------------------

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Return the element at ``index``."""
        return gather(self._flow, as_tensor(index), name=name or "TensorArrayRead")

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the elements at ``indices``, in a tensor."""
        return gather(self._flow, as_tensor(indices), name=name or "TensorArrayGather")

    def stack(self, name: str | None = None) -> Tensor:
        """Return all elements, one after the other along a new first axis.

        Raises:
            ShapeError: nothing says the shape of the elements.
        """
        if self._flow.shape.rank is None:
            raise ShapeError(
                "TensorArray.stack: nothing says what shape the elements have. Write one, or give element_shape."
            )
        return identity(self._flow, name=name or "TensorArrayStack")

    def concat(self, name: str | None = None) -> Tensor:
        """Return all elements, one after the other along their first axis.

        Raises:
            ShapeError: the elements are scalars, or nothing says their shape.
        """
        dims = self._flow.shape
        if dims.rank is None or dims.rank < 2:
            raise ShapeError(
                f"TensorArray.concat: the elements have shape {self.element_shape}; they need a first axis. Use stack."
            )
        return reshape(self._flow, (dims[0] * dims[1], *dims.dims[2:]), name=name or "TensorArrayConcat")

    def size(self, name: str | None = None) -> Tensor:
        """Return the number of elements, an int32."""
        return shape(self._flow, name=name or "TensorArraySize")[0]

    def close(self, name: str | None = None) -> Operation:
        """Return an operation that does nothing: memory is given up by itself."""
        return no_op(name=name)

    # Helpers. --------------------------------------------------------------------------------------------------------

    def _element(self, method: str, value: Any) -> Tensor:
        x = as_tensor(value, None if isinstance(value, Tensor) else self._dtype)
        self._check(method, x, x.shape)
        return x

    def _rows(self, method: str, value: Any) -> Tensor:
        x = as_tensor(value, None if isinstance(value, Tensor) else self._dtype)
        if x.shape.rank == 0:
            raise ShapeError(f"TensorArray.{method}: the value is {x.type}; give the elements along a first axis.")
        self._check(method, x, Shape(None) if x.shape.rank is None else Shape(x.shape.dims[1:]))
        return x

    def _check(self, method: str, x: Tensor, element: Shape) -> None:
        if x.dtype is not self._dtype:
            raise DTypeError(
                f'TensorArray.{method}: "{x.name}" is {x.type}, the array holds {self._dtype.name}. Use dt.cast.'
            )
        self._learn(element)
        if self._family.element is not None and not self._family.element.is_compatible_with(element):
            raise ShapeError(
                f'TensorArray.{method}: "{x.name}" is {x.type}, but the elements have shape '
                f"{self._family.element}; all have one shape. Reshape it, or use another array."
            )

    def _grown(self, index: Any) -> Tensor:
        """Return the tensor that holds the elements, made longer where the size is dynamic and the place behind it."""
        if not self._dynamic or self._flow.shape.rank is None:
            return self._flow
        count, *rest = self._flow.shape.dims
        place = as_dim(index, "TensorArray.write: index")
        if isinstance(count, int) and isinstance(place, int):
            more: Any = max(place + 1 - count, 0)
        else:
            behind = cast(as_tensor(index), int32) + 1 - shape(self._flow)[0]
            more = maximum(behind, zeros_like(behind))
        return (
            self._flow
            if isinstance(more, int) and more == 0
            else concat([self._flow, zeros([more, *rest], self._dtype)], 0)
        )
