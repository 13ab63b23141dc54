"""An autoencoder on handwritten digits: eight numbers for each image of 64 pixels, and the images restored of them.

Trains a transformer of `dt.sklearn` on scikit-learn's digits, compares it with principal components of the same number
on digits that it has not seen, and draws what both restore.

    python examples/autoencoder.py [--output out/autoencoder] [--steps 4000] [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

import dovetail as dt

COMPONENTS = 8
BATCH = 64
SHOWN = 10


def load(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images to train on and to restore, of shape [n, 64] from 0 to 1, and the digits of the latter."""
    digits = load_digits()
    samples = (digits.data / 16.0).astype(np.float32)
    train, test, _, labels = train_test_split(
        samples, digits.target, test_size=360, random_state=seed, stratify=digits.target
    )
    return train, test, labels


def fit(train: np.ndarray, steps: int, seed: int, quiet: bool = False) -> dt.sklearn.DovetailTransformer:
    """Train for about so many steps."""
    coder = dt.sklearn.DovetailTransformer(
        COMPONENTS,
        hidden_layer_sizes=(128, 64),
        output_activation="sigmoid",
        learning_rate=0.002,
        alpha=0.0,
        batch_size=BATCH,
        max_iter=max(1, steps * BATCH // len(train)),
        n_iter_no_change=None,
        random_state=seed,
        verbose=not quiet,
    )
    return coder.fit(train)


def restored(model: dt.sklearn.DovetailTransformer | PCA, samples: np.ndarray) -> np.ndarray:
    """Return samples as their codes tell of them."""
    return np.clip(model.inverse_transform(model.transform(samples)), 0.0, 1.0)


def draw(path: Path, rows: dict[str, np.ndarray], labels: np.ndarray) -> None:
    """Draw one digit of each kind in every row."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    chosen = [np.flatnonzero(labels == digit)[0] for digit in range(SHOWN)]
    figure, axes = plt.subplots(len(rows), SHOWN, figsize=(SHOWN, 1.15 * len(rows)), layout="constrained")
    for line, (title, samples) in zip(axes, rows.items(), strict=True):
        for place, index in zip(line, chosen, strict=True):
            place.imshow(samples[index].reshape(8, 8), cmap="gray_r", vmin=0.0, vmax=1.0)
            place.set(xticks=[], yticks=[])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Train, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("out/autoencoder"), help="folder for what is made")
    parser.add_argument("--steps", type=int, default=4000, help="steps of training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    train, test, labels = load(options.seed)
    coder = fit(train, options.steps, options.seed)
    ours, theirs = restored(coder, test), restored(PCA(COMPONENTS, random_state=options.seed).fit(train), test)
    error, principal = float(np.square(ours - test).mean()), float(np.square(theirs - test).mean())
    print(f"mean squared error on {len(test)} other digits, of {COMPONENTS} numbers each: {error:.4f}")
    print(f"by principal components: {principal:.4f}")
    print(f"saved {coder.save(options.output / 'autoencoder.model')}")
    rows = {"digits": test, f"{COMPONENTS} numbers": ours, f"{COMPONENTS} principal\ncomponents": theirs}
    draw(options.output / "autoencoder.png", rows, labels)
    print(f"drew {options.output / 'autoencoder.png'}")


if __name__ == "__main__":
    main()
