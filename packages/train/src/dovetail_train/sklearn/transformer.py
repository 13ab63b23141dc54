"""``DovetailTransformer``: an autoencoder, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self, final

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array
from dovetail_train.sklearn.base import DovetailEstimator
from dovetail_train.sklearn.blueprint import Blueprint
from dovetail_train.sklearn.export import Exported
from dovetail_train.sklearn.heads import RECONSTRUCTION
from dovetail_train.sklearn.training import Samples, dense

__all__ = ["DovetailTransformer"]


@final
class DovetailTransformer(Exported, ClassNamePrefixFeaturesOutMixin, TransformerMixin, DovetailEstimator):
    """An autoencoder: it learns a code of few numbers from which it can restore the samples.

    ``transform`` gives the codes, ``inverse_transform`` restores samples of them. It computes in the dtype of the
    samples.

    Args:
        n_components: size of the code.
        hidden_layer_sizes: units of the layers before the code; behind it are the same ones the other way.
        activation: of the hidden layers, but the code, which has none: a function, or the name of one in ``dt.nn``.
        output_activation: of the restored samples, such as ``"sigmoid"`` for numbers from 0 to 1; none by default.
        noise: standard deviation of the normal noise that is added to the samples while training, so that the network
            learns to take it away (Vincent et al., 2008).
        network: what to take instead of these layers: a function of a tensor ``[batch, …]`` that returns the code,
            ``[batch, n_components]``, and the restored samples.
        optimizer: as for ``DovetailClassifier``, and so are all that follow.
        learning_rate: of an optimizer given by name.
        alpha: weight of the L2 penalty.
        dropout: the probability that an element of a hidden layer is dropped while training.
        batch_norm: whether to normalise what each hidden layer gives.
        batch_size: samples of a step; ``"auto"`` is 200, or all where there are fewer.
        max_iter: how many epochs to train at most.
        shuffle: whether each epoch takes the samples in an order of its own.
        early_stopping: whether to hold out a part of the samples, stop when their error stays, and keep the weights of
            the best epoch.
        validation_fraction: the part to hold out.
        n_iter_no_change: how many epochs in a row may change nothing before training stops; ``None`` to train for
            ``max_iter`` epochs.
        tol: the least change of loss or score that counts.
        random_state: a number, a ``numpy.random.RandomState``, or ``None``.
        warm_start: whether ``fit`` goes on with the weights of the last one.
        verbose: whether to show a progress bar.
        device: where to compute, such as ``"/cpu:0"``.
        num_threads: how many threads a step may use.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> X = load_digits().data / 16.0
        >>> coder = dt.sklearn.DovetailTransformer(8, (64,), max_iter=20, n_iter_no_change=None).fit(X)
        >>> coder.transform(X).shape, coder.inverse_transform(coder.transform(X[:5])).shape
        ((1797, 8), (5, 64))
    """

    def __init__(
        self,
        n_components: int = 2,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: Any = "relu",
        *,
        output_activation: Any = None,
        noise: float = 0.0,
        network: Any = None,
        optimizer: Any = "adam",
        learning_rate: float = 0.001,
        alpha: float = 0.0001,
        dropout: float = 0.0,
        batch_norm: bool = False,
        batch_size: int | Literal["auto"] = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = 10,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: bool = False,
        device: str | None = None,
        num_threads: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_activation = output_activation
        self.noise = noise
        self.network = network
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.device = device
        self.num_threads = num_threads

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what the estimator takes and keeps."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on samples.

        Args:
            X: samples, an array, frame or sparse matrix of shape ``[samples, features]``.
            y: is not looked at.
            sample_weight: a weight of at least 0 for each sample; a weight of 2 does what the sample twice would.

        Raises:
            ValueError: the data are not what the estimator takes, or a parameter makes no sense.
            NanLossDuringTrainingError: the loss became NaN.
        """
        return self._fit(X, sample_weight, partial=False)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, beginning with the weights there are; takes what ``fit`` takes."""
        return self._fit(X, sample_weight, partial=True)

    def _fit(self, X: Any, sample_weight: Any, *, partial: bool) -> Self:
        self._check()
        X = self._checked(X, reset=not self._goes_on(partial=partial))
        weights = self._weights(sample_weight, X)
        blueprint = self._blueprint(X, RECONSTRUCTION, int(np.prod(X.shape[1:])))
        return self._train(blueprint, Samples(X, None, weights), partial=partial)

    def _blueprint(self, X: Any, head: Any, outputs: int) -> Blueprint:
        return replace(
            super()._blueprint(X, head, outputs),
            components=int(self.n_components),
            noise=float(self.noise),
            output_activation=self.output_activation,
        )

    def _onnx_outputs(self) -> dict[str, Any]:
        return {"code": self._network.code, "reconstruction": "outputs:0"}

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components)

    def _score_of(self, outputs: Array, samples: Samples) -> float:
        return -_error(outputs, dense(samples.inputs), samples.weights)

    def transform(self, X: Any) -> Array:
        """Return the codes of samples, of shape ``[samples, n_components]``."""
        X = self._new_rows(X)
        assert self._network.encode is not None  # every autoencoder has one
        return self._rows(self._network.encode, X)

    def inverse_transform(self, X: Any) -> Array:
        """Return the samples restored of codes.

        Args:
            X: codes of shape ``[samples, n_components]``.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=self._network.dtype)
        if X.shape[1] != self._n_features_out:
            raise InvalidArgumentError(
                f"{type(self).__name__}: the codes have {X.shape[1]} numbers, but n_components is "
                f"{self._n_features_out}."
            )
        assert self._network.decode is not None  # as above
        return self._rows(self._network.decode, X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean squared error of restored samples, so that greater is better."""
        X = self._new_rows(X)
        return -_error(self._rows(self._network.outputs, X), dense(X), self._weights(sample_weight, X))


def _error(restored: Array, samples: Array, weights: Array) -> float:
    each = np.square(restored - samples).reshape(len(samples), -1).mean(axis=1)
    return float(np.average(each, weights=weights))
