"""Plugins: what is installed beside core, and what a process adds to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.plugins.hooks import HOOKS, Hooks, hook
from dovetail.plugins.namespaces import Namespace, install, namespace
from dovetail.plugins.records import GROUPS, Distribution, Failure, Provider
from dovetail.plugins.registry import PluginManager, manager

if TYPE_CHECKING:
    from dovetail.plugins.hookspecs import hookimpl as hookimpl

__all__ = [
    "GROUPS",
    "HOOKS",
    "Distribution",
    "Failure",
    "Hooks",
    "Namespace",
    "PluginManager",
    "Provider",
    "get",
    "hook",
    "hookimpl",
    "install",
    "manager",
    "names",
    "namespace",
    "packages",
    "providers",
    "refresh",
    "register",
    "register_hooks",
    "registered",
    "unregister",
    "unregister_hooks",
]

get = manager.get
names = manager.names
packages = manager.packages
providers = manager.providers
refresh = manager.refresh
register = manager.register
registered = manager.registered
unregister = manager.unregister
register_hooks = hook.register
unregister_hooks = hook.unregister


def __getattr__(name: str) -> Any:
    if name == "hookimpl":  # pluggy is imported where hooks are, not by every `import dovetail`
        from dovetail.plugins.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
