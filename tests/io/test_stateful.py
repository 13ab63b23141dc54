"""The state of objects, such as a place in the data, is part of a checkpoint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError


class Reader:
    """A place in the data."""

    def __init__(self, name: str = "reader") -> None:
        self.name = name
        self.place: dict[str, Any] = {"file": "a.csv", "line": 0}

    def state(self) -> Any:
        return self.place

    def restore(self, state: Any) -> None:
        self.place = {"file": state["file"], "line": state["line"]}


@pytest.fixture
def session() -> dt.Session:
    dt.Variable([1.0, 2.0], name="v")
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session


def test_a_state_comes_back_with_the_variables(session: dt.Session, tmp_path: Path) -> None:
    reader = Reader()
    reader.place["line"] = 40
    path = dt.train.Saver(stateful={"input": reader}).save(session, tmp_path / "model", global_step=40)
    reader.place["line"] = 90
    other = Reader()
    dt.train.Saver(stateful={"input": other}).restore(session, path)
    assert other.place == {"file": "a.csv", "line": 40}
    assert dt.io.Checkpoint(path).states == {"input": {"file": "a.csv", "line": 40}}
    assert isinstance(reader, dt.train.Stateful)
    assert not isinstance(session, dt.train.Stateful)


def test_a_state_is_of_the_moment_of_saving(session: dt.Session, tmp_path: Path) -> None:
    state = {"none": None, "number": 2**70, "real": 0.1, "best": float("inf"), "yes": True, "list": [1, ["a", {}]]}

    class Given:
        def state(self) -> Any:
            return {**state, "tuple": (1, 2)}

        def restore(self, found: Any) -> None:
            assert found == {**state, "tuple": [1, 2]}
            found["list"].append(1)

    saver = dt.train.Saver(stateful={"given": Given()})
    path = saver.save(session, tmp_path / "model")
    saver.restore(session, path)
    saver.restore(session, path)


def test_savers_of_all_variables_find_the_objects_of_the_graph(session: dt.Session, tmp_path: Path) -> None:
    saver, partial = dt.train.Saver(), dt.train.Saver([dt.global_variables()[0]])
    dt.Variable(1.0, name="w")
    session.run(dt.global_variables_initializer())
    whole = dt.train.Saver()
    reader = Reader()
    dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, reader)
    reader.place["line"] = 7
    path = whole.save(session, tmp_path / "model")
    reader.place["line"] = 9
    partial.restore(session, path)
    saver.restore(session, path)
    assert reader.place["line"] == 9
    whole.restore(session, path)
    assert reader.place["line"] == 7
    assert dt.io.Checkpoint(saver.save(session, tmp_path / "part")).states == {}


def test_what_lacks_a_state_is_named(session: dt.Session, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader("early_stopping")
    path = dt.train.Saver(stateful={"input": reader}).save(session, tmp_path / "model")
    bare = dt.train.Saver().save(session, tmp_path / "bare")
    session.run("v/Assign", {session.graph.get_operation_by_name("v/Assign").inputs[1]: [5.0, 6.0]})
    with pytest.raises(NotFoundError) as caught:
        dt.train.Saver(stateful={"inputs": reader}).restore(session, path)
    assert "model\" has no state of 'inputs': it holds those of 'input'. Did you mean 'input'" in str(caught.value)
    with pytest.raises(NotFoundError, match="has no state of 'input': it holds none. Leave 'input' out of the Saver's"):
        dt.train.Saver(stateful={"input": reader}).restore(session, bare)
    assert session.run("v:0").tolist() == [5.0, 6.0]
    dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, reader)
    dt.train.Saver().restore(session, path)
    assert session.run("v:0").tolist() == [1.0, 2.0]
    assert [record.getMessage().partition('model" ')[2] for record in caplog.records] == [
        "holds no state of 'early_stopping', which goes on as it is.",
        "holds a state of 'input', which nothing here takes; Saver(stateful={'input': …}) restores it.",
    ]


def test_an_object_that_refuses_its_state_leaves_the_variables(session: dt.Session, tmp_path: Path) -> None:
    class Other:
        def state(self) -> Any:
            return {"page": 3}

        def restore(self, state: Any) -> None:
            raise AssertionError

    path = dt.train.Saver(stateful={"input": Other()}).save(session, tmp_path / "model")
    session.run("v/Assign", {session.graph.get_operation_by_name("v/Assign").inputs[1]: [5.0, 6.0]})
    with pytest.raises(
        FormatError, match=r"holds a state of 'input' that <.*Reader.*> does not take: KeyError\('file'"
    ):
        dt.train.Saver(stateful={"input": Reader()}).restore(session, path)
    assert session.run("v:0").tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.float32(1.0), r"state\(\) is np.float32\(1.0\), a float32; give None, booleans"),
        ({"a": [0, {1, 2}]}, r"state\(\)\['a'\]\[1\] is \{1, 2\}, a set"),
        ({1: "a"}, r"state\(\) is \{1: 'a'\}, a dict; .* dicts by strings"),
        (b"bytes", r"state\(\) is b'bytes', a bytes"),
    ],
)
def test_states_that_json_does_not_keep_are_told(session: dt.Session, tmp_path: Path, state: Any, message: str) -> None:
    reader = Reader()
    reader.place = state
    with pytest.raises(DTypeError, match="the state of 'input' cannot be saved: " + message):
        dt.train.Saver(stateful={"input": reader}).save(session, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_what_has_no_state_is_refused(session: dt.Session, tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match=r"stateful\['input'\] is 3, whose state cannot be kept; give an object with"):
        dt.train.Saver(stateful={"input": 3})  # type: ignore[dict-item]
    with pytest.raises(DTypeError, match="stateful is <.*Reader.*>; give a dict of objects by name"):
        dt.train.Saver(stateful=Reader())  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="'' cannot be the name of a state"):
        dt.train.Saver(stateful={"": Reader()})
    dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, 3)
    with pytest.raises(DTypeError, match="collection 'saveable_objects' holds 3; objects there need a name and"):
        dt.train.Saver().save(session, tmp_path / "model")
    dt.get_default_graph().clear_collection(dt.GraphKeys.SAVEABLE_OBJECTS)
    for _ in range(2):
        dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, Reader())
    with pytest.raises(InvalidArgumentError, match="two objects in the graph's collection .* have the name 'reader'"):
        dt.train.Saver().save(session, tmp_path / "model")


def test_checkpoints_from_before_there_were_states_load(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    path = Path(f"{saver.save(session, tmp_path / 'model')}.json")
    text = path.read_text().partition('"digest"')[0].replace('"states": {},\n', "").encode()
    path.write_bytes(text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode())
    assert "states" not in json.loads(path.read_text())
    saver.restore(session, tmp_path / "model")
