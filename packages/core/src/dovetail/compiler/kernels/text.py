"""The text form of kernels and templates: for people, and to tell whether two are the same.

Buffers and locals are numbered in order of appearance, so equal kernels have equal texts; who makes kernels names loop
variables in a fixed way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Check,
    Choose,
    Constant,
    Convert,
    Index,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Node,
    Philox,
    Reduction,
    Statement,
    Store,
    Template,
    While,
)

__all__ = ["task_text"]


def task_text(task: Kernel | Template) -> str:
    """Return the text of a kernel or template; equal tasks have equal texts, and different ones different texts."""
    return _Writer().task(task)


@final
class _Writer:
    """Writes one task; a node that occurs twice is written where it is first needed and named."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[Any, str] = {}
        self.indent = "  "

    def task(self, task: Kernel | Template) -> str:
        sizes = ", ".join(map(str, task.sizes))
        if isinstance(task, Kernel):
            self.lines.append(f"kernel ({sizes})")
        else:
            types = ", ".join(map(str, task.inputs))
            packed = "".join("p" if one else "-" for one in task.packed)
            self.lines.append(f"template {task.op!r} ({sizes}) ({types}) -> {task.output} {packed}")
        for buffer in task.buffers:
            self.lines.append(f"  {buffer.role} {self.named(buffer, 'b')}: {buffer.dtype.name}[{buffer.size}]")
        if isinstance(task, Kernel):
            self.statements(task.body)
        else:
            operands = ", ".join(self.named(one, "b") for one in task.operands)
            axes = ", ".join(map(str, task.epilogue.axes))
            self.lines.append(f"  of {operands}; each ({axes}) {self.named(task.epilogue.result, 't')}")
            self.statements(task.epilogue.body)
        return "\n".join(self.lines)

    def named(self, one: Any, prefix: str) -> str:
        name = self.names.get(one)
        if name is None:
            name = self.names[one] = f"{prefix}{len(self.names)}"
        return name

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def node(self, node: Node) -> str:
        known = self.names.get(node)
        if known is not None:
            return known
        if isinstance(node, Local):
            return self.named(node, "t")
        if isinstance(node, Constant):
            return f"{node.value!r}:{node.dtype.name}"
        args = [self.node(one) for one in node.args]
        listed = ", ".join(args)
        if isinstance(node, Load):
            text = f"{self.named(node.buffer, 'b')}[{node.offset}]"
        elif isinstance(node, Index):
            text = f"{node.dtype.name}({node.index})"
        elif isinstance(node, Apply):
            text = f"{node.function.name}({listed}):{node.dtype.name}"
        elif isinstance(node, Convert):
            text = f"{node.dtype.name}({listed})"
        elif isinstance(node, Choose):
            text = f"choose([{', '.join(map(str, node.conditions))}], {listed})"
        elif isinstance(node, Philox):
            text = f"philox({listed}, {node.position}):{node.dtype.name}"
        else:
            raise TypeError(type(node).__name__)
        name = f"n{len(self.names)}"
        self.names[node] = name
        self.line(f"{name} = {text}")
        return name

    def statements(self, statements: Sequence[Statement]) -> None:
        for one in statements:
            self.statement(one)

    def block(self, head: str, body: Sequence[Statement]) -> None:
        self.line(head + ":")
        self.indent += "  "
        self.statements(body)
        self.indent = self.indent[:-2]

    def statement(self, one: Statement) -> None:
        if isinstance(one, Let):
            text = self.node(one.node)
            self.line(f"{self.named(one.local, 't')} = {text}")
        elif isinstance(one, Assign):
            self.line(f"{self.named(one.local, 't')} <- {self.node(one.node)}")
        elif isinstance(one, Bind):
            self.line(f"{one.symbol} in {one.size} = {self.node(one.node)}")
        elif isinstance(one, Check):
            self.line(f"check {self.node(one.node)}")
        elif isinstance(one, Store):
            guard = f" if [{', '.join(map(str, one.conditions))}]" if one.conditions else ""
            sign = "+=" if one.add else "="
            text = self.node(one.node)
            self.line(f"{self.named(one.buffer, 'b')}[{one.offset}] {sign} {text}{guard}")
        elif isinstance(one, Reduction):
            loops = ", ".join(f"{symbol} < {extent}" for symbol, extent in one.loops)
            self.block(f"reduce{' vector' if one.vector else ''} ({loops})", one.setup)
            self.indent += "  "
            for local, kind, node in one.results:
                text = self.node(node)
                self.line(f"{self.named(local, 't')} = {kind} {text}")
            self.indent = self.indent[:-2]
        elif isinstance(one, Loop):
            loops = ", ".join(f"{symbol} < {extent}" for symbol, extent in one.variables)
            self.block(f"{'down ' if one.reverse else ''}{one.kind} ({loops}){self.carried(one.carried)}", one.body)
        elif isinstance(one, While):
            carried = self.carried(one.carried)
            self.block(f"while {self.node(one.condition)}{carried}", one.body)
        else:
            raise TypeError(type(one).__name__)

    def carried(self, carried: Sequence[tuple[Local, Node]]) -> str:
        listed = [f"{self.named(local, 't')} = {self.node(first)}" for local, first in carried]
        return f" with {', '.join(listed)}" if listed else ""
