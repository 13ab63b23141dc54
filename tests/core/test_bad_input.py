"""What a tired person does wrong: a sentence that says what, where and what to do, and nothing lost."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors


def line_above() -> str:
    """The file and line of the statement before the call, as messages give them."""
    return f"test_bad_input.py:{sys._getframe(1).f_lineno - 1}"


def test_wrong_shape_at_the_node_names_both_inputs_and_the_line() -> None:
    a = dt.placeholder(dt.float32, [8, 16], name="a")
    b = dt.placeholder(dt.float32, [32, 4], name="b")
    with pytest.raises(errors.ShapeError) as caught:
        dt.matmul(a, b, name="head/MatMul")
    line = line_above()
    text = str(caught.value)
    assert "inner dimensions differ: input 0 is float32[8, 16], input 1 is float32[32, 4]" in text
    assert '(node "head/MatMul" made at ' in text
    assert line in text


def test_wrong_dtype_at_the_node_names_both_types() -> None:
    a = dt.constant([1.0])
    b = dt.constant([1.0], dt.float64)
    with pytest.raises(errors.DTypeError, match=r"float32.*float64.*dt\.cast.*test_bad_input\.py"):
        a + b


def test_a_feed_of_the_wrong_shape() -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    with dt.Session() as session, pytest.raises(errors.FeedError) as caught:
        session.run(x + 1.0, {x: np.zeros((2, 4), np.float32)})
    assert '"x:0" is float32[x.0, 3], but the value fed has shape [2, 4]' in str(caught.value)
    assert "test_bad_input.py" in str(caught.value)


def test_a_feed_of_the_wrong_rank() -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    with dt.Session() as session, pytest.raises(errors.FeedError, match=r"has shape \[3\]"):
        session.run(x + 1.0, {x: [1.0, 2.0, 3.0]})


def test_a_feed_that_would_lose_its_fraction() -> None:
    x = dt.placeholder(dt.int32, [None], name="ids")
    with (
        dt.Session() as session,
        pytest.raises(errors.FeedError, match=r'"ids:0".*float64.*lose its fraction as int32.*dt\.cast'),
    ):
        session.run(x + 1, {x: [1.5, 2.5]})


def test_a_feed_that_does_not_fit_a_smaller_integer() -> None:
    x = dt.placeholder(dt.uint8, [None], name="bytes")
    with dt.Session() as session, pytest.raises(errors.FeedError, match=r"does not fit uint8, which holds 0 to 255"):
        session.run(dt.cast(x, dt.int32), {x: [300]})


def test_a_feed_of_the_wrong_type() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    with dt.Session() as session:
        with pytest.raises(errors.FeedError, match=r'"x:0".*does not fit.*str'):
            session.run(x + 1.0, {x: "three"})
        with pytest.raises(errors.FeedError, match=r"a part of the graph; feed an array"):
            session.run(x + 1.0, {x: dt.constant(1.0)})
        with pytest.raises(errors.FeedError, match=r"cannot feed 'nothing:0'.*no operation 'nothing'"):
            session.run(x + 1.0, {"nothing:0": 1.0})


def test_a_missing_feed_names_the_placeholder_and_its_line() -> None:
    x = dt.placeholder(dt.float32, [], name="inputs/x")
    line = line_above()
    with dt.Session() as session, pytest.raises(errors.MissingFeedError) as caught:
        session.run(x * 2.0)
    assert 'placeholder "inputs/x" of type float32[] is needed and was not fed' in str(caught.value)
    assert line in str(caught.value)


def test_two_fed_batches_that_differ_by_a_shared_name() -> None:
    x = dt.placeholder(dt.float32, ["batch", 2], name="x")
    y = dt.placeholder(dt.float32, ["batch"], name="y")
    with dt.Session() as session, pytest.raises(errors.FeedError) as caught:
        session.run([x + 1.0, y + 1.0], {x: np.zeros((3, 2)), y: np.zeros(4)})
    assert "share the dimension batch, but 4 (axis 0) and 3 (axis 0) were fed" in str(caught.value)


def test_two_fed_batches_that_differ_where_a_node_wants_them_equal() -> None:
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    y = dt.placeholder(dt.float32, [None, 2], name="y")
    z = x + y
    with dt.Session() as session:
        assert session.run(z, {x: np.ones((3, 2)), y: np.ones((3, 2))}).shape == (3, 2)
        assert session.run(z, {x: np.ones((3, 2)), y: np.ones((1, 2))}).shape == (3, 2)
        assert session.run(z, {x: np.ones((1, 2)), y: np.ones((5, 2))}).shape == (5, 2)
        with pytest.raises(errors.FeedError, match=r'axis 0 of "x:0" and axis 0 of "y:0".*test_bad_input\.py'):
            session.run(z, {x: np.ones((3, 2)), y: np.ones((4, 2))})


def test_an_uninitialized_variable_names_its_initializer() -> None:
    w = dt.Variable([1.0], name="layer/w")
    line = line_above()
    with dt.Session() as session:
        with pytest.raises(errors.UninitializedVariableError) as caught:
            session.run(w + 1.0)
        assert 'variable "layer/w" is read before it has a value' in str(caught.value)
        assert "global_variables_initializer" in str(caught.value)
        assert '"layer/w/Assign"' in str(caught.value)
        assert line in str(caught.value)
        session.run("layer/w/Assign")
        np.testing.assert_array_equal(session.run(w + 1.0), [2.0])


def test_tensors_of_another_graph() -> None:
    x = dt.constant(1.0, name="x")
    with dt.Graph().as_default():
        with pytest.raises(
            errors.GraphError, match=r'takes tensor "x:0", which belongs to another graph \(made at .*test_bad_input'
        ):
            dt.add(x, dt.constant(2.0))
        with dt.Session() as session, pytest.raises(errors.GraphError, match=r'"x:0" belongs to another graph'):
            session.run(x)


def test_a_closed_session() -> None:
    x = dt.constant(1.0)
    session = dt.Session()
    session.close()
    with pytest.raises(errors.ClosedSessionError, match=r"the session is closed; open a new dt\.Session"):
        session.run(x)


def test_a_callable_of_a_closed_session() -> None:
    session = dt.Session()
    call = session.make_callable(dt.constant(1.0))
    session.close()
    with pytest.raises(errors.ClosedSessionError, match=r"closed"):
        call()


def test_a_duplicate_variable_says_where_the_first_was_made() -> None:
    dt.get_variable("w", [2])
    line = line_above()
    with pytest.raises(errors.AlreadyExistsError) as caught:
        dt.get_variable("w", [2])
    assert 'variable "w" already exists' in str(caught.value)
    assert line in str(caught.value)
    assert "dt.AUTO_REUSE" in str(caught.value)


def test_an_unknown_device_names_those_there_are() -> None:
    with dt.device("/gpu:0"):
        x = dt.constant(1.0) + 1.0
    with dt.Session() as session, pytest.raises(errors.DeviceError) as caught:
        session.run(x)
    text = str(caught.value)
    assert "there is no device" in text
    assert "/device:CPU:0" in text
    assert "dovetail-backend-cuda" in text
    assert "allow_soft_placement=True" in text
    with dt.Session(config=dt.ConfigProto(allow_soft_placement=True)) as session:
        assert session.run(x) == 2.0


def test_a_malformed_device() -> None:
    with (
        pytest.raises(errors.DeviceError, match=r"'cpu 0' is not a device; write for example '/cpu:0'"),
        dt.device("cpu 0"),
    ):
        pass


def test_an_unknown_layer_and_optimizer_give_the_nearest_name() -> None:
    with pytest.raises(errors.PluginNotFoundError, match="dense"):
        _ = dt.layers.densee
    with pytest.raises(errors.PluginNotFoundError, match="AdamOptimizer|adam"):
        _ = dt.train.AdmaOptimizer


def test_a_gradient_through_what_has_none() -> None:
    x = dt.placeholder(dt.float64, [3], name="x")
    y = _gradientless(x)
    with pytest.raises(errors.GradientError, match=r"has no gradient.*dt\.stop_gradient.*made at .*test_bad_input"):
        dt.gradients(y, x)
    assert dt.gradients(dt.stop_gradient(y), x) == [None]


def _gradientless(x: dt.Tensor) -> dt.Tensor:
    """An operation of a plugin that declares no gradient."""
    from dovetail.extend import Op, primitive

    @primitive
    class Opaque(Op):
        """Rounds through a table that nobody differentiated."""

        domain = "test_bad_input"

        def infer(self, x):  # type: ignore[no-untyped-def]
            return x

        def reference(self, x):  # type: ignore[no-untyped-def]
            return np.round(x, 2)

    result: dt.Tensor = Opaque()(x)
    return result


def test_gradients_of_integers() -> None:
    x = dt.constant([1, 2])
    with pytest.raises(
        errors.DTypeError, match=r'"Const:0" is int32; only floating and complex tensors have gradients'
    ):
        dt.gradients(x, x)


def test_overflow_in_a_constant() -> None:
    with pytest.raises(errors.InvalidArgumentError, match=r"300 does not fit uint8, which holds 0 to 255"):
        dt.constant(300, dt.uint8)
    with pytest.raises(errors.InvalidArgumentError, match=r"does not fit int32; pass dtype=dt\.int64"):
        dt.constant(2**40)
    with pytest.raises(errors.InvalidArgumentError, match=r"1e\+300 overflows float32"):
        dt.constant(1e300)
    with pytest.raises(errors.InvalidArgumentError, match=r"100000.0 overflows float16"):
        dt.constant(100000.0, dt.float16)
    assert dt.Session().run(dt.constant(float("inf"))) == np.inf


def test_ragged_lists_and_odd_objects_in_a_constant() -> None:
    with pytest.raises(errors.ShapeError, match="nested lists have different lengths"):
        dt.constant([[1.0, 2.0], [3.0]])
    with pytest.raises(errors.DTypeError, match=r"a object \(<object"):
        dt.constant(object())


def test_an_operation_that_fails_names_shapes_and_line_and_leaves_state() -> None:
    w = dt.Variable([1.0, 2.0, 3.0], name="w")
    index = dt.placeholder(dt.int32, [None], name="index")
    rows = dt.gather(w, index, name="rows")
    line = line_above()
    update = w.assign_add([1.0, 1.0, 1.0])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        with pytest.raises(errors.OperationError) as caught:
            session.run([rows, update], {index: [0, 7]})
        text = str(caught.value)
        assert '(node "rows" made at ' in text
        assert line in text
        assert "7" in text
        assert "float32[3]" in text
        assert "int32[2]" in text
        assert "No variable has changed" in text
        np.testing.assert_array_equal(session.run(w), [1.0, 2.0, 3.0])


def test_a_finalized_graph_takes_no_more_nodes() -> None:
    x = dt.constant(1.0)
    dt.get_default_graph().finalize()
    with pytest.raises(
        errors.FinalizedGraphError, match=r"the graph is finalized and cannot take another .*test_bad_input"
    ):
        x + 1.0
    assert dt.Session().run(x) == 1.0


def test_an_unknown_tensor_gives_the_nearest_name() -> None:
    dt.constant(1.0, name="learning_rate")
    with pytest.raises(errors.NotFoundError, match=r"no operation 'learning_rat'\. Did you mean 'learning_rate'\?"):
        dt.get_default_graph().get_tensor_by_name("learning_rat:0")
    with pytest.raises(errors.InvalidArgumentError, match=r"write 'learning_rate:0' for the first output"):
        dt.get_default_graph().get_tensor_by_name("learning_rate")
    with pytest.raises(errors.NotFoundError, match=r"has 1 outputs, so there is no 'learning_rate:1'"):
        dt.get_default_graph().get_tensor_by_name("learning_rate:1")


def test_fetching_what_cannot_be_fetched() -> None:
    with dt.Session() as session:
        with pytest.raises(errors.FetchError, match=r"cannot fetch None .*may have returned nothing"):
            session.run(None)
        with pytest.raises(errors.FetchError, match=r"cannot fetch 3 \(int\)"):
            session.run([3])


@pytest.mark.parametrize("function", ["sum", "mean"])
def test_empty_batches_work_where_mathematics_allows(function: str) -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    rows = dt.matmul(x, dt.ones([3, 2]))
    total = getattr(dt, f"reduce_{function}")(rows, axis=0)
    with dt.Session() as session:
        empty, result = session.run([rows, total], {x: np.zeros((0, 3))})
    assert empty.shape == (0, 2)
    assert result.shape == (2,)
    assert np.all(result == 0) if function == "sum" else np.all(np.isnan(result))


def test_the_maximum_of_nothing_is_an_error() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    with dt.Session() as session, pytest.raises(errors.OperationError, match=r"Max"):
        session.run(dt.reduce_max(x), {x: []})


def test_truth_of_a_tensor() -> None:
    x = dt.constant(1.0, name="x")
    with pytest.raises(
        errors.DTypeError, match=r'tensor "Greater:0" has no truth value while the graph is built; use dt\.cond'
    ):
        bool(x > 0.0)


def test_numpy_on_a_tensor() -> None:
    with pytest.raises(errors.DTypeError, match=r"is a node of a graph, not an array"):
        np.asarray(dt.constant(1.0))


def test_no_default_session() -> None:
    with pytest.raises(errors.GraphError, match=r'there is no default session to evaluate "Const"'):
        dt.constant(1.0).eval()


def test_an_unknown_option_of_a_session() -> None:
    with pytest.raises(errors.InvalidArgumentError, match=r"ConfigProto has no option 'allow_soft_placment'"):
        dt.ConfigProto(allow_soft_placment=True)


def test_messages_name_lines_of_this_file_only() -> None:
    """No message of these tests points into Dovetail's own code."""
    x = dt.placeholder(dt.float32, [2], name="x")
    with pytest.raises(errors.ShapeError) as caught:
        dt.concat([x, dt.ones([2, 2])], axis=0)
    assert re.search(r"made at \S*test_bad_input\.py:\d+", str(caught.value))
