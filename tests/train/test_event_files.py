"""Event files: what is written, when, and what happens where it cannot be."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError, StorageError

pytest.importorskip("tensorboard", reason="event files need tensorboard")


@pytest.fixture(autouse=True)
def no_writers() -> Iterator[None]:
    """No test sees another's writers."""
    yield
    dt.summary.FileWriterCache.clear()


def summary(value: float, tag: str = "loss") -> Any:
    return dt.Summary(value=[dt.Summary.Value(tag=tag, simple_value=value)])


def scalars(folder: Path, tag: str = "loss") -> list[tuple[int, float]]:
    """Return what TensorBoard's own reader finds."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in found.Scalars(tag)]


def test_tensorboard_reads_what_a_run_gives(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    x = dt.placeholder(dt.float32, [None], name="x")
    dt.summary.scalar("loss", dt.reduce_mean(x))
    dt.summary.histogram(x)
    dt.summary.image("picture", dt.reshape(x, [1, 2, 2, 1]), max_outputs=1)
    dt.summary.audio("sound", dt.reshape(x, [1, -1]), 4, max_outputs=1)
    dt.summary.text("note", dt.constant("**hello**"))
    merged = dt.summary.merge_all()
    with dt.Session() as session, dt.summary.FileWriter(tmp_path, session.graph) as writer:
        for step in range(0, 30, 10):
            writer.add_summary(session.run(merged, {x: [step, 1.0, 2.0, 3.0]}), np.int64(step))
    found = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0}).Reload()
    tags = found.Tags()
    assert (tags["scalars"], tags["histograms"], tags["images"]) == (["loss"], ["x"], ["picture/image"])
    assert (tags["audio"], tags["tensors"], tags["graph"]) == (["sound/audio"], ["note"], True)
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(0, 1.5), (10, 4.0), (20, 6.5)]
    assert found.Histograms("x")[1].histogram_value.max == 10
    assert found.Images("picture/image")[0].encoded_image_string.startswith(b"\x89PNG")
    assert [event.tensor_proto.string_val for event in found.Tensors("note")] == [[b"**hello**"]] * 3
    assert found.SummaryMetadata("note").plugin_data.plugin_name == "text"
    assert abs(found.Scalars("loss")[0].wall_time - tmp_path.stat().st_mtime) < 600


def test_metadata_are_written_once(tmp_path: Path) -> None:
    message = dt.Summary(value=[dt.Summary.Value(tag="a", metadata=dt.SummaryMetadata(display_name="A"))])
    with dt.summary.FileWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_summary(message, step)
    events = [event.summary.value[0] for event in dt.train.summary_iterator(writer.path) if event.summary.value]
    assert [value.HasField("metadata") for value in events] == [True, False, False]
    assert message.value[0].metadata.display_name == "A", "what was given is as it was"


def test_the_file_is_named_as_tensorboard_expects(tmp_path: Path) -> None:
    writer = dt.summary.FileWriter(tmp_path / "a" / "b", filename_suffix=".mine")
    name = Path(writer.path).name
    assert name.startswith("events.out.tfevents.")
    assert name.endswith(".mine")
    assert str(os.getpid()) in name
    assert writer.get_logdir() == str(tmp_path / "a" / "b")
    first = next(dt.train.summary_iterator(writer.path))
    assert first.file_version == "brain.Event:2", "a file begins with its version, on the disk at once"
    assert dt.summary.FileWriter(tmp_path / "a" / "b").path != writer.path


def test_flushing_makes_records_visible(tmp_path: Path) -> None:
    writer = dt.summary.FileWriter(tmp_path)
    writer.add_summary(summary(1.0), 1)
    writer.flush()
    assert scalars(tmp_path) == [(1, 1.0)]
    writer.close()
    writer.close()


def test_records_reach_the_disk_after_a_while(tmp_path: Path) -> None:
    writer = dt.summary.FileWriter(tmp_path, flush_secs=0.05)
    writer.add_summary(summary(1.0), 1)
    for _ in range(400):
        if len(list(dt.train.summary_iterator(writer.path))) == 2:
            break
        time.sleep(0.05)
    assert scalars(tmp_path) == [(1, 1.0)]


def test_large_records_do_not_pile_up(tmp_path: Path) -> None:
    writer = dt.summary.FileWriter(tmp_path, max_queue=1)
    message = dt.Summary(value=[dt.Summary.Value(tag="b", tensor={"string_val": [b"x" * 70_000]})])
    for step in range(4):
        writer.add_summary(message, step)
    assert Path(writer.path).stat().st_size > 70_000, "though nobody has flushed"


def test_many_threads_may_write(tmp_path: Path) -> None:
    with dt.summary.FileWriter(tmp_path, max_queue=2) as writer:
        threads = [
            threading.Thread(target=lambda: [writer.add_summary(summary(1.0), step) for step in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(event.HasField("summary") for event in dt.train.summary_iterator(writer.path)) == 200


def test_a_closed_writer_warns_and_can_be_opened_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = dt.summary.FileWriter(tmp_path)
    writer.add_summary(summary(1.0), 1)
    writer.close()
    first = writer.path
    for act in (lambda: writer.add_summary(summary(2.0), 2), writer.flush, lambda: writer.add_event(dt.Event())):
        caplog.clear()
        act()
        assert caplog.records[0].levelno == logging.WARNING
        assert caplog.records[0].getMessage() == (
            f"FileWriter: the writer of {str(tmp_path)!r} is closed, so that nothing is written; reopen() begins "
            "another file."
        )
    writer.reopen()
    writer.add_summary(summary(3.0), 3)
    writer.reopen()
    writer.add_event(dt.Event(step=4, summary=summary(4.0)))
    writer.close()
    assert writer.path != first
    assert [event.step for event in dt.train.summary_iterator(writer.path)] == [0, 3, 4]


def test_what_is_no_summary_is_refused(tmp_path: Path) -> None:
    writer = dt.summary.FileWriter(tmp_path)
    node = dt.summary.scalar("a", 1.0)
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda: writer.add_summary(None, 1), DTypeError, "None is no summary; give what session.run returned for one"),
        (lambda: writer.add_summary(node, 1), DTypeError, "returned for one (run it in a session)."),
        (lambda: writer.add_summary(b"\xff\xff", 1), InvalidArgumentError, r"b'\xff\xff' is no summary; give what"),
        (lambda: writer.add_summary(summary(1.0), node), DTypeError, "give a number, such as session.run(global_step)"),
        (lambda: writer.add_event(summary(1.0)), DTypeError, "is no dt.Event."),
        (lambda: writer.add_graph(7), DTypeError, "FileWriter.add_graph: 7 is no graph; give a dt.Graph, or the"),
        (lambda: dt.summary.FileWriter(None), DTypeError, "FileWriter: logdir is None; give the name of a folder."),
        (
            lambda: dt.summary.FileWriter(tmp_path, flush_secs=0),
            InvalidArgumentError,
            "flush_secs is 0; give a positive",
        ),
    ]
    for make, kind, message in cases:
        with pytest.raises(kind) as raised:
            make()
        assert message in str(raised.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError) as raised:
        dt.summary.FileWriter(tmp_path / "file" / "logs")
    assert str(raised.value).startswith(f"the event file {str(tmp_path / 'file' / 'logs')!r}"[:-1])
    assert str(raised.value).endswith("cannot be made: Not a directory. Give another logdir.")


def test_other_events_are_written(tmp_path: Path) -> None:
    profile = dt.profile(dt.Session(), dt.tanh(dt.zeros([100]), name="act"))
    with dt.summary.FileWriter(tmp_path, graph_def=None) as writer:
        writer.add_session_log(dt.SessionLog(status=dt.SessionLog.START), 1)
        writer.add_run_metadata(profile, "step 1", 1)
        with pytest.raises(InvalidArgumentError, match="the tag 'step 1' was used before; give another"):
            writer.add_run_metadata(dt.RunMetadata(), "step 1", 2)
    found = list(dt.train.summary_iterator(writer.path))
    assert found[1].session_log.status == dt.SessionLog.START
    measured = dt.RunMetadata.FromString(found[2].tagged_run_metadata.run_metadata)
    assert isinstance(found[2].tagged_run_metadata, dt.summary.TaggedRunMetadata)
    (device,) = measured.step_stats.dev_stats
    assert device.device == "/device:CPU:0"
    assert all(node.all_end_rel_nanos > 0 for node in device.node_stats)


def test_writers_are_shared_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dt.constant(1.0, name="one")
    writer = dt.summary.FileWriterCache.get("logs")
    assert dt.summary.FileWriterCache.get(tmp_path / "logs") is writer
    writer.flush()
    assert list(dt.train.summary_iterator(writer.path))[1].HasField("graph_def")
    dt.summary.FileWriterCache.clear()
    assert dt.summary.FileWriterCache.get("logs") is not writer


def test_damage_is_found(tmp_path: Path) -> None:
    with dt.summary.FileWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_summary(summary(1.0), step)
    path = Path(writer.path)
    whole = path.read_bytes()
    for harm in (whole[:-3], whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]):
        path.write_bytes(harm)
        seen = []
        with pytest.raises(FormatError) as raised:
            seen.extend(event.step for event in dt.train.summary_iterator(path))
        assert f"{str(path)!r}: record 3 of the event file is damaged or not whole" in str(raised.value)
    with pytest.raises(NotFoundError, match="there is no file .*nothing"):
        dt.train.summary_iterator(tmp_path / "nothing")
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        dt.train.summary_iterator(tmp_path)


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True)


def test_records_are_written_though_the_program_ends_without_closing(tmp_path: Path) -> None:
    done = run(
        "import dovetail as dt\n"
        "writer = dt.summary.FileWriter('.')\n"
        "for step in range(5):\n"
        "    writer.add_summary(dt.Summary(value=[dt.Summary.Value(tag='loss', simple_value=step)]), step)\n"
        "raise ZeroDivisionError\n",
        tmp_path,
    )
    assert done.stderr.rstrip().endswith("ZeroDivisionError")
    assert scalars(tmp_path) == [(step, float(step)) for step in range(5)]


FULL = """
import resource, signal
import dovetail as dt
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = dt.summary.FileWriterCache.get("logs")
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
step = 0
try:
    while True:
        writer.add_summary(dt.Summary(value=[dt.Summary.Value(tag="loss", simple_value=step)]), step)
        writer.flush()
        step += 1
except dt.errors.StorageError as error:
    print(error)
for act in (writer.flush, writer.close, lambda: writer.add_summary(dt.Summary(), 1)):
    try:
        act()
    except dt.errors.StorageError:
        pass
writer.close()
print(step)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))
again = dt.summary.FileWriterCache.get("logs")
again.add_summary(dt.Summary(), step)
again.flush()
print(again is not writer, writer.failed, again.failed)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of files")
def test_a_full_disk_is_named_and_leaves_whole_records(tmp_path: Path) -> None:
    done = run(FULL, tmp_path)
    assert done.returncode == 0, done.stderr
    message, steps, again = done.stdout.splitlines()
    assert again == "True True False", "where there is room again, another file is begun"
    path, _ = sorted((tmp_path / "logs").iterdir(), key=lambda one: -one.stat().st_size)
    assert message == (
        f"the event file 'logs/{path.name}' cannot be written on: File too large. It ends after the last record that "
        "was written whole. Make room, or write to another folder."
    )
    assert "loss" in path.read_bytes().decode("latin-1")
    assert path.stat().st_size <= 5000
    assert sum(event.HasField("summary") for event in dt.train.summary_iterator(path)) == int(steps)
