"""Which checkpoints stay, and which is the newest: also after a restart, and when the list is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail_io.retention import Group


@pytest.fixture
def session() -> dt.Session:
    dt.Variable(np.zeros(3, np.float32), name="v")
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


def test_only_the_last_few_stay(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver(max_to_keep=3)
    assert saver.last_checkpoints == []
    paths = [saver.save(session, tmp_path / "model", global_step=step) for step in range(5)]
    assert saver.last_checkpoints == paths[-3:]
    assert names(tmp_path) == ["model-2", "model-3", "model-4"]
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"checkpoint", "model-2", "model-3", "model-4"}
    assert dt.train.latest_checkpoint(tmp_path) == paths[-1]


@pytest.mark.parametrize("most", [None, 0])
def test_all_stay_on_request(session: dt.Session, tmp_path: Path, most: int | None) -> None:
    saver = dt.train.Saver(max_to_keep=most)
    for step in range(7):
        saver.save(session, tmp_path / "model", global_step=step)
    assert len(names(tmp_path)) == len(saver.last_checkpoints) == 7


def test_names_without_steps_count_as_well(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver(max_to_keep=2)
    for name in ("a", "b", "a", "c"):
        saver.save(session, tmp_path / name)
    assert names(tmp_path) == ["a", "c"]


def test_a_new_saver_goes_on_where_the_last_one_stopped(session: dt.Session, tmp_path: Path) -> None:
    for step in range(3):
        dt.train.Saver(max_to_keep=2).save(session, tmp_path / "model", global_step=step)
    assert names(tmp_path) == ["model-1", "model-2"]
    for step in range(3):
        dt.train.Saver(max_to_keep=2).save(session, tmp_path / f"model-{10 + step}")
    assert names(tmp_path) == ["model-11", "model-12"]


def test_savers_under_different_names_keep_their_own(session: dt.Session, tmp_path: Path) -> None:
    last, best = dt.train.Saver(max_to_keep=2), dt.train.Saver(max_to_keep=1)
    for step in range(4):
        last.save(session, tmp_path / "last", global_step=step)
        if step < 2:
            best.save(session, tmp_path / "best", global_step=step)
    last.save(session, tmp_path / "final")
    assert names(tmp_path) == ["best-1", "final", "last-3"]
    assert dt.train.latest_checkpoint(tmp_path) == str(tmp_path / "final")
    best.save(session, tmp_path / "best", global_step=9)
    assert dt.train.latest_checkpoint(tmp_path) == str(tmp_path / "best-9")


def test_lists_can_have_other_names(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver(max_to_keep=1)
    saver.save(session, tmp_path / "a", latest_filename="first")
    dt.train.Saver(max_to_keep=1).save(session, tmp_path / "b", latest_filename="second")
    assert dt.train.latest_checkpoint(tmp_path, "first") == str(tmp_path / "a")
    assert dt.train.latest_checkpoint(tmp_path, "second") == str(tmp_path / "b")
    assert not (tmp_path / "checkpoint").exists()


def test_one_in_a_while_is_kept_for_ever() -> None:
    hours = 2.0
    group = Group("id", {"0": 0.0}, None)
    dropped: list[str] = []
    for hour in range(1, 12):
        group.add(str(hour), hour * 3600.0 + 1.0)
        for name in group.surplus(2, hours):
            del group.checkpoints[name]
            dropped.append(name)
    assert dropped == ["0", "1", "3", "5", "7", "9"]
    assert list(group.checkpoints) == ["10", "11"]


def test_what_is_kept_for_ever_stays_after_a_restart(session: dt.Session, tmp_path: Path) -> None:
    for step in range(5):
        saver = dt.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=0.0)
        saver.save(session, tmp_path / "model", global_step=step)
    assert len(names(tmp_path)) == 4  # the first began the count; each later one is due at once
    assert saver.last_checkpoints == [str(tmp_path / "model-4")]


def test_earlier_checkpoints_can_be_taken_over(session: dt.Session, tmp_path: Path) -> None:
    first = dt.train.Saver(max_to_keep=None)
    paths = [first.save(session, tmp_path / f"old{step}", write_state=False) for step in range(3)]
    second = dt.train.Saver(max_to_keep=2)
    second.recover_last_checkpoints([*paths, tmp_path / "gone"])
    assert second.last_checkpoints == paths
    second.save(session, tmp_path / "new")
    assert names(tmp_path) == ["new", "old2"]
    assert second.last_checkpoints == [paths[2], str(tmp_path / "new")]


def test_the_newest_whole_one_is_found(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver()
    paths = [Path(saver.save(session, tmp_path / "model", global_step=step)) for step in range(4)]
    Path(f"{paths[3]}.json").write_text("{")
    assert dt.train.latest_checkpoint(tmp_path) == str(paths[2])
    Path(f"{paths[2]}.safetensors").unlink()
    assert dt.train.latest_checkpoint(tmp_path) == str(paths[1])
    Path(f"{paths[1]}.safetensors").write_bytes(b"short")
    assert dt.train.latest_checkpoint(tmp_path) == str(paths[0])
    state = dt.train.get_checkpoint_state(tmp_path)
    assert state is not None
    assert state.model_checkpoint_path == str(paths[0])
    assert state.all_model_checkpoint_paths == [str(paths[0])]


@pytest.mark.parametrize("content", [None, "", "{}", '{"format": "dovetail-checkpoint-list", "version": 1}'])
def test_without_the_list_the_manifests_tell(session: dt.Session, tmp_path: Path, content: str | None) -> None:
    saver = dt.train.Saver(max_to_keep=2)
    paths = [saver.save(session, tmp_path / "model", global_step=step) for step in (3, 2)]
    listing = tmp_path / "checkpoint"
    listing.unlink() if content is None else listing.write_text(content)
    (tmp_path / "notes.json").write_text("[]")
    assert dt.train.latest_checkpoint(tmp_path) == paths[1]
    state = dt.train.get_checkpoint_state(tmp_path)
    assert state is not None
    assert state.all_model_checkpoint_paths == paths
    assert sorted(state.all_model_checkpoint_timestamps) == state.all_model_checkpoint_timestamps
    assert "2 checkpoints" in repr(state)
    dt.train.Saver(max_to_keep=1).save(session, tmp_path / "model", global_step=4)
    assert len(names(tmp_path)) == 4, "nothing is dropped on a guess"
    assert json.loads(listing.read_text())["latest"] == "model-4"


def test_a_list_that_names_files_elsewhere_is_not_followed(session: dt.Session, tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "folder"
    dt.train.Saver().save(session, precious / "model")
    saver = dt.train.Saver(max_to_keep=1)
    saver.save(session, folder / "m", global_step=1)
    listing = folder / "checkpoint"
    text = listing.read_text().replace('"m-1"', '"../precious/model"')
    listing.write_text(text)
    dt.train.Saver(max_to_keep=1).save(session, folder / "m", global_step=2)
    assert (precious / "model.json").exists()
    assert dt.train.latest_checkpoint(folder) == str(folder / "m-2")


def test_no_folder_and_no_checkpoint_give_none(tmp_path: Path) -> None:
    assert dt.train.latest_checkpoint(tmp_path) is None
    assert dt.train.latest_checkpoint(tmp_path / "nowhere") is None
    assert dt.train.get_checkpoint_state(tmp_path) is None
    with pytest.raises(NotFoundError, match="there is no whole checkpoint in the folder"):
        dt.train.list_variables(tmp_path)


def test_the_state_can_be_set_by_hand(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver(max_to_keep=None)
    paths = [saver.save(session, tmp_path / f"m{step}", write_state=False) for step in range(3)]
    dt.train.update_checkpoint_state(tmp_path, paths[1], all_model_checkpoint_paths=[paths[0], paths[1]])
    assert dt.train.latest_checkpoint(tmp_path) == paths[1]
    state = dt.train.get_checkpoint_state(tmp_path)
    assert state is not None
    assert state.all_model_checkpoint_paths == paths[:2]
    shutil.copytree(tmp_path, tmp_path / "copy")
    with pytest.raises(InvalidArgumentError, match="does not lie in"):
        dt.train.update_checkpoint_state(tmp_path, tmp_path / "copy" / "m1")
    with pytest.raises(NotFoundError, match="there is no checkpoint"):
        dt.train.update_checkpoint_state(tmp_path, "m7")
