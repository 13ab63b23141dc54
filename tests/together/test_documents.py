"""Every program in the documents runs, each document from top to bottom in a process and a folder of its own.

Example plugins that a document names are installed for it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FUTURE = "from __future__ import annotations\n"
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md", "examples/**/README.md")
    for path in ROOT.glob(pattern)
)

PLUGINS = [path.parent for path in ROOT.glob("examples/plugins/*/pyproject.toml")]

documents = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@documents
def test_programs_run(path: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
    if not blocks:
        return
    program = tmp_path / "document.py"
    text = "\n\n".join(blocks)
    if FUTURE in text:  # it must come first in a file, and each block of a document is a file of its own
        text = FUTURE + text.replace(FUTURE, "")
    program.write_text(text, encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    wanted = [plugin for plugin in PLUGINS if plugin.name in path.read_text(encoding="utf-8")]
    if wanted:
        installed = tmp_path / "installed"
        options = ["-q", "--no-deps", "--no-build-isolation", "--target", str(installed)]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *wanted], check=True, capture_output=True)
        environment["PYTHONPATH"] = str(installed)
    done = subprocess.run([sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


@documents
def test_links_lead_somewhere(path: Path) -> None:
    missing = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert missing == []
