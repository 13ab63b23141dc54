"""Files that were changed, cut off, lost or forged are noticed, and the message names them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DovetailError, FormatError

ENDINGS = (".json", ".safetensors", ".meta", ".meta.safetensors")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small checkpoint."""
    variable = dt.Variable([1.0, 2.0], name="v")
    words = dt.Variable(["a", "bc"], name="w", trainable=False)
    dt.constant(np.zeros(200), name="table")
    with dt.Session() as session:
        session.run([variable.initializer, words.initializer])
        return Path(dt.train.Saver().save(session, tmp_path / "model"))


def forge(path: Path, change: Callable[[Any], None]) -> None:
    """Change what a sealed file says, and seal it again, as someone does who means it."""
    data = json.loads(path.read_bytes())
    del data["digest"]
    change(data)
    text = ("{\n" + "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in data.items())).encode()
    path.write_bytes(text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode())


def test_every_byte_counts(small: Path) -> None:
    for ending in (".json", ".safetensors"):
        path = Path(f"{small}{ending}")
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :])
            with pytest.raises(DovetailError):
                dt.io.verify(small)
        path.write_bytes(content)
    dt.io.verify(small)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("keep", [0, 1, 40, -1])
def test_cut_off_files_are_told(small: Path, ending: str, keep: int) -> None:
    path = Path(f"{small}{ending}")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FormatError) as caught:
        dt.io.verify(small)
    assert str(path) in str(caught.value)
    assert any(reason in str(caught.value) for reason in ("is empty", "it is cut off", "is damaged"))
    if ending != ".json":
        assert "it is empty" in str(caught.value) if not keep else "it is cut off" in str(caught.value)
        assert dt.train.latest_checkpoint(small.parent) is None
    if ending.startswith(".meta"):
        with dt.Graph().as_default() as graph:
            with pytest.raises(FormatError, match="is empty|is damaged"):
                dt.train.import_meta_graph(small)
            assert not graph.get_operations()


def test_added_bytes_are_told(small: Path) -> None:
    path = Path(f"{small}.safetensors")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FormatError, match=f"something was added; it has {size + 4} bytes and should have {size}"):
        dt.io.verify(small)


@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_missing_files_are_told(small: Path, ending: str) -> None:
    Path(f"{small}{ending}").unlink()
    with pytest.raises(FormatError, match=r'"/.*model.*" is missing, without which "model" is not whole'):
        dt.io.verify(small)
    assert not dt.train.checkpoint_exists(small)


def test_a_missing_shard_is_told(small: Path) -> None:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        saver = dt.train.Saver(max_shard_bytes=8)
        path = saver.save(session, small.parent / "shards")
        Path(f"{path}-00002-of-00002.safetensors").unlink()
        with pytest.raises(FormatError, match=r'shards-00002-of-00002.safetensors" is missing'):
            saver.restore(session, path)
        assert dt.io.Checkpoint(path).get_tensor("v").tolist() == [1.0, 2.0]


def test_the_last_good_checkpoint_is_named_and_still_loads(tmp_path: Path) -> None:
    step = dt.Variable(0, name="step")
    saver = dt.train.Saver()
    with dt.Session() as session:
        for number in range(3):
            step.load(number, session)
            saver.save(session, tmp_path / "model", global_step=number)
        newest = tmp_path / "model-2.safetensors"
        content = newest.read_bytes()
        newest.write_bytes(content[:-1] + b"\x01")
        for damage in (lambda: None, lambda: forge(tmp_path / "model-2.json", lambda data: data.pop("random"))):
            damage()
            with pytest.raises(
                FormatError, match=r'model-2.* is damaged.* The newest other one in the folder is ".*-1"'
            ):
                saver.restore(session, tmp_path / "model-2")
        assert session.run(step) == 2
        saver.restore(session, tmp_path / "model-1")
        assert session.run(step) == 1


def test_the_graph_of_another_checkpoint_is_told(small: Path) -> None:
    with dt.Graph().as_default(), dt.Session() as session:
        session.run(dt.Variable(1.0, name="v").initializer)
        other = dt.train.Saver().save(session, small.parent / "other")
    path = Path(f"{small}.meta")
    path.write_bytes(Path(f"{other}.meta").read_bytes())
    with dt.Graph().as_default() as graph:
        with pytest.raises(FormatError, match=r'model.meta" is damaged: .* should have'):
            dt.train.import_meta_graph(path)
        assert not graph.get_operations()
        dt.train.import_meta_graph(f"{other}.meta")


def test_a_key_that_occurs_twice_is_told(small: Path) -> None:
    path = Path(f"{small}.json")
    path.write_bytes(path.read_bytes().replace(b'"step": null', b'"ties": {},\n"step": null'))
    with pytest.raises(FormatError, match="the key 'ties' occurs twice"):
        dt.io.verify(small)


