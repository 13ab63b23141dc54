"""Graphs: names, scopes, collections, variables, lines, types."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors, plugins


def test_names_are_made_unique_within_scopes() -> None:
    assert dt.constant(1.0, name="a").name == "a:0"
    assert dt.constant(1.0, name="a").name == "a_1:0"
    with dt.name_scope("block") as scope:
        assert scope == "block/"
        assert dt.constant(1.0, name="a").name == "block/a:0"
        with dt.name_scope("inner"):
            assert dt.constant(1.0, name="a").name == "block/inner/a:0"
    with dt.name_scope("block"):
        assert dt.constant(1.0, name="a").name == "block_1/a:0"
    with dt.name_scope("block/"):
        assert dt.constant(1.0, name="a").name == "block/a_1:0"
    with dt.name_scope("x"), dt.name_scope(None):
        assert dt.constant(1.0, name="top").name == "top:0"


def test_bad_names_are_refused() -> None:
    with pytest.raises(errors.InvalidArgumentError, match=r"'a b' is not a name for a node"):
        dt.constant(1.0, name="a b")
    with pytest.raises(errors.InvalidArgumentError, match=r"'a b' is not a name for a scope"), dt.name_scope("a b"):
        pass


def test_nodes_know_the_users_line() -> None:
    x = dt.constant(1.0)
    line = sys._getframe().f_lineno + 1
    y = x + 1.0
    assert (y.op.source.line, y.op.source.function) == (line, "test_nodes_know_the_users_line")
    assert str(y.op.source).endswith(f"test_graph.py:{line}")


def test_gradient_nodes_report_the_line_of_the_forward_node() -> None:
    x = dt.constant(2.0)
    y = dt.exp(x)
    (grad,) = dt.gradients(dt.square(y), x)
    lines = {
        op.source.line for op in dt.get_default_graph().get_operations() if op.name.startswith("gradients/Exp_grad")
    }
    assert lines == {y.op.source.line}
    assert grad.op.source.file.endswith("test_graph.py")


def test_devices_nest_and_are_dropped_by_none() -> None:
    with dt.device("/gpu:1"):
        assert dt.constant(1.0).device == "/device:CUDA:1"
        with dt.device("/cpu:0"):
            assert dt.constant(1.0).device == "/device:CPU:0"
        with dt.device(None):
            assert dt.constant(1.0).device == ""
    with dt.device(lambda op: "/cpu:0" if op.type == "Constant" else None):
        assert dt.constant(1.0).device == "/device:CPU:0"


def test_control_inputs() -> None:
    a, b = dt.constant(1.0), dt.constant(2.0)
    with dt.control_dependencies([a, b.op]):
        c = a + 1.0
        with dt.control_dependencies(None):
            d = dt.no_op()
    assert c.op.control_inputs == (b.op,)
    assert d.control_inputs == ()
    assert dt.group(a, b).control_inputs == (a.op, b.op)


def test_collections() -> None:
    graph = dt.get_default_graph()
    x = dt.constant(1.0, name="net/x")
    dt.add_to_collection("mine", x)
    graph.add_to_collections(["mine", "yours"], 3)
    assert dt.get_collection("mine") == [x, 3]
    assert dt.get_collection("mine", scope="net") == [x]
    dt.get_collection_ref("mine").clear()
    assert dt.get_collection("mine") == []
    assert graph.get_all_collection_keys() == ["yours"]


def test_looking_up_tensors_and_operations() -> None:
    graph = dt.get_default_graph()
    x = dt.constant(1.0, name="a/x")
    assert graph.get_tensor_by_name("a/x:0") is x
    assert graph.get_operation_by_name("a/x") is x.op
    assert graph.as_graph_element("a/x:0") is x
    assert x.consumers() == []
    y = x + x
    assert x.consumers() == [y.op, y.op]
    assert x.op.get_attr("value").array == 1.0


def test_default_graphs_stack_and_threads_have_their_own() -> None:
    outer = dt.get_default_graph()
    with dt.Graph().as_default() as inner:
        assert dt.get_default_graph() is inner
        seen: list[dt.Graph] = []
        thread = threading.Thread(target=lambda: seen.append(dt.get_default_graph()))
        thread.start()
        thread.join()
        assert seen == [outer]
        with pytest.raises(errors.GraphError, match=r"reset_default_graph\(\) was called inside"):
            dt.reset_default_graph()
    assert dt.get_default_graph() is outer


def test_shapes_as_users_write_them() -> None:
    assert dt.placeholder(dt.float32, [None, 3]).shape.as_list() == [None, 3]
    assert dt.placeholder(dt.float32).shape.rank is None
    assert dt.placeholder(dt.float32, []).shape == ()
    assert dt.placeholder(dt.float32, ["n"]).shape == dt.placeholder(dt.float32, ["n"]).shape
    assert dt.placeholder(dt.float32, [None]).shape != dt.placeholder(dt.float32, [None]).shape
    with pytest.raises(errors.ShapeError, match=r"dimension 1 of shape \[2, -1\] is negative"):
        dt.placeholder(dt.float32, [2, -1])
    with pytest.raises(errors.ShapeError, match=r"dimension 0 of shape \[2.5\] is 2.5"):
        dt.placeholder(dt.float32, [2.5])


def test_symbolic_sizes_flow_through_shape_arithmetic() -> None:
    x = dt.placeholder(dt.float32, [None, 7, 7, 64], name="x")
    rows = dt.shape(x)[0]
    flat = dt.reshape(x, dt.stack([rows, 7 * 7 * 64]))
    assert str(flat.type) == "float32[x.0, 3136]"
    double = dt.concat([flat, flat], axis=0)
    assert str(double.type) == "float32[2*x.0, 3136]"
    back = dt.reshape(double, [-1, 2, 3136])
    assert str(back.type) == "float32[x.0, 2, 3136]"
    assert dt.zeros([rows * 2 + 1, 3]).shape.as_list() == [None, 3]
    with dt.Session() as session:
        assert session.run(dt.shape(dt.zeros([rows * 2 + 1, 3])), {x: np.zeros((5, 7, 7, 64))}).tolist() == [11, 3]


@pytest.mark.parametrize(
    ("value", "dtype", "name"),
    [
        (1, None, "int32"),
        (1.0, None, "float32"),
        (True, None, "bool"),
        ("text", None, "string"),
        (np.float64(1.0), None, "float64"),
        (np.arange(3), None, "int64"),
        ([1, 2.5], None, "float32"),
        ([np.float64(1.0)], None, "float64"),
        (1, dt.float16, "float16"),
        (1.5, "bfloat16", "bfloat16"),
        (2**40, dt.int64, "int64"),
    ],
)
def test_dtypes_of_constants(value: object, dtype: object, name: str) -> None:
    assert dt.constant(value, dtype).dtype.name == name  # type: ignore[arg-type]


def test_constants_fill_and_take_shapes() -> None:
    with dt.Session() as session:
        np.testing.assert_array_equal(session.run(dt.constant(3.0, shape=[2, 2])), np.full((2, 2), 3.0))
        np.testing.assert_array_equal(session.run(dt.constant([1, 2, 3, 4], shape=[2, 2])), [[1, 2], [3, 4]])
        np.testing.assert_array_equal(session.run(dt.convert_to_tensor([dt.constant(1.0), 2.0])), [1.0, 2.0])
    with pytest.raises(errors.ShapeError, match=r"a constant of 3 elements does not fill shape \[2, 2\]"):
        dt.constant([1, 2, 3], shape=[2, 2])


def test_bfloat16_and_float16_run() -> None:
    for dtype in (dt.bfloat16, dt.float16):
        x = dt.constant([[1.0, 2.0]], dtype)
        y = dt.matmul(x, x, transpose_b=True) + 1.0
        with dt.Session() as session:
            result = session.run(y)
        assert y.dtype is dtype
        assert np.asarray(result, np.float32).tolist() == [[6.0]]


def test_variables_are_named_and_scoped_as_in_tensorflow_1() -> None:
    with dt.variable_scope("layer1"):
        w = dt.get_variable("w", [2, 3])
        v = dt.Variable(0.0, name="v")
    assert (w.name, v.name) == ("layer1/w:0", "layer1/v:0")
    assert w.initializer.name == "layer1/w/Assign"
    assert w.value().name == "layer1/w/read:0"
    with dt.variable_scope("layer1", reuse=True):
        assert dt.get_variable("w") is w
        with pytest.raises(
            errors.NotFoundError, match=r'variable "layer1/u" does not exist, and the scope only reuses'
        ):
            dt.get_variable("u", [1])
    with dt.variable_scope("layer1", reuse=dt.AUTO_REUSE):
        assert dt.get_variable("w", [2, 3]) is w
        with pytest.raises(
            errors.ShapeError, match=r'variable "layer1/w" exists with shape \[2, 3\]; \[3, 3\] was asked'
        ):
            dt.get_variable("w", [3, 3])
    with dt.variable_scope(None, "block"):
        a = dt.get_variable("w", [1])
    with dt.variable_scope(None, "block"):
        b = dt.get_variable("w", [1])
    assert (a.name, b.name) == ("block/w:0", "block_1/w:0")
    assert dt.global_variables("layer1/") == [w, v]
    assert dt.trainable_variables() == [w, v, a, b]


def test_variable_operators_and_assignments() -> None:
    w = dt.Variable([[1.0, 2.0], [3.0, 4.0]], trainable=False)
    assert dt.trainable_variables() == []
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        np.testing.assert_array_equal(session.run(w @ w), [[7.0, 10.0], [15.0, 22.0]])
        np.testing.assert_array_equal(session.run(w[0] * 2.0 - 1.0), [1.0, 3.0])
        np.testing.assert_array_equal(session.run(dt.assign_sub(w, w)), np.zeros((2, 2)))
    with pytest.raises(errors.ShapeError, match=r"assign: the variable is float32\[2, 2\], the value float32\[3\]"):
        w.assign([1.0, 2.0, 3.0])
    with pytest.raises(errors.DTypeError, match=r"assign"):
        w.assign(dt.constant([[1, 2], [3, 4]]))


def test_variables_made_in_a_body_belong_to_the_graph_around() -> None:
    flag = dt.placeholder(dt.bool, [])
    y = dt.cond(
        flag, lambda: dt.get_variable("w", [], initializer=dt.ones_initializer()) * 2.0, lambda: dt.constant(0.0)
    )
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(y, {flag: True}) == 2.0


def test_pickled_dtypes_stay_themselves() -> None:
    import pickle  # noqa: TID251 - process pools hand dtypes over pickled

    assert pickle.loads(pickle.dumps(dt.float32)) is dt.float32


def test_public_names_are_listed() -> None:
    import types

    public = {
        name for name in dir(dt) if not name.startswith("_") and not isinstance(getattr(dt, name), types.ModuleType)
    }
    summaries = {name.removeprefix("summary.") for name in plugins.names("namespaces") if name.startswith("summary.")}
    assert public - set(dt.__all__) - summaries <= {"scatter_add_rows"}  # a plugin gives what its names stand for
    assert [name for name in dt.__all__ if not hasattr(dt, name)] == []


def test_none_in_set_shape_leaves_a_size_as_it_is():
    x = dt.placeholder(dt.float32, [None, None], name="x")
    y = dt.identity(x)
    y.set_shape([None, 3])
    assert y.shape == [x.shape[0], 3]
    with dt.Session() as session:
        assert session.run(y * 2.0, {x: np.ones((2, 3))}).shape == (2, 3)
