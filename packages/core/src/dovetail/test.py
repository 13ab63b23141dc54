"""``dt.test``: what TensorFlow 1 programs use in their tests; ``dt.testing`` has more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.testing.jacobians import compute_gradient, compute_gradient_error

if TYPE_CHECKING:
    from dovetail.testing.case import TestCase, main

__all__ = [
    "TestCase",
    "compute_gradient",
    "compute_gradient_error",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "main",
]


def __getattr__(name: str) -> Any:
    if name in ("TestCase", "main"):
        from dovetail.testing import case  # unittest is not everyone's; core is light to import

        return getattr(case, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def gpu_device_name() -> str:
    """Return the name of a GPU that a session can use, or ``""``."""
    from dovetail.session.session import Session

    return next((one.name for one in Session().list_devices() if one.device_type == "CUDA"), "")


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether a session can use a GPU; the arguments have no effect and are here for TensorFlow 1 programs."""
    return bool(gpu_device_name())


def is_built_with_cuda() -> bool:
    """Whether a backend for GPUs is installed."""
    from dovetail.plugins import manager

    return "cuda" in manager.names("dovetail.backends")
