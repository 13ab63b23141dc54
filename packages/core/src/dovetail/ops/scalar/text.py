"""Reading the text form of scalar expressions; printing is ``str``.

The grammar is a subset of Python's, with Python's precedences::

    text       = { name "=" expression ";" } expression
    expression = operands joined by  == != < <= > >=   |   ^   &   + -   * / // %   **  (loosest first)
    operand    = "-" operand | "~" operand | number | True | False | x0 | x1 … | bound name | "(" expression ")"
               | function "(" expression { "," expression } ")" | cast "(" expression "," dtype ")"

A minus directly before a number belongs to it, except before a power: ``-2.0 ** x0`` is ``-(2.0 ** x0)``.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops.scalar.expression import (
    BASIS,
    BINARY_OPERATORS,
    UNARY_OPERATORS,
    UNARY_PRECEDENCE,
    Apply,
    Convert,
    Expression,
    Input,
    Literal,
)
from dovetail.types.dtypes import as_dtype

__all__ = ["parse_expression"]

_COMPARISON: Final = 1
_POWER: Final = 8
_CONSTANTS: Final = {"True": True, "False": False, "inf": math.inf, "nan": math.nan}

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+|\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>\*\*|//|==|!=|<=|>=|[-+*/%<>|^&~(),;=]))"
)


@functools.lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read the text form of a scalar expression.

    Args:
        text: such as ``"x0 * sigmoid(x0)"``; subexpressions may be bound first: ``"t0 = exp(x0); t0 / (1.0 + t0)"``.

    Raises:
        InvalidArgumentError: the text does not follow the grammar, or names a function that is not in the basis.

    Example:
        >>> parse_expression("maximum(x0, 0.0) + log1p(exp(-absolute(x0)))").args[0]
        <scalar expression 'maximum(x0, 0.0)'>
    """
    return _Parser(text).read()


class _Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.position = 0
        self.bound: dict[str, Expression] = {}

    def fail(self, message: str) -> NoReturn:
        """Raise an error that points at the current token."""
        raise InvalidArgumentError(f"{message} at position {self.tokens[self.position][2]} of {self.text!r}.")

    def take(self, symbol: str) -> bool:
        """Step over ``symbol`` if it comes next."""
        if self.tokens[self.position][:2] != ("symbol", symbol):
            return False
        self.position += 1
        return True

    def expect(self, symbol: str) -> None:
        """Step over ``symbol``, which must come next."""
        if not self.take(symbol):
            self.fail(f"expected {symbol!r}")

    def read(self) -> Expression:
        """Read the whole text."""
        while self.tokens[self.position][0] == "name" and self.tokens[self.position + 1][:2] == ("symbol", "="):
            name = self.tokens[self.position][1]
            if name in self.bound or name in BASIS or name in _CONSTANTS or _input_index(name) is not None:
                self.fail(f"the name {name!r} is taken")
            self.position += 2
            value = self.expression(_COMPARISON)
            self.expect(";")
            self.bound[name] = value
        result = self.expression(_COMPARISON)
        if self.tokens[self.position][0] != "end":
            self.fail("expected an operator or the end")
        return result

    def expression(self, least: int) -> Expression:
        """Read operands joined by operators whose precedence is at least ``least``."""
        left = self.operand()
        while True:
            kind, symbol, _ = self.tokens[self.position]
            if kind != "symbol" or symbol not in BINARY_OPERATORS:
                return left
            precedence, function = BINARY_OPERATORS[symbol]
            if precedence < least:
                return left
            self.position += 1
            right = self.expression(UNARY_PRECEDENCE if precedence == _POWER else precedence + 1)
            left = BASIS[function](left, right)
            following = BINARY_OPERATORS.get(self.tokens[self.position][1])
            if precedence == _COMPARISON and following is not None and following[0] == _COMPARISON:
                self.fail("comparisons do not chain, so expected a parenthesis")

    def operand(self) -> Expression:
        """Read what stands between operators."""
        kind, text, _ = self.tokens[self.position]
        if kind == "symbol" and text in UNARY_OPERATORS:
            self.position += 1
            number = self.number()
            if number is not None:
                after = self.tokens[self.position + 1][1]
                if text == "-" and after != "**":
                    self.position += 1
                    return Literal(-number)
            return BASIS[UNARY_OPERATORS[text]](self.expression(UNARY_PRECEDENCE))
        number = self.number()
        if number is not None:
            self.position += 1
            return Literal(number)
        if self.take("("):
            inner = self.expression(_COMPARISON)
            self.expect(")")
            return inner
        if kind != "name":
            self.fail("expected a number, a name or a parenthesis")
        return self.named(text)

    def number(self) -> int | float | None:
        """Give the number that comes next, without stepping over it."""
        kind, text, _ = self.tokens[self.position]
        if kind == "number":
            return int(text) if text.isdecimal() else float(text)
        if kind == "name" and text in ("inf", "nan"):
            return _CONSTANTS[text]
        return None

    def named(self, name: str) -> Expression:
        """Read what begins with a name."""
        index = _input_index(name)
        known = Input(index) if index is not None else self.bound.get(name)
        if known is None and name in _CONSTANTS:
            known = Literal(_CONSTANTS[name])
        if known is not None:
            self.position += 1
            return known
        if name == "cast":
            self.position += 1
            self.expect("(")
            arg = self.expression(_COMPARISON)
            self.expect(",")
            try:
                dtype = as_dtype(self.tokens[self.position][1])
            except DTypeError:
                self.fail("expected a dtype")
            self.position += 1
            self.expect(")")
            return Convert(dtype, arg)
        function = BASIS.get(name)
        if function is None:
            import difflib  # used for this message alone

            near = difflib.get_close_matches(name, BASIS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            self.fail(f"{name!r} is no basis function{hint}")
        self.position += 1
        self.expect("(")
        args = [self.expression(_COMPARISON)]
        while self.take(","):
            args.append(self.expression(_COMPARISON))
        self.expect(")")
        return Apply(function, args)


def _input_index(name: str) -> int | None:
    return int(name[1:]) if name[0] == "x" and name[1:].isdecimal() and name.isascii() else None


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Split ``text`` into (kind, text, position); kind is ``number``, ``name``, ``symbol``, and ``end`` at the end."""
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise InvalidArgumentError(f"unexpected character at position {position} of {text!r}.")
        yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        position = match.end()
    yield "end", "", end
