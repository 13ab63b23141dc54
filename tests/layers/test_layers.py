"""Each layer and function on its own: shapes, flags, randomness, what is refused. Values stand in "
"test_torch_layers.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, InvalidArgumentError, LayerError, OperationError, ShapeError


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


@pytest.mark.parametrize(
    ("make", "shape", "expected"),
    [
        (lambda x: dt.layers.dense(x, 4), [None, 3], [None, 4]),
        (lambda x: dt.layers.dense(x, 4), [None, 5, 3], [None, 5, 4]),
        (lambda x: dt.layers.conv2d(x, 4, 3), [None, 7, 6, 2], [None, 5, 4, 4]),
        (lambda x: dt.layers.conv2d(x, 4, (3, 1), 2, "same"), [None, 7, 6, 2], [None, 4, 3, 4]),
        (lambda x: dt.layers.conv2d(x, 4, 3, data_format="channels_first"), [None, 2, 7, 6], [None, 4, 5, 4]),
        (lambda x: dt.layers.max_pooling2d(x, 2, 2), [None, 7, 6, 2], [None, 3, 3, 2]),
        (lambda x: dt.layers.max_pooling2d(x, 2, 2, "same"), [None, 7, 6, 2], [None, 4, 3, 2]),
        (
            lambda x: dt.layers.average_pooling2d(x, 3, 2, data_format="channels_first"),
            [None, 2, 7, 7],
            [None, 2, 3, 3],
        ),
        (lambda x: dt.layers.flatten(x), [None, 7, 6, 2], [None, 84]),
        (lambda x: dt.layers.flatten(x), [None], [None, 1]),
        (lambda x: dt.layers.batch_normalization(x, training=True), [None, 7, 6, 2], [None, 7, 6, 2]),
        (lambda x: dt.layers.batch_normalization(x, 1), [None, 2, 7, 6], [None, 2, 7, 6]),
        (lambda x: dt.layers.dropout(x, training=True), [None, 7], [None, 7]),
        (lambda x: dt.layers.activation(x, "softmax"), [None, 7], [None, 7]),
        (lambda x: dt.layers.global_average_pooling2d(x), [None, 7, 6, 2], [None, 2]),
        (lambda x: dt.layers.global_average_pooling2d(x, "channels_first", True), [None, 2, 7, 6], [None, 2, 1, 1]),
        (lambda x: dt.layers.global_max_pooling2d(x), [None, 7, 6, 2], [None, 2]),
        (lambda x: dt.layers.layer_normalization(x), [None, 7, 6], [None, 7, 6]),
        (lambda x: dt.layers.layer_normalization(x, 1, scale=False), [None, 7, 6], [None, 7, 6]),
        (lambda x: dt.layers.lstm(x, 4), [None, 7, 3], [None, 4]),
        (lambda x: dt.layers.gru(x, 4, return_sequences=True), [None, 7, 3], [None, 7, 4]),
        (lambda x: dt.layers.simple_rnn(x, 4, reverse=True), [None, 7, 3], [None, 4]),
        (lambda x: dt.layers.embedding(dt.cast(x, dt.int32), 5, 3), [None, 7], [None, 7, 3]),
        (lambda x: dt.layers.multi_head_attention(x, 2), [None, 7, 4], [None, 7, 4]),
        (lambda x: dt.layers.multi_head_attention(x, 2, 3, 5), [None, 7, 4], [None, 7, 5]),
        (lambda x: dt.layers.sequential(x, [dt.layers.Dense(3), "relu"]), [None, 7], [None, 3]),
    ],
)
@pytest.mark.parametrize("batch", [0, 1, 5])
def test_shapes_with_a_batch_of_any_size(make: Callable[[Any], Any], shape: Any, expected: Any, batch: int) -> None:
    x = dt.placeholder(dt.float32, shape)
    y = make(x)
    assert y.shape.as_list() == expected
    assert y.shape[0] == x.shape[0]
    fed = np.ones([batch if size is None else size for size in shape], np.float32)
    assert run(y, {x: fed}).shape == tuple(batch if size is None else size for size in expected)


def test_the_flatten_layer_of_unknown_rank() -> None:
    x = dt.placeholder(dt.float32)
    assert run(dt.layers.flatten(x), {x: np.ones((2, 3, 4))}).shape == (2, 12)


# Dropout. ------------------------------------------------------------------------------------------------------------


def test_dropout_scales_what_it_keeps() -> None:
    dt.set_random_seed(2)
    y = run(dt.layers.dropout(dt.ones([100, 100]), rate=0.2, training=True))
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1.25)}
    assert (y == 0.0).mean() == pytest.approx(0.2, abs=0.02)
    assert y.mean() == pytest.approx(1.0, abs=0.02)


def test_dropout_does_nothing_in_evaluation() -> None:
    training = dt.placeholder_with_default(False, [])
    x = dt.ones([100])
    y = dt.layers.dropout(x, 0.5, training=training)
    with dt.Session() as session:
        np.testing.assert_array_equal(session.run(y), np.ones(100))
        assert (session.run(y, {training: True}) == 0.0).any()
    assert run(dt.layers.dropout(x)).all()
    assert run(dt.layers.dropout(x, rate=0.0, training=True)).all()


def test_dropout_of_whole_axes() -> None:
    y = run(dt.layers.dropout(dt.ones([50, 7]), 0.5, noise_shape=[None, 1], training=True))
    assert all(len(set(row.tolist())) == 1 for row in y)
    assert len(set(y[:, 0].tolist())) == 2


def test_dropout_is_the_same_for_the_same_seed_and_differs_from_run_to_run() -> None:
    dt.set_random_seed(5)
    y = dt.layers.dropout(dt.ones([200]), 0.5, seed=1, training=True)
    with dt.Session() as one, dt.Session() as other:
        first, second = one.run(y), one.run(y)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(first, other.run(y))
        np.testing.assert_array_equal(second, other.run(y))


def test_the_gradient_of_dropout_is_its_mask() -> None:
    x = dt.ones([50])
    y = dt.nn.dropout(x, keep_prob=0.5)
    value, (gradient,) = run([y, dt.gradients(y, x)])
    np.testing.assert_array_equal(value, gradient)


def test_dropout_by_rate_or_keep_prob() -> None:
    x = dt.ones([1000])
    keep = dt.placeholder(dt.float32, [])
    y = dt.nn.dropout(x, keep)
    assert (run(y, {keep: 0.25}) == 4.0).mean() == pytest.approx(0.25, abs=0.05)
    assert run(y, {keep: 1.0}).all()
    assert (run(dt.nn.dropout(x, rate=keep), {keep: 0.25}) == 0.0).mean() == pytest.approx(0.25, abs=0.05)
    with pytest.raises(InvalidArgumentError, match="give either rate, the probability to drop, or keep_prob"):
        dt.nn.dropout(x)
    with pytest.raises(InvalidArgumentError, match="give either rate"):
        dt.nn.dropout(x, 0.5, rate=0.5)
    with pytest.raises(InvalidArgumentError, match="rate is 1; it must be at least 0 and less than 1"):
        dt.nn.dropout(x, keep_prob=0.0)
    with pytest.raises(DTypeError, match=r"dropout: the input is int32\[2\]"):
        dt.nn.dropout([1, 2], 0.5)


# Batch normalisation. ------------------------------------------------------------------------------------------------


def test_moving_averages_are_renewed_only_when_training() -> None:
    training = dt.placeholder_with_default(False, [])
    layer = dt.layers.BatchNormalization(momentum=0.5)
    x = dt.constant([[1.0], [3.0]])
    layer(x, training=training)
    updates = dt.get_collection(dt.GraphKeys.UPDATE_OPS)
    assert updates == layer.updates
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(updates)
        assert session.run(layer.moving_mean) == [0.0]
        session.run(updates, {training: True})
        assert session.run(layer.moving_mean) == [1.0]
        assert session.run(layer.moving_variance) == [0.5 + 0.5 * 2.0]


def test_evaluation_makes_no_updates() -> None:
    layer = dt.layers.BatchNormalization()
    layer(dt.ones([2, 3]))
    assert layer.updates == dt.get_collection(dt.GraphKeys.UPDATE_OPS) == []


def test_normalisation_along_another_axis(rng: np.random.Generator) -> None:
    x = rng.normal(3.0, 2.0, (4, 3, 5))
    first = dt.layers.batch_normalization(x, axis=1, training=True, epsilon=0.0)
    last = dt.layers.batch_normalization(x.transpose(0, 2, 1), training=True, epsilon=0.0)
    one, other = run([first, last])
    np.testing.assert_allclose(one, other.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose(one.mean((0, 2)), 0.0, atol=1e-12)
    np.testing.assert_allclose(one.std((0, 2)), 1.0, atol=1e-12)


def test_normalisation_without_centre_or_scale() -> None:
    assert [w.op.name for w in _weights(center=False)] == ["b/gamma", "b/moving_mean", "b/moving_variance"]
    dt.reset_default_graph()
    assert [w.op.name for w in _weights(scale=False)] == ["b/beta", "b/moving_mean", "b/moving_variance"]


def _weights(**options: bool) -> list[dt.Variable]:
    layer = dt.layers.BatchNormalization(name="b", **options)
    assert run(layer(dt.ones([4, 2]), training=True)).tolist() == np.zeros((4, 2)).tolist()
    return layer.weights


def test_a_batch_of_one_does_not_divide_by_zero() -> None:
    layer = dt.layers.BatchNormalization(momentum=0.0)
    layer(dt.constant([[2.0, 3.0]]), training=True)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(layer.updates)
        assert session.run(layer.moving_variance).tolist() == [0.0, 0.0]
        assert session.run(layer.moving_mean).tolist() == [2.0, 3.0]


def test_a_layer_called_for_training_and_for_evaluation_shares_its_averages() -> None:
    def network(x: dt.Tensor, training: bool) -> dt.Tensor:
        with dt.variable_scope("net", reuse=dt.AUTO_REUSE):
            return dt.layers.batch_normalization(x, momentum=0.0, epsilon=0.0, training=training)

    x = dt.constant([[1.0], [3.0]])
    trained, evaluated = network(x, True), network(x, False)
    step = dt.train.GradientDescentOptimizer(0.0).minimize(dt.reduce_sum(trained))
    assert len(dt.global_variables()) == 4
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(evaluated).tolist() == [[1.0], [3.0]]
        session.run(step)
        np.testing.assert_allclose(session.run(evaluated), np.array([[-1.0], [1.0]]) / np.sqrt(2.0), rtol=1e-6)


def test_normalisation_within_a_branch_renews_its_averages_there() -> None:
    flag, x = dt.placeholder(dt.bool, []), dt.constant([[1.0], [3.0]])
    layer = dt.layers.BatchNormalization(momentum=0.5)
    y = dt.cond(flag, lambda: layer(x, training=True), lambda: x)
    step = dt.train.GradientDescentOptimizer(0.1).minimize(dt.reduce_sum(y * y))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(step, {flag: False})
        assert session.run(layer.moving_mean) == [0.0]
        session.run(step, {flag: True})
        assert session.run(layer.moving_mean) == [1.0]


# Sequential. ---------------------------------------------------------------------------------------------------------


def test_a_sequential_of_layers_functions_and_names() -> None:
    net = dt.layers.Sequential([dt.layers.Flatten(), dt.layers.Dense(4, name="hidden")], name="net")
    net.add("relu")
    net.add(lambda x: x + 1.0)
    net.add(dt.layers.Sequential([dt.layers.Dense(2), dt.layers.Dropout(0.5)]))
    training = dt.placeholder_with_default(False, [])
    y = net(dt.ones([3, 2, 2]), training=training)
    assert y.shape == [3, 2]
    assert [w.op.name for w in net.weights] == [
        "net/hidden/kernel",
        "net/hidden/bias",
        "net/sequential/dense/kernel",
        "net/sequential/dense/bias",
    ]
    assert run(y, {training: True}).shape == (3, 2)
    with pytest.raises(LayerError, match='a layer was added after "net" was first called'):
        net.add(dt.layers.Dense(1))


def test_a_sequential_passes_several_outputs_on() -> None:
    class Halves(dt.layers.Dense.__mro__[1]):  # type: ignore[misc]
        def call(self, x: dt.Tensor) -> tuple[dt.Tensor, ...]:
            return tuple(dt.split(x, 2, axis=-1))

    class Sum(dt.layers.Dense.__mro__[1]):  # type: ignore[misc]
        def call(self, left: dt.Tensor, right: dt.Tensor) -> dt.Tensor:
            return left + right

    assert run(dt.layers.Sequential([Halves(), Sum()])(dt.constant([[1.0, 2.0, 3.0, 4.0]]))).tolist() == [[4.0, 6.0]]
    assert run(dt.layers.Sequential()(dt.constant([1.0]))).tolist() == [1.0]


# Functions of networks. ----------------------------------------------------------------------------------------------


def test_images_of_the_other_layout(rng: np.random.Generator) -> None:
    x, kernel = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 2, 3, 4))
    first = x.transpose(0, 3, 1, 2)
    pairs = [
        (
            dt.nn.conv2d(x, kernel, [1, 2, 1, 1], "SAME", dilations=[1, 1, 2, 1]),
            dt.nn.conv2d(first, kernel, [1, 1, 2, 1], "SAME", data_format="NCHW", dilations=[1, 1, 1, 2]),
        ),
        (
            dt.nn.conv2d(x, kernel, 1, [[0, 0], [1, 0], [0, 2], [0, 0]]),
            dt.nn.conv2d(first, kernel, 1, [[0, 0], [0, 0], [1, 0], [0, 2]], data_format="NCHW"),
        ),
        (
            dt.nn.max_pool(x, [1, 2, 3, 1], [1, 1, 2, 1], "SAME"),
            dt.nn.max_pool(first, [1, 1, 2, 3], [1, 1, 1, 2], "SAME", data_format="NCHW"),
        ),
        (dt.nn.avg_pool(x, 2, padding="VALID"), dt.nn.avg_pool(first, (2, 2), data_format="NCHW")),
        (dt.nn.bias_add(x, [1.0, 2.0, 3.0]), dt.nn.bias_add(first, [1.0, 2.0, 3.0], "NCHW")),
    ]
    for one, other in run(pairs):
        np.testing.assert_allclose(one, other.transpose(0, 2, 3, 1), rtol=1e-12)


def test_moments_and_normalisation(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3))
    mean, variance = run(dt.nn.moments(x, [0]))
    np.testing.assert_allclose(mean, x.mean(0))
    np.testing.assert_allclose(variance, x.var(0))
    mean, variance = run(dt.nn.moments(x, 1, keep_dims=True))
    assert mean.shape == variance.shape == (4, 1)
    found = run(dt.nn.batch_normalization(x, x.mean(0), x.var(0), None, [2.0, 2.0, 2.0], 0.1))
    np.testing.assert_allclose(found, 2.0 * (x - x.mean(0)) / np.sqrt(x.var(0) + 0.1))
    np.testing.assert_allclose(np.linalg.norm(run(dt.nn.l2_normalize(x, 1)), axis=1), 1.0)
    assert run(dt.nn.l2_loss([3.0, 4.0])) == 12.5


def test_softmax_stays_finite_far_from_zero() -> None:
    for scores in ([1000.0, 0.0], [-1000.0, -1000.0], [1e38, -1e38]):
        assert np.isfinite(run(dt.nn.softmax(scores))).all()
        assert np.isfinite(run(dt.nn.softmax_cross_entropy_with_logits_v2([0.5, 0.5], scores)))
    assert run(dt.nn.log_softmax([1000.0, 0.0])).tolist() == [0.0, -1000.0]
    with pytest.raises(InvalidArgumentError, match="axis and dim are both given"):
        dt.nn.softmax([1.0], axis=0, dim=0)


def test_a_label_that_is_no_class_gives_nan() -> None:
    labels = dt.placeholder(dt.int32, [None])
    losses = dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=dt.zeros([3, 2]))
    found = run(losses, {labels: [0, 2, -1]})
    assert np.isnan(found).tolist() == [False, True, True]


def test_labels_take_no_gradient_except_in_version_2() -> None:
    labels, scores = dt.constant([[0.5, 0.5]]), dt.constant([[1.0, 2.0]])
    first = dt.nn.softmax_cross_entropy_with_logits(labels=labels, logits=scores)
    second = dt.nn.softmax_cross_entropy_with_logits_v2(labels, scores)
    assert dt.gradients(first, labels) == [None]
    assert dt.gradients(second, labels)[0].shape == [1, 2]


@pytest.mark.parametrize("name", ["elu", "softplus", "softsign", "selu"])
def test_activations_are_smooth_at_zero(name: str) -> None:
    x = dt.constant([0.0, 1e-9, -1e-9], dt.float64)
    (slope,) = dt.gradients(getattr(dt.nn, name)(x), x)
    found = run(slope)
    if name != "selu":
        np.testing.assert_allclose(found, found[0], rtol=1e-6)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "name",
    [
        "relu", "relu6", "elu", "selu", "leaky_relu", "softplus", "softsign", "tanh", "sigmoid", "gelu", "swish",
        "hard_sigmoid",
    ],
)  # fmt: skip
def test_activations_keep_nan_and_do_not_overflow(name: str) -> None:
    function = getattr(dt.nn, name)
    assert np.isnan(run(function([np.nan])))
    x = dt.constant([1e4, -1e4])
    y = function(x)
    assert np.isfinite(run([y, dt.gradients(y, x)[0]])).all()
    if name != "relu":
        with pytest.raises(DTypeError, match="floating"):
            function([1, 2])


def test_what_does_not_fit() -> None:
    image = dt.ones([1, 4, 4, 2])
    wrong: list[tuple[Callable[[], Any], type[DovetailError], str]] = [
        (lambda: dt.nn.conv2d(image), InvalidArgumentError, "conv2d: give the filter"),
        (
            lambda: dt.nn.conv2d(image, dt.ones([3, 3, 3, 1]), 1),
            ShapeError,
            "channels differ.*2 channels.*filter takes 3",
        ),
        (
            lambda: dt.nn.conv2d(image, dt.ones([3, 3, 2, 1]), [2, 1, 1, 1]),
            InvalidArgumentError,
            "along batch and channels",
        ),
        (lambda: dt.nn.conv2d(image, dt.ones([3, 3, 2, 1]), [1, 1, 1]), ShapeError, "give an int, two of them, or one"),
        (lambda: dt.nn.conv2d(image, dt.ones([3, 3, 2, 1]), 1, "FULL"), InvalidArgumentError, "padding is 'FULL'"),
        (lambda: dt.nn.max_pool(image, 2, data_format="NHCW"), InvalidArgumentError, "data_format is 'NHCW'"),
        (lambda: dt.nn.max_pool(ksize=2), InvalidArgumentError, "max_pool: give the images"),
        (lambda: dt.nn.bias_add(image, [1.0]), ShapeError, r"with 2 channels, the bias float32\[1\]"),
        (lambda: dt.nn.bias_add(image, [[1.0]]), ShapeError, r"the bias is float32\[1, 1\]; give a vector"),
        (lambda: dt.nn.bias_add([1.0], [1.0]), ShapeError, "rank 2 or more"),
        (lambda: dt.nn.softmax([1, 2]), DTypeError, r"softmax: the logits are int32\[2\]"),
        (lambda: dt.nn.softmax([1.0], axis=3), ShapeError, "axis 3"),
        (lambda: dt.nn.moments([[1.0]], [2]), ShapeError, "axis 2"),
        (
            lambda: dt.nn.softmax_cross_entropy_with_logits([[1.0]], [[1.0]]),
            InvalidArgumentError,
            "give both by name",
        ),
        (
            lambda: dt.nn.sparse_softmax_cross_entropy_with_logits(labels=[1.0], logits=[[1.0]]),
            DTypeError,
            r"labels are float32\[1\]; give classes as integers",
        ),
        (
            lambda: dt.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0], logits=[[1.0]]),
            ShapeError,
            r"labels are float32\[2\], logits float32\[1, 1\]",
        ),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message) as caught:
            make()
        assert not isinstance(caught.value, OperationError)
