"""What the plugins of an installation are, and how each of them is.

`examine` loads every plugin, keeps what fails from the rest, and gives a report of plain values; `render` makes it
readable. The report has these keys: ``core`` (versions), ``policy`` (allow and deny lists and their source),
``distributions`` (each with ``state`` and, for everything that it provides, the ``state``, ``detail``, ``traceback``
and the ``seconds`` of its import), ``backends`` (whether each can run here), ``remarks`` and ``broken`` (how many
distributions need help).
"""

from __future__ import annotations

import contextlib
import platform
import sys
import textwrap
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from dovetail.errors import DovetailError
from dovetail.plugins.first_party import advice
from dovetail.plugins.hooks import Hooks
from dovetail.plugins.namespaces import NAMES, Namespace, namespace
from dovetail.plugins.records import CORE, GROUPS, IN_PROCESS, Distribution, Provider
from dovetail.plugins.registry import PluginManager, manager

__all__ = ["BROKEN", "examine", "render"]

OK = "ok"
NOT_LOADED = "not loaded yet"
DENIED = "denied"
QUARANTINED = "quarantined"
MISMATCH = "wants another version"
COLLISION = "collides"

BROKEN = (QUARANTINED, MISMATCH, COLLISION)
"""The states that need help."""

_SLOW_SECONDS = 1.0
_MERGED = ("dovetail.hooks", "dovetail.namespaces")  # one name may come from several distributions


def examine(plugins: PluginManager = manager, *, load: bool = True) -> dict[str, Any]:
    """Look at every plugin.

    Args:
        plugins: The manager to examine.
        load: Whether to import the plugins, without which most states stay unknown.

    Raises:
        DovetailError: If the allow and deny lists cannot be read.
    """
    namespaces = _namespaces(plugins)
    seconds: dict[Provider, float] = {}
    # What a plugin prints while it is imported must not mix with the report.
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if load:
            for provider in _all(plugins):
                started = time.perf_counter()
                with contextlib.suppress(DovetailError):
                    plugins.load(provider)
                seconds[provider] = time.perf_counter() - started
            Hooks(plugins).load()
        clashes = _clashes(plugins, namespaces if load else ())
        distributions = [_distribution(plugins, item, seconds, clashes) for item in _owners(plugins)]
        backends = [_backend(plugins, item) for item in plugins.providers("dovetail.backends")] if load else []
    return {
        "core": _core(plugins),
        "policy": _policy(plugins),
        "distributions": distributions,
        "backends": backends,
        "remarks": [*plugins.scan.remarks, *_unknown_in_policy(plugins)],
        "broken": sum(item["state"] in BROKEN for item in distributions),
    }


def _namespaces(plugins: PluginManager) -> list[Namespace]:
    if plugins is manager:
        return [namespace(short) for short in NAMES]
    return [Namespace(f"dovetail.{short}", plugins) for short in NAMES]


def _all(plugins: PluginManager) -> Iterator[Provider]:
    for group in GROUPS:
        yield from plugins.providers(group)


def _owners(plugins: PluginManager) -> list[Distribution]:
    installed = sorted(plugins.scan.distributions.values(), key=lambda item: item.key)
    return [*installed, *([IN_PROCESS] if any(item.in_process for item in _all(plugins)) else [])]


