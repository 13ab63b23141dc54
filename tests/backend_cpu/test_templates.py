"""Templates against the operations' references: samples and made shapes, in every type, on one to three threads."""

import llvmlite.binding as llvm  # noqa: TID253 -- these tests are about its input
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dovetail.ops.convolution import Conv, ConvFilterGrad, ConvInputGrad
from dovetail.ops.linear import MatMul
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType
from dovetail_backend_cpu.templates import template_module, template_plan
from tests.backend_cpu.template_runs import Compiled, machine_for, make_template, symbolic

TOLERANCES = {"float32": 1e-4, "float64": 1e-11, "float16": 2e-2, "bfloat16": 1e-1}
KINDS = (MatMul, Conv, ConvInputGrad, ConvFilterGrad)
SAMPLES = [
    sample
    for cls in KINDS
    for sample in cls.samples(np.random.default_rng(7))
    if not any(np.iscomplexobj(one) for one in sample.inputs)  # of complex numbers there are no kernels
]


def numbers(shape, dtype, seed=3):
    """Random numbers; integers for integer types."""
    rng = np.random.default_rng(seed)
    if as_dtype(dtype).is_integer:
        return rng.integers(0, 100, shape).astype(dtype)
    return rng.normal(size=shape).astype(as_dtype(dtype).numpy)


def compare(template, reference, inputs, sizes=None, isa=None, *, bias=False):
    """Compare with the reference, and the runs on one, two and three threads with each other."""
    compiled = Compiled(template, isa)
    expected = reference(*inputs)
    extra = ()
    if bias:
        extra = (numbers(expected.shape[-1:], inputs[0].dtype.name),)
        expected = np.maximum(expected + extra[0], 0)
    results = [compiled.run(sizes or {}, inputs, threads, extra) for threads in (1, 2, 3)]
    dtype = inputs[0].dtype.name
    tolerance = TOLERANCES.get(dtype, 0)
    scale = max(1.0, float(np.abs(expected.astype(np.float64)).max(initial=0)))
    got, wanted = results[0].astype(np.float64), expected.astype(np.float64)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * scale)
    for other in results[1:]:
        assert other.tobytes() == results[0].tobytes(), "the result depends on the number of threads"
    return results[0]


def check(op, inputs, *, isa=None, bias=False, symbols=(), sizes=None, packed=()):
    """Make a template for these inputs and compare."""
    types = symbolic([one.shape for one in inputs], inputs[0].dtype, symbols)
    template = make_template(op, types, bias=bias, packed=packed)
    return compare(template, op.reference, inputs, sizes, isa, bias=bias)


def convolution(kind, attributes, x, filter, *, symbolic_spatial=False):
    """An operation of ``kind``, types with a symbolic batch, shapes of its inputs, sizes, and its reference."""
    forward = Conv(*attributes)
    positions = forward.geometry(filter[:-2]).positions(x[1:-1])
    spatial = [Symbol(f"s{axis}") if symbolic_spatial else size for axis, size in enumerate(x[1:-1])]
    sizes = {"n": x[0], **{str(one): size for one, size in zip(spatial, x[1:-1], strict=True) if symbolic_spatial}}
    images = TensorType(as_dtype("float32"), Shape((Symbol("n"), *spatial, x[-1])))
    filters = TensorType(as_dtype("float32"), Shape(filter))
    grads = forward.infer(images, filters)
    grad = (x[0], *positions, filter[-1])
    if kind is Conv:
        return forward, [images, filters], [x, filter], sizes, forward.reference
    if kind is ConvInputGrad:
        static = ConvInputGrad(*attributes, spatial=tuple(x[1:-1]))
        op = ConvInputGrad(*attributes, spatial=tuple(spatial))
        return op, [filters, grads], [filter, grad], sizes, static.reference
    op = ConvFilterGrad(*attributes, sizes=tuple(filter[:-2]))
    return op, [images, grads], [x, grad], sizes, op.reference


def check_convolution(kind, attributes, x, filter, *, isa=None, symbolic_spatial=False, bias=False, packed=()):
    op, types, shapes, sizes, reference = convolution(kind, attributes, x, filter, symbolic_spatial=symbolic_spatial)
    template = make_template(op, types, bias=bias, packed=packed)
    return compare(
        template, reference, [numbers(one, "float32", i) for i, one in enumerate(shapes)], sizes, isa, bias=bias
    )


@pytest.mark.parametrize(("place", "sample"), list(enumerate(SAMPLES)), ids=str)
def test_samples(place, sample):
    inputs = [np.asarray(one) for one in sample.inputs]
    floating = inputs[0].dtype.kind == "f"
    if floating:
        inputs = [one.astype(np.float32 if place % 2 else np.float64) for one in inputs]
    check(sample.op, inputs, bias=floating)


