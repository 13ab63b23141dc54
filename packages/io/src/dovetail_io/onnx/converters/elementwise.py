"""Scalar operations: each function of an expression as an operator, or as a few."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import numpy as np

import dovetail as dt
from dovetail.extend import DType, ScalarOp, basis, definitions, expressions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of

__all__ = ["convert", "scalar"]

Function = Callable[..., Value]


def scalar(to: Builder, op: ScalarOp, *inputs: Value) -> Value:
    """Convert any scalar operation from its expression."""
    return _Writer(to, op, inputs).result()


@converter_of("", "Relu")
def _relu(to: Builder, op: ScalarOp, x: Value) -> Value:
    if x.dtype.is_floating or x.dtype in (dt.int8, dt.int32):
        return to.node("Relu", x)
    return scalar(to, op, x)


@converter(definitions.Identity, definitions.StopGradient)
def _identity(to: Builder, op: definitions.Identity, x: Value) -> Value:
    return to.node("Identity", x, type=x.type)


@final
class _Writer:
    """Writes one expression; half floats are computed in float32 where there is more than one function."""

    def __init__(self, to: Builder, op: ScalarOp, inputs: Sequence[Value]) -> None:
        self.to = to
        self.inputs = inputs
        self.root = expressions.simplify(op.scalar_expression)
        self.found = expressions.dtypes_of(self.root, [x.dtype for x in inputs])
        functions = sum(isinstance(node, expressions.Apply) for node in expressions.nodes_of(self.root))
        self.wide = functions > 1
        self.written: dict[tuple[expressions.Expression, DType], Value] = {}

    def result(self) -> Value:
        """Write the whole."""
        dtype = expressions.settled(self.found[self.root])
        value = self.to.cast(self.value(self.root, dtype), dtype)
        return (
            self.to.node("Identity", value, type=value.type)
            if value in self.inputs or value.array is not None
            else value
        )

    def computed(self, dtype: DType) -> DType:
        """The dtype in which numbers of ``dtype`` are computed."""
        return dt.float32 if self.wide and dtype.is_half else dtype

    def value(self, node: expressions.Expression, dtype: DType) -> Value:
        """Write a subexpression, of which ``dtype`` is wanted."""
        known = self.written.get((node, dtype))
        if known is None:
            known = self.written[node, dtype] = self._write(node, dtype)
        return known

    def _write(self, node: expressions.Expression, dtype: DType) -> Value:
        if isinstance(node, expressions.Input):
            return self.to.cast(self.inputs[node.index], self.computed(dtype))
        if isinstance(node, expressions.Literal):
            with np.errstate(over="ignore"):
                return self.to.constant(np.asarray(node.value).astype(self.computed(dtype).numpy))
        if isinstance(node, expressions.Convert):
            source = self._source(node)
            return self.to.cast(convert(self.to, self.value(node.arg, source), node.dtype), self.computed(node.dtype))
        assert isinstance(node, expressions.Apply)
        return self._apply(node, dtype)

    def _source(self, node: expressions.Convert) -> DType:
        """The dtype of what is converted; a number takes the target's, so that nothing is lost."""
        own = self.found[node.arg]
        if isinstance(own, DType):
            return own
        if own is bool:
            return dt.bool
        return node.dtype if own is int or node.dtype.is_floating else dt.float64

    def _apply(self, node: expressions.Apply, dtype: DType) -> Value:
        function = node.function
        common = expressions.operand_dtype(node, self.found)
        if not isinstance(common, DType):
            common = expressions.settled(common) if function.result == "bool" else dtype
        kinds = [common] * function.arity
        if function is basis.select:
            kinds[0] = dt.bool
        arguments = [self.value(argument, kind) for argument, kind in zip(node.args, kinds, strict=True)]
        if function.result == "quotient" and common.is_integer:
            arguments = [self.to.cast(one, dtype) for one in arguments]
            common = dtype
        writer = _FUNCTIONS.get(function)
        if writer is None:
            raise ConversionError(f"ONNX has no operators for {function.name} ({function.doc})")
        if isinstance(writer, str):
            return self.to.node(writer, *arguments)
        return writer(self.to, self.computed(common), *arguments)


