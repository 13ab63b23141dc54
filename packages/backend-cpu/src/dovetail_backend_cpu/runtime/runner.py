"""The step runner in LLVM assembly: an interpreter of ``Opcode``, the threads' meeting points, and the ways in.

It is the same for every program, so it is compiled once. ``native`` gives addresses to what it calls of Python and of
the system.
"""

from __future__ import annotations

from typing import Final

from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.runtime.interpreter import add_interpreter
from dovetail_backend_cpu.runtime.layout import BOX_BYTES, INPUT_WORDS, Flag, Job, Team
from dovetail_backend_cpu.runtime.pyobjects import ARRAY, LIST_ITEMS, OBJECT_TYPE, SCALAR_VALUE

__all__ = ["runner_text"]

_YIELDS: Final = 64
"""How often a thread that waits for others in a step gives way, after it has spun, before it sleeps."""


def runner_text(machine: Machine) -> str:
    """Return the module: ``work`` for the workers, ``run`` and ``hand`` for Python."""
    if machine.isa == "neon":
        # The counter of cycles is the system's on ARM; the one that programs may read counts time. No inline assembly:
        # it would need a parser, which there is for the machine at hand only.
        pause, clock = "call void @llvm.aarch64.hint(i32 1)", "@llvm.read_volatile_register.i64(metadata !0)"
        own: tuple[str, ...] = (
            "declare void @llvm.aarch64.hint(i32)",
            "declare i64 @llvm.read_volatile_register.i64(metadata)",
            '!0 = !{!"CNTVCT_EL0"}',
        )
    else:
        pause, clock = "call void @llvm.x86.sse2.pause()", "@llvm.readcyclecounter()"
        own = ("declare void @llvm.x86.sse2.pause()", "declare i64 @llvm.readcyclecounter()")
    module = Module()
    for line in (
        "declare i64 @dovetail_syscall(i64, ...)",
        "declare i32 @dovetail_yield()",
        "declare ptr @PyEval_SaveThread()",
        "declare void @PyEval_RestoreThread(ptr)",
        "declare ptr @PyLong_AsVoidPtr(ptr)",
        "declare ptr @PyLong_FromSsize_t(i64)",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
        "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
        *own,
    ):
        module.declare(line)
    add_interpreter(module, clock)
    return "\n".join([str(module), _fill(_TEAM, pause, clock), _fill(_ENTRY, pause, clock)])


def _fill(text: str, pause: str, clock: str) -> str:
    """Put numbers in place of ``<NAME>``."""
    numbers = {f"Team.{one.name}": 8 * one for one in Team}
    numbers |= {f"Job.{one.name}": 8 * one for one in Job}
    numbers |= {f"Flag.{one.name}": int(one) for one in Flag}
    numbers |= {f"ARRAY.{name}": offset for name, offset in ARRAY.items()}
    numbers |= {
        "BOX_BYTES": BOX_BYTES,
        "INPUT_BYTES": 8 * INPUT_WORDS,
        "LIST_ITEMS": LIST_ITEMS,
        "OBJECT_TYPE": OBJECT_TYPE,
        "SCALAR_VALUE": SCALAR_VALUE,
        "YIELDS": _YIELDS,
    }
    for name, number in numbers.items():
        text = text.replace(f"<{name}>", str(number))
    return text.replace("<PAUSE>", pause).replace("<CLOCK>", clock)


