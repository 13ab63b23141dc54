"""The installed size of distributions with all that they need; runs in the environment of any framework.

python benchmarks/installed.py NAME...
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path


def needs(distribution: importlib.metadata.Distribution) -> list[str]:
    """Return the names of what a distribution requires, extras left out."""
    return [
        re.split(r"[^\w.-]", line, maxsplit=1)[0]
        for line in distribution.requires or []
        if not re.search(r"extra\s*==", line)
    ]


def bytes_of(distribution: importlib.metadata.Distribution) -> int:
    """Return the bytes of the files of a distribution, of its source folder where it is installed editable."""
    origin = distribution.read_text("direct_url.json")
    if origin and json.loads(origin).get("dir_info", {}).get("editable"):
        source = Path(json.loads(origin)["url"].removeprefix("file://")) / "src"
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc")
    found = (Path(str(distribution.locate_file(file))) for file in distribution.files or [])
    return sum(path.stat().st_size for path in found if path.is_file() and path.suffix != ".pyc")


def megabytes(names: list[str]) -> dict[str, float]:
    """Return the MB of 2**20 bytes of each distribution that ``names`` and their needs come to; of those installed."""
    sizes: dict[str, float] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in sizes:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        sizes[name] = bytes_of(distribution) / 2**20
        waiting += needs(distribution)
    return sizes


if __name__ == "__main__":
    print(json.dumps(megabytes(sys.argv[1:])))
