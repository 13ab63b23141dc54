"""Text: what its operations refuse, and where they run."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from tests.core.values import run


def test_text_of_any_rank_and_of_sizes_known_when_fed():
    x = dt.placeholder(dt.string, [None, None])
    joined = dt.strings.join([dt.strings.upper(x), dt.as_string(dt.strings.length(x))], separator=":")
    assert run(joined, {x: [["a", "bc"]]}).tolist() == [[b"A:1", b"BC:2"]]
    unknown = dt.placeholder(dt.string, None)
    assert run(dt.strings.lower(unknown), {unknown: "AB"}) == b"ab"


def test_text_is_computed_on_the_reference_and_explain_says_so():
    pytest.importorskip("dovetail_backend_cpu")
    x = dt.placeholder(dt.string, [None], name="x")
    y = dt.exp(dt.string_to_number(x))
    with dt.Session(config=dt.ConfigProto(backends={"CPU": "cpu"})) as session:
        np.testing.assert_allclose(session.run(y, {x: ["0", "1"]}), [1.0, np.e], rtol=1e-6)
        assert [row.operation for row in dt.explain(y).fallbacks] == ["StringToNumber"]


def test_what_text_refuses():
    with pytest.raises(errors.DTypeError, match="strings.lower: input 0 is int32, where text is wanted"):
        dt.strings.lower([1])
    with pytest.raises(errors.ShapeError, match=r"string_join: the inputs are string\[2\], string\[1, 1\]; all but"):
        dt.string_join([["a", "b"], [["c"]]])
    with pytest.raises(errors.InvalidArgumentError, match="encoding is 'latin-1'; use 'utf-8', or '' for the letters"):
        dt.strings.upper("a", encoding="latin-1")
    with pytest.raises(errors.InvalidArgumentError, match="strings.length: unit is 'WORD'; use 'BYTE' or 'UTF8_CHAR'"):
        dt.strings.length("a", unit="WORD")
    with pytest.raises(errors.InvalidArgumentError, match=r"regex_replace: the pattern '\[' is no regular expression"):
        dt.regex_replace("a", "[", "")
    with pytest.raises(errors.OperationError, match="substr: position 4 lies outside b'abc', which has 3"):
        run(dt.substr("abc", dt.placeholder_with_default(4, []), 1))
    with pytest.raises(errors.DTypeError, match="substr: a position or length is float32; use integers"):
        dt.substr("abc", 1.0, 1)


def test_what_numbers_and_text_refuse():
    with pytest.raises(errors.OperationError, match="string_to_number: b'one' shows no float32. Mend the data"):
        run(dt.string_to_number(["one"]))
    with pytest.raises(errors.OperationError, match="string_to_number: b'3000000000' does not fit int32"):
        run(dt.string_to_number(["3000000000"], dt.int32))
    with pytest.raises(errors.DTypeError, match="string_to_number: out_type is bool; use float32, float64"):
        dt.string_to_number(["1"], dt.bool)
    with pytest.raises(errors.DTypeError, match="precision, scientific and shortest are for floating dtypes; .* int32"):
        dt.as_string(1, precision=2)
    with pytest.raises(errors.InvalidArgumentError, match="scientific and shortest are two forms; give one of them"):
        dt.as_string(1.0, scientific=True, shortest=True)
    with pytest.raises(errors.InvalidArgumentError, match="as_string: fill is 'x'; use ' ', '0', '-' or"):
        dt.as_string(1.0, fill="x")
    with pytest.raises(errors.DTypeError, match=r"reduce_join: the input is int32\[1\], where text is wanted"):
        dt.reduce_join([1])


def test_what_splitting_refuses():
    with pytest.raises(errors.ShapeError, match=r"string_split: the input is string\[\]; a vector of texts is needed"):
        dt.string_split("a b")
    with pytest.raises(errors.InvalidArgumentError, match="string_split: sep is empty; give the characters to cut at"):
        dt.string_split(["a"], sep="")
    with pytest.raises(errors.InvalidArgumentError, match="result_type is 'RaggedTensor'; there are no ragged tensors"):
        dt.strings.split(["a"], result_type="RaggedTensor")
