"""``explain``: what a run would do, before it does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, final

from dovetail.compiler.placement import Devices
from dovetail.compiler.plan import divide
from dovetail.compiler.program import Instruction, Program, Value
from dovetail.errors import InvalidArgumentError
from dovetail.types.dims import Dim, Symbol, SymbolicDim, evaluate
from dovetail.types.shapes import TensorType

if TYPE_CHECKING:
    from dovetail.compiler.kernels.schedule import Launch

__all__ = ["Explanation", "KernelRow", "Row", "STAGES", "bytes_of", "describe", "short"]

STAGES: Final = ("lower", "fold", "decompose", "simplify", "drop", "share")


def bytes_of(type: TensorType, sizes: Mapping[Symbol, int]) -> int:
    """Return the bytes of a value of ``type``, with ``sizes`` for its symbols; 0 where only a run tells the rank."""
    return 0 if type.rank is None else _number(type.size, sizes) * max(type.dtype.size, 1)


def _number(dim: Dim, sizes: Mapping[Symbol, int]) -> int:
    return evaluate(dim, sizes) if isinstance(dim, SymbolicDim) else dim


@final
class Row:
    """One instruction of an explanation.

    Attributes:
        operation: the operation with its attributes.
        name: the node's name.
        line: the user's line.
        types: types of the outputs.
        bytes: bytes of the outputs.
        flops: floating-point operations.
        live_bytes: bytes alive while it runs, inputs and outputs of the program included.
        device, backend: where it runs.
        falls_back: whether the device's own backend does not support it.
    """

    __slots__ = (
        "backend",
        "bytes",
        "device",
        "falls_back",
        "flops",
        "line",
        "live_bytes",
        "name",
        "operation",
        "types",
    )

    def __init__(
        self,
        one: Instruction,
        sizes: Mapping[Symbol, int],
        live_bytes: int,
        device: str,
        backend: str,
        falls_back: bool,
    ) -> None:
        """Describe an instruction."""
        self.operation = str(one.op)
        self.name = one.origin.name
        self.line = str(one.origin.source)
        self.types = tuple(value.type for value in one.outputs)
        self.bytes = sum(bytes_of(value.type, sizes) for value in one.outputs)
        self.flops = _number(one.op.flops([v.type for v in one.inputs], [v.type for v in one.outputs]), sizes)
        self.live_bytes = live_bytes
        self.device = device
        self.backend = backend
        self.falls_back = falls_back


@final
class KernelRow:
    """One kernel of a compiling backend.

    Attributes:
        label: the operations that it computes.
        lines: the user's lines that they come from.
        bytes: bytes of the arrays that it reads and writes.
        text: its loops.
    """

    __slots__ = ("bytes", "label", "lines", "text")

    def __init__(self, launch: Launch, sizes: Mapping[Symbol, int]) -> None:
        """Describe a kernel."""
        from dovetail.compiler.kernels.text import task_text

        self.label = launch.task.label
        self.lines = list(dict.fromkeys(str(one.origin.source) for one in launch.origins))
        arrays = [one for one in launch.task.buffers if one.role != "scratch"]
        self.bytes = sum(_number(one.size, sizes) * one.dtype.size for one in arrays)
        self.text = task_text(launch.task)

    def __repr__(self) -> str:
        """Show label and lines."""
        return f"<kernel {self.label}: {', '.join(self.lines)}>"


@final
class Explanation:
    """What a run would do.

    Attributes:
        program: the program at the stage asked for.
        rows: its instructions, in order.
        kernels: what a compiling backend runs in their place; empty where there is none, or before the last stage.
        peak_bytes: the most bytes alive at once: feeds, variables, results and what is computed on the way, by the plan
            of a compiling backend where there is one.
        flops: floating-point operations in all.
        sizes: what the symbols were taken to be.
    """

    def __init__(self, program: Program, devices: Devices, sizes: Mapping[Symbol, int], stage: str) -> None:
        """Work out the figures."""
        self.program = program
        self.stage = stage
        self.sizes = dict(sizes)
        self.rows: list[Row] = []
        for one, live in zip(program.instructions, _live_bytes(program, sizes), strict=True):
            placed = devices.place(one)
            wanted = devices.find(one.origin.device, one.origin.where())
            self.rows.append(Row(one, sizes, live, placed.device.name, placed.backend.name, placed is not wanted))
        given = sum(bytes_of(one.value.type, sizes) for one in program.inputs)
        self.peak_bytes = max([given, *(row.live_bytes for row in self.rows)])
        self.kernels: list[KernelRow] = []
        if stage == STAGES[-1]:
            self._plan_kernels(devices)
        self.flops = sum(row.flops for row in self.rows)

    def _plan_kernels(self, devices: Devices) -> None:
        from dovetail.compiler.kernels.memory import plan_memory  # kernels are not everyone's; core is light to import
        from dovetail.compiler.kernels.schedule import launches

        parts = [(part, placed.backend.schedule(part)) for placed, part in divide(self.program, devices)]
        planned = []
        for part, schedule in parts:
            if schedule is None:
                return
            # A variable that is written in place is there once, as an input.
            outside = [one.value.type for one in part.inputs]
            outside += [one.value.type for one in part.outputs if one.kind != "state"]
            views = [view for one in launches(schedule.steps) for view in one.buffers if view is not None]
            constants = {view.storage for view in views if view.storage.role == "constant"}
            planned.append(
                plan_memory(schedule, self.sizes).total
                + sum(bytes_of(kind, self.sizes) for kind in outside)
                + sum(_number(one.size, self.sizes) * one.dtype.size for one in constants)
            )
            self.kernels.extend(KernelRow(one, self.sizes) for one in launches(schedule.steps))
        if planned:
            self.peak_bytes = max(planned)

    @property
    def fallbacks(self) -> list[Row]:
        """Instructions that run on the reference because their device's backend does not support them."""
        return [row for row in self.rows if row.falls_back]

    def largest(self, count: int = 5) -> list[Row]:
        """Return the instructions whose outputs are largest."""
        return sorted(self.rows, key=lambda row: -row.bytes)[:count]

    def __str__(self) -> str:
        """Lay the figures out as a table."""
        sizes = ", ".join(f"{symbol}={size}" for symbol, size in self.sizes.items())
        cells = [("operation", "result", "bytes", "flops", "runs on", "node", "line")]
        for row in self.rows:
            operation = row.operation if len(row.operation) <= 48 else row.operation[:47] + "…"
            where = f"{row.device.removeprefix('/device:')} {row.backend}{' (falls back)' if row.falls_back else ''}"
            types = " ".join(map(str, row.types))
            cells.append((operation, types, short(row.bytes), short(row.flops), where, row.name, row.line))
        widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        lines.append("")
        lines.append(f"after {self.stage}: {len(self.rows)} operations" + (f", for {sizes}" if sizes else ""))
        kernels = f", {len(self.kernels)} kernels" if self.kernels else ""
        lines.append(f"peak memory {short(self.peak_bytes)}B, {short(self.flops)}FLOP{kernels}")
        largest = [f"{short(row.bytes)}B {row.name} ({row.line})" for row in self.largest(3) if row.bytes]
        if largest:
            lines.append("largest: " + ", ".join(largest))
        if self.fallbacks:
            lines.append(f"fall back on the reference: {', '.join(sorted({row.operation for row in self.fallbacks}))}")
        return "\n".join(lines)

    __repr__ = __str__


