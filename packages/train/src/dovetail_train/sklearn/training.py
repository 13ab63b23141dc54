"""The loop over epochs and batches, with early stopping, for all estimators."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, final

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from dovetail.errors import NanLossDuringTrainingError
from dovetail.extend import Array
from dovetail_train.sklearn.network import Network

__all__ = ["History", "Options", "Samples", "dense", "train"]

ROWS_AT_ONCE: Final = 1024
"""How many samples are predicted at once; what a network computes of them does not depend on it."""


def dense(inputs: Any) -> Array:
    """Return rows as an array, whether they are sparse or not."""
    rows: Array = inputs.toarray() if sparse.issparse(inputs) else inputs
    return rows


class Samples(NamedTuple):
    """What to train on, or to measure on.

    Attributes:
        inputs: an array or a sparse matrix of rows.
        targets: an array; ``None`` where the inputs are the targets.
        weights: of the samples.
    """

    inputs: Any
    targets: Array | None
    weights: Array

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.inputs.shape[0])

    def batch(self, chosen: Any) -> dict[str, Any]:
        """Return the chosen rows as a network's step takes them."""
        return {
            "inputs": dense(self.inputs[chosen]),
            "targets": None if self.targets is None else self.targets[chosen],
            "weights": self.weights[chosen],
        }

    def where(self, chosen: Any) -> Samples:
        """Return some of them."""
        return Samples(
            self.inputs[chosen], None if self.targets is None else self.targets[chosen], self.weights[chosen]
        )


@final
@dataclass
class Options:
    """How to train.

    Attributes:
        name: of the estimator, for messages.
        epochs: how many at most.
        batch_size: samples of a step.
        shuffle: whether each epoch has an order of its own.
        seed: what the orders depend on, with the number of the epoch.
        learning_rate: of optimizers given by name.
        alpha: of squared weights.
        tol: the least change that counts as better.
        patience: how many epochs in a row may bring no change; ``None`` to train all epochs.
        verbose: whether to show a bar.
        warn: whether to say when the epochs ended too early.
    """

    name: str
    epochs: int
    batch_size: int
    shuffle: bool
    seed: int
    learning_rate: float
    alpha: float
    tol: float
    patience: int | None
    verbose: bool
    warn: bool = True


@final
@dataclass
class History:
    """What became of the epochs so far.

    Attributes:
        losses: the mean loss of each.
        scores: on the samples held out, where there are some.
        best_loss: the least loss.
        best_score: the greatest score.
        waiting: epochs since the last change for the better.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    waiting: int = 0

    def note(self, loss: float, score: float | None, tol: float) -> bool:
        """Add an epoch; tells whether its score is the best so far."""
        self.losses.append(loss)
        value, best = (-loss, -self.best_loss) if score is None else (score, self.best_score)
        self.waiting = self.waiting + 1 if value < best + tol else 0
        self.best_loss = min(self.best_loss, loss)
        if score is None:
            return False
        self.scores.append(score)
        self.best_score = max(self.best_score, score)
        return score > best


def train(
    network: Network, samples: Samples, options: Options, history: History, score: Callable[[], float] | None = None
) -> None:
    """Train until nothing gets better, or for all epochs; ``history`` is written on.

    Args:
        network: whose weights to change. With ``score``, it has those of the best epoch in the end.
        samples: what to train on.
        options: how.
        history: of earlier epochs.
        score: measures the network after each epoch.

    Raises:
        NanLossDuringTrainingError: a loss is NaN or infinite.
    """
    best: dict[str, Array] | None = None
    fixed = {"alpha": options.alpha, "learning_rate": options.learning_rate, "training": True}
    whole = samples.batch(slice(None)) if options.batch_size >= samples.size else None
    try:
        with _bar(options) as tell:
            for _ in range(options.epochs):
                loss = _epoch(network, samples, whole, fixed, options, len(history.losses))
                reached = None if score is None else score()
                if history.note(loss, reached, options.tol):
                    best = network.values()
                tell(loss, reached)
                if options.patience is not None and history.waiting > options.patience:
                    break
            else:
                if options.warn:
                    warnings.warn(
                        f"{options.name}: the loss still changed after max_iter={options.epochs} epochs. Raise "
                        "max_iter, or the learning rate.",
                        ConvergenceWarning,
                        stacklevel=_USERS_LINE,
                    )
    except KeyboardInterrupt:
        warnings.warn(
            f"{options.name}: interrupted after {len(history.losses)} epochs; the weights are those reached so far.",
            stacklevel=_USERS_LINE,
        )
    if best is not None:
        network.take(best)


_USERS_LINE: Final = 6
"""From ``train`` over the estimator's methods to the call of ``fit``."""


def _epoch(
    network: Network,
    samples: Samples,
    whole: dict[str, Any] | None,
    fixed: dict[str, Any],
    options: Options,
    epoch: int,
) -> float:
    """Train on every sample once; returns the mean loss."""
    mean = float(samples.weights.mean())
    if whole is not None:
        return _finite(network.step(**whole, total=mean * samples.size, **fixed), options, epoch, 0)
    losses = 0.0
    for number, chosen in enumerate(_batches(samples.size, options, epoch)):
        batch = samples.batch(chosen)
        count = len(batch["weights"])
        losses += count * _finite(network.step(**batch, total=mean * count, **fixed), options, epoch, number)
    return losses / samples.size


def _batches(count: int, options: Options, epoch: int) -> Iterator[Any]:
    starts = range(0, count, options.batch_size)
    if not options.shuffle:
        yield from (slice(start, start + options.batch_size) for start in starts)
        return
    # Of seed and number alone: an estimator that was saved and loaded goes on as if it had not been.
    order = np.random.default_rng((options.seed, epoch)).permutation(count)
    yield from (order[start : start + options.batch_size] for start in starts)


def _finite(loss: float, options: Options, epoch: int, batch: int) -> float:
    if not math.isfinite(loss):
        raise NanLossDuringTrainingError(
            f"{options.name}: the loss is {loss} in epoch {epoch + 1}, batch {batch + 1}. Lower the learning rate, or "
            "scale the features, as by StandardScaler."
        )
    return loss


@contextmanager
def _bar(options: Options) -> Iterator[Callable[[float, float | None], None]]:
    """Give a function that shows an epoch's loss and score."""
    if not options.verbose:
        yield lambda loss, score: None
        return
    from tqdm import tqdm

    with tqdm(total=options.epochs, desc=options.name, unit="epoch") as bar:

        def tell(loss: float, score: float | None) -> None:
            shown = {"loss": f"{loss:.4g}"} | ({} if score is None else {"score": f"{score:.4g}"})
            bar.set_postfix(shown, refresh=False)
            bar.update()

        yield tell
