"""Complex numbers beside what TensorFlow computed (tools/record_tensorflow_complex.py), how they come and go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, FeedError
from dovetail.types.attributes import ArrayAttribute, decode, encode
from tests.core.values import run

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_complex.npz")
CASES = sorted(key.removesuffix("/expression") for key in RECORDED.files if key.endswith("/expression"))
SINGLE = ("float32", "complex64")
NO_DERIVATIVE = ("cumprod", "determinant", "sign", "squared_difference")
"""Where what TensorFlow gives for complex numbers is not the derivative; differences say so (test_operations.py)."""


def z(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape))


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_tensorflow(case: str) -> None:
    arrays = [RECORDED[f"{case}/x{number}"] for number in range(2) if f"{case}/x{number}" in RECORDED]
    inputs = [dt.constant(one) for one in arrays]
    names = {f"x{number}": one for number, one in enumerate(inputs)}
    y = eval(str(RECORDED[f"{case}/expression"]), {"tf": dt, **names})
    expected = RECORDED[f"{case}/y"]
    found = run(y)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected)
        return
    allowed = 2e-5 if any(one.dtype.name in SINGLE for one in (expected, *arrays)) else 1e-11
    np.testing.assert_allclose(found, expected, allowed, allowed)
    for number, gradient in enumerate(dt.gradients(y, inputs, [dt.constant(RECORDED[f"{case}/c"])])):
        if case in NO_DERIVATIVE or f"{case}/g{number}" not in RECORDED:
            continue
        exact = RECORDED[f"{case}/g{number}"]
        found = run(dt.convert_to_tensor(gradient))
        assert found.dtype == exact.dtype
        np.testing.assert_allclose(found, exact, allowed, allowed, err_msg=f"g{number}")


def test_gradients_are_derivatives_by_both_parts() -> None:
    """A step against the gradient goes down; also of what is differentiable by no complex number."""
    value, step = z(4), 1e-6
    x = dt.placeholder(dt.complex128, [4])
    loss = dt.reduce_sum(dt.abs(x * dt.conj(x) * (1.0 + 2.0j) + dt.sqrt(x)) ** 2.0 + dt.angle(x) * dt.imag(x))
    loss += dt.reduce_sum(dt.real(dt.squared_difference(x, 1.0 + 0.5j) + dt.sign(x) * (1.0 - 2.0j)))
    (gradient,) = dt.gradients(loss, x)
    found = run(gradient, {x: value})
    for place in range(4):
        for direction in (1.0, 1.0j):
            moved = np.eye(4)[place] * direction * step
            change = (run(loss, {x: value + moved}) - run(loss, {x: value - moved})) / (2 * step)
            assert abs(change - (np.conj(direction) * found[place]).real) < 1e-6 * max(1.0, abs(change))


def test_an_optimum_is_found_by_descent() -> None:
    target = z(3)
    w = dt.get_variable("w", [3], dt.complex128)
    loss = dt.reduce_sum(dt.square(dt.abs(w * (0.5 - 1.0j) - target)))
    (gradient,) = dt.gradients(loss, w)
    step = dt.assign_sub(w, 0.3 * gradient)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(100):
            session.run(step)
        np.testing.assert_allclose(session.run(w), target / (0.5 - 1.0j), rtol=1e-9)


def test_feeds_and_fetches() -> None:
    x = dt.placeholder(dt.complex64, [None], name="x")
    y = x * 2.0 + 1
    arrays = np.array([1 + 2j, 3], np.complex64), np.array([1 + 2j, 3]), np.array([1.0, 3.0])
    for value in (*arrays, [1 + 2j, 3], [1, 3]):
        found = run(y, {x: value})
        assert found.dtype == np.complex64
        np.testing.assert_allclose(found, np.asarray(value) * 2 + 1)
    real = dt.placeholder(dt.float32, [2], name="real")
    with pytest.raises(FeedError, match=r"complex128, which would lose its imaginary part as float32; use dt.real"):
        run(real, {real: [1j, 2.0]})
    with pytest.raises(FeedError, match="it holds a str"):
        run(y, {x: ["a"]})
    with pytest.raises(FeedError, match=r"overflows complex64, whose largest value is 3.40282e\+38"):
        run(y, {x: [1e300 + 1j]})


def test_what_values_become() -> None:
    assert dt.constant(1j).dtype is dt.complex128
    assert dt.constant([1, 2.0, 3j]).dtype is dt.complex128
    assert dt.constant([1.0, 2.0], dt.complex64).dtype is dt.complex64
    assert dt.as_dtype(complex) is dt.as_dtype("complex128") is dt.complex128
    assert dt.complex64 == np.complex64
    assert (dt.complex64.is_complex, dt.complex64.is_floating, dt.complex64.is_numeric) == (True, False, False)
    assert (dt.complex64.real_dtype, dt.complex128.real_dtype, dt.int8.real_dtype) == (dt.float32, dt.float64, dt.int8)
    assert (dt.add([1.0, 2j], 3).dtype, dt.multiply(2.0, 1j).dtype) == (dt.complex128, dt.complex128)
    assert dt.real(dt.constant([1, 2])).dtype is dt.int32
    assert run(dt.imag([1.0, 2.0])).tolist() == [0.0, 0.0]
    assert run(dt.angle([1.0, -2.0])).tolist() == [0.0, np.float32(np.pi)]
    x = dt.constant([1.0, 2.0])
    assert dt.conj(x) is x
    assert run(dt.to_complex64([True, False])).tolist() == [1.0, 0.0]
    assert run(dt.cast(dt.constant([0j, 2j]), dt.bool)).tolist() == [False, True]
    assert run(dt.cast(dt.constant([1.5 + 2j]), dt.int32)).tolist() == [1]
    with pytest.raises(DTypeError, match=r"complex64 has no maximum"):
        _ = dt.complex64.max


def test_attributes_of_saved_graphs() -> None:
    for array in (z(2, 3), z(2).astype(np.complex64), np.zeros((0, 2), np.complex64)):
        assert decode(encode(ArrayAttribute(array))) == ArrayAttribute(array)


def test_data_is_moved() -> None:
    value = z(2, 3, 2)
    x = dt.constant(value)
    pairs: list[tuple[Any, np.ndarray]] = [
        (x[:, ::-1, 1], value[:, ::-1, 1]),
        (dt.stack([x, x], 1)[0, 1], value[0]),
        (dt.split(x, 3, 1)[2], value[:, 2:]),
        (dt.tile(x, [1, 2, 1]), np.tile(value, [1, 2, 1])),
        (dt.reverse(x, [0]), value[::-1]),
        (dt.roll(x, 1, 1), np.roll(value, 1, 1)),
        (dt.pad(x[0], [[1, 0], [0, 0]], constant_values=2j), np.pad(value[0], [(1, 0), (0, 0)], constant_values=2j)),
        (dt.eye(2, dtype=dt.complex64), np.eye(2, dtype=np.complex64)),
        (dt.one_hot([1], 2, dtype=dt.complex128), np.array([[0, 1]], complex)),
        (dt.gather_nd(x, [[0, 1], [1, 2]]), value[[0, 1], [1, 2]]),
        (dt.scatter_nd([[2], [0]], [1j, 2.0], [4]), np.array([2, 0, 1j, 0])),
        (dt.boolean_mask(x, [True, False]), value[:1]),
        (dt.linalg.diag(x[0, 0]), np.diag(value[0, 0])),
        (dt.linalg.trace(x[0, :2]), np.trace(value[0, :2])),
        (dt.norm(x, axis=1), np.linalg.norm(value, axis=1)),
        (dt.count_nonzero(x), np.array(12)),
        (dt.map_fn(lambda row: row * 1j, x), value * 1j),
        (dt.cond(dt.constant(True), lambda: x, lambda: -x), value),
        (dt.cumsum(x, 1), np.cumsum(value, 1)),
    ]
    for number, (found, expected) in enumerate(pairs):
        np.testing.assert_allclose(run(found), expected, err_msg=str(number))


REFUSED: list[tuple[Callable[[dt.Tensor], Any], str]] = [
    (lambda x: x < 1.0, r"^less: input 0 is complex64\[2\], where a dtype of real numbers is wanted. Use dt.cast"),
    (lambda x: dt.floor(x), "^floor: .*real numbers"),
    (lambda x: dt.maximum(x, x), "^maximum: .*real numbers"),
    (lambda x: dt.reduce_max(x), "^reduce_max: the input is complex64, where a dtype of real numbers is wanted"),
    (lambda x: dt.argmax(x), "^argmax: the input is complex64"),
    (lambda x: dt.sort(x), r"^sort: the input is complex64\[2\]; complex numbers have no order. Sort dt.abs of them"),
    (lambda x: dt.nn.top_k(x), r"^top_k: the input is complex64\[2\]; use numbers"),
    (lambda x: x % 2.0, "^floormod: .*real numbers"),
    (lambda x: dt.clip_by_value(x, 0.0, 1.0), "^clip_by_value: .*real numbers"),
    (lambda x: dt.atan2(x, x), "^atan2: .*a floating dtype is wanted"),
    (lambda x: dt.is_nan(x), "^is_nan: .*a floating dtype is wanted"),
    (lambda x: dt.reduce_logsumexp(x), "^reduce_logsumexp: the input is complex64"),
    (lambda x: dt.nn.softmax(x), "^softmax: the logits are complex64"),
    (lambda x: dt.nn.l2_loss(x), r"^l2_loss: the input is complex64\[2\], where a floating dtype is wanted"),
    (lambda x: dt.segment_max(x, [0, 0]), "^segment_max: .* where a dtype of real numbers is wanted"),
    (lambda x: dt.range(1j), "^range: 1j is complex, and complex numbers have no order"),
    (lambda x: dt.as_string(x), "^as_string: the input is complex64, which has no text; use it on dt.real"),
    (lambda x: dt.saturate_cast(x, dt.int8), "^saturate_cast: .* both must be numeric"),
    (lambda x: dt.random_normal([2], dtype=dt.complex64), "^random_normal: dtype is complex64"),
    (lambda x: dt.constant([1j], dt.float32), "would lose its imaginary part as float32; use dt.real"),
    (lambda x: dt.constant(1.0) * 1j, "^multiply: y is 1j .* which does not become float32"),
    (lambda x: dt.complex([1], [2]), "^complex: the real part is int32 and the imaginary part int32"),
    (lambda x: dt.real("a"), r'^real: "Const:0" is string\[\], where numbers are wanted'),
    (lambda x: dt.angle(dt.constant([1])), r'^angle: "Const:0" is int32\[1\], where a floating or complex dtype'),
    (lambda x: dt.pow(x, dt.constant([1.0, 2.0])), "^pow: .* operands must have one dtype"),
    (lambda x: dt.gradients(x * x, x), 'is complex64, of which no one number is differentiated; give grad_ys, or make'),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_cannot_be_complex_says_so(number: int) -> None:
    function, message = REFUSED[number]
    with pytest.raises(DTypeError, match=message):
        function(dt.placeholder(dt.complex64, [2], name="x"))


def test_an_optimizer_refuses_a_complex_variable() -> None:
    w = dt.get_variable("w", [3], dt.complex64)
    loss = dt.reduce_sum(dt.abs(w))
    with pytest.raises(DTypeError, match='variable "w" is complex64; only floating variables can be optimized'):
        dt.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[w])


def test_gradients_are_checked_beside_differences() -> None:
    x = dt.placeholder(dt.float32, [None, 6])
    w = dt.get_variable("w", [6, 6])
    z = dt.placeholder(dt.complex64, [4])
    spectrum = dt.signal.rfft(dt.tanh(dt.matmul(x, w)))
    values = np.random.default_rng(0).normal(size=(2, 6))
    dt.testing.assert_gradients(spectrum, [x, w], {x: values})
    dt.testing.assert_gradients([dt.exp(z), dt.abs(z)], z, {z: [1 + 2j, -0.5j, 0.3, 1j]})

    @dt.custom_gradient
    def wrong(a: Any) -> Any:
        return a * 2.0, lambda grad: grad * 2.0j

    with pytest.raises(AssertionError, match=r"the first derivative of .* is off at 4 of 4 elements"):
        dt.testing.assert_gradients(wrong(z), z, {z: [1 + 2j, -0.5j, 0.3, 1j]})


def test_numbers_that_are_none_are_found() -> None:
    z = dt.placeholder(dt.complex64, [2])
    y = dt.log(z) * 2.0
    with dt.Session(check_numerics=True) as session:
        session.run(y, {z: [1j, 2.0]})
        with pytest.raises(
            dt.errors.NumericsError,
            match="^Log made 1 infinite of 2 elements, .* complex64.2. in magnitude from 0 to 2",
        ):
            session.run(y, {z: [0.0, 2.0]})


def test_complex_numbers_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    x = dt.constant([1.5 - 2j, 0.1j], dt.complex64)
    assert run(dt.Print(x, [x, dt.constant(1j)], "seen: ")).dtype == np.complex64
    assert capfd.readouterr().err.strip() == "seen: [(1.5,-2) (0,0.1)][(0,1)]"
    with pytest.raises(dt.errors.OperationError, match=r"1j; 2j"):
        run(dt.assert_equal(dt.constant(1j), 2j))
