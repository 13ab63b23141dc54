"""The table of functions, and how a kernel calls them: private functions of the module, one per width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from dovetail import DType
from dovetail.kernels import Basis, basis
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.mathematics import circular, exponential, logarithm, remainders, special
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, vector

__all__ = ["call_function"]

Formula: TypeAlias = Callable[..., Term]


class _Entry(NamedTuple):
    """How a function is computed in float and in double, and whether it is so short that it is inlined."""

    single: Formula
    double: Formula
    short: bool = False


def _by_double(formula: Formula) -> Formula:
    """Compute a float function in double, and round once more."""

    def single(algebra: Algebra, *args: Term) -> Term:
        return formula(algebra, *(arg.double() for arg in args)).single()

    return single


def _in_double(formula: Formula) -> _Entry:
    return _Entry(_by_double(formula), formula)


_TABLE: Final[Mapping[Basis, _Entry]] = {
    basis.exp: _Entry(exponential.exp, exponential.exp, short=True),
    basis.expm1: _Entry(exponential.expm1, exponential.expm1),
    basis.sigmoid: _Entry(exponential.sigmoid, exponential.sigmoid, short=True),
    basis.tanh: _Entry(exponential.tanh_single, exponential.tanh, short=True),
    basis.sinh: _in_double(exponential.sinh),
    basis.cosh: _in_double(exponential.cosh),
    basis.log: _Entry(logarithm.log_single, logarithm.log, short=True),
    basis.log1p: _Entry(logarithm.log1p_single, logarithm.log1p),
    basis.asinh: _in_double(logarithm.asinh),
    basis.acosh: _in_double(logarithm.acosh),
    basis.atanh: _in_double(logarithm.atanh),
    basis.power: _Entry(logarithm.power_single, logarithm.power),
    basis.sin: _Entry(circular.sin_single, circular.sin),
    basis.cos: _Entry(circular.cos_single, circular.cos),
    basis.tan: _in_double(circular.tan),
    basis.asin: _in_double(circular.asin),
    basis.acos: _in_double(circular.acos),
    basis.atan: _in_double(circular.atan),
    basis.atan2: _in_double(circular.atan2),
    basis.erf: _Entry(special.erf_single, special.erf, short=True),
    basis.erfc: _Entry(special.erfc_single, special.erfc),
    basis.lgamma: _in_double(special.lgamma),
    basis.digamma: _in_double(special.digamma),
    basis.remainder: _Entry(remainders.remainder_single, remainders.remainder),
}


def call_function(algebra: Algebra, machine: Machine, function: Basis, dtype: DType, args: Sequence[Term]) -> Term:
    """Call a function of the table on terms of ``dtype``, at any width."""
    if dtype.is_integer:
        entry = _Entry(remainders.integer_power, remainders.integer_power)
    else:
        entry = _TABLE[function]
    formula = entry.double if dtype.size == 8 else entry.single
    native = machine.lanes(dtype.size)
    if entry.short or algebra.width <= native:
        return _call(algebra, function.name, formula, args, entry.short)
    return _in_parts(algebra, native, args, lambda part, terms: _call(part, function.name, formula, terms, False))


def _in_parts(
    algebra: Algebra, native: int, args: Sequence[Term], call: Callable[[Algebra, Sequence[Term]], Term]
) -> Term:
    """Call a long function on each native vector of wider terms, so that it is compiled for one width."""
    part = Algebra(algebra.function, native, algebra.fused)
    results = []
    for start in range(0, algebra.width, native):
        order = ", ".join(f"i32 {start + lane}" for lane in range(native))
        terms = []
        for arg in args:
            wide = vector(arg.type, algebra.width)
            text = f"shufflevector {wide} {arg.text}, {wide} poison, <{native} x i32> <{order}>"
            terms.append(part.emit(text, arg.type))
        results.append(call(part, terms).text)
    type, width = args[0].type, native
    while len(results) > 1:
        order = ", ".join(f"i32 {lane}" for lane in range(2 * width))
        one = vector(type, width)
        results = [
            algebra.function.value(f"shufflevector {one} {a}, {one} {b}, <{2 * width} x i32> <{order}>")
            for a, b in zip(results[::2], results[1::2], strict=True)
        ]
        width *= 2
    return algebra.term(results[0], type)


def _call(algebra: Algebra, name: str, formula: Formula, args: Sequence[Term], short: bool) -> Term:
    """Call a private function, which is written at its first use in the module."""
    type, width = args[0].type, algebra.width
    module = algebra.function.module
    full = f"dovetail.{name}.{type}.{width}"
    wide = vector(type, width)
    if all(function.name != full for function in module.functions):
        parameters = [(wide, f"x{place}") for place in range(len(args))]
        attributes = f"{'alwaysinline' if short else 'noinline'} nounwind memory(none)"
        written = Function(module, full, parameters, wide, attributes, private=True)
        inner = Algebra(written, width, algebra.fused)
        result = formula(inner, *(inner.term(f"%x{place}", type) for place in range(len(args))))
        written.ret(f"{wide} {result.text}")
    listed = ", ".join(f"{wide} {arg.text}" for arg in args)
    return algebra.emit(f"call {wide} @{full}({listed})", type)
