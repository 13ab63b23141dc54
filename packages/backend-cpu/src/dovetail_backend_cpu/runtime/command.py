"""``dovetail cache``: shows and clears the folder of compiled kernels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Run ``dovetail cache`` with the arguments after it; returns the exit status."""
    from dovetail_backend_cpu.runtime.compile import object_cache

    parser = argparse.ArgumentParser(
        prog="dovetail cache",
        description="The folder in which the CPU backend keeps compiled kernels for the next run. DOVETAIL_CACHE_DIR "
        "chooses it, DOVETAIL_CACHE_LIMIT says how much it may hold.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("show", help="show the folder, and how much is in it (the default)")
    commands.add_parser("clear", help="delete what is in it")
    options = parser.parse_args(list(arguments))
    cache = object_cache()
    if options.command == "clear":
        sys.stdout.write(f"{_size(cache.clear())} freed in {cache.folder}\n")
        return 0
    sizes = [entry.size for entry in cache.entries()]
    sys.stdout.write(
        f"folder   {cache.folder}\nkernels  {len(sizes)}\nsize     {_size(sum(sizes))} of {_size(cache.limit)}\n"
    )
    return 0


def _size(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB" if count >= 1 << 20 else f"{count / (1 << 10):.1f} KiB"
