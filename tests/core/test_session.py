"""Sessions: fetches, feeds, plans, state, threads, placement."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any, NamedTuple

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from dovetail.compiler.reference import ReferenceBackend
from dovetail.extend import Availability, register, registered
from dovetail.session import session as session_module


def test_fetches_keep_their_structure() -> None:
    class Pair(NamedTuple):
        first: Any
        second: Any

    a, b = dt.constant(1.0), dt.constant([2, 3])
    with dt.Session() as session:
        result = session.run({"list": [a, b], "tuple": (a,), "pair": Pair(b, a), "op": a.op, "name": "Const:0"})
    assert isinstance(result["list"], list)
    assert result["list"][0] == 1.0
    assert result["tuple"] == (np.float32(1.0),)
    assert isinstance(result["pair"], Pair)
    assert result["pair"].second == 1.0
    assert result["op"] is None
    assert result["name"] == 1.0
    np.testing.assert_array_equal(result["list"][1], [2, 3])


def test_scalars_come_as_numpy_scalars_and_strings_as_bytes() -> None:
    with dt.Session() as session:
        assert isinstance(session.run(dt.constant(1.0)), np.float32)
        assert session.run(dt.constant("Hello")) == b"Hello"
        assert session.run(dt.constant(["a", "ü"])).tolist() == [b"a", "ü".encode()]


def test_any_tensor_can_be_fed() -> None:
    x = dt.constant(2.0)
    y = x * 3.0
    with dt.Session() as session:
        assert session.run(y + 1.0) == 7.0
        assert session.run(y + 1.0, {y: 10.0}) == 11.0
        assert session.run(y, {y: 5.0}) == 5.0
        assert session.run(y + 1.0, {"Const:0": 1.0}) == 4.0


def test_a_fed_variable_has_the_value_for_one_run() -> None:
    w = dt.Variable(1.0)
    y = w * 10.0
    add = w.assign_add(1.0)
    with dt.Session() as session:
        assert session.run(y, {w: 3.0}) == 30.0
        session.run(w.initializer)
        assert session.run([w, y], {w: 3.0}) == [3.0, 30.0]
        assert session.run(w) == 1.0
        assert session.run(add, {w: 5.0}) == 6.0
        assert session.run(w) == 6.0


def test_a_fed_value_and_its_original_do_not_share_memory() -> None:
    x = dt.placeholder(dt.float32, [3])
    w = dt.Variable(np.zeros(3, np.float32))
    fed = np.ones(3, np.float32)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        out, assigned = session.run([dt.identity(x), w.assign(x)], {x: fed})
        out[:] = 7.0
        assigned[:] = 8.0
        fed[:] = 9.0
        np.testing.assert_array_equal(session.run(w), np.ones(3))
        value = session.run(w)
        value[:] = 5.0
        np.testing.assert_array_equal(session.run(w), np.ones(3))


def test_constants_cannot_be_changed_through_a_fetch() -> None:
    x = dt.constant([1.0, 2.0])
    with dt.Session() as session:
        session.run(x)[:] = 9.0
        np.testing.assert_array_equal(session.run(x), [1.0, 2.0])


def test_one_plan_serves_every_batch_size() -> None:
    x = dt.placeholder(dt.float32, [None, 3])
    y = dt.reduce_sum(dt.reshape(x * 2.0, [-1]))
    with dt.Session() as session:
        for size in (1, 7, 33, 64, 0):
            assert session.run(y, {x: np.ones((size, 3))}) == 6.0 * size
        assert len(session._plans) == 1


def test_flags_choose_a_plan_each() -> None:
    flag = dt.placeholder(dt.bool, [])
    y = dt.cond(flag, lambda: dt.constant(1.0), lambda: dt.constant(2.0))
    with dt.Session() as session:
        assert [session.run(y, {flag: value}) for value in (True, False, True)] == [1.0, 2.0, 1.0]
        assert len(session._plans) == 2
        assert "= Cond" not in str(session.program(y, {flag: True}))


def test_placeholders_of_unknown_rank_take_any_rank() -> None:
    x = dt.placeholder(dt.float64)
    y = dt.reduce_mean(dt.square(x))
    (grad,) = dt.gradients(y, x)
    with dt.Session() as session:
        for array in (np.array(3.0), np.arange(4.0), np.arange(6.0).reshape(2, 3)):
            np.testing.assert_allclose(session.run(y, {x: array}), np.mean(array**2))
            np.testing.assert_allclose(session.run(grad, {x: array}), 2 * array / array.size)


def test_a_default_gives_way_to_a_feed() -> None:
    x = dt.placeholder_with_default([1.0, 2.0], [None])
    y = x + 1.0
    with dt.Session() as session:
        np.testing.assert_array_equal(session.run(y), [2.0, 3.0])
        np.testing.assert_array_equal(session.run(y, {x: [5.0]}), [6.0])


def test_make_callable_is_run() -> None:
    x, y = dt.placeholder(dt.float32, [None]), dt.placeholder(dt.float32, [])
    call = dt.Session().make_callable([x * y, {"sum": x + y}], [x, y])
    product, rest = call([1.0, 2.0], 3.0)
    np.testing.assert_array_equal(product, [3.0, 6.0])
    np.testing.assert_array_equal(rest["sum"], [4.0, 5.0])
    with pytest.raises(errors.FeedError, match=r"takes 2 values \(Placeholder:0, Placeholder_1:0\); 1 were given"):
        call([1.0])


def test_default_sessions_serve_eval_and_run() -> None:
    w = dt.Variable(1.0)
    with dt.Session():
        w.initializer.run()
        assert (w + 1.0).eval() == 2.0
        assert w.eval() == 1.0
        w.load(4.0)
        assert w.eval() == 4.0
    session = dt.InteractiveSession()
    w.initializer.run()
    assert w.value().eval() == 1.0
    session.close()
    with pytest.raises(errors.GraphError, match="no default session"):
        w.eval()


def test_two_sessions_keep_two_states() -> None:
    w = dt.Variable(0.0)
    add = w.assign_add(1.0)
    first, second = dt.Session(), dt.Session()
    first.run(w.initializer)
    second.run(w.initializer)
    first.run(add)
    assert (first.run(w), second.run(w)) == (1.0, 0.0)


def test_threads_lose_no_update() -> None:
    w = dt.Variable(0)
    add = w.assign_add(1)
    with dt.Session() as session:
        session.run(w.initializer)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(200):
                    session.run(add)
                    session.run(w)
            except BaseException as error:  # noqa: BLE001 - the test's own thread looks at it
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert session.run(w) == 800


def test_a_closed_session_is_not_frozen() -> None:
    session = dt.Session()
    session.close()
    with pytest.raises(dt.errors.ClosedSessionError, match="the session was closed"), session.frozen():
        pass


def test_frozen_state_is_that_of_one_moment_and_is_not_copied() -> None:
    w = dt.Variable(np.zeros(3, np.int64), name="w")
    twice = dt.Variable(0, name="twice")
    word = dt.Variable(np.array(b"a\0", object), name="word")
    dt.Variable(0.0, name="empty")
    noise = dt.cast(dt.random_uniform([]), dt.int32)  # 0
    with dt.control_dependencies([w.assign_add([1, 1, 1])]):
        step = twice.assign_add(noise + 2)
    with dt.Session() as session:
        session.run([w.initializer, twice.initializer, word.initializer])
        going = threading.Event()
        done = threading.Event()

        def work() -> None:
            while not done.is_set():
                session.run(step)
                going.set()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            assert going.wait(60)
            for _ in range(20):
                with session.frozen() as (values, random_state):
                    first = {name: value.copy() for name, value in values.items()}
                    counters = dict(random_state["counters"])
                    time.sleep(0.002)
                    assert first.keys() == values.keys() == {"w", "twice", "word"}
                    assert values["w"].tolist() == first["w"].tolist() == [int(values["twice"]) // 2] * 3
                    assert list(counters.values()) == [values["w"][0]]
                    assert values["word"].item() == b"a\0"
                    with pytest.raises(ValueError, match="read-only"):
                        values["w"][0] = 7
        finally:
            done.set()
            thread.join()
        with session.frozen() as (values, random_state):
            assert np.shares_memory(values["w"], session._variables["w"])
        assert random_state == session.random_state()


def test_values_are_taken_over_all_or_none() -> None:
    v = dt.Variable([1.0, 2.0], name="v")
    w = dt.Variable(0, name="w", trainable=False)
    loose = dt.Variable(dt.placeholder(dt.float32, None), name="loose", validate_shape=False)
    total = dt.reduce_sum(v) + dt.cast(w, dt.float32)
    with dt.Session() as session:
        given = np.array([3.0, 4.0], np.float32)
        session.take_values({"v": given, "w": np.array(5, np.int32), "loose": np.ones((2, 2), np.float32)})
        assert session.run(total) == 12.0
        assert session.run(loose).shape == (2, 2)
        assert np.shares_memory(session._variables["v"], given), "nothing is copied"
        session.run(v.assign_add([1.0, 1.0]))
        before = session.run([v, w])
        good = np.zeros(2, np.float32)
        for wrong, error, message in (
            ({"nothing": good}, dt.errors.NotFoundError, "'nothing'"),
            ({"v/read": good}, dt.errors.NotFoundError, '"v/read" is no variable'),
            ({"w": good}, dt.errors.DTypeError, r'"w" is int32, its new value float32. .*test_session.py:\d+'),
            ({"v": np.zeros(3, np.float32)}, dt.errors.ShapeError, r'"v" has the shape \[2\], its new value \[3\]. '),
        ):
            with pytest.raises(error, match=message):
                session.take_values({"v": good, **wrong})
            assert all(map(np.array_equal, session.run([v, w]), before))
        shared = np.full(2, 7.0, np.float32)
        session.take_values({"v": shared, "loose": shared})
        session.run(v.assign_add([1.0, 1.0]))
        assert session.run(loose).tolist() == [7.0, 7.0], "no two variables share an array"
        rows = np.arange(4.0, dtype=np.float32).reshape(2, 2)
        session.take_values({"v": rows[:, 1], "loose": rows.T})
        assert session.run([v, loose])[0].tolist() == [1.0, 3.0]
        assert session.run(loose).tolist() == [[0.0, 2.0], [1.0, 3.0]]
    with pytest.raises(dt.errors.ClosedSessionError):
        session.take_values({"v": given})


def test_writes_happen_in_the_order_of_creation() -> None:
    w = dt.Variable(1.0)
    before = w.value()
    first = w.assign(w * 10.0)
    between = w + 0.0
    second = w.assign_add(5.0)
    after = w + 0.0
    with dt.Session() as session:
        session.run(w.initializer)
        assert session.run([after, second, between, first, before]) == [15.0, 15.0, 10.0, 10.0, 1.0]
        assert session.run(w) == 15.0
        assert session.run(between) == 15.0


def test_control_dependencies_keep_what_they_name() -> None:
    w = dt.Variable(1.0)
    with dt.control_dependencies([w.assign_add(1.0)]):
        read = w.read_value()
        copy = dt.identity(w)
    with dt.Session() as session:
        session.run(w.initializer)
        assert session.run(read) == 2.0
        assert session.run(copy) == 3.0


def test_an_initializer_may_read_another_variable() -> None:
    a = dt.Variable(dt.random_normal([3], seed=1), name="a")
    b = dt.Variable(a.initialized_value() * 2.0, name="b")
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        first, second = session.run([a, b])
    np.testing.assert_array_equal(second, first * 2.0)


def test_report_uninitialized_variables() -> None:
    a, b = dt.Variable(1.0, name="a"), dt.Variable(1.0, name="b")
    report = dt.report_uninitialized_variables()
    check = dt.is_variable_initialized(b)
    with dt.Session() as session:
        assert session.run(report).tolist() == [b"a", b"b"]
        session.run(a.initializer)
        assert session.run(report).tolist() == [b"b"]
        assert not session.run(check)
        session.run(b.initializer)
        assert session.run(report).tolist() == []
        assert session.run(check)


def test_programs_are_divided_by_device() -> None:
    class Toy(ReferenceBackend):
        """A second device, with buffers that are not arrays."""

        name = "toy"

        def __init__(self) -> None:
            super().__init__("TOY")
            self.moved: list[str] = []

        def from_host(self, array: Any, device: Any) -> Any:
            self.moved.append("in")
            return array

        def to_host(self, buffer: Any) -> Any:
            self.moved.append("out")
            return buffer

    toy = Toy()
    with registered("dovetail.backends", "toy", toy):
        x = dt.placeholder(dt.float32, [None])
        with dt.device("/device:TOY:0"):
            y = x * 2.0
            z = y + 1.0
        result = dt.reduce_sum(z)
        with dt.Session() as session:
            assert session.run(result, {x: [1.0, 2.0]}) == 8.0
            assert [device.name for device in session.list_devices()] == ["/device:CPU:0", "/device:TOY:0"]
        assert toy.moved.count("in") >= 1
        assert toy.moved.count("out") == 1


def test_the_best_available_backend_serves_unless_another_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOVETAIL_BACKENDS", raising=False)

    class Better(ReferenceBackend):
        name = "better"
        priority = 100

    class Missing(ReferenceBackend):
        name = "missing"
        priority = 200

        def availability(self) -> Availability:
            return Availability(False, "no such hardware")

    with registered("dovetail.backends", "better", Better()), registered("dovetail.backends", "missing", Missing()):
        assert dt.Session().devices.find("").backend.name == "better"
        pinned = dt.Session(config=dt.ConfigProto(backends={"cpu": "reference"}))
        assert pinned.devices.find("").backend.name == "reference"
        monkeypatch.setenv("DOVETAIL_BACKENDS", "cpu=reference")
        assert dt.Session().devices.find("").backend.name == "reference"
        monkeypatch.setenv("DOVETAIL_BACKENDS", "reference")
        with pytest.raises(
            errors.InvalidArgumentError, match=r"'reference' does not say .* write it like CPU=reference"
        ):
            dt.Session()
        with pytest.raises(
            errors.DeviceError,
            match=r"no backend 'missing' for CPU here; available are better \(CPU\),.* reference \(CPU\)",
        ):
            dt.Session(config=dt.ConfigProto(backends={"CPU": "missing"})).list_devices()


def test_a_backend_that_does_not_support_an_operation_falls_back() -> None:
    class Picky(ReferenceBackend):
        name = "picky"
        priority = 5

        def supports(self, op: Any, inputs: Any) -> bool:
            return op.name != "Tanh"

    with registered("dovetail.backends", "picky", Picky()):
        y = dt.tanh(dt.constant(0.0) + dt.placeholder(dt.float32, [], name="x")) * 2.0
        with dt.Session(config=dt.ConfigProto(backends={"CPU": "picky"})) as session:
            assert session.run(y, {"x:0": 0.0}) == 0.0
            found = dt.explain(y, session=session)
        assert [row.operation for row in found.fallbacks] == ["Tanh"]
        assert "fall back on the reference: Tanh" in str(found)


def test_explain_counts_operations_bytes_and_lines() -> None:
    x = dt.placeholder(dt.float32, ["batch", 784], name="x")
    y = dt.matmul(x, dt.zeros([784, 10]), name="scores")
    found = dt.explain(y, sizes={"batch": 64})
    assert found.flops == 2 * 64 * 784 * 10
    row = next(row for row in found.rows if row.name == "scores")
    assert row.bytes == 64 * 10 * 4
    assert "test_session.py" in row.line
    assert found.peak_bytes >= 4 * (64 * 784 + 784 * 10 + 64 * 10)
    assert "MatMul" in str(found)
    with pytest.raises(errors.InvalidArgumentError, match=r"no stage 'fused'; choose from lower, fold"):
        dt.explain(y, stage="fused")


def test_check_numerics_names_the_first_operation_and_leaves_state() -> None:
    w = dt.Variable([1.0, 4.0], name="w")
    x = dt.placeholder(dt.float32, [2], name="x")
    with dt.name_scope("risky"):
        logs = dt.log(w - x, name="logs")
    step = w.assign(w + dt.exp(logs))
    with dt.Session(check_numerics=True) as session:
        session.run(w.initializer)
        session.run(step, {x: [0.5, 0.5]})
        before = session.run(w)
        with pytest.raises(errors.NumericsError) as caught:
            session.run(step, {x: [100.0, 0.0]})
        text = str(caught.value)
        assert text.startswith("Log made 1 NaN of 2 elements, the first of this step.")
        assert '(node "risky/logs" made at' in text
        assert "test_session.py" in text
        assert "float32[2] from" in text
        np.testing.assert_array_equal(session.run(w), before)


def test_check_numerics_blames_what_was_fed() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    with (
        dt.Session(check_numerics=True) as session,
        pytest.raises(errors.NumericsError, match=r'"x:0" was fed, or held, 1 infinite of 2'),
    ):
        session.run(x + 1.0, {x: [np.inf, 1.0]})


def test_hooks_see_plans_and_steps() -> None:
    from dovetail.extend import hookimpl, register_hooks
    from dovetail.plugins import unregister_hooks

    class Listener:
        def __init__(self) -> None:
            self.seen: list[str] = []

        @hookimpl
        def plan_compiled(self, session: Any, program: Any) -> None:
            self.seen.append(f"plan of {len(program.instructions)}")

        @hookimpl
        def step_run(self, session: Any, fetches: Any, seconds: float) -> None:
            self.seen.append("step")
            assert seconds >= 0

    listener = Listener()
    register_hooks(listener)
    try:
        x = dt.placeholder(dt.float32, [])
        y = x * x
        with dt.Session() as session:
            session.run(y, {x: 1.0})
            session.run(y, {x: 2.0})
    finally:
        unregister_hooks(listener)
    assert listener.seen == ["plan of 1", "step", "step"]


def test_registering_the_same_backend_twice_is_refused() -> None:
    with registered("dovetail.backends", "one", ReferenceBackend("ONE")), pytest.raises(errors.DovetailError):
        register("dovetail.backends", "one", ReferenceBackend("TWO"))


def test_dicts_as_fetches_do_not_plan_anew() -> None:
    x = dt.placeholder(dt.float32, [])
    y = x + 1.0
    with dt.Session() as session:
        for value in (1.0, 2.0, 3.0):
            assert session.run({"y": y}, {x: value}) == {"y": value + 1.0}
        assert len(session._plans) == 1


def test_the_garbage_collector_waits_while_a_plan_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    real = session_module.lower

    def lower(*arguments: Any) -> Any:
        seen.append(gc.isenabled())
        return real(*arguments)

    monkeypatch.setattr(session_module, "lower", lower)
    with dt.Session() as session:
        session.run(dt.constant(1.0) + 1.0)
        assert gc.isenabled()
        monkeypatch.setattr(session_module, "lower", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            session.run(dt.constant(1.0) + 2.0)
        assert gc.isenabled()
        monkeypatch.setattr(session_module, "lower", lower)
        gc.disable()
        try:
            session.run(dt.constant(1.0) + 3.0)
            assert not gc.isenabled()  # as it was
        finally:
            gc.enable()
    assert seen == [False, False]


def test_nested_fetches_keep_their_types() -> None:
    class Pair(NamedTuple):
        one: Any
        other: Any

    one, other = dt.constant(1.0), dt.constant(2.0)
    session = dt.Session()
    for _ in range(2):
        assert type(session.run([(one, other)])[0]) is tuple
        assert type(session.run([Pair(one, other)])[0]) is Pair
        assert session.run(([one], {"a": [other]})) == ([1.0], {"a": [2.0]})
        assert session.run(((one,), {"a": (other,)})) == ((1.0,), {"a": (2.0,)})
        assert session.run({"a": one, "b": other}) == {"a": 1.0, "b": 2.0}
        assert session.run({"a": other, "b": one}) == {"a": 2.0, "b": 1.0}


def test_the_version_of_the_state_changes_with_it() -> None:
    v = dt.get_variable("v", initializer=dt.constant(1.0))
    up = v.assign_add(1.0)
    session = dt.Session()
    session.run(v.initializer)
    first = session.state_version
    session.run(v * 2.0)
    assert session.state_version == first
    session.run(up)
    assert session.state_version != first
