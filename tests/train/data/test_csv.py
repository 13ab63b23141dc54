"""CSV files: types, missing values, quotes, encodings, and what is wrong in them."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, StorageError

IRIS = "width,length,kind\n3.5,5,setosa\n2.9,6,virginica\n3.1,7,setosa\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "data.csv") -> str:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def rows(dataset: Any) -> list[Any]:
    return list(dataset)


def test_columns_are_typed(file: Any) -> None:
    data = dt.data.from_csv(file(IRIS), "kind")
    features, label = data.element_spec
    assert features == {"width": dt.data.TensorSpec([], "float32"), "length": dt.data.TensorSpec([], "int64")}
    assert label == dt.data.TensorSpec([], dt.string)
    assert rows(data)[1] == ({"width": np.float32(2.9), "length": 6}, "virginica")
    batch, kinds = next(iter(data.batch(2)))
    assert batch["width"].dtype == np.float32
    assert kinds.tolist() == ["setosa", "virginica"]
    numbered = dt.data.from_csv(file(IRIS), "kind", classes=["setosa", "versicolor", "virginica"])
    assert [int(label) for _, label in numbered] == [0, 2, 0]
    assert numbered.element_spec[1] == dt.data.TensorSpec([], dt.int64)
    plain = dt.data.from_csv(file(IRIS), columns=["length", "width"], dtypes={"length": dt.float64})
    assert list(rows(plain)[0].items()) == [("length", np.float64(5.0)), ("width", np.float32(3.5))]
    vector = dt.data.from_csv(file(IRIS), "kind", stack=True, classes=["setosa", "virginica"])
    assert vector.element_spec[0] == dt.data.TensorSpec([2], dt.float32)
    x, y = next(iter(vector.batch(3)))
    assert x.tolist() == [[3.5, 5.0], [np.float32(2.9), 6.0], [np.float32(3.1), 7.0]]
    assert y.tolist() == [0, 1, 0]


def test_files_without_names(file: Any) -> None:
    data = dt.data.from_csv(file("1;2\n3;4\n"), "b", names=["a", "b"], delimiter=";")
    assert rows(data) == [({"a": 1}, 2), ({"a": 3}, 4)]
    assert list(rows(dt.data.from_csv(file("1;2\n3;4\n"), header=False, delimiter=";"))[0]) == ["0", "1"]
    renamed = dt.data.from_csv(file("x,x\n1,2\n"), names=["a", "b"], header=True)
    assert rows(renamed) == [{"a": 1, "b": 2}]


def test_quotes_delimiters_and_line_ends(file: Any) -> None:
    text = 'text,n\r\n"one, two",1\r\n"a ""b""\nc",2\r\n\r\nplain,3\r\n'
    data = dt.data.from_csv(file(text))
    assert [row["text"] for row in data] == ["one, two", 'a "b"\nc', "plain"]
    assert [row["n"] for row in dt.data.from_csv(file("a\tn\n'x\ty'\t4\n"), delimiter="\t", quotechar="'")] == [4]
    assert rows(dt.data.from_csv(file('a,b\n"x,1\n'), quotechar="")) == [{"a": '"x', "b": 1}]
    assert rows(dt.data.from_csv(file("a,b\r1,2\r3,4\r"))) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert rows(dt.data.from_csv(file("a,b\n1,2\n3,4"))) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_encodings_and_compression(file: Any) -> None:
    text = "naïve,n\nÄöü,1\n"
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "utf-16"):
        given = "utf-8" if encoding == "utf-8-sig" else encoding
        assert rows(dt.data.from_csv(file(text.encode(encoding)), encoding=given)) == [{"naïve": "Äöü", "n": 1}]
    assert rows(dt.data.from_csv(file(gzip.compress(text.encode()), "data.csv.gz"))) == [{"naïve": "Äöü", "n": 1}]
    with pytest.raises(FormatError, match=r"data.csv, line 2: it is no text in utf-8 \(.*0xc4.*encoding='latin-1'"):
        dt.data.from_csv(file("n,a\n1,Ä\n".encode("latin-1")))
    late = "n,a\n" + "1,x\n" * 150_000 + "1,Ä\n"
    with pytest.raises(FormatError, match="data.csv, line 150002: it is no text in utf-8"):
        list(dt.data.from_csv(file(late.encode("latin-1"))).batch(5000))
    with pytest.raises(StorageError, match=r'"data.csv.gz" cannot be read'):
        list(dt.data.from_csv(file(gzip.compress(text.encode() * 1000)[:-30], "data.csv.gz"), names=["a", "b"]))


MISSING = "age,name,ok\n30,Ann,true\n,Bob,no\nNA,NA,NA\n40,,yes\n"


def test_missing_values(file: Any) -> None:
    path = file(MISSING)
    with pytest.raises(FormatError, match=r"data.csv, line 3, column 'age': the value is missing \(''\). Say what"):
        list(dt.data.from_csv(path))
    kinds = {"age": dt.float32, "ok": dt.bool}
    filled = rows(dt.data.from_csv(path, dtypes=kinds, missing={"age": -1, "ok": False}))
    assert [float(row["age"]) for row in filled] == [30.0, -1.0, -1.0, 40.0]
    assert [bool(row["ok"]) for row in filled] == [True, False, False, True]
    assert [row["name"] for row in filled] == ["Ann", "Bob", "NA", ""]
    assert [row["name"] for row in dt.data.from_csv(path, dtypes=kinds, missing="drop")] == ["Ann", ""]
    ages = [float(row["age"]) for row in dt.data.from_csv(path, columns=["age"], dtypes=kinds["age"], missing="nan")]
    assert np.isnan(ages).tolist() == [False, True, True, False]
    named = rows(dt.data.from_csv(path, columns=["name"], na_values=["Bob", ""], missing="unknown"))
    assert [row["name"] for row in named] == ["Ann", "unknown", "NA", "unknown"]
    with pytest.raises(InvalidArgumentError, match="missing says 'x' for 'age', which is no int64"):
        dt.data.from_csv(path, missing={"age": "x"})
    with pytest.raises(InvalidArgumentError, match="missing speaks of a column 'agge', which is not read"):
        dt.data.from_csv(path, missing={"agge": 0})
    coded = dt.data.from_csv(file("a,b\n1,-999\n2,5\n"), na_values=["-999"], missing="drop")
    assert rows(coded) == [{"a": 2, "b": 5}]


def test_what_is_wrong_is_named_by_file_line_and_column(file: Any) -> None:
    many = "a,b\n" + "1,2.5\n" * 1500
    for text, message in [
        (many + "x,2\n", r"data.csv, line 1502, column 'a': 'x' is no int64, as which the first rows were read. Mend"),
        (many + "1.5,2\n", "line 1502, column 'a': '1.5' is no int64"),
        (many + "1,1_0\n", "line 1502, column 'b': '1_0' is no float32"),
        (many + "1,1e99\n", "line 1502, column 'b': '1e99' is no float32"),
        (many + "99999999999999999999,1\n", "line 1502, column 'a': '99999999999999999999' is no int64"),
        (many + "1\n", r"line 1502: there are 1 fields, where 2 are wanted \(a, b\): 1"),
        (many + "1,2,3\n", "line 1502: there are 3 fields, where 2 are wanted"),
        (many + '1,"2\n3,4\n', "line 1502: the record that begins there cannot be read: .*Is a quote left open"),
        (many + '1,"2"x\n3,4\n', "line 1502: the record that begins there cannot be read: "),
        (many + '"\n1",2\n1,y\n', "line 1504, column 'b': 'y' is no float32"),
    ]:
        with pytest.raises(FormatError, match=message):
            list(dt.data.from_csv(file(text)).batch(100))
    with pytest.raises(FormatError, match="column 'a': 'yes' is no int32. Mend"):
        list(dt.data.from_csv(file("a\nyes\n"), dtypes=dt.int32))
    with pytest.raises(FormatError, match="line 3, column 'k': 'x' is none of the classes 'a', 'b'"):
        list(dt.data.from_csv(file("n,k\n1,a\n2,x\n"), "k", classes=["a", "b"]))
    with pytest.raises(FormatError, match="line 4, column 'k': 3 is out of range; there are 3 classes, 0 to 2"):
        list(dt.data.from_csv(file("n,k\n1,0\n2,2\n1,3\n"), "k", classes=3))
    with pytest.raises(FormatError, match="line 3, column 'k': -1 is out of range"):
        list(dt.data.from_csv(file("n,k\n1,0\n2,-1\n1,3\n"), "k", classes=3))


def test_files_that_cannot_be(file: Any) -> None:
    for text, options, message in [
        ("", {}, "data.csv: the file is empty; there is not even a header"),
        ("\n\n", {}, "the file is empty"),
        ("", {"names": ["a"]}, "the file is empty; there is no row"),
        ("a,b,a\n1,2,3\n", {}, "data.csv: the header has the name 'a' more than once"),
        (
            "1;2\n3;4\n",
            {"names": ["a", "b"]},
            "its rows have 1 fields, where there are 2 names: a, b. Is",
        ),
    ]:
        with pytest.raises(FormatError, match=message):
            dt.data.from_csv(file(text), **options)
    for options, message in [
        ({"label": "d"}, "data.csv has no column 'd'; its columns are a, b"),
        ({"columns": ["a", "c"]}, "has no column 'c'"),
        ({"label": "A"}, "has no column 'A'; its columns are a, b. Did you mean 'a'?"),
        ({"label": "b", "delimiter": ";"}, "its columns are a,b. Is the delimiter another?"),
        ({"missing": "dropp"}, "missing is 'dropp'; give 'error', 'drop', 'nan', a number, or values by column"),
        ({"label": "a", "columns": ["a"]}, "there is no column besides the label"),
        ({"delimiter": ",,"}, "delimiter is ',,'"),
        ({"encoding": "utf-99"}, "'utf-99' is no encoding"),
        ({"dtypes": {"c": "float32"}}, "dtypes speaks of a column 'c'"),
        ({"classes": ["x"]}, "classes are those of the label"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            dt.data.from_csv(file("a,b\n1,2\n"), **options)
    with pytest.raises(DTypeError, match="columns is 'a'; give a list of names"):
        dt.data.from_csv(file("a,b\n1,2\n"), columns="a")
    with pytest.raises(DTypeError, match="stack makes a vector of numbers, but column 'b' is string"):
        dt.data.from_csv(file("a,b\n1,x\n"), stack=True)
    with pytest.raises(DTypeError, match=r"classes is \['x', 'x'\]; give different texts"):
        dt.data.from_csv(file("a,b\n1,x\n"), "b", classes=["x", "x"])
    with pytest.raises(StorageError, match=r'"none.csv" cannot be read: there is no such file \(from .*\)'):
        dt.data.from_csv("none.csv")
    with pytest.raises(StorageError, match="it is a folder"):
        dt.data.from_csv(".")
    with pytest.raises(DTypeError, match="5 is no path of a file"):
        dt.data.from_csv([5])
    other = file("a,c\n1,2\n", "other.csv")
    with pytest.raises(FormatError, match="other.csv: the header is a, c, where that of data.csv is a, b"):
        list(dt.data.from_csv([file("a,b\n1,2\n"), other]))
    assert rows(dt.data.from_csv(file("a,b\n"))) == []


def test_a_function_that_fails_names_the_line(file: Any) -> None:
    data = dt.data.from_csv([file(IRIS), file(IRIS, "more.csv")]).shuffle(2, seed=1)

    def fail(row: Any) -> Any:
        raise KeyError(row["length"])

    with pytest.raises(dt.errors.DataError, match=r"map: .*fail raised KeyError at element 0 \(data.csv, line \d\): "):
        next(iter(data.map(fail)))


def test_every_row_is_a_position(file: Any) -> None:
    lines = ["n,text"]
    lines += [f'{n},"line\n{n}"' if n % 50 == 0 else f"{n},ö{'x' * 40}" if n % 9 else f"NA,{n}" for n in range(14_000)]
    paths = [file("\n".join(lines) + "\n"), file("n,text\n1,a\n2,b\n", "more.csv")]

    def make() -> Any:
        return dt.data.from_csv(paths, missing="drop").batch(997)

    whole = [batch["n"].tolist() for batch in make()]
    assert list(itertools.chain(*whole)) == [n for n in range(14_000) if n % 9 or n % 50 == 0] + [1, 2]
    iterator = iter(make())
    for at, batch in enumerate(whole):
        state = json.loads(json.dumps(iterator.state()))
        assert len(json.dumps(state)) < 400
        iterator = iter(make())
        iterator.restore(state)
        if at == len(whole) // 2:
            middle = state
        if at % 10 == 0:
            assert [one["n"].tolist() for one in iterator] == whole[at:]
            iterator.restore(state)
        assert next(iterator)["n"].tolist() == batch
    assert next(iterator, None) is None
    with Path(paths[0]).open("a") as grown:
        grown.write("5,x\n")
    with pytest.raises(InvalidArgumentError, match=r"data.csv has \d+ bytes, but had \d+ when the position was saved"):
        iter(make()).restore(middle)


def test_any_table_is_read_back(file: Any, rng: np.random.Generator) -> None:
    texts = ["", " ", "a", "NA", 'q"', "1,5", "x\ny", "é", "_", "-1", "\t", "'"]
    for _ in range(20):
        count = int(rng.integers(1, 60))
        table = {
            "whole": [int(n) for n in rng.integers(-(2**40), 2**40, count)],
            "real": [float(np.float32(x)) for x in rng.normal(size=count) * 10.0 ** rng.integers(-20, 20, count)],
            "text": [texts[n] for n in rng.integers(0, len(texts), count)],
        }
        with Path("data.csv").open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target, lineterminator=str(rng.choice(["\n", "\r\n"])))
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
        kinds = {"whole": dt.int64, "real": dt.float32, "text": dt.string}
        for columns in (["whole", "real", "text"], ["real", "whole"]):
            parts = list(dt.data.from_csv("data.csv", columns=columns, dtypes={c: kinds[c] for c in columns}).batch(7))
            for column in columns:
                assert np.concatenate([part[column] for part in parts]).tolist() == table[column]
