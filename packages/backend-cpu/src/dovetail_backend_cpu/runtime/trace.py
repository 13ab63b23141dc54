"""The records of a profiled run: what native threads write down, and what is made of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, final

from dovetail.extend import Symbol, Timing, dims
from dovetail.kernels import Launch
from dovetail_backend_cpu.runtime.bind import Bound
from dovetail_backend_cpu.runtime.blocks import Words, address_of, aligned_words
from dovetail_backend_cpu.runtime.native import runner

__all__ = ["Tracer"]

_RECORDS: Final = 1 << 15
"""How many calls each thread writes down; later ones are left out."""
_HEAD_WORDS: Final = 2
_RECORD_WORDS: Final = 3
_LEAST_SECONDS: Final = 0.005


@final
class Tracer:
    """Memory for the records, and a clock that says what a tick is.

    Attributes:
        address: of the first thread's records.
        stride: bytes from one thread's records to the next.
    """

    def __init__(self, threads: int) -> None:
        """Make room and start the clock."""
        words = _HEAD_WORDS + _RECORD_WORDS * _RECORDS
        self._blocks: Words = aligned_words(threads * words).reshape(threads, words)
        self._blocks[:, 1] = _RECORDS
        self.address = address_of(self._blocks)
        self.stride = 8 * words
        self._begin = time.perf_counter_ns(), runner().clock()

    def timings(self, bound: Bound, sizes: Mapping[Symbol, int]) -> list[Timing]:
        """Return what was written down."""
        while time.perf_counter_ns() - self._begin[0] < _LEAST_SECONDS * 1e9:
            time.sleep(_LEAST_SECONDS / 5)  # over a shorter time the length of a tick is not sure
        end, last = time.perf_counter_ns(), runner().clock()
        start, first = self._begin
        scale = (end - start) / max(last - first, 1)
        result: list[Timing] = []
        costs: dict[int, tuple[int, int]] = {}
        for thread, block in enumerate(self._blocks):
            count = min(int(block[0]), _RECORDS)
            records: Any = block[_HEAD_WORDS : _HEAD_WORDS + _RECORD_WORDS * count].reshape(count, _RECORD_WORDS)
            seen: Counter[int] = Counter()
            for part, begin, finish in records.tolist():
                launch = bound.launches[part]
                if part not in costs:
                    costs[part] = _costs(launch, sizes)
                flops, moved = costs[part]
                result.append(
                    Timing(
                        launch.task.label,
                        launch.origins,
                        int(start + (begin - first) * scale),
                        int(start + (finish - first) * scale),
                        part=part,
                        occurrence=seen[part],
                        thread=thread,
                        flops=flops,
                        bytes=moved,
                    )
                )
                seen[part] += 1
        return result


def _costs(launch: Launch, sizes: Mapping[Symbol, int]) -> tuple[int, int]:
    """Return floating-point operations and bytes of one run; 0 where they differ from turn to turn of a loop."""
    flops: Any = 0
    for one in launch.origins:
        flops = flops + one.op.flops([value.type for value in one.inputs], [value.type for value in one.outputs])
    own = dict(zip(launch.task.sizes, launch.sizes, strict=True))
    moved: Any = 0
    for buffer in launch.task.buffers:
        if buffer.role != "scratch":
            times = 2 if buffer.role == "inout" else 1
            moved = moved + dims.substitute(buffer.size, own) * (times * buffer.dtype.size)
    return _known(flops, sizes), _known(moved, sizes)


def _known(dim: Any, sizes: Mapping[Symbol, int]) -> int:
    return dims.evaluate(dim, sizes) if isinstance(dim, int) or dims.symbols_of(dim) <= set(sizes) else 0
