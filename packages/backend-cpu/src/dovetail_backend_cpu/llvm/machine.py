"""``Machine``: the processor that code is made for."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any, Final, final

from dovetail.errors import InvalidArgumentError

__all__ = ["ISAS", "Machine", "host"]

_X86_LEVELS: Final = {
    "avx512": ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma", "f16c", "bmi2"),
    "avx2": ("avx2", "fma", "f16c", "bmi2"),
    "sse": ("sse4.2", "ssse3", "popcnt"),
}
ISAS: Final = (*_X86_LEVELS, "neon")
"""Names of the instruction sets that code is made for, widest first."""
_VARIABLE: Final = "DOVETAIL_CPU_ISA"
_TOLD: Final = frozenset(
    (
        *("vendor_id", "cpu family", "model", "stepping", "flags"),
        *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features"),
    )
)
"""The lines of Linux' description of a processor that tell one kind from another."""


@final
class Machine:
    """A processor as the printers see it.

    Attributes:
        isa: one of ``ISAS``.
        triple: LLVM's name for the platform.
        cpu: LLVM's name for the processor; scheduling follows it.
        features: LLVM's feature string.
        vector_bytes: bytes of a vector register.
        registers: number of vector registers.
        fma: whether it has fused multiply-add.
    """

    __slots__ = ("cpu", "features", "fma", "isa", "registers", "triple", "vector_bytes")

    def __init__(self, isa: str, triple: str, cpu: str, features: str) -> None:
        """Describe a processor."""
        self.isa = isa
        self.triple = triple
        self.cpu = cpu
        self.features = features
        self.vector_bytes = {"avx512": 64, "avx2": 32}.get(isa, 16)
        self.registers = 32 if isa in ("avx512", "neon") else 16
        self.fma = isa != "sse"

    @property
    def key(self) -> str:
        """What compiled code depends on."""
        return f"{self.triple} {self.cpu} {self.isa} {self.features}"

    def lanes(self, size: int) -> int:
        """Return how many elements of ``size`` bytes a vector register holds."""
        return self.vector_bytes // size


@functools.cache
def host(isa: str | None = None) -> Machine:
    """Return this machine, or what it is when it may use no more than ``isa``.

    Args:
        isa: one of ``ISAS``; by default what ``DOVETAIL_CPU_ISA`` names, else the widest that the processor has.

    Raises:
        InvalidArgumentError: there is no such instruction set, or the processor does not have it.
    """
    wanted = isa or os.environ.get(_VARIABLE, "").strip() or None
    found_here = _processor()
    triple, cpu, available = found_here["triple"], found_here["cpu"], found_here["features"]
    if platform.machine().lower() in ("arm64", "aarch64"):
        levels: dict[str, tuple[str, ...]] = {"neon": ("neon",)}
    else:
        levels = _X86_LEVELS
    if wanted is not None and wanted not in levels:
        raise InvalidArgumentError(
            f"{_VARIABLE}: {wanted!r} is no instruction set here; choose from {', '.join(levels)}."
        )
    found = [name for name, needs in levels.items() if all(available.get(one, False) for one in needs)]
    found = found or ["sse"]
    if wanted is not None and wanted not in found:
        raise InvalidArgumentError(f"{_VARIABLE}: this processor has no {wanted}; it has {', '.join(found)}.")
    chosen = wanted or found[0]
    if chosen == found[0]:
        return Machine(
            chosen, triple, cpu, ",".join(f"{'+' if has else '-'}{one}" for one, has in sorted(available.items()))
        )
    # A restricted machine is a generic one, so that nothing beyond the instruction set slips in.
    features = ",".join(f"+{one}" for one in levels[chosen])
    return Machine(chosen, triple, "x86-64", features)


def _processor() -> dict[str, Any]:
    """Return LLVM's names of the platform, the processor and its features; kept, for loading LLVM takes its time."""
    from dovetail_backend_cpu.runtime.compile import object_cache

    described = _described()
    if described is None:
        return _asked()
    import llvmlite

    cache, name = object_cache(), "h" + hashlib.sha256(f"{llvmlite.__version__}\n{described}".encode()).hexdigest()[:40]
    kept = cache.load(name)
    if kept is not None:
        found: dict[str, Any] = json.loads(kept)
        return found
    found = _asked()
    cache.store(name, json.dumps(found).encode())
    return found


def _asked() -> dict[str, Any]:
    import llvmlite.binding as llvm

    return {
        "triple": llvm.get_process_triple(),
        "cpu": llvm.get_host_cpu_name(),
        "features": dict(llvm.get_host_cpu_features()),
    }


def _described() -> str | None:
    """Return what the system says of the processor, features included; ``None`` where it does not."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return None
    lines = text.partition("\n\n")[0].splitlines()
    told = [line for line in lines if line.split("\t")[0].strip(": ") in _TOLD]
    return "\n".join(told) if any(line.startswith(("flags", "Features")) for line in told) else None
