"""The packages ``onnx`` and ``onnxruntime``, imported when they are needed."""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType

from dovetail.errors import PluginError

__all__ = ["load_onnx", "load_runtime", "warn_user"]


def load_onnx() -> ModuleType:
    """Return the package ``onnx``, with the modules that an export needs.

    Raises:
        PluginError: it is not installed.
    """
    try:
        for name in ("checker", "helper", "shape_inference"):
            importlib.import_module(f"onnx.{name}")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise PluginError(
            f"ONNX export needs the package onnx, which cannot be imported ({error}). "
            f"Install it: pip install 'dovetail-io[onnx]'"
        ) from error


def load_runtime() -> ModuleType | None:
    """Return the package ``onnxruntime``; ``None`` where it is not installed."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        return None


def warn_user(message: str) -> None:
    """Warn, at the line outside of Dovetail that asked for the export."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0].startswith("dovetail"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level + 1)
