"""What is known of plugins: distributions, and what each of them provides."""

from __future__ import annotations

from typing import Any, final

from dovetail.plugins.versions import normalize

__all__ = ["CORE", "GROUPS", "IN_PROCESS", "Distribution", "Failure", "Provider", "group_name"]

CORE = "dovetail-core"
"""The distribution whose version is the plugins' API version; it is never denied."""

GROUPS: tuple[str, ...] = tuple(
    f"dovetail.{kind}"
    for kind in (
        "layers",
        "ops",
        "optimizers",
        "backends",
        "formats",
        "onnx",
        "namespaces",
        "hooks",
        "commands",
    )
)
"""The entry-point groups that Dovetail reads."""


@final
class Distribution:
    """An installed distribution that provides something, or the process itself (``IN_PROCESS``)."""

    __slots__ = ("key", "location", "name", "requirements", "version")

    def __init__(self, name: str, version: str, requirements: tuple[str, ...] = (), location: str = "") -> None:
        self.name = name
        self.version = version
        self.requirements = requirements
        self.location = location
        self.key = normalize(name)

    def __repr__(self) -> str:
        return f"<Distribution {self}>"

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


IN_PROCESS = Distribution("this process", "")
"""The owner of what was registered with `dovetail.plugins.register`."""


@final
class Provider:
    """One thing that a distribution provides: a name in a group, and where to import it from.

    Attributes:
        group: The entry-point group, such as ``dovetail.layers``.
        name: What is provided, such as ``dense``.
        value: Where it is: ``module:attribute`` or ``module``; for an object registered in this process, the line
            that registered it.
        distribution: Who provides it.
        target: The object itself, where it was registered in this process.
    """

    __slots__ = ("distribution", "group", "name", "target", "value")

    def __init__(self, group: str, name: str, value: str, distribution: Distribution, target: Any = None) -> None:
        self.group = group
        self.name = name
        self.value = value
        self.distribution = distribution
        self.target = target

    @property
    def in_process(self) -> bool:
        """Whether this was registered by `dovetail.plugins.register`, not by an installed distribution."""
        return self.distribution is IN_PROCESS

    @property
    def module(self) -> str:
        """The module that the entry point names."""
        return self.value.partition(":")[0].strip()

    @property
    def attribute(self) -> str:
        """The attribute that the entry point names, dotted; empty where it names a module."""
        return self.value.partition(":")[2].partition("[")[0].strip()

    def __repr__(self) -> str:
        return f"<Provider {self.group} {self.name!r} = {self.value!r} from {self.distribution}>"

    def __str__(self) -> str:
        return f"this process ({self.value})" if self.in_process else str(self.distribution)


@final
class Failure:
    """Why a plugin is quarantined: the error, and its traceback as text."""

    __slots__ = ("error", "traceback")

    def __init__(self, error: BaseException, traceback: str) -> None:
        self.error = error
        self.traceback = traceback


def group_name(group: str) -> str:
    """Give the full name of a group; ``layers`` stands for ``dovetail.layers``.

    Raises:
        ValueError: If Dovetail reads no such group.
    """
    full = group if group.startswith("dovetail.") else f"dovetail.{group}"
    if full not in GROUPS:
        raise ValueError(f"{group!r} is not a group of plugins. The groups are {', '.join(GROUPS)}.")
    return full
