"""Summaries: what they hold, beside TensorFlow; what they are called; what they refuse."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, OperationError, ShapeError
from tests.train.summary_cases import CASES

pytest.importorskip("tensorboard", reason="summaries need tensorboard")

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_summaries.npz")


def pixels(value: Any) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))


def run(summary: dt.Tensor, feeds: Any = None) -> Any:
    """Return the values of a summary by tag."""
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return {value.tag: value for value in dt.Summary.FromString(session.run(summary, feeds)).value}


@pytest.mark.parametrize("name", CASES)
def test_a_summary_is_tensorflows(name: str) -> None:
    function, arrays = CASES[name]
    found = run(function(dt, *[dt.constant(array) for array in arrays]))
    wanted = {value.tag: value for value in dt.Summary.FromString(RECORDED[name].tobytes()).value}
    assert list(found) == list(wanted)
    for tag, value in wanted.items():
        ours = found[tag]
        if value.HasField("image"):
            np.testing.assert_array_equal(pixels(ours), pixels(value))
            for message in (ours, value):
                message.image.ClearField("encoded_image_string")
        if value.HasField("histo"):
            for field in ("sum", "sum_squares"):  # added up in another order
                assert getattr(ours.histo, field) == pytest.approx(getattr(value.histo, field), rel=1e-6)
                setattr(ours.histo, field, getattr(value.histo, field))
        if value.HasField("tensor"):
            from tensorboard.util import tensor_util

            np.testing.assert_array_equal(tensor_util.make_ndarray(ours.tensor), tensor_util.make_ndarray(value.tensor))
            ours.ClearField("tensor")
            value.ClearField("tensor")
        assert ours == value


def test_a_tensor_alone_gives_its_name() -> None:
    with dt.name_scope("net"):
        h = dt.identity(dt.constant([1.0, 2.0]), name="h")
    kernel = dt.get_variable("dense/kernel", [2, 2])
    parts = dt.split(h, 2, name="parts")
    with dt.name_scope("elsewhere"):
        for one in (h, kernel, parts[1]):
            dt.summary.histogram(one)
        again = dt.summary.histogram(h)
    dt.summary.scalar(dt.reduce_sum(h, name="total"))
    dt.summary.scalar(dt.reduce_mean(h, name="mean"), family="means")
    found = run(dt.summary.merge_all())
    assert list(found) == ["net/h", "dense/kernel", "parts_1", "net/h_1", "total", "means/mean"]
    assert again.op.name == "net/h/histogram_1"
    assert found["dense/kernel"].histo.num == 4


def test_a_name_is_made_fit(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dovetail")
    assert list(run(dt.summary.scalar("größe, m", 1.0))) == ["gr__e__m"]
    assert caplog.records[0].getMessage() == "Summary name größe, m is illegal; using gr__e__m instead."


def test_nothing_collected_is_none() -> None:
    assert dt.summary.merge_all() is None
    dt.summary.scalar("a", 1.0, collections=["mine"])
    assert dt.summary.merge_all() is None
    assert list(run(dt.summary.merge_all("mine"))) == ["a"]


def test_a_float16_and_a_bfloat16_are_shown() -> None:
    for dtype in (dt.float16, dt.bfloat16):
        values = dt.constant([[1.0, -2.0], [0.5, 0.25]], dtype)
        dt.summary.scalar("first", values[0, 0])
        dt.summary.histogram("all", values)
        dt.summary.image("picture", dt.reshape(values, [1, 2, 2, 1]), 1)
        found = run(dt.summary.merge_all())
        assert found["first"].simple_value == 1.0
        assert (found["all"].histo.min, found["all"].histo.num) == (-2.0, 4)
        assert pixels(found["picture/image"]).tolist() == [[191, 1], [159, 143]]
        dt.reset_default_graph()


def test_what_cannot_be_shown_is_refused() -> None:
    x = dt.constant([1.0, 2.0], name="x")
    flag, word = dt.constant(True), dt.constant("a")
    cases: list[tuple[Any, type[Exception], str]] = [
        (
            lambda: dt.summary.scalar("s", x),
            ShapeError,
            "summary.scalar: 's' is float32[2], where one number is wanted",
        ),
        (
            lambda: dt.summary.scalar("b", flag),
            DTypeError,
            "summary.scalar: 'b' is bool, where a number is wanted. Use",
        ),
        (lambda: dt.summary.scalar("s", None), DTypeError, "summary.scalar: there is nothing to show but 's'; give a"),
        (lambda: dt.summary.scalar(3, x), DTypeError, "summary.scalar: the name is 3; give a string, then what"),
        (lambda: dt.summary.histogram("h", word), DTypeError, "summary.histogram: 'h' is string, where numbers are"),
        (lambda: dt.summary.histogram(None), DTypeError, "summary.histogram: there is nothing to show but None; give"),
        (
            lambda: dt.summary.image("i", x),
            ShapeError,
            "summary.image: 'i' is float32[2], where [batch, height, width,",
        ),
        (
            lambda: dt.summary.image("i", dt.zeros([1, 2, 2, 2])),
            ShapeError,
            "with 1, 3 or 4 channels is wanted. Use dt.",
        ),
        (
            lambda: dt.summary.image("i", dt.zeros([1, 2, 2, 1], dt.int32)),
            DTypeError,
            "is int32, where floats or uint8",
        ),
        (lambda: dt.summary.image("i", dt.zeros([1, 2, 2, 1]), 0), InvalidArgumentError, "max_outputs is 0; give at"),
        (lambda: dt.summary.audio("a", x, 8000), ShapeError, "where [batch, frames] or [batch, frames, channels] is"),
        (
            lambda: dt.summary.audio("r", dt.zeros([1, 2]), [1.0, 2.0]),
            ShapeError,
            "the sample_rate of 'r' is float32[2]",
        ),
        (lambda: dt.summary.audio("a", dt.zeros([1, 2], dt.int16), 8000), DTypeError, "is int16, where floats are"),
        (lambda: dt.summary.audio("a", dt.zeros([1, 2]), 8000, 0), InvalidArgumentError, "max_outputs is 0; give at"),
        (
            lambda: dt.summary.text("t", x),
            DTypeError,
            "summary.text: 'x:0' is float32, where text is wanted. Use dt.as_",
        ),
        (lambda: dt.summary.merge([]), InvalidArgumentError, "summary.merge: there are no summaries to merge;"),
        (
            lambda: dt.summary.merge([x]),
            DTypeError,
            "summary.merge: input 0 is float32, where a summary is wanted. Give",
        ),
    ]
    for make, kind, message in cases:
        with pytest.raises(kind) as raised:
            make()
        assert message in str(raised.value)


def test_a_histogram_of_what_is_no_number_says_which() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    summary = dt.summary.histogram("weights", x)
    with dt.Session() as session, pytest.raises(OperationError) as raised:
        session.run(summary, {x: [np.nan, 1.0, np.inf]})
    assert "summary.histogram: 'weights' holds 1 NaN and 1 infinite of 3 elements. dt.Session" in str(raised.value)
    assert "test_summaries.py" in str(raised.value)


def test_two_values_of_one_tag_are_refused() -> None:
    one = dt.summary.scalar("a", 1.0)
    with dt.Session() as session, pytest.raises(OperationError, match="two summaries have the tag 'a'. Name one"):
        session.run(dt.summary.merge([one, one]))


def test_sizes_that_only_a_run_knows_are_checked_there() -> None:
    x = dt.placeholder(dt.float32, [None, None, None, None], name="x")
    dt.summary.image("i", x, 1)
    with dt.Session() as session:
        session.run(dt.summary.merge_all(), {x: np.zeros((1, 2, 2, 3))})
        with pytest.raises(OperationError, match="summary.image: 'i' has 2 channels, where 1, 3 or 4 are wanted"):
            session.run(dt.summary.merge_all(), {x: np.zeros((1, 2, 2, 2))})


def test_summaries_are_kept_by_graph_files(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    v = dt.get_variable("v", initializer=dt.constant([1.0, 2.0]))
    dt.summary.scalar("loss", x)
    dt.summary.histogram(v)
    dt.summary.text("note", dt.constant("hello"))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(dt.summary.merge_all(), {x: 3.0})
        path = dt.train.Saver().save(session, tmp_path / "model")
    dt.reset_default_graph()
    saver = dt.train.import_meta_graph(f"{path}.meta")
    with dt.Session() as session:
        saver.restore(session, path)
        assert session.run(dt.summary.merge_all(), {"x:0": 3.0}) == before


def test_a_summary_is_no_part_of_a_step_that_does_not_fetch_it() -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    loss = dt.reduce_mean(dt.square(dt.layers.dense(x, 2)))
    plain = dt.explain(loss)
    dt.summary.scalar("loss", loss)
    dt.summary.merge_all()
    assert str(dt.explain(loss)) == str(plain)


def test_messages_are_classes_of_tensorboard() -> None:
    from tensorboard.compat.proto import event_pb2, summary_pb2

    made = dt.Summary(value=[dt.Summary.Value(tag="a", simple_value=0.5)])
    assert isinstance(made, summary_pb2.Summary)
    assert isinstance(made, dt.summary.Summary)
    assert not isinstance(made, dt.Event)
    assert isinstance(dt.Summary.Value(histo=dt.HistogramProto(num=3.0)).histo, dt.HistogramProto)
    assert isinstance(dt.Event(log_message=dt.LogMessage(message="hello")).log_message, dt.LogMessage)
    assert dt.SessionLog.START == event_pb2.SessionLog.START
    assert repr(dt.summary.Summary) == "<the protocol buffer 'Summary' of tensorboard>"


def test_a_tensor_for_a_plugin_of_tensorboard() -> None:
    about = dt.SummaryMetadata(plugin_data=dt.SummaryMetadata.PluginData(plugin_name="curves", content=b"1"))
    curve = dt.constant([1.0, 2.0])
    dt.summary.tensor_summary("one", curve, summary_metadata=about, display_name="One", family="all")
    dt.summary.tensor_summary("two", curve, summary_description=dt.summary.SummaryDescription(type_hint="points"))
    found = run(dt.summary.merge_all())
    assert list(found) == ["all/all/one", "two"]
    first = found["all/all/one"].metadata
    assert (first.plugin_data.plugin_name, first.plugin_data.content, first.display_name) == ("curves", b"1", "One")
    assert found["two"].metadata.summary_description == "points"
    assert about.display_name == "", "what was given is as it was"
