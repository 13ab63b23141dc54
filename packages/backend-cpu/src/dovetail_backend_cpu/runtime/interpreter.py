"""The interpreter of ``Opcode`` in LLVM assembly: what each thread of a step runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dovetail_backend_cpu.llvm.text import Function, Module
from dovetail_backend_cpu.runtime.layout import Job, Word
from dovetail_backend_cpu.runtime.opcodes import OPERANDS, Opcode

__all__ = ["add_interpreter"]


def add_interpreter(module: Module, clock: str) -> None:
    """Add ``void @interpret(ptr %job, i64 %thread, i64 %threads)``; ``clock`` is what to call for the time."""
    text = Function(
        module, "interpret", [("ptr", "job"), ("i64", "thread"), ("i64", "threads")], "void", "nounwind", private=True
    )
    run = _Interpreter(text, clock)
    run.prepare()
    for opcode in Opcode:
        text.start_block(opcode.name.lower())
        run.operands(OPERANDS[opcode])
        _MEANINGS[opcode](run)


class _Interpreter:
    """The function that is being written, and the values that all instructions use."""

    def __init__(self, text: Function, clock: str) -> None:
        self.text = text
        self.clock = clock
        self.operand: list[str] = []

    def prepare(self) -> None:
        """Copy the frame, and write the dispatch; the place in the code is in memory, which LLVM makes a register."""
        text = self.text
        self.team = self.job(Job.TEAM, "ptr")
        self.code = self.job(Job.CODE, "ptr")
        self.status = self.job_address(Job.STATUS)
        offset = text.value(f"mul i64 %thread, {self.job(Job.STRIDE)}")
        self.frame = text.value(f"getelementptr i8, ptr {self.job(Job.FRAMES, 'ptr')}, i64 {offset}")
        size = self.job(Job.FRAME_BYTES)
        master = self.job(Job.MASTER, "ptr")
        text.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {self.frame}, ptr {master}, i64 {size}, i1 false)")
        # Words that threads share lie behind the frame of thread 0, which nobody else touches but for them.
        self.shared = text.value(f"getelementptr i8, ptr {self.job(Job.FRAMES, 'ptr')}, i64 {size}")
        scratch_offset = text.value(f"mul i64 %thread, {self.job(Job.SCRATCH_STRIDE)}")
        scratch = text.value(f"add i64 {self.job(Job.SCRATCH)}, {scratch_offset}")
        text.do(f"store ptr {self.status}, ptr {self.word(str(int(Word.STATUS)))}")
        text.do(f"store i64 {scratch}, ptr {self.word(str(int(Word.SCRATCH)))}")
        trace_offset = text.value(f"mul i64 %thread, {self.job(Job.TRACE_STRIDE)}")
        self.trace = text.value(f"getelementptr i8, ptr {self.job(Job.TRACE, 'ptr')}, i64 {trace_offset}")
        self.place = text.value("alloca i64")
        text.do(f"store i64 0, ptr {self.place}")
        self.is_first = text.value("icmp eq i64 %thread, 0")
        text.jump("next")
        text.start_block("next")
        self.at = text.value(f"load i64, ptr {self.place}")
        self.here = text.value(f"getelementptr i64, ptr {self.code}, i64 {self.at}")
        which = text.value(f"load i64, ptr {self.here}")
        cases = " ".join(f"i64 {int(one)}, label %{one.name.lower()}" for one in Opcode)
        text.do(f"switch i64 {which}, label %end [ {cases} ]")

    def job_address(self, word: Job) -> str:
        """The address of a word of the job."""
        return self.text.value(f"getelementptr i64, ptr %job, i64 {int(word)}")

    def job(self, word: Job, type: str = "i64") -> str:
        """A word of the job."""
        return self.text.value(f"load {type}, ptr {self.job_address(word)}")

    def operands(self, count: int) -> None:
        """Read the operands of an instruction, and go past it."""
        text = self.text
        self.operand = []
        for i in range(count):
            address = text.value(f"getelementptr i64, ptr {self.here}, i64 {i + 1}")
            self.operand.append(text.value(f"load i64, ptr {address}"))
        text.do(f"store i64 {text.value(f'add i64 {self.at}, {count + 1}')}, ptr {self.place}")

    def word(self, index: str) -> str:
        """The address of a word of the frame."""
        return self.text.value(f"getelementptr i64, ptr {self.frame}, i64 {index}")

    def load(self, index: str, type: str = "i64") -> str:
        """A word of the frame."""
        return self.text.value(f"load {type}, ptr {self.word(index)}")

    def store(self, index: str, value: str) -> None:
        """Write a word of the frame."""
        self.text.do(f"store i64 {value}, ptr {self.word(index)}")

    def go(self, place: str) -> None:
        """Go on at a place in the code."""
        self.text.do(f"store i64 {place}, ptr {self.place}")

    def next(self) -> None:
        """End the instruction."""
        self.text.jump("next")

    def call(self, thread: str, threads: str) -> None:
        """Call the function of the operands."""
        function, slots, *_ = self.operand
        callee = self.text.value(f"inttoptr i64 {function} to ptr")
        slots = self.text.value(f"inttoptr i64 {slots} to ptr")
        self.text.do(f"call void {callee}(ptr {self.frame}, ptr {slots}, i64 {thread}, i64 {threads})")

    def call_parts(self) -> None:
        """Call for parts until there are none; a thread that is alone calls once for all.

        Each call of all threads takes as many tickets as there are parts, and one more for each thread, which learns
        by it that none are left. So every thread knows where the next call begins to count.
        """
        text = self.text
        parts, place, first_at = self.operand[3:]
        alone = text.value("icmp eq i64 %threads, 1")
        with text.when(alone):
            self.call("0", "1")
        with text.when(text.value(f"xor i1 {alone}, true")):
            tickets = text.value(f"getelementptr i8, ptr {self.job(Job.TICKETS, 'ptr')}, i64 {place}")
            first = self.load(first_at)
            head, body, after = text.fresh("part"), text.fresh("take"), text.fresh("parted")
            text.jump(head)
            text.start_block(head)
            ticket = text.value(f"atomicrmw add ptr {tickets}, i64 1 monotonic")
            part = text.value(f"sub i64 {ticket}, {first}")
            text.do(f"br i1 {text.value(f'icmp slt i64 {part}, {parts}')}, label %{body}, label %{after}")
            text.start_block(body)
            self.call(part, parts)
            text.jump(head)
            text.start_block(after)
            taken = text.value(f"add i64 {parts}, %threads")
            self.store(first_at, text.value(f"add i64 {first}, {taken}"))

    def traced(self, call: Callable[[], None]) -> None:
        """Call, and write down the launch, the beginning and the end, as long as there is room."""
        text = self.text
        begin = text.value(f"call i64 {self.clock}")
        call()
        end = text.value(f"call i64 {self.clock}")
        count = text.value(f"load i64, ptr {self.trace}")
        room_at = text.value(f"getelementptr i64, ptr {self.trace}, i64 1")
        room = text.value(f"load i64, ptr {room_at}")
        text.do(f"store i64 {text.value(f'add i64 {count}, 1')}, ptr {self.trace}")
        with text.when(text.value(f"icmp slt i64 {count}, {room}")):
            start = text.value(f"mul i64 {count}, 3")
            for i, value in enumerate((self.operand[2], begin, end)):
                index = text.value(f"add i64 {start}, {i + 2}")
                text.do(f"store i64 {value}, ptr {text.value(f'getelementptr i64, ptr {self.trace}, i64 {index}')}")


def _end(run: _Interpreter) -> None:
    run.text.ret()


def _call(run: _Interpreter) -> None:
    run.call("%thread", "%threads")
    run.next()


def _call_one(run: _Interpreter) -> None:
    with run.text.when(run.is_first):
        run.call("0", "1")
    run.next()


def _call_parts(run: _Interpreter) -> None:
    run.call_parts()
    run.next()


def _traced_call(run: _Interpreter) -> None:
    run.traced(lambda: run.call("%thread", "%threads"))
    run.next()


def _traced_call_one(run: _Interpreter) -> None:
    with run.text.when(run.is_first):
        run.traced(lambda: run.call("0", "1"))
    run.next()


def _traced_call_parts(run: _Interpreter) -> None:
    run.traced(run.call_parts)
    run.next()


def _barrier(run: _Interpreter) -> None:
    run.text.do(f"call void @barrier(ptr {run.team}, i64 %threads)")
    run.next()


def _jump_if_failed(run: _Interpreter) -> None:
    status = run.text.value(f"load atomic i64, ptr {run.status} acquire, align 8")
    with run.text.when(run.text.value(f"icmp ne i64 {status}, 0")):
        run.go(run.operand[0])
    run.next()


def _set(run: _Interpreter) -> None:
    run.store(run.operand[0], run.operand[1])
    run.next()


def _binary(instruction: str) -> Callable[[_Interpreter], None]:
    def write(run: _Interpreter) -> None:
        left, right = run.load(run.operand[1]), run.load(run.operand[2])
        run.store(run.operand[0], run.text.value(f"{instruction} i64 {left}, {right}"))
        run.next()

    return write


def _with_number(instruction: str) -> Callable[[_Interpreter], None]:
    def write(run: _Interpreter) -> None:
        left = run.load(run.operand[1])
        run.store(run.operand[0], run.text.value(f"{instruction} i64 {left}, {run.operand[2]}"))
        run.next()

    return write


def _extreme(comparison: str) -> Callable[[_Interpreter], None]:
    def write(run: _Interpreter) -> None:
        left, right = run.load(run.operand[1]), run.load(run.operand[2])
        wins = run.text.value(f"icmp {comparison} i64 {left}, {right}")
        run.store(run.operand[0], run.text.value(f"select i1 {wins}, i64 {left}, i64 {right}"))
        run.next()

    return write


def _floor_divide(run: _Interpreter) -> None:
    text = run.text
    left, right = run.load(run.operand[1]), run.load(run.operand[2])
    zero = text.value(f"icmp eq i64 {right}, 0")
    divisor = text.value(f"select i1 {zero}, i64 1, i64 {right}")
    quotient = text.value(f"sdiv i64 {left}, {divisor}")
    rest = text.value(f"srem i64 {left}, {divisor}")
    some = text.value(f"icmp ne i64 {rest}, 0")
    signs = text.value(f"xor i64 {rest}, {divisor}")
    apart = text.value(f"icmp slt i64 {signs}, 0")
    down = text.value(f"and i1 {some}, {apart}")
    less = text.value(f"sext i1 {down} to i64")
    run.store(run.operand[0], text.value(f"add i64 {quotient}, {less}"))
    run.next()


def _exchange(run: _Interpreter) -> None:
    left, right = run.load(run.operand[0]), run.load(run.operand[1])
    run.store(run.operand[0], right)
    run.store(run.operand[1], left)
    run.next()


def _load_bool(run: _Interpreter) -> None:
    address = run.load(run.operand[1], "ptr")
    byte = run.text.value(f"load i8, ptr {address}")
    run.store(run.operand[0], run.text.value(f"zext i8 {byte} to i64"))
    run.next()


def _store(run: _Interpreter) -> None:
    address = run.load(run.operand[0], "ptr")
    with run.text.when(run.is_first):
        run.text.do(f"store i64 {run.load(run.operand[1])}, ptr {address}")
    run.next()


def _jump(run: _Interpreter) -> None:
    run.go(run.operand[0])
    run.next()


def _jump_if(comparison: str) -> Callable[[_Interpreter], None]:
    def write(run: _Interpreter) -> None:
        value = run.load(run.operand[0])
        other = "0" if len(run.operand) == 2 else run.load(run.operand[1])
        with run.text.when(run.text.value(f"icmp {comparison} i64 {value}, {other}")):
            run.go(run.operand[-1])
        run.next()

    return write


def _jump_if_worker(run: _Interpreter) -> None:
    with run.text.when(run.text.value("icmp ne i64 %thread, 0")):
        run.go(run.operand[0])
    run.next()


def _publish(run: _Interpreter) -> None:
    place = run.text.value(f"getelementptr i64, ptr {run.shared}, i64 {run.operand[0]}")
    with run.text.when(run.is_first):
        run.text.do(f"store i64 {run.load(run.operand[0])}, ptr {place}")
    run.next()


def _fetch(run: _Interpreter) -> None:
    place = run.text.value(f"getelementptr i64, ptr {run.shared}, i64 {run.operand[0]}")
    with run.text.when(run.text.value("icmp ne i64 %thread, 0")):
        run.store(run.operand[0], run.text.value(f"load i64, ptr {place}"))
    run.next()


_MEANINGS: Final[dict[Opcode, Callable[[_Interpreter], None]]] = {
    Opcode.END: _end,
    Opcode.CALL: _call,
    Opcode.CALL_ONE: _call_one,
    Opcode.CALL_PARTS: _call_parts,
    Opcode.TRACED_CALL: _traced_call,
    Opcode.TRACED_CALL_ONE: _traced_call_one,
    Opcode.TRACED_CALL_PARTS: _traced_call_parts,
    Opcode.BARRIER: _barrier,
    Opcode.JUMP_IF_FAILED: _jump_if_failed,
    Opcode.SET: _set,
    Opcode.ADD: _binary("add"),
    Opcode.ADD_NUMBER: _with_number("add"),
    Opcode.MULTIPLY: _binary("mul"),
    Opcode.MULTIPLY_NUMBER: _with_number("mul"),
    Opcode.FLOOR_DIVIDE: _floor_divide,
    Opcode.MAXIMUM: _extreme("sgt"),
    Opcode.MINIMUM: _extreme("slt"),
    Opcode.EXCHANGE: _exchange,
    Opcode.LOAD_BOOL: _load_bool,
    Opcode.STORE: _store,
    Opcode.JUMP: _jump,
    Opcode.JUMP_IF_ZERO: _jump_if("eq"),
    Opcode.JUMP_IF_LESS: _jump_if("slt"),
    Opcode.JUMP_IF_WORKER: _jump_if_worker,
    Opcode.PUBLISH: _publish,
    Opcode.FETCH: _fetch,
}