def _core(plugins: PluginManager) -> dict[str, str]:
    import numpy as np

    return {
        "version": plugins.scan.core_version or "without metadata",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def _policy(plugins: PluginManager) -> dict[str, Any]:
    policy = plugins.policy
    return {
        "source": policy.source,
        "allow": None if policy.allow is None else sorted(policy.allow),
        "deny": sorted(policy.deny),
    }


def _unknown_in_policy(plugins: PluginManager) -> list[str]:
    """Tell of names in the lists that no distribution has: a misspelt denial denies nothing."""
    policy = plugins.policy
    known = set(plugins.scan.distributions)
    unknown = sorted(((policy.allow or frozenset()) | policy.deny) - known - {CORE})
    return [
        f"{policy.source} names {name!r}, which is no installed plugin. {advice('', name, known)}" for name in unknown
    ]


def _clashes(plugins: PluginManager, namespaces: Iterable[Namespace]) -> dict[Provider, list[str]]:
    """Give for each provider the names that it does not provide alone, with who else does."""
    found: dict[Provider, list[str]] = {}

    def note(where: str, name: str, claims: list[Provider]) -> None:
        for claim in claims:
            others = [str(other) for other in claims if other.distribution.key != claim.distribution.key]
            if others:
                found.setdefault(claim, []).append(f"{where}: {name!r} is also provided by {' and '.join(others)}")

    for group in set(GROUPS) - set(_MERGED):
        by_name: dict[str, list[Provider]] = {}
        for provider in plugins.providers(group):
            if plugins.denial(provider) is None:
                by_name.setdefault(provider.name, []).append(provider)
        for name, claims in by_name.items():
            note(group, name, claims)
    for space in namespaces:
        for name, claims in space.offered().items():
            if name in space.contributed():
                for claim in claims:
                    found.setdefault(claim, []).append(f"{space.__name__}: {name!r} is taken by {CORE}")
            elif all(claim.group == "dovetail.namespaces" for claim in claims):
                note(space.__name__, name, claims)
    return found


def _distribution(
    plugins: PluginManager, owner: Distribution, seconds: dict[Provider, float], clashes: dict[Provider, list[str]]
) -> dict[str, Any]:
    mine = [item for item in _all(plugins) if item.distribution is owner]
    provides = [_entry(plugins, item, seconds.get(item, 0.0), clashes.get(item, [])) for item in mine]
    states = [entry["state"] for entry in provides]
    order = (*BROKEN, DENIED, NOT_LOADED, OK)
    return {
        "name": owner.name,
        "version": owner.version,
        "location": owner.location,
        "state": min(states, key=order.index) if states else OK,
        "provides": provides,
    }


def _entry(plugins: PluginManager, provider: Provider, seconds: float, clashes: list[str]) -> dict[str, Any]:
    state, detail, traceback = _state(plugins, provider, clashes)
    return {
        "group": provider.group,
        "name": provider.name,
        "value": provider.value,
        "state": state,
        "detail": detail,
        "traceback": traceback,
        "seconds": round(seconds, 3),
    }


def _state(plugins: PluginManager, provider: Provider, clashes: list[str]) -> tuple[str, str, str]:
    denial = plugins.denial(provider)
    if denial is not None:
        return DENIED, denial, ""
    mismatch = plugins.mismatch(provider)
    if mismatch is not None:
        return MISMATCH, mismatch, ""
    failure = plugins.failure(provider)
    if failure is not None:
        return QUARANTINED, f"{type(failure.error).__name__}: {failure.error}", failure.traceback
    if clashes:
        return COLLISION, "; ".join(dict.fromkeys(clashes)), ""
    return (OK if plugins.is_loaded(provider) else NOT_LOADED), "", ""


def _backend(plugins: PluginManager, provider: Provider) -> dict[str, Any]:
    result = {"name": provider.name, "distribution": str(provider), "available": False, "detail": ""}
    try:
        probe = plugins.load(provider)
        availability = (probe() if isinstance(probe, type) else probe).availability()
        result["available"] = bool(availability)
        result["detail"] = repr(availability)
    except Exception as error:  # noqa: BLE001 - anything may go wrong in a plugin
        result["detail"] = f"cannot tell: {type(error).__name__}: {error}"
    return result


def render(report: dict[str, Any], width: int = 100) -> str:
    """Make a report of `examine` readable in lines of about ``width`` columns."""
    core, policy = report["core"], report["policy"]
    lines = [
        f"{CORE} {core['version']}, Python {core['python']}, NumPy {core['numpy']}, {core['platform']}",
        f"allow and deny lists: {_policy_text(policy)}",
        "",
    ]
    titles = [f"{item['name']} {item['version']}".rstrip() for item in report["distributions"]]
    widest = max(map(len, titles), default=0)
    for title, distribution in zip(titles, report["distributions"], strict=True):
        lines.append(f"{title:<{widest}}  {distribution['state']}")
        lines += _provided(distribution["provides"], width)
        lines.append("")
    if not titles:
        lines += ["No plugins are installed.", ""]
    if report["backends"]:
        lines.append("backends")
        widest = max(len(item["name"]) for item in report["backends"])
        lines += [f"  {item['name']:<{widest}}  {item['detail']}" for item in report["backends"]]
        lines.append("")
    lines += [f"note: {remark}" for remark in report["remarks"]]
    lines.append(_conclusion(report["broken"], len(titles)))
    return "\n".join(lines)


def _policy_text(policy: dict[str, Any]) -> str:
    if policy["source"] == "default":
        return "none; every plugin may be loaded"
    allow = "all" if policy["allow"] is None else ", ".join(policy["allow"]) or "nothing"
    deny = ", ".join(policy["deny"]) or "nothing"
    return f"allow {allow}; deny {deny} (from {policy['source']})"


def _provided(entries: list[dict[str, Any]], width: int) -> list[str]:
    """List what a distribution provides: the sound by group, whatever needs words on lines of its own."""
    column = max(map(len, GROUPS)) + 4
    lines = []
    for group in GROUPS:
        names = [entry["name"] for entry in entries if entry["group"] == group]
        if names:
            indent = f"  {group}".ljust(column)
            lines += textwrap.wrap(", ".join(names), width, initial_indent=indent, subsequent_indent=" " * column)
    troubles: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        if entry["detail"]:
            trouble = (entry["state"], entry["detail"], entry["traceback"])
            troubles.setdefault(trouble, []).append(entry["name"])
    for (state, detail, traceback), names in troubles.items():
        text = f"{', '.join(names)}: {detail if detail.startswith(state) else f'{state}: {detail}'}"
        lines += textwrap.wrap(text, width, initial_indent="  ! ", subsequent_indent="    ")
        lines += textwrap.indent(traceback.rstrip(), "      ").splitlines()
    for entry in entries:
        if entry["seconds"] >= _SLOW_SECONDS:
            lines.append(f"  ! {entry['name']}: slow: its import took {entry['seconds']:.1f} s")
    return lines


def _conclusion(broken: int, total: int) -> str:
    if broken == 0:
        return "Everything is in order."
    plugins, needs = "plugin" if total == 1 else "plugins", "needs" if broken == 1 else "need"
    return f"{broken} of {total} {plugins} {needs} help; the lines marked ! say why."
