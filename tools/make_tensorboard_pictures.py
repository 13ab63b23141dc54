"""Photograph TensorBoard for docs/watching.md: the demonstration's training, on light and dark ground.

It needs Chromium with its chromedriver, and what the demonstration and the tests need::

    python tools/make_tensorboard_pictures.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import dovetail as dt

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "images"
SIZE = (1120, 700)
COLOURS = 96
TABS = {
    "scalars": ("train/loss", "train/rate"),
    "histograms": ("conv1/kernel", "conv2/kernel"),
    "graphs": ("conv1", "gradients", "?×8×8×1"),
}


def train(folder: Path) -> None:
    """Train the demonstration's network with summaries."""
    digits: Any = import_module("digits")
    images, _, labels, _ = digits.load()
    dt.set_random_seed(0)
    digits.build()
    with dt.Session() as session, dt.summary.FileWriter(folder, session.graph) as writer:
        session.run(dt.global_variables_initializer())
        digits.train(session, images, labels, epochs=20, seed=0, writer=writer)


def main() -> None:
    """Train, look, photograph."""
    from PIL import Image

    from tests.together.tensorboard_in_browser import page, served

    with tempfile.TemporaryDirectory() as name:
        logs = Path(name) / "logs"
        train(logs / "digits")
        with served(logs) as address, page(address, Path(name) / "profile", SIZE) as browser:
            for tab, words in TABS.items():
                for ground in ("light", "dark"):
                    browser.show(tab, dark=ground == "dark")
                    browser.wait_for(*words)
                    time.sleep(5)  # until lines and boxes have come to rest
                    path = FOLDER / f"tensorboard-{tab}-{ground}.png"
                    browser.picture(path)
                    with Image.open(path) as shot:
                        small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
                    small.save(path, optimize=True)
                    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "examples")]
    main()