# A thread that waits spins, then gives way, then sleeps in the kernel where that can be woken by address. Who changes
# what others may sleep on looks for sleepers after the change; who goes to sleep counts itself first, and the kernel
# compares once more: so no wake-up is lost.
_TEAM: Final = """
define internal void @wake(ptr %team, ptr %place) {
  %number = load i64, ptr %team
  %has = icmp ne i64 %number, 0
  br i1 %has, label %call, label %done
call:
  %r = call i64 (i64, ...) @dovetail_syscall(i64 %number, ptr %place, i32 129, i32 2147483647, i64 0, i64 0, i32 0)
  br label %done
done:
  ret void
}

define internal void @sleep(ptr %team, ptr %place, i32 %expected) {
  %number = load i64, ptr %team
  %has = icmp ne i64 %number, 0
  br i1 %has, label %call, label %give
call:
  %r = call i64 (i64, ...) @dovetail_syscall(i64 %number, ptr %place, i32 128, i32 %expected, i64 0, i64 0, i32 0)
  ret void
give:
  %y = call i32 @dovetail_yield()
  ret void
}

define internal void @barrier(ptr %team, i64 %threads) {
entry:
  %alone = icmp eq i64 %threads, 1
  br i1 %alone, label %done, label %arrive
arrive:
  %generation = getelementptr i8, ptr %team, i64 <Team.GENERATION>
  %arrived = getelementptr i8, ptr %team, i64 <Team.ARRIVED>
  %sleepers = getelementptr i8, ptr %team, i64 <Team.SLEEPERS>
  %spins.at = getelementptr i8, ptr %team, i64 <Team.SPINS_BARRIER>
  %spins = load i64, ptr %spins.at
  %now = load atomic i32, ptr %generation seq_cst, align 4
  %before = atomicrmw add ptr %arrived, i64 1 seq_cst
  %count = add i64 %before, 1
  %last = icmp eq i64 %count, %threads
  br i1 %last, label %release, label %spin
release:
  store atomic i64 0, ptr %arrived seq_cst, align 8
  %next = add i32 %now, 1
  %old = atomicrmw xchg ptr %generation, i32 %next seq_cst
  %asleep = load atomic i32, ptr %sleepers seq_cst, align 4
  %some = icmp ne i32 %asleep, 0
  br i1 %some, label %rouse, label %done
rouse:
  call void @wake(ptr %team, ptr %generation)
  br label %done
spin:
  %left = phi i64 [ %spins, %arrive ], [ %less, %slower ]
  %seen = load atomic i32, ptr %generation acquire, align 4
  %same = icmp eq i32 %seen, %now
  br i1 %same, label %again, label %done
again:
  %over = icmp slt i64 %left, <YIELDS>
  br i1 %over, label %yield, label %pause
pause:
  <PAUSE>
  br label %slower
yield:
  %tired = icmp sle i64 %left, 0
  br i1 %tired, label %rest, label %give
give:
  %y = call i32 @dovetail_yield()
  br label %slower
rest:
  %in = atomicrmw add ptr %sleepers, i32 1 seq_cst
  call void @sleep(ptr %team, ptr %generation, i32 %now)
  %out = atomicrmw sub ptr %sleepers, i32 1 seq_cst
  br label %slower
slower:
  %less = sub i64 %left, 1
  br label %spin
done:
  ret void
}

define i64 @work(ptr %team, i64 %thread) {
entry:
  %offset = mul i64 %thread, <BOX_BYTES>
  %boxes = getelementptr i8, ptr %team, i64 <Team.BOXES>
  %box = getelementptr i8, ptr %boxes, i64 %offset
  %spins.at = getelementptr i8, ptr %team, i64 <Team.SPINS_IDLE>
  %futex = load i64, ptr %team
  %can.sleep = icmp ne i64 %futex, 0
  br label %wait
wait:
  %spins = load i64, ptr %spins.at
  br label %spin
spin:
  %left = phi i64 [ %spins, %wait ], [ %less, %pause ]
  %seen = load atomic i64, ptr %box acquire, align 8
  %called = icmp ugt i64 %seen, <Flag.LAST>
  br i1 %called, label %run, label %none
none:
  %stop = icmp eq i64 %seen, <Flag.STOP>
  br i1 %stop, label %leave, label %again
again:
  %more = icmp sgt i64 %left, 0
  br i1 %more, label %pause, label %park
pause:
  <PAUSE>
  %less = sub i64 %left, 1
  br label %spin
park:
  %pair = cmpxchg ptr %box, i64 <Flag.IDLE>, i64 <Flag.PARKED> seq_cst seq_cst
  %was = extractvalue { i64, i1 } %pair, 0
  %quiet = icmp ule i64 %was, <Flag.PARKED>
  br i1 %quiet, label %parked, label %wait
parked:
  br i1 %can.sleep, label %sleep, label %return
sleep:
  call void @sleep(ptr %team, ptr %box, i32 <Flag.PARKED>)
  %then = load atomic i64, ptr %box acquire, align 8
  %still = icmp eq i64 %then, <Flag.PARKED>
  br i1 %still, label %sleep, label %wait
return:
  ret i64 1
leave:
  ret i64 0
run:
  %job = inttoptr i64 %seen to ptr
  %threads.at = getelementptr i8, ptr %job, i64 <Job.THREADS>
  %threads = load i64, ptr %threads.at
  call void @interpret(ptr %job, i64 %thread, i64 %threads)
  call void @barrier(ptr %team, i64 %threads)
  store atomic i64 <Flag.IDLE>, ptr %box seq_cst, align 8
  br label %wait
}

define i64 @put(ptr %team, i64 %thread, i64 %what) {
entry:
  %offset = mul i64 %thread, <BOX_BYTES>
  %boxes = getelementptr i8, ptr %team, i64 <Team.BOXES>
  %box = getelementptr i8, ptr %boxes, i64 %offset
  br label %look
look:
  %seen = load atomic i64, ptr %box acquire, align 8
  %free = icmp ule i64 %seen, <Flag.PARKED>
  br i1 %free, label %try, label %busy
busy:
  %y = call i32 @dovetail_yield()
  br label %look
try:
  %pair = cmpxchg ptr %box, i64 %seen, i64 %what seq_cst seq_cst
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %done, label %look
done:
  %parked = icmp eq i64 %seen, <Flag.PARKED>
  br i1 %parked, label %rouse, label %return
rouse:
  call void @wake(ptr %team, ptr %box)
  br label %return
return:
  ret i64 %seen
}

define void @spin(i64 %count) {
entry:
  br label %head
head:
  %left = phi i64 [ %count, %entry ], [ %less, %head ]
  <PAUSE>
  %less = sub i64 %left, 1
  %more = icmp sgt i64 %less, 0
  br i1 %more, label %head, label %done
done:
  ret void
}

define i64 @clock() {
  %now = call i64 <CLOCK>
  ret i64 %now
}
"""

