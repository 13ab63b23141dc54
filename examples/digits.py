"""Handwritten digits, from the graph to a file that ONNX Runtime runs.

Trains a small LeNet with batch normalisation and dropout on scikit-learn's 1,797 digits, saves it, restores it in
another process, exports it to ONNX, compares the two runtimes, and draws a report. With --logdir, TensorBoard
shows how it trains: tensorboard --logdir logs

    python examples/digits.py [--output out/digits] [--seed 0] [--epochs 30] [--logdir logs]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import dovetail as dt

BATCH = 64
TEST_SIZE = 360


def load(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return images for training and testing, of shape [n, 8, 8, 1] from 0 to 1, and their labels."""
    digits = load_digits()
    images = (digits.images[..., np.newaxis] / 16.0).astype(np.float32)
    labels = digits.target.astype(np.int64)
    return train_test_split(images, labels, test_size=TEST_SIZE, random_state=seed, stratify=labels)


def network(images: dt.Tensor, training: dt.Tensor) -> dt.Tensor:
    """Return the ten scores of each image."""
    x = dt.layers.conv2d(images, 32, 3, padding="same", use_bias=False, name="conv1")
    x = dt.nn.relu(dt.layers.batch_normalization(x, momentum=0.9, training=training, name="norm1"))
    x = dt.layers.max_pooling2d(x, 2, 2, name="pool1")
    x = dt.layers.conv2d(x, 64, 3, padding="same", use_bias=False, name="conv2")
    x = dt.nn.relu(dt.layers.batch_normalization(x, momentum=0.9, training=training, name="norm2"))
    x = dt.layers.max_pooling2d(x, 2, 2, name="pool2")
    x = dt.layers.flatten(x, name="flat")
    x = dt.layers.dense(x, 128, activation="relu", name="hidden")
    x = dt.layers.dropout(x, rate=0.5, training=training, name="dropout")
    return dt.layers.dense(x, 10, name="scores")


def build() -> None:
    """Make the graph: placeholders images, labels and training; tensors probabilities and loss; the step train."""
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 1], name="images")
    labels = dt.placeholder(dt.int64, ["batch"], name="labels")
    training = dt.placeholder_with_default(False, [], name="training")
    scores = network(images, training)
    dt.nn.softmax(scores, name="probabilities")
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
    step = dt.train.get_or_create_global_step()
    rate = dt.train.exponential_decay(2e-3, step, decay_steps=200, decay_rate=0.7)
    dt.train.AdamOptimizer(rate).minimize(loss, global_step=step, name="train")
    dt.summary.scalar("train/loss", loss)
    dt.summary.scalar("train/rate", rate)
    dt.summary.image("digits", images)
    for variable in dt.trainable_variables():
        dt.summary.histogram(variable)
    dt.summary.merge_all(name="summaries")


