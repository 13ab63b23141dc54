"""Estimators of a user's own model function: training, going on, evaluation, prediction, and what they say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    DataError,
    DTypeError,
    FeedError,
    InvalidArgumentError,
    NanLossDuringTrainingError,
    NotFoundError,
    ShapeError,
)

X = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
Y = 2.0 * X + 1.0
ModeKeys = dt.estimator.ModeKeys
Make = Callable[..., Any]


def line(features: Any, labels: Any, mode: str, params: dict[str, Any]) -> Any:
    """``w * x + b``."""
    x = features["x"] if isinstance(features, dict) else features
    w = dt.get_variable("w", [], initializer=dt.zeros_initializer())
    b = dt.get_variable("b", [], initializer=dt.zeros_initializer())
    y = w * x + b
    if mode == ModeKeys.PREDICT:
        return dt.estimator.EstimatorSpec(mode, predictions={"y": y, "twice": 2.0 * y})
    loss = dt.losses.mean_squared_error(labels, y)
    metrics = {"error": dt.metrics.mean_absolute_error(labels, y)}
    step = dt.train.get_global_step()
    train = dt.train.GradientDescentOptimizer(params.get("rate", 0.1)).minimize(loss, global_step=step)
    return dt.estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops=metrics)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An estimator of a line in a folder of its own."""

    def make(folder: str = "line", **options: Any) -> Any:
        options.setdefault("params", {"rate": 0.1})
        model = options.pop("model_fn", line)
        return dt.estimator.Estimator(model, tmp_path / folder, **options)

    return make


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """What was logged."""
    logger = logging.getLogger("dovetail")
    before, propagate = logger.level, logger.propagate
    dt.logging.set_verbosity(dt.logging.INFO)
    logger.propagate = True
    yield lambda: caplog.text
    dt.logging.set_verbosity(before)
    logger.propagate = propagate


def whole() -> Any:
    return X, Y


def batches(count: int, size: int = 4) -> Iterator[Any]:
    """Batches that differ."""
    for number in range(count):
        x = np.random.default_rng(number).normal(size=size).astype(np.float32)
        yield x, 2.0 * x + 1.0


# What it does. -------------------------------------------------------------------------------------------------------


def test_a_line_is_learned_evaluated_and_predicted(make: Make) -> None:
    estimator = make()
    assert estimator.train(whole, steps=200) is estimator
    found = estimator.evaluate(whole)
    assert found["global_step"] == 200
    assert found["error"] < 1e-2
    assert sorted(found) == ["error", "global_step", "loss"]
    rows = list(estimator.predict(lambda: X))
    np.testing.assert_allclose([row["y"] for row in rows], Y, atol=1e-2)
    np.testing.assert_allclose(estimator.predict_on_batch(X)["twice"], 2 * Y, atol=1e-2)
    assert sorted(estimator.get_variable_names()) == ["b", "global_step", "w"]
    assert estimator.get_variable_value("w") == pytest.approx(2.0, abs=1e-2)
    assert estimator.latest_checkpoint() == str(Path(estimator.model_dir) / "model.ckpt-200")


@pytest.mark.parametrize(
    "source",
    [
        lambda: (X, Y),
        lambda: (X.tolist(), Y.tolist()),
        lambda: ({"x": X}, Y),
        lambda: iter([(X, Y)] * 3),
        lambda: (pair for pair in [(X, Y)] * 3),
        lambda: dt.data.from_arrays((X, Y)).repeat(3).batch(4),
        lambda: dt.data.from_arrays(({"x": X}, Y)).repeat(3).batch(4),
        lambda: (dt.constant(X), dt.constant(Y)),
        lambda: ({"x": dt.constant(X)}, dt.constant(Y)),
    ],
    ids=["arrays", "lists", "dict", "iterator", "generator", "data", "data of dicts", "tensors", "dict of tensors"],
)
def test_every_kind_of_input_trains_and_is_evaluated_alike(make: Make, source: Callable[[], Any]) -> None:
    estimator = make().train(source, steps=3)
    reference = make("reference").train(whole, steps=3)
    assert estimator.get_variable_value("w") == pytest.approx(reference.get_variable_value("w"), rel=1e-6)
    assert estimator.evaluate(source)["error"] == pytest.approx(reference.evaluate(whole)["error"], rel=1e-6)
    first = next(iter(estimator.predict(source)))
    assert first["y"] == pytest.approx(float(reference.predict_on_batch(X)["y"][0]), rel=1e-6)


