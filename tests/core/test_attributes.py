"""The values that attributes hold, and their form in files."""

from __future__ import annotations

import copy
import enum
import json
import math
import struct
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from dovetail.errors import AlreadyExistsError, AttributeEncodingError, DTypeError, FormatError
from dovetail.types import attributes
from dovetail.types.attributes import ArrayAttribute, check_attribute, decode, encode, register_kind
from dovetail.types.dims import Symbol, dim_max
from dovetail.types.dtypes import bfloat16, bool_, float32, int8, string
from dovetail.types.shapes import Shape, TensorType

n = Symbol("n")


class Store:
    """Keeps arrays of more than one element, and gives them back."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}

    def add(self, array: np.ndarray[Any, Any]) -> str | None:
        if array.size <= 1:
            return None
        key = f"a{len(self.arrays)}"
        self.arrays[key] = array
        return key

    def get(self, key: str) -> np.ndarray[Any, Any]:
        return self.arrays[key]


def through_json(value: object, store: Store | None = None) -> Any:
    return decode(json.loads(json.dumps(encode(value, store))), store)


NUMERIC = st.sampled_from(
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64"]
)
NUMBERS = NUMERIC.flatmap(
    lambda name: numpy_strategies.arrays(name, numpy_strategies.array_shapes(min_dims=0, min_side=0))
)
BFLOATS = numpy_strategies.arrays("uint16", numpy_strategies.array_shapes(min_dims=0, min_side=0)).map(
    lambda bits: bits.view(ml_dtypes.bfloat16)
)
STRINGS = numpy_strategies.arrays(
    object, numpy_strategies.array_shapes(min_dims=0, min_side=0), elements=st.binary(max_size=5)
)
ARRAYS = st.one_of(NUMBERS, BFLOATS, STRINGS).map(ArrayAttribute)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.binary(),
        st.sampled_from([float32, bfloat16, bool_, string]),
        st.sampled_from([n, 2 * n + 1, (n + 1) // 2, dim_max(n - 2, 0)]),
        st.sampled_from([Shape(None), Shape([]), Shape([8, n])]),
        st.sampled_from([TensorType(float32, Shape(None)), TensorType(int8, Shape([n, 3]))]),
        ARRAYS,
    ),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_makes_the_round_trip(value: Any) -> None:
    check_attribute(value, "Test.value")
    again = through_json(value)
    assert again == value
    assert type(again) is type(value)
    assert hash(again) == hash(value)


@given(VALUES)
def test_every_value_makes_the_round_trip_beside_a_store(value: Any) -> None:
    assert through_json(value, Store()) == value


@given(st.integers(0, 2**64 - 1))
def test_floats_keep_every_bit(bits: int) -> None:
    raw = struct.pack(">Q", bits)
    assert struct.pack(">d", through_json(struct.unpack(">d", raw)[0])) == raw


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, None),
        (True, True),
        (3, 3),
        ("same", "same"),
        (0.1, {"float": "0.1"}),
        (-0.0, {"float": "-0.0"}),
        (math.inf, {"float": "inf"}),
        (math.nan, {"float": "nan"}),
        (-math.nan, {"float": "nan:fff8000000000000"}),
        (b"ab\xff", {"bytes": "ab\xff"}),
        (float32, {"dtype": "float32"}),
        (2 * n + 1, {"dim": "2*n + 1"}),
        (Shape([8, n]), {"shape": "[8, n]"}),
        (Shape(None), {"shape": "unknown rank"}),
        (TensorType(float32, Shape([8, n])), {"type": "float32[8, n]"}),
        ((1, (2,)), {"tuple": [1, {"tuple": [2]}]}),
        (
            ArrayAttribute(np.array([1.0, 2.0], np.float32)),
            {"array": {"dtype": "float32", "shape": [2], "data": "AACAPwAAAEA="}},
        ),
        (
            ArrayAttribute(np.array([b"a\xff"], object)),
            {"array": {"dtype": "string", "shape": [1], "items": ["a\xff"]}},
        ),
    ],
)
def test_the_encoded_form(value: object, data: object) -> None:
    assert encode(value) == data


def test_dimensions_that_depend_on_data_stay_so() -> None:
    assert through_json(Symbol("rows", data_dependent=True)).data_dependent


def test_an_array_is_immutable() -> None:
    source = np.array([[1, 2], [3, 4]], np.int32)[:, ::-1]
    attribute = ArrayAttribute(source)
    source[0, 0] = 9
    assert attribute.array.tolist() == [[2, 1], [4, 3]]
    assert attribute.array.flags.c_contiguous
    assert (attribute.dtype.name, attribute.shape) == ("int32", (2, 2))
    with pytest.raises(ValueError, match=r"read-only"):
        attribute.array[0, 0] = 5
    with pytest.raises(ValueError, match=r"WRITEABLE"):
        attribute.array.setflags(write=True)
    with pytest.raises(ValueError, match=r"read-only"):
        ArrayAttribute(np.array([b"a"], object)).array[0] = b"b"


def test_arrays_compare_by_bits() -> None:
    assert ArrayAttribute(np.array([np.nan])) == ArrayAttribute(np.array([np.nan]))
    assert ArrayAttribute(0.0) != ArrayAttribute(-0.0)
    assert ArrayAttribute(np.int32(1)) != ArrayAttribute(np.int64(1))
    assert ArrayAttribute([1, 2]) != ArrayAttribute([[1, 2]])
    assert ArrayAttribute([1, 2]) != [1, 2]
    assert ArrayAttribute(np.array([1.0], ">f8")) == ArrayAttribute([1.0])
    assert hash(ArrayAttribute(np.array([1.0], ">f8"))) == hash(ArrayAttribute([1.0]))
    assert repr(ArrayAttribute(np.zeros((2, 3), ml_dtypes.bfloat16))) == "ArrayAttribute(bfloat16[2, 3])"


@pytest.mark.parametrize("value", [["a", "é"], np.array([b"a", "é".encode()]), np.array([b"a", "é"], object)])
def test_strings_become_bytes(value: Any) -> None:
    assert ArrayAttribute(value).array.tolist() == [b"a", "é".encode()]


@pytest.mark.parametrize("array", [np.ones((2, 3), ml_dtypes.bfloat16), np.array([b"a", b""], object)])
def test_copies_of_arrays_are_equal(array: Any) -> None:
    copied = copy.deepcopy(ArrayAttribute(array))
    assert copied == ArrayAttribute(array)
    assert not copied.array.flags.writeable


def test_arrays_that_are_refused() -> None:
    with pytest.raises(DTypeError, match=r"is no element type"):
        ArrayAttribute(np.array(["2020-01-01"], "datetime64[D]"))
    with pytest.raises(AttributeEncodingError, match=r"An array of strings holds 3 of class int. Use bytes or str."):
        ArrayAttribute(np.array([b"a", 3], object))


class Color(enum.IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "Conv.strides: a list cannot be an attribute ([1, 2]). Use a tuple."),
        (
            (1, (2, {})),
            "Conv.strides[1][1]: a dict cannot be an attribute ({}). Use None, bool, int, float, str, bytes, a dtype, ",
        ),
        (np.zeros(1), "Conv.strides: a ndarray cannot be an attribute (array([0.])). Wrap it in ArrayAttribute."),
        (np.float64(1), "Conv.strides: a float64 cannot be an attribute"),
        (np.int32(1), "Turn it into a Python number by .item()."),
        (np.bytes_(b"a"), "Turn it into a Python number by .item()."),
        (Color.RED, "Conv.strides: a Color cannot be an attribute"),
        (Point(1, 2), "Conv.strides: a Point cannot be an attribute"),
        (object, "Conv.strides: a type cannot be an attribute"),
        ({}, "a shape, a dimension, a type, an ArrayAttribute, an operation, a subgraph, or a tuple of these."),
        ([0] * 99, "a list cannot be an attribute ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,...). Use"),
    ],
)
def test_values_that_are_refused(value: object, message: str) -> None:
    with pytest.raises(AttributeEncodingError) as caught:
        check_attribute(value, "Conv.strides")
    assert message in str(caught.value)
    with pytest.raises(AttributeEncodingError, match=r"^encode"):
        encode(value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1], "[1] is no attribute: an object with one tag is expected."),
        (1.5, "1.5 is no attribute: an object with one tag is expected."),
        ({}, "{} is no attribute"),
        ({"float": "1", "dim": "n"}, "is no attribute: an object with one tag is expected."),
        ({"complex": "1j"}, "An attribute has the unknown kind 'complex'; known are array, bytes, dim, dtype, float,"),
        ({"complex": "1j"}, "Install the dovetail-core that wrote it, or a newer one."),
        ({"tuple": 3}, "3 is no attribute of kind 'tuple': a list is expected. Save the graph anew."),
        ({"float": 3}, "3 is no attribute of kind 'float': a string is expected."),
        ({"float": "x"}, "'x' is no attribute of kind 'float': could not convert string to float"),
        ({"float": "nan:00"}, "of kind 'float': a NaN has 16 hexadecimal digits."),
        ({"bytes": "€"}, "'€' is no attribute of kind 'bytes'"),
        ({"dtype": "float33"}, "of kind 'dtype': 'float33' is no element type"),
        ({"dim": "n +"}, "'n +' is no attribute of kind 'dim': 'n +' is no dimension"),
        ({"dim": "n//0"}, "of kind 'dim': n is divided by 0."),
        ({"shape": "8"}, "of kind 'shape': '8' is no shape."),
        ({"type": "8"}, "of kind 'type': '8' is no type of a tensor."),
        ({"array": []}, "[] is no attribute of kind 'array'"),
        ({"array": {"shape": [1]}}, "of kind 'array': 'dtype' is missing."),
        ({"array": {"dtype": "int8", "shape": [1]}}, "of kind 'array': 'data' is missing."),
        ({"array": {"dtype": "int8", "shape": [-1], "data": "AA=="}}, "[-1] is no shape."),
        ({"array": {"dtype": "int8", "shape": [2], "data": "AA=="}}, "cannot reshape array of size 1 into shape (2,)"),
        ({"array": {"dtype": "int8", "shape": [1], "data": "?"}}, "of kind 'array'"),
        ({"array": {"dtype": "int32", "shape": [1], "data": "AA=="}}, "of kind 'array'"),
        ({"array": {"dtype": "string", "shape": [1], "items": [3]}}, "of kind 'array'"),
        (
            {"array": {"dtype": "int8", "shape": [1], "stored": "a0"}},
            "The array 'a0' is kept beside the graph. Read the graph from the file that holds both.",
        ),
    ],
)
def test_data_that_is_damaged(data: object, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert message in str(caught.value)


def test_data_that_is_nested_too_deeply() -> None:
    data: Any = 1
    for _ in range(5000):
        data = {"tuple": [data]}
    with pytest.raises(FormatError, match=r"An attribute is nested too deeply to be read. Save the graph anew."):
        decode(data)


def test_a_stored_array_must_fit() -> None:
    store = Store()
    data = encode(ArrayAttribute(np.array([1, 2], np.int8)), store)
    assert data == {"array": {"dtype": "int8", "shape": [2], "stored": "a0"}}
    store.arrays["a0"] = np.array([1, 2, 3], np.int16)
    with pytest.raises(FormatError, match=r"The array 'a0' is int16\[3\], where int8\[2\] is expected\."):
        decode(data, store)
    store.arrays.clear()
    with pytest.raises(FormatError, match=r"'a0' is missing"):
        decode(data, store)


def test_higher_modules_add_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "_by_tag", dict(attributes._by_tag))
    monkeypatch.setattr(attributes, "_by_class", dict(attributes._by_class))

    class Wrapper:
        def __init__(self, value: object) -> None:
            self.value = value

    class Derived(Wrapper):
        pass

    register_kind(
        "wrapper",
        Wrapper,
        lambda wrapper, store: encode(wrapper.value, store),
        lambda data, source: Wrapper(decode(data, source)),
    )
    check_attribute(Derived(1), "Test.value")
    store = Store()
    data = encode((Derived(ArrayAttribute([1, 2])),), store)
    assert data == {"tuple": [{"wrapper": {"array": {"dtype": "int64", "shape": [2], "stored": "a0"}}}]}
    assert decode(data, store)[0].value == ArrayAttribute([1, 2])
    for tag, cls in (("wrapper", int), ("other", Wrapper)):
        with pytest.raises(AlreadyExistsError, match=r"is registered already. Choose another tag.") as caught:
            register_kind(tag, cls, lambda value, store: 0, lambda data, source: 0)
        assert repr(tag) in str(caught.value)
        assert cls.__name__ in str(caught.value)
