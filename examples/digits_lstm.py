"""Handwritten digits read row by row by an LSTM.

An image of 8 by 8 pixels is a sequence of eight rows; the state after the last one tells the digit.

    python examples/digits_lstm.py [--epochs 30] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from digits import accuracy, load, train

import dovetail as dt


def build() -> None:
    """Make the graph: placeholders images, labels and training; tensors probabilities and loss; the step train."""
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 1], name="images")
    labels = dt.placeholder(dt.int64, ["batch"], name="labels")
    training = dt.placeholder_with_default(False, [], name="training")
    rows = dt.reshape(images, [-1, 8, 8], name="rows")
    x = dt.layers.lstm(rows, 128, name="lstm")
    x = dt.layers.dropout(x, rate=0.4, training=training, name="dropout")
    scores = dt.layers.dense(x, 10, name="scores")
    dt.nn.softmax(scores, name="probabilities")
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
    step = dt.train.get_or_create_global_step()
    rate = dt.train.exponential_decay(5e-3, step, decay_steps=200, decay_rate=0.7)
    dt.train.AdamOptimizer(rate).minimize(loss, global_step=step, name="train")


def run(seed: int, epochs: int, quiet: bool = False) -> float:
    """Train in a graph of its own; returns the share of the test digits that are named rightly."""
    train_images, test_images, train_labels, test_labels = load(seed)
    with dt.Graph().as_default():
        dt.set_random_seed(seed)
        build()
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            losses = train(session, train_images, train_labels, epochs, seed, quiet)
            print(f"{len(losses)} steps; cross-entropy of the last hundred: {np.mean(losses[-100:]):.4f}")
            return accuracy(session, test_images, test_labels)[0]


def main() -> None:
    """Train and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"test accuracy {run(options.seed, options.epochs, quiet=not sys.stderr.isatty()):.4f}")


if __name__ == "__main__":
    main()
