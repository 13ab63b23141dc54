"""Keeps one version in every distribution.

The file ``VERSION`` at the root is the place where it is stated. A package must also build when only its own folder is
there, so each one carries a copy; this program writes the copies, and with ``--check`` says where they differ.

    python tools/version.py           write the version of VERSION everywhere
    python tools/version.py 0.2.0     change VERSION first
    python tools/version.py --check   change nothing; fail if a copy differs
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE = Path("packages/core/src/dovetail/version.py")

# The version of the project itself, a requirement on another of our distributions, and the constant in core.
OWN_VERSION = re.compile(r'^(version = ")[^"]*(")', re.MULTILINE)
REQUIREMENT = re.compile(r'("dovetail(?:-[a-z-]+)?(?:\[[a-z,]+\])?==)[^"\s;]*')
CONSTANT = re.compile(r'^(__version__ = ")[^"]*(")', re.MULTILINE)
VALID = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?(?:\.dev\d+)?")


def stated_version(root: Path = ROOT) -> str:
    """The version in ``VERSION``; raises ``ValueError`` where it is not one."""
    text = (root / "VERSION").read_text(encoding="utf-8").strip()
    if not VALID.fullmatch(text):
        raise ValueError(f"VERSION holds {text!r}; expected a version such as 0.2.0 or 0.2.0rc1.")
    return text


def rewritten(root: Path = ROOT) -> dict[Path, tuple[str, str]]:
    """Maps each file with a copy of the version to its text now and its text as it should be."""
    version = stated_version(root)
    result = {}
    for path in [root / "pyproject.toml", *sorted(root.glob("packages/*/pyproject.toml"))]:
        now = path.read_text(encoding="utf-8")
        wanted = OWN_VERSION.sub(rf"\g<1>{version}\g<2>", now, count=1)
        result[path] = (now, REQUIREMENT.sub(rf"\g<1>{version}", wanted))
    now = (root / MODULE).read_text(encoding="utf-8")
    result[root / MODULE] = (now, CONSTANT.sub(rf"\g<1>{version}\g<2>", now))
    return result


def differing(root: Path = ROOT) -> list[Path]:
    """The files whose copy of the version differs from ``VERSION``."""
    return [path for path, (now, wanted) in rewritten(root).items() if now != wanted]


def main(arguments: list[str]) -> int:
    """Runs the program; returns its exit status."""
    match arguments:
        case ["--check"]:
            stale = differing()
            for path in stale:
                print(f"{path.relative_to(ROOT)} differs from VERSION: run make version")
            return 1 if stale else 0
        case [] | [_]:
            if arguments:
                if not VALID.fullmatch(arguments[0]):
                    print(f"{arguments[0]!r} is not a version such as 0.2.0 or 0.2.0rc1")
                    return 2
                (ROOT / "VERSION").write_text(arguments[0] + "\n", encoding="utf-8")
            for path, (now, wanted) in rewritten().items():
                if now != wanted:
                    path.write_text(wanted, encoding="utf-8")
                    print(f"wrote {path.relative_to(ROOT)}")
            return 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
