"""Write docs/tensorflow1.md: which names of TensorFlow 1 there are, which differ, and what to use for those left out.

It is made from the names (`tools/tensorflow1_names.json`), from what this Dovetail gives, and from the tables that
errors are made of (`dovetail.plugins.tensorflow1`)::

    python tools/make_tensorflow1.py            # write
    python tools/make_tensorflow1.py --check    # say whether it is out of date, with exit status 1
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import dovetail
from dovetail.plugins.absent import absent_names
from dovetail.plugins.tensorflow1 import DIFFERS

ROOT = Path(__file__).parents[1]
NAMES = Path(__file__).with_name("tensorflow1_names.json")
DOCUMENT = ROOT / "docs" / "tensorflow1.md"
TITLES = {
    "nn": "Functions of networks: `tf.nn`",
    "nn.rnn_cell": "Cells of recurrent networks: `tf.nn.rnn_cell`",
    "layers": "Layers: `tf.layers`",
    "losses": "Losses: `tf.losses`",
    "metrics": "Metrics: `tf.metrics`",
    "train": "Training: `tf.train`",
    "initializers": "First values: `tf.initializers`",
    "random": "Random numbers: `tf.random`",
    "image": "Images: `tf.image`",
    "strings": "Strings: `tf.strings`",
    "logging": "Messages: `tf.logging`",
    "gfile": "Files: `tf.gfile`",
    "math": "Mathematics: `tf.math`",
    "linalg": "Linear algebra: `tf.linalg`",
    "bitwise": "Bits: `tf.bitwise`",
    "app": "Starting: `tf.app`",
    "summary": "Logs: `tf.summary`",
    "saved_model": "Saved models: `tf.saved_model`",
    "data": "Input: `tf.data`",
    "signal": "Signals: `tf.signal`",
    "spectral": "Spectra: `tf.spectral`",
    "Graph": "Methods of `tf.Graph`",
    "Session": "Methods of `tf.Session`",
}
HEAD = """# TensorFlow 1

Dovetail keeps the names of TensorFlow 1's graphs and sessions: `import dovetail as tf` runs its tutorials, and so does
`import dovetail.compat.v1 as tf` with `tf.disable_v2_behavior()`. This page lists the names of TensorFlow 1.15's Python
API. A name stands here as **supported** if arguments and meaning are those of TensorFlow 1; what **differs** says how;
what is **left out** raises an error that says what to use, as this page does.

```python
import dovetail as tf

try:
    tf.train.start_queue_runners
except AttributeError as error:
    print(error)
```

`tests/together/tensorflow1/` holds complete programs with the values that TensorFlow computed. The page is written by
`tools/make_tensorflow1.py` from the tables that make the errors, and a test holds it to them: each supported name is
there and used by a test, each of the others raises the error.

What runs better than in TensorFlow 1: batch normalisation's updates run by themselves when a loss is minimized,
gradients go to any order, feeds are checked before anything runs, and errors name your line.
"""


def names() -> dict[str, list[str]]:
    """Give TensorFlow 1's names by subject."""
    found: dict[str, list[str]] = json.loads(NAMES.read_text(encoding="utf-8"))
    return found


def owner_of(name: str) -> tuple[Any, str]:
    """Give what an attribute is asked of, a module or an object of a class, and the attribute."""
    space, _, last = name.rpartition(".")
    target: Any = dovetail
    for part in filter(None, space.split(".")):
        target = getattr(target, part)
    return (target() if isinstance(target, type) else target), last


def is_there(name: str) -> bool:
    """Say whether Dovetail gives a name."""
    try:
        getattr(*owner_of(name))
    except AttributeError:
        return False
    return True


def sections(title: str, listed: list[str]) -> str:
    """Write what there is to say of the names of one subject."""
    absent = absent_names()
    there = [name for name in listed if is_there(name)]
    text = [f"## {TITLES.get(title, title)}", ""]
    supported = [f"`{name}`" for name in there if name not in DIFFERS]
    if supported:
        text += [f"Supported: {', '.join(supported)}.", ""]
    rows = [(name, f"differs: {DIFFERS[name]}") for name in there if name in DIFFERS]
    groups: dict[str, list[str]] = {}
    for name in listed:
        if name not in there:
            groups.setdefault(absent.get(name, ""), []).append(name)
    rows += [(", ".join(shared), f"left out: {advice}") for advice, shared in groups.items()]
    if rows:
        text += ["| name | |", "| --- | --- |"]
        text += [f"| {', '.join(f'`{one}`' for one in shared.split(', '))} | {say} |" for shared, say in rows]
        text.append("")
    return "\n".join(text)


def document() -> str:
    """Give the whole page."""
    return "\n".join([HEAD, *(sections(title, listed) for title, listed in names().items())])


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/tensorflow1.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where it is out of date")
    check = parser.parse_args().check
    text = document()
    if DOCUMENT.is_file() and DOCUMENT.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print("docs/tensorflow1.md is out of date")
        return 1
    DOCUMENT.write_text(text, encoding="utf-8")
    print(f"wrote {DOCUMENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