def accuracy(session: dt.Session, images: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the share of images that the network names rightly, and the probabilities of each class."""
    probabilities = session.run("probabilities:0", {"images:0": images})
    return float(np.mean(probabilities.argmax(axis=1) == labels)), probabilities


def train(
    session: dt.Session,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    seed: int,
    quiet: bool = False,
    writer: dt.summary.FileWriter | None = None,
) -> list[float]:
    """Train with a progress bar, and with summaries after each epoch; returns the loss of every step."""
    step = session.make_callable(["loss:0", "train"], ["images:0", "labels:0", "training:0"])
    order = np.random.default_rng(seed)
    losses: list[float] = []
    batches = -(-len(images) // BATCH)
    with tqdm(total=epochs * batches, unit="step", disable=quiet) as bar:
        for epoch in range(epochs):
            shuffled = order.permutation(len(images))
            for begin in range(0, len(images), BATCH):
                chosen = shuffled[begin : begin + BATCH]
                loss, _ = step(images[chosen], labels[chosen], True)
                losses.append(float(loss))
                bar.update()
            if writer is not None:
                feeds = {"images:0": images[chosen], "labels:0": labels[chosen]}
                writer.add_summary(session.run("summaries:0", feeds), len(losses))
            bar.set_postfix(epoch=epoch + 1, loss=f"{np.mean(losses[-batches:]):.4f}")
    return losses


def run(seed: int, epochs: int, quiet: bool = False) -> float:
    """Train once in a graph of its own and return the accuracy on the test images."""
    train_images, test_images, train_labels, test_labels = load(seed)
    with dt.Graph().as_default():
        dt.set_random_seed(seed)
        build()
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            train(session, train_images, train_labels, epochs, seed, quiet)
            return accuracy(session, test_images, test_labels)[0]


def restore(folder: Path, seed: int) -> None:
    """Read graph and weights back, as a process that never built the network, and say how good it is."""
    _, test_images, _, test_labels = load(seed)
    saver = dt.train.import_meta_graph(folder / "digits-final.meta")
    with dt.Session() as session:
        saver.restore(session, folder / "digits-final")
        right, probabilities = accuracy(session, test_images, test_labels)
    np.save(folder / "restored.npy", probabilities)
    print(f"restored in a new process: test accuracy {right:.4f}")


def compare_with_onnx(path: Path, session: dt.Session, images: np.ndarray) -> float:
    """Return the largest difference between Dovetail's and ONNX Runtime's probabilities at batches 1, 7 and all."""
    import onnxruntime

    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for batch in (1, 7, len(images)):
        ours = session.run("probabilities:0", {"images:0": images[:batch]})
        (theirs,) = runtime.run(None, {runtime.get_inputs()[0].name: images[:batch]})
        largest = max(largest, float(np.abs(ours - theirs).max()))
    return largest


def draw(path: Path, losses: list[float], images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> None:
    """Draw the loss, the confusion matrix, and the digits that were hardest: the wrong ones first."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    named = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(named != labels)
    figure = plt.figure(figsize=(13, 4.6), layout="constrained")
    left, middle, right = figure.subfigures(1, 3, width_ratios=[1.25, 1.1, 0.95])

    axes = left.subplots()
    window = 20
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
    axes.plot(losses, color="#b9cbe4", linewidth=0.8, label="each step")
    axes.plot(
        np.arange(window - 1, len(losses)), smooth, color="#1f4e8c", linewidth=1.8, label=f"mean of {window} steps"
    )
    axes.set(yscale="log", xlabel="step", ylabel="cross-entropy", title="Training loss")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)

    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, named), 1)
    axes = middle.subplots()
    axes.imshow(np.sqrt(matrix), cmap="Blues")
    for row, column in zip(*np.nonzero(matrix), strict=True):
        shade = "white" if matrix[row, column] > 15 else "#8c1f1f" if row != column else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=shade, fontsize=8)
    axes.set(xlabel="named", ylabel="is", xticks=range(10), yticks=range(10))
    axes.set_title(f"{len(labels) - len(wrong)} of {len(labels)} right ({100 * (1 - len(wrong) / len(labels)):.1f} %)")

    certainty = probabilities[np.arange(len(labels)), labels]
    hardest = np.argsort(certainty)[:9]
    right.suptitle(
        f"The hardest: {len(wrong)} wrong, then the least sure" if len(wrong) else "All right; the least sure"
    )
    for axes, index in zip(right.subplots(3, 3).flat, hardest, strict=True):
        axes.axis("off")
        axes.imshow(images[index, :, :, 0], cmap="gray_r")
        mistaken = named[index] != labels[index]
        text = (
            f"{labels[index]}, named {named[index]}" if mistaken else f"{labels[index]}, sure to {certainty[index]:.0%}"
        )
        axes.set_title(text, fontsize=9, color="#8c1f1f" if mistaken else "black")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Run the demonstration from end to end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=Path("out/digits"), help="folder for what the demonstration makes"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--logdir", type=Path, help="folder for what TensorBoard shows")
    parser.add_argument("--restore", action="store_true", help="only restore what an earlier run saved")
    options = parser.parse_args()
    if options.restore:
        restore(options.output, options.seed)
        return
    options.output.mkdir(parents=True, exist_ok=True)
    train_images, test_images, train_labels, test_labels = load(options.seed)
    dt.set_random_seed(options.seed)
    build()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        begin = time.perf_counter()
        writer = dt.summary.FileWriter(options.logdir, session.graph) if options.logdir else None
        losses = train(session, train_images, train_labels, options.epochs, options.seed, writer=writer)
        print(f"trained {len(losses)} steps in {time.perf_counter() - begin:.1f} s")
        right, probabilities = accuracy(session, test_images, test_labels)
        print(f"test accuracy {right:.4f} on {len(test_labels)} digits")

        saver = dt.train.Saver()
        saved = saver.save(session, options.output / "digits-final")
        print(f"saved {saved}")
        subprocess.run(
            [sys.executable, __file__, "--restore", "--output", str(options.output), "--seed", str(options.seed)],
            check=True,
        )
        again = np.load(options.output / "restored.npy")
        print(f"largest difference after restoring: {np.abs(again - probabilities).max():.1g}")

        model = options.output / "model.onnx"
        dt.io.export_onnx(session, ["images:0"], ["probabilities:0"], model)
        difference = compare_with_onnx(model, session, test_images)
        print(
            f"exported {model}; largest difference from ONNX Runtime at batches 1, 7 and {TEST_SIZE}: {difference:.2g}"
        )

    draw(options.output / "report.png", losses, test_images, test_labels, probabilities)
    print(f"drew {options.output / 'report.png'}")
    if difference >= 1e-4:
        raise SystemExit("Dovetail and ONNX Runtime differ by more than 1e-4")


if __name__ == "__main__":
    main()
