"""The species of iris flowers from four measures, by an estimator that reads a CSV file.

    python examples/iris.py [--steps 400] [--seed 0] [--output out/iris]

`data/iris.csv` holds the measures that Edgar Anderson took and R. A. Fisher made known (1936).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import dovetail as dt

CSV = Path(__file__).parent / "data" / "iris.csv"
MEASURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
SPECIES = ["setosa", "versicolor", "virginica"]
TEST_SIZE = 30


def run(steps: int, seed: int, folder: Path) -> tuple[float, dt.estimator.DNNClassifier]:
    """Train on 120 flowers; returns the accuracy on the other 30, and the classifier."""
    flowers = dt.data.from_csv(CSV, "species", classes=SPECIES).shuffle(150, seed=seed, reshuffle_each_iteration=False)
    classifier = dt.estimator.DNNClassifier(
        hidden_units=[16, 16],
        feature_columns=[dt.feature_column.numeric_column(name) for name in MEASURES],
        n_classes=3,
        optimizer=lambda: dt.train.AdamOptimizer(0.01),
        model_dir=folder,
        config=dt.estimator.RunConfig(tf_random_seed=seed),
    )
    training = flowers.skip(TEST_SIZE).cache().shuffle(120, seed=seed).repeat().batch(32)
    classifier.train(lambda: training, max_steps=steps)
    found = classifier.evaluate(lambda: flowers.take(TEST_SIZE).batch(TEST_SIZE))
    return float(found["accuracy"]), classifier


def main() -> None:
    """Train, test, and name two flowers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--output", type=Path, default=Path("out/iris"), help="folder of the model, which is gone on with"
    )
    options = parser.parse_args()
    accuracy, classifier = run(options.steps, options.seed, options.output)
    print(f"test accuracy {accuracy:.4f} on {TEST_SIZE} flowers")

    flowers = {
        "sepal_length": [5.1, 6.5],
        "sepal_width": [3.3, 3.0],
        "petal_length": [1.7, 5.4],
        "petal_width": [0.5, 2.0],
    }
    for found in classifier.predict(lambda: flowers):
        number = int(found["class_ids"][0])
        print(f"{SPECIES[number]}, sure to {found['probabilities'][number]:.0%}")


if __name__ == "__main__":
    main()
