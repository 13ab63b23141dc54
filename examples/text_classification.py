"""Classes of texts, learned from a CSV file that you name: reviews, messages, tickets.

Finds the classes and the words in the file, trains a network of embedded words and convolutions on four fifths of the
rows, tests it on the others, and keeps the network and its words for later.

    python examples/text_classification.py reviews.csv [--text text] [--label label] [--epochs 10]
    python examples/text_classification.py --predict "What a lovely day"
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

import dovetail as dt

BATCH, FOLDS = 32, 5


def network(words: dt.Tensor, vocabulary: int, classes: int, training: dt.Tensor) -> dt.Tensor:
    """Return the scores of each class for rows of words, filled up with 0."""
    x = dt.layers.embedding(words, vocabulary, 64, name="embedding")
    x = dt.layers.dropout(x, rate=0.3, training=training)
    found = [
        dt.reduce_max(dt.layers.conv1d(x, 64, width, padding="same", activation="relu", name=f"conv{width}"), axis=1)
        for width in (2, 3)
    ]
    x = dt.layers.dropout(dt.concat(found, axis=1), rate=0.5, training=training)
    return dt.layers.dense(x, classes, name="scores")


def build(vocabulary: int, classes: int) -> None:
    """Make the graph: placeholders words, labels and training; tensors probabilities and loss; the step train."""
    words = dt.placeholder(dt.int32, ["batch", "length"], name="words")
    labels = dt.placeholder(dt.int64, ["batch"], name="labels")
    training = dt.placeholder_with_default(False, [], name="training")
    scores = network(words, vocabulary, classes, training)
    dt.nn.softmax(scores, name="probabilities")
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
    dt.train.AdamOptimizer(2e-3).minimize(loss, name="train")


class Rows:
    """The rows of a CSV file, a part of them set aside for testing."""

    def __init__(self, path: Path, text: str, label: str) -> None:
        """Look the file through once, for its classes and for the words of the rows to train on."""
        self._rows = dt.data.from_csv(path, label, columns=[text], dtypes={text: dt.string, label: dt.string})
        self._text = text
        self.classes = sorted({str(label) for _, label in self._rows})
        if len(self.classes) < 2:
            raise SystemExit(f"{path}: there is nothing to tell apart; the classes are {self.classes}.")
        self.words = dt.data.WordTokenizer.build((row[text] for row, _ in self.part(training=True)), max_size=20_000)

    def part(self, *, training: bool) -> dt.data.Dataset:
        """Return the rows to train on, or every fifth, to test on."""
        return (
            self._rows.enumerate().filter(lambda number, _: (number % FOLDS != 0) == training).map(lambda _, row: row)
        )

    def batches(self, *, training: bool, seed: int = 0) -> dt.data.Dataset:
        """Return batches of words and labels as numbers."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        found = self.part(training=training)
        if training:
            found = found.shuffle(10_000, seed=seed)
        encoded = found.map(lambda row, label: (self.words.encode(row[self._text]), np.int64(numbers[str(label)])))
        return encoded.pad_batch(BATCH, padded_shapes=([None], [])).prefetch()


def accuracy(session: dt.Session, rows: Rows) -> float:
    """Return the share of the test rows that are named rightly."""
    right = [
        session.run("probabilities:0", {"words:0": words}).argmax(axis=1) == labels
        for words, labels in rows.batches(training=False)
    ]
    return float(np.concatenate(right).mean())


def learn(path: Path, text: str, label: str, epochs: int, seed: int, folder: Path) -> float:
    """Train, save the network with its words and classes, and return the accuracy on the test rows."""
    rows = Rows(path, text, label)
    print(f"{len(rows.classes)} classes: {', '.join(rows.classes)}; {len(rows.words):,} words")
    dt.set_random_seed(seed)
    build(len(rows.words), len(rows.classes))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        step = session.make_callable(["loss:0", "train"], ["words:0", "labels:0", "training:0"])
        with tqdm(range(epochs), unit="epoch", disable=not sys.stderr.isatty()) as bar:
            for epoch in bar:
                losses = [step(*batch, True)[0] for batch in rows.batches(training=True, seed=seed + epoch)]
                bar.set_postfix(loss=f"{np.mean(losses):.3f}")
        dt.train.Saver().save(session, folder / "model")
        rows.words.vocabulary.save(folder / "words.json")
        (folder / "classes.json").write_text(json.dumps(rows.classes), encoding="utf-8")
        return accuracy(session, rows)


def predict(texts: list[str], folder: Path) -> None:
    """Say of which class each text is, by what an earlier run saved."""
    words = dt.data.WordTokenizer(dt.data.Vocabulary.load(folder / "words.json"))
    classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    saver = dt.train.import_meta_graph(folder / "model.meta")
    with dt.Session() as session:
        saver.restore(session, folder / "model")
        for text in texts:
            numbers = words.encode(text)
            if not len(numbers):
                print(f"there is no word in {text!r}")
                continue
            (found,) = session.run("probabilities:0", {"words:0": [numbers]})
            print(f"{classes[found.argmax()]}, sure to {found.max():.0%}: {text}")


def main() -> None:
    """Learn from a file, or name the classes of texts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path, nargs="?", help="a CSV file with a header")
    parser.add_argument("--text", default="text", help="the column of texts (%(default)s)")
    parser.add_argument("--label", default="label", help="the column of classes (%(default)s)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("out/text_classification"), help="folder of the network")
    parser.add_argument("--predict", nargs="+", metavar="TEXT", help="name the classes of these texts, and do no more")
    options = parser.parse_args()
    if not options.predict and options.csv is None:
        parser.error("name a CSV file, or give --predict")
    try:
        if options.predict:
            predict(options.predict, options.output)
            return
        right = learn(options.csv, options.text, options.label, options.epochs, options.seed, options.output)
    except dt.errors.DovetailError as error:
        raise SystemExit(f"text_classification: {error}") from error
    print(f"test accuracy {right:.4f}; saved {options.output / 'model'}")


if __name__ == "__main__":
    main()
