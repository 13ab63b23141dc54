"""``Saver``: what is saved comes back, and what does not fit is told."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import dovetail as dt
from dovetail.errors import (
    DTypeError,
    FormatError,
    GraphError,
    InvalidArgumentError,
    NotFoundError,
    ShapeError,
    StorageError,
    UninitializedVariableError,
)
from dovetail.extend import hook, hookimpl
from dovetail_io.checkpoint import SHARD_BYTES, _shards
from tests.io.memory import peak_of

Model = Mapping[str, dt.Variable]


def values(session: dt.Session, model: Model) -> dict[str, Any]:
    return {name: np.asarray(session.run(variable)) for name, variable in model.items()}


def same(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(
        (one.dtype, one.shape, one.tolist()) == (right[name].dtype, right[name].shape, right[name].tolist())
        for name, one in left.items()
    )


# What comes back. ----------------------------------------------------------------------------------------------------


def test_every_dtype_comes_back_bit_for_bit(session: dt.Session, model: Model, saved: Path) -> None:
    with dt.Session() as other:
        dt.train.Saver().restore(other, saved)
        assert same(values(other, model), values(session, model))
        assert other.run("word:0") == b"alone"


def test_the_path_names_files_that_other_libraries_read(session: dt.Session, saved: Path) -> None:
    assert saved.name == "model-3"
    found = safetensors.numpy.load_file(f"{saved}.safetensors")
    assert found["dense/kernel"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert {path.name for path in saved.parent.iterdir()} == {
        "checkpoint",
        *(f"model-3.{ending}" for ending in ("json", "safetensors", "meta", "meta.safetensors")),
    }


def test_saving_and_restoring_take_memory_for_one_tensor_beside_the_model(tmp_path: Path) -> None:
    with dt.Graph().as_default() as graph:
        zeros = dt.zeros([500_000])
        variables = [dt.Variable(zeros, name=f"v{number}") for number in range(10)]
        saver = dt.train.Saver()
    with dt.Session(graph=graph) as session, dt.Session(graph=graph) as other:
        session.take_values({v.op.name: np.full(500_000, i, np.float32) for i, v in enumerate(variables)})
        saver.save(session, tmp_path / "first")  # what is made once
        assert peak_of(lambda: saver.save(session, tmp_path / "model")) < 2e6, "nothing of the model is copied"
        assert peak_of(lambda: saver.restore(other, tmp_path / "model")) < 20e6 + 2e6, "what is read is the model"
        assert [value[-1] for value in other.run(variables)] == list(range(10))


def test_a_manifest_tells_what_there_is(session: dt.Session, saved: Path) -> None:
    checkpoint = dt.io.verify(saved)
    assert checkpoint.step == 3
    assert checkpoint.random_state == session.random_state()
    assert len(checkpoint.graph_hash) == 64
    assert str(checkpoint.spec("words")) == "string[3]"
    assert checkpoint.get_variable_to_dtype_map()["brain"] is dt.bfloat16
    assert dt.train.list_variables(saved)[:3] == [("brain", [2]), ("count", []), ("dense/bias", [3])]
    assert dt.train.load_variable(saved, "dense/bias:0").tolist() == [0.0, 0.0, 0.0]
    assert dt.train.load_variable(saved.parent, "count") == 2**62 + 1
    assert repr(checkpoint).endswith("step 3, 20 tensors>")


def test_the_state_of_random_numbers_comes_back(session: dt.Session, model: Model, saved: Path) -> None:
    feed = {"x:0": np.ones((1, 2), np.float32)}
    expected = [session.run("y:0", feed) for _ in range(3)]
    with dt.Session() as other:
        other.run(dt.global_variables_initializer())
        other.run("y:0", feed)
        dt.train.Saver().restore(other, saved)
        for one in expected:
            np.testing.assert_array_equal(other.run("y:0", feed), one)


def test_a_saver_of_some_variables_leaves_the_rest_and_the_random_state(
    session: dt.Session, model: Model, saved: Path
) -> None:
    with dt.Session() as other:
        other.run(dt.global_variables_initializer())
        other.run("y:0", {"x:0": np.ones((1, 2), np.float32)})
        state = other.random_state()
        other.run(model["count"].assign(5))
        other.run(model["dense/bias"].assign([1.0, 2.0, 3.0]))
        dt.train.Saver([model["dense/bias"]]).restore(other, saved)
        assert other.run(model["dense/bias"]).tolist() == [0.0, 0.0, 0.0]
        assert other.run(model["count"]) == 5
        assert other.random_state() == state


def test_names_can_be_mapped_and_one_variable_can_have_two(session: dt.Session, model: Model, tmp_path: Path) -> None:
    saver = dt.train.Saver({"a": model["count"], "b": model["count"], "c": model["half"]})
    path = saver.save(session, tmp_path / "named")
    checkpoint = dt.io.Checkpoint(path)
    assert checkpoint.ties == {"b": "a"}
    assert sorted(checkpoint.names) == ["a", "b", "c"]
    assert checkpoint.get_tensor("b") == checkpoint.get_tensor("a") == 2**62 + 1
    session.run(model["count"].assign(0))
    dt.train.Saver({"b": model["count"]}).restore(session, path)
    assert session.run(model["count"]) == 2**62 + 1


def test_large_checkpoints_are_spread_over_files(session: dt.Session, model: Model, tmp_path: Path) -> None:
    saver = dt.train.Saver(max_shard_bytes=20)
    path = saver.save(session, tmp_path / "model")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 3
    assert shards[0].name == f"model-00001-of-{len(shards):05}.safetensors"
    joined = {name for shard in shards for name in safetensors.numpy.load_file(shard)}
    assert joined == model.keys()
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == model.keys()
    for name, file in index["weight_map"].items():
        with safetensors.safe_open(tmp_path / file, "numpy") as opened:
            assert name in opened.keys()  # noqa: SIM118 - it is no dict
    assert index["metadata"]["total_size"] > 100
    before = values(session, model)
    with dt.Session() as other:
        saver.restore(other, path)
        assert same(values(other, model), before)
    assert {one.name for one in tmp_path.glob("*.safetensors")} >= {shard.name for shard in shards}
    dt.train.Saver().save(session, path)
    assert not list(tmp_path.glob("*-of-*")), "the shards of the one that was replaced"
    saver.save(session, path)
    dt.train.Saver(max_to_keep=1).save(session, path, global_step=1)
    assert not list(tmp_path.glob("*-of-*")), "the shards of the one that was dropped"


def test_five_gigabytes_are_spread_unless_one_file_is_wanted(session: dt.Session, tmp_path: Path) -> None:
    assert dt.train.Saver().definition()["max_shard_bytes"] == 5_000_000_000
    large = {name: np.broadcast_to(np.float32(0.0), (750_000_000,)) for name in "abc"}  # 3 GB each, without memory
    assert _shards(large, SHARD_BYTES) == [["a"], ["b"], ["c"]]
    assert _shards(large, None) == [["a", "b", "c"]]
    dt.train.Saver(max_shard_bytes=None).save(session, tmp_path / "model")
    assert not list(tmp_path.glob("*.index.json"))


def test_a_finalized_graph_is_saved_and_restored(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    dt.get_default_graph().finalize()
    count = len(dt.get_default_graph().get_operations())
    saver.restore(session, saver.save(session, tmp_path / "model"))
    assert len(dt.get_default_graph().get_operations()) == count


def test_variables_with_one_initial_value_are_restored_each_to_its_own(tmp_path: Path) -> None:
    start = dt.zeros([2])
    first, second = dt.Variable(start, name="first"), dt.Variable(start, name="second")
    third = dt.Variable(first.initialized_value() * 2.0, name="third")
    saver = dt.train.Saver()
    with dt.Session() as session:
        for number, variable in enumerate((first, second, third)):
            variable.load(np.full(2, number, np.float32), session)
        path = saver.save(session, tmp_path / "model")
    with dt.Session() as session:
        saver.restore(session, path)
        assert [session.run(one).tolist() for one in (first, second, third)] == [[0, 0], [1, 1], [2, 2]]


def test_steps_come_from_numbers_tensors_and_variables(session: dt.Session, tmp_path: Path) -> None:
    step = dt.Variable(41, name="step", trainable=False)
    session.run(step.initializer)
    saver = dt.train.Saver(max_to_keep=None)
    paths = [saver.save(session, tmp_path / "m", global_step=one) for one in (7, np.int64(8), step, step + 1)]
    assert [Path(path).name for path in paths] == ["m-7", "m-8", "m-41", "m-42"]
    assert dt.train.Saver(pad_step_number=True).save(session, tmp_path / "m", global_step=7).endswith("m-00000007")
    with pytest.raises(DTypeError, match="global_step is 1.5; give a whole number"):
        saver.save(session, tmp_path / "m", global_step=1.5)


def test_paths_stay_as_they_are_written(session: dt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saver = dt.train.Saver()
    assert saver.save(session, "./model.ckpt", global_step=1) == "./model.ckpt-1"
    assert saver.save(session, Path("deep/er/model")) == str(Path("deep/er/model"))
    for path in (
        "model.ckpt-1",
        "./model.ckpt-1",
        Path("model.ckpt-1"),
        "model.ckpt-1.json",
        "model.ckpt-1.safetensors",
    ):
        saver.restore(session, path)
        assert dt.train.checkpoint_exists(path)
    assert not dt.train.checkpoint_exists("model.ckpt-2")


def test_a_moved_or_renamed_checkpoint_is_whole(session: dt.Session, saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for path in saved.parent.glob("model-3.*"):
        path.rename(folder / path.name.replace("model-3", "best"))
    dt.train.Saver().restore(session, folder / "best")
    assert dt.io.verify(folder / "best").step == 3


def test_saving_without_the_graph_tells_its_hash_all_the_same(session: dt.Session, saved: Path, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    path = saver.save(session, tmp_path / "bare", write_meta_graph=False, write_state=False)
    assert dt.io.Checkpoint(path).graph_hash == dt.io.Checkpoint(saved).graph_hash
    assert {one.name for one in tmp_path.glob("bare*")} == {"bare.json", "bare.safetensors"}
    assert dt.train.latest_checkpoint(tmp_path) == str(saved)


def test_a_tensor_of_another_shape_is_restored_on_request(session: dt.Session, saved: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as other:
        flat = dt.Variable(np.zeros(6, np.float32), name="dense/kernel")
        dt.train.Saver(reshape=True).restore(other, saved)
        assert other.run(flat).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_saver_can_wait_for_its_variables(session: dt.Session, model: Model, tmp_path: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as other:
        saver = dt.train.Saver(defer_build=True)
        late = dt.Variable(1.0, name="late")
        assert saver.variables == {"late": late}
        late.load(2.0, other)
        assert dt.train.load_variable(saver.save(other, tmp_path / "late"), "late") == 2.0
        empty = dt.train.Saver([], allow_empty=True)
        empty.restore(other, empty.save(other, tmp_path / "empty"))
        assert dt.train.list_variables(tmp_path / "empty") == []


def test_plugins_hear_of_checkpoints(session: dt.Session, tmp_path: Path) -> None:
    heard: list[tuple[Any, Any]] = []

    class Listener:
        @hookimpl
        def checkpoint_saved(self, path: Any, step: Any) -> None:
            heard.append((path, step))

    listener = Listener()
    hook.register(listener)
    try:
        dt.train.Saver().save(session, tmp_path / "model", global_step=9)
    finally:
        hook.unregister(listener)
    assert heard == [(str(tmp_path / "model-9"), 9)]


# What is refused. ----------------------------------------------------------------------------------------------------


def test_a_saver_needs_variables_with_names() -> None:
    with pytest.raises(InvalidArgumentError, match="there are no variables to save; make the Saver after the network"):
        dt.train.Saver()
    variable = dt.Variable(1.0, name="v")
    with pytest.raises(DTypeError, match="var_list holds 3; give variables"):
        dt.train.Saver([variable, 3])  # type: ignore[list-item]
    with pytest.raises(InvalidArgumentError, match="'__metadata__' cannot be the name"):
        dt.train.Saver({"__metadata__": variable})
    with pytest.raises(
        InvalidArgumentError, match="saver_def and builder belong to .*import_meta_graph returns the saver"
    ):
        dt.train.Saver(saver_def={})
    with pytest.raises(InvalidArgumentError, match="max_to_keep is -1"):
        dt.train.Saver(max_to_keep=-1)
    with pytest.raises(InvalidArgumentError, match="max_shard_bytes is 0"):
        dt.train.Saver(max_shard_bytes=0)
    other = dt.Variable(2.0, name="w")
    other.save_name = "v"
    with pytest.raises(InvalidArgumentError, match='two variables have the name "v"'):
        dt.train.Saver()


def test_only_what_has_a_value_is_saved(model: Model, tmp_path: Path) -> None:
    with dt.Session() as session:
        session.run(model["count"].initializer)
        with pytest.raises(UninitializedVariableError) as caught:
            dt.train.Saver().save(session, tmp_path / "model")
    assert "19 of 20 variables have no value to save: dense/kernel, dense/bias, " in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_session_must_be_one_of_the_same_graph(session: dt.Session, saved: Path, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    with pytest.raises(DTypeError, match="the first argument is 'model'; give the dt.Session"):
        saver.save("model", session)  # type: ignore[arg-type]
    with dt.Graph().as_default(), dt.Session() as other:
        with pytest.raises(GraphError, match="belongs to another graph than the session.*test_saver|conftest"):
            saver.save(other, tmp_path / "m")
        with pytest.raises(GraphError, match="belongs to another graph than the session"):
            saver.restore(other, saved)


@pytest.mark.parametrize("path", ["folder", "folder/", "", ".", "new/", ".."])
def test_a_folder_is_no_place_for_a_checkpoint(
    session: dt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(InvalidArgumentError, match="is a folder; give a name in it|names no file; give a path such as"):
        dt.train.Saver().save(session, path, global_step=1)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_odd_paths_and_names_are_refused(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    with pytest.raises(DTypeError, match="save: the path is 7; give a string or a Path"):
        saver.save(session, 7)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="is no path"):
        saver.save(session, f"{tmp_path}/a\0b")
    with pytest.raises(InvalidArgumentError, match="latest_filename is '../list'"):
        saver.save(session, tmp_path / "m", latest_filename="../list")
    with pytest.raises(InvalidArgumentError, match="meta_graph_suffix is 'a/b'"):
        saver.save(session, tmp_path / "m", meta_graph_suffix="a/b")
    assert not list(tmp_path.iterdir())


def test_restoring_nothing_says_what_there_is(session: dt.Session, saved: Path, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    with pytest.raises(InvalidArgumentError, match="the path is None; dt.train.latest_checkpoint found no checkpoint"):
        saver.restore(session, dt.train.latest_checkpoint(tmp_path / "nowhere"))  # type: ignore[arg-type]
    with pytest.raises(
        NotFoundError, match=r'no checkpoint ".*model-4": "model-4.json" is missing. Did you mean \'model-3\''
    ):
        saver.restore(session, tmp_path / "model-4")
    with pytest.raises(NotFoundError, match=r'the folder ".*nowhere" does not exist'):
        saver.restore(session, tmp_path / "nowhere" / "model")
    with pytest.raises(InvalidArgumentError, match="is a folder, not a checkpoint; dt.train.latest_checkpoint"):
        saver.restore(session, tmp_path)
    (tmp_path / "model-3.json").unlink()
    with pytest.raises(
        NotFoundError, match=r'"model-3.json" is missing, without which "model-3.safetensors" cannot be'
    ):
        saver.restore(session, saved)


def unchanged_by(session: dt.Session, model: Model, action: Callable[[], None]) -> None:
    before, state = values(session, model), session.random_state()
    action()
    assert same(values(session, model), before)
    assert session.random_state() == state


def test_another_network_is_told_by_its_variables(saved: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as other:
        model = {name: dt.Variable(1.0, name=name) for name in ("dense/kernels", "conv/kernel", "count")}
        other.run(dt.global_variables_initializer())

        def restore() -> None:
            with pytest.raises(NotFoundError) as caught:
                dt.train.Saver().restore(other, saved)
            message = str(caught.value)
            assert "has no value for 2 of 3 variables; it was saved from another network" in message
            assert "It holds, and the saver does not know: dense/kernel, dense/bias, " in message
            assert "dense/kernels: float32[], missing. Did you mean 'dense/kernel'" in message
            assert "conv/kernel: float32[], missing." in message

        unchanged_by(other, model, restore)


def test_other_dtypes_and_shapes_are_told_with_both_types(saved: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as other:
        model = {
            "dense/kernel": dt.Variable(np.zeros((3, 2), np.float32), name="dense/kernel"),
            "count": dt.Variable(np.int64(0), name="count"),
        }
        other.run(dt.global_variables_initializer())

        def restore() -> None:
            with pytest.raises(ShapeError) as caught:
                dt.train.Saver().restore(other, saved)
            message = str(caught.value)
            assert "1 of 2 variables have another type" in message
            assert "dense/kernel: float32[2, 3] in the checkpoint, float32[3, 2] in the graph." in message
            assert "test_saver.py:" in message

        unchanged_by(other, model, restore)
        wide = dt.Variable(np.zeros((2, 3)), name="wide")
        with pytest.raises(
            DTypeError, match=r"dense/kernel: float32\[2, 3\] in the checkpoint, float64\[2, 3\] in the"
        ):
            dt.train.Saver({"dense/kernel": wide}).restore(other, saved)


def test_a_damaged_checkpoint_changes_nothing(session: dt.Session, model: Model, saved: Path) -> None:
    session.run(model["count"].assign(5))
    path = Path(f"{saved}.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    def restore() -> None:
        with pytest.raises(FormatError, match=r'"/.*model-3.safetensors" is damaged: its content has changed'):
            dt.train.Saver().restore(session, saved)

    unchanged_by(session, model, restore)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="rights do not bind the administrator")
def test_a_read_only_folder_is_told(session: dt.Session, saved: Path) -> None:
    saved.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(StorageError, match="nothing could be saved in .*: Permission denied"):
            dt.train.Saver().save(session, saved.parent / "model", global_step=4)
        dt.train.Saver().restore(session, saved)
    finally:
        saved.parent.chmod(0o700)


def test_a_file_in_place_of_the_folder_is_told(session: dt.Session, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StorageError, match=r'nothing could be saved in ".*taken": (File exists|Not a directory)'):
        dt.train.Saver().save(session, tmp_path / "taken" / "model")


def test_a_version_from_the_future_is_told(session: dt.Session, saved: Path) -> None:
    path = Path(f"{saved}.json")
    path.write_text(path.read_text().replace('"version": 1,', '"version": 2,'))
    with pytest.raises(
        FormatError, match="has format version 2, written by Dovetail .* reads version 1. Update dovetail-io"
    ):
        dt.train.Saver().restore(session, saved)
    path.write_text(json.dumps({"format": "something else"}))
    with pytest.raises(FormatError, match="is no checkpoint of Dovetail: its format is not 'dovetail-checkpoint'"):
        dt.train.Saver().restore(session, saved)


def test_checkpoints_are_dated_and_removed(tmp_path: Path) -> None:
    v = dt.Variable(1.0, name="v")
    with dt.Session() as session:
        session.run(v.initializer)
        paths = [dt.train.Saver().save(session, tmp_path / "model", global_step=step) for step in range(2)]
    assert dt.train.NewCheckpointReader(paths[0]).get_tensor("v") == 1.0
    times = dt.train.get_checkpoint_mtimes([*paths, tmp_path / "nothing"])
    assert len(times) == 2
    assert times == sorted(times)
    dt.train.remove_checkpoint(paths[0])
    assert [dt.train.checkpoint_exists(path) for path in paths] == [False, True]
    assert not list(tmp_path.glob("model-0*"))
    with pytest.raises(NotFoundError):
        dt.train.remove_checkpoint(paths[0])
