"""``DovetailClassifier``: a network that names classes, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array
from dovetail_train.sklearn.base import DovetailEstimator
from dovetail_train.sklearn.export import Exported
from dovetail_train.sklearn.heads import CLASSES, LABELS, TWO_CLASSES
from dovetail_train.sklearn.training import Samples, dense

__all__ = ["DovetailClassifier"]


@final
class DovetailClassifier(Exported, ClassifierMixin, DovetailEstimator):
    """A network that names the class of a sample, or any number of labels.

    It is used as scikit-learn's ``MLPClassifier`` is, and computes in the dtype of the samples: float32 samples take
    about half the time of float64 ones. Two classes have one output and a sigmoid, several a softmax, several labels a
    sigmoid each.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: of the hidden layers: a function, or the name of one in ``dt.nn``.
        network: what to take instead of these layers: a function of a tensor ``[batch, …]`` (and of ``training``, if it
            has a parameter of that name) that returns one, or a layer. The estimator adds the layer of outputs.
            Samples may then have any number of axes, as images do.
        optimizer: a name such as ``"adam"``, ``"sgd"`` or ``"rmsprop"``; an optimizer; or a function that takes the
            number of the step, a tensor, and returns an optimizer, so that its learning rate can follow a schedule.
        learning_rate: of an optimizer given by name.
        alpha: weight of the L2 penalty, as in ``MLPClassifier``.
        dropout: the probability that an element of a hidden layer is dropped while training.
        batch_norm: whether to normalise what each hidden layer gives.
        batch_size: samples of a step; ``"auto"`` is 200, or all where there are fewer.
        max_iter: how many epochs to train at most.
        shuffle: whether each epoch takes the samples in an order of its own.
        class_weight: weights by class, or ``"balanced"`` for those that make up for how often each class occurs.
        early_stopping: whether to hold out a part of the samples, stop when the score on them stays, and keep the
            weights of the best epoch.
        validation_fraction: the part to hold out.
        n_iter_no_change: how many epochs in a row may change nothing before training stops; ``None`` to train for
            ``max_iter`` epochs.
        tol: the least change of loss or score that counts.
        random_state: a number, which makes results repeatable to the last bit; a ``numpy.random.RandomState``; or
            ``None`` for other random numbers each time.
        warm_start: whether ``fit`` goes on with the weights of the last one.
        verbose: whether to show a progress bar.
        device: where to compute, such as ``"/cpu:0"``.
        num_threads: how many threads a step may use; every core by default. Results do not depend on it.

    Attributes:
        classes_: the labels of the classes, sorted.
        n_outputs_: how many numbers the network gives.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> X, y = load_iris(return_X_y=True)
        >>> model = make_pipeline(StandardScaler(), dt.sklearn.DovetailClassifier((16,), learning_rate=0.02))
        >>> bool(model.fit(X, y).score(X, y) > 0.9)
        True
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: Any = "relu",
        *,
        network: Any = None,
        optimizer: Any = "adam",
        learning_rate: float = 0.001,
        alpha: float = 0.0001,
        dropout: float = 0.0,
        batch_norm: bool = False,
        batch_size: int | Literal["auto"] = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        self.network = network
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.class_weight = class_weight
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
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on samples and their classes.

        Args:
            X: samples, an array, frame or sparse matrix of shape ``[samples, features]``.
            y: labels of shape ``[samples]``, numbers or strings; or zeros and ones, ``[samples, labels]``.
            sample_weight: a weight of at least 0 for each sample; a weight of 2 does what the sample twice would.

        Raises:
            ValueError: the data are not what the estimator takes, or a parameter makes no sense.
            NanLossDuringTrainingError: the loss became NaN.
        """
        return self._fit(X, y, sample_weight, None, partial=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train on samples for one epoch, beginning with the weights there are.

        Args:
            X: samples.
            y: their classes.
            classes: all classes that there are; needed at the first call.
            sample_weight: a weight for each sample.

        Raises:
            ValueError: as ``fit``; ``y`` has a class that is none of ``classes``.
        """
        return self._fit(X, y, sample_weight, classes, partial=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any, *, partial: bool) -> Self:
        self._check()
        goes_on = self._goes_on(partial=partial)
        X, y = self._checked(X, y, reset=not goes_on, multi_output=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        known, labels = self._known_classes(y, classes, goes_on=goes_on, partial=partial)
        weights = self._weights(sample_weight, X) * self._class_weights(y, known, partial=partial)
        weights = weights.astype(X.dtype, copy=False)
        if labels:
            head, outputs, targets = LABELS, len(known), dense(y).astype(X.dtype)
        elif len(known) == 2:
            head, outputs, targets = TWO_CLASSES, 1, self._numbers(y, known)[:, np.newaxis].astype(X.dtype)
        else:
            head, outputs, targets = CLASSES, len(known), self._numbers(y, known)
        self._train(self._blueprint(X, head, outputs), Samples(X, targets, weights), partial=partial)
        self.classes_, self._labels_, self.n_outputs_ = known, labels, outputs
        return self

    def _known_classes(self, y: Any, classes: Any, *, goes_on: bool, partial: bool) -> tuple[Array, bool]:
        """Return the classes, and whether they are labels of which a sample may have several."""
        labels = type_of_target(y).startswith("multilabel")
        if goes_on:
            known: Array = self.classes_
            given = known if classes is None else np.unique(classes)
            if labels != self._labels_ or (labels and y.shape[1] != len(known)) or not np.array_equal(given, known):
                raise InvalidArgumentError(
                    f"{type(self).__name__}: the classes are not those it was fitted on before, {_listed(known)}. Give "
                    "the same ones, or begin anew with fit and warm_start=False."
                )
            return known, labels
        if labels:
            return np.arange(y.shape[1]), True
        if partial and classes is None:
            raise InvalidArgumentError(
                f"{type(self).__name__}: classes must be given at the first call of partial_fit, as y may lack some."
            )
        known = np.unique(y if classes is None else np.asarray(classes))
        if len(known) < 2:
            raise InvalidArgumentError(
                f"{type(self).__name__} needs samples of at least 2 classes; the data contains 1 class, "
                f"{known.tolist()[0]!r}."
            )
        return known, False

    def _numbers(self, y: Array, known: Array) -> Array:
        """Return the place of each label among the known ones."""
        places = np.searchsorted(known, y) if np.isin(y, known).all() else None
        if places is None:
            strange = np.setdiff1d(y, known)
            raise InvalidArgumentError(
                f"{type(self).__name__}: y has {_listed(strange)}, which is none of the classes {_listed(known)}. Name "
                "all classes at the first call."
            )
        return places.astype(np.int64, copy=False)

    def _class_weights(self, y: Any, known: Array, *, partial: bool) -> Any:
        given = self.class_weight
        if given is None:
            return 1.0
        if isinstance(given, str):
            if given != "balanced":
                raise InvalidArgumentError(
                    f"{type(self).__name__}: class_weight is {given!r}; give a dict, 'balanced' or None."
                )
            if partial:
                raise InvalidArgumentError(
                    f"{type(self).__name__}: class_weight 'balanced' cannot be used with partial_fit, which does not "
                    "see all samples. Give a dict, as sklearn.utils.compute_class_weight makes of all labels."
                )
        elif isinstance(given, Mapping):
            strange = [label for label in given if label not in known.tolist()]
            if strange and not y.ndim == 2:
                raise InvalidArgumentError(
                    f"{type(self).__name__}: class_weight names {_listed(np.array(strange, object))}, which is none of "
                    f"the classes {_listed(known)}."
                )
        return compute_sample_weight(given, y)

    def _classes_of(self, targets: Array | None) -> Array | None:
        assert targets is not None  # a classifier's samples have targets
        return targets.reshape(-1) if targets.ndim == 1 or targets.shape[1] == 1 else None

    def _score_of(self, outputs: Array, samples: Samples) -> float:
        targets = samples.targets
        assert targets is not None  # as above
        named = outputs.argmax(axis=1) if targets.ndim == 1 else outputs > 0
        return float(accuracy_score(targets.astype(named.dtype), named, sample_weight=samples.weights))

    def decision_function(self, X: Any) -> Array:
        """Return what the network gives before the sigmoid or softmax.

        Returns:
            Of shape ``[samples]`` for two classes, else ``[samples, classes]``.
        """
        X = self._new_rows(X)
        outputs = self._rows(self._network.outputs, X)
        return outputs[:, 0] if len(self.classes_) == 2 and not self._labels_ else outputs

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample, or zeros and ones for labels."""
        outputs = self.decision_function(X)
        if self._labels_:
            named: Array = (outputs > 0).astype(np.int64)
            return named
        places = outputs.argmax(axis=1) if outputs.ndim == 2 else (outputs > 0).astype(np.intp)
        found: Array = self.classes_[places]
        return found

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or label, of shape ``[samples, classes]``."""
        X = self._new_rows(X)
        return self._rows(self._network.predictions, X)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def _onnx_outputs(self) -> dict[str, Any]:
        return {"probabilities": "predictions:0"}

    def _metadata(self) -> dict[str, str]:
        return {"classes": self._json(self.classes_.tolist())}


def _listed(labels: Array) -> str:
    shown = ", ".join(repr(label) for label in labels.tolist()[:10])
    return f"{shown} and {len(labels) - 10} more" if len(labels) > 10 else shown
