"""Random bits against published answers, and the distributions made of them."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops import philox
from dovetail.ops.philox import (
    bits_dtype,
    integers_from_bits,
    mix64,
    mix_key,
    normal_from_bits,
    philox4x32,
    random_bits,
    truncated_normal_from_bits,
    uniform_from_bits,
)
from dovetail.ops.scalar import compile_numpy, parse_expression
from dovetail.ops.scalar.normal import normal_expression, truncated_normal_expression
from dovetail.ops.scalar.special import erfc

ONES = 0xFFFFFFFF
MILLION = 1_000_000
FLOATS = ["float16", "bfloat16", "float32", "float64"]


def normal_cdf(x: Any) -> Any:
    return 0.5 * erfc(-np.asarray(x, np.float64) / np.sqrt(2.0))


def kolmogorov_smirnov(probabilities: Any) -> float:
    """Distance of values that should be uniform in (0, 1), times the root of their number."""
    ordered = np.sort(probabilities)
    steps = np.arange(ordered.size + 1) / ordered.size
    return float(np.sqrt(ordered.size) * max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))


# Bits. The vectors are those of the file kat_vectors of Random123, published with the paper.


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_published_answers(counter: Any, key: Any, expected: Any) -> None:
    words = philox4x32(counter, key)
    assert tuple(int(word) for word in words) == expected
    assert all(word.dtype == np.uint32 for word in words)


def test_counters_broadcast() -> None:
    first = np.arange(3, dtype=np.uint32)[:, None]
    second = np.arange(2, dtype=np.uint32)
    words = philox4x32((first, second, 5, 6), (7, 8))
    for i, j in itertools.product(range(3), range(2)):
        assert [word[i, j] for word in words] == list(philox4x32((i, j, 5, 6), (7, 8)))


def test_a_block_is_philox_of_the_documented_counter() -> None:
    key, execution = 0x0123456789ABCDEF, (3 << 32) + 9
    bits = random_bits(11, "uint32", key, execution, (4, 0))
    golden = 0x9E3779B97F4A7C15
    h = mix64(mix64(3 + 5 * golden) + 1 * golden)
    for block in range(3):
        words = philox4x32((block, h >> 32, 9, h & ONES), (0x89ABCDEF, 0x01234567))
        assert bits[4 * block : 4 * block + 4].tolist() == [int(word) for word in words][: 11 - 4 * block]


def test_outside_loops_the_counter_is_plain() -> None:
    words = philox4x32((1, 0, 42, 0), (5, 0))
    assert random_bits(8, "uint32", 5, 42)[4:].tolist() == [int(word) for word in words]


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from(["uint32", "uint64"]))
def test_a_longer_stream_begins_with_a_shorter_one(a: int, b: int, dtype: str) -> None:
    few, many = sorted((a, b))
    short, long = random_bits(few, dtype, 9, 1, (2,)), random_bits(many, dtype, 9, 1, (2,))
    assert short.dtype == dtype
    assert short.shape == (few,)
    np.testing.assert_array_equal(long[:few], short)


def test_wide_words_are_pairs_of_narrow_ones() -> None:
    narrow = random_bits(10, "uint32", 3, 4).astype(np.uint64)
    np.testing.assert_array_equal(random_bits(5, "uint64", 3, 4), narrow[::2] | narrow[1::2] << np.uint64(32))


def test_bits_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = random_bits(1001, "uint32", 1, 2)
    normal = normal_from_bits(bits, "float32")
    for size in (1, 3, 64, 250, 251):
        monkeypatch.setattr(philox, "_BLOCKS_AT_ONCE", size)
        monkeypatch.setattr(philox, "_ELEMENTS_AT_ONCE", size)
        np.testing.assert_array_equal(random_bits(1001, "uint32", 1, 2), bits)
        assert normal_from_bits(bits, "float32").tobytes() == normal.tobytes()


def test_keys_executions_and_iterations_give_unrelated_streams() -> None:
    keys = [mix_key(seed, identity) for seed in (0, 1, -1, 2**40) for identity in (0, 1, 2**63)]
    assert len(set(keys)) == len(keys)
    sources: list[tuple[int, int, tuple[int, ...]]] = [(key, 0, ()) for key in keys]
    sources += [(7, execution, ()) for execution in (0, 1, 2**32, 2**32 + 1)]
    sources += [(7, 0, loop) for loop in ((0,), (1,), (2**32,), (0, 0), (0, 1), (1, 0))]
    bits = np.stack([random_bits(4000, "uint32", *source) for source in sources])
    assert len({row.tobytes() for row in bits}) == len(sources)
    flips = np.unpackbits((bits[:, None] ^ bits[None]).view(np.uint8), axis=-1).mean(axis=-1)
    others = flips[~np.eye(len(sources), dtype=bool)]
    assert np.abs(others - 0.5).max() < 6 * 0.5 / np.sqrt(4000 * 32)


def test_single_loop_indices_never_share_a_stream() -> None:
    assert len({mix64(i * 0x9E3779B97F4A7C15) for i in range(1, 20_001)}) == 20_000


def test_every_bit_is_fair() -> None:
    bits = random_bits(MILLION, "uint32", mix_key(1, 2), 0)
    counts = np.unpackbits(bits.view(np.uint8).reshape(-1, 4), axis=1).mean(axis=0)
    assert np.abs(counts - 0.5).max() < 5 * 0.5 / np.sqrt(MILLION)


def test_other_words_are_refused() -> None:
    with pytest.raises(DTypeError, match="random bits come as uint32 or uint64, not int32"):
        random_bits(1, "int32", 0, 0)
    with pytest.raises(DTypeError, match="variates of float64 are made of uint64 bits, not uint32"):
        uniform_from_bits(random_bits(1, "uint32", 0, 0), "float64")
    with pytest.raises(DTypeError, match="of a floating dtype, not int32"):
        normal_from_bits(random_bits(1, "uint32", 0, 0), "int32")
    with pytest.raises(DTypeError, match="of a floating dtype, not int32"):
        normal_expression("int32")


# Uniforms.


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniforms_fill_the_half_open_interval(dtype: str) -> None:
    word = bits_dtype(dtype).numpy
    edges = uniform_from_bits(np.array([0, np.iinfo(word).max], word), dtype)
    assert edges.dtype == dtype
    assert edges[0] == 0
    one = np.ones((), edges.dtype)
    assert edges[1] == np.nextafter(one, np.zeros_like(one))
    values = uniform_from_bits(random_bits(MILLION, word, 11, 0), dtype).astype(np.float64)
    coarseness = float(ml_dtypes.finfo(dtype).eps)
    assert abs(values.mean() - 0.5) < 5 / np.sqrt(12 * MILLION) + coarseness / 2
    assert kolmogorov_smirnov(values) < 1.8 + coarseness * 1000
    for threshold in (0.1, 0.5, 0.9):
        rounded = float(np.asarray(threshold, edges.dtype))
        share = (values < rounded).mean()
        assert abs(share - rounded) < 5 * np.sqrt(rounded * (1 - rounded) / MILLION)


def test_half_uniforms_are_the_single_ones_rounded_down() -> None:
    bits = np.concatenate([random_bits(10_000, "uint32", 1, 1), np.uint32(1) << np.arange(32, dtype=np.uint32)])
    single = uniform_from_bits(bits, "float32")
    for dtype in ("float16", "bfloat16"):
        half = uniform_from_bits(bits, dtype)
        assert np.all(half.astype(np.float32) <= single)
        assert np.all(np.nextafter(half, np.ones_like(half)).astype(np.float32) > single)


# Normals.


@pytest.mark.parametrize("dtype", FLOATS)
def test_normals_have_their_distribution(dtype: str) -> None:
    values = normal_from_bits(random_bits(MILLION, bits_dtype(dtype), mix_key(3, 4), 0), dtype)
    assert values.dtype == dtype
    x = values.astype(np.float64)
    coarse = dtype in ("float16", "bfloat16")
    assert abs(x.mean()) < 5 / np.sqrt(MILLION)
    assert abs(x.var() - 1) < 5 * np.sqrt(2 / MILLION)
    assert abs((x**3).mean()) < 5 * np.sqrt(15 / MILLION)
    assert abs((x**4).mean() - 3) < 5 * np.sqrt(96 / MILLION)
    assert kolmogorov_smirnov(normal_cdf(x)) < (8 if coarse else 1.8)


@pytest.mark.parametrize(("dtype", "width", "tolerance"), [("float32", 23, 4e-7), ("float64", 52, 4e-15)])
def test_normals_invert_the_distribution_function(dtype: str, width: int, tolerance: float) -> None:
    word = bits_dtype(dtype).numpy
    shift = word.itemsize * 8 - width
    cells = np.unique(
        np.concatenate([[0, 1, 2], 2 ** np.arange(width - 1), np.linspace(0, 2 ** (width - 1) - 1, 9999)])
    )
    lower = (cells.astype(word) << word.type(shift)).astype(word)
    x = normal_from_bits(lower, dtype).astype(np.float64)
    exact = (np.floor(cells) + 0.5) * 2.0**-width
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    error = (normal_cdf(x) - exact) / density / np.maximum(1, np.abs(x))
    assert np.abs(error).max() < tolerance
    mirrored = normal_from_bits(~lower, dtype).astype(np.float64)
    np.testing.assert_array_equal(mirrored, -x)
    assert np.all(np.diff(x) >= -tolerance * 10)


@pytest.mark.parametrize("dtype", FLOATS)
def test_truncated_normals_stay_within_two(dtype: str) -> None:
    word = bits_dtype(dtype).numpy
    edges = truncated_normal_from_bits(np.array([0, np.iinfo(word).max], word), dtype).astype(np.float64)
    np.testing.assert_allclose(edges, [-2, 2], rtol=1e-6)
    values = truncated_normal_from_bits(random_bits(MILLION, word, 12, 0), dtype).astype(np.float64)
    assert np.abs(values).max() <= 2
    inside = normal_cdf(2.0) - normal_cdf(-2.0)
    variance = 1 - 4 * np.exp(-2) / np.sqrt(2 * np.pi) / inside
    assert abs(values.mean()) < 5 * np.sqrt(variance / MILLION)
    assert abs(values.var() - variance) < 5 * np.sqrt(2 / MILLION)
    coarse = dtype in ("float16", "bfloat16")
    assert kolmogorov_smirnov((normal_cdf(values) - normal_cdf(-2.0)) / inside) < (8 if coarse else 1.8)


def test_normal_expressions_use_correctly_rounded_functions_alone() -> None:
    from dovetail.ops.scalar import Apply, nodes_of

    allowed = {"add", "subtract", "multiply", "divide", "sqrt", "negative", "absolute", "minimum", "maximum", "select"}
    allowed |= {"less", "less_equal", "right_shift"}
    for make in (normal_expression, truncated_normal_expression):
        for dtype in FLOATS:
            expression = make(dtype)
            assert {node.function.name for node in nodes_of(expression) if isinstance(node, Apply)} <= allowed
            assert parse_expression(str(expression)) is expression


@pytest.mark.parametrize(
    ("dtype", "normal", "truncated"),
    [
        (
            "float32",
            "0x1.3a5828p+0 0x1.407828p+0 0x1.bb85f4p-3 0x1.1d3b52p-1 -0x1.52dc70p+2 -0x1.be5746p+1",
            "0x1.23679e0000000p+0 0x1.28a59c0000000p+0 0x1.a70bde0000000p-3",
        ),
        (
            "float64",
            "0x1.407827c9b8c2dp+0 0x1.1d3b4d4d8d113p-1 0x1.256344ddbc08ap+0 -0x1.06b48528cea51p+3",
            "0x1.28a59c71293dcp+0 0x1.0eef065f822e7p-1 0x1.113ce0a54a0a2p+0",
        ),
    ],
)
def test_normals_have_the_same_bits_everywhere(dtype: str, normal: str, truncated: str) -> None:
    word = bits_dtype(dtype).numpy
    drawn = 4 if dtype == "float32" else 3
    bits = np.concatenate([random_bits(drawn, word, 1, 0), np.array([0, 2**20], word)])[: len(normal.split())]
    values = normal_from_bits(bits, dtype)
    assert values.tolist() == [float.fromhex(text) for text in normal.split()]
    assert truncated_normal_from_bits(bits[:3], dtype).tolist() == [float.fromhex(text) for text in truncated.split()]
    one_by_one = [compile_numpy(normal_expression(dtype))(one) for one in bits]
    np.testing.assert_array_equal(one_by_one, values)


# Integers.


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_cover_their_interval(dtype: str) -> None:
    info = np.iinfo(dtype)
    word = bits_dtype(dtype).numpy
    bits = random_bits(2000, word, 21, 0)
    for low, high in ((0, 1), (3, 10), (int(info.min), int(info.max) + 1), (int(info.max), int(info.max) + 1)):
        values = integers_from_bits(bits, low, high, dtype)
        assert values.dtype == dtype
        exact = [low + (int(word_) * (high - low) >> word.itemsize * 8) for word_ in bits]
        assert values.tolist() == exact
    if info.min < 0:
        assert set(integers_from_bits(bits, -3, 3, dtype).tolist()) == set(range(-3, 3))


def test_integers_are_uniform() -> None:
    counts = np.bincount(integers_from_bits(random_bits(MILLION, "uint32", 5, 5), 0, 10, "int32"), minlength=10)
    assert ((counts - MILLION / 10) ** 2 / (MILLION / 10)).sum() < 35


def test_impossible_intervals_are_refused() -> None:
    bits = random_bits(1, "uint32", 0, 0)
    with pytest.raises(InvalidArgumentError, match="from 5 up to 5: the interval is empty"):
        integers_from_bits(bits, 5, 5, "int32")
    with pytest.raises(InvalidArgumentError, match="from 0 up to 257 do not fit uint8, which holds 0 to 255"):
        integers_from_bits(bits, 0, 257, "uint8")
    with pytest.raises(DTypeError, match="of an integer dtype, not float32"):
        integers_from_bits(bits, 0, 2, "float32")
    with pytest.raises(DTypeError, match="uint64 bits, not uint32"):
        integers_from_bits(bits, 0, 2, "int64")
