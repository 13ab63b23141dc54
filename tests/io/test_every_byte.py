"""A byte that changes in any file of a checkpoint, a bundle, a graph file or a list of checkpoints is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import FormatError
from dovetail_io.inspection.contents import contents_of

KINDS = {"shards": "shards/model-7", "bundle": "bundle", "graph": "graph/net.meta", "list": "shards/checkpoint"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small thing of every kind."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "words.txt").write_text("a\nb\n")
    with dt.Graph().as_default() as graph:
        dt.Variable([1.0, 2.0], name="v")
        dt.Variable(["a", "bc"], name="w", trainable=False)
        dt.add_to_collection(dt.GraphKeys.ASSET_FILEPATHS, dt.constant(str(folder / "words.txt"), name="asset"))
        dt.constant(np.zeros(200), name="table")
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            dt.train.Saver(max_shard_bytes=8).save(session, folder / "shards" / "model", global_step=7)
            builder = dt.saved_model.builder.SavedModelBuilder(folder / "bundle")
            assets = dt.get_collection(dt.GraphKeys.ASSET_FILEPATHS)
            builder.add_meta_graph_and_variables(session, ["serve"], assets_collection=assets)
            builder.save()
        dt.io.write_graph(graph, folder / "graph" / "net.meta")
    return folder


def files_of(saved: Path, kind: str) -> list[Path]:
    path = saved / KINDS[kind]
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file())
    if kind == "list":
        return [path]
    return sorted(one for one in path.parent.iterdir() if one.name.startswith(path.name.removesuffix("-7")))


def places(size: int, every: bool) -> Iterator[tuple[int, int]]:
    """Places and what to flip there: all, or the ends and a sample between them."""
    for place in range(size):
        if every:
            yield from ((place, mask) for mask in (0x01, 0x20, 0xFF))
        elif place < 12 or place >= size - 6 or place % (size // 40 + 1) == 0:
            yield place, 1 << place % 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_changes_is_noticed(kind: str, saved: Path, long_tests: bool) -> None:
    files = files_of(saved, kind)
    assert len(files) >= {"shards": 5, "bundle": 6, "graph": 2, "list": 1}[kind]
    for path in files:
        content = path.read_bytes()
        for place, mask in places(len(content), long_tests):
            path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
            try:
                told = contents_of(saved / KINDS[kind]).verify()
            except FormatError as error:
                assert str(saved / Path(KINDS[kind]).parts[0]) in str(error), "the file is named"  # noqa: PT017
            else:
                pytest.fail(f"byte {place} of {path.name}, turned by {mask:#x}, was not noticed: {told}")
        path.write_bytes(content)
    contents_of(saved / KINDS[kind]).verify()


@pytest.mark.parametrize("kind", ["shards", "bundle", "graph"])
@pytest.mark.parametrize("change", ["cut", "empty", "longer", "twice"])
def test_files_of_another_size_are_noticed(kind: str, change: str, saved: Path) -> None:
    changes: dict[str, Any] = {
        "cut": lambda content: content[: len(content) * 2 // 3],
        "empty": lambda content: b"",
        "longer": lambda content: content + b"\n",
        "twice": lambda content: content * 2,
    }
    for path in files_of(saved, kind):
        content = path.read_bytes()
        path.write_bytes(changes[change](content))
        with pytest.raises(FormatError) as caught:
            contents_of(saved / KINDS[kind]).verify()
        assert path.name in str(caught.value)
        path.write_bytes(content)


def test_a_list_that_was_changed_hides_no_checkpoint(saved: Path) -> None:
    path = saved / "shards" / "checkpoint"
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content.replace(b"model-7", b"model-8"), b"{}", content * 2):
        path.write_bytes(damaged)
        assert dt.train.latest_checkpoint(saved / "shards") == str(saved / "shards" / "model-7")
    path.write_bytes(content)