def test_pandas_frames_are_dicts_of_columns(make: Make) -> None:
    pandas = pytest.importorskip("pandas")
    frame, labels = pandas.DataFrame({"x": X}), pandas.Series(Y)
    estimator = make().train(lambda: (frame, labels), steps=3)
    input_fn = dt.estimator.inputs.pandas_input_fn(frame, labels, batch_size=4, num_epochs=3, shuffle=False)
    other = make("other").train(input_fn)
    assert other.get_variable_value("w") == estimator.get_variable_value("w")
    with pytest.raises(InvalidArgumentError, match="train: batch 1 of the input: the column 'c' holds nan in row 1"):
        estimator.train(lambda: (pandas.DataFrame({"x": X, "c": ["a", None, "b", "c"]}), labels), steps=1)


def test_training_ends_where_the_input_does(make: Make) -> None:
    estimator = make().train(lambda: batches(7))
    assert estimator.evaluate(whole)["global_step"] == 7
    estimator.train(lambda: batches(5))
    assert estimator.evaluate(whole)["global_step"] == 12


def test_steps_add_up_and_max_steps_count_those_before(make: Make, messages: Callable[[], str]) -> None:
    estimator = make().train(whole, steps=5).train(whole, steps=5)
    assert estimator.evaluate(whole)["global_step"] == 10
    estimator.train(whole, max_steps=12)
    assert estimator.evaluate(whole)["global_step"] == 12
    estimator.train(whole, max_steps=12)
    assert "max_steps has already saved" in messages()


