"""``EstimatorSpec``: what a model function returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["EstimatorSpec"]

_MODES = (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT)


class _Fields(NamedTuple):
    mode: str
    predictions: Any
    loss: dt.Tensor | None
    train_op: Any
    eval_metric_ops: Mapping[str, Any]
    export_outputs: Mapping[str, Any] | None
    training_chief_hooks: tuple[SessionRunHook, ...]
    training_hooks: tuple[SessionRunHook, ...]
    scaffold: Scaffold
    evaluation_hooks: tuple[SessionRunHook, ...]
    prediction_hooks: tuple[SessionRunHook, ...]


class EstimatorSpec(_Fields):
    """What a model function returns: the operations that its mode needs.

    Args:
        mode: one of ``ModeKeys``.
        predictions: a tensor, or a dict of tensors by name.
        loss: a scalar.
        train_op: makes a step of training, and raises the global step.
        eval_metric_ops: metrics by name, each a pair of value and update as the functions of ``dt.metrics`` give it.
        export_outputs: what ``export_saved_model`` offers: dicts of tensors by name of the signature, or outputs of
            ``dt.estimator.export``.
        training_chief_hooks: hooks of training, called before the others.
        training_hooks: hooks of training.
        scaffold: how variables get their values and are saved.
        evaluation_hooks: hooks of evaluation.
        prediction_hooks: hooks of prediction.

    Raises:
        InvalidArgumentError: the mode is none, or what it needs is not given.
        ShapeError: the loss is no scalar.
        DTypeError: a metric is no pair, or a hook is none.

    Example:
        >>> loss = dt.reduce_mean(dt.square(dt.get_variable("w", [3])))
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
        >>> spec = dt.estimator.EstimatorSpec(dt.estimator.ModeKeys.TRAIN, loss=loss, train_op=train)
        >>> spec.mode
        'train'
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Mapping[str, Any] | None = None,
        export_outputs: Mapping[str, Any] | None = None,
        training_chief_hooks: Sequence[SessionRunHook] | None = None,
        training_hooks: Sequence[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        evaluation_hooks: Sequence[SessionRunHook] | None = None,
        prediction_hooks: Sequence[SessionRunHook] | None = None,
    ) -> Self:
        """Check what the mode needs."""
        if mode not in _MODES:
            raise InvalidArgumentError(f"EstimatorSpec: mode is {mode!r}; use one of dt.estimator.ModeKeys.")
        needed = {
            ModeKeys.TRAIN: {"loss": loss, "train_op": train_op},
            ModeKeys.EVAL: {"loss": loss},
            ModeKeys.PREDICT: {"predictions": predictions},
        }[mode]
        for name, value in needed.items():
            if value is None:
                raise InvalidArgumentError(f"EstimatorSpec: mode is {mode!r}, which needs {name}; give it.")
        return super().__new__(
            cls,
            mode,
            _tensors(predictions),
            None if loss is None else _scalar(loss),
            train_op,
            _metrics(eval_metric_ops or {}),
            export_outputs,
            _hooks("training_chief_hooks", training_chief_hooks),
            _hooks("training_hooks", training_hooks),
            scaffold or Scaffold(),
            _hooks("evaluation_hooks", evaluation_hooks),
            _hooks("prediction_hooks", prediction_hooks),
        )


def _tensors(predictions: Any) -> Any:
    if predictions is None:
        return None
    if isinstance(predictions, Mapping):
        return {name: dt.convert_to_tensor(value) for name, value in predictions.items()}
    return dt.convert_to_tensor(predictions)


def _scalar(loss: Any) -> dt.Tensor:
    tensor: dt.Tensor = dt.convert_to_tensor(loss)
    if tensor.shape.rank not in (0, None) and tensor.shape.num_elements() != 1:
        raise ShapeError(
            f"EstimatorSpec: the loss is {tensor.type}, where one number is wanted; use dt.reduce_mean or "
            f"dt.reduce_sum. {tensor.op.where()}"
        )
    return tensor if tensor.shape.rank == 0 else dt.reshape(tensor, [])


def _metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    for name, pair in metrics.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise DTypeError(
                f"EstimatorSpec: the metric {name!r} is {pair!r}; give a pair of value and update, as the functions of "
                "dt.metrics return it."
            )
    return dict(metrics)


def _hooks(name: str, hooks: Sequence[SessionRunHook] | None) -> tuple[SessionRunHook, ...]:
    chosen = tuple(hooks or ())
    for hook in chosen:
        if not isinstance(hook, SessionRunHook):
            raise DTypeError(f"EstimatorSpec: {name} holds {hook!r}, which is no dt.train.SessionRunHook.")
    return chosen