def _live_bytes(program: Program, sizes: Mapping[Symbol, int]) -> list[int]:
    last: dict[Value, int] = {}
    for index, one in enumerate(program.instructions):
        for value in (*one.inputs, *one.outputs):
            last[value] = index
    kept = {one.value for one in program.inputs} | {one.value for one in program.outputs}
    alive = sum(bytes_of(one.value.type, sizes) for one in program.inputs)
    result = []
    for index, one in enumerate(program.instructions):
        alive += sum(bytes_of(value.type, sizes) for value in one.outputs)
        result.append(alive)
        for value in {*one.inputs, *one.outputs}:
            if last[value] == index and value not in kept:
                alive -= bytes_of(value.type, sizes)
    return result


def short(number: int) -> str:
    """Return a number in three digits, with the letter of its unit."""
    for factor, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number} "


def describe(
    programs: Mapping[str, Program], devices: Devices, stage: str, sizes: Mapping[str, int] | int
) -> Explanation:
    """Return the explanation of a stage.

    Args:
        programs: the program after each pass.
        devices: where instructions would run.
        stage: which pass to show.
        sizes: sizes for symbols by name, or one for all.

    Raises:
        InvalidArgumentError: there is no such stage.
    """
    if stage not in programs:
        raise InvalidArgumentError(f"explain: there is no stage {stage!r}; choose from {', '.join(programs)}.")
    program = programs[stage]
    found: set[Symbol] = set()
    for values in ([one.value for one in program.inputs], *(one.outputs for one in program.instructions)):
        found.update(symbol for value in values for symbol in value.type.shape.symbols)
    chosen = {
        symbol: sizes if isinstance(sizes, int) else sizes.get(symbol.name, 1) for symbol in sorted(found, key=str)
    }
    return Explanation(program, devices, chosen, stage)
