"""Text files, vocabularies, tokenizers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    DataError,
    DTypeError,
    FormatError,
    InvalidArgumentError,
    NotFoundError,
    StorageError,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str | bytes) -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def test_lines_and_files() -> None:
    paths = [write("a.txt", "one\r\n\ntwo\n"), write("b.txt", ""), write("c.txt.gz", gzip.compress("drei é".encode()))]
    data = dt.data.from_text(paths)
    assert list(data) == ["one", "", "two", "drei é"]
    assert data.element_spec == dt.data.TensorSpec([], dt.string)
    assert list(dt.data.from_text(paths, "file")) == ["one\r\n\ntwo\n", "", "drei é"]
    assert sorted(dt.data.from_text(paths, "file").shuffle(seed=1)) == ["", "drei é", "one\r\n\ntwo\n"]
    assert len(dt.data.from_text(paths, by="file")) == 3
    assert next(iter(data.batch(3))).tolist() == ["one", "", "two"]
    assert list(dt.data.from_text(write("u.txt", "a\u2028b\nc".encode("utf-16")), encoding="utf-16")) == [
        "a\u2028b",
        "c",
    ]


def test_every_line_is_a_position() -> None:
    lines = [f"{n} {'é' * (n % 700)}" for n in range(3000)]
    paths = [write("a.txt", "\n".join(lines)), write("b.txt", "x\ny\n")]
    whole = [*lines, "x", "y"]
    iterator = iter(dt.data.from_text(paths))
    for at in range(0, len(whole), 157):
        state = json.loads(json.dumps(iterator.state()))
        other = iter(dt.data.from_text(paths))
        other.restore(state)
        assert [next(other) for _ in range(min(157, len(whole) - at))] == whole[at : at + 157]
        iterator = other
    assert list(iterator) == []
    rest = iter(dt.data.from_text(paths))
    rest.restore(state)
    assert list(rest) == whole[at:]
    with Path("a.txt").open("a") as grown:
        grown.write("more")
    with pytest.raises(InvalidArgumentError, match="a.txt has .* bytes, but had .* when the position was saved"):
        rest.restore(state)


def test_texts_that_are_none() -> None:
    bad = write("bad.txt", b"fine\nnot \xff fine\n")
    for by in ("line", "file"):
        with pytest.raises(FormatError, match="bad.txt, line 2: it is no text in utf-8"):
            list(dt.data.from_text(bad, by))
    with pytest.raises(StorageError, match='"none.txt" cannot be read: there is no such file'):
        dt.data.from_text("none.txt")
    with pytest.raises(InvalidArgumentError, match="by is 'word'; give 'line' or 'file'"):
        dt.data.from_text(bad, "word")

    def fail(text: Any) -> Any:
        raise KeyError(text)

    good = dt.data.from_text(write("good.txt", "a\nb\n")).skip(1)
    with pytest.raises(DataError, match=r"fail raised KeyError at element 0 \(good.txt, line 2\): 'b'"):
        list(good.map(fail))


def test_a_vocabulary_is_built_by_frequency() -> None:
    words = [["b", "a", "c"], ["a", "b"], ["d", "b"]]
    full = dt.data.Vocabulary.build(words)
    assert list(full) == ["<pad>", "<unk>", "b", "a", "c", "d"]
    assert list(dt.data.Vocabulary.build(words, min_count=2)) == ["<pad>", "<unk>", "b", "a"]
    assert list(dt.data.Vocabulary.build(words, max_size=3)) == ["<pad>", "<unk>", "b"]
    assert list(dt.data.Vocabulary.build(words, padding=None, unknown=None)) == ["b", "a", "c", "d"]
    assert (full.padding_id, full.unknown_id, len(full), "a" in full, "z" in full) == (0, 1, 6, True, False)
    assert full.encode(["a", "z"]).tolist() == [3, 1]
    assert full.decode(np.array([2, 0, 1])) == ["b", "<pad>", "<unk>"]
    assert repr(full) == "Vocabulary(6 tokens: '<pad>', '<unk>', 'b', 'a', ...)"
    closed = dt.data.Vocabulary(["x"], padding=None, unknown=None)
    assert (closed.padding_id, closed.unknown_id, closed["x"]) == (None, None, 0)
    with pytest.raises(NotFoundError, match="'z' is none of the 1 tokens, and there is no token for unknown ones"):
        closed.encode("z")
    with pytest.raises(InvalidArgumentError, match="6 is no token's number; there are 6"):
        full.decode([6])
    with pytest.raises(InvalidArgumentError, match="a number is -1"):
        full.decode([-1])
    with pytest.raises(InvalidArgumentError, match="the token 'a' comes more than once"):
        dt.data.Vocabulary(["a", "b", "a"])
    with pytest.raises(DTypeError, match="takes several sequences of tokens, but was given a single text"):
        dt.data.Vocabulary.build("the cat")
    with pytest.raises(DataError, match="sequence 1 is a text, 'the cat'; give its tokens"):
        dt.data.Vocabulary.build([["a"], "the cat"])


def test_a_vocabulary_is_saved_as_text() -> None:
    words = dt.data.Vocabulary(["é", "\n", '"', "日本"], padding="<p>", unknown=None)
    words.save("words.json")
    assert dt.data.Vocabulary.load("words.json") == words
    assert hash(dt.data.Vocabulary.load("words.json")) == hash(words)
    assert "日本" in Path("words.json").read_text(encoding="utf-8")
    assert sorted(one.name for one in Path().iterdir()) == ["words.json"]
    good = json.loads(Path("words.json").read_text(encoding="utf-8"))
    for data, message in [
        ({**good, "version": 2}, "a vocabulary of version 2, and this Dovetail reads version 1"),
        ({**good, "tokens": [1]}, "is damaged: its tokens are no list of texts"),
        ({**good, "padding": 1}, "is damaged: its tokens are no list"),
        ({**good, "tokens": ["a", "a"]}, "is damaged: Vocabulary: the token 'a' comes more than once"),
        ([], "holds no vocabulary; Vocabulary.save writes one"),
    ]:
        Path("bad.json").write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(FormatError, match=message):
            dt.data.Vocabulary.load("bad.json")
    write("bad.json", b"\xff{")
    with pytest.raises(FormatError, match='"bad.json" holds no vocabulary: '):
        dt.data.Vocabulary.load("bad.json")
    with pytest.raises(StorageError, match='"none.json" cannot be read: No such file'):
        dt.data.Vocabulary.load("none.json")
    with pytest.raises(StorageError, match='could not be saved in "none/words.json": No such file'):
        words.save("none/words.json")


def test_tokenizers_go_there_and_back() -> None:
    texts = dt.data.from_text(write("a.txt", "The cat sat.\nA dog, a cat!\n"))
    letters = dt.data.CharacterTokenizer.build(texts)
    for text in texts:
        assert letters.decode(letters.encode(text)) == text
    assert len(letters) == 2 + len(set("The cat sat.A dog, a cat!"))
    words = dt.data.WordTokenizer.build(texts, lower=False)
    assert words.decode(words.encode("The dog, a cat!")) == "The dog, a cat!"
    assert words.decode(words.encode("the cat")) == "<unk> cat"
    small = dt.data.WordTokenizer.build(texts, max_size=4)
    assert list(small.vocabulary) == ["<pad>", "<unk>", "a", "cat"]
    assert small.tokenize("It's über-cool: 3.5€") == ["it's", "über", "-", "cool", ":", "3", ".", "5", "€"]
    assert dt.data.WordTokenizer.build(["a b_c"], pattern=r"[a-z]+").tokenize("a b_c") == ["a", "b", "c"]
    assert small.encode("").tolist() == []
    assert small.encode(b"a cat").tolist() == [2, 3]
    assert small.encode(np.array("a", object)).tolist() == [2]
    with pytest.raises(DTypeError, match="takes one text, a string, but was given a ndarray"):
        small.encode(np.array(["a"], object))
    with pytest.raises(DTypeError, match="build takes several texts"):
        dt.data.CharacterTokenizer.build("abc")
    with pytest.raises(InvalidArgumentError, match=r"pattern is '\(', no regular expression"):
        dt.data.WordTokenizer.build(["a"], pattern="(")


def test_texts_become_padded_batches() -> None:
    texts = dt.data.from_text(write("a.txt", "a b c\na\nb b\n"))
    words = dt.data.WordTokenizer.build(texts)
    batches = list(texts.map(words.encode, threads=2).pad_batch(2, padding_values=words.vocabulary.padding_id))
    assert [one.tolist() for one in batches] == [[[3, 2, 4], [3, 0, 0]], [[2, 2]]]
    assert texts.map(words.encode).pad_batch(2).element_spec == dt.data.TensorSpec([None, None], dt.int32)
    assert [words.decode(row) for one in batches for row in one] == ["a b c", "a", "b b"]
