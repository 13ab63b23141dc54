"""What every layer keeps: configuration, weights and their names, sharing, sub-layers, records, and errors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    AlreadyExistsError,
    DTypeError,
    FormatError,
    GraphError,
    InvalidArgumentError,
    LayerError,
    NotFoundError,
    PluginNotFoundError,
    ShapeError,
)
from dovetail.extend import (
    Initializer,
    InitializerLike,
    Layer,
    TensorType,
    Training,
    graph_from_data,
    graph_to_data,
)


class Scale(Layer):
    """A factor for each entry of the last axis, and a counter of training calls.

    Args:
        start: the first factor.
        axes: for the tests of configurations.
    """

    start: float = 1.0
    axes: tuple[int, ...] = ()
    initializer: InitializerLike = None

    least_rank = 1

    def build(self, x: TensorType) -> None:
        first = dt.constant_initializer(self.start) if self.initializer is None else self.initializer
        self.factor = self.weight("factor", x.shape[-1:], first)
        self.calls = self.weight("calls", [], dt.zeros_initializer(), trainable=False)

    def call(self, x: dt.Tensor, training: Training = False) -> dt.Tensor:
        if training is True:
            self.update(self.calls, self.calls + 1.0)
        return x * self.factor


class Pair(Layer):
    """Two sub-layers as fields, and more in a tuple."""

    first: Layer = Scale(2.0)
    second: Layer = Scale(3.0)
    more: tuple[Layer, ...] = ()

    def call(self, x: dt.Tensor, training: Training = False) -> tuple[dt.Tensor, dt.Tensor]:
        left, right = self.first(x, training=training), self.second(x)
        for layer in self.more:
            right = layer(right)
        return left, right


class Mix(Layer):
    """Two inputs."""

    share: float = 0.5

    def call(self, left: dt.Tensor, right: dt.Tensor) -> dt.Tensor:
        return left * self.share + right * (1.0 - self.share)


class Total(Layer):
    """Any number of inputs."""

    factor: float = 1.0

    def call(self, *inputs: dt.Tensor) -> dt.Tensor:
        return dt.add_n(list(inputs)) * self.factor


def scaled(x: dt.Tensor) -> dt.Tensor:
    """An activation that a module defines."""
    return x * 2.0


def evaluate(*fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found = session.run(list(fetches), feeds)
    return found[0] if len(fetches) == 1 else found


# Configuration. ------------------------------------------------------------------------------------------------


def test_fields_are_the_configuration() -> None:
    layer = Scale(2, axes=[1, np.int64(2)], name="mine")
    assert (layer.start, layer.axes, layer.trainable, layer.name) == (2, (1, 2), True, "mine")
    assert type(layer.axes[1]) is int
    assert repr(layer) == "Scale(name='mine', start=2, axes=(1, 2))"
    assert str(inspect.signature(Scale)) == (
        "(start: 'float' = 1.0, axes: 'tuple[int, ...]' = (), initializer: 'InitializerLike' = None, *, "
        "trainable: 'bool' = True, name: 'str | None' = None)"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Scale(2.5, axes=(1, 2), initializer=dt.initializers.random_normal(0.0, 0.1), trainable=False, name="a"),
        lambda: Pair(Scale(4.0), more=[Scale(5.0), Mix(0.25)]),
        lambda: dt.layers.Dense(3, activation=dt.nn.relu, kernel_regularizer=dt.layers.l2_regularizer(0.1)),
        lambda: dt.layers.Dense(3, activation=scaled, kernel_initializer=dt.glorot_normal_initializer(seed=3)),
        lambda: dt.layers.Dense(3, kernel_initializer=dt.zeros_initializer),
        lambda: dt.layers.Dense(3, kernel_initializer=dt.constant_initializer(np.arange(6.0).reshape(2, 3))),
        lambda: dt.layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="tanh"),
        lambda: dt.layers.MaxPooling2D(2, (2, 1)),
        lambda: dt.layers.AveragePooling2D((3, 3), 2, "same"),
        lambda: dt.layers.Flatten(),
        lambda: dt.layers.Dropout(0.25, noise_shape=(None, 1), seed=4),
        lambda: dt.layers.BatchNormalization(axis=1, momentum=0.9, center=False),
        lambda: dt.layers.Activation("softmax"),
        lambda: dt.layers.Dense(3, activation=dt.nn.gelu),
        lambda: dt.layers.GlobalAveragePooling2D("channels_first", keepdims=True),
        lambda: dt.layers.LayerNormalization((-2, -1), 1e-5, center=False),
        lambda: dt.layers.Embedding(10, 4, dtype=dt.float64),
        lambda: dt.layers.LSTM(4, return_sequences=True, forget_bias=0.0, kernel_initializer="zeros"),
        lambda: dt.layers.GRU(4, True, True, time_major=True),
        lambda: dt.layers.SimpleRNN(4, activation="relu", reverse=True),
        lambda: dt.layers.MultiHeadAttention(4, key_size=8, causal=True, dropout=0.1),
        lambda: dt.layers.Sequential([dt.layers.Flatten(), dt.layers.Dense(4), "relu", dt.layers.Sequential()]),
    ],
)
def test_the_configuration_makes_the_round_trip_through_json(make: Callable[[], Layer]) -> None:
    layer = make()
    data = json.loads(json.dumps(layer.get_config(), allow_nan=False))
    again = type(layer).from_config(data)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert not again.built


def test_functions_are_named_as_users_name_them() -> None:
    assert dt.layers.Dense(3, activation=dt.nn.relu).get_config()["activation"] == "relu"
    assert dt.layers.Dense(3, activation=dt.tanh).get_config()["activation"] == "tanh"
    assert dt.layers.Dense(3, activation=scaled).get_config()["activation"] == {"function": f"{__name__}:scaled"}
    data = dt.layers.Dense(3, activation=lambda x: x).get_config()
    with pytest.raises(FormatError, match="the function .*<lambda>' is not known here.*define it in a module"):
        dt.layers.Dense.from_config(data)


def test_a_configuration_reaches_no_other_code() -> None:
    for name in ("os:system", "builtins:eval", f"{__name__}:json.dumps", f"{__name__}:dt.tanh"):
        data = {**dt.layers.Dense(3).get_config(), "activation": {"function": name}}
        with pytest.raises(FormatError, match=f"the function '{name}' is not known here"):
            dt.layers.Dense.from_config(data)
    for name in ("subprocess:Popen", "some_package:Layer"):
        data = {**dt.layers.Dense(3).get_config(), "kernel_initializer": {"class": name, "config": {}}}
        with pytest.raises(FormatError, match=f"the class '{name}' is not known here. Import the module"):
            dt.layers.Dense.from_config(data)


def test_wrong_configurations_say_what_is_wrong() -> None:
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: Scale(begin=1.0), r"Scale has no argument 'begin'; it has .*start"),
        (lambda: Scale(strat=1.0), "Scale has no argument 'strat'; did you mean 'start'"),
        (lambda: Scale("a"), "Scale.start is 'a', a str; float is expected"),
        (lambda: Scale(True), "Scale.start is True, a bool; float is expected"),
        (lambda: Scale(axes=(1, "a")), r"Scale.axes is \(1, 'a'\), a tuple; tuple\[int, ...\] is expected"),
        (
            lambda: Scale(1.0, (), None, 5),
            r"Scale takes 3 positional arguments \(start, axes, initializer\); 4 were given",
        ),
        (lambda: Scale(1.0, start=2.0), "'start' is given twice"),
        (lambda: Scale(initializer=object()), "Scale.initializer is .*, a object, which no file could keep"),
        (lambda: dt.layers.Dense(), r"Dense needs 'units' \(int\)"),
        (lambda: dt.layers.Dense(2.5), "Dense.units is 2.5, a float; int is expected"),
        (lambda: dt.layers.Conv2D(3, (1, 2.5)), r"Conv2D.kernel_size is \(1, 2.5\), a tuple"),
        (lambda: dt.layers.Sequential([3]), "sequential: 3 is a int; give layers"),
        (lambda: dt.layers.Sequential([dt.layers.Dense]), "Dense.* is a type; give layers"),
    ]
    for make, message in wrong:
        with pytest.raises(LayerError, match=message):
            make()
    values: list[tuple[Callable[[], Any], str]] = [
        (lambda: dt.layers.Dense(0), "dense: units is 0; it must be positive"),
        (lambda: dt.layers.Conv2D(3, (1, 2, 3)), r"kernel_size is \(1, 2, 3\); give one number, or one for each of 2"),
        (lambda: dt.layers.Conv2D(4, 0), "conv2d: kernel_size is 0; use 1 or more"),
        (lambda: dt.layers.Conv2D(4, 3, padding="full"), "conv2d: padding is 'full'; use 'valid' or 'same'"),
        (lambda: dt.layers.MaxPooling2D(2, 2, data_format="NHWC"), "max_pooling2d: data_format is 'NHWC'"),
        (lambda: dt.layers.Dropout(1.0), "dropout: rate is 1; it must be at least 0 and less than 1"),
        (lambda: dt.layers.BatchNormalization(momentum=2.0), "momentum is 2; it must be from 0 to 1"),
        (lambda: dt.layers.LayerNormalization(()), "layer_normalization: axis is empty"),
        (lambda: dt.layers.LayerNormalization(epsilon=-1.0), "epsilon is -1; it must not be negative"),
        (lambda: dt.layers.Embedding(0, 3), "embedding: input_dim is 0; it must be positive"),
        (lambda: dt.layers.LSTM(0), "lstm: units is 0; it must be positive"),
        (
            lambda: dt.layers.SimpleRNN(3, dropout=1.0),
            "simple_rnn: dropout is 1; it must be at least 0 and less than 1",
        ),
        (lambda: dt.layers.MultiHeadAttention(2, key_size=0), "multi_head_attention: key_size is 0; it must be posit"),
        (lambda: dt.layers.MultiHeadAttention(2, dropout=1.0), "dropout is 1; it must be at least 0 and less than 1"),
        (lambda: dt.layers.l2_regularizer(-1.0), "l2_regularizer: scale is -1; it must not be negative"),
    ]
    for make, message in values:
        with pytest.raises(InvalidArgumentError, match=message):
            make()
    with pytest.raises(PluginNotFoundError, match="dovetail.nn has no 'rleu'. Did you mean 'relu'"):
        dt.layers.Dense(3, activation="rleu")
    with pytest.raises(PluginNotFoundError, match="dovetail.layers has no 'dnse'. Did you mean 'dense'"):
        _ = dt.layers.dnse


def test_a_class_that_breaks_the_contract() -> None:
    with pytest.raises(LayerError, match="defines __init__; declare its configuration as annotated fields"):

        class WithInit(Layer):
            def __init__(self) -> None:
                pass

    with pytest.raises(LayerError, match="second has no default but follows 'first', which has one"):

        class Disordered(Layer):
            first: int = 1
            second: int

    class Silent(Layer):
        def call(self, x: dt.Tensor) -> None:
            return

    with pytest.raises(
        LayerError, match=r'silent: call\(\) returned None; return a tensor.*layer "silent" called at .*py:\d+'
    ):
        Silent()(dt.ones([2]))

    class Missing(Layer):
        pass

    with pytest.raises(LayerError, match=r"Missing does not define call\(self, inputs\)"):
        Missing()(dt.ones([2]))

    class Late(Layer):
        def call(self, x: dt.Tensor) -> dt.Tensor:
            return x + self.weight("late", [])

    with pytest.raises(LayerError, match=r"weight\('late'\) was asked for outside build\(\)"):
        Late()(dt.ones([2]))


# Weights. ------------------------------------------------------------------------------------------------------


def test_weights_are_named_as_in_tensorflow_1() -> None:
    x = dt.ones([2, 6, 6, 3])
    y = dt.layers.conv2d(x, 4, 3)
    y = dt.layers.batch_normalization(y)
    y = dt.layers.conv2d(y, 4, 3)
    y = dt.layers.flatten(y)
    y = dt.layers.dense(y, 5)
    y = dt.layers.dense(y, 5, name="scores")
    with dt.variable_scope("head"):
        dt.layers.dense(y, 5)
    assert [variable.name for variable in dt.global_variables()] == [
        "conv2d/kernel:0",
        "conv2d/bias:0",
        "batch_normalization/gamma:0",
        "batch_normalization/beta:0",
        "batch_normalization/moving_mean:0",
        "batch_normalization/moving_variance:0",
        "conv2d_1/kernel:0",
        "conv2d_1/bias:0",
        "dense/kernel:0",
        "dense/bias:0",
        "scores/kernel:0",
        "scores/bias:0",
        "head/dense/kernel:0",
        "head/dense/bias:0",
    ]
    assert y.op.name == "scores/BiasAdd"
    assert [v.name for v in dt.trainable_variables()] == [
        v.name for v in dt.global_variables() if "moving" not in v.name
    ]


def test_an_instance_called_twice_shares_its_weights() -> None:
    layer = Scale(3.0)
    first, second = layer(dt.ones([2, 4])), layer(dt.ones([4]) * 2.0)
    assert (first.op.name, second.op.name) == ("scale/mul", "scale_1/mul")
    assert [weight.op.name for weight in layer.weights] == ["scale/factor", "scale/calls"]
    assert dt.global_variables() == layer.weights
    left, right = evaluate(first, second)
    np.testing.assert_array_equal(left, np.full((2, 4), 3.0))
    np.testing.assert_array_equal(right, np.full(4, 6.0))


def test_the_function_makes_new_weights_each_time_and_shares_them_by_name() -> None:
    x = dt.ones([2, 3])
    dt.layers.dense(x, 4)
    dt.layers.dense(x, 4)
    assert len(dt.global_variables()) == 4
    dt.layers.dense(x, 4, name="dense", reuse=True)
    dt.layers.dense(x, 4, name="other", reuse=dt.AUTO_REUSE)
    dt.layers.dense(x, 4, name="other", reuse=dt.AUTO_REUSE)
    assert len(dt.global_variables()) == 6
    with pytest.raises(
        AlreadyExistsError, match='variable "other/kernel" already exists, made at .*test_layer_contract.py'
    ):
        dt.layers.dense(x, 4, name="other")
    with pytest.raises(NotFoundError, match='variable "third/kernel" does not exist'):
        dt.layers.dense(x, 4, name="third", reuse=True)
    with pytest.raises(
        InvalidArgumentError, match=r"dense: reuse=True needs name=.*called at .*test_layer_contract.py"
    ):
        dt.layers.dense(x, 4, reuse=True)
    with pytest.raises(ShapeError, match=r'variable "dense/kernel" exists with shape \[3, 4\]'):
        dt.layers.dense(x, 5, name="dense", reuse=True)


def test_a_network_shares_its_weights_by_its_variable_scope() -> None:
    def network(x: dt.Tensor, reuse: Any) -> dt.Tensor:
        with dt.variable_scope("network", reuse=reuse):
            return dt.layers.dense(dt.layers.dense(x, 4), 2)

    network(dt.ones([1, 3]), None)
    network(dt.ones([5, 3]), True)
    network(dt.ones([5, 3]), dt.AUTO_REUSE)
    assert [v.op.name for v in dt.global_variables()] == [
        "network/dense/kernel",
        "network/dense/bias",
        "network/dense_1/kernel",
        "network/dense_1/bias",
    ]


def test_sublayers_stand_under_the_layer_around() -> None:
    net = Pair(more=[Scale(1.0), Scale(1.0, name="last")], name="net")
    net(dt.ones([3]), training=True)
    assert [weight.op.name for weight in net.weights] == [
        f"net/{layer}/{weight}" for layer in ("first", "second", "scale", "last") for weight in ("factor", "calls")
    ]
    assert net.sublayers == (net.first, net.second, *net.more)
    assert [w.op.name for w in net.trainable_weights] == [
        f"net/{one}/factor" for one in ("first", "second", "scale", "last")
    ]
    assert len(net.non_trainable_weights) == 4
    assert [op.name for op in net.updates] == ["net/first/update_calls"]
    net(dt.ones([3]))
    assert len(dt.global_variables()) == 8
    assert (net.built, net.scope_name) == (True, "net")


class Around(Layer):
    """Uses a weight of the layer that it holds."""

    held: Layer = Scale(2.0)

    def build(self, x: TensorType) -> None:
        self.held.make_weights(x)
        self.factor: dt.Variable = self.held.factor  # type: ignore[attr-defined]

    def call(self, x: dt.Tensor) -> dt.Tensor:
        result: dt.Tensor = self.held(x) * self.factor
        return result


def test_weights_made_before_the_first_call() -> None:
    layer = Around(name="around")
    y = layer(dt.ones([1, 2]))
    assert [weight.op.name for weight in layer.weights] == ["around/held/factor", "around/held/calls"]
    assert evaluate(y).tolist() == [[4.0, 4.0]]
    assert len(dt.get_default_graph().layer_calls) == 2
    alone = Scale(3.0)
    alone.make_weights(TensorType(dt.float32, dt.Shape([dt.Symbol("batch"), 2])))
    assert alone.scope_name == "scale"
    assert evaluate(alone(dt.ones([1, 2]))).tolist() == [[3.0, 3.0]]
    with pytest.raises(ShapeError, match='the weight "factor" would have shape .*of which a size is not known'):
        Scale().make_weights(TensorType(dt.float32, dt.Shape([2, dt.Symbol("size")])))


def test_two_instances_share_no_default_sublayer() -> None:
    one, other = Pair(), Pair()
    assert one.first is not other.first
    one(dt.ones([3]))
    other(dt.ones([3]))
    assert [v.op.name for v in one.trainable_weights] == ["pair/first/factor", "pair/second/factor"]
    assert [v.op.name for v in other.trainable_weights] == ["pair_1/first/factor", "pair_1/second/factor"]


def test_layers_called_by_function_within_a_layer_are_shared_with_it() -> None:
    class Block(Layer):
        def call(self, x: dt.Tensor) -> dt.Tensor:
            return dt.layers.dense(dt.layers.dense(x, 4), 2)

    block = Block()
    block(dt.ones([1, 3]))
    block(dt.ones([2, 3]))
    assert [w.op.name for w in block.weights] == [
        f"block/{one}/{w}" for one in ("dense", "dense_1") for w in ("kernel", "bias")
    ]
    assert len(dt.global_variables()) == 4


def test_what_is_not_trainable_stays_so_within() -> None:
    Pair(trainable=False)(dt.ones([3]))
    dt.layers.dense(dt.ones([1, 3]), 2, trainable=False)
    assert dt.trainable_variables() == []
    assert len(dt.global_variables()) == 6


def test_weights_take_the_dtype_of_the_input() -> None:
    assert dt.layers.dense(dt.ones([1, 3], dt.float64), 2).dtype is dt.float64
    assert {v.dtype for v in dt.global_variables()} == {dt.float64}
    layer = dt.layers.BatchNormalization()
    assert layer(dt.ones([4, 3], dt.float16), training=True).dtype is dt.float16
    assert {w.dtype for w in layer.weights} == {dt.float32}


def test_regularizers_give_losses() -> None:
    layer = dt.layers.Dense(
        2, kernel_initializer="ones", kernel_regularizer=dt.layers.l2_regularizer(0.5), bias_regularizer=dt.reduce_sum
    )
    net = dt.layers.Sequential([layer])
    net(dt.ones([1, 3]))
    net(dt.ones([1, 3]))
    assert net.losses == layer.losses == dt.losses.get_regularization_losses()
    assert evaluate(net.losses) == [1.5, 0.0]
    assert dt.layers.l1_regularizer(2.0)(dt.constant([1.0, -2.0])).eval(session=dt.Session()) == 6.0


def test_initializers_by_object_class_name_and_function() -> None:
    x = dt.ones([1, 2])
    for initializer in (dt.ones_initializer(), dt.ones_initializer, "ones", lambda shape, dtype: dt.ones(shape, dtype)):
        np.testing.assert_array_equal(
            evaluate(dt.layers.dense(x, 3, kernel_initializer=initializer)), [[2.0, 2.0, 2.0]]
        )
    with pytest.raises(PluginNotFoundError, match="dovetail.initializers has no 'oens'. Did you mean 'ones'"):
        dt.layers.dense(x, 3, kernel_initializer="oens")


# Calls. --------------------------------------------------------------------------------------------------------


def test_several_inputs_and_outputs() -> None:
    left, right = Pair()(dt.ones([2]))
    np.testing.assert_array_equal(evaluate(Mix(0.25)(left, right)), [2.75, 2.75])
    np.testing.assert_array_equal(evaluate(Total(2.0)(left, right, [1.0, 2.0])), [12.0, 14.0])
    with pytest.raises(LayerError, match=r'mix takes 2 inputs \(left, right\); 1 were given.*layer "mix.*" called at'):
        Mix()(left)


class Scaled(Layer):
    """A product with an optional scale and an optional shift, each with its own weight."""

    least_rank = 1

    def build(self, x: TensorType, scale: TensorType | None = None, shift: TensorType | None = None) -> None:
        self.found = (x, scale, shift)
        self.bias = self.weight("bias", x.shape[-1:], dt.zeros_initializer())

    def call(self, x: dt.Tensor, scale: dt.Tensor | None = None, shift: dt.Tensor | None = None) -> dt.Tensor:
        scaled = x if scale is None else x * scale
        return scaled + (self.bias if shift is None else shift)


def test_inputs_that_may_be_left_out() -> None:
    x = dt.constant([1.0, 2.0])
    layer = Scaled()
    values = [
        layer(x),
        layer(x, 3.0),
        layer(x, scale=3.0),
        layer(x, None, 1.0),
        layer(x, shift=1.0),
        layer(x, 3.0, shift=1.0),
        Scaled.function()(x, shift=1.0, scale=3.0),
    ]
    expected = [[1.0, 2.0], [3.0, 6.0], [3.0, 6.0], [2.0, 3.0], [2.0, 3.0], [4.0, 7.0], [4.0, 7.0]]
    assert [one.tolist() for one in evaluate(*values)] == expected
    assert layer.found == (x.type, None, None)
    other = Scaled()
    other(x, shift=1.0)
    assert [one if one is None else one.shape.as_list() for one in other.found] == [[2], None, []]
    assert [len(call.inputs) for call in dt.get_default_graph().layer_calls] == [1, 2, 2, 2, 2, 3, 3, 2]
    assert str(inspect.signature(Scaled.function())).endswith(
        "reuse: 'bool | str | None' = None, *, scale: 'Tensor | None' = None, shift: 'Tensor | None' = None)"
    )
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: layer(x, 1.0, 2.0, 3.0), r"scaled takes 1 to 3 inputs \(x, scale, shift\); 4 were given"),
        (lambda: layer(scale=1.0), r"scaled takes 1 to 3 inputs \(x, scale, shift\); 0 were given"),
        (lambda: layer(None, scale=1.0), "scaled: input 0 is None, and may not be left out"),
        (lambda: layer(x, 1.0, scale=2.0), "scaled: 'scale' is given twice, by position and by name"),
        (lambda: layer(x, size=2.0), "scaled has no optional input 'size'; those to give by name are scale, shift"),
        (lambda: Scale()(x, size=2.0), "scale has no optional input 'size'; give inputs by position"),
    ]
    for make, message in wrong:
        with pytest.raises(LayerError, match=message):
            make()


def test_the_function_has_the_signature_of_the_class() -> None:
    assert str(inspect.signature(Mix.function())) == (
        "(left: 'Tensor', right: 'Tensor', share: 'float' = 0.5, trainable: 'bool' = True, name: 'str | None' = None, "
        "reuse: 'bool | str | None' = None)"
    )
    dense = dt.layers.dense
    parameters = list(inspect.signature(dense).parameters)
    assert parameters[:4] == ["inputs", "units", "activation", "use_bias"]
    assert parameters[-3:] == ["trainable", "name", "reuse"]
    assert "training" in inspect.signature(dt.layers.batch_normalization).parameters
    assert (dense.__name__, dense.__module__) == ("dense", "dovetail_layers.dense")
    assert dense.__doc__.startswith("``activation(inputs @ kernel + bias)``")
    assert dense is dt.layers.Dense.function()
    total = Total.function()
    np.testing.assert_array_equal(evaluate(total([1.0], [2.0], factor=3.0)), [9.0])


def test_the_function_takes_inputs_by_name_and_says_what_is_wrong() -> None:
    y = dt.layers.dense(units=3, inputs=dt.ones([1, 2]), name="y")
    assert y.shape == [1, 3]
    with pytest.raises(LayerError, match="dense needs the input 'inputs'"):
        dt.layers.dense(units=3)
    with pytest.raises(LayerError, match="dense: 'units' is given twice"):
        dt.layers.dense(dt.ones([1, 2]), 3, units=3)
    with pytest.raises(LayerError, match="Dense has no argument 'activtion'; did you mean 'activation'"):
        dt.layers.dense(dt.ones([1, 2]), 3, activtion="relu")
    with pytest.raises(LayerError, match="flatten takes 4 arguments by position; 5 were given"):
        dt.layers.flatten(dt.ones([1, 2]), 1, 2, 3, 4)


def test_ranks_dtypes_and_sizes_of_inputs() -> None:
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (
            lambda: dt.layers.conv2d(dt.ones([8, 8]), 3, 3),
            ShapeError,
            r"conv2d: input 0 is float32\[8, 8\], of rank 2; rank 4 is",
        ),
        (
            lambda: dt.layers.dense(dt.ones([8]), 3),
            ShapeError,
            r"dense: input 0 is float32\[8\], of rank 1; rank 2 or more",
        ),
        (
            lambda: dt.layers.dense(dt.ones([8, 2], dt.int32), 3),
            DTypeError,
            r"dense: input 0 is int32\[8, 2\], where a floating",
        ),
        (
            lambda: dt.layers.dense(dt.placeholder(dt.float32, [2, None], name="p"), 3),
            ShapeError,
            r'dense: the weight "kernel" would have shape \[p.1, 3\].*call set_shape',
        ),
        (
            lambda: dt.layers.dense(dt.placeholder(dt.float32), 3),
            ShapeError,
            "dense: an input's rank is not known.*set_shape",
        ),
        (
            lambda: dt.layers.conv2d(dt.ones([1, 2, 2, 1]), 3, 3),
            ShapeError,
            "conv: the window .3. is larger than spatial axis",
        ),
        (lambda: dt.layers.batch_normalization(dt.ones([4, 2]), axis=2), ShapeError, "axis 2 is out of range"),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message) as caught:
            make()
        assert "test_layer_contract.py:" in str(caught.value)


def test_errors_and_nodes_name_the_users_line() -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    y = dt.layers.dense(dt.ones([1, 2]), 3, activation="relu")
    for op in [*dt.get_default_graph().get_operations(), y.op, dt.global_variables()[0].op]:
        assert (op.source.line, op.source.file) == (line, __file__), op.name

    class Broken(Layer):
        def call(self, x: dt.Tensor) -> dt.Tensor:
            return dt.matmul(x, dt.ones([7, 7]))

    line = inspect.currentframe().f_lineno + 2  # type: ignore[union-attr]
    with pytest.raises(ShapeError, match=r'inner dimensions differ.*node "broken/MatMul" made at .*py:') as caught:
        Broken()(dt.ones([1, 2]))
    assert f"test_layer_contract.py:{line})" in str(caught.value)


def test_a_failed_call_leaves_no_record_and_can_be_repeated() -> None:
    layer = Scale()
    with pytest.raises(ShapeError):
        layer(dt.ones([]))
    assert dt.get_default_graph().layer_calls == []
    assert not layer.built
    assert layer(dt.ones([2])).shape == [2]


def test_another_graph() -> None:
    layer, flatten = Scale(), dt.layers.Flatten()
    layer(dt.ones([2]))
    flatten(dt.ones([2, 2]))
    with dt.Graph().as_default():
        assert flatten(dt.ones([3, 2, 2])).shape == [3, 4]
        with pytest.raises(
            GraphError, match="scale made its weights in another graph.*make a new layer.*called at .*py:"
        ):
            layer(dt.ones([2]))


def test_the_flag() -> None:
    x = dt.ones([2])
    for flag in (True, False, 1, 0, np.True_, dt.placeholder(dt.bool, []), dt.Variable(True, trainable=False)):
        Scale()(x, training=flag)
    with pytest.raises(LayerError, match="scale: training is 0.5; give True, False, or a boolean scalar tensor"):
        Scale()(x, training=0.5)
    with pytest.raises(DTypeError, match=r"scale: training is float32\[\]; give True, False, or a boolean scalar"):
        Scale()(x, training=dt.constant(1.0))
    with pytest.raises(DTypeError, match=r"scale: training is bool\[2\]"):
        Scale()(x, training=dt.constant([True, False]))


# Records. ------------------------------------------------------------------------------------------------------


def test_calls_are_remembered() -> None:
    training = dt.placeholder_with_default(False, [], name="training")
    x = dt.ones([2, 3])
    y = dt.layers.dropout(dt.layers.dense(x, 4, activation="relu", name="hidden"), training=training)
    dense, dropout = dt.get_default_graph().layer_calls
    assert (dense.name, dense.layer, dense.distribution) == ("hidden", "dense", "dovetail-layers")
    assert dense.qualified_class == "dovetail_layers.dense:Dense"
    assert dense.config["units"] == 4
    assert dense.inputs == (x,)
    assert dense.outputs == dropout.inputs
    assert dense.outputs[0].op.name == "hidden/Relu"
    assert dense.weights == ("hidden/kernel", "hidden/bias")
    assert (dense.training, dropout.training) == (False, "training:0")
    assert [op.name for op in dense.operations()] == ["hidden/MatMul", "hidden/BiasAdd", "hidden/Relu"]
    assert dropout.outputs == (y,)
    assert all(op.layer is None for variable in dt.global_variables() for op in (variable.op, variable.initializer))


def test_calls_of_sublayers_lie_within() -> None:
    Pair()(dt.ones([3]), training=True)
    outer, first, second = dt.get_default_graph().layer_calls
    assert (outer.parent, first.parent, second.parent) == (None, outer, outer)
    assert [one.name for one in (outer, first, second)] == ["pair", "pair/first", "pair/second"]
    assert outer.distribution == ""
    assert outer.layer == "pair"
    assert outer.weights == ("pair/first/factor", "pair/first/calls", "pair/second/factor", "pair/second/calls")
    assert [op.name for op in first.updates] == ["pair/first/update_calls"]
    assert outer.updates == ()
    assert set(first.operations()) < set(outer.operations())


def test_a_layer_registered_in_the_process_goes_by_its_name() -> None:
    with dt.plugins.registered("layers", "my_scale", Scale):
        dt.layers.my_scale(dt.ones([2]))
    assert dt.get_default_graph().layer_calls[0].layer == "my_scale"


# Initializers of one's own. ------------------------------------------------------------------------------------


class Ramp(Initializer):
    """0, 1, 2, …"""

    step: float = 1.0

    def values(self, shape: Any, dtype: Any) -> dt.Tensor:
        return dt.reshape(dt.cast(dt.range(shape.size), dtype), shape) * self.step


def test_an_initializer_of_ones_own() -> None:
    layer = Scale(initializer=Ramp(2.0))
    np.testing.assert_array_equal(evaluate(layer(dt.ones([3]))), [0.0, 2.0, 4.0])
    again = Scale.from_config(layer.get_config())
    assert again.initializer == Ramp(2.0) != Ramp(1.0)


def test_records_and_updates_make_the_round_trip_through_graph_data() -> None:
    layer = dt.layers.BatchNormalization(momentum=0.5, name="norm")
    y = layer(dt.constant([[1.0], [3.0]]), training=True)
    dt.reduce_sum(y * [[1.0], [2.0]], name="loss")
    data = json.loads(json.dumps(graph_to_data(dt.get_default_graph())))
    with dt.Graph().as_default() as graph:
        graph_from_data(data)
        (call,) = graph.layer_calls
        assert (call.name, call.layer, call.distribution) == ("norm", "batch_normalization", "dovetail-layers")
        assert dt.layers.BatchNormalization.from_config(call.config).get_config() == layer.get_config()
        step = dt.train.GradientDescentOptimizer(0.1).minimize(graph.get_tensor_by_name("loss:0"))
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            session.run(step)
            assert session.run("norm/moving_mean:0") == [1.0]
