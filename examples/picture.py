"""Draw a small residual network: its layers as a table, as a picture, and as a page in which it unfolds.

    python examples/picture.py [folder]

writes `network.svg` and `network.html` into the folder, `out/picture` by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dovetail as dt


def network() -> dt.Tensor:
    images = dt.placeholder(dt.float32, ["batch", 32, 32, 3], name="images")
    x = dt.layers.conv2d(images, 16, 3, padding="same", activation=dt.nn.relu, name="stem")
    for number, filters in enumerate((16, 32), start=1):
        with dt.name_scope(f"block{number}"):
            stride = 1 if number == 1 else 2
            y = dt.layers.conv2d(x, filters, 3, stride, padding="same", use_bias=False, name=f"conv{number}a")
            y = dt.nn.relu(dt.layers.batch_normalization(y, name=f"norm{number}a"))
            y = dt.layers.conv2d(y, filters, 3, padding="same", use_bias=False, name=f"conv{number}b")
            y = dt.layers.batch_normalization(y, name=f"norm{number}b")
            if number > 1:
                x = dt.layers.conv2d(x, filters, 1, stride, use_bias=False, name=f"shortcut{number}")
            x = dt.nn.relu(x + y)
    x = dt.layers.global_average_pooling2d(x, name="pool")
    return dt.layers.dense(x, 10, name="scores")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scores = network()
    print(dt.summary_table(scores))
    drawing = dt.draw(scores, folder / "network.svg")
    drawing.save(folder / "network.html")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/picture"))
