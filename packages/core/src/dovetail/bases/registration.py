"""Who provides a class: what entry points say of it."""

from __future__ import annotations

import re

from dovetail.errors import DovetailError
from dovetail.plugins import manager
from dovetail.types.configured import FINDERS, known_class, qualified_name

__all__ = ["layer_name", "provided_by"]

_GROUPS = ("dovetail.layers", "dovetail.optimizers", "dovetail.namespaces", "dovetail.ops")


def layer_name(cls: type) -> str:
    """Return a class's name in small letters, words divided by ``_``: ``MaxPooling2D`` gives ``max_pooling2d``."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", cls.__name__.lstrip("_"))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def provided_by(cls: type) -> tuple[str, str]:
    """Return the name under which a layer's class is registered, and the distribution that provides it.

    A class that no plugin provides goes by its own name and has no distribution.
    """
    package = cls.__module__.partition(".")[0]
    distribution = ""
    for provider in manager.providers("dovetail.layers"):
        if provider.in_process:
            if provider.target is cls:
                return provider.name, ""
        elif provider.module.partition(".")[0] == package:
            distribution = provider.distribution.name
            if provider.value == qualified_name(cls) or (manager.is_loaded(provider) and manager.load(provider) is cls):
                return provider.name, distribution
    return layer_name(cls), distribution


def _find(name: str) -> type | None:
    """Import what the plugins of a class's package provide, and return the class if that defines it."""
    package = name.partition(":")[0].partition(".")[0]
    for group in _GROUPS:
        for provider in manager.providers(group):
            if provider.in_process or provider.module.partition(".")[0] != package:
                continue
            try:
                manager.load(provider)
            except DovetailError:
                continue
            found = known_class(name)
            if found is not None:
                return found
    return None


FINDERS.append(_find)
