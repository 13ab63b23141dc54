"""The backends that can run here: the reference, and those that plugins bring."""

from __future__ import annotations

from dovetail.compiler.backend import Backend
from dovetail.compiler.reference import ReferenceBackend
from dovetail.errors import PluginError
from dovetail.plugins import manager

__all__ = ["available_backends"]


def available_backends() -> list[Backend]:
    """Return the backends that say they are available; one that fails to load is quarantined and left out."""
    found: list[Backend] = [ReferenceBackend()]
    for name in manager.names("dovetail.backends"):
        try:
            provided = manager.get("dovetail.backends", name)
        except PluginError:
            continue
        backend: Backend = provided() if isinstance(provided, type) else provided
        if backend.availability():
            found.append(backend)
    return found
