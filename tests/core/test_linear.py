"""Products of matrices, tensordot and einsum: values against NumPy, symbolic shapes, gradients, refusals."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.ops.einsum import Einsum, einsum
from dovetail.ops.linear import MatMul, Tensordot
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType, parse_type
from tests.core.values import run


def type_of(array: Any) -> TensorType:
    return TensorType(as_dtype(array.dtype), Shape(array.shape))


def samples(cls: Any) -> list[Any]:
    return list(cls.samples(np.random.default_rng(7)))


INNER = (
    "matmul: inner dimensions differ: input 0 is float32[8, 16], input 1 is float32[32, 4]. Transpose input 1, or "
    "check the units of the layer before."
)


class TestMatMul:
    @pytest.mark.parametrize("sample", samples(MatMul), ids=repr)
    def test_values(self, sample: Any) -> None:
        a, b = sample.inputs
        left = np.swapaxes(a, -1, -2) if sample.op.transpose_a else a
        right = np.swapaxes(b, -1, -2) if sample.op.transpose_b else b
        result = sample.op.reference(a, b)
        expected = (left[..., :, :, None] * right[..., None, :, :]).sum(-2, dtype=a.dtype)
        np.testing.assert_allclose(result, expected, atol=1e-12)
        assert type_of(result) == sample.op.infer(type_of(a), type_of(b))

    @pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
    def test_half_types_accumulate_in_float32(self, dtype: Any) -> None:
        ones = np.ones((1, 4096), dtype)
        result = MatMul(False, True).reference(ones, ones)
        assert result.dtype == dtype
        assert result == dtype(4096.0)

    def test_integers_wrap(self) -> None:
        result = MatMul().reference(np.array([[100, 100]], np.int8), np.array([[1], [1]], np.int8))
        assert result.dtype == np.int8
        assert result.item() == 200 - 256

    @pytest.mark.parametrize(
        ("flags", "a", "b", "expected"),
        [
            ((False, False), "float32[n, 784]", "float32[784, 10]", "float32[n, 10]"),
            ((True, True), "float32[k, n]", "float32[m, k]", "float32[n, m]"),
            ((False, False), "float32[b, 1, n, k]", "float32[h, k, 3]", "float32[b, h, n, 3]"),
            ((False, False), "int32[2, 0]", "int32[0, 3]", "int32[2, 3]"),
        ],
    )
    def test_symbolic_types(self, flags: Any, a: str, b: str, expected: str) -> None:
        assert str(MatMul(*flags).infer(parse_type(a), parse_type(b))) == expected

    def test_symbolic_inner_dimensions_are_settled_when_fed(self) -> None:
        a, b = dt.placeholder(dt.float32, [2, "n"]), dt.placeholder(dt.float32, ["m", 3])
        product = dt.matmul(a, b)
        assert run(product, {a: np.ones((2, 4)), b: np.ones((4, 3))}).tolist() == [[4.0] * 3] * 2
        with pytest.raises(dt.errors.DovetailError, match="n = 4 and m = 5"):
            run(product, {a: np.ones((2, 4)), b: np.ones((5, 3))})

    def test_unknown_rank(self) -> None:
        a = dt.placeholder(dt.float32, None)
        product = dt.matmul(a, np.ones((3, 2)))
        (gradient,) = dt.gradients(product, a)
        assert product.shape.rank is None
        assert run([product, gradient], {a: np.ones((1, 3))})[0].tolist() == [[3.0, 3.0]]
        assert run(gradient, {a: np.ones((5, 1, 3))}).shape == (5, 1, 3)

    def test_python_operator_takes_arrays_and_lists(self) -> None:
        x = dt.constant([[1.0, 2.0]])
        assert run([x @ np.array([[3.0], [4.0]]), [[1.0]] @ x]) == [
            np.array([[11.0]]),
            pytest.approx(np.array([[1.0, 2.0]])),
        ]
        with pytest.raises(ShapeError, match="matmul: inner dimensions differ"):
            x @ x

    def test_gradients_of_batches_are_summed(self, rng: np.random.Generator) -> None:
        a, b = rng.normal(size=(4, 1, 2, 3)), rng.normal(size=(5, 3, 2))
        x, y = dt.constant(a), dt.constant(b)
        product = dt.matmul(x, y)
        dx, dy = run(dt.gradients(product, [x, y]))
        ones = np.ones((4, 5, 2, 2))
        np.testing.assert_allclose(dx, (ones @ np.swapaxes(b, -1, -2)).sum(1, keepdims=True))
        np.testing.assert_allclose(dy, (np.swapaxes(a, -1, -2) @ ones).sum(0))

    def test_many_matrices_times_one_have_one_product_as_gradient(self) -> None:
        x, y = dt.placeholder(dt.float32, [None, 7, 3]), dt.placeholder(dt.float32, [3, 2])
        (gradient,) = dt.gradients(dt.matmul(x, y), y)
        assert gradient.op.type == "MatMul"
        assert gradient.type == y.type

    @pytest.mark.parametrize(
        ("a", "b", "error", "message"),
        [
            ("float32[8, 16]", "float32[32, 4]", ShapeError, INNER),
            ("float32[3, 8, 16]", "float32[2, 16, 4]", ShapeError, "dimensions before the matrices do not broadcast"),
            (
                "float32[16]",
                "float32[16, 4]",
                ShapeError,
                "matmul: input 0 is float32[16], a vector, where a matrix is",
            ),
            ("float32[16]", "float32[16, 4]", ShapeError, "expand_dims, or use tensordot"),
            ("float32[2, 2]", "float32[]", ShapeError, "matmul: input 1 is float32[], a scalar,"),
            (
                "float32[2, 2]",
                "float64[2, 2]",
                DTypeError,
                "matmul: dtypes differ: input 0 is float32[2, 2], input 1 is",
            ),
            ("bool[2, 2]", "bool[2, 2]", DTypeError, "matmul: input 0 is bool[2, 2], where numbers are wanted."),
        ],
    )
    def test_refusals(self, a: str, b: str, error: type[Exception], message: str) -> None:
        with pytest.raises(error) as caught:
            MatMul().infer(parse_type(a), parse_type(b))
        assert message in str(caught.value)

    def test_transposed_inputs_are_said_to_be(self) -> None:
        with pytest.raises(
            ShapeError, match=r"input 0 is float32\[8, 16\] \(transposed\), input 1 is float32\[16, 4\]\. "
        ):
            MatMul(True).infer(parse_type("float32[8, 16]"), parse_type("float32[16, 4]"))

    def test_the_node_and_the_line_are_named(self) -> None:
        with pytest.raises(ShapeError, match=r'layer before\. \(node "logits" made at .*test_linear\.py:'):
            dt.matmul(dt.zeros([8, 16]), dt.zeros([32, 4]), name="logits")

    def test_other_names(self) -> None:
        x = dt.zeros([2, 3])
        assert dt.matmul(x, x, adjoint_b=True).op.get_attr("transpose_b") is True
        assert dt.batch_matmul(x, x, adj_x=True).shape == (3, 3)
        with pytest.raises(InvalidArgumentError, match="both transpose_a and adjoint_a are set"):
            dt.matmul(x, x, transpose_a=True, adjoint_a=True)


class TestTensordot:
    @pytest.mark.parametrize("sample", samples(Tensordot), ids=repr)
    def test_values(self, sample: Any) -> None:
        axes = (sample.op.axes_a, sample.op.axes_b)
        inputs = [dt.constant(one) for one in sample.inputs]
        result = dt.tensordot(*inputs, axes)
        expected = np.tensordot(*sample.inputs, axes)
        np.testing.assert_allclose(run(result), expected, atol=1e-12)
        assert result.shape == expected.shape

    @pytest.mark.parametrize("axes", [0, 1, 2, [1, 0], [[0, 1], [1, 0]], [[], []]])
    def test_forms_of_axes(self, axes: Any, rng: np.random.Generator) -> None:
        a = b = rng.normal(size=(3, 3))
        np.testing.assert_allclose(run(dt.tensordot(a, b, axes)), np.tensordot(a, b, axes), atol=1e-12)

    def test_symbolic_sizes(self) -> None:
        x = dt.placeholder(dt.float32, ["n", "m", 4])
        assert str(dt.tensordot(x, dt.zeros([4, 5]), 1).type) == "float32[n, m, 5]"

    @pytest.mark.parametrize("axes", [-1, [0], [[0, 1], [0]], "ij", [[0.5], [0]]])
    def test_axes_of_another_form(self, axes: Any) -> None:
        with pytest.raises(InvalidArgumentError, match=r"tensordot: axes is .*; give"):
            dt.tensordot(dt.zeros([2, 2]), dt.zeros([2, 2]), axes)

    def test_refusals(self) -> None:
        a, b = dt.zeros([2, 3]), dt.zeros([2, 3])
        with pytest.raises(
            ShapeError,
            match=r"axis 1 of input 0 and axis 0 of input 1 are summed together, but input 0 is float32\[2, 3\]",
        ):
            dt.tensordot(a, b, 1)
        with pytest.raises(ShapeError, match=r"tensordot: input 1: axis 2 is out of range for rank 2"):
            dt.tensordot(a, b, [1, 2])
        with pytest.raises(DTypeError, match="tensordot: dtypes differ"):
            dt.tensordot(a, dt.zeros([2, 3], dt.float64), [0, 0])


class TestEinsum:
    @pytest.mark.parametrize("sample", samples(Einsum), ids=repr)
    def test_values(self, sample: Any) -> None:
        result = einsum(sample.op.equation, *(dt.constant(one) for one in sample.inputs))
        expected = np.einsum(sample.op.equation, *sample.inputs)
        np.testing.assert_allclose(run(result), expected, atol=1e-12)
        assert result.shape == expected.shape

    @pytest.mark.parametrize(
        ("equation", "shapes"),
        [
            ("ij,jk", [(2, 3), (3, 4)]),
            ("ba", [(2, 3)]),
            ("ii", [(3, 3)]),
            ("...ij,...jk", [(5, 2, 3), (3, 4)]),
            (" i j , j k -> k i ", [(2, 3), (3, 4)]),
            ("iii->i", [(3, 3, 3)]),
            ("ijij->ji", [(2, 3, 2, 3)]),
            ("a,b,c->cab", [(2,), (3,), (4,)]),
            ("bhqd,bkhd->bhqk", [(2, 3, 4, 5), (2, 6, 3, 5)]),
            ("i...j,j->...i", [(2, 3, 4, 5), (5,)]),
            ("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
            ("ij,k->", [(2, 3), (4,)]),
            (",ij->ij", [(), (2, 3)]),
        ],
    )
    def test_equations(self, equation: str, shapes: list[tuple[int, ...]], rng: np.random.Generator) -> None:
        inputs = [rng.normal(size=shape) for shape in shapes]
        result = einsum(equation, *inputs)
        expected = np.einsum(equation.replace(" ", ""), *inputs)
        np.testing.assert_allclose(run(result), expected, atol=1e-12)
        assert result.shape == expected.shape

    def test_symbolic_sizes(self) -> None:
        x = dt.placeholder(dt.float32, ["n", "m", 4])
        assert str(einsum("nmi,ij->njm", x, dt.zeros([4, 5])).type) == "float32[n, 5, m]"
        assert str(einsum("n...->...", x).type) == "float32[m, 4]"
        square = dt.placeholder(dt.float32, ["n", "n"])
        trace = einsum("ii", square)
        assert run(trace, {square: np.eye(4)}) == 4

    @pytest.mark.parametrize(
        ("equation", "error", "message"),
        [
            ("ij,jk->il", InvalidArgumentError, "the output names the axis 'l' that no input has"),
            ("ij,jk->ii", InvalidArgumentError, "the output names the axis 'i' twice"),
            ("ij->ij", InvalidArgumentError, "the equation names 1 inputs, but 2 were given"),
            ("i1,jk->ik", InvalidArgumentError, "'i1' is not a list of axes"),
            ("i....j,jk", InvalidArgumentError, "'i....j' is not a list of axes"),
            ("ij,jk->...ik", InvalidArgumentError, "the output has an ellipsis that no input has"),
            (7, InvalidArgumentError, "einsum: the equation is 7."),
            ("ijk,jk->i", ShapeError, '"ijk" names 3 axes, but input 0 is float32[2, 3]'),
            ("i,jk->i", ShapeError, '"i" names 1 axes, but input 0 is float32[2, 3]'),
            ("ij,jk->ik", ShapeError, "input 1 is float32[2, 3], whose axis 'j' does not fit the size 3"),
            ("...j,kj->k", ShapeError, "the ellipsis stands for 1 axes, which the output lacks"),
        ],
    )
    def test_refusals(self, equation: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error) as caught:
            einsum(equation, dt.zeros([2, 3]), dt.zeros([2, 3]))
        assert message in str(caught.value)

    def test_dtypes(self) -> None:
        with pytest.raises(DTypeError, match='einsum "ij,jk->ik": dtypes differ'):
            einsum("ij,jk->ik", dt.zeros([2, 3]), dt.zeros([3, 2], dt.float64))
