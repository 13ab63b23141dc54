"""``DovetailEstimator``: what the estimators share, from parameters and data to a trained network that is kept."""

from __future__ import annotations

import math
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array
from dovetail_train.sklearn.blueprint import Blueprint
from dovetail_train.sklearn.heads import Head
from dovetail_train.sklearn.network import POOL, Network
from dovetail_train.sklearn.parameters import check_parameters, hidden_sizes
from dovetail_train.sklearn.storage import Stored
from dovetail_train.sklearn.training import ROWS_AT_ONCE, History, Options, Samples, dense, train

__all__ = ["DovetailEstimator"]

_AUTO_BATCH: Final = 200
_LEAST_HELD_OUT: Final = 2


class DovetailEstimator(Stored, BaseEstimator, ABC):
    """Base of the estimators; it has no parameters of its own.

    Attributes:
        n_features_in_: features of a sample.
        feature_names_in_: their names, where the samples were a frame.
        n_iter_: epochs so far.
        loss_curve_: the mean loss of each epoch.
        loss_: the last of them, ``best_loss_`` the least.
        validation_scores_: with ``early_stopping``, the score of each epoch; else ``None``.
        best_validation_score_: the greatest of these.
        seed_: what all random numbers depend on.
    """

    _network: Network
    seed_: int

    hidden_layer_sizes: Any
    activation: Any
    network: Any
    optimizer: Any
    learning_rate: Any
    alpha: Any
    dropout: Any
    batch_norm: Any
    batch_size: Any
    max_iter: Any
    shuffle: Any
    early_stopping: Any
    validation_fraction: Any
    n_iter_no_change: Any
    tol: Any
    random_state: Any
    warm_start: Any
    verbose: Any
    device: Any
    num_threads: Any

    # What differs between estimators. --------------------------------------------------------------------------------

    @abstractmethod
    def _score_of(self, outputs: Array, samples: Samples) -> float:
        """Return how good the network's outputs are for samples held out; greater is better."""

    def _classes_of(self, targets: Array | None) -> Array | None:
        """Return the classes that samples held out should have as often as the others, if there are some."""
        return None

    # Input. ----------------------------------------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = self.network is not None
        return tags

    def _checked(
        self, X: Any, y: Any = None, *, reset: bool, dtype: Any = (np.float64, np.float32), **more: Any
    ) -> Any:
        """Return X, or X and y, as scikit-learn checks them; more than two axes are for a ``network``."""
        if self.network is None and getattr(X, "ndim", 2) > 2:
            raise InvalidArgumentError(
                f"Found array with dim {X.ndim}, while dim <= 2 is required by {type(self).__name__}. Give it a "
                "network of your own, such as network=dt.layers.Sequential([...]), or reshape the samples to rows."
            )
        return validate_data(
            self,
            X,
            **({} if y is None and not more else {"y": y}),
            reset=reset,
            accept_sparse="csr",
            dtype=dtype,
            allow_nd=self.network is not None,
            **more,
        )

    def _weights(self, sample_weight: Any, X: Any) -> Array:
        weights: Array = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        return weights

    # Training. -------------------------------------------------------------------------------------------------------

    def _blueprint(self, X: Any, head: Head, outputs: int) -> Blueprint:
        return Blueprint(
            shape=tuple(X.shape[1:]),
            dtype=X.dtype.name,
            outputs=outputs,
            head=head,
            hidden_layer_sizes=hidden_sizes(self),
            activation=self.activation,
            dropout=float(self.dropout),
            batch_norm=bool(self.batch_norm),
            network=self.network,
            optimizer=self.optimizer,
            device=self.device,
            num_threads=self.num_threads,
        )

    def _goes_on(self, *, partial: bool) -> bool:
        """Whether training begins with the weights there are."""
        return hasattr(self, "_network") and (partial or bool(self.warm_start))

    def _train(self, blueprint: Blueprint, samples: Samples, *, partial: bool = False) -> Self:
        """Train a network of that blueprint: for one epoch, or as the parameters say.

        Should anything fail, the estimator is what it was before.
        """
        goes_on = self._goes_on(partial=partial)
        network = self._network_for(blueprint, goes_on=goes_on)
        before = network.progress() if network is getattr(self, "_network", None) else None
        if not goes_on:
            seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        else:
            seed = int(self.seed_)
        history = self._history() if goes_on else History()
        try:
            if not goes_on:
                network.begin(seed)
            self._run(network, samples, history, seed, partial=partial)
        except BaseException:
            if before is not None:
                network.go_back(*before)
            else:
                POOL.give_back(network)
            raise
        self._hold(network)
        self.seed_ = seed
        self.loss_curve_ = history.losses
        self.loss_ = history.losses[-1]
        self.best_loss_ = history.best_loss
        self.n_iter_ = len(history.losses)
        self.validation_scores_ = history.scores or None
        self.best_validation_score_ = history.best_score if history.scores else None
        self._waiting_ = history.waiting
        return self

    def _run(self, network: Network, samples: Samples, history: History, seed: int, *, partial: bool) -> None:
        score: Callable[[], float] | None = None
        if self.early_stopping and not partial:
            kept, held = self._divided(samples, seed)

            def score() -> float:
                return self._score_of(self._rows(network.outputs, held.inputs), held)

        elif samples.weights.all():
            kept = samples
        else:  # a sample without weight is as if it were not there
            kept = samples.where(np.flatnonzero(samples.weights))
        size = min(_AUTO_BATCH, kept.size) if self.batch_size == "auto" else int(self.batch_size)
        options = Options(
            name=type(self).__name__,
            epochs=1 if partial else int(self.max_iter),
            batch_size=size,
            shuffle=bool(self.shuffle),
            seed=seed,
            learning_rate=float(self.learning_rate),
            alpha=float(self.alpha),
            tol=float(self.tol),
            patience=None if partial or self.n_iter_no_change is None else int(self.n_iter_no_change),
            verbose=bool(self.verbose) and not partial,
            warn=not partial and self.n_iter_no_change is not None,
        )
        train(network, kept, options, history, score)

    def _network_for(self, blueprint: Blueprint, *, goes_on: bool) -> Network:
        held: Network | None = getattr(self, "_network", None)
        if held is None or not goes_on:
            return held if held is not None and held.key == blueprint.key else POOL.take(blueprint)
        if held.key is not None and held.key != blueprint.key:
            raise InvalidArgumentError(
                f"{type(self).__name__}: parameters that shape the network, or the data's shape, dtype or targets, "
                "changed since it was fitted, so training cannot go on with its weights. Set warm_start=False and "
                "call fit to begin anew."
            )
        if held.shape != blueprint.shape or held.dtype != np.dtype(blueprint.dtype):
            raise InvalidArgumentError(
                f"{type(self).__name__}: it was fitted on samples of shape {held.shape} and dtype {held.dtype}; these "
                f"are {blueprint.shape} and {blueprint.dtype}."
            )
        return held

    def _history(self) -> History:
        return History(
            losses=list(self.loss_curve_),
            scores=list(self.validation_scores_ or ()),
            best_loss=self.best_loss_,
            best_score=-np.inf if self.best_validation_score_ is None else self.best_validation_score_,
        )

    def _divided(self, samples: Samples, seed: int) -> tuple[Samples, Samples]:
        """Return the samples to train on and those held out; samples without weight are in neither."""
        places = np.flatnonzero(samples.weights)
        count = math.ceil(float(self.validation_fraction) * len(places))
        if min(count, len(places) - count) < _LEAST_HELD_OUT:
            raise InvalidArgumentError(
                f"{type(self).__name__}: early_stopping would hold out {count} of {len(places)} samples; at least "
                f"{_LEAST_HELD_OUT} are needed, and as many to train on. Change validation_fraction, "
                f"{self.validation_fraction} now, or set early_stopping=False."
            )
        classes = self._classes_of(samples.targets)
        if classes is not None:
            classes = classes[places]
            sizes = np.unique(classes, return_counts=True)[1]
            if sizes.min() < _LEAST_HELD_OUT or min(count, len(places) - count) < len(sizes):
                classes = None  # there are too few of one for both parts
        kept, held = train_test_split(places, test_size=count, random_state=seed, stratify=classes)
        return samples.where(kept), samples.where(held)

    def _hold(self, network: Network) -> None:
        """Keep a network until another one is held, or the estimator is forgotten."""
        if getattr(self, "_network", None) is network:
            return
        self._let_go()
        self._network = network
        self._release = weakref.finalize(self, POOL.give_back, network)

    def _let_go(self) -> None:
        release = self.__dict__.pop("_release", None)
        self.__dict__.pop("_network", None)
        if release is not None:
            release()

    # Prediction. -----------------------------------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        """Whether ``fit`` has been called."""
        return hasattr(self, "_network")

    def _new_rows(self, X: Any) -> Any:
        """Return X, checked against what the estimator was fitted on."""
        check_is_fitted(self)
        X = self._checked(X, reset=False, dtype=self._network.dtype)
        if tuple(X.shape[1:]) != self._network.shape:
            raise InvalidArgumentError(
                f"X has samples of shape {tuple(X.shape[1:])}, but {type(self).__name__} was fitted on samples of "
                f"shape {self._network.shape}."
            )
        return X

    def _rows(self, function: Callable[[Array], Array], X: Any) -> Array:
        """Apply a prepared callable, to some rows at a time."""
        count = X.shape[0]
        if count <= ROWS_AT_ONCE:
            return function(dense(X))
        return np.concatenate(
            [function(dense(X[start : start + ROWS_AT_ONCE])) for start in range(0, count, ROWS_AT_ONCE)]
        )

    @property
    def weights_(self) -> dict[str, Array]:
        """The trained weights by name."""
        check_is_fitted(self)
        return self._network.values(trained=True)

    def _check(self) -> None:
        """Look at the parameters before data."""
        check_parameters(self)
