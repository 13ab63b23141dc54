"""Fine-tuning: a network that names digits learns to tell odd from even by a few images, its first layers frozen.

Trains a network on handwritten digits and saves it. A network with two answers takes the layers below the last from
the checkpoint, keeps the convolutions as they are, and trains what stands on them; one that begins from nothing is
beside it.

    python examples/fine_tuning.py [--images 20] [--steps 200] [--seed 0] [--output out/fine_tuning]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from digits import load
from tqdm import trange

import dovetail as dt

BATCH = 64


def build(answers: int, *, frozen: bool, rate: float) -> None:
    """Make the graph: placeholders images and labels; tensors scores and loss; the step train."""
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 1], name="images")
    labels = dt.placeholder(dt.int64, ["batch"], name="labels")
    with dt.variable_scope("trunk"):
        x = dt.layers.conv2d(images, 32, 3, padding="same", activation="relu", trainable=not frozen, name="conv1")
        x = dt.layers.max_pooling2d(x, 2, 2)
        x = dt.layers.conv2d(x, 64, 3, padding="same", activation="relu", trainable=not frozen, name="conv2")
        x = dt.layers.max_pooling2d(x, 2, 2)
        x = dt.layers.dense(dt.layers.flatten(x), 64, activation="relu", name="hidden")
    for weight in dt.global_variables(scope="trunk"):
        dt.add_to_collection("trunk", weight)
    scores = dt.layers.dense(x, answers, name="scores")
    dt.identity(scores, name="answers")
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
    dt.train.AdamOptimizer(rate).minimize(loss, name="train")


def train(session: dt.Session, images: np.ndarray, labels: np.ndarray, steps: int, seed: int, quiet: bool) -> None:
    """Train on batches drawn from the images."""
    step = session.make_callable("train", ["images:0", "labels:0"])
    random = np.random.default_rng(seed)
    for _ in trange(steps, unit="step", disable=quiet):
        chosen = random.integers(len(images), size=min(BATCH, len(images)))
        step(images[chosen], labels[chosen])


def accuracy(session: dt.Session, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images that are named rightly."""
    return float(np.mean(session.run("answers:0", {"images:0": images}).argmax(axis=1) == labels))


def learn_digits(saved: Path, steps: int, seed: int, quiet: bool = False) -> float:
    """Train on all digits and save the network; returns its accuracy."""
    train_images, test_images, train_labels, test_labels = load(seed)
    with dt.Graph().as_default(), dt.Session() as session:
        dt.set_random_seed(seed)
        build(10, frozen=False, rate=2e-3)
        session.run(dt.global_variables_initializer())
        train(session, train_images, train_labels, steps, seed, quiet)
        dt.train.Saver().save(session, saved)
        return accuracy(session, test_images, test_labels)


def learn_odd(images: int, steps: int, seed: int, trunk: Path | None, quiet: bool = False) -> float:
    """Train to tell odd from even by a few images; ``trunk`` is a checkpoint whose first layers are taken and kept."""
    train_images, test_images, train_labels, test_labels = load(seed)
    with dt.Graph().as_default(), dt.Session() as session:
        dt.set_random_seed(seed)
        build(2, frozen=trunk is not None, rate=1e-3)
        session.run(dt.global_variables_initializer())
        if trunk is not None:
            dt.train.Saver(dt.get_collection("trunk")).restore(session, trunk)
        train(session, train_images[:images], train_labels[:images] % 2, steps, seed, quiet)
        return accuracy(session, test_images, test_labels % 2)


def run(images: int, steps: int, seed: int, folder: Path, quiet: bool = False) -> tuple[float, float, float]:
    """Return the accuracies of naming digits, and of telling odd from even, fine-tuned and from nothing."""
    saved = folder / "digits"
    named = learn_digits(saved, 2 * steps, seed, quiet)
    tuned = learn_odd(images, steps, seed, saved, quiet)
    return named, tuned, learn_odd(images, steps, seed, None, quiet)


def main() -> None:
    """Train, fine-tune, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20, help="to learn odd and even from (%(default)s)")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("out/fine_tuning"), help="folder of the checkpoint")
    options = parser.parse_args()
    quiet = not sys.stderr.isatty()
    named, tuned, scratch = run(options.images, options.steps, options.seed, options.output, quiet)
    print(f"digits named rightly: {named:.4f} of the test images; saved {options.output / 'digits'}")
    print(f"odd or even after {options.images} images, convolutions restored and frozen: {tuned:.4f}")
    print(f"odd or even after {options.images} images, from nothing: {scratch:.4f}")


if __name__ == "__main__":
    main()
