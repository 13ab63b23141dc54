"""A picture of the ratios: how many times as fast as each peer Dovetail is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import DOVETAIL
from benchmarks.summary import TITLES, Row, geometric_mean

MARKS = {
    "torch": ("o", "#1f4e8c"),
    "torch-channels-last": ("s", "#6f9bd1"),
    "torch-compile": ("D", "#12283f"),
    "jax": ("^", "#c8772b"),
    "tensorflow": ("v", "#3f7f4f"),
    "tensorflow-xla": ("P", "#8cbf6a"),
    "onnxruntime": ("*", "#8c1f1f"),
}


def draw(path: Path, found: Sequence[Row]) -> bool:
    """Draw for every workload each peer's time over Dovetail's; returns whether there was something to draw."""
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    shown = [row for row in found if row.ratio is not None]
    if not shown:
        return False
    plt.switch_backend("Agg")
    figure, axes = plt.subplots(figsize=(8.5, 1.8 + 0.42 * len(shown)), layout="constrained")
    axes.hlines(range(len(shown)), 0, 1, transform=axes.get_yaxis_transform(), color="#d8dde4", linewidth=0.8)
    axes.axvline(1, color="black", linewidth=1)
    for name, (marker, color) in MARKS.items():
        places = [(at, row.milliseconds[name]) for at, row in enumerate(shown) if name in row.milliseconds]
        ratios = [peer / shown[at].milliseconds[DOVETAIL.name] for at, peer in places]
        if places:
            heights = [at for at, _ in places]
            axes.scatter(
                ratios, heights, 46, color, marker=marker, label=TITLES[name], zorder=3, alpha=0.9, linewidths=0
            )
    for at, row in enumerate(shown):
        label = f"{row.ratio:.2f}"
        axes.annotate(label, (row.ratio, at), (0, 7), textcoords="offset points", ha="center", fontsize=8, zorder=4)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.margins(x=0.06)
    axes.set_ylim(len(shown) - 0.5, -0.7)
    axes.set_yticks(range(len(shown)), [row.workload for row in shown])
    axes.set_xlabel(
        "time of the peer / time of Dovetail: to the right of 1 Dovetail is faster; the number is the best peer's"
    )
    mean = geometric_mean(found)
    title = "Dovetail beside its peers"
    if mean is not None:
        title += f"; training, geometric mean against the best peer: {mean:.2f}"
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True
