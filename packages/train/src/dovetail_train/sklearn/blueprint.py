"""From the parameters of an estimator to a graph that trains and predicts."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ConfigurationError, InvalidArgumentError, ShapeError
from dovetail.extend import Configured, Layer, Optimizer, plugin
from dovetail_train.estimator.optimizers import check_optimizer
from dovetail_train.networks import autoencoder, dense_network
from dovetail_train.sklearn.heads import Head

__all__ = ["CODE", "Blueprint"]


CODE: Final = "code"
"""The collection that holds an autoencoder's code."""


@final
class _Same:
    """An object as part of a key: equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _identity(value: Any) -> Hashable:
    """Return what is equal for parameters that make the same graph."""
    if isinstance(value, Configured):
        text = json.dumps(value.get_config(), sort_keys=True)
        if '"function"' not in text:  # two functions of one name may be different ones
            return type(value), text
        return _Same(value)
    return value if isinstance(value, (str, int, float, tuple, type(None))) else _Same(value)


@final
@dataclass(frozen=True)
class Blueprint:
    """All that the graph of an estimator depends on.

    Attributes:
        shape: of one sample.
        dtype: ``"float32"`` or ``"float64"``.
        outputs: how many numbers the network gives.
        head: what stands behind it.
        hidden_layer_sizes: of dense layers.
        activation: of these.
        dropout: the probability that one of their elements is dropped.
        batch_norm: whether their outputs are normalised.
        network: a function of inputs and ``training``, or a layer, to take instead of dense layers.
        optimizer: its name, itself, or a function of the step that makes it.
        device: where to compute.
        num_threads: how many threads a step may use.
        components: size of an autoencoder's code; ``None`` where the network is none.
        noise: standard deviation of what is added to an autoencoder's inputs while training.
        output_activation: of an autoencoder's last layer.
    """

    shape: tuple[int, ...]
    dtype: str
    outputs: int
    head: Head
    hidden_layer_sizes: tuple[int, ...]
    activation: Any
    dropout: float
    batch_norm: bool
    network: Any
    optimizer: Any
    device: str | None
    num_threads: int | None
    components: int | None = None
    noise: float = 0.0
    output_activation: Any = None

    @property
    def key(self) -> Hashable:
        """Equal for blueprints of the same graph, in this process."""
        ours = [_identity(value) for name, value in vars(self).items() if name != "head"]
        backends = tuple(sorted(dt.ConfigProto().backends.items()))
        return self.head.name, _identity(self.head.given), *ours, backends

    def graph(self) -> dt.Graph:
        """Build the graph.

        It has the placeholders ``inputs``, ``targets``, ``weights``, ``total``, ``alpha``, ``learning_rate`` and
        ``training``; the tensors ``outputs``, ``predictions`` and ``loss``; the operations ``train`` and
        ``initializers``; and, of an autoencoder, the code in the collection ``CODE``. Its seed is not set: that of a
        session decides.

        Raises:
            DovetailError: what the user's network or optimizer raises, or a sentence on what it should be.
        """
        dtype = dt.as_dtype(self.dtype)
        graph = dt.Graph()
        with graph.as_default(), graph.device(self.device):
            inputs = dt.placeholder(dtype, ["batch", *self.shape], name="inputs")
            training = dt.placeholder_with_default(False, [], name="training")
            outputs = dt.identity(self._outputs(inputs, training), name="outputs")
            if self.components is not None:
                targets = inputs
            elif self.head.numbered:
                targets = dt.placeholder(dt.int64, ["batch"], name="targets")
            else:
                targets = dt.placeholder(dtype, ["batch", self.outputs], name="targets")
            dt.identity(self.head.predictions(outputs), name="predictions")
            weights = dt.placeholder(dtype, ["batch"], name="weights")
            alpha = dt.placeholder(dtype, [], name="alpha")
            each = self.head.loss(targets, outputs)
            if each.shape.rank != 1:
                raise ShapeError(f"the loss gives {each.type}; give one number for each element of the targets.")
            # As in scikit-learn's MLPClassifier, squared weights stand beside the sum of losses. It is divided by the
            # weight that a batch of this size has on the average, so that one of light samples counts less.
            total = dt.placeholder(dtype, [], name="total")
            kernels = [one for one in dt.trainable_variables() if len(one.shape.dims) > 1]
            penalty = sum((dt.reduce_sum(dt.square(one)) for one in kernels), dt.zeros([], dtype))
            loss = (dt.reduce_sum(weights * each) + 0.5 * alpha * penalty) / total
            loss = dt.identity(loss + dt.cast(dt.losses.get_regularization_loss(), dtype), name="loss")
            rate = dt.placeholder(dtype, [], name="learning_rate")
            optimizer, step = self._optimizer(rate)
            optimizer.minimize(loss, global_step=step, name="train")
            dt.variables_initializer(dt.global_variables(), name="initializers")
        return graph

    def _outputs(self, inputs: Tensor, training: Tensor) -> Tensor:
        if self.components is not None:
            return self._reconstruction(inputs, training)
        if self.network is None:
            return dense_network(
                inputs,
                self.hidden_layer_sizes,
                self.outputs,
                activation=self.activation,
                dropout=self.dropout,
                batch_norm=self.batch_norm,
                training=training,
                name="network",
            )
        with dt.variable_scope("network"):
            hidden = self._applied(inputs, training)
            if not isinstance(hidden, Tensor) or not hidden.dtype.is_floating:
                raise InvalidArgumentError(
                    f"network gave {hidden!r}; it must return one floating tensor, to which the estimator adds a dense "
                    "layer of outputs."
                )
            return dense_network(hidden, (), self.outputs, name="outputs")

    def _reconstruction(self, inputs: Tensor, training: Tensor) -> Tensor:
        noisy = inputs
        if self.noise:
            noisy = dt.layers.gaussian_noise(inputs, self.noise, training=training)
        if self.network is None:
            made: Any = autoencoder(
                noisy,
                (*self.hidden_layer_sizes, self.components or 0),
                activation=self.activation,
                output_activation=self.output_activation,
                dropout=self.dropout,
                batch_norm=self.batch_norm,
                training=training,
                name="network",
            )
        else:
            with dt.variable_scope("network"):
                made = self._applied(noisy, training)
        if not isinstance(made, tuple) or len(made) != 2 or not all(isinstance(one, Tensor) for one in made):
            raise InvalidArgumentError(
                f"network gave {made!r}; that of a transformer must return two tensors, the code and the "
                "reconstruction."
            )
        code, reconstruction = made
        if code.shape.dims[1:] != (self.components,) or reconstruction.shape.dims[1:] != inputs.shape.dims[1:]:
            raise ShapeError(
                f"network gave {code.type} and {reconstruction.type}; the code must have the shape [batch, "
                f"{self.components}], as n_components says, and the reconstruction that of the inputs, {inputs.shape}."
            )
        dt.add_to_collection(CODE, code)
        restored: Tensor = reconstruction
        return restored

    def _applied(self, inputs: Tensor, training: Tensor) -> Any:
        network = self.network
        if isinstance(network, Layer):
            if network.built:
                raise InvalidArgumentError(
                    f"network is the layer {network!r}, which was called in another graph; give one that was not."
                )
            return copy.deepcopy(network)(inputs, training=training)
        return network(inputs, training=training) if _takes_training(network) else network(inputs)

    def _optimizer(self, rate: Tensor) -> tuple[Optimizer, Any]:
        given = self.optimizer
        if isinstance(given, str):
            return _by_name(given, rate), None
        if isinstance(given, Optimizer):
            return copy.deepcopy(given), None
        step = dt.train.get_or_create_global_step()
        made = given(step)
        if not isinstance(made, Optimizer):
            raise InvalidArgumentError(
                f"optimizer is a function that gave {made!r}; let it return an optimizer, such as "
                "dt.train.AdamOptimizer(0.001)."
            )
        return made, step


def _takes_training(network: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(network).parameters.values()
    except (TypeError, ValueError):  # what is written in C need not have one
        return False
    return any(one.name == "training" or one.kind is one.VAR_KEYWORD for one in parameters)


def _by_name(name: str, rate: Tensor) -> Optimizer:
    found: Any = plugin("dovetail.optimizers", check_optimizer(name, "optimizer"))
    try:
        made: Optimizer = found(rate)
    except ConfigurationError as error:
        raise InvalidArgumentError(
            f"optimizer {name!r} cannot be made from a learning rate alone: {error} Give an object, as "
            f"optimizer=dt.train.{found.__name__}(...)."
        ) from error
    return made
