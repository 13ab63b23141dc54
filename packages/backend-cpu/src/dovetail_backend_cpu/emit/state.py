"""``State``: where a function stands while it is printed: scopes of indices and values, lanes, the guard over them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, final

from dovetail import DType
from dovetail.kernels import Buffer, Dim, Load, Local, Node, Symbol, symbols_of
from dovetail_backend_cpu.emit.indices import Indices, Place
from dovetail_backend_cpu.emit.types import Value, register_type, splat
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, Module, vector

__all__ = ["Lanes", "State"]

_SPARE_BYTES: Final = 512
"""As large as the widest vector: lanes that must not touch memory are sent here."""


@final
class Lanes:
    """Vector lanes over one loop variable.

    Attributes:
        symbol: the variable; lane l stands for its value plus l.
        width: how many lanes; 1 for the same code in scalars.
        mask: an i1 for each lane, whether it takes part; None where all do. At least one does.
    """

    __slots__ = ("mask", "symbol", "width")

    def __init__(self, symbol: Symbol, width: int, mask: str | None = None) -> None:
        """Describe lanes."""
        self.symbol = symbol
        self.width = width
        self.mask = mask


_scopes: Final[weakref.WeakKeyDictionary[Module, dict[Buffer, int]]] = weakref.WeakKeyDictionary()
# Alias scopes: buffers that are only read share one, and so do those that are written after the first few, for each
# access names all scopes that it does not touch.
_STATUS: Final = 0
_READ: Final = 1
_WRITTEN: Final = 2
_LAST: Final = 17


@final
class State:
    """What the printers of nodes and statements share.

    Attributes:
        function: the function that is printed.
        machine: what it is printed for.
        indices: the values of dimensions.
        lanes: the lanes in force, or None.
        guard: an i1 for each lane: those that may touch memory and fail; None where all may.
        sure: whether the guard holds in at least one lane.
    """

    def __init__(
        self,
        function: Function,
        machine: Machine,
        pointers: Mapping[Buffer, str],
        sizes: Mapping[Symbol, str],
        status: str,
    ) -> None:
        """Begin at the function's current point, outside all loops."""
        self.function = function
        self.machine = machine
        self.pointers = pointers
        self.sizes = sizes
        self.status = status
        self.lanes: Lanes | None = None
        self.guard: str | None = None
        self.sure = True
        self.indices = Indices(function)
        self.fragile: dict[Symbol, str] = {}
        self._memo: list[dict[Node, Value]] = [{}]
        self._splats: list[dict[tuple[str, str, int], str]] = [{}]
        self._reads: dict[Node, frozenset[Buffer]] = {}
        self._spare_place = function.reserve()
        self._spare = ""
        self._known = _scopes.setdefault(function.module, {})
        for buffer in pointers:
            if buffer.role != "in" and buffer not in self._known:
                self._known[buffer] = min(_WRITTEN + len(self._known), _LAST)

    @property
    def width(self) -> int:
        """The number of lanes, 1 outside of them."""
        return self.lanes.width if self.lanes is not None else 1

    def type(self, dtype: DType, value: Value) -> str:
        """Return the LLVM type of a value."""
        return vector(register_type(dtype), self.width if value.wide else 1)

    # Values. ----------------------------------------------------------------------------------------------------------

    def known(self, node: Node) -> Value | None:
        """Return the value of a node that is known here."""
        for memo in reversed(self._memo):
            found = memo.get(node)
            if found is not None:
                return found
        return None

    def define(self, node: Node, value: Value) -> Value:
        """Say what the value of a node is, until the region ends."""
        self._memo[-1][node] = value
        return value

    @contextmanager
    def region(self) -> Iterator[None]:
        """Forget at the end what was computed inside: it need not have run, or not for all lanes."""
        self._memo.append({})
        self._splats.append({})
        yield
        self._memo.pop()
        self._splats.pop()

    @contextmanager
    def scope(self, symbols: Mapping[Symbol, Place]) -> Iterator[None]:
        """Open a region in which these symbols have values."""
        self.indices.open(symbols)
        with self.region():
            yield
        self.indices.close()

    @contextmanager
    def in_lanes(self, lanes: Lanes) -> Iterator[None]:
        """Let these lanes be in force; the scope that binds their symbol is open."""
        before = self.lanes, self.guard, self.sure
        self.lanes, self.guard, self.sure = lanes, lanes.mask, True
        if lanes.width > 1:
            self.indices.begin_lanes(lanes.symbol)
        yield
        if lanes.width > 1:
            self.indices.end_lanes()
        self.lanes, self.guard, self.sure = before

    @contextmanager
    def guarded(self, mask: str) -> Iterator[None]:
        """Let only these lanes touch memory, of those that may."""
        before = self.guard, self.sure
        self.guard, self.sure = self.both(mask, self.guard), False
        with self.region():
            yield
        self.guard, self.sure = before

    def both(self, mask: str, other: str | None) -> str:
        """Return where two masks hold."""
        return mask if other is None else self.function.value(f"and {vector('i1', self.width)} {mask}, {other}")

    def written(self, buffers: frozenset[Buffer]) -> None:
        """Forget what was loaded from buffers that are written."""
        for memo in self._memo:
            for node in [node for node in memo if not isinstance(node, Local) and self.reads(node) & buffers]:
                del memo[node]

    def reads(self, node: Node) -> frozenset[Buffer]:
        """Return the buffers that are also written and that a node loads from."""
        found = self._reads.get(node)
        if found is None:
            stack = [node]
            while stack:
                top = stack[-1]
                missing = [arg for arg in top.args if arg not in self._reads]
                if missing:
                    stack += missing
                    continue
                stack.pop()
                own = {top.buffer} if isinstance(top, Load) and top.buffer.role != "in" else ()
                self._reads[top] = frozenset(own).union(*(self._reads[arg] for arg in top.args))
            found = self._reads[node]
        return found

    def widen(self, value: Value, dtype: DType) -> str:
        """Return a value in every lane."""
        return value.text if value.wide else self.splat(value.text, register_type(dtype))

    def splat(self, text: str, type: str) -> str:
        """Return a scalar in every lane."""
        width = self.width
        if width == 1:
            return text
        if text[0] != "%":
            return splat(text, type, width)
        key = text, type, width
        for known in reversed(self._splats):
            if key in known:
                return known[key]
        wide = vector(type, width)
        one = self.function.value(f"insertelement {wide} poison, {type} {text}, i64 0")
        result = self.function.value(f"shufflevector {wide} {one}, {wide} poison, <{width} x i32> zeroinitializer")
        self._splats[-1][key] = result
        return result

    def lane(self, text: str, type: str, lane: int) -> str:
        """Return one lane of a wide value."""
        return self.function.value(f"extractelement {vector(type, self.width)} {text}, i64 {lane}")

    def gather(self, parts: Sequence[str], type: str) -> str:
        """Return a vector of scalars, one for each lane."""
        result = "poison"
        for lane, part in enumerate(parts):
            result = self.function.value(
                f"insertelement {vector(type, self.width)} {result}, {type} {part}, i64 {lane}"
            )
        return result

    def any_lane(self, mask: str) -> str:
        """Return whether a mask holds in any lane."""
        if self.width == 1:
            return mask
        wide, name = vector("i1", self.width), f"llvm.vector.reduce.or.v{self.width}i1"
        self.function.module.declare(f"declare i1 @{name}({wide})")
        return self.function.value(f"call i1 @{name}({wide} {mask})")

    # Memory and failure. ----------------------------------------------------------------------------------------------

    def alias(self, buffer: Buffer | None) -> str:
        """Return the metadata of an access: it touches this buffer (None: the status word) and no other."""
        number = _STATUS if buffer is None else self._known.get(buffer, _READ)
        module = self.function.module
        count = min(_WRITTEN + len(self._known), _LAST + 1)
        module.declare("!9000 = distinct !{!9000}")
        for scope in range(count):
            module.declare(f"!{9001 + scope} = distinct !{{!{9001 + scope}, !9000}}")
        others = [f"!{9001 + scope}" for scope in range(count) if scope != number]
        noalias = f", !noalias !{{{', '.join(others)}}}" if others else ""
        return f", !alias.scope !{{!{9001 + number}}}{noalias}"

    def spare(self) -> str:
        """Return memory that lanes without a part may write."""
        if not self._spare:
            self._spare = f"%{self.function.fresh('spare')}"
            self.function.fill(self._spare_place, [f"{self._spare} = alloca [{_SPARE_BYTES} x i8], align 64"])
        return self._spare

    def zeros(self) -> str:
        """Return memory that lanes without a part may read."""
        self.function.module.declare(
            f"@dovetail.zeros = internal constant [{_SPARE_BYTES} x i8] zeroinitializer, align 64"
        )
        return "@dovetail.zeros"

    def fail_where(self, failed: str, wide: bool) -> None:
        """Fail where the i1, one for each lane if ``wide``, holds in a lane that may."""
        if self.guard is not None:
            mask = failed if wide else self.splat(failed, "i1")
            failed = self.any_lane(self.both(mask, self.guard))
        elif wide:
            failed = self.any_lane(failed)
        with self.function.when(failed):
            self.function.do(f"store i64 1, ptr {self.status}, align 8{self.alias(None)}")

    def sound(self, offset: Dim) -> str | None:
        """Return an i1, whether an offset has a place in memory even if it was bound from data; None if it has."""
        result: str | None = None
        for symbol in sorted(symbols_of(offset) & self.fragile.keys(), key=str):
            one = self.fragile[symbol]
            result = one if result is None else self.function.value(f"and i1 {result}, {one}")
        return result
