"""What the parameters of the estimators may be; looked at by ``fit``, as scikit-learn's users expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, Final

import dovetail as dt
from dovetail.errors import (
    ConfigurationError,
    DeviceError,
    DovetailError,
    DTypeError,
    InvalidArgumentError,
    NotFoundError,
)
from dovetail.extend import Layer, Optimizer, as_activation
from dovetail_train.estimator.optimizers import check_optimizer
from dovetail_train.sklearn.heads import LOSSES

__all__ = ["check_parameters", "hidden_sizes"]


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _number(test: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda value: _is_number(value, Real) and test(float(value))


def _whole(value: Any) -> bool:
    return _is_number(value, Integral) and int(value) >= 1


_truth: Final = (lambda value: value in (True, False), "True or False")
_RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "learning_rate": (_number(lambda value: 0 < value < float("inf")), "a positive number"),
    "alpha": (_number(lambda value: 0 <= value < float("inf")), "0 or a positive number"),
    "dropout": (_number(lambda value: 0 <= value < 1), "a probability of at least 0 and less than 1"),
    "batch_norm": _truth,
    "batch_size": (lambda value: value == "auto" or _whole(value), "a positive whole number, or 'auto'"),
    "max_iter": (_whole, "a positive whole number"),
    "shuffle": _truth,
    "early_stopping": _truth,
    "validation_fraction": (_number(lambda value: 0 < value < 1), "a part between 0 and 1"),
    "n_iter_no_change": (
        lambda value: value is None or _whole(value),
        "a positive whole number, or None to train for max_iter epochs",
    ),
    "tol": (_number(lambda value: 0 <= value < float("inf")), "0 or a positive number"),
    "warm_start": _truth,
    "verbose": (lambda value: isinstance(value, (bool, int)), "True or False"),
    "num_threads": (lambda value: value is None or _whole(value), "a positive whole number, or None for every core"),
    "n_components": (_whole, "a positive whole number"),
    "noise": (_number(lambda value: 0 <= value < float("inf")), "0 or a positive number"),
    "network": (
        lambda value: value is None or isinstance(value, Layer) or (callable(value) and not isinstance(value, type)),
        "a function of the inputs, or a layer such as dt.layers.Sequential([...])",
    ),
    "optimizer": (
        lambda value: isinstance(value, (str, Optimizer)) or (callable(value) and not isinstance(value, type)),
        "a name such as 'adam', an optimizer such as dt.train.AdamOptimizer(0.001), or a function that returns one",
    ),
    "loss": (
        lambda value: (isinstance(value, str) and value in LOSSES) or (callable(value) and not isinstance(value, str)),
        f"{', '.join(map(repr, LOSSES))}, or a function of targets and outputs",
    ),
}


def check_parameters(estimator: Any) -> None:
    """Look at all parameters that have a rule, whoever set them.

    Raises:
        InvalidArgumentError: one has a value that makes no sense.
    """
    name = type(estimator).__name__
    parameters = estimator.get_params(deep=False)
    for key, value in parameters.items():
        if key in _RULES and not _RULES[key][0](value):
            raise InvalidArgumentError(f"{name}: {key} is {value!r}; give {_RULES[key][1]}.")
    hidden_sizes(estimator)
    for key in ("activation", "output_activation"):
        try:
            as_activation(parameters.get(key))
        except DovetailError as error:
            raise InvalidArgumentError(f"{name}: {key}: {error}") from error
    try:
        check_optimizer(parameters["optimizer"], name)
    except NotFoundError as error:
        raise InvalidArgumentError(str(error)) from error
    if isinstance(parameters["optimizer"], Optimizer):
        try:
            parameters["optimizer"].get_config()
        except ConfigurationError as error:
            raise InvalidArgumentError(
                f"{name}: optimizer has a hyperparameter that belongs to another graph: {error} Give a function that "
                "takes the number of the step and returns the optimizer."
            ) from error
    device = parameters.get("device")
    try:
        with dt.Graph().device(device):
            pass
    except (DeviceError, DTypeError) as error:
        raise InvalidArgumentError(f"{name}: device: {error}") from error


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return ``hidden_layer_sizes`` as a tuple; a number alone is one layer.

    Raises:
        InvalidArgumentError: a size is no positive whole number.
    """
    given = estimator.hidden_layer_sizes
    sizes = tuple(given) if isinstance(given, Iterable) and not isinstance(given, (str, bytes)) else (given,)
    if not all(map(_whole, sizes)):
        raise InvalidArgumentError(
            f"{type(estimator).__name__}: hidden_layer_sizes is {given!r}; give positive whole numbers, such as "
            "(100, 50), or () for no hidden layer."
        )
    return tuple(map(int, sizes))