@pytest.mark.parametrize("sample", SAMPLES[1:50:7], ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_summed_in_float32(sample, dtype):
    check(sample.op, [np.asarray(one).astype(as_dtype(dtype).numpy) for one in sample.inputs])


@pytest.mark.parametrize("sample", SAMPLES[2::9], ids=str)
def test_samples_without_wide_vectors(sample):
    inputs = [np.asarray(one) for one in sample.inputs]
    check(sample.op, [one.astype(np.float32) if one.dtype.kind == "f" else one for one in inputs], isa="sse")


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64"])
def test_integers_wrap_around(dtype):
    check(MatMul(), [numbers((7, 30), dtype), numbers((30, 21), dtype)])


@st.composite
def products(draw):
    size = st.one_of(st.integers(0, 5), st.sampled_from([8, 13, 16, 24, 31, 50]))
    rows, depth, columns = draw(size), draw(size), draw(size)
    batch = draw(st.sampled_from([((), ()), ((3,), ()), ((2,), (2,)), ((1,), (3,)), ((2, 1), (3,)), ((), (2, 2))]))
    flags = draw(st.booleans()), draw(st.booleans())
    known = draw(st.sampled_from(["", "m", "k", "n", "mkn"]))
    return rows, depth, columns, batch, flags, known, draw(st.booleans())


@settings(max_examples=15)
@given(products())
def test_products_of_any_sizes(case):
    rows, depth, columns, (batch_a, batch_b), (flip_a, flip_b), known, packed = case
    a = (*batch_a, *((depth, rows) if flip_a else (rows, depth)))
    b = (*batch_b, *((columns, depth) if flip_b else (depth, columns)))
    last_a, last_b = len(a) - 1, len(b) - 1
    places = {
        "m": [(0, last_a - (not flip_a))],
        "k": [(0, last_a - flip_a), (1, last_b - (not flip_b))],
        "n": [(1, last_b - flip_b)],
    }
    symbols = {place: name for name in known for place in places[name]}
    inputs = [numbers(a, "float32", 1), numbers(b, "float32", 2)]
    sizes = {"m": rows, "k": depth, "n": columns}
    check(MatMul(flip_a, flip_b), inputs, symbols=symbols, sizes=sizes, packed=(False, packed))


@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("known", ["", "k"])
def test_a_long_inner_axis_is_cut_into_blocks(flags, known):
    flip_a, flip_b = flags
    a, b = (2500, 200) if flip_a else (200, 2500), (70, 2500) if flip_b else (2500, 70)
    symbols = {(0, int(not flip_a)): "k", (1, int(flip_b)): "k"} if known else {}
    inputs = [numbers(a, "float32", 1), numbers(b, "float32", 2)]
    check(MatMul(flip_a, flip_b), inputs, symbols=symbols, sizes={"k": 2500})


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_row_has_the_same_bits_in_every_batch(flip, packed):
    a, b = numbers((64, 300), "float32", 1), numbers((90, 300) if flip else (300, 90), "float32", 2)
    types = symbolic([a.shape, b.shape], "float32", {(0, 0): "m"})
    compiled = Compiled(make_template(MatMul(False, flip), types, packed=(False, packed)))
    whole = compiled.run({"m": 64}, [a, b])
    for rows in (1, 2, 3, 5, 6, 7, 33):
        assert compiled.run({"m": rows}, [a[:rows], b]).tobytes() == whole[:rows].tobytes()


@st.composite
def geometries(draw):
    rank = draw(st.sampled_from([1, 2, 2, 2, 3]))
    strides, dilations, window, spatial, pads = [], [], [], [], []
    for _ in range(rank):
        strides.append(draw(st.integers(1, 3)))
        dilations.append(draw(st.integers(1, 2)))
        window.append(draw(st.integers(1, 3)))
        spatial.append(draw(st.integers((window[-1] - 1) * dilations[-1] + 1, 11)))
        pads.append((draw(st.integers(0, 2)), draw(st.integers(0, 2))))
    padding = draw(st.sampled_from(["SAME", "VALID", tuple(pads)]))
    groups = draw(st.sampled_from([1, 1, 1, 2, 5]))
    depth = draw(st.sampled_from([1, 2, 3, 8]))
    filters = groups * draw(st.sampled_from([1, 2, 9, 16, 20]))
    attributes = (tuple(strides), padding, tuple(dilations), groups)
    x = (draw(st.integers(0, 4)), *spatial, groups * depth)
    return attributes, x, (*window, depth, filters), draw(st.booleans())


@pytest.mark.parametrize("kind", [Conv, ConvInputGrad, ConvFilterGrad])
@settings(max_examples=8)
@given(case=geometries())
def test_convolutions_of_any_geometry(kind, case):
    attributes, x, filter, symbolic_spatial = case
    check_convolution(kind, attributes, x, filter, symbolic_spatial=symbolic_spatial)


@pytest.mark.parametrize("kind", [Conv, ConvInputGrad, ConvFilterGrad])
@pytest.mark.parametrize(
    ("attributes", "x", "filter"),
    [
        (((1, 1), "SAME", (1, 1)), (3, 14, 14, 8), (5, 5, 8, 20)),
        (((2, 2), "SAME", (1, 1)), (2, 33, 29, 3), (7, 7, 3, 24)),
        (((2, 2), "SAME", (1, 1)), (5, 16, 16, 16), (1, 1, 16, 32)),
        (((1, 1), "SAME", (1, 1)), (20, 8, 8, 16), (3, 3, 16, 16)),
        (((1, 1), "SAME", (1, 1)), (1, 60, 60, 64), (3, 3, 64, 24)),
        (((4, 4), "VALID", (1, 1)), (3, 23, 20, 4), (2, 2, 4, 9)),
        (((2, 2), "SAME", (1, 1), 24), (3, 17, 9, 24), (3, 3, 1, 24)),
        (((1, 1), "SAME", (2, 2), 32), (2, 12, 12, 32), (3, 3, 1, 32)),
        (((2, 2), "SAME", (1, 1), 24), (3, 17, 9, 24), (3, 3, 1, 48)),
        (((1, 1), "SAME", (1, 1), 11), (2, 12, 9, 11), (3, 3, 1, 33)),
        (((1, 2), "VALID", (2, 1), 8), (2, 12, 9, 8), (3, 2, 1, 32)),
        (((1, 1), "SAME", (1, 1), 6), (2, 8, 9, 6), (3, 3, 1, 36)),
    ],
)
def test_larger_convolutions(kind, attributes, x, filter):
    check_convolution(kind, attributes, x, filter, bias=True, packed=(True, True))
    check_convolution(kind, attributes, x, filter, isa="sse")


@pytest.mark.parametrize("kind", [Conv, ConvInputGrad])
def test_an_image_has_the_same_bits_in_every_batch(kind):
    op, types, shapes, _, _ = convolution(kind, ((2, 2), "SAME", (1, 1)), (16, 9, 9, 6), (3, 3, 6, 20))
    compiled = Compiled(make_template(op, types))
    inputs = [numbers(one, "float32", i) for i, one in enumerate(shapes)]
    images = 0 if kind is Conv else 1
    whole = compiled.run({"n": 16}, inputs, 3)
    inputs[images] = inputs[images][:5]
    assert compiled.run({"n": 5}, inputs, 2).tobytes() == whole[:5].tobytes()


def test_a_heavy_epilogue_is_written_once():
    a, b = numbers((9, 20), "float32", 1), numbers((20, 21), "float32", 2)
    template = make_template(MatMul(), symbolic([a.shape, b.shape], "float32", {(0, 0): "m"}), heavy=True)
    result = Compiled(template).run({"m": 9}, [a, b], 2)
    np.testing.assert_allclose(result, np.tanh(np.tanh(a @ b)), rtol=1e-5, atol=1e-5)
    text = str(template_module(template, "task", Compiled(template).machine)[0])
    assert text.count("define internal void @task_0_finish") == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("isa", ["neon", "avx512"])
def test_code_for_other_machines_assembles(kind, isa):
    machine = machine_for(isa)
    if kind is MatMul:
        template = make_template(
            MatMul(False, True), symbolic([(40, 70), (50, 70)], "float32", {(0, 0): "m"}), bias=True
        )
    else:
        op, types, *_ = convolution(kind, ((2, 2), "SAME", (1, 1)), (2, 28, 28, 8), (3, 3, 8, 50))
        template = make_template(op, types, bias=True)
    module = llvm.parse_assembly(str(template_module(template, "task", machine)[0]))
    module.verify()
    target = llvm.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=1
    )
    assembly = target.emit_assembly(module)
    assert ("fmla" if isa == "neon" else "zmm") in assembly


@pytest.mark.parametrize("kind", [MatMul, Conv, ConvInputGrad])
def test_what_is_packed_once_lies_apart(kind):
    if kind is MatMul:
        template = make_template(
            MatMul(), symbolic([(4, 30), (30, 50)], "float32", {(0, 0): "m"}), packed=(False, True)
        )
    else:
        op, types, *_ = convolution(kind, ((1, 1), "SAME", (1, 1)), (2, 9, 9, 8), (3, 3, 8, 50))
        template = make_template(op, types, packed=(True, True))
    plan = template_plan(template, "task", machine_for("avx512"))
    assert [phase.constant for phase in plan.phases] == [True, False]
    assert plan.constant == plan.workspace > 0
