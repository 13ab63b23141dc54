"""What a backend implements: ``Backend``, ``Executable``, ``Status``."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, final

from dovetail.compiler.program import Instruction, Program
from dovetail.compiler.timing import Timing
from dovetail.graph.op import Array, Op
from dovetail.types.dims import Symbol
from dovetail.types.shapes import TensorType

if TYPE_CHECKING:
    from dovetail.compiler.kernels.schedule import Schedule

__all__ = ["Availability", "Backend", "DeviceInfo", "Executable", "Status"]


@final
class Status:
    """How a segment of a run went wrong.

    Attributes:
        instruction: place of the failing instruction in the segment's program.
        message: what went wrong, in a sentence.
        inputs: types of what it took, as text, where known.
        cause: the exception behind it, where there is one.
        inner: the instruction that failed in a body, where ``instruction`` is control flow; ``inputs`` are its.
    """

    __slots__ = ("cause", "inner", "inputs", "instruction", "message")

    def __init__(
        self,
        instruction: int,
        message: str,
        inputs: Sequence[str] = (),
        cause: BaseException | None = None,
        inner: Instruction | None = None,
    ) -> None:
        """Describe a failure."""
        self.inner = inner
        self.instruction = instruction
        self.message = message
        self.inputs = tuple(inputs)
        self.cause = cause


class Executable(ABC):
    """A compiled program."""

    @abstractmethod
    def __call__(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None]:
        """Run the program.

        Args:
            inputs: buffers of the backend's device, in the order of the program's inputs. Those of kind ``state`` are
                given up, if nothing fails, where the program has an output of that kind and key: they may be changed,
                and handed back as that output. The others are not changed.
            sizes: what the symbols of the program stand for.
            version: calls with equal numbers have equal contents of all inputs of kind ``state``, so that what was made
                of these alone may be kept from one call to the next; ``None`` says nothing.

        Returns:
            Buffers of the outputs, which share no memory that a later run changes, and ``None``; or anything and the
            status of the instruction that failed, and then no input was changed.
        """

    def profile(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None, Sequence[Timing]]:
        """Run the program as a call does, and say how long each part took; here, the whole as one."""
        begin = time.perf_counter_ns()
        outputs, status = self(inputs, sizes, version)
        return outputs, status, [Timing("program", (), begin, time.perf_counter_ns())]


@final
class Availability:
    """Whether a backend can run here, and if not, why."""

    __slots__ = ("available", "reason")

    def __init__(self, available: bool, reason: str = "") -> None:
        """Say yes, or no with the reason."""
        self.available = available
        self.reason = reason

    def __bool__(self) -> bool:
        """Whether the backend can run."""
        return self.available

    def __repr__(self) -> str:
        """Show the reason where there is one."""
        return "available" if self.available else f"not available: {self.reason}"


@final
class DeviceInfo:
    """A device that a backend serves."""

    __slots__ = ("device_type", "index", "memory_limit_bytes", "name")

    def __init__(self, device_type: str, index: int, memory_limit_bytes: int = 0) -> None:
        """Describe the device of that type and index; ``memory_limit_bytes`` is 0 where unknown."""
        self.device_type = device_type
        self.index = index
        self.memory_limit_bytes = memory_limit_bytes
        self.name = f"/device:{device_type}:{index}"

    def __repr__(self) -> str:
        """Show the name."""
        return f"DeviceInfo({self.name})"


class Backend(ABC):
    """Turns programs into executables for one type of device.

    Class attributes:
        name: unique name, the entry point's.
        device_type: ``"CPU"``, ``"CUDA"``, …
        priority: the available backend of highest priority serves a device type unless a session pins another.
    """

    name: str
    device_type: str
    priority: int = 0

    def availability(self) -> Availability:
        """Say, cheaply and without importing what is heavy, whether the backend can run here."""
        return Availability(True)

    @abstractmethod
    def devices(self) -> Sequence[DeviceInfo]:
        """Return the devices it serves."""

    def keeps(self, op: Op) -> bool:
        """Whether a composite is compiled as it is rather than as its decomposition."""
        return False

    def supports(self, op: Op, inputs: Sequence[TensorType]) -> bool:
        """Whether an operation is compiled here; what is not runs on the reference, and ``explain`` says so."""
        return True

    @abstractmethod
    def compile(self, program: Program, device: DeviceInfo, num_threads: int | None = None) -> Executable:
        """Compile a program of operations that ``supports`` admitted.

        Args:
            program: what to compile.
            device: where it runs.
            num_threads: how many threads a run may use; ``None`` leaves it to the backend, as one without threads
                ignores it. Results do not depend on it.
        """

    def schedule(self, program: Program) -> Schedule | None:
        """Return the kernels that a program becomes, for ``explain``; ``None`` from a backend that has no kernels."""
        return None

    def from_host(self, array: Array, device: DeviceInfo) -> Any:
        """Return a buffer of the device with the contents of ``array``."""
        return array

    def to_host(self, buffer: Any) -> Array:
        """Return a buffer's contents as an array."""
        result: Array = buffer
        return result


HOST: Final = "CPU"
