"""``DovetailRegressor``: a network that predicts numbers, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, final

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array
from dovetail_train.sklearn.base import DovetailEstimator
from dovetail_train.sklearn.export import Exported
from dovetail_train.sklearn.heads import regression
from dovetail_train.sklearn.training import Samples

__all__ = ["DovetailRegressor"]


@final
class DovetailRegressor(Exported, RegressorMixin, DovetailEstimator):
    """A network that predicts one number, or several, of a sample.

    It is used as scikit-learn's ``MLPRegressor`` is, and computes in the dtype of the samples.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: of the hidden layers: a function, or the name of one in ``dt.nn``.
        loss: ``"squared_error"``, ``"absolute_error"``, ``"huber"`` or ``"poisson"`` (whose predictions are positive);
            or a function of targets and outputs, both ``[batch, outputs]``, that gives a loss for each element, or each
            sample.
        network: what to take instead of the hidden layers, as for ``DovetailClassifier``.
        optimizer: as for ``DovetailClassifier``, and so are all that follow.
        learning_rate: of an optimizer given by name.
        alpha: weight of the L2 penalty, as in ``MLPRegressor``.
        dropout: the probability that an element of a hidden layer is dropped while training.
        batch_norm: whether to normalise what each hidden layer gives.
        batch_size: samples of a step; ``"auto"`` is 200, or all where there are fewer.
        max_iter: how many epochs to train at most.
        shuffle: whether each epoch takes the samples in an order of its own.
        early_stopping: whether to hold out a part of the samples, stop when R² on them stays, and keep the weights of
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

    Attributes:
        n_outputs_: how many numbers are predicted.

    Example:
        >>> X = np.linspace(-1.0, 1.0, 100).reshape(-1, 1)
        >>> model = dt.sklearn.DovetailRegressor((32,), learning_rate=0.02, random_state=0).fit(X, X[:, 0] ** 2)
        >>> bool(model.score(X, X[:, 0] ** 2) > 0.9)
        True
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: Any = "relu",
        *,
        loss: str | Callable[[Any, Any], Any] = "squared_error",
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
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
        """Tell scikit-learn what the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on samples and their numbers.

        Args:
            X: samples, an array, frame or sparse matrix of shape ``[samples, features]``.
            y: numbers of shape ``[samples]`` or ``[samples, outputs]``.
            sample_weight: a weight of at least 0 for each sample; a weight of 2 does what the sample twice would.

        Raises:
            ValueError: the data are not what the estimator takes, or a parameter makes no sense.
            NanLossDuringTrainingError: the loss became NaN.
        """
        return self._fit(X, y, sample_weight, partial=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, beginning with the weights there are; takes what ``fit`` takes."""
        return self._fit(X, y, sample_weight, partial=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, partial: bool) -> Self:
        self._check()
        goes_on = self._goes_on(partial=partial)
        X, y = self._checked(X, y, reset=not goes_on, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and y.min() < 0:
            raise InvalidArgumentError(
                f"{type(self).__name__}: loss='poisson' is for targets of at least 0; the least is {y.min():g}."
            )
        flat = y.ndim == 1
        targets = np.asarray(y.reshape(len(y), -1), X.dtype)
        weights = self._weights(sample_weight, X)
        blueprint = self._blueprint(X, regression(self.loss), targets.shape[1])
        self._train(blueprint, Samples(X, targets, weights), partial=partial)
        self._flat_, self.n_outputs_ = flat, targets.shape[1]
        return self

    def _score_of(self, outputs: Array, samples: Samples) -> float:
        predicted = np.exp(outputs) if self.loss == "poisson" else outputs
        return float(r2_score(samples.targets, predicted, sample_weight=samples.weights))

    def _onnx_outputs(self) -> dict[str, Any]:
        return {"predictions": "predictions:0"}

    def predict(self, X: Any) -> Array:
        """Return the numbers predicted, of shape ``[samples]`` or ``[samples, outputs]`` as ``y`` had."""
        X = self._new_rows(X)
        predicted = self._rows(self._network.predictions, X)
        return predicted[:, 0] if self._flat_ else predicted
