"""A line through points, by `matmul`: the smallest whole program, with a picture of what it found.

python examples/linear_regression.py [--steps 60] [--output out/linear_regression.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import dovetail as dt

SLOPE, INTERCEPT, NOISE = 2.0, -1.0, 0.4


def points(count: int = 100, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return points near the line, of shape [count, 1] each."""
    random = np.random.default_rng(seed)
    x = random.uniform(-2.0, 2.0, (count, 1)).astype(np.float32)
    y = SLOPE * x + INTERCEPT + NOISE * random.standard_normal((count, 1))
    return x, y.astype(np.float32)


def fit(x: np.ndarray, y: np.ndarray, steps: int) -> tuple[float, float, list[float]]:
    """Return slope and intercept of the line, and the mean squared error before each step."""
    inputs = dt.placeholder(dt.float32, ["points", 1], name="inputs")
    targets = dt.placeholder(dt.float32, ["points", 1], name="targets")
    slope = dt.Variable([[0.0]], name="slope")
    intercept = dt.Variable(0.0, name="intercept")
    line = dt.matmul(inputs, slope) + intercept
    loss = dt.reduce_mean(dt.square(line - targets), name="loss")
    train = dt.train.GradientDescentOptimizer(0.1).minimize(loss)

    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        losses = [session.run([loss, train], {inputs: x, targets: y})[0] for _ in range(steps)]
        found, offset = session.run([slope, intercept])
    return float(found[0, 0]), float(offset), [float(loss) for loss in losses]


def written(slope: float, intercept: float) -> str:
    """Return a line as one writes it."""
    return f"{slope:.2f} x {'-' if intercept < 0 else '+'} {abs(intercept):.2f}"


def draw(path: Path, x: np.ndarray, y: np.ndarray, slope: float, intercept: float, losses: list[float]) -> None:
    """Draw the points with the line, and how the error fell."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    ends = np.array([x.min(), x.max()])
    left.scatter(x, y, s=14, color="#7aa0cc", label="points")
    left.plot(ends, slope * ends + intercept, color="#1f4e8c", label=f"y = {written(slope, intercept)}")
    left.set(xlabel="x", ylabel="y", title="The line")
    left.legend(frameon=False)
    right.plot(losses, color="#1f4e8c")
    right.set(xlabel="step", ylabel="mean squared error", ylim=(0, None), title="Training")
    for axes in (left, right):
        axes.grid(alpha=0.25)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Fit the line, say what came out, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path("out/linear_regression.png"))
    options = parser.parse_args()
    x, y = points()
    slope, intercept, losses = fit(x, y, options.steps)
    print(f"y = {written(slope, intercept)}; mean squared error {losses[0]:.3f} before, {losses[-1]:.3f} after")
    draw(options.output, x, y, slope, intercept, losses)
    print(f"drew {options.output}")


if __name__ == "__main__":
    main()
