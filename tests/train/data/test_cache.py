"""Elements that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import FormatError, InvalidArgumentError, StorageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def counted(calls: list[int]) -> dt.data.Dataset:
    def make(n: Any) -> Any:
        calls.append(int(n))
        half = np.array([n, 2.5], ml_dtypes.bfloat16)
        return {"n": n, "half": half, "text": f"é{n}", "more": np.array([b"a\0", "b"], object), "x": np.ones(n % 3)}

    return dt.data.range(7).map(make, threads=2)


def shown(dataset: Any) -> list[Any]:
    return [
        {key: (str(np.asarray(leaf).dtype), np.asarray(leaf).tolist()) for key, leaf in one.items()} for one in dataset
    ]


@pytest.mark.parametrize("filename", ["", "kept"])
def test_what_is_kept_is_made_once(filename: str) -> None:
    calls: list[int] = []
    expected = shown(counted([]))
    dataset = counted(calls).cache(filename)
    assert shown(dataset) == expected
    count = len(calls)
    for _ in range(2):
        assert shown(dataset) == expected
    assert len(calls) == count
    assert len(list(dataset.shuffle(seed=1).repeat(2).pad_batch(4))) == 4
    assert len(calls) == count
    if filename:
        assert [one.name for one in Path().iterdir()] == ["kept"]
        assert shown(counted([]).cache("kept")) == expected


def test_a_pass_that_breaks_off_leaves_no_file() -> None:
    dataset = counted([]).cache("kept")
    iterator = iter(dataset)
    next(iterator)
    assert len(list(Path().iterdir())) == 1
    del iterator
    assert list(Path().iterdir()) == []

    def fail(n: Any) -> Any:
        return 1 // (3 - int(n))

    with pytest.raises(dt.errors.DataError, match="raised ZeroDivisionError at element 3"):
        list(dt.data.range(5).map(fail).cache("kept"))
    assert not Path("kept").exists()
    iterator = iter(dataset)
    next(iterator)
    iterator.restore(iterator.state())
    assert len(list(iterator)) == 6
    assert not Path("kept").exists()


def test_files_of_something_else_are_refused() -> None:
    list(dt.data.range(5).cache("kept"))
    with pytest.raises(FormatError, match=r'"kept" holds the elements of range\(0, 5, 1\), but these are of range'):
        list(dt.data.range(6).cache("kept"))
    whole = Path("kept").read_bytes()
    Path("kept").write_bytes(whole[:-3])
    with pytest.raises(FormatError, match='"kept" is damaged .*Delete it'):
        list(dt.data.range(5).cache("kept"))
    for content in (b"", b"something", whole[:40]):
        Path("kept").write_bytes(content)
        with pytest.raises(FormatError, match='"kept" (holds no cached elements; delete it|is damaged)'):
            list(dt.data.range(5).cache("kept"))
    with pytest.raises(StorageError, match='cache: "none/kept" cannot be written or read: No such file'):
        list(dt.data.range(5).cache("none/kept"))
    Path("kept").write_bytes(whole)
    iterator = iter(dt.data.range(5).cache("kept"))
    next(iterator)
    state = iterator.state()
    Path("kept").unlink()
    with pytest.raises(InvalidArgumentError, match='the cache "kept", which is not there any more'):
        iter(dt.data.range(5).cache("kept")).restore(state)
