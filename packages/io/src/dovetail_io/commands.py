"""The commands ``dovetail inspect``, ``dovetail verify`` and ``dovetail diff``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dovetail.errors import DovetailError
from dovetail_io.inspection.compare import compare
from dovetail_io.inspection.contents import Contents, contents_of
from dovetail_io.inspection.show import shown, shown_differences
from dovetail_io.listing import load_checkpoint
from dovetail_io.saved_model.loader import contains_saved_model

__all__ = ["diff", "inspect", "verify"]

_FILES = (
    "a checkpoint (its path, with or without ending), a graph file, a saved model's folder, an .npz or .safetensors "
    "file, or a folder of checkpoints or the list in it"
)


def inspect(arguments: Sequence[str]) -> int:
    """Show what files hold; returns 0."""
    parser = argparse.ArgumentParser(
        prog="dovetail inspect",
        description="Show what files hold: names, shapes, dtypes, sizes, step, signatures, hashes. No code runs.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    parser.add_argument("--json", action="store_true", help="print JSON: an object, or a list for several files")
    parser.add_argument("--all", action="store_true", help="show long lists whole, and each node of a graph")
    options = parser.parse_args(arguments)
    found = [contents_of(file) for file in options.files]
    if options.json:
        data = [one.to_data() for one in found]
        print(json.dumps(data[0] if len(data) == 1 else data, indent=2))
    else:
        print("\n\n".join(shown(one, everything=options.all) for one in found))
    return 0


def verify(arguments: Sequence[str]) -> int:
    """Check files against sizes and hashes; returns 1 if one of them is damaged."""
    parser = argparse.ArgumentParser(
        prog="dovetail verify",
        description="Check that files are whole: sizes, SHA-256 and structure. The exit status is 1 if one is damaged.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    options = parser.parse_args(arguments)
    damaged = False
    for file in options.files:
        try:
            contents = contents_of(file)
            print(f"{file}: {contents.kind}, whole: {contents.verify()}")
        except DovetailError as error:
            damaged = True
            print(f"{file}: {error}", file=sys.stderr)
    return int(damaged)


def diff(arguments: Sequence[str]) -> int:
    """Show how two files differ; returns 0 if they do not, 1 if they do, 2 if one cannot be read."""
    parser = argparse.ArgumentParser(
        prog="dovetail diff",
        description="Show how two files differ, tensor by tensor, and in step, signatures, nodes and what else both "
        "hold. Of a folder of checkpoints the newest is taken. The exit status is 0 if they are equal, 1 if they "
        "differ, 2 if one cannot be read.",
    )
    parser.add_argument("first", metavar="A", help=_FILES)
    parser.add_argument("second", metavar="B", help="the same")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="T",
        help="values not farther apart count as equal; by default every bit counts",
    )
    options = parser.parse_args(arguments)
    try:
        first, second = _newest(options.first), _newest(options.second)
        found, equal = compare(first, second, options.tolerance)
    except DovetailError as error:
        print(f"dovetail diff: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"equal_tensors": equal, "differences": [one._asdict() for one in found]}, indent=2))
    elif found:
        print(shown_differences(first, second, found, equal))
    return int(bool(found))


def _newest(path: str) -> Contents:
    if Path(path).is_dir() and not contains_saved_model(path):
        return contents_of(load_checkpoint(path).prefix)
    return contents_of(path)
