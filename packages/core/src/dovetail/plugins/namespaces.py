"""Namespaces that plugins fill: ``dovetail.layers``, ``dovetail.train`` and their like.

A namespace looks like a module and holds nothing of its own. It finds an attribute when it is first asked for, in
this order: what core contributes; entry points ``train.Saver`` of the group ``dovetail.namespaces`` (one attribute);
entry points of ``dovetail.layers`` (for ``layers``) or ``dovetail.optimizers`` (for ``train``); entry points ``nn`` of
``dovetail.namespaces`` (modules, of which ``__all__`` is handed on). Two distributions that provide one attribute are
an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Final, NoReturn, final

from dovetail.errors import DovetailError, PluginCollisionError, PluginError, PluginNotFoundError
from dovetail.plugins.records import Provider
from dovetail.plugins.registry import PluginManager, manager

__all__ = ["NAMES", "Namespace", "install", "namespace"]

NAMES: Final = {
    "bitwise": "Operations on the bits of integers.",
    "constraints": "What weights must keep after an optimizer's update.",
    "data": "Input: data sets, batching, prefetching.",
    "estimator": "Training, evaluation and prediction from one model function.",
    "feature_column": "From the columns of a table to what a network takes.",
    "image": "Images: sizes, flips, parts, colours, measures.",
    "initializers": "First values of weights.",
    "io": "Saving, loading and exporting.",
    "layers": "Layers, as functions (`dense`) and as classes (`Dense`).",
    "linalg": "Linear algebra.",
    "losses": "Losses, which also gather what a network regularises.",
    "math": "Mathematics, element by element and along axes.",
    "metrics": "Measures of how good a network is.",
    "nn": "Activations and other functions of networks.",
    "random": "Random numbers.",
    "saved_model": "Networks saved with their signatures.",
    "signal": "Fourier and cosine transforms, frames, windows, the mel scale.",
    "spectral": "Fourier and cosine transforms, under their older name.",
    "sklearn": "Networks as scikit-learn estimators.",
    "strings": "Text: joining, changing, cutting.",
    "summary": "Logs of training.",
    "train": "Optimizers, schedules, checkpoints, hooks of a training loop.",
}
"""The namespaces, with what each of them is for."""

_NAMESPACES = "dovetail.namespaces"
_LAYERS = "dovetail.layers"
_OPTIMIZERS = "dovetail.optimizers"


@final
class _Claim:
    """One way to get an attribute: who provides it, and in which form.

    The form is ``object``, ``function`` of a layer's class, or ``member`` of a module.
    """

    __slots__ = ("form", "provider")

    def __init__(self, provider: Provider, form: str) -> None:
        self.provider = provider
        self.form = form


@final
class Namespace(ModuleType):
    """A module whose attributes plugins provide.

    Args:
        name: The full name, such as ``dovetail.layers``.
        plugins: Where to look; the process's manager by default.
    """

    def __init__(self, name: str, plugins: PluginManager = manager) -> None:
        short = name.rpartition(".")[2]
        super().__init__(name, NAMES.get(short))
        self.__spec__ = ModuleSpec(name, None, origin="dovetail plugins")
        self.__package__ = name.rpartition(".")[0]
        self._plugins = plugins
        self._short = short
        self._found: set[str] = set()
        plugins.on_change(self._forget)

    def provide(self, name: str, target: Any) -> None:
        """Contribute an attribute from core; plugins cannot replace it.

        Raises:
            PluginCollisionError: If core has contributed another object under that name.
        """
        if name in self.__dict__ and name not in self._found and self.__dict__[name] is not target:
            raise PluginCollisionError(f"{self.__name__}: core already contributes {name!r}.")
        self._found.discard(name)
        self.__dict__[name] = target

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # the interpreter and tools ask for many of these; they cost no scan
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        claim = self._claim(name)
        if claim is None:
            self._not_found(name, sys._getframe(1))
        target = self._take(claim, name)
        self._found.add(name)
        return self.__dict__.setdefault(name, target)

    def _claim(self, name: str) -> _Claim | None:
        claims = [*self._stated(name), *self._members(name)]
        allowed = [claim for claim in claims if self._plugins.denial(claim.provider) is None]
        by_distribution: dict[str, Provider] = {}
        for claim in allowed:
            by_distribution.setdefault(claim.provider.distribution.key, claim.provider)
        self._plugins.choose(self.__name__, name, list(by_distribution.values()) or [item.provider for item in claims])
        return allowed[0] if allowed else None

    def _stated(self, name: str) -> Iterator[_Claim]:
        """Give what metadata alone say of an attribute."""
        for provider in self._plugins.providers(_NAMESPACES):
            if provider.name == f"{self._short}.{name}":
                yield _Claim(provider, "object")
        is_class_name = name[:1].isupper()
        if self._short == "layers":
            for provider in self._plugins.providers(_LAYERS):
                if provider.name == name:
                    yield _Claim(provider, "function")
                elif is_class_name and _fold(provider.name) == _fold(name):
                    yield _Claim(provider, "object")
        elif self._short == "train" and is_class_name:
            folded = _fold(name.removesuffix("Optimizer"))
            for provider in self._plugins.providers(_OPTIMIZERS):
                if _fold(provider.name) == folded:
                    yield _Claim(provider, "object")

    def _members(self, name: str) -> Iterator[_Claim]:
        """Give the whole-module plugins of this namespace that hand on ``name``; they are imported for it."""
        for provider in self._modules():
            if name in self._handed_on(provider):
                yield _Claim(provider, "member")

    def _modules(self) -> list[Provider]:
        return [
            provider
            for provider in self._plugins.providers(_NAMESPACES)
            if provider.name == self._short and self._plugins.denial(provider) is None
        ]

    def _handed_on(self, provider: Provider) -> Iterable[str]:
        """Give a module's ``__all__``; nothing where the module is broken, which `_not_found` tells."""
        try:
            module = self._plugins.load(provider)
            names: Iterable[str] = module.__all__
        except PluginError:
            return ()
        except AttributeError as error:
            self._plugins.quarantine(provider, error)
            return ()
        return names

    def _take(self, claim: _Claim, name: str) -> Any:
        target = self._plugins.load(claim.provider)
        if claim.form == "object":
            return target
        if claim.form == "function":
            function = getattr(target, "function", None)
            if isinstance(target, type) and function is not None:
                return function()
            raise PluginError(
                f"{claim.provider.distribution}: {claim.provider.value} must be a subclass of dovetail.extend.Layer to "
                f"serve as the layer {claim.provider.name!r}, but is {target!r}."
            )
        try:
            return getattr(target, name)
        except Exception as error:
            raise PluginError(
                f"{claim.provider.distribution}: {claim.provider.value} names {name!r} in its __all__, but does not "
                f"give it: {type(error).__name__}: {error}"
            ) from error

    def _not_found(self, name: str, frame: FrameType) -> NoReturn:
        from dovetail.plugins.absent import advice_for, is_import_statement, refuse
        from dovetail.plugins.first_party import advice

        instead = advice_for(self.__name__.partition(".")[2], name)
        if instead is not None:
            refuse(self.__name__, name, instead, frame)
        message = f"{self.__name__} has no {name!r}."
        cause: BaseException | None = None
        for provider in self._modules():
            reason = self._plugins.mismatch(provider)
            failure = self._plugins.failure(provider)
            if failure is not None:
                cause = failure.error
                reason = f"could not be imported: {type(cause).__name__}: {cause}"
            if reason is not None:
                message += f" It may come from {provider.distribution}, which {reason}."
        message += " " + advice(self.__name__, name, (item for item in dir(self) if not item.startswith("_")))
        if is_import_statement(frame):
            # "from dovetail.layers import …" would replace an AttributeError, and with it the advice.
            raise PluginError(message) from cause
        raise PluginNotFoundError(message, name=name) from cause

    def __dir__(self) -> list[str]:
        names = set(super().__dir__()) - {"_plugins", "_short", "_found"}
        for name, owners in self.offered().items():
            one_owner = len({owner.distribution.key for owner in owners}) == 1
            if one_owner and not any(self._plugins.failure(owner) for owner in owners):
                names.add(name)
        return sorted(names)

    def offered(self) -> dict[str, list[Provider]]:
        """Give the attributes that plugins offer, with all who offer each of them.

        Metadata tell of most; modules whose ``__all__`` this namespace hands on are imported for it.
        """
        owners: dict[str, list[Provider]] = {}
        for provider in self._all_providers():
            if self._plugins.denial(provider) is None:
                for name in self._offers(provider):
                    owners.setdefault(name, []).append(provider)
        return owners

    def contributed(self) -> set[str]:
        """Give the attributes that core contributes."""
        return {name for name in self.__dict__ if not name.startswith("_")} - self._found

    def __repr__(self) -> str:
        try:
            owners = sorted({str(provider) for provider in self._all_providers()})
        except DovetailError as error:
            return f"<namespace {self.__name__!r}, whose plugins cannot be listed: {error}>"
        return f"<namespace {self.__name__!r} fed by {', '.join(owners) if owners else 'no installed plugin'}>"

    def _all_providers(self) -> list[Provider]:
        group = {"layers": _LAYERS, "train": _OPTIMIZERS}.get(self._short)
        entries = [
            provider
            for provider in self._plugins.providers(_NAMESPACES)
            if provider.name == self._short or provider.name.startswith(self._short + ".")
        ]
        return [*entries, *(self._plugins.providers(group) if group else ())]

    def _offers(self, provider: Provider) -> Iterable[str]:
        """Give the attributes under which this namespace hands on what ``provider`` provides."""
        if provider.group == _NAMESPACES:
            is_module = provider.name == self._short
            if is_module:
                return self._handed_on(provider)
            return (provider.name.partition(".")[2],)
        # The class's name is the last part of the entry's value, for classes that are named as their entries.
        class_name = provider.attribute.rpartition(".")[2]
        if provider.in_process:
            class_name = getattr(provider.target, "__name__", "")
        if provider.group == _LAYERS:
            return (provider.name, class_name) if _fold(class_name) == _fold(provider.name) else (provider.name,)
        short = class_name.removesuffix("Optimizer")
        return (short, short + "Optimizer") if _fold(short) == _fold(provider.name) else ()

    def _forget(self) -> None:
        for name in tuple(self._found):
            self.__dict__.pop(name, None)
        self._found.clear()


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


_installed: dict[str, Namespace] = {}


def install(package: str) -> None:
    """Make the namespaces modules of ``package``; called by the package itself while it is imported."""
    parent = sys.modules[package]
    for short in NAMES:
        if short not in _installed:
            _installed[short] = Namespace(f"{package}.{short}")
        found = _installed[short]
        sys.modules[found.__name__] = found
        setattr(parent, short, found)


def namespace(short: str) -> Namespace:
    """Give an installed namespace, for core to contribute to: ``namespace("initializers").provide(...)``."""
    return _installed[short]