# Conversion. ---------------------------------------------------------------------------------------------------------


def convert(to: Builder, x: Value, dtype: DType) -> Value:
    """Convert elements as Dovetail does: floating to integer truncates, keeps to the range, and has 0 for NaN.

    What ``Cast`` makes of numbers beyond the range is left open by the standard.
    """
    if not (x.dtype.is_floating and dtype.is_integer):
        return to.cast(x, dtype)
    wide = to.cast(x, dt.float64)
    number = to.node("Where", to.node("IsNaN", wide), to.constant(0.0, dt.float64), wide)
    low, high = float(dtype.min), float(dtype.max)  # of 64 bits, the float above the largest integer
    if dtype.size < 8:
        return to.cast(to.node("Clip", number, to.constant(low, dt.float64), to.constant(high, dt.float64)), dtype)
    beyond = to.node("GreaterOrEqual", number, to.constant(high, dt.float64))
    within = to.node(
        "Max", to.node("Where", beyond, to.constant(0.0, dt.float64), number), to.constant(low, dt.float64)
    )
    return to.node("Where", beyond, to.constant(dtype.max, dtype), to.cast(within, dtype))


# Functions. ----------------------------------------------------------------------------------------------------------


def _negative(to: Builder, dtype: DType, x: Value) -> Value:
    return to.node("Sub", to.constant(0, dtype), x) if dtype.is_unsigned else to.node("Neg", x)


def _rounding(op_type: str) -> Function:
    """Integers stay as they are."""
    return lambda to, dtype, x: to.node(op_type, x) if dtype.is_floating else x


def _trunc(to: Builder, dtype: DType, x: Value) -> Value:
    if not dtype.is_floating:
        return x
    return to.node("Where", to.node("Less", x, to.constant(0, dtype)), to.node("Ceil", x), to.node("Floor", x))


def _remainder(to: Builder, dtype: DType, x: Value, y: Value) -> Value:
    if not dtype.is_floating:
        return to.node("Mod", x, y)
    zero = to.constant(0, dtype)
    rest = to.node("Mod", x, y, fmod=1)  # with the sign of x
    differs = to.node("Xor", to.node("Less", rest, zero), to.node("Less", y, zero))
    moved = to.node("And", differs, to.node("Not", to.node("Equal", rest, zero)))
    return to.node("Where", moved, to.node("Add", rest, y), rest)


def _floor_divide(to: Builder, dtype: DType, x: Value, y: Value) -> Value:
    if dtype.is_floating:
        return to.node("Floor", to.node("Div", x, y))
    if dtype.is_unsigned:
        return to.node("Div", x, y)
    # Div truncates, so one less where something is left and the signs differ.
    zero = to.constant(0, dtype)
    left = to.node("Not", to.node("Equal", to.node("Mod", x, y), zero))
    below = to.node("And", left, to.node("Xor", to.node("Less", x, zero), to.node("Less", y, zero)))
    return to.node("Sub", to.node("Div", x, y), to.cast(below, dtype))


def _expm1(to: Builder, dtype: DType, x: Value) -> Value:
    """Near 0 by exp(x) - 1 = 2 t / (1 - t) with t = tanh(x / 2), which cancels nothing."""
    one, half = to.constant(1, dtype), to.constant(0.5, dtype)
    t = to.node("Tanh", to.node("Mul", x, half))
    near = to.node("Div", to.node("Add", t, t), to.node("Sub", one, t))
    small = to.node("Less", to.node("Abs", x), half)
    return to.node("Where", small, near, to.node("Sub", to.node("Exp", x), one))


def _log1p(to: Builder, dtype: DType, x: Value) -> Value:
    """Near 0 by log(u) x / (u - 1) with u = 1 + x as rounded (Kahan), in which the rounding cancels."""
    one = to.constant(1, dtype)
    u = to.node("Add", x, one)
    log, moved = to.node("Log", u), to.node("Sub", u, one)
    near = to.node(
        "Mul", log, to.node("Div", x, to.node("Where", to.node("Equal", moved, to.constant(0, dtype)), one, moved))
    )
    near = to.node("Where", to.node("Equal", u, one), x, near)
    return to.node("Where", to.node("Less", to.node("Abs", x), one), near, log)


