"""Reading from installed metadata who provides what, without importing anything of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from dovetail.plugins.records import CORE, GROUPS, Distribution, Provider
from dovetail.plugins.versions import normalize, parse_requirement, satisfies

if TYPE_CHECKING:
    import importlib.metadata

__all__ = ["Scan", "scan", "unmet_requirement"]


@final
class Scan:
    """What one look at the installed distributions found.

    Attributes:
        providers: Everything provided, by group, in the order of ``sys.path`` and of each file.
        distributions: The distributions that provide something, by normalized name.
        remarks: What is wrong with metadata that mention Dovetail, in sentences.
        core_version: The installed version of ``dovetail-core``, or None where core is on the path without metadata.
    """

    __slots__ = ("core_version", "distributions", "providers", "remarks")

    def __init__(self, core_version: str | None) -> None:
        self.providers: dict[str, list[Provider]] = {group: [] for group in GROUPS}
        self.distributions: dict[str, Distribution] = {}
        self.remarks: list[str] = []
        self.core_version = core_version


def scan() -> Scan:
    """Read the entry points of every installed distribution, once for each name.

    A distribution that is found twice on ``sys.path``, as after an editable installation over a build folder, counts
    where it is found first, as imports do.
    """
    import importlib.metadata

    try:
        core_version = importlib.metadata.version(CORE)
    except importlib.metadata.PackageNotFoundError:
        core_version = None
    result = Scan(core_version)
    seen: set[str] = set()
    for found in importlib.metadata.distributions():
        try:
            # Metadata of a hundred distributions take long to parse; most say in one line that they are no plugins.
            if "dovetail." in (found.read_text("entry_points.txt") or ""):
                _add(result, found, seen)
        except Exception as error:  # noqa: BLE001 - what lies about on sys.path must not stop Dovetail
            result.remarks.append(
                f"Metadata in {found.locate_file('')} cannot be read: {type(error).__name__}: {error}"
            )
    return result


def _add(result: Scan, found: importlib.metadata.Distribution, seen: set[str]) -> None:
    metadata = found.metadata
    name = metadata["Name"]
    if normalize(name) in seen:
        return
    seen.add(normalize(name))
    distribution = Distribution(name, metadata["Version"], tuple(found.requires or ()), str(found.locate_file("")))
    for group, entry_name, value in dict.fromkeys((item.group, item.name, item.value) for item in found.entry_points):
        if group in GROUPS:
            result.providers[group].append(Provider(group, entry_name, value, distribution))
            result.distributions[distribution.key] = distribution
        elif group.startswith("dovetail."):
            result.remarks.append(f"{distribution}: nothing reads the group {group!r} of its entry {entry_name!r}.")


def unmet_requirement(distribution: Distribution, core_version: str | None) -> str | None:
    """Say what ``distribution`` wants of core and does not get, such as ``wants dovetail-core >=9, installed 0.1.0``.

    The requirement on ``dovetail-core`` is the version of the plugin API that a plugin was written for. Requirements
    with an environment marker, extras among them, are left to the installer.
    """
    if core_version is None:
        return None
    for requirement in distribution.requirements:
        try:
            name, specifiers, marker = parse_requirement(requirement)
            if name == CORE and not marker and not satisfies(core_version, specifiers):
                return f"wants {CORE} {specifiers}, installed {core_version}"
        except ValueError as error:
            return f"has a requirement that cannot be read: {error}"
    return None
