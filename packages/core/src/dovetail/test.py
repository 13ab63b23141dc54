"""``dt.test``: what TensorFlow 1 programs use in their tests; ``dt.testing`` has more."""

from __future__ import annotations

from typing import Any

from dovetail.plugins import manager
from dovetail.session.session import Session
from dovetail.testing.case import TestCase, main
from dovetail.testing.jacobians import compute_gradient, compute_gradient_error

__all__ = [
    "TestCase",
    "compute_gradient",
    "compute_gradient_error",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "main",
]


def gpu_device_name() -> str:
    """Return the name of a GPU that a session can use, or ``""``."""
    return next((one.name for one in Session().list_devices() if one.device_type == "CUDA"), "")


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether a session can use a GPU; the arguments have no effect and are here for TensorFlow 1 programs."""
    return bool(gpu_device_name())


def is_built_with_cuda() -> bool:
    """Whether a backend for GPUs is installed."""
    return "cuda" in manager.names("dovetail.backends")