def _atan2(to: Builder, dtype: DType, y: Value, x: Value) -> Value:
    zero, pi = to.constant(0, dtype), to.constant(math.pi, dtype)
    vertical, left = to.node("Equal", x, zero), to.node("Less", x, zero)
    angle = to.node("Atan", to.node("Div", y, to.node("Where", vertical, to.constant(1, dtype), x)))
    half_turn = to.node("Where", to.node("Less", y, zero), to.constant(-math.pi, dtype), pi)
    angle = to.node("Where", left, to.node("Add", angle, half_turn), angle)
    return to.node("Where", vertical, to.node("Mul", to.node("Sign", y), to.constant(math.pi / 2, dtype)), angle)


def _polynomial(to: Builder, x: Value, coefficients: Sequence[float]) -> Value:
    """Sum coefficients times powers of ``x``, the highest first."""
    total = to.constant(coefficients[0], dt.float64)
    for coefficient in coefficients[1:]:
        total = to.node("Add", to.node("Mul", total, x), to.constant(coefficient, dt.float64))
    return total


_SHIFT: Final = 7


def _mirrored(to: Builder, dtype: DType, x: Value) -> tuple[Value, Value, Value]:
    """Return ``x`` in double precision, whether it is below one half, and then 1 - x in its place."""
    wide = to.cast(x, dt.float64)
    small = to.node("Less", wide, to.constant(0.5, dt.float64))
    return wide, small, to.node("Where", small, to.node("Sub", to.constant(1.0, dt.float64), wide), wide)


def _lgamma(to: Builder, dtype: DType, x: Value) -> Value:
    """Stirling's series above 7, recurrence to one half, reflection below (Abramowitz and Stegun 6.1.15, .17, .41)."""
    wide, small, z = _mirrored(to, dtype, x)
    w = to.node("Add", z, to.constant(float(_SHIFT), dt.float64))
    inverse = to.node("Reciprocal", w)
    series = _polynomial(to, to.node("Mul", inverse, inverse), (-1 / 1680, 1 / 1260, -1 / 360, 1 / 12))
    value = to.node("Mul", to.node("Sub", w, to.constant(0.5, dt.float64)), to.node("Log", w))
    value = to.node("Add", to.node("Sub", value, w), to.constant(0.5 * math.log(2 * math.pi), dt.float64))
    value = to.node("Add", value, to.node("Mul", series, inverse))
    for step in range(_SHIFT):
        value = to.node("Sub", value, to.node("Log", to.node("Add", z, to.constant(float(step), dt.float64))))
    pi = to.constant(math.pi, dt.float64)
    sine = to.node("Abs", to.node("Sin", to.node("Mul", to.node("Sub", wide, to.node("Round", wide)), pi)))
    reflected = to.node("Sub", to.node("Log", to.node("Div", pi, sine)), value)
    return to.cast(to.node("Where", small, reflected, value), dtype)


def _digamma(to: Builder, dtype: DType, x: Value) -> Value:
    """The asymptotic series above 7, recurrence and reflection as for lgamma (Abramowitz and Stegun 6.3.5, .7, .18)."""
    wide, small, z = _mirrored(to, dtype, x)
    w = to.node("Add", z, to.constant(float(_SHIFT), dt.float64))
    inverse = to.node("Reciprocal", w)
    square = to.node("Mul", inverse, inverse)
    series = to.node("Mul", square, _polynomial(to, square, (-1 / 240, 1 / 252, -1 / 120, 1 / 12)))
    value = to.node("Sub", to.node("Log", w), to.node("Mul", to.constant(0.5, dt.float64), inverse))
    value = to.node("Sub", value, series)
    for step in range(_SHIFT):
        value = to.node("Sub", value, to.node("Reciprocal", to.node("Add", z, to.constant(float(step), dt.float64))))
    pi = to.constant(math.pi, dt.float64)
    angle = to.node("Mul", to.node("Sub", wide, to.node("Round", wide)), pi)
    cotangent = to.node("Div", to.node("Cos", angle), to.node("Sin", angle))
    reflected = to.node("Sub", value, to.node("Mul", pi, cotangent))
    return to.cast(to.node("Where", small, reflected, value), dtype)


