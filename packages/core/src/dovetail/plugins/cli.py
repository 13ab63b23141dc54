"""The ``dovetail`` command.

Plugins add commands by the entry-point group ``dovetail.commands``: the entry's name is the command, and the entry
is a function that takes the list of arguments after it and returns the exit status.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence

from dovetail.errors import DovetailError
from dovetail.plugins.first_party import advice
from dovetail.plugins.records import CORE
from dovetail.plugins.registry import PluginManager, manager

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, plugins: PluginManager = manager) -> int:
    """Run the command and return its exit status: 0, 1 where something is broken, 2 where it was called wrongly."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and not given[0].startswith("-") and given[0] not in _BUILTIN:
            status = _plugin_command(given, plugins)
        else:
            status = _builtin_command(given, plugins)
        sys.stdout.flush()
        return status
    except DovetailError as error:
        print(f"dovetail: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # nobody reads on, as in `dovetail inspect FILE | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is not flushed there at exit
        return 1


_BUILTIN = ("doctor",)


def _builtin_command(given: list[str], plugins: PluginManager) -> int:
    parser = argparse.ArgumentParser(
        prog="dovetail",
        description="Dovetail: deep learning from parts that fit together.",
        epilog=f"Commands of installed plugins: {', '.join(plugins.names('dovetail.commands')) or 'none'}.",
    )
    parser.add_argument("--version", action="store_true", help="print the version of core and stop")
    commands = parser.add_subparsers(dest="command", metavar="command")
    doctor = commands.add_parser(
        "doctor",
        help="show every plugin, what it provides and how it is",
        description="Load every installed plugin and show its version, what it provides and how it is. "
        "The exit status is 1 if any of them needs help.",
    )
    doctor.add_argument("--json", action="store_true", help="print the report as JSON")
    doctor.add_argument("--no-load", action="store_true", help="import nothing; show what metadata tell")
    options = parser.parse_args(given)
    if options.version:
        print(f"{CORE} {_version()}")
        return 0
    if options.command is None:
        parser.print_help()
        return 2
    return _doctor(plugins, as_json=options.json, load=not options.no_load)


def _version() -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(CORE)
    except importlib.metadata.PackageNotFoundError:
        return "without metadata"


def _doctor(plugins: PluginManager, *, as_json: bool, load: bool) -> int:
    from dovetail.plugins.doctor import examine, render

    report = examine(plugins, load=load)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        print(render(report, width=max(60, min(120, shutil.get_terminal_size((100, 24)).columns))))
    return 1 if report["broken"] else 0


def _plugin_command(given: list[str], plugins: PluginManager) -> int:
    name = given[0]
    if all(item.name != name for item in plugins.providers("dovetail.commands")):
        known = (*_BUILTIN, *plugins.names("dovetail.commands"))
        print(f"dovetail: There is no command {name!r}. {advice('dovetail.commands', name, known)}", file=sys.stderr)
        return 2
    command = plugins.get("dovetail.commands", name)
    return int(command(given[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
