"""The plugin manager: who provides what, loaded when asked for; what fails is set apart."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from dovetail.errors import InvalidArgumentError, PluginCollisionError, PluginError, PluginNotFoundError
from dovetail.plugins.records import GROUPS, IN_PROCESS, Failure, Provider, group_name

if TYPE_CHECKING:
    from dovetail.plugins.discovery import Scan
    from dovetail.plugins.policy import Policy

__all__ = ["PluginManager", "manager"]


@final
class PluginManager:
    """Finds plugins by metadata, imports them at the first request and quarantines those that fail.

    Installed distributions are looked through once, when something is first asked for. All methods may be called from
    several threads. No lock is held while a plugin is imported, for imports hold locks of their own.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._scan: Scan | None = None
        self._policy: Policy | None = None
        self._registered: dict[str, dict[str, Provider]] = {group: {} for group in GROUPS}
        self._loaded: dict[Provider, Any] = {}
        self._failures: dict[tuple[str, str], Failure] = {}
        self._listeners: list[Callable[[], None]] = []

    # What is there.

    @property
    def scanned(self) -> bool:
        """Whether the installed distributions have been looked through."""
        return self._scan is not None

    @property
    def scan(self) -> Scan:
        """What the installed distributions provide; looked through at the first use."""
        return self._read()[0]

    @property
    def policy(self) -> Policy:
        """The allow and deny lists in force; read together with the first scan."""
        return self._read()[1]

    def _read(self) -> tuple[Scan, Policy]:
        with self._lock:
            if self._scan is None or self._policy is None:
                from dovetail.plugins.discovery import scan
                from dovetail.plugins.policy import current_policy

                self._policy = current_policy()
                self._scan = scan()
            return self._scan, self._policy

    def providers(self, group: str) -> tuple[Provider, ...]:
        """Give everything that is provided in ``group``, also what is denied, broken or provided twice."""
        group = self._group(group)
        installed = self.scan.providers[group]
        with self._lock:
            return (*self._registered[group].values(), *installed)

    def names(self, group: str) -> tuple[str, ...]:
        """Give the names in ``group`` that may be asked for, sorted; nothing is imported for it."""
        return tuple(sorted({item.name for item in self.providers(group) if self.denial(item) is None}))

    def packages(self) -> dict[str, str]:
        """Give the names of the distributions by the packages that their entry points name."""
        return {
            provider.module.partition(".")[0]: provider.distribution.name
            for installed in self.scan.providers.values()
            for provider in installed
        }

    def denial(self, provider: Provider) -> str | None:
        """Say by what a plugin is denied; None where it is allowed."""
        return None if provider.in_process else self.policy.denial(provider.distribution)

    def mismatch(self, provider: Provider) -> str | None:
        """Say which version of core a plugin wants, where it is not the installed one."""
        from dovetail.plugins.discovery import unmet_requirement

        return None if provider.in_process else unmet_requirement(provider.distribution, self.scan.core_version)

    def failure(self, provider: Provider) -> Failure | None:
        """Give the error for which a plugin is quarantined; None where it has not failed so far."""
        key = provider.distribution.key
        return self._failures.get((key, provider.module)) or self._failures.get((key, provider.value))

    def is_loaded(self, provider: Provider) -> bool:
        """Say whether what ``provider`` names has been imported."""
        return provider.in_process or provider in self._loaded

    # Asking for it.

    def get(self, group: str, name: str) -> Any:
        """Give what a plugin provides under ``name``, importing the plugin if need be.

        Args:
            group: An entry-point group; ``layers`` stands for ``dovetail.layers``.
            name: The name of the entry point.

        Raises:
            PluginNotFoundError: If nothing that is allowed provides it.
            PluginCollisionError: If two distributions provide it.
            PluginError: If the plugin failed at import, now or earlier, or wants another version of core.
        """
        group = self._group(group)
        provider = self.choose(group, name, [item for item in self.providers(group) if item.name == name])
        if provider is None:
            from dovetail.plugins.first_party import KINDS, advice

            raise PluginNotFoundError(f"There is no {KINDS[group]} {name!r}. {advice(group, name, self.names(group))}")
        return self.load(provider)

    def choose(self, where: str, name: str, claims: Sequence[Provider]) -> Provider | None:
        """Give the one provider among ``claims``; None where there are none.

        Raises:
            PluginNotFoundError: If all of them are denied.
            PluginCollisionError: If two that are allowed stay.
        """
        allowed = [claim for claim in claims if self.denial(claim) is None]
        if claims and not allowed:
            denied = claims[0]
            raise PluginNotFoundError(
                f"{where}: {name!r} is provided by {denied.distribution}, which is {self.denial(denied)}."
            )
        distinct = {(claim.distribution.key, claim.value): claim for claim in allowed}
        if len(distinct) > 1:
            raise PluginCollisionError(_collision(where, name, list(distinct.values())))
        return allowed[0] if allowed else None

    def load(self, provider: Provider) -> Any:
        """Import what ``provider`` names; once, and never again after a failure.

        Raises:
            PluginNotFoundError: If its distribution is denied.
            PluginError: If it fails at import or wants another version of core. The cause is the original error.
        """
        if provider.in_process:
            return provider.target
        if provider in self._loaded:
            return self._loaded[provider]
        denial = self.denial(provider)
        if denial is not None:
            raise PluginNotFoundError(f"{_described(provider)} is {denial}; it was not imported.")
        mismatch = self.mismatch(provider)
        if mismatch is not None:
            raise PluginError(
                f"{_described(provider)} {mismatch}; it was not imported. Install versions that fit together: "
                f"pip install --upgrade dovetail-core {provider.distribution.name}"
            )
        failure = self.failure(provider) or self._import(provider)
        if failure is not None:
            raise PluginError(
                f"{_described(provider)} could not be imported: {type(failure.error).__name__}: {failure.error}. "
                "Everything else works; `dovetail doctor` shows the traceback."
            ) from failure.error
        return self._loaded[provider]

    def load_package(self, group: str, package: str) -> bool:
        """Load everything in ``group`` that installed plugins keep in the top-level package ``package``.

        This is how a saved graph finds operations: it names the package that defined them, and only a package that an
        entry point of ``dovetail.ops`` declares is imported for it.

        Returns:
            Whether there was anything to load.

        Raises:
            PluginNotFoundError: If its distribution is denied.
            PluginError: If one of the plugins fails.
        """
        found = [item for item in self.providers(group) if item.module.partition(".")[0] == package]
        for provider in found:
            self.load(provider)
        return bool(found)

    def _import(self, provider: Provider) -> Failure | None:
        import importlib

        imported = False
        try:
            target: Any = importlib.import_module(provider.module)
            imported = True
            for part in filter(None, provider.attribute.split(".")):
                target = getattr(target, part)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - anything may go wrong in a plugin
            return self.quarantine(provider, error, whole_module=not imported)
        with self._lock:
            self._loaded.setdefault(provider, target)
        return None

    def quarantine(self, provider: Provider, error: BaseException, *, whole_module: bool = False) -> Failure:
        """Set a plugin apart for ``error``: asking for it raises from now on.

        Args:
            provider: What failed.
            error: Why; it becomes the cause of every `PluginError` raised for this plugin.
            whole_module: Whether everything else from the same module counts as failed, too.
        """
        failure = Failure(error, _traceback(error))
        with self._lock:
            self._loaded.pop(provider, None)
            key = (provider.distribution.key, provider.module if whole_module else provider.value)
            return self._failures.setdefault(key, failure)

    # Registration inside a process.

    def register(self, group: str, name: str, target: Any) -> None:
        """Provide ``target`` under ``name`` in this process, as an entry point of ``group`` would.

        Raises:
            PluginCollisionError: If this process has registered that name already. A name that an installed
                distribution provides as well collides when it is asked for.
        """
        self._register(self._group(group), name, target, _caller(2))

    def _register(self, group: str, name: str, target: Any, line: str) -> None:
        provider = Provider(group, name, f"registered at {line}", IN_PROCESS, target)
        with self._lock:
            earlier = self._registered[group].get(name)
            if earlier is not None:
                raise PluginCollisionError(
                    f"{group}: {name!r} was already {earlier.value}; it cannot be registered at {line} as well. "
                    f"Take it back first: dovetail.plugins.unregister({group!r}, {name!r})"
                )
            self._registered[group][name] = provider
        self._changed()

    def unregister(self, group: str, name: str) -> None:
        """Take back what `register` provided.

        Raises:
            PluginNotFoundError: If this process has not registered that name.
        """
        group = self._group(group)
        with self._lock:
            if self._registered[group].pop(name, None) is None:
                raise PluginNotFoundError(f"{group}: {name!r} was not registered in this process.")
        self._changed()

    @contextmanager
    def registered(self, group: str, name: str, target: Any) -> Iterator[None]:
        """Provide ``target`` under ``name`` inside a ``with`` block."""
        self._register(self._group(group), name, target, _caller(3))
        try:
            yield
        finally:
            self.unregister(group, name)

    def refresh(self) -> None:
        """Forget the scan, the lists and all failures, as after installing a plugin in a running notebook.

        Modules that were imported stay imported.
        """
        import importlib

        importlib.invalidate_caches()
        with self._lock:
            self._scan = self._policy = None
            self._loaded.clear()
            self._failures.clear()
        self._changed()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever names are registered or taken back, or the scan is forgotten."""
        with self._lock:
            self._listeners.append(listener)

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    @staticmethod
    def _group(group: str) -> str:
        try:
            return group_name(group)
        except ValueError as error:
            raise InvalidArgumentError(str(error)) from error


def _traceback(error: BaseException) -> str:
    """Give the traceback of an error as text, without the steps of the import machinery."""
    import traceback

    whole = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = whole
    while part is not None:
        steps = [step for step in part.stack if not _is_machinery(step.filename)]
        part.stack = traceback.StackSummary.from_list(steps)
        part = part.__cause__ or part.__context__
    return "".join(whole.format())


def _is_machinery(path: str) -> bool:
    import importlib

    return path.startswith("<frozen importlib") or path in (__file__, importlib.__file__)


def _described(provider: Provider) -> str:
    entry = f"{provider.name} = {provider.value}"
    return f"{provider.distribution} (entry point {entry!r} in {provider.group})"


def _collision(where: str, name: str, claims: list[Provider]) -> str:
    owners = " and ".join(
        f"{claim.distribution}, {claim.value}" if claim.in_process else f"{claim.distribution} ({claim.value})"
        for claim in claims
    )
    installed = [claim for claim in claims if not claim.in_process]
    return (
        f"{where}: {name!r} is provided {'twice' if len(claims) == 2 else f'{len(claims)} times'}: by {owners}. "
        f"Uninstall one of them, or deny it, as by DOVETAIL_PLUGINS=-{installed[-1].distribution.name}"
    )


def _caller(depth: int) -> str:
    frame = sys._getframe(depth)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


manager = PluginManager()
"""The manager of this process."""
