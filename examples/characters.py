"""Language models of characters, an LSTM and a small transformer, on real English: the topics of Python's own help.

Trains on nine tenths of the topics, tells how many bits each character of the others costs, and writes.

    python examples/characters.py [--model lstm|transformer] [--steps 2000] [--seed 0] [--write 400] [--begin "The "]
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pydoc_data.topics import topics

import numpy as np
from tqdm import tqdm

import dovetail as dt

LENGTH, BATCH = 96, 32
HELD_OUT = 0.1


@dataclass(frozen=True)
class Text:
    """Characters as numbers.

    Attributes:
        alphabet: every character there is.
        training: numbers of the topics to learn from, one after the other.
        held_out: numbers of the other topics.
    """

    alphabet: str
    training: np.ndarray
    held_out: np.ndarray

    def numbers(self, text: str) -> np.ndarray:
        """Return the number of each character; those that the alphabet lacks are left out."""
        return np.array([self.alphabet.index(one) for one in text if one in self.alphabet], np.int64)


def load(seed: int = 0) -> Text:
    """Return the topics as numbers, a tenth of the topics held out."""
    names = sorted(topics)
    np.random.default_rng(seed).shuffle(names)
    alphabet = "".join(sorted(set("".join(topics.values()))))
    text = Text(alphabet, np.empty(0, np.int64), np.empty(0, np.int64))
    few = max(1, round(len(names) * HELD_OUT))
    held_out, training = ("\n\n".join(topics[name].strip() for name in part) for part in (names[:few], names[few:]))
    return Text(alphabet, text.numbers(training), text.numbers(held_out))


def lstm(symbols: dt.Tensor, alphabet: int) -> dt.Tensor:
    """Return the scores of each next character."""
    x = dt.layers.embedding(symbols, alphabet, 64, name="embedding")
    x = dt.layers.lstm(x, 256, return_sequences=True, name="lstm")
    return dt.layers.dense(x, alphabet, name="scores")


def transformer(symbols: dt.Tensor, alphabet: int) -> dt.Tensor:
    """Return the scores of each next character."""
    x = dt.layers.embedding(symbols, alphabet, 128, name="embedding")
    for number in range(2):
        x = dt.layers.transformer_block(
            x, heads=4, causal=True, rotary=True, normalize_first=True, activation="gelu", name=f"block{number + 1}"
        )
    return dt.layers.dense(dt.layers.layer_normalization(x, name="norm"), alphabet, name="scores")


MODELS: dict[str, Callable[[dt.Tensor, int], dt.Tensor]] = {"lstm": lstm, "transformer": transformer}


def build(model: str, alphabet: int, steps: int) -> None:
    """Make the graph: placeholders symbols and following; tensors next, bits and loss; the step train."""
    symbols = dt.placeholder(dt.int64, ["batch", "length"], name="symbols")
    following = dt.placeholder(dt.int64, ["batch", "length"], name="following")
    scores = MODELS[model](symbols, alphabet)
    dt.nn.softmax(scores[:, -1, :], name="next")
    costs = dt.nn.sparse_softmax_cross_entropy_with_logits(labels=following, logits=scores)
    dt.divide(costs, math.log(2.0), name="bits")
    loss = dt.reduce_mean(costs, name="loss")
    step = dt.train.get_or_create_global_step()
    rate = dt.train.cosine_decay(4e-3 if model == "lstm" else 2e-3, step, decay_steps=steps, alpha=0.05)
    optimizer = dt.train.AdamOptimizer(rate)
    gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = dt.clip_by_global_norm(gradients, 1.0)
    optimizer.apply_gradients(list(zip(clipped, variables, strict=True)), global_step=step, name="train")


def train(session: dt.Session, numbers: np.ndarray, steps: int, seed: int, quiet: bool = False) -> None:
    """Train on windows from anywhere in the text."""
    step = session.make_callable(["loss:0", "train"], ["symbols:0", "following:0"])
    windows = np.lib.stride_tricks.sliding_window_view(numbers, LENGTH + 1)
    random = np.random.default_rng(seed)
    with tqdm(range(steps), unit="step", disable=quiet) as bar:
        for number in bar:
            chosen = windows[random.integers(len(windows), size=BATCH)]
            loss, _ = step(chosen[:, :-1], chosen[:, 1:])
            if number % 20 == 0:
                bar.set_postfix(bits=f"{loss / math.log(2.0):.2f}")


def bits(session: dt.Session, numbers: np.ndarray) -> float:
    """Return what a character costs where at least half a window stands before it."""
    windows = np.lib.stride_tricks.sliding_window_view(numbers, LENGTH + 1)[:: LENGTH // 2]
    costs = [
        session.run("bits:0", {"symbols:0": some[:, :-1], "following:0": some[:, 1:]})[:, LENGTH // 2 :]
        for some in (windows[begin : begin + BATCH] for begin in range(0, len(windows), BATCH))
    ]
    return float(np.concatenate(costs).mean())


def write(session: dt.Session, text: Text, begin: str, count: int, seed: int, temperature: float) -> str:
    """Return ``begin`` and ``count`` more characters, each drawn by what the model makes of those before it."""
    numbers = list(text.numbers(begin))
    if not numbers:
        raise SystemExit(f"characters: --begin is {begin!r}; give at least one character that the topics have.")
    predict = session.make_callable("next:0", ["symbols:0"])
    random = np.random.default_rng(seed)
    for _ in range(count):
        probabilities = predict(np.array([numbers[-LENGTH:]]))[0].astype(np.float64) ** (1.0 / temperature)
        numbers.append(random.choice(len(probabilities), p=probabilities / probabilities.sum()))
    return "".join(text.alphabet[number] for number in numbers)


def run(model: str, steps: int, seed: int, quiet: bool = False) -> tuple[dt.Session, Text, float]:
    """Train a model in a graph of its own; returns the session, the text, and the bits of the held-out characters."""
    text = load(seed)
    graph = dt.Graph()
    with graph.as_default():
        dt.set_random_seed(seed)
        build(model, len(text.alphabet), steps)
        session = dt.Session()
        session.run(dt.global_variables_initializer())
    train(session, text.training, steps, seed, quiet)
    return session, text, bits(session, text.held_out)


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), default="lstm")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=int, default=400, help="characters to write (%(default)s)")
    parser.add_argument("--begin", default="The ", help="what the text begins with")
    parser.add_argument("--temperature", type=float, default=0.6, help="below 1 for what is likelier (%(default)s)")
    options = parser.parse_args()
    if options.temperature <= 0:
        parser.error(f"--temperature is {options.temperature}; give a positive number")
    session, text, found = run(options.model, options.steps, options.seed, quiet=not sys.stderr.isatty())
    print(f"{len(text.training):,} characters to learn from, {len(text.held_out):,} held out")
    print(f"{options.model} after {options.steps} steps: {found:.2f} bits for each held-out character")
    print()
    print(write(session, text, options.begin, options.write, options.seed, options.temperature))


if __name__ == "__main__":
    main()