def _is_finite(to: Builder, dtype: DType, x: Value) -> Value:
    return to.node("Not", to.node("Or", to.node("IsNaN", x), to.node("IsInf", x)))


_UNSIGNED: Final = {dt.int8: dt.uint8, dt.int16: dt.uint16, dt.int32: dt.uint32, dt.int64: dt.uint64}


def _shift(direction: str) -> Function:
    """Shift bits; ``BitShift`` takes unsigned integers and distances within the word only."""

    def write(to: Builder, dtype: DType, x: Value, y: Value) -> Value:
        word = _UNSIGNED.get(dtype, dtype)
        bits = to.constant(8 * dtype.size, dtype)
        inside = to.node("Less", y, bits)
        if not dtype.is_unsigned:
            inside = to.node("And", inside, to.node("GreaterOrEqual", y, to.constant(0, dtype)))
        distance = to.cast(to.node("Where", inside, y, to.constant(0, dtype)), word)
        below = to.node("Less", x, to.constant(0, dtype)) if direction == "RIGHT" and word is not dtype else None
        source = x if below is None else to.node("Where", below, to.node("BitwiseNot", x), x)
        shifted = to.cast(to.node("BitShift", to.cast(source, word), distance, direction=direction), dtype)
        shifted = to.node("Where", inside, shifted, to.constant(0, dtype))
        return shifted if below is None else to.node("Where", below, to.node("BitwiseNot", shifted), shifted)

    return write


_FUNCTIONS: Final[Mapping[expressions.Basis, str | Function]] = {
    basis.add: "Add",
    basis.subtract: "Sub",
    basis.multiply: "Mul",
    basis.divide: "Div",
    basis.floor_divide: _floor_divide,
    basis.remainder: _remainder,
    basis.power: "Pow",
    basis.negative: _negative,
    basis.absolute: "Abs",
    basis.sign: "Sign",
    basis.square: lambda to, dtype, x: to.node("Mul", x, x),
    basis.reciprocal: "Reciprocal",
    basis.maximum: "Max",
    basis.minimum: "Min",
    basis.exp: "Exp",
    basis.expm1: _expm1,
    basis.log: "Log",
    basis.log1p: _log1p,
    basis.sqrt: "Sqrt",
    basis.rsqrt: lambda to, dtype, x: to.node("Reciprocal", to.node("Sqrt", x)),
    basis.sigmoid: "Sigmoid",
    basis.sin: "Sin",
    basis.cos: "Cos",
    basis.tan: "Tan",
    basis.asin: "Asin",
    basis.acos: "Acos",
    basis.atan: "Atan",
    basis.atan2: _atan2,
    basis.sinh: "Sinh",
    basis.cosh: "Cosh",
    basis.tanh: "Tanh",
    basis.asinh: "Asinh",
    basis.acosh: "Acosh",
    basis.atanh: "Atanh",
    basis.erf: "Erf",
    basis.erfc: lambda to, dtype, x: to.node("Sub", to.constant(1, dtype), to.node("Erf", x)),
    basis.digamma: _digamma,
    basis.lgamma: _lgamma,
    basis.floor: _rounding("Floor"),
    basis.ceil: _rounding("Ceil"),
    basis.round_: _rounding("Round"),
    basis.trunc: _trunc,
    basis.equal: "Equal",
    basis.not_equal: lambda to, dtype, x, y: to.node("Not", to.node("Equal", x, y)),
    basis.less: "Less",
    basis.less_equal: "LessOrEqual",
    basis.greater: "Greater",
    basis.greater_equal: "GreaterOrEqual",
    basis.logical_and: "And",
    basis.logical_or: "Or",
    basis.logical_xor: "Xor",
    basis.logical_not: "Not",
    basis.bitwise_and: "BitwiseAnd",
    basis.bitwise_or: "BitwiseOr",
    basis.bitwise_xor: "BitwiseXor",
    basis.invert: "BitwiseNot",
    basis.left_shift: _shift("LEFT"),
    basis.right_shift: _shift("RIGHT"),
    basis.select: "Where",
    basis.is_nan: "IsNaN",
    basis.is_inf: "IsInf",
    basis.is_finite: _is_finite,
}
