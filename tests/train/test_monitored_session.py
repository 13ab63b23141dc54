"""Sessions with hooks: the order of events, what is fed and fetched, how loops end, where variables come from."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    ClosedSessionError,
    FinalizedGraphError,
    GraphError,
    InvalidArgumentError,
    OutOfRangeError,
    UninitializedVariableError,
)


class Recorder(dt.train.SessionRunHook):
    """Writes down what happens to it."""

    def __init__(self, events: list[str], name: str, args: Any = None, stop_after: int | None = None) -> None:
        self.events, self.name, self.args, self.stop_after = events, name, args, stop_after
        self.results: list[Any] = []

    def begin(self) -> None:
        assert not dt.get_default_graph().finalized
        self.events.append(f"{self.name} begin")

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        assert session.graph.finalized
        assert not coord.should_stop()
        self.events.append(f"{self.name} created")

    def before_run(self, run_context: Any) -> Any:
        assert not run_context.stop_requested
        self.events.append(f"{self.name} before {run_context.original_args.fetches.name}")
        return self.args

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.events.append(f"{self.name} after")
        self.results.append(run_values.results)
        if len(self.results) == self.stop_after:
            run_context.request_stop()

    def end(self, session: dt.Session) -> None:
        self.events.append(f"{self.name} end")


def counter() -> tuple[dt.Variable, dt.Operation]:
    """A global step, and what raises it."""
    step = dt.train.get_or_create_global_step()
    return step, dt.assign_add(step, 1, name="raise").op


def test_hooks_are_called_in_order() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    y = dt.multiply(x, 2.0, name="y")
    events: list[str] = []
    first = Recorder(events, "first", dt.train.SessionRunArgs({"twice": [y, y]}, {x: 3.0}))
    second = Recorder(events, "second", stop_after=2)
    with dt.train.MonitoredSession(hooks=[first, second]) as session:
        assert session.graph is dt.get_default_graph()
        assert not session.should_stop()
        while not session.should_stop():
            assert session.run(y) == 6.0
    steps = ["first before y:0", "second before y:0", "first after", "second after"] * 2
    assert events == [
        "first begin",
        "second begin",
        "first created",
        "second created",
        *steps,
        "first end",
        "second end",
    ]
    assert first.results == [{"twice": [6.0, 6.0]}] * 2
    assert second.results == [None, None]
    assert session.should_stop()
    with pytest.raises(ClosedSessionError, match="^the monitored session is closed; look at should_stop"):
        session.run(y)


def test_the_graph_is_finalized() -> None:
    v = dt.Variable(1.0)
    with dt.train.MonitoredSession() as session:
        assert session.run(v) == 1.0
        with pytest.raises(FinalizedGraphError):
            dt.constant(1.0)


def test_an_error_leaves_and_the_end_of_the_data_does_not() -> None:
    for error, ends in ((ValueError("wrong"), False), (OutOfRangeError("no more"), True), (StopIteration(), True)):
        dt.reset_default_graph()
        seen = dt.Variable(1.0).value()
        events: list[str] = []
        hook = Recorder(events, "hook")
        session = dt.train.MonitoredSession(hooks=[hook])
        with contextlib.nullcontext() if ends else pytest.raises(ValueError, match="^wrong$"), session:
            session.run(seen)
            raise error
        assert ("hook end" in events) == ends


def test_a_tensor_is_fed_once() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    hook = dt.train.FeedFnHook(lambda: {x: 1.0})
    with dt.train.SingularMonitoredSession(hooks=[hook]) as session:
        assert session.run(x) == 1.0
        with pytest.raises(InvalidArgumentError, match="^FeedFnHook: the hook feeds .*, which the step or another"):
            session.run(x, {x: 2.0})


def test_steps_by_a_function() -> None:
    step, up = counter()
    events: list[str] = []
    value = step.value()
    with dt.train.MonitoredSession(hooks=[Recorder(events, "hook")]) as session:

        def twice(step_context: Any) -> Any:
            step_context.session.run(up)
            step_context.session.run(up)
            return step_context.run_with_hooks(value)

        def stop(step_context: Any) -> None:
            step_context.request_stop()

        assert session.run_step_fn(twice) == 2
        assert session.run_step_fn(stop) is None
        assert session.should_stop()
    assert events[2:4] == [f"hook before {value.name}", "hook after"]


def test_a_thread_that_fails_ends_the_loop() -> None:
    v = dt.Variable(1.0)

    class Failing(dt.train.SessionRunHook):
        def after_create_session(self, session: dt.Session, coord: Any) -> None:
            coord.request_stop(ValueError("the thread failed"))

    session = dt.train.MonitoredSession(hooks=[Failing()])
    with pytest.raises(ValueError, match="^the thread failed$"):
        session.run(v)
    with pytest.raises(ValueError, match="^the thread failed$"):
        session.close()
    session.close()


def test_a_hook_that_fails_at_once_leaves_no_session_open() -> None:
    sessions = []

    class Failing(dt.train.SessionRunHook):
        def after_create_session(self, session: dt.Session, coord: Any) -> None:
            sessions.append(session)
            raise ValueError("no")

    v = dt.Variable(1.0)
    with pytest.raises(ValueError, match="^no$"):
        dt.train.MonitoredSession(hooks=[Failing()])
    with pytest.raises(ClosedSessionError):
        sessions[0].run(v)


# Where variables come from. -------------------------------------------------------------------------------------------


def test_training_goes_on_where_it_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for last in (3, 5):
        dt.reset_default_graph()
        step, up = counter()
        local = dt.get_local_variable("local", [], initializer=dt.ones_initializer())
        hooks = [dt.train.StopAtStepHook(last_step=last)]
        with dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, hooks=hooks) as session:
            assert session.run(step) == (0 if last == 3 else 3)
            assert session.run(local) == 1.0
            while not session.should_stop():
                session.run(up)
    assert dt.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-5")
    assert (tmp_path / "graph.pbtxt").is_file()
    assert caplog.records == []


def test_a_scaffold_says_how_variables_get_their_values(tmp_path: Path) -> None:
    v, x = dt.Variable(1.0, name="v"), dt.placeholder(dt.float32, [])
    w = dt.Variable(2.0, name="w")
    order = []
    scaffold = dt.train.Scaffold(
        init_op=dt.group(v.assign(x), w.initializer),
        init_feed_dict={x: 7.0},
        init_fn=lambda scaffold, session: order.append(session.run(v)),
        local_init_op=w.assign_add(x),
        local_init_feed_dict={x: 1.0},
    )
    copied = dt.train.Scaffold(copy_from_scaffold=scaffold, local_init_feed_dict={x: 2.0})
    with dt.train.SingularMonitoredSession(scaffold=copied) as session:
        assert session.run([v, w]) == [7.0, 4.0]
        copied.saver.save(session.raw_session(), tmp_path / "model")
    assert order == [7.0]
    assert copied.init_op is scaffold.init_op

    dt.reset_default_graph()
    v, w = dt.Variable(1.0, name="v"), dt.Variable(2.0, name="w")
    creator = dt.train.ChiefSessionCreator(checkpoint_filename_with_path=tmp_path / "model")
    assert isinstance(creator, dt.train.SessionCreator)
    with dt.train.MonitoredSession(session_creator=creator) as session:
        assert session.run([v, w]) == [7.0, 4.0]


def test_variables_without_a_value_are_named(tmp_path: Path) -> None:
    v = dt.Variable(1.0, name="v")
    dt.Variable(2.0, name="w")
    with pytest.raises(UninitializedVariableError) as raised:
        dt.train.MonitoredTrainingSession(scaffold=dt.train.Scaffold(init_op=v.initializer))
    assert str(raised.value) == (
        "variables have no value: w; the initializers of the scaffold do not write them. Give the Scaffold an init_op, "
        "init_fn or local_init_op that does."
    )
    dt.reset_default_graph()
    v = dt.Variable(1.0, name="v")
    dt.train.get_or_create_global_step()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        dt.train.Saver([v]).save(session, tmp_path / "model")
    scaffold = dt.train.Scaffold(saver=dt.train.Saver([v]))
    with pytest.raises(UninitializedVariableError, match=r"value: global_step; the checkpoint \".*model\", which was"):
        dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, scaffold=scaffold)


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="^MonitoredTrainingSession: is_chief is false"):
        dt.train.MonitoredTrainingSession(is_chief=False)
    with pytest.raises(InvalidArgumentError, match="save_checkpoint_secs is 5, save_checkpoint_steps 6; give one of"):
        dt.train.MonitoredTrainingSession(save_checkpoint_secs=5, save_checkpoint_steps=6)
    with pytest.raises(InvalidArgumentError, match="^ChiefSessionCreator: checkpoint_dir and checkpoint_filename"):
        dt.train.ChiefSessionCreator(checkpoint_dir=tmp_path, checkpoint_filename_with_path=tmp_path / "model")
    with pytest.raises(InvalidArgumentError, match=r"^SessionCreator does not define create_session\(\).$"):
        dt.train.SessionCreator().create_session()
    for _ in range(2):
        dt.add_to_collection(dt.GraphKeys.INIT_OP, dt.no_op())
    with pytest.raises(GraphError, match="^Scaffold: the collection 'init_op' holds 2 items; pass the one that is"):
        dt.train.Scaffold().finalize()


def test_nothing_is_saved_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    step, up = counter()
    with dt.train.MonitoredTrainingSession(hooks=[dt.train.StopAtStepHook(num_steps=2)]) as session:
        while not session.should_stop():
            session.run(up)
        assert session.run(step) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_trained_model_is_the_one_that_was_saved(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [None, 2])
    y = dt.layers.dense(x, 1, kernel_initializer=dt.ones_initializer())
    loss = dt.losses.mean_squared_error(dt.zeros_like(y), y)
    train = dt.train.AdamOptimizer(0.1).minimize(loss, global_step=dt.train.get_or_create_global_step())
    kernel = dt.trainable_variables()[0]
    with dt.train.MonitoredTrainingSession(
        checkpoint_dir=tmp_path, save_checkpoint_steps=2, save_checkpoint_secs=None, log_step_count_steps=None
    ) as session:
        for _ in range(3):
            session.run(train, {x: [[1.0, 2.0]]})
        trained = session.run(kernel)
    np.testing.assert_array_equal(dt.train.load_variable(tmp_path, kernel.op.name), trained)


def test_checkpoints_are_written_in_the_background_with_what_hooks_keep(tmp_path: Path) -> None:
    class Counter(dt.train.SessionRunHook):
        """A hook that goes on where it was."""

        name = "counter"

        def __init__(self) -> None:
            self.steps = 0

        def begin(self) -> None:
            dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, self)

        def after_run(self, run_context: Any, run_values: Any) -> None:
            self.steps += 1

        def state(self) -> Any:
            return {"steps": self.steps}

        def restore(self, state: Any) -> None:
            self.steps = state["steps"]

    def train(last: int) -> int:
        with dt.Graph().as_default():
            w = dt.Variable(1.0, name="w")
            step = dt.train.get_or_create_global_step()
            update = dt.train.GradientDescentOptimizer(0.1).minimize(w * w, global_step=step)
            counter = Counter()
            scaffold = dt.train.Scaffold(saver=dt.train.Saver(asynchronous=True))
            with dt.train.MonitoredTrainingSession(
                checkpoint_dir=tmp_path,
                scaffold=scaffold,
                hooks=[counter, dt.train.StopAtStepHook(last_step=last)],
                save_checkpoint_steps=2,
            ) as session:
                while not session.should_stop():
                    session.run(update)
            newest = dt.train.latest_checkpoint(tmp_path)
            assert newest is not None
            found = dt.io.Checkpoint(newest)
            assert found.step == last
            assert found.states == {"counter": {"steps": last}}
            return counter.steps

    assert train(5) == 5
    assert train(8) == 8
