"""What cannot be exported, what is asked for wrongly, what is not installed; and that nothing is left of it."""

from __future__ import annotations

import errno
import itertools
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    ExportError,
    FeedError,
    InvalidArgumentError,
    MissingFeedError,
    NotFoundError,
    PluginError,
    StorageError,
    UninitializedVariableError,
    UnsupportedOperationError,
)
from dovetail.extend import Op, Signature, TensorType, primitive, registered
from dovetail_io.onnx import Builder, ConversionError, Value
from dovetail_io.onnx import export as exporting

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def line() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to export; a model is there already, which must be kept where another fails."""
    (tmp_path / "model.onnx").write_bytes(b"earlier")
    return tmp_path / "model.onnx"


def kept(path: Path) -> bool:
    return path.read_bytes() == b"earlier" and list(path.parent.iterdir()) == [path]


# What cannot be exported. --------------------------------------------------------------------------------------------


@primitive
class Strange(Op):
    """An operation that ONNX does not know."""

    def infer(self, x: TensorType) -> Signature:
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x + 1


def test_everything_that_cannot_be_exported_is_listed_with_its_line(path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 4, 4, 1], name="x")
    lines = [line() + 1]
    first = dt.random_normal([4, 4, 1], name="noise") + x
    lines.append(line() + 1)
    second = dt.gradients(dt.nn.max_pool(first, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"), x)[0]
    lines.append(line() + 1)
    third = Strange()(second, name="strange")
    with pytest.raises(UnsupportedOperationError) as caught:
        dt.io.export_onnx(dt.Session(), [x], [third], path)
    message = str(caught.value)
    assert message.startswith("export_onnx: 3 operations cannot be exported, so nothing was written:\n")
    listed = message.splitlines()[1:4]
    for text, number, parts in zip(
        listed,
        lines,
        [
            ("PhiloxBits", "noise", "draws random numbers"),
            ("MaxPoolGrad", "gradient"),
            ("Strange", '"strange"', "converter"),
        ],
        strict=True,
    ):
        assert f"(tests/io/test_onnx_errors.py:{number}): " in text
        assert all(part in text for part in parts)
    assert message.endswith("Choose outputs that do not need them.")
    assert kept(path)


def test_complex_numbers_are_listed(path: Path) -> None:
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    spectrum = dt.signal.rfft(x, name="spectrum")
    at = line() - 1
    y = dt.abs(spectrum, name="size")
    with dt.Session() as session, pytest.raises(UnsupportedOperationError) as raised:
        dt.io.export_onnx(session, [x], [y], path)
    text = str(raised.value)
    assert "ONNX computes with no complex numbers; keep real and imaginary parts apart" in text
    assert f"test_onnx_errors.py:{at}" in text
    assert "size" in text
    assert kept(path)


def test_writing_a_variable_is_listed(path: Path) -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    total = dt.Variable(0.0, name="total")
    after = total.assign_add(x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        with pytest.raises(UnsupportedOperationError, match="writes a variable"):
            dt.io.export_onnx(session, [x], [after], path)
    assert kept(path)


def test_dropout_while_training_says_what_to_feed(path: Path) -> None:
    x, training = dt.placeholder(dt.float32, ["n", 2], name="x"), dt.placeholder(dt.bool, [], name="training")
    y = dt.layers.dropout(x, training=training)
    with pytest.raises(UnsupportedOperationError, match=r"feeds=\{flag: False\}"):
        dt.io.export_onnx(dt.Session(), [x], [y], path, feeds={training: True})
    assert kept(path)


# Converters of third parties. ----------------------------------------------------------------------------------------


def strange(to: Builder, op: Strange, x: Value) -> Value:
    return to.node("Add", x, to.constant(1, x.dtype))


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_a_converter_of_a_third_party_is_found(opset: int, path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n"], name="x")
    with registered("onnx", "Strange", strange):
        dt.io.export_onnx(dt.Session(), [x], [Strange()(x)], path, opset=opset)
    assert [node.op_type for node in onnx.load(path).graph.node] == ["Add"]


def test_the_manual_s_converter(path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    (code,) = [one for one in re.findall(r"```python\n(.*?)```", manual, re.DOTALL) if "HardSwish" in one]
    names: dict[str, Any] = {"__name__": "my_package"}
    exec(code, names)
    x = dt.placeholder(dt.float32, ["n"], name="x")
    with registered("onnx", "HardSwish", names["hard_swish"]):
        dt.io.export_onnx(dt.Session(), [x], [names["HardSwish"]()(x)], path)
    assert [node.op_type for node in onnx.load(path).graph.node] == ["HardSwish"]


@pytest.mark.parametrize(
    ("converter", "error", "message"),
    [
        (lambda to, op, x: None, PluginError, "returned None"),
        ("no function", PluginError, "a converter is a function"),
        (lambda to, op, x: to.node("Add", x, x, x), UnsupportedOperationError, "does not take 3 inputs"),
        (lambda to, op, x: to.node("Softmax", x, axis=5), ExportError, "breaks a rule of ONNX"),
        (lambda to, op, x: to.node("Nothing", x, domain="elsewhere"), ExportError, "elsewhere.Nothing is neither"),
        (lambda to, op, x: to.node("Nothing", x), UnsupportedOperationError, "opset 21 has no operator Nothing"),
        (lambda to, op, x: to.node("And", x, x), UnsupportedOperationError, "And takes no float32 in opset 21"),
        (lambda to, op, x: to.node("Neg", x), ExportError, "differs from the session's by up to"),
        (lambda to, op, x: to.node("Size", x), ExportError, "breaks a rule of ONNX"),
    ],
)
def test_a_wrong_converter_is_found_out(converter: Any, error: Any, message: str, path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n"], name="x")
    with registered("onnx", "Strange", converter), pytest.raises(error, match=message):
        dt.io.export_onnx(dt.Session(), [x], [Strange()(x)], path)
    assert kept(path)


def test_a_converter_says_what_it_does_not_serve(path: Path) -> None:
    def refuse(to: Builder, op: Strange, x: Value) -> Value:
        raise ConversionError("only on Mondays")

    x = dt.placeholder(dt.float32, ["n"], name="x")
    with registered("onnx", "Strange", refuse), pytest.raises(UnsupportedOperationError, match="only on Mondays"):
        dt.io.export_onnx(dt.Session(), [x], [Strange()(x)], path)


# What is asked for wrongly. ------------------------------------------------------------------------------------------


def test_a_missing_placeholder_is_named_with_its_line(path: Path) -> None:
    x, rate = dt.placeholder(dt.float32, [2], name="x"), dt.placeholder(dt.float32, [], name="rate")
    with pytest.raises(
        MissingFeedError, match=r'"rate" of type float32\[\] \(node "rate" made at tests/io/test_onnx_err'
    ):
        dt.io.export_onnx(dt.Session(), [x], [x * rate], path)
    assert kept(path)


def test_a_placeholder_behind_a_flag_is_not_missing(path: Path) -> None:
    x, rate = dt.placeholder(dt.float32, ["n"], name="x"), dt.placeholder(dt.float32, [None], name="rate")
    training = dt.placeholder(dt.bool, [], name="training")
    y = dt.cond(training, lambda: x * dt.reduce_sum(rate), lambda: x + 1.0)
    dt.io.export_onnx(dt.Session(), [x], [y], path, feeds={training: False})
    with pytest.raises(MissingFeedError, match="rate"):
        dt.io.export_onnx(dt.Session(), [x], [y], path, feeds={training: True})


def test_an_unused_input_is_refused(path: Path) -> None:
    x, y = dt.placeholder(dt.float32, [2], name="x"), dt.placeholder(dt.float32, [2], name="y")
    with pytest.raises(InvalidArgumentError, match='no output depends on input "y"'):
        dt.io.export_onnx(dt.Session(), [x, y], [x + 1.0], path)


def test_an_input_of_which_only_a_size_counts_is_used(path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 2], name="x")
    dt.io.export_onnx(dt.Session(), [x], [dt.zeros([x.shape[0]])], path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"opset": 17}, InvalidArgumentError, "opset is 17; use one from 18 to 25"),
        ({"opset": 26}, InvalidArgumentError, "opset is 26"),
        ({"inputs": ["y:0"]}, NotFoundError, "no operation 'y'"),
        ({"outputs": []}, InvalidArgumentError, "outputs is empty"),
        ({"outputs": {"x": "z:0"}}, InvalidArgumentError, "'x' names both an input and an output"),
        ({"outputs": ["z", "z"]}, InvalidArgumentError, "may stand once only"),
        ({"feeds": {"x:0": [1.0, 2.0]}}, InvalidArgumentError, "both an input and in feeds"),
        ({"feeds": {"c:0": [1.0]}}, FeedError, "shape"),
        ({"sample_inputs": {"z:0": [1.0]}}, InvalidArgumentError, "none of the inputs"),
        ({"sample_inputs": {"x": [1.0, 2.0, 3.0]}}, FeedError, "shape"),
        ({"inputs": ["loose:0", "x:0"]}, InvalidArgumentError, 'rank of input "loose:0" is unknown'),
    ],
)
def test_arguments_that_make_no_sense(change: dict[str, Any], error: Any, message: str, path: Path) -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    dt.placeholder(dt.float32, None, name="loose")
    dt.add(x, dt.constant([1.0, 2.0], name="c"), name="z")
    arguments: dict[str, Any] = {"inputs": [x], "outputs": ["z:0"], **change}
    with pytest.raises(error, match=message):
        dt.io.export_onnx(dt.Session(), path=path, **arguments)
    assert kept(path)


def test_variables_must_have_values(path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 2], name="x")
    y = dt.layers.dense(x, 3, name="dense")
    with pytest.raises(UninitializedVariableError, match="dense/kernel"):
        dt.io.export_onnx(dt.Session(), [x], [y], path)


def test_random_inputs_that_the_graph_does_not_take(path: Path) -> None:
    x = dt.placeholder(dt.int32, ["n"], name="x")
    y = dt.gather(dt.constant([1.0]), x + 5)
    with pytest.raises(
        ExportError, match="the session itself failed .* pass arrays that suit the graph as sample_inputs"
    ):
        dt.io.export_onnx(dt.Session(), [x], [y], path)
    dt.io.export_onnx(dt.Session(), [x], [y], path, sample_inputs={x: [-5]})


# Files. --------------------------------------------------------------------------------------------------------------


def linear() -> tuple[dt.Session, dt.Tensor, dt.Tensor]:
    x = dt.placeholder(dt.float32, ["n", 20], name="x")
    y = dt.layers.dense(x, 30)
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session, x, y


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def fail() -> None:
        def compare(*arguments: Any, **options: Any) -> Any:
            raise ExportError("a difference")

        monkeypatch.setattr(exporting, "compare", compare)

    return fail


def test_a_file_appears_only_when_it_holds(path: Path, fails: Callable[[], None]) -> None:
    session, x, y = linear()
    fails()
    with pytest.raises(ExportError, match="a difference"):
        dt.io.export_onnx(session, [x], [y], path)
    assert kept(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    session, x, y = linear()
    with pytest.raises(StorageError):
        dt.io.export_onnx(session, [x], [y], tmp_path / "nowhere" / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_large_weights_lie_beside_the_model(path: Path, monkeypatch: pytest.MonkeyPatch, fails: Any) -> None:
    session, x, y = linear()
    monkeypatch.setattr(exporting, "EXTERNAL_LIMIT", 1000)
    report = dt.io.export_onnx(session, [x], [y], path)
    assert report.verified_by == "ONNX Runtime"
    assert sorted(one.name for one in path.parent.iterdir()) == ["model.onnx", "model.onnx.data"]
    array = np.ones((2, 20), np.float32)

    def holds() -> None:
        runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        np.testing.assert_allclose(runtime.run(None, {"x": array})[0], session.run(y, {x: array}), rtol=1e-5)

    holds()
    # Whenever a writer is killed, the model that is there has its own weights: theirs are never written over.
    (path.parent / f".model.onnx.{'0' * 16}.partial").mkdir()
    dt.io.export_onnx(session, [x], [y], path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["model.onnx", "model.onnx.1.data"]
    holds()
    dt.io.export_onnx(session, [x], [y], path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["model.onnx", "model.onnx.data"]
    holds()

    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    fails()
    with pytest.raises(ExportError, match="a difference"):
        dt.io.export_onnx(session, [x], [y], path)
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before
    with pytest.raises(StorageError, match='there is no folder ".*nowhere"'):
        dt.io.export_onnx(session, [x], [y], path.parent / "nowhere" / "model.onnx")
    monkeypatch.undo()
    monkeypatch.setenv("DOVETAIL_BACKENDS", "CPU=reference")
    dt.io.export_onnx(session, [x], [y], path)
    assert [one.name for one in path.parent.iterdir()] == ["model.onnx"]  # which holds its weights itself


@pytest.mark.parametrize("limit", [1000, None])
def test_a_full_disk_leaves_what_was_there(limit: int | None, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, x, y = linear()
    if limit is not None:
        monkeypatch.setattr(exporting, "EXTERNAL_LIMIT", limit)
    message = f'"{re.escape(str(path.parent))}": .*No space left.* as it was'

    def full(*arguments: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match=message):
            dt.io.export_onnx(session, [x], [y], path)
    assert kept(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(path: Path) -> None:
    session, x, y = linear()
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Permission denied"):
            dt.io.export_onnx(session, [x], [y], path)
    finally:
        path.parent.chmod(0o700)
    assert kept(path)


# Whenever the writer is killed. --------------------------------------------------------------------------------------


class Killed(BaseException):
    """What stands for the end of the process."""


@contextmanager
def killed_at(call: int) -> Iterator[list[int]]:
    """Let the process end at a call of the system that writes, and everything after it, what clears away too, fail."""
    count = [0]

    def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] >= call:
                raise Killed
            return function(*arguments, **options)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "mkdir", "remove", "rename", "replace", "rmdir", "unlink", "write"):
            patch.setattr(os, name, guarded(getattr(os, name)))
        yield count


@pytest.mark.parametrize("limit", [100, 10**9])
def test_whenever_the_writer_is_killed_there_is_a_whole_model(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = dt.placeholder(dt.float32, [2, 20], name="x")
    w = dt.get_variable("w", [20, 30], initializer=dt.ones_initializer())
    y = dt.matmul(x, w)
    monkeypatch.setattr(exporting, "EXTERNAL_LIMIT", limit)
    path, ones = tmp_path / "model.onnx", np.ones((2, 20), np.float32)

    def answer() -> float:
        runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return float(runtime.run(None, {"x": ones})[0][0, 0])

    with dt.Session() as session:
        session.run(w.initializer)
        dt.io.export_onnx(session, [x], [y], path, verify=False)
        before = answer()
        for call in itertools.count(1):
            w.load(np.full((20, 30), call + 1.0), session)
            with killed_at(call) as count, suppress(Killed):
                dt.io.export_onnx(session, [x], [y], path, verify=False)
            now = answer()
            assert now in (before, 20.0 * (call + 1))
            if count[0] < call:  # it came to its end
                break
            before = now
        assert now == 20.0 * (call + 1)
        assert call > 2
        dt.io.export_onnx(session, [x], [y], path, verify=False)  # clears away what the killed ones left
    assert len(list(tmp_path.iterdir())) == (2 if limit == 100 else 1)


# What is not installed. ----------------------------------------------------------------------------------------------


def test_neither_package_is_loaded_before_something_is_exported() -> None:
    code = "import sys, dovetail as dt; dt.io.export_onnx; assert not {'onnx', 'onnxruntime'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_onnx_the_message_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, x, y = linear()
    monkeypatch.setitem(sys.modules, "onnx.checker", None)
    with pytest.raises(PluginError, match=r"pip install 'dovetail-io\[onnx\]'"):
        dt.io.export_onnx(session, [x], [y], path)
    assert kept(path)


def test_without_onnx_runtime_a_warning_says_what_was_not_checked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, x, y = linear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.warns(UserWarning, match="onnxruntime is not installed: .* was not checked"):
        report = dt.io.export_onnx(session, [x], [y], path)
    assert report.verified_by == ""
    assert "not compared, as onnxruntime is not installed" in repr(report)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dt.save(session, path, inputs=[x], outputs=[y])
    assert [one.filename for one in caught] == [__file__]
    assert not kept(path)


def test_without_verification_nothing_is_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, x, y = linear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dt.io.export_onnx(session, [x], [y], path, verify=False).verified_by == ""
