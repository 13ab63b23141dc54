"""What users of scikit-learn do with the estimators: pipelines, searches, weights, frames, going on, stopping early."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DeviceError, InvalidArgumentError, NanLossDuringTrainingError

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Classifier: Any = dt.sklearn.DovetailClassifier
Regressor: Any = dt.sklearn.DovetailRegressor
Transformer: Any = dt.sklearn.DovetailTransformer


@pytest.fixture(scope="module")
def iris() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def quick(**parameters: Any) -> Any:
    return Classifier(**{"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0, **parameters})


def same(one: Any, other: Any, X: Any) -> bool:
    return np.array_equal(one.predict_proba(X), other.predict_proba(X))


# In scikit-learn's tools. --------------------------------------------------------------------------------------------


def test_a_classifier_learns_as_mlp_classifier_does(iris: Any) -> None:
    from sklearn.model_selection import cross_val_score
    from sklearn.neural_network import MLPClassifier

    ours = cross_val_score(Classifier((16,), learning_rate=0.01, max_iter=80, random_state=0), *iris, cv=3)
    theirs = cross_val_score(MLPClassifier((16,), learning_rate_init=0.01, max_iter=80, random_state=0), *iris, cv=3)
    assert ours.mean() > 0.93
    assert abs(ours.mean() - theirs.mean()) < 0.04


def test_a_search_in_two_processes_finds_what_one_process_finds(iris: Any) -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), quick(learning_rate=0.02))
    grid = {"dovetailclassifier__hidden_layer_sizes": [(4,), (8,)], "dovetailclassifier__alpha": [1e-4, 1.0]}
    alone = GridSearchCV(pipeline, grid, cv=2).fit(*iris)
    both = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(*iris)
    np.testing.assert_array_equal(alone.cv_results_["mean_test_score"], both.cv_results_["mean_test_score"])
    assert same(alone.best_estimator_, both.best_estimator_, iris[0])


def test_a_search_in_two_threads_finds_the_same(iris: Any) -> None:
    import joblib
    from sklearn.model_selection import cross_val_score

    alone = cross_val_score(quick(), *iris, cv=4)
    with joblib.parallel_backend("threading", n_jobs=2):
        np.testing.assert_array_equal(cross_val_score(quick(), *iris, cv=4), alone)


def test_fits_of_one_shape_share_a_network_and_others_do_not(iris: Any) -> None:
    first = quick(activation="selu").fit(*iris)
    network = first._network
    assert quick(activation="selu").fit(*iris)._network is not network  # the first one still has it
    expected = first.predict_proba(iris[0])
    del first
    again = quick(activation="selu", alpha=0.5, learning_rate=0.1).fit(iris[0][::2], iris[1][::2] * 2)
    other = quick(activation="selu").fit(*iris)
    assert network in (again._network, other._network)
    np.testing.assert_array_equal(other.predict_proba(iris[0]), expected)


def test_large_networks_are_not_kept(iris: Any) -> None:
    large = quick(hidden_layer_sizes=(1200, 1200), max_iter=1).fit(*iris)
    kept = weakref.ref(large._network)
    assert kept().size > 32 << 20
    del large
    gc.collect()
    assert kept() is None


def test_frames_go_in_and_come_out(iris: Any) -> None:
    pandas = pytest.importorskip("pandas", reason="frames are those of pandas")
    frame = pandas.DataFrame(iris[0], columns=["a", "b", "c", "d"])
    model = quick().fit(frame, pandas.Series(iris[1]).map({0: "setosa", 1: "versicolor", 2: "virginica"}))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert set(model.predict(frame)) <= {"setosa", "versicolor", "virginica"}
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"a": "z"}))
    coder = Transformer(2, (8,), max_iter=3).set_output(transform="pandas").fit(frame)
    codes = coder.transform(frame)
    assert codes.columns.tolist() == ["dovetailtransformer0", "dovetailtransformer1"]
    assert codes.shape == (150, 2)


def test_column_transformer_and_pipeline_take_frames_of_mixed_columns() -> None:
    pandas = pytest.importorskip("pandas", reason="frames are those of pandas")
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pandas.DataFrame({"size": np.arange(40.0), "colour": ["red", "blue"] * 20})
    columns = make_column_transformer((StandardScaler(), ["size"]), (OneHotEncoder(), ["colour"]))
    model = make_pipeline(columns, quick(max_iter=60, learning_rate=0.05))
    assert model.fit(frame, frame["colour"] == "red").score(frame, frame["colour"] == "red") == 1.0


# What is learned. ----------------------------------------------------------------------------------------------------


def test_two_classes_have_one_output_and_strings_stay_strings(iris: Any) -> None:
    X, y = iris[0][:100], np.array(["no", "yes"], object)[iris[1][:100]]
    model = quick(max_iter=60, learning_rate=0.05).fit(X, y)
    assert model.n_outputs_ == 1
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.score(X, y) == 1.0
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-model.decision_function(X))))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities))


def test_several_labels_are_learned_each() -> None:
    X = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)] * 5)
    model = quick(max_iter=300, learning_rate=0.05, hidden_layer_sizes=(16,)).fit(X, X.astype(int))
    assert model.predict(X).tolist() == X.astype(int).tolist()
    assert model.predict_proba(X).shape == (20, 2)


def test_several_numbers_are_predicted_each(rng: np.random.Generator) -> None:
    X = rng.normal(size=(200, 3))
    Y = X @ rng.normal(size=(3, 2))
    model = Regressor((), learning_rate=0.05, max_iter=200, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (200, 2)
    assert model.score(X, Y) > 0.99
    assert model.fit(X, Y[:, 0]).predict(X).shape == (200,)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson", lambda t, o: abs(t - o) ** 3])
def test_losses_of_regression_find_their_minimum(loss: Any) -> None:
    targets = np.array([0.0, 0.0, 1.0, 3.0] * 5)
    model = Regressor((), loss=loss, learning_rate=0.05, max_iter=600, n_iter_no_change=None, alpha=0, random_state=1)
    found = model.fit(np.zeros((20, 1)), targets).predict(np.zeros((1, 1)))[0]
    candidates = np.linspace(0.01, 3, 3000)[:, None]
    distance = np.abs(candidates - targets)
    losses = {
        "squared_error": distance**2,
        "absolute_error": distance,
        "huber": np.where(distance < 1, distance**2 / 2, distance - 0.5),
        "poisson": candidates - targets * np.log(candidates),
    }.get(loss, distance**3)
    least = losses.mean(axis=1)
    assert least[np.abs(candidates[:, 0] - max(found, 0.01)).argmin()] < least.min() + 1e-2


def test_a_transformer_codes_what_lies_on_a_plane(rng: np.random.Generator) -> None:
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6))
    coder = Transformer(2, (), learning_rate=0.02, alpha=0, max_iter=600, n_iter_no_change=None, random_state=0).fit(X)
    restored = coder.inverse_transform(coder.transform(X))
    assert np.square(restored - X).mean() < 0.01 * X.var()
    assert coder.score(X) == pytest.approx(-np.square(restored - X).mean())


def test_noise_is_added_while_training_only(iris: Any) -> None:
    coder = Transformer(2, (8,), noise=0.5, max_iter=3, random_state=0).fit(iris[0])
    np.testing.assert_array_equal(coder.transform(iris[0]), coder.transform(iris[0]))
    assert not np.array_equal(
        coder.transform(iris[0]), Transformer(2, (8,), max_iter=3, random_state=0).fit(iris[0]).transform(iris[0])
    )


def images(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images[:count, ..., np.newaxis] / 16).astype(np.float32), digits.target[:count]


def convolutions(x: dt.Tensor, training: dt.Tensor) -> dt.Tensor:
    x = dt.layers.conv2d(x, 4, 3, activation="relu")
    return dt.layers.dropout(dt.layers.flatten(x), 0.1, training=training)


@pytest.mark.parametrize(
    "network", [convolutions, dt.layers.Sequential([dt.layers.Flatten(), dt.layers.Dense(16, "relu")])]
)
def test_a_network_of_ones_own_takes_images(network: Any) -> None:
    X, y = images()
    model = Classifier(network=network, max_iter=30, learning_rate=0.02, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict_proba(X).dtype == np.float32
    with pytest.raises(ValueError, match=r"fitted on samples of shape \(8, 8, 1\)"):
        model.predict(X[:, :, :4])


# Weights, going on, stopping. ----------------------------------------------------------------------------------------


def test_a_weight_of_two_is_the_sample_twice_and_none_is_as_if_it_were_not_there(iris: Any) -> None:
    X, y = iris
    weights = np.arange(150) % 3
    weighted = quick(max_iter=20).fit(X, y, sample_weight=weights)
    repeated = quick(max_iter=20).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


def test_light_samples_stay_light_where_batches_are_small(rng: np.random.Generator) -> None:
    X = np.zeros((64, 1))
    y = np.repeat([0, 1], 32)
    model = quick(batch_size=4, max_iter=60, learning_rate=0.05, class_weight={0: 1.0, 1: 0.01}).fit(X, y)
    assert model.predict_proba(X[:1])[0, 0] > 0.9


def test_balanced_classes_count_alike(iris: Any) -> None:
    X, y = np.zeros((100, 1)), np.repeat([0, 1], [90, 10])
    even = quick(max_iter=200, learning_rate=0.05, class_weight="balanced").fit(X, y).predict_proba(X[:1])
    np.testing.assert_allclose(even, 0.5, atol=0.02)
    plain = quick(max_iter=200, learning_rate=0.05).fit(X, y).predict_proba(X[:1])
    np.testing.assert_allclose(plain[0], [0.9, 0.1], atol=0.02)


def test_partial_fit_and_warm_start_go_on_from_the_weights_there_are(iris: Any) -> None:
    X, y = iris
    whole = quick(max_iter=4, batch_size=32).fit(X, y)
    parts = quick(batch_size=32)
    for _ in range(4):
        parts.partial_fit(X, y, classes=[0, 1, 2])
    assert same(whole, parts, X)
    assert parts.loss_curve_ == whole.loss_curve_
    warm = quick(max_iter=2, batch_size=32, warm_start=True).fit(X, y).fit(X, y)
    assert same(whole, warm, X)
    assert warm.n_iter_ == 4


def test_partial_fit_takes_batches_that_lack_classes(iris: Any) -> None:
    X, y = iris
    model = quick().partial_fit(X[:50], y[:50], classes=np.unique(y))
    assert model.partial_fit(X[100:], y[100:]).predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match=r"y has 7, which is none of the classes 0, 1, 2"):
        model.partial_fit(X[:2], [0, 7])
    with pytest.raises(ValueError, match="classes must be given at the first call of partial_fit"):
        quick().partial_fit(X, y)


def test_training_stops_early_and_keeps_the_best_weights(iris: Any) -> None:
    model = quick(early_stopping=True, max_iter=200, learning_rate=0.05, n_iter_no_change=3).fit(*iris)
    assert model.n_iter_ < 200
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)
    assert model.best_validation_score_ == max(model.validation_scores_)
    best = int(np.argmax(model.validation_scores_)) + 1
    again = quick(early_stopping=True, max_iter=best, learning_rate=0.05, n_iter_no_change=None).fit(*iris)
    assert same(model, again, iris[0])


def test_it_says_when_the_epochs_were_too_few(iris: Any) -> None:
    from sklearn.exceptions import ConvergenceWarning

    with pytest.warns(ConvergenceWarning, match="the loss still changed after max_iter=5 epochs") as caught:
        quick().fit(*iris)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(n_iter_no_change=None).fit(*iris)


def test_random_states(iris: Any) -> None:
    assert same(quick().fit(*iris), quick().fit(*iris), iris[0])
    assert not same(quick(random_state=1).fit(*iris), quick().fit(*iris), iris[0])
    assert not same(quick(random_state=None).fit(*iris), quick(random_state=None).fit(*iris), iris[0])
    state = np.random.RandomState(3)
    one, two = quick(random_state=state).fit(*iris), quick(random_state=state).fit(*iris)
    assert not same(one, two, iris[0])
    assert same(one, quick(random_state=np.random.RandomState(3)).fit(*iris), iris[0])


def test_the_number_of_threads_changes_no_bit(iris: Any) -> None:
    assert same(quick(num_threads=1).fit(*iris), quick(num_threads=2).fit(*iris), iris[0])


def test_what_is_predicted_of_a_row_does_not_depend_on_the_others(rng: np.random.Generator) -> None:
    X = rng.normal(size=(2500, 3))
    model = Regressor((8,), max_iter=2).fit(X, X[:, 0])
    whole = model.predict(X)
    np.testing.assert_allclose(whole[1023:1026], model.predict(X[1023:1026]), rtol=1e-9)


def test_sparse_samples_are_read_batch_by_batch(iris: Any) -> None:
    from scipy import sparse

    assert same(quick(batch_size=32).fit(sparse.csr_array(iris[0]), iris[1]), quick(batch_size=32).fit(*iris), iris[0])


def test_an_interrupted_fit_keeps_what_it_has_learned(iris: Any) -> None:
    model = Regressor((4,), max_iter=50, random_state=0)
    from dovetail_train.sklearn.network import Network

    calls = iter(range(100))
    step = Network.step

    def interrupt(self: Network, **values: Any) -> float:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return step(self, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "step", interrupt)
        with pytest.warns(UserWarning, match="interrupted after 7 epochs"):
            model.fit(*iris)
    assert model.n_iter_ == 7
    assert model.predict(iris[0]).shape == (150,)


def test_a_bar_shows_loss_and_score(iris: Any, capsys: pytest.CaptureFixture[str]) -> None:
    quick(verbose=True, early_stopping=True).fit(*iris)
    shown = capsys.readouterr().err
    assert "DovetailClassifier" in shown
    assert "5/5" in shown
    assert "loss=" in shown
    assert "score=" in shown


def called(layer: Any) -> Any:
    with dt.Graph().as_default():
        layer(dt.zeros([2, 4]))
    return layer


# Mistakes. -----------------------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_ends_the_fit_and_leaves_the_model_as_it_was(iris: Any) -> None:
    X, y = iris
    model = Regressor((4,), max_iter=5, random_state=0).fit(X, y)
    before, losses = model.predict(X), list(model.loss_curve_)
    model.set_params(learning_rate=1e300, optimizer="sgd")
    with pytest.raises(NanLossDuringTrainingError, match=r"DovetailRegressor: the loss is \w+ in epoch \d+, batch 1"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.loss_curve_ == losses
    model.set_params(optimizer="adam")
    with pytest.raises(NanLossDuringTrainingError):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": (8, 0)}, r"hidden_layer_sizes is \(8, 0\); give positive whole numbers"),
        ({"hidden_layer_sizes": "8"}, "hidden_layer_sizes is '8'"),
        ({"activation": "rellu"}, "did you mean 'relu'|relu"),
        ({"optimizer": "adan"}, "adam"),
        ({"optimizer": "momentum"}, "cannot be made from a learning rate alone.*optimizer=dt.train.MomentumOptimizer"),
        ({"optimizer": 3}, "optimizer is 3; give a name such as 'adam'"),
        ({"optimizer": lambda step: 3}, "optimizer is a function that gave 3"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; give a positive number"),
        ({"alpha": -1}, "alpha is -1; give 0 or a positive number"),
        ({"dropout": 1.0}, "dropout is 1.0; give a probability of at least 0 and less than 1"),
        ({"batch_size": 0}, "batch_size is 0; give a positive whole number, or 'auto'"),
        ({"max_iter": 2.5}, "max_iter is 2.5; give a positive whole number"),
        ({"validation_fraction": 10}, "validation_fraction is 10; give a part between 0 and 1"),
        ({"class_weight": "balance"}, "class_weight is 'balance'; give a dict, 'balanced' or None"),
        ({"class_weight": {5: 1.0}}, "class_weight names 5, which is none of the classes 0, 1, 2"),
        ({"device": "/cpu:zero"}, "device: .*/cpu:zero"),
        ({"network": dt.layers.Dense}, "network is .*; give a function of the inputs, or a layer"),
        ({"network": lambda x: 3}, "network gave 3; it must return one floating tensor"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "would hold out 1 of 150 samples"),
        ({"num_threads": 0}, "num_threads is 0"),
        (
            {"optimizer": dt.train.AdamOptimizer(dt.constant(0.1))},
            "optimizer has a hyperparameter that belongs to another graph.*Give a function that takes the number",
        ),
        ({"network": called(dt.layers.Dense(4))}, "network is the layer Dense.*called in another graph"),
        ({"device": "/gpu:0"}, "there is no device '/device:CUDA:0'"),
    ],
)
def test_parameters_that_make_no_sense(iris: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidArgumentError, DeviceError), match=message):
        quick(**parameters).fit(*iris)


def test_data_that_make_no_sense(iris: Any) -> None:
    X, y = iris
    with pytest.raises(ValueError, match=r"Found array with dim 3, .*network=dt.layers.Sequential"):
        quick().fit(X[..., np.newaxis], y)
    with pytest.raises(ValueError, match="at least 2 classes; the data contains 1 class, 0"):
        quick().fit(X[:50], y[:50])
    with pytest.raises(InvalidArgumentError, match="poisson.*the least is -1"):
        Regressor(loss="poisson").fit(X, y - 1.0)
    with pytest.raises(InvalidArgumentError, match="the codes have 3 numbers, but n_components is 2"):
        Transformer(max_iter=1).fit(X).inverse_transform(X[:, :3])
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="value too large for dtype"):
        quick().fit(X.astype(np.float32), y).predict(X * 1e300)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        quick().fit(X, y, sample_weight=-np.ones(150))


def test_going_on_with_another_network_is_refused(iris: Any) -> None:
    model = quick(warm_start=True).fit(*iris)
    with pytest.raises(InvalidArgumentError, match="parameters that shape the network.*Set warm_start=False"):
        model.set_params(hidden_layer_sizes=(9,)).fit(*iris)
    with pytest.raises(InvalidArgumentError, match="y has 4, which is none of the classes 0, 1, 2"):
        model.set_params(hidden_layer_sizes=(8,)).fit(iris[0], iris[1] * 2)
    with pytest.raises(InvalidArgumentError, match="the classes are not those it was fitted on before, 0, 1, 2"):
        model.partial_fit(*iris, classes=[0, 1])


def test_transformers_networks_give_two_tensors(iris: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="must return two tensors, the code and the reconstruction"):
        Transformer(network=lambda x: x).fit(iris[0])
    with pytest.raises(ValueError, match="the code must have the shape"):
        Transformer(network=lambda x: (x, x)).fit(iris[0])
    whole = Transformer(4, network=lambda x: (dt.layers.dense(x, 4, name="code"),) * 2, max_iter=2).fit(iris[0])
    assert whole.transform(iris[0]).shape == (150, 4)


def test_without_scikit_learn_a_sentence_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import dovetail as dt\n"
        "try:\n"
        "    dt.sklearn.DovetailClassifier\n"
        "except dt.errors.PluginError as error:\n"
        "    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'dovetail-train[sklearn]'" in done.stdout