def test_another_file_of_the_same_size_is_told(small: Path) -> None:
    forge(Path(f"{small}.json"), lambda data: data["tensors"]["v"].update(shape=[3]))
    with pytest.raises(FormatError, match=r'model.safetensors" does not hold the tensors that ".*model.json" tells'):
        dt.io.verify(small)


@pytest.mark.parametrize("ending", ["/../secret", "/secret", "\\secret", "", ".a/../../b", ".\0", 7, None, ".a.b.c.d"])
def test_names_that_lead_elsewhere_are_told(small: Path, ending: Any) -> None:
    forge(Path(f"{small}.json"), lambda data: data["files"][0].update(ending=ending))
    with pytest.raises(
        FormatError, match=r'model.json" names a file by the ending .* Do not trust where it comes from'
    ):
        dt.io.verify(small)


@pytest.mark.parametrize("pending", ["/../../x", "0123", "0" * 15 + "/", None, "0123456789ABCDEF"])
def test_temporary_names_lead_nowhere(small: Path, pending: Any) -> None:
    forge(Path(f"{small}.json"), lambda data: data["files"][0].update(pending=pending))
    with pytest.raises(FormatError, match="does not describe a file"):
        dt.io.verify(small)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(files=3),
        lambda data: data.update(files=[3]),
        lambda data: data["files"].append(data["files"][0]),
        lambda data: data["files"][0].update(bytes=-1),
        lambda data: data["files"][0].update(sha256="x"),
        lambda data: data.update(tensors=[]),
        lambda data: data["tensors"]["v"].update(dtype="quaternion"),
        lambda data: data["tensors"]["v"].update(shape=[-1]),
        lambda data: data["tensors"]["v"].update(file=".other"),
        lambda data: data.update(ties={"a": "b"}),
        lambda data: data.update(ties={"v": "v"}),
        lambda data: data.update(random={}),
        lambda data: data["random"].update(seed=1.5),
        lambda data: data["random"].update(counters={"a": -1}),
        lambda data: data.update(step="3"),
        lambda data: data.update(saved=[]),
        lambda data: data.update(saved=1e300),
        lambda data: data.update(saved=float("nan")),
        lambda data: data["tensors"].update({"\ud800": data["tensors"]["v"]}),
        lambda data: data.pop("graph_hash"),
        lambda data: data.update(version=True),
        lambda data: data.update(version=0),
    ],
)  # fmt: skip
def test_forged_manifests_are_told(small: Path, change: Callable[[Any], None]) -> None:
    forge(Path(f"{small}.json"), change)
    with pytest.raises(FormatError, match=r'model.json" is damaged'):
        dt.io.verify(small)


@pytest.mark.parametrize("ending", ENDINGS[:2])
def test_links_out_of_the_folder_are_not_followed(
    small: Path, tmp_path_factory: pytest.TempPathFactory, ending: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "file"
    path = Path(f"{small}{ending}")
    path.rename(outside)
    path.symlink_to(outside)
    with pytest.raises(FormatError, match="is a symbolic link to .*outside.*, out of its folder, and is not followed"):
        dt.io.verify(small)


def test_links_within_the_folder_are_followed(small: Path) -> None:
    path = Path(f"{small}.safetensors")
    path.rename(small.parent / "blob")
    path.symlink_to("blob")
    dt.io.verify(small)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_place_of_a_file_is_told(small: Path) -> None:
    path = Path(f"{small}.safetensors")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FormatError, match="is no regular file; a file is expected"):
        dt.io.verify(small)


def test_a_save_writes_no_file_through_a_link(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_text("precious")
    for ending in ENDINGS:
        path = Path(f"{small}{ending}")
        path.unlink()
        path.symlink_to(outside)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        dt.train.Saver().save(session, small)
    assert outside.read_text() == "precious"
    dt.io.verify(small)


@given(st.binary(max_size=200), st.integers(0, 3000), st.booleans())
def test_nothing_but_our_errors_comes_of_noise(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int, sealed: bool
) -> None:
    content = MANIFEST[:place] + noise + MANIFEST[place + len(noise) :]
    path = tmp_path_factory.mktemp("noise") / "model.json"
    if sealed:
        content += f'"digest": "{hashlib.sha256(content).hexdigest()}"\n}}\n'.encode()
    path.write_bytes(content)
    try:
        dt.io.verify(path.with_suffix(""))
    except DovetailError:
        return


MANIFEST = b"""{
"format": "dovetail-checkpoint",
"version": 1,
"dovetail": "0.1.0",
"saved": 1795492706.5628424,
"step": 3,
"graph_hash": "0c096ee83a4d034d58f1f27172db90105ed720158c1b80cca2a81ba4119a98e1",
"random": {"seed": 8, "counters": {"r": 1}},
"files": [],
"tensors": {},
"ties": {},
"""
