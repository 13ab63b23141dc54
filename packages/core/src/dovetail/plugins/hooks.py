"""Calling the hooks that plugins implement.

The caller asks first whether anyone listens, which costs one attribute::

    if hook.step_run_active:
        hook.step_run(session, fetches, seconds)
"""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, final

from dovetail.errors import DovetailError, PluginError
from dovetail.plugins.records import Provider
from dovetail.plugins.registry import PluginManager, manager

if TYPE_CHECKING:
    import pluggy

__all__ = ["HOOKS", "Hooks", "hook"]

HOOKS = ("plan_compiled", "step_run", "checkpoint_saved", "format_chosen")
"""The names of all hooks; `dovetail.plugins.hookspecs` holds their contracts."""

_GROUP = "dovetail.hooks"


@final
class Hooks:
    """The hooks of this process and who listens to them.

    Attributes:
        plan_compiled_active: Whether anyone listens to ``plan_compiled``; likewise for the other hooks.
    """

    __slots__ = (
        "_lock",
        "_origins",
        "_plugins",
        "_relay",
        "checkpoint_saved_active",
        "format_chosen_active",
        "plan_compiled_active",
        "step_run_active",
    )

    def __init__(self, plugins: PluginManager = manager) -> None:
        self._lock = threading.RLock()
        self._plugins = plugins
        self._relay: pluggy.PluginManager | None = None
        self._origins: dict[str, Provider] | None = None
        self.plan_compiled_active = False
        self.step_run_active = False
        self.checkpoint_saved_active = False
        self.format_chosen_active = False

    def active(self, name: str) -> bool:
        """Say whether anyone listens to the hook ``name``."""
        return bool(getattr(self, f"{name}_active"))

    def plan_compiled(self, session: Any, program: Any) -> None:
        """Tell that a plan was compiled; see `dovetail.plugins.hookspecs.plan_compiled`."""
        self._call("plan_compiled", session=session, program=program)

    def step_run(self, session: Any, fetches: Any, seconds: float) -> None:
        """Tell that a step was run; see `dovetail.plugins.hookspecs.step_run`."""
        self._call("step_run", session=session, fetches=fetches, seconds=seconds)

    def checkpoint_saved(self, path: str | os.PathLike[str], step: int | None) -> None:
        """Tell that a checkpoint was saved; see `dovetail.plugins.hookspecs.checkpoint_saved`."""
        self._call("checkpoint_saved", path=path, step=step)

    def format_chosen(self, path: str | os.PathLike[str], format: str) -> None:
        """Tell that a format was chosen; see `dovetail.plugins.hookspecs.format_chosen`."""
        self._call("format_chosen", path=path, format=format)

    def load(self) -> None:
        """Load what installed distributions registered in the group ``dovetail.hooks``; once.

        Called when the first session is made. A plugin that fails is quarantined with a warning.
        """
        with self._lock:
            if self._origins is not None:
                return
            providers = [item for item in self._plugins.providers(_GROUP) if self._plugins.denial(item) is None]
            self._origins = {}
            for provider in providers:
                name = f"{provider.distribution} {provider.name}"
                try:
                    self._add(self._plugins.load(provider), name)
                except DovetailError as error:
                    if self._plugins.failure(provider) is None:
                        self._plugins.quarantine(provider, error)
                    warnings.warn(
                        f"The hooks of {provider.distribution} are left out. {error}", RuntimeWarning, stacklevel=2
                    )
                else:
                    self._origins[name] = provider

    def register(self, listener: object) -> None:
        """Add the hooks of ``listener``: an object, or a module, with functions that `hookimpl` marks.

        What such a function raises reaches the caller of the hook. (Hooks of installed distributions that raise are
        set apart instead, with a warning.)

        Raises:
            PluginError: If a function does not fit its hook, or nothing is marked.
        """
        with self._lock:
            self._add(listener, f"{_name_of(listener)} at {id(listener):#x}")

    def unregister(self, listener: object) -> None:
        """Take back the hooks of ``listener``.

        Raises:
            PluginError: If they were not registered.
        """
        with self._lock:
            if not self._pluggy.is_registered(listener):
                raise PluginError(f"The hooks of {_name_of(listener)} are not registered.")
            self._pluggy.unregister(listener)
            self._refresh()

    @property
    def _pluggy(self) -> pluggy.PluginManager:
        if self._relay is None:
            import pluggy

            from dovetail.plugins import hookspecs

            self._relay = pluggy.PluginManager(hookspecs.PROJECT)
            self._relay.add_hookspecs(hookspecs)
        return self._relay

    def _add(self, listener: object, name: str) -> None:
        import pluggy

        relay = self._pluggy
        if relay.is_registered(listener):
            raise PluginError(f"The hooks of {_name_of(listener)} are registered already.")
        fits = False
        try:
            relay.register(listener, name)
            relay.check_pending()
            callers = relay.get_hookcallers(listener) or []
            implementations = [item for caller in callers for item in caller.get_hookimpls() if item.plugin is listener]
            if not implementations:
                raise PluginError(f"{_name_of(listener)} has no function marked with dovetail.plugins.hookimpl.")
            if any(item.wrapper or item.hookwrapper for item in implementations):
                raise PluginError(f"{_name_of(listener)}: a hook observes; it cannot be a wrapper.")
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"{_name_of(listener)} does not fit the hooks: {str(error).strip()}. "
                f"There are {', '.join(HOOKS)}; dovetail.plugins.hookspecs says what each of them is given."
            ) from error
        else:
            fits = True
        finally:
            if not fits and relay.is_registered(listener):
                relay.unregister(listener)
            self._refresh()

    def _refresh(self) -> None:
        for name in HOOKS:
            setattr(self, f"{name}_active", bool(getattr(self._pluggy.hook, name).get_hookimpls()))

    def _call(self, name: str, **arguments: Any) -> None:
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, name)
        for implementation in reversed(caller.get_hookimpls()):
            try:
                implementation.function(*[arguments[argument] for argument in implementation.argnames])
            except Exception as error:
                provider = (self._origins or {}).get(implementation.plugin_name)
                if provider is None:
                    raise
                self._set_apart(provider, implementation.plugin, name, error)

    def _set_apart(self, provider: Provider, listener: object, name: str, error: Exception) -> None:
        with self._lock:
            if self._pluggy.is_registered(listener):
                self._plugins.quarantine(provider, error)
                self._pluggy.unregister(listener)
                self._refresh()
        warnings.warn(
            f"The hook {name} of {provider.distribution} failed, and its hooks are called no more: "
            f"{type(error).__name__}: {error} ({_place(error)})",
            RuntimeWarning,
            stacklevel=4,
        )


def _name_of(listener: object) -> str:
    name = getattr(listener, "__name__", None)
    return str(name) if name else type(listener).__name__


def _place(error: BaseException) -> str:
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}" if step is not None else "no traceback"


hook = Hooks()
"""The hooks of this process."""
