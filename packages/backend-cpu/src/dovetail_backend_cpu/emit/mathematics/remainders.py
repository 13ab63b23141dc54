"""The remainder of real numbers, exact, and integer powers."""

from __future__ import annotations

from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.llvm.text import Function, Module, vector

__all__ = ["integer_power", "remainder", "remainder_single"]


def remainder(algebra: Algebra, x: Term, y: Term) -> Term:
    """Return the remainder of x by y with the sign of y."""
    size, divisor = abs(x), abs(y)
    quotient = (size / divisor).trunc()
    if algebra.fused:
        rest = algebra.fma(-quotient, divisor, size)
        quick = quotient < 2.0**52
    else:
        # Below 2**20 a quotient times either half of the divisor's digits is exact.
        high = (divisor.bits() & -(1 << 27)).real()
        rest = (size - quotient * high) - quotient * (divisor - high)
        quick = (quotient < 2.0**20) & (divisor > 2.0**-900)
    return _signed(algebra, x, y, size, divisor, rest, quick)


def remainder_single(algebra: Algebra, x: Term, y: Term) -> Term:
    """Return the remainder of floats, in double, where the quotient times the divisor is exact."""
    wide, other = x.double(), y.double()
    size, divisor = abs(wide), abs(other)
    quotient = (size / divisor).trunc()
    rest = size - quotient * divisor
    return _signed(algebra, wide, other, size, divisor, rest, quotient < 2.0**28).single()


def _signed(algebra: Algebra, x: Term, y: Term, size: Term, divisor: Term, rest: Term, quick: Term) -> Term:
    """Correct the rest of a division of absolute values, where it is not to be had quickly too; give it its sign."""
    rest = algebra.select(rest < 0.0, rest + divisor, rest)
    rest = algebra.select(size < divisor, size, rest)
    possible = (size < float("inf")) & (divisor > 0.0)
    rest = _with_slow(algebra, size, divisor, rest, possible & ~quick & ~(size < divisor))
    rest = algebra.select(possible, rest, float("nan")).copysign(x)
    wrong = (rest < 0.0) ^ (y < 0.0)
    changed = algebra.select(wrong, rest + y, rest)
    zero = algebra.constant(0.0, x.type).copysign(y)
    return algebra.select(rest.equals(0.0), zero, changed)


def _with_slow(algebra: Algebra, size: Term, divisor: Term, rest: Term, slow: Term) -> Term:
    """Compute those lanes one by one whose quotients are large."""
    write, width = algebra.function, algebra.width
    real, mask = vector("double", width), vector("i1", width)
    some = slow.text
    if width > 1:
        write.module.declare(f"declare i1 @llvm.vector.reduce.or.v{width}i1({mask})")
        some = write.value(f"call i1 @llvm.vector.reduce.or.v{width}i1({mask} {slow.text})")
    _define(write.module)
    before, label, done = write.block, write.fresh("slow"), write.fresh("done")
    write.do(f"br i1 {some}, label %{label}, label %{done}")
    write.start_block(label)
    with write.loop("0", str(width), carried=[(real, rest.text)], at_least_once=True) as lane:
        a, b, wanted = size.text, divisor.text, slow.text
        if width > 1:
            a = write.value(f"extractelement {real} {a}, i64 {lane.index}")
            b = write.value(f"extractelement {real} {b}, i64 {lane.index}")
            wanted = write.value(f"extractelement {mask} {wanted}, i64 {lane.index}")
        # Other lanes may hold what a division never ends with.
        a, b = (write.value(f"select i1 {wanted}, double {one}, double 1.0") for one in (a, b))
        value = write.value(f"call double @dovetail.fmod(double {a}, double {b})")
        if width > 1:
            value = write.value(f"insertelement {real} {lane.carried[0]}, double {value}, i64 {lane.index}")
        lane.next(write.value(f"select i1 {wanted}, {real} {value}, {real} {lane.carried[0]}"))
    after = write.block
    write.jump(done)
    write.start_block(done)
    return algebra.term(
        write.value(f"phi {real} [ {rest.text}, %{before} ], [ {lane.results[0]}, %{after} ]"), "double"
    )


def _define(module: Module) -> None:
    """Write long division, bit by bit, of a positive finite number by a positive one."""
    if any(function.name == "dovetail.fmod" for function in module.functions):
        return
    write = Function(
        module,
        "dovetail.fmod",
        [("double", "x"), ("double", "y")],
        "double",
        "noinline nounwind memory(none)",
        private=True,
    )
    half = write.value("fmul double %x, 0.5")
    write.jump("grow")
    write.start_block("grow")
    write.do("%large = phi double [ %y, %entry ], [ %larger, %grown ]")
    more = write.value(f"fcmp ole double %large, {half}")
    write.do(f"br i1 {more}, label %grown, label %divide")
    write.start_block("grown")
    write.do("%larger = fmul double %large, 2.0")
    write.jump("grow")
    write.start_block("divide")
    write.do("%rest = phi double [ %x, %grow ], [ %less, %divided ]")
    write.do("%part = phi double [ %large, %grow ], [ %halved, %divided ]")
    going = write.value("fcmp oge double %part, %y")
    write.do(f"br i1 {going}, label %divided, label %done")
    write.start_block("divided")
    fits = write.value("fcmp oge double %rest, %part")
    difference = write.value("fsub double %rest, %part")
    write.do(f"%less = select i1 {fits}, double {difference}, double %rest")
    write.do("%halved = fmul double %part, 0.5")
    write.jump("divide")
    write.start_block("done")
    write.ret("double %rest")


def integer_power(algebra: Algebra, x: Term, y: Term) -> Term:
    """Return x to the power y for integers, wrapping, by squaring as often as the largest exponent wants."""
    write, width = algebra.function, algebra.width
    wide, mask = vector(x.type, width), vector("i1", width)
    one = algebra.constant(1, x.type)
    before = write.block
    head, body, done = write.fresh("power"), write.fresh("square"), write.fresh("done")
    write.jump(head)
    write.start_block(head)
    phis = write.reserve()
    total, base, left = (algebra.term(f"%{write.fresh('c')}", x.type) for _ in range(3))
    some = ~left.equals(0)
    if width > 1:
        write.module.declare(f"declare i1 @llvm.vector.reduce.or.v{width}i1({mask})")
        going = write.value(f"call i1 @llvm.vector.reduce.or.v{width}i1({mask} {some.text})")
    else:
        going = some.text
    write.do(f"br i1 {going}, label %{body}, label %{done}")
    write.start_block(body)
    product = algebra.select((left & 1).equals(0), total, total * base)
    squared = base * base
    rest = left >> 1
    write.jump(head)
    write.fill(
        phis,
        [
            f"{name.text} = phi {wide} [ {first.text}, %{before} ], [ {later.text}, %{body} ]"
            for name, first, later in ((total, one, product), (base, x, squared), (left, y, rest))
        ],
    )
    write.start_block(done)
    return total