def test_evaluation_takes_so_many_batches_and_weighs_them_alike(make: Make) -> None:
    estimator = make().train(whole, steps=1)
    losses = [float(estimator.evaluate(lambda one=one: one)["loss"]) for one in batches(3)]
    assert estimator.evaluate(lambda: batches(9), steps=3)["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert estimator.test(lambda: batches(3))["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_evaluations_are_written_for_tensorboard(make: Make) -> None:
    pytest.importorskip("tensorboard")
    estimator = make().train(whole, steps=2)
    found = estimator.evaluate(whole, name="all")
    (file,) = (Path(estimator.model_dir) / "eval_all").iterdir()
    values = {
        value.tag: (event.step, value.simple_value)
        for event in dt.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert values == {name: (2, pytest.approx(float(found[name]))) for name in ("error", "loss")}


def test_a_checkpoint_of_the_past_is_evaluated_and_predicted(make: Make) -> None:
    estimator = make().train(whole, steps=1)
    first = estimator.latest_checkpoint()
    before = estimator.evaluate(whole)
    estimator.train(whole, steps=5)
    assert estimator.evaluate(whole)["global_step"] == 6
    assert estimator.evaluate(whole, checkpoint_path=first) == before
    y = next(iter(estimator.predict(whole, checkpoint_path=first)))["y"]
    assert y == estimator.get_variable_value("b") or y != next(iter(estimator.predict(whole)))["y"]


def test_graphs_are_kept_until_the_input_is_of_another_kind(make: Make) -> None:
    calls = []

    def counted(features: Any, labels: Any, mode: str, params: Any) -> Any:
        calls.append(mode)
        return line(features, labels, mode, params)

    estimator = make(model_fn=counted).train(whole, steps=1)
    for size in (1, 4, 4):
        list(estimator.predict(lambda size=size: X[:size]))
    estimator.train(whole, steps=1)
    for _ in range(2):
        estimator.evaluate(whole)
        list(estimator.predict(whole))
    assert calls == ["train", "infer", "train", "eval"]
    list(estimator.predict(lambda: {"x": X}))
    assert calls.count("infer") == 2


def test_predictions_may_be_chosen_and_whole_batches(make: Make) -> None:
    estimator = make().train(whole, steps=1)
    assert list(next(estimator.predict(whole, "twice"))) == ["twice"]
    (batch,) = estimator.predict(whole, ["y"], yield_single_examples=False)
    assert batch["y"].shape == (4,)
    with pytest.raises(NotFoundError, match="no prediction 'twize'; it makes 'y', 'twice'. Did you mean 'twice'?"):
        estimator.predict(whole, ["twize"])


def test_model_functions_get_what_they_take(make: Make) -> None:
    seen = {}

    def every(features: Any, labels: Any, mode: str, params: Any, config: Any) -> Any:
        seen[mode] = (params, config.tf_random_seed)
        return line(features, labels, mode, params)

    config = dt.estimator.RunConfig(tf_random_seed=3)
    make(model_fn=every, config=config).train(lambda params, mode: (X * params["rate"], Y), steps=1)
    assert seen == {"train": ({"rate": 0.1}, 3)}


def test_hooks_and_listeners_are_called(make: Make) -> None:
    events: list[Any] = []

    class Hook(dt.train.SessionRunHook):
        def begin(self) -> None:
            events.append("begin")

        def after_run(self, run_context: Any, run_values: Any) -> None:
            events.append("run")

        def end(self, session: Any) -> None:
            events.append("end")

    class Listener(dt.train.CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            events.append(global_step_value)

    config = dt.estimator.RunConfig(save_checkpoints_steps=2)
    estimator = make(config=config).train(whole, [Hook()], steps=3, saving_listeners=[Listener()])
    assert [one for one in events if isinstance(one, str)] == ["begin", "run", "run", "run", "end"]
    assert [one for one in events if isinstance(one, int)] == [0, 2, 3]
    events.clear()
    estimator.evaluate(lambda: batches(2), hooks=[Hook()])
    assert events == ["begin", "run", "run", "end"]
    events.clear()
    list(estimator.predict(lambda: batches(2), hooks=[Hook()]))
    assert events[:3] == ["begin", "run", "run"]


def test_seeds_repeat_training_bit_by_bit(make: Make) -> None:
    def noisy(features: Any, labels: Any, mode: str, params: Any) -> Any:
        return line(dt.nn.dropout(features, rate=0.5) if mode == ModeKeys.TRAIN else features, labels, mode, params)

    config = dt.estimator.RunConfig(tf_random_seed=5)
    first, second = (make(name, model_fn=noisy, config=config).train(whole, steps=9) for name in ("a", "b"))
    assert first.get_variable_value("w") == second.get_variable_value("w")


def test_warm_start_takes_values_where_there_is_no_checkpoint(make: Make) -> None:
    teacher = make("teacher").train(whole, steps=50)
    student = make("student", warm_start_from=teacher.model_dir).train(whole, steps=1)
    longer = make("teacher").train(whole, steps=1)
    assert student.get_variable_value("w") == longer.get_variable_value("w")
    settings = dt.estimator.WarmStartSettings(teacher.model_dir, vars_to_warm_start="^w$")
    half = make("half", warm_start_from=settings).train(whole, steps=1)
    assert half.get_variable_value("w") != student.get_variable_value("w")
    again = dt.estimator.WarmStartSettings(
        teacher.model_dir, vars_to_warm_start="^b$", var_name_to_prev_var_name={"b": "w"}
    )
    make("again", warm_start_from=again).train(whole, steps=1)
    with pytest.raises(NotFoundError, match='no value for "nothing"; choose others'):
        make("no", warm_start_from=again._replace(var_name_to_prev_var_name={"b": "nothing"})).train(whole, steps=1)


# Going on. -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["data", "generator"])
def test_training_in_two_parts_is_training_in_one(make: Make, kind: str) -> None:
    x = np.random.default_rng(0).normal(size=40).astype(np.float32)

    def source() -> Any:
        if kind == "generator":
            return batches(100)
        return dt.data.from_arrays((x, 2 * x)).shuffle(seed=3).repeat().batch(3)

    whole_run = make("whole").train(source, steps=30)
    parts = make("parts").train(source, steps=13)
    make("parts").train(source, max_steps=30)
    assert parts.get_variable_value("w") == whole_run.get_variable_value("w")
    fresh = make("fresh", config=dt.estimator.RunConfig(restore_input=False)).train(source, steps=13)
    fresh.train(source, steps=17)
    assert fresh.get_variable_value("w") != whole_run.get_variable_value("w")


def test_an_input_that_has_ended_begins_anew(make: Make) -> None:
    source = lambda: dt.data.from_arrays((X, Y)).batch(2)  # noqa: E731 - an input_fn
    estimator = make()
    for _ in range(3):
        estimator.train(source)
    assert estimator.evaluate(whole)["global_step"] == 6


def test_an_input_that_ends_where_a_checkpoint_was_saved_begins_anew(make: Make) -> None:
    estimator = make(config=dt.estimator.RunConfig(save_checkpoints_steps=2))
    for _ in range(2):
        estimator.train(lambda: dt.data.from_arrays((X, Y)).batch(2))
    assert estimator.evaluate(whole)["global_step"] == 4


def test_other_data_are_read_from_their_beginning(make: Make, messages: Callable[[], str]) -> None:
    estimator = make().train(lambda: dt.data.from_arrays((X, Y)).batch(2).repeat(), steps=3)
    estimator.train(lambda: dt.data.from_arrays((X[:2], Y[:2])).batch(2).repeat(), steps=3)
    assert estimator.evaluate(whole)["global_step"] == 6
    assert "it is read from its beginning" in messages()


def test_a_generator_that_ends_before_its_position_says_so(make: Make) -> None:
    estimator = make().train(lambda: batches(9), steps=5)
    with pytest.raises(InvalidArgumentError, match="the generator ends before. Let input_fn give"):
        estimator.train(lambda: batches(2), steps=5)


# What it refuses. ----------------------------------------------------------------------------------------------------


def bad(first: Any, second: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter([first, second])


@pytest.mark.parametrize(
    ("second", "error", "words"),
    [
        ((X.astype(np.float64), Y), DTypeError, r"batch 2 of the input: features is float64, but float32 in the first"),
        ((X, Y.astype(np.int32)), DTypeError, "batch 2 of the input: labels is int32, but float32 in the first"),
        ((X[:, None], Y), ShapeError, r"the rows of features have shape \[1\], but \[\] in the first"),
        ((X, Y[:3]), ShapeError, "labels has 3 rows, features has 4"),
        (({"x": X}, Y), InvalidArgumentError, r"batch 2 of the input has other keys than the first: features is miss"),
        (X, InvalidArgumentError, "batch 2 of the input has other keys than the first: labels is missing"),
        ((X, Y, Y), InvalidArgumentError, r"batch 2 of the input is a tuple of 3; give features, or a pair"),
        (None, InvalidArgumentError, "batch 2 of the input is None, without features"),
        ((np.float32(1.0), np.float32(1.0)), ShapeError, "features is a single value; batches have a first axis"),
    ],
)
def test_a_batch_of_another_kind_is_named_and_training_is_saved(
    make: Make, second: Any, error: type[Exception], words: str
) -> None:
    estimator = make()
    with pytest.raises(error, match=words) as caught:
        estimator.train(bad((X, Y), second))
    assert "model.ckpt-1" in caught.value.__notes__[-1]
    assert estimator.evaluate(whole)["global_step"] == 1


def test_other_keys_are_named_with_the_nearest(make: Make) -> None:
    with pytest.raises(InvalidArgumentError, match=r"features\['y'\] is missing and features\['yy'\] is new. Was"):
        make().train(bad(({"x": X, "y": X}, Y), ({"x": X, "yy": X}, Y)))


def test_a_generator_that_raises_is_named_and_training_is_saved(make: Make) -> None:
    def broken() -> Iterator[Any]:
        yield from batches(3)
        raise OSError("the tape is torn")

    estimator = make()
    with pytest.raises(OSError, match="the tape is torn") as caught:
        estimator.train(broken)
    assert "batch 4 of the input was about to be read" in caught.value.__notes__[0]
    assert "model.ckpt-3" in caught.value.__notes__[1]
    assert estimator.evaluate(whole)["global_step"] == 3


def test_a_step_that_fails_names_its_batch_and_training_is_saved(make: Make) -> None:
    def strict(features: Any, labels: Any, mode: str, params: Any) -> Any:
        with dt.control_dependencies([dt.assert_less(features, 5.0)]):
            features = dt.identity(features)
        return line(features, labels, mode, params)

    estimator = make(model_fn=strict)
    with pytest.raises(dt.errors.OperationError) as caught:
        estimator.train(bad((X, Y), (X + 9, Y)))
    assert "step of batch 2 of the input" in caught.value.__notes__[0]
    assert estimator.get_variable_value("global_step") == 1


def test_a_loss_that_is_nan_leaves_the_checkpoint_before(make: Make) -> None:
    estimator = make().train(whole, steps=2)
    with pytest.raises(NanLossDuringTrainingError):
        estimator.train(lambda: (X, Y * np.nan), steps=2)
    assert np.isfinite(estimator.get_variable_value("w"))


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (lambda: None, InvalidArgumentError, "train: input_fn returned None"),
        (lambda: iter([]), InvalidArgumentError, "the input ended before its first batch"),
        (lambda: 3, DTypeError, "input_fn returned 3; let it return arrays"),
        (lambda: ({}, None), InvalidArgumentError, "holds no arrays"),
        (lambda: ([[1, 2], [3]], [0, 1]), DataError, "features is no array"),
        (lambda: ({"x": object()}, Y), DataError, r"features\['x'\] is no array: it holds a object"),
        (lambda mode, data: (X, Y), InvalidArgumentError, "input_fn takes 'data', which is none of 'mode', 'params'"),
        (X, InvalidArgumentError, "input_fn is a ndarray; give a function that returns it, as lambda: data"),
    ],
)
def test_an_input_that_gives_nothing_useful(make: Make, source: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make().train(source, steps=1)


def test_training_that_would_never_end(make: Make) -> None:
    with pytest.raises(InvalidArgumentError, match="one batch that is repeated for ever; give steps"):
        make().train(whole)


def test_the_folder_of_another_model(make: Make) -> None:
    def other(features: Any, labels: Any, mode: str, params: Any) -> Any:
        with dt.variable_scope("outer"):
            return line(features, labels, mode, params)

    make().train(whole, steps=1)
    stranger = make(model_fn=other)
    runs: list[Make] = [lambda: stranger.train(whole, steps=1), lambda: stranger.evaluate(whole)]
    for run in runs:
        with pytest.raises(NotFoundError, match=r"no value for 2 of 3 variables(.|\n)*outer/w") as caught:
            run()
        assert (
            'line" holds the checkpoints of another model. Give an empty or new model_dir' in caught.value.__notes__[0]
        )


def test_a_folder_without_a_checkpoint(make: Make) -> None:
    estimator = make()
    runs: list[Make] = [
        lambda: estimator.evaluate(whole),
        lambda: estimator.predict(whole),
        estimator.get_variable_names,
    ]
    for run in runs:
        with pytest.raises(NotFoundError, match='there is no checkpoint in ".*line"; call train first'):
            run()
    with pytest.raises(NotFoundError, match='there is no checkpoint ".*nowhere"'):
        make().train(whole, steps=1).evaluate(whole, checkpoint_path="nowhere")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 1, "max_steps": 2}, "steps is 1, max_steps 2; give one"),
        ({"steps": 0}, "steps is 0; it must be positive"),
        ({"max_steps": -1}, "max_steps is -1"),
    ],
)
def test_numbers_of_steps(make: Make, options: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        make().train(whole, **options)


def test_model_functions_that_do_not_fit(make: Make) -> None:
    def without_labels(features: Any, mode: str) -> Any: ...

    def misspelt(features: Any, labels: Any, mod: str) -> Any: ...

    def nothing(features: Any, labels: Any, mode: str, params: Any) -> Any: ...

    def no_loss(features: Any, labels: Any, mode: str, params: Any) -> Any:
        return dt.estimator.EstimatorSpec(mode, loss=dt.constant(1.0))

    def many(features: Any, labels: Any, mode: str, params: Any) -> Any:
        return dt.estimator.EstimatorSpec(mode, loss=labels, train_op=dt.no_op())

    for function, error, words in (
        (without_labels, InvalidArgumentError, "model_fn does not take 'labels', which was given"),
        (misspelt, InvalidArgumentError, "takes 'mod', which is none of .*Did you mean 'mode'"),
        (nothing, DTypeError, "model_fn returned None; let it return a dt.estimator.EstimatorSpec"),
        (no_loss, InvalidArgumentError, "mode is 'train', which needs train_op"),
        (many, ShapeError, "the loss is float32.*where one number is wanted"),
    ):
        with pytest.raises(error, match=words):
            make(model_fn=function).train(whole, steps=1)


def test_configurations(tmp_path: Path) -> None:
    config = dt.estimator.RunConfig(model_dir=tmp_path, keep_checkpoint_max=2, save_checkpoints_steps=1)
    estimator = dt.estimator.Estimator(line, config=config, params={"rate": 0.1}).train(whole, steps=5)
    assert estimator.model_dir == str(tmp_path)
    assert len(list(tmp_path.glob("model.ckpt-*.json"))) == 2
    assert config.replace(save_checkpoints_secs=30).save_checkpoints_steps is None
    for options, words in (
        ({"save_checkpoints_steps": 1, "save_checkpoints_secs": 1}, "give one of them"),
        ({"save_summary_steps": -1}, "save_summary_steps is -1"),
        ({"train_distribute": object()}, "an estimator runs in one process"),
    ):
        with pytest.raises((InvalidArgumentError, dt.errors.UnsupportedOperationError), match=words):
            dt.estimator.RunConfig(**options)
    with pytest.raises(
        dt.errors.ConfigurationError, match="'keep_checkpoints_max' is no option.*Did you mean 'keep_ch"
    ):
        config.replace(keep_checkpoints_max=3)
    with pytest.raises(InvalidArgumentError, match="model_dir is 'elsewhere', and that of config"):
        dt.estimator.Estimator(line, "elsewhere", config)


def test_a_value_that_does_not_fit_the_placeholder_names_it(make: Make) -> None:
    estimator = make().train(whole, steps=1)
    with pytest.raises((FeedError, DTypeError)):
        estimator.predict_on_batch(np.array(["a", "b"]))