# Reading arrays needs the interpreter's lock no more than Python code that holds references to them does: the caller
# keeps the lists, nobody else has them, and no reference is counted.
_ENTRY: Final = """
define internal i64 @take(ptr %job, ptr %list) {
entry:
  %items.at = getelementptr i8, ptr %list, i64 <LIST_ITEMS>
  %items = load ptr, ptr %items.at
  %master.at = getelementptr i8, ptr %job, i64 <Job.MASTER>
  %master = load ptr, ptr %master.at
  %inputs.at = getelementptr i8, ptr %job, i64 <Job.INPUTS>
  %inputs = load ptr, ptr %inputs.at
  %count.at = getelementptr i8, ptr %job, i64 <Job.INPUT_COUNT>
  %count = load i64, ptr %count.at
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %taken ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %item.at = getelementptr ptr, ptr %items, i64 %i
  %item = load ptr, ptr %item.at
  %skip = mul i64 %i, <INPUT_BYTES>
  %want = getelementptr i8, ptr %inputs, i64 %skip
  %type.at = getelementptr i8, ptr %item, i64 <OBJECT_TYPE>
  %type = load i64, ptr %type.at
  %array.type = load i64, ptr %want
  %is.array = icmp eq i64 %type, %array.type
  br i1 %is.array, label %array, label %scalar
scalar:
  %scalar.at = getelementptr i64, ptr %want, i64 5
  %scalar.type = load i64, ptr %scalar.at
  %is.scalar = icmp eq i64 %type, %scalar.type
  %value = getelementptr i8, ptr %item, i64 <SCALAR_VALUE>
  br i1 %is.scalar, label %taken, label %unfit
array:
  %dtype.at = getelementptr i8, ptr %item, i64 <ARRAY.dtype>
  %dtype = load i64, ptr %dtype.at
  %dtype.wanted.at = getelementptr i64, ptr %want, i64 1
  %dtype.wanted = load i64, ptr %dtype.wanted.at
  %flags.at = getelementptr i8, ptr %item, i64 <ARRAY.flags>
  %flags.32 = load i32, ptr %flags.at
  %flags = zext i32 %flags.32 to i64
  %flags.wanted.at = getelementptr i64, ptr %want, i64 2
  %flags.wanted = load i64, ptr %flags.wanted.at
  %flags.both = and i64 %flags, %flags.wanted
  %rank.at = getelementptr i8, ptr %item, i64 <ARRAY.rank>
  %rank.32 = load i32, ptr %rank.at
  %rank = zext i32 %rank.32 to i64
  %rank.wanted.at = getelementptr i64, ptr %want, i64 3
  %rank.wanted = load i64, ptr %rank.wanted.at
  %ok.dtype = icmp eq i64 %dtype, %dtype.wanted
  %ok.flags = icmp eq i64 %flags.both, %flags.wanted
  %ok.rank = icmp eq i64 %rank, %rank.wanted
  %ok.two = and i1 %ok.dtype, %ok.flags
  %ok = and i1 %ok.two, %ok.rank
  br i1 %ok, label %shape, label %unfit
shape:
  %shape.at = getelementptr i8, ptr %item, i64 <ARRAY.shape>
  %dims = load ptr, ptr %shape.at
  %dims.wanted.at = getelementptr i64, ptr %want, i64 4
  %dims.wanted = load ptr, ptr %dims.wanted.at
  br label %axis
axis:
  %k = phi i64 [ 0, %shape ], [ %k.next, %same ]
  %k.more = icmp slt i64 %k, %rank
  br i1 %k.more, label %compare, label %data
compare:
  %dim.at = getelementptr i64, ptr %dims, i64 %k
  %dim = load i64, ptr %dim.at
  %dim.wanted.at = getelementptr i64, ptr %dims.wanted, i64 %k
  %dim.wanted = load i64, ptr %dim.wanted.at
  %equal = icmp eq i64 %dim, %dim.wanted
  br i1 %equal, label %same, label %unfit
same:
  %k.next = add i64 %k, 1
  br label %axis
data:
  %data.at = getelementptr i8, ptr %item, i64 <ARRAY.data>
  %data.is = load ptr, ptr %data.at
  br label %taken
taken:
  %address = phi ptr [ %value, %scalar ], [ %data.is, %data ]
  %word.at = getelementptr i64, ptr %want, i64 6
  %word = load i64, ptr %word.at
  %slot = getelementptr i64, ptr %master, i64 %word
  store ptr %address, ptr %slot
  %next = add i64 %i, 1
  br label %head
unfit:
  %failed.at = getelementptr i8, ptr %job, i64 <Job.FAILED>
  store i64 %i, ptr %failed.at
  ret i64 -1
done:
  ret i64 0
}

define internal void @give(ptr %job, ptr %list) {
entry:
  %items.at = getelementptr i8, ptr %list, i64 <LIST_ITEMS>
  %items = load ptr, ptr %items.at
  %master.at = getelementptr i8, ptr %job, i64 <Job.MASTER>
  %master = load ptr, ptr %master.at
  %outputs.at = getelementptr i8, ptr %job, i64 <Job.OUTPUTS>
  %outputs = load ptr, ptr %outputs.at
  %count.at = getelementptr i8, ptr %job, i64 <Job.OUTPUT_COUNT>
  %count = load i64, ptr %count.at
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %item.at = getelementptr ptr, ptr %items, i64 %i
  %item = load ptr, ptr %item.at
  %data.at = getelementptr i8, ptr %item, i64 <ARRAY.data>
  %data = load ptr, ptr %data.at
  %word.at = getelementptr i64, ptr %outputs, i64 %i
  %word = load i64, ptr %word.at
  %slot = getelementptr i64, ptr %master, i64 %word
  store ptr %data, ptr %slot
  %next = add i64 %i, 1
  br label %head
done:
  ret void
}

define i64 @start(ptr %job) {
entry:
  %team.at = getelementptr i8, ptr %job, i64 <Job.TEAM>
  %team = load ptr, ptr %team.at
  %threads.at = getelementptr i8, ptr %job, i64 <Job.THREADS>
  %threads = load i64, ptr %threads.at
  %status.at = getelementptr i8, ptr %job, i64 <Job.STATUS>
  %handed.at = getelementptr i8, ptr %job, i64 <Job.HANDED>
  %handed = load i64, ptr %handed.at
  %is.handed = icmp ne i64 %handed, 0
  %address = ptrtoint ptr %job to i64
  br i1 %is.handed, label %run, label %reset
reset:
  store i64 0, ptr %status.at
  %tickets.at = getelementptr i8, ptr %job, i64 <Job.TICKETS>
  %tickets = load ptr, ptr %tickets.at
  %ticket.bytes.at = getelementptr i8, ptr %job, i64 <Job.TICKET_BYTES>
  %ticket.bytes = load i64, ptr %ticket.bytes.at
  call void @llvm.memset.p0.i64(ptr %tickets, i8 0, i64 %ticket.bytes, i1 false)
  br label %head
head:
  %i = phi i64 [ 1, %reset ], [ %next, %hand ]
  %more = icmp slt i64 %i, %threads
  br i1 %more, label %hand, label %run
hand:
  %old = call i64 @put(ptr %team, i64 %i, i64 %address)
  %next = add i64 %i, 1
  br label %head
run:
  call void @interpret(ptr %job, i64 0, i64 %threads)
  call void @barrier(ptr %team, i64 %threads)
  %status = load i64, ptr %status.at
  ret i64 %status
}

define ptr @run(ptr %self, ptr %args, i64 %count) {
entry:
  %job.object = load ptr, ptr %args
  %job = call ptr @PyLong_AsVoidPtr(ptr %job.object)
  %two = icmp eq i64 %count, 3
  br i1 %two, label %lists, label %go
lists:
  %inputs.at = getelementptr ptr, ptr %args, i64 1
  %inputs = load ptr, ptr %inputs.at
  %taken = call i64 @take(ptr %job, ptr %inputs)
  %fits = icmp eq i64 %taken, 0
  br i1 %fits, label %outputs, label %done
outputs:
  %outputs.at = getelementptr ptr, ptr %args, i64 2
  %list = load ptr, ptr %outputs.at
  call void @give(ptr %job, ptr %list)
  br label %go
go:
  %state = call ptr @PyEval_SaveThread()
  %status = call i64 @start(ptr %job)
  call void @PyEval_RestoreThread(ptr %state)
  br label %done
done:
  %result = phi i64 [ -1, %lists ], [ %status, %go ]
  %object = call ptr @PyLong_FromSsize_t(i64 %result)
  ret ptr %object
}
"""
