"""``PhaseWriter``: a function of a template that is being written, its arguments and the usual index arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, final

from dovetail.kernels import Atom, Dim, FloorDiv, Max, Min, Symbol, SymbolicDim, Template
from dovetail_backend_cpu.emit.body import Body, Lanes
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, Module

__all__ = ["PhaseWriter", "Value"]

_METADATA: Final = 900_000
"""Numbers of metadata begin here, where they meet no other's."""

Value: TypeAlias = int | str
"""An i64 that is known now, or the name of one that is computed."""


@final
class PhaseWriter:
    """A function with the signature of a phase; its arguments are loaded at its start.

    Attributes:
        write: the function.
        template: what it is part of.
        machine: what it is made for.
        scratch: the pointer of the thread's private memory.
        workspace: the pointer of the shared memory; empty if there is none.
    """

    def __init__(
        self,
        module: Module,
        template: Template,
        name: str,
        machine: Machine,
        *,
        workspace: bool,
        extra: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        """Begin the function; with ``extra`` parameters in place of the thread's, it is private to the module."""
        parameters = [("ptr", "frame"), ("ptr", "slots")]
        parameters += [("i64", "thread"), ("i64", "threads")] if extra is None else extra
        attributes = "" if extra is None else "noinline"
        self.write = Function(module, name, parameters, attributes=attributes, private=extra is not None)
        self.template = template
        self.machine = machine
        self._loops = _METADATA + 10_000 * len(module.functions)
        count = len(template.buffers)
        words = [self._word(place) for place in range(count + len(template.sizes) + workspace)]
        pointers = {
            buffer: self.write.value(f"inttoptr i64 {word} to ptr")
            for buffer, word in zip(template.buffers, words, strict=False)
        }
        self._operands = [pointers[buffer] for buffer in template.operands]
        self._sizes: dict[Symbol, str] = dict(zip(template.sizes, words[count:], strict=False))
        self._dims: dict[Dim, str] = {}
        self.workspace = self.write.value(f"inttoptr i64 {words[-1]} to ptr") if workspace else ""
        status = self._from_frame(0)
        self.scratch = self._from_frame(1)
        self._body = Body(self.write, machine, pointers, self._sizes, status)

    def _word(self, place: int) -> str:
        slot = self.write.value(f"getelementptr i32, ptr %slots, i64 {place}")
        index = self.write.value(f"load i32, ptr {slot}, align 4")
        word = self.write.value(f"getelementptr i64, ptr %frame, i32 {index}")
        return self.write.value(f"load i64, ptr {word}, align 8")

    def _from_frame(self, place: int) -> str:
        word = self.write.value(f"getelementptr i64, ptr %frame, i64 {place}")
        return self.write.value(f"load ptr, ptr {word}, align 8")

    def operand(self, index: int) -> str:
        """Return the pointer of an input."""
        return self._operands[index]

    # Arithmetic of i64, folded where both sides are known. ------------------------------------------------------------

    def add(self, left: Value, right: Value) -> Value:
        """Add."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if left == 0 or right == 0:
            return right if left == 0 else left
        return self.write.value(f"add nsw i64 {left}, {right}")

    def subtract(self, left: Value, right: Value) -> Value:
        """Subtract."""
        if isinstance(left, int) and isinstance(right, int):
            return left - right
        return left if right == 0 else self.write.value(f"sub nsw i64 {left}, {right}")

    def multiply(self, left: Value, right: Value) -> Value:
        """Multiply."""
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        if left in (0, 1) or right in (0, 1):
            return 0 if 0 in (left, right) else right if left == 1 else left
        return self.write.value(f"mul nsw i64 {left}, {right}")

    def divide(self, left: Value, right: Value) -> Value:
        """Divide a number of at least 0, rounding down; by a symbolic 0 as by 1."""
        if isinstance(left, int) and isinstance(right, int):
            return left // right
        if right == 1 or left == 0:
            return left
        if not isinstance(right, int):
            right = self.maximum(right, 1)
        return self.write.value(f"udiv i64 {left}, {right}")

    def divide_up(self, left: Value, right: Value) -> Value:
        """Divide a number of at least 0, rounding up."""
        if right == 1:
            return left
        return self.divide(self.add(left, self.subtract(right, 1)), right)

    def split(self, value: Value, by: Value) -> tuple[Value, Value]:
        """Return quotient and remainder of a number of at least 0."""
        quotient = self.divide(value, by)
        return quotient, self.subtract(value, self.multiply(quotient, by))

    def minimum(self, left: Value, right: Value) -> Value:
        """Return the less."""
        return self._extreme("smin", left, right)

    def maximum(self, left: Value, right: Value) -> Value:
        """Return the greater."""
        return self._extreme("smax", left, right)

    def _extreme(self, which: str, left: Value, right: Value) -> Value:
        if isinstance(left, int) and isinstance(right, int):
            return min(left, right) if which == "smin" else max(left, right)
        return left if left == right else self.write.call("i64", f"llvm.{which}.i64", f"i64 {left}", f"i64 {right}")

    def compare(self, how: str, left: Value, right: Value) -> str:
        """Return an i1: ``how`` is one of LLVM's predicates, such as ``slt``."""
        return self.write.value(f"icmp {how} i64 {left}, {right}")

    def select(self, condition: str, then: Value, otherwise: Value) -> Value:
        """Choose."""
        return self.write.value(f"select i1 {condition}, i64 {then}, i64 {otherwise}")

    def floor_divide(self, left: Value, right: Value) -> Value:
        """Divide, rounding down; the divisor is positive, or counts as 1."""
        if isinstance(left, int) and isinstance(right, int):
            return left // max(right, 1)
        if not isinstance(right, int):
            right = self.maximum(right, 1)
        if right == 1:
            return left
        quotient = self.write.value(f"sdiv i64 {left}, {right}")
        rest = self.write.value(f"srem i64 {left}, {right}")
        borrow = self.write.value(f"ashr i64 {rest}, 63")
        return self.write.value(f"add i64 {quotient}, {borrow}")

    def dim(self, dim: Dim) -> Value:
        """Return the value of a dimension in terms of the template's sizes; computed where it is first asked for.

        Ask in the function's first block, so that the value is known in all others.
        """
        if isinstance(dim, int):
            return dim
        known = self._dims.get(dim)
        if known is None:
            known = self._dims[dim] = str(self._compute(dim))
        return known

    def _compute(self, dim: SymbolicDim) -> Value:
        if isinstance(dim, Symbol):
            return self._sizes[dim]
        if isinstance(dim, FloorDiv):
            return self.floor_divide(self.dim(dim.numerator), self.dim(dim.denominator))
        if isinstance(dim, Max | Min):
            first, *others = map(self.dim, dim.args)
            for other in others:
                first = self.maximum(first, other) if isinstance(dim, Max) else self.minimum(first, other)
            return first
        total: Value = 0
        for monomial, coefficient in dim.terms:
            term: Value = coefficient
            for atom in monomial:
                term = self.multiply(term, self._atom(atom))
            total = self.add(total, term)
        return total

    def _atom(self, atom: Atom) -> Value:
        return self.dim(atom)

    def product(self, dims: Sequence[Dim]) -> Value:
        """Return the product of dimensions."""
        result: Value = 1
        for one in dims:
            result = self.multiply(result, self.dim(one))
        return result

    # Memory and work. -------------------------------------------------------------------------------------------------

    def at(self, type: str, pointer: str, *offsets: Value) -> str:
        """Return the pointer some elements of ``type`` after ``pointer``."""
        total: Value = 0
        for offset in offsets:
            total = self.add(total, offset)
        return pointer if total == 0 else self.write.value(f"getelementptr {type}, ptr {pointer}, i64 {total}")

    def share(self, total: Value) -> tuple[str, str]:
        """Return where this thread's part of so many units of work starts and stops."""
        start = self.write.value(f"udiv i64 {self.write.value(f'mul i64 {total}, %thread')}, %threads")
        after = self.write.value("add i64 %thread, 1")
        stop = self.write.value(f"udiv i64 {self.write.value(f'mul i64 {total}, {after}')}, %threads")
        return start, stop

    def segments(self, start: Value, stop: Value, size: Value) -> tuple[str, str]:
        """Return the first segment, of so many units each, that a part of the work meets, and one after the last."""
        size = self.maximum(size, 1)
        first = self.divide(start, size)
        some = self.compare("slt", start, stop)
        return str(first), str(self.select(some, self.divide_up(stop, size), first))

    def within(self, segment: Value, start: Value, stop: Value, size: Value) -> tuple[Value, Value]:
        """Return the units of a segment, counted from its own first, that belong to a part of the work."""
        before = self.multiply(segment, size)
        return self.maximum(self.subtract(start, before), 0), self.minimum(self.subtract(stop, before), size)

    def no_unrolling(self) -> str:
        """Return metadata for a loop whose body is long enough."""
        return ", !llvm.loop " + self._loop_metadata()

    def _loop_metadata(self) -> str:
        self.write.module.declare(f'!{_METADATA} = !{{!"llvm.loop.unroll.disable"}}')
        self._loops += 1
        self.write.module.declare(f"!{self._loops} = distinct !{{!{self._loops}, !{_METADATA}}}")
        return f"!{self._loops}"

    def finish(self, indices: Mapping[Symbol, Value], lanes: Lanes | None, result: str) -> None:
        """Run the epilogue for one element, or for lanes along the last axis."""
        epilogue = self.template.epilogue
        named = {symbol: str(value) for symbol, value in indices.items()}
        self._body.run(epilogue.body, named, lanes, {epilogue.result: result})
