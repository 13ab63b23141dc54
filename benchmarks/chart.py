"""A picture of the ratios: how many times as fast as each peer Dovetail is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import DOVETAIL
from benchmarks.summary import TITLES, Row, geometric_mean

SHADES = ("#1f4e8c", "#6f9bd1", "#b9cbe4", "#c8772b", "#3f7f4f", "#9cc5a1", "#8c1f1f")


def draw(path: Path, found: Sequence[Row]) -> bool:
    """Draw for every workload each peer's time over Dovetail's; returns whether there was something to draw."""
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    shown = [row for row in found if row.ratio is not None]
    if not shown:
        return False
    plt.switch_backend("Agg")
    peers = [name for name in TITLES if name != DOVETAIL.name and any(name in row.milliseconds for row in shown)]
    figure, axes = plt.subplots(figsize=(8.5, 1.2 + 0.2 * len(shown) * (len(peers) + 1)), layout="constrained")
    height = 1 / (len(peers) + 1)
    for index, name in enumerate(peers):
        places = [(at, row) for at, row in enumerate(shown) if name in row.milliseconds]
        ratios = [row.milliseconds[name] / row.milliseconds[DOVETAIL.name] for _, row in places]
        middles = [at + (index - (len(peers) - 1) / 2) * height for at, _ in places]
        color = SHADES[list(TITLES).index(name) - 1]
        # Bars from 1, the point where both are as fast, to the left where the peer is ahead.
        axes.barh(middles, [ratio - 1 for ratio in ratios], height * 0.9, left=1, color=color, label=TITLES[name])
        for middle, ratio in zip(middles, ratios, strict=True):
            side, shift = ("left", 3) if ratio >= 1 else ("right", -3)
            axes.annotate(
                f"{ratio:.2g}",
                (ratio, middle),
                (shift, 0),
                textcoords="offset points",
                va="center",
                ha=side,
                fontsize=7,
            )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.12)
    axes.set_yticks(range(len(shown)), [row.workload for row in shown])
    axes.invert_yaxis()
    axes.set_xlabel("time of the peer / time of Dovetail: to the right of 1 Dovetail is faster")
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
