"""Estimators as pickles, files and ONNX models."""

from __future__ import annotations

import copy
import io
import json
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Classifier: Any = dt.sklearn.DovetailClassifier
Regressor: Any = dt.sklearn.DovetailRegressor
Transformer: Any = dt.sklearn.DovetailTransformer

X = np.random.default_rng(0).normal(size=(60, 4))
NAMES = np.array(["low", "middle", "high"], object)
Y = NAMES[np.digitize(X[:, 0], [-0.5, 0.5])]

MODELS = {
    "classes": lambda: Classifier((8,), max_iter=5, dropout=0.2, batch_size=16, random_state=0).fit(X, Y),
    "two classes": lambda: Classifier((8,), max_iter=5, random_state=0).fit(X.astype(np.float32), X[:, 0] > 0),
    "labels": lambda: Classifier((8,), max_iter=5, random_state=0).fit(X, (X > 0).astype(int)),
    "numbers": lambda: Regressor((8,), max_iter=5, early_stopping=True, random_state=0).fit(X, X[:, :2]),
    "codes": lambda: Transformer(3, (8,), max_iter=5, noise=0.1, batch_norm=True, random_state=0).fit(X),
}


def answers(model: Any) -> list[np.ndarray]:
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return [getattr(model, method)(X) for method in methods if hasattr(model, method)]


def go_on(model: Any) -> Any:
    targets = {"DovetailTransformer": (), "DovetailRegressor": (X[:, :2],)}.get(type(model).__name__)
    if targets is None:
        targets = ((X > 0).astype(int),) if model._labels_ else (Y if len(model.classes_) == 3 else X[:, 0] > 0,)
    samples = X.astype(model._network.dtype)
    return model.set_params(early_stopping=False).partial_fit(samples, *targets)


def equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(answers(one), answers(other), strict=True))


