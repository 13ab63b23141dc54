"""``Algebra`` and ``Term``: vector instructions written as formulas, for the functions of the mathematics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, final

import numpy as np

from dovetail_backend_cpu.emit.types import splat
from dovetail_backend_cpu.llvm.text import Function, double, vector

__all__ = ["Algebra", "Number", "Term"]

Number: TypeAlias = "Term | float | int"
_SHORT: Final = {"float": "f32", "double": "f64"}


@final
class Algebra:
    """Writes instructions on ``width`` lanes at the current point of a function.

    Args:
        function: where they are written.
        width: how many lanes.
        fused: whether the machine has fused multiply-add; else ``fma`` is a product and a sum.
    """

    def __init__(self, function: Function, width: int, fused: bool) -> None:
        """Write to ``function``."""
        self.function = function
        self.width = width
        self.fused = fused

    def term(self, text: str, type: str) -> Term:
        """Take a value of the function: ``width`` lanes of ``type``."""
        return Term(self, text, type)

    def constant(self, value: float | int, type: str) -> Term:
        """Make a constant in every lane."""
        if type == "float":
            text = double(float(np.float32(value)))
        elif type == "double":
            text = double(float(value))
        elif type == "i1":
            text = "true" if value else "false"
        else:
            text = str(int(value))
        return Term(self, splat(text, type, self.width), type)

    def like(self, value: Number, other: Term) -> Term:
        """Return a term; a number becomes a constant of the other's type."""
        return value if isinstance(value, Term) else self.constant(value, other.type)

    def emit(self, text: str, type: str) -> Term:
        """Write an instruction whose result has ``type`` in each lane."""
        return Term(self, self.function.value(text), type)

    def intrinsic(self, name: str, *args: Term) -> Term:
        """Call an LLVM intrinsic that works lane by lane on terms of one type."""
        type = args[0].type
        wide = vector(type, self.width)
        suffix = _SHORT.get(type, type)
        suffix = suffix if self.width == 1 else f"v{self.width}{suffix}"
        self.function.module.declare(f"declare {wide} @llvm.{name}.{suffix}({', '.join([wide] * len(args))})")
        listed = ", ".join(f"{wide} {arg.text}" for arg in args)
        return self.emit(f"call {wide} @llvm.{name}.{suffix}({listed})", type)

    def fma(self, x: Number, y: Number, z: Number) -> Term:
        """Return x * y + z, rounded once where the machine can."""
        some = next(one for one in (x, y, z) if isinstance(one, Term))
        a, b, c = (self.like(one, some) for one in (x, y, z))
        return self.intrinsic("fma", a, b, c) if self.fused else a * b + c

    def horner(self, x: Term, coefficients: Sequence[float]) -> Term:
        """Return a polynomial, highest power first."""
        result = self.constant(coefficients[0], x.type)
        for coefficient in coefficients[1:]:
            result = self.fma(result, x, coefficient)
        return result

    def estrin(self, x: Term, coefficients: Sequence[float]) -> Term:
        """Return a polynomial, highest power first, by pairs: a shorter chain than Horner's."""
        terms: list[Term] = [self.constant(one, x.type) for one in reversed(coefficients)]
        power = x
        while len(terms) > 1:
            pairs = [
                self.fma(terms[i + 1], power, terms[i]) if i + 1 < len(terms) else terms[i]
                for i in range(0, len(terms), 2)
            ]
            if len(pairs) > 1:
                power = power * power
            terms = pairs
        return terms[0]

    def select(self, condition: Term, a: Number, b: Number) -> Term:
        """Return ``a`` where the condition holds, else ``b``."""
        some = a if isinstance(a, Term) else b
        assert isinstance(some, Term)
        first, second = self.like(a, some), self.like(b, some)
        wide = vector(first.type, self.width)
        text = f"select {vector('i1', self.width)} {condition.text}, {wide} {first.text}, {wide} {second.text}"
        return self.emit(text, first.type)

    def cast(self, operation: str, x: Term, type: str) -> Term:
        """Convert by an LLVM cast instruction."""
        return self.emit(f"{operation} {vector(x.type, self.width)} {x.text} to {vector(type, self.width)}", type)


