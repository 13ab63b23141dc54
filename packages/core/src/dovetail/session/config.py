"""``ConfigProto``: how a session runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, final

from dovetail.errors import InvalidArgumentError

__all__ = ["ConfigProto", "GPUOptions"]

_BACKENDS: Final = "DOVETAIL_BACKENDS"


@final
class GPUOptions:
    """Options for GPUs, under TensorFlow 1's names; backends read what concerns them."""

    def __init__(
        self, allow_growth: bool = True, per_process_gpu_memory_fraction: float = 0.0, visible_device_list: str = ""
    ) -> None:
        """Set the options."""
        self.allow_growth = allow_growth
        self.per_process_gpu_memory_fraction = per_process_gpu_memory_fraction
        self.visible_device_list = visible_device_list


@final
class ConfigProto:
    """How a session runs.

    Attributes:
        allow_soft_placement: run on the CPU what is asked onto a device that is not here.
        log_device_placement: print where each operation runs when a plan is made.
        intra_op_parallelism_threads: threads of a step; 0 is every core.
        inter_op_parallelism_threads: has no effect; here for TensorFlow 1 programs.
        device_count: has no effect but for ``{"GPU": 0}``, which hides GPUs.
        backends: the backend to use for a device type, such as ``{"CPU": "reference"}``; by default what the
            environment variable ``DOVETAIL_BACKENDS`` says (``CPU=reference``, divided by commas), else the available
            one of highest priority.
        gpu_options: options for GPUs.
        check_numerics: look for NaN and infinities after each run, as ``Session(check_numerics=True)`` does.

    Raises:
        InvalidArgumentError: an option that does not exist, or ``DOVETAIL_BACKENDS`` has another form.
    """

    def __init__(
        self,
        allow_soft_placement: bool = False,
        log_device_placement: bool = False,
        intra_op_parallelism_threads: int = 0,
        inter_op_parallelism_threads: int = 0,
        device_count: Mapping[str, int] | None = None,
        backends: Mapping[str, str] | None = None,
        gpu_options: GPUOptions | None = None,
        check_numerics: bool = False,
        **unknown: Any,
    ) -> None:
        """Set the options."""
        if unknown:
            raise InvalidArgumentError(
                f"ConfigProto has no option {next(iter(unknown))!r}; it has allow_soft_placement, "
                f"log_device_placement, intra_op_parallelism_threads, inter_op_parallelism_threads, device_count, "
                f"backends, gpu_options, check_numerics."
            )
        self.allow_soft_placement = allow_soft_placement
        self.log_device_placement = log_device_placement
        self.intra_op_parallelism_threads = intra_op_parallelism_threads
        self.inter_op_parallelism_threads = inter_op_parallelism_threads
        self.device_count = dict(device_count or {})
        self.backends = _pinned_by_environment() if backends is None else dict(backends)
        self.gpu_options = gpu_options or GPUOptions()
        self.check_numerics = check_numerics


def _pinned_by_environment() -> dict[str, str]:
    pinned: dict[str, str] = {}
    for part in filter(None, map(str.strip, os.environ.get(_BACKENDS, "").split(","))):
        device_type, equals, name = map(str.strip, part.partition("="))
        if not (device_type and equals and name):
            raise InvalidArgumentError(
                f"{_BACKENDS}: {part!r} does not say which backend serves which device; write it like CPU=reference."
            )
        pinned[device_type.upper()] = name
    return pinned