def pickled(model: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def unpickled(content: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(content))


@pytest.mark.parametrize("kind", MODELS)
def test_a_copy_answers_and_goes_on_as_the_original(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind]()
    stored = type(model).load(model.save(tmp_path / "a.model"))
    copies = [unpickled(pickled(model)), copy.deepcopy(model), stored]
    for one in copies:
        assert equal(one, model)
        assert one.loss_curve_ == model.loss_curve_
        assert one.n_features_in_ == 4
    go_on(model)
    for one in copies:
        assert equal(go_on(one), model)


def test_a_file_is_read_in_another_process(tmp_path: Path) -> None:
    model = MODELS["classes"]()
    model.save(tmp_path / "a.model")
    np.save(tmp_path / "x.npy", X)
    program = (
        "import numpy as np, dovetail as dt\n"
        "model = dt.sklearn.load('a.model')\n"
        "np.save('p.npy', model.predict_proba(np.load('x.npy')))\n"
        "print(*model.classes_, model)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("high low middle DovetailClassifier(")
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(X))


def test_a_pickle_holds_no_code_and_no_objects_but_the_estimator() -> None:
    found = {argument for _, argument, _ in pickletools.genops(pickled(MODELS["classes"]()).replace(b"", b""))}
    names = {text for text in found if isinstance(text, str) and "." in text and " " not in text}
    assert not any("numpy" in name for name in names)


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_change_of_a_byte_is_noticed(fraction: float, tmp_path: Path) -> None:
    model = MODELS["numbers"]()
    state = model.__getstate__()
    content = bytearray(state["_container"])
    content[int(fraction * len(content))] ^= 0x10
    with pytest.raises(FormatError, match="pickled DovetailRegressor"):
        Regressor().__setstate__(state | {"_container": bytes(content)})
    file = Path(model.save(tmp_path / "a.model"))
    content = bytearray(file.read_bytes())
    content[int(fraction * len(content))] ^= 0x10
    file.write_bytes(content)
    with pytest.raises(FormatError, match="a.model"):
        dt.sklearn.load(file)


def test_files_that_are_not_there_cut_off_or_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        dt.sklearn.load(tmp_path / "none")
    file = Path(MODELS["numbers"]().save(tmp_path / "a.model"))
    with pytest.raises(FormatError, match=r"holds a DovetailRegressor, no DovetailClassifier.*DovetailRegressor.load"):
        Classifier.load(file)
    for size in (0, 5, 500):
        (tmp_path / "cut").write_bytes(file.read_bytes()[:size])
        with pytest.raises(FormatError, match="cut"):
            dt.sklearn.load(tmp_path / "cut")
    dt.io.write_packed(tmp_path / "other", {}, {}, format="something-else")
    with pytest.raises(FormatError, match="format is not 'dovetail-sklearn'"):
        dt.sklearn.load(tmp_path / "other")


def test_parameters_come_back_from_a_file(tmp_path: Path) -> None:
    model = Classifier(
        (np.int64(8), 4),
        dt.nn.tanh,
        optimizer=dt.train.MomentumOptimizer(0.1, 0.9),
        class_weight={"low": 2.0, "middle": 1, "high": np.float64(0.5)},
        alpha=np.float32(0.5),
        random_state=np.random.RandomState(0),
        max_iter=2,
    )
    found = dt.sklearn.load(model.fit(X, Y).save(tmp_path / "a.model"))
    assert found.hidden_layer_sizes == (8, 4)
    assert found.activation in ("tanh", dt.nn.tanh)
    assert found.class_weight == {"low": 2.0, "middle": 1, "high": 0.5}
    assert (found.alpha, found.random_state) == (0.5, None)
    assert found.optimizer.get_config() == model.optimizer.get_config()
    assert found.fit(X, Y).score(X, Y) > 0


def test_a_network_that_is_a_function_predicts_without_it(tmp_path: Path) -> None:
    model = Classifier(network=lambda x: dt.layers.dense(x, 8, "relu"), max_iter=2, random_state=0).fit(X, Y)
    found = dt.sklearn.load(model.save(tmp_path / "a.model"))
    assert equal(found, model)
    assert "not stored" in repr(found)
    with pytest.raises(InvalidArgumentError, match=r"the parameter network was the function .* set_params\(network="):
        found.fit(X, Y)
    assert equal(dt.sklearn.load(found.save(tmp_path / "b.model")), model)


def test_labels_that_no_file_holds_are_refused(tmp_path: Path) -> None:
    from fractions import Fraction

    model = MODELS["classes"]()
    model.classes_ = np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)], object)
    with pytest.raises(DTypeError, match="classes_ is .* which cannot be saved"):
        model.save(tmp_path / "a.model")
    assert not (tmp_path / "a.model").exists()


def test_what_is_not_fitted_is_pickled_and_not_saved(tmp_path: Path) -> None:
    from sklearn.exceptions import NotFittedError

    assert repr(unpickled(pickled(Classifier((3,))))) == repr(Classifier((3,)))
    with pytest.raises(NotFittedError):
        Classifier().save(tmp_path / "a.model")
    with pytest.raises(NotFittedError):
        Classifier().to_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize("kind", MODELS)
def test_an_onnx_model_agrees(kind: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="runs the models")
    model = MODELS[kind]()
    report = model.to_onnx(tmp_path / "a.onnx")
    assert "largest difference" in repr(report)
    runtime = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    (given,) = runtime.get_inputs()
    found = dict(
        zip(
            [one.name for one in runtime.get_outputs()],
            runtime.run(None, {given.name: X.astype(model._network.dtype)}),
            strict=True,
        )
    )
    assert given.name == "X"
    told = runtime.get_modelmeta().custom_metadata_map
    assert told["estimator"] == type(model).__name__
    if kind == "numbers":
        np.testing.assert_allclose(found["predictions"], model.predict(X), rtol=1e-6)
    elif kind == "codes":
        np.testing.assert_allclose(found["code"], model.transform(X), rtol=1e-4, atol=1e-6)
        restored = model.inverse_transform(model.transform(X))
        np.testing.assert_allclose(found["reconstruction"], restored, rtol=1e-4, atol=1e-6)
    else:
        np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=1e-5, atol=1e-6)
        assert json.loads(told["classes"]) == model.classes_.tolist()