@final
class Term:
    """A value in a formula: operators write instructions."""

    __slots__ = ("algebra", "text", "type")

    def __init__(self, algebra: Algebra, text: str, type: str) -> None:
        self.algebra = algebra
        self.text = text
        self.type = type

    @property
    def floating(self) -> bool:
        """Whether it is a real number."""
        return self.type in _SHORT

    def _binary(self, operation: str, left: Number, right: Number) -> Term:
        a, b = self.algebra.like(left, self), self.algebra.like(right, self)
        text = f"{operation} {vector(self.type, self.algebra.width)} {a.text}, {b.text}"
        return self.algebra.emit(text, self.type)

    def __add__(self, other: Number) -> Term:
        return self._binary("fadd" if self.floating else "add", self, other)

    def __radd__(self, other: Number) -> Term:
        return self._binary("fadd" if self.floating else "add", other, self)

    def __sub__(self, other: Number) -> Term:
        return self._binary("fsub" if self.floating else "sub", self, other)

    def __rsub__(self, other: Number) -> Term:
        return self._binary("fsub" if self.floating else "sub", other, self)

    def __mul__(self, other: Number) -> Term:
        return self._binary("fmul" if self.floating else "mul", self, other)

    def __rmul__(self, other: Number) -> Term:
        return self._binary("fmul" if self.floating else "mul", other, self)

    def __truediv__(self, other: Number) -> Term:
        return self._binary("fdiv", self, other)

    def __rtruediv__(self, other: Number) -> Term:
        return self._binary("fdiv", other, self)

    def __neg__(self) -> Term:
        if not self.floating:
            return 0 - self
        return self.algebra.emit(f"fneg {vector(self.type, self.algebra.width)} {self.text}", self.type)

    def __and__(self, other: Number) -> Term:
        return self._binary("and", self, other)

    def __or__(self, other: Number) -> Term:
        return self._binary("or", self, other)

    def __xor__(self, other: Number) -> Term:
        return self._binary("xor", self, other)

    def __invert__(self) -> Term:
        return self._binary("xor", self, 1 if self.type == "i1" else -1)

    def __lshift__(self, other: Number) -> Term:
        return self._binary("shl", self, other)

    def __rshift__(self, other: Number) -> Term:
        """Shift right, zeros in."""
        return self._binary("lshr", self, other)

    def arithmetic_shift(self, other: Number) -> Term:
        """Shift right, the sign in."""
        return self._binary("ashr", self, other)

    def compare(self, predicate: str, other: Number) -> Term:
        """Compare by an LLVM predicate."""
        b = self.algebra.like(other, self)
        operation = "fcmp" if self.floating else "icmp"
        wide = vector(self.type, self.algebra.width)
        return self.algebra.emit(f"{operation} {predicate} {wide} {self.text}, {b.text}", "i1")

    def __lt__(self, other: Number) -> Term:
        return self.compare("olt" if self.floating else "slt", other)

    def __le__(self, other: Number) -> Term:
        return self.compare("ole" if self.floating else "sle", other)

    def __gt__(self, other: Number) -> Term:
        return self.compare("ogt" if self.floating else "sgt", other)

    def __ge__(self, other: Number) -> Term:
        return self.compare("oge" if self.floating else "sge", other)

    def equals(self, other: Number) -> Term:
        """Compare for equality."""
        return self.compare("oeq" if self.floating else "eq", other)

    def is_nan(self) -> Term:
        """Tell whether it is NaN."""
        return self.compare("uno", self)

    def __abs__(self) -> Term:
        return self.algebra.intrinsic("fabs", self)

    def copysign(self, sign: Term) -> Term:
        """Return it with the sign of another."""
        return self.algebra.intrinsic("copysign", self, sign)

    def floor(self) -> Term:
        """Round down."""
        return self.algebra.intrinsic("floor", self)

    def trunc(self) -> Term:
        """Round toward zero."""
        return self.algebra.intrinsic("trunc", self)

    def rint(self) -> Term:
        """Round to the nearest integer, halves to even."""
        return self.algebra.intrinsic("roundeven", self)

    def sqrt(self) -> Term:
        """Return the square root."""
        return self.algebra.intrinsic("sqrt", self)

    def least(self, other: Number) -> Term:
        """Return the smaller; the other operand where this one is larger or NaN."""
        b = self.algebra.like(other, self)
        return self.algebra.select(self < b, self, b)

    def greatest(self, other: Number) -> Term:
        """Return the larger; the other operand where this one is smaller or NaN."""
        b = self.algebra.like(other, self)
        return self.algebra.select(self > b, self, b)

    def bits(self) -> Term:
        """Return the bits of a real number as an integer."""
        return self.algebra.cast("bitcast", self, "i32" if self.type == "float" else "i64")

    def real(self) -> Term:
        """Return the real number that has these bits."""
        return self.algebra.cast("bitcast", self, "float" if self.type == "i32" else "double")

    def single(self) -> Term:
        """Round a double to float."""
        return self.algebra.cast("fptrunc", self, "float")

    def double(self) -> Term:
        """Widen a float to double."""
        return self.algebra.cast("fpext", self, "double")

    def clamp(self, low: float, high: float) -> Term:
        """Return it within limits; NaN stays."""
        a, b = self.algebra.like(low, self), self.algebra.like(high, self)
        return b.least(a.greatest(self))
