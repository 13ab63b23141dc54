"""Python functions, printing and checks of numbers in a program: when they run, in which order, and what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from tests.core.values import run


def test_a_python_function_is_called_with_arrays():
    x = dt.placeholder(dt.float32, [None], name="x")
    smallest, count = dt.py_func(lambda a: [a.min(), np.int64(a.size)], [x], [dt.float32, dt.int64])
    smallest.set_shape([])
    count.set_shape([])
    values = run([smallest + 1.0, count * 2], {x: [3.0, 2.0]})
    assert values == [3.0, 4]
    assert dt.gradients(smallest, x) == [None]


def test_a_result_of_unknown_rank_can_be_fetched_and_handed_on():
    x = dt.placeholder(dt.float32, [None])
    once = dt.py_func(np.sort, [x], dt.float32)
    twice = dt.numpy_function(lambda a: a[None] * 2, [once], dt.float32)
    values = run([once, twice], {x: [3.0, 2.0]})
    assert values[0].tolist() == [2.0, 3.0]
    assert values[1].tolist() == [[4.0, 6.0]]
    with pytest.raises(errors.UnsupportedOperationError, match="Add: the rank of its output is not known.*use set_sh"):
        run(once + 1.0, {x: [3.0]})


def test_a_size_that_the_function_decides():
    x = dt.placeholder(dt.int32, [None])
    odd = dt.py_func(lambda a: a[a % 2 == 1], [x], dt.int32)
    odd.set_shape([None])
    for given in ([1, 2, 3], [2], [5, 7, 9]):
        expected = [one * 2 for one in given if one % 2]
        assert run([odd * 2, dt.zeros([odd.shape[0]])], {x: given})[0].tolist() == expected


def test_strings_come_as_bytes_and_may_be_given_as_text():
    x = dt.placeholder(dt.string, [None])
    upper = dt.py_func(lambda a: np.array([item.decode().upper() for item in a]), [x], dt.string)
    upper.set_shape([2])
    assert run(upper, {x: ["a", "bc"]}).tolist() == [b"A", b"BC"]


def test_calls_are_made_in_the_order_of_the_program_and_once_for_each_node():
    seen = []

    def note(what):
        return lambda: seen.append(what) or np.float32(len(seen))

    first = dt.py_func(note("first"), [], dt.float32)
    second = dt.py_func(note("second"), [], dt.float32)
    third = dt.py_func(note("third"), [], [])
    assert isinstance(third, dt.Operation)
    with dt.control_dependencies([second]):
        done = dt.no_op()
    with dt.Session() as session:
        session.run([done, second, first])
        assert seen == ["first", "second"]
        session.run(third)
        assert seen == ["first", "second", "third"]


def test_what_a_python_function_gets_wrong_is_said():
    x = dt.placeholder(dt.float32, [None])

    def failing(array):
        raise ValueError("no such file")

    wide = dt.py_func(lambda a: a.astype(np.float64), [x], dt.float32, name="wide")
    with pytest.raises(errors.OperationError, match="<lambda> returned is float64, where Tout says float32"):
        run(wide, {x: [1.0]})
    with pytest.raises(errors.OperationError, match="returned 2 values, 1 were expected by Tout"):
        run(dt.py_func(lambda a: [a, a], [x], dt.float32), {x: [1.0]})
    with pytest.raises(errors.OperationError, match=r'no such file.*node "Broken" made at tests/core/test_effects.py'):
        run(dt.py_func(failing, [x], dt.float32, name="Broken"), {x: [1.0]})
    shaped = dt.py_func(lambda a: a, [x], dt.float32)
    shaped.set_shape([None, 3])
    with pytest.raises(errors.OperationError, match=r"returned has shape \[1\], where set_shape said \[None, 3\]"):
        run(shaped, {x: [1.0]})
    with pytest.raises(errors.DTypeError, match="py_func: func is 3; give a function of arrays"):
        dt.py_func(3, [x], dt.float32)


def test_a_graph_file_holds_the_name_of_python_code(tmp_path: Path):
    x = dt.placeholder(dt.float32, [3], name="x")
    w = dt.Variable(2.0, name="w")
    ordered = dt.py_func(np.sort, [x], dt.float32, name="ordered")
    ordered.set_shape([3])
    y = dt.multiply(w, ordered, name="y")
    with dt.Session() as session:
        session.run(w.initializer)
        assert session.run(y, {x: [3.0, 1.0, 2.0]}).tolist() == [2.0, 4.0, 6.0]
        path = dt.train.Saver([w]).save(session, tmp_path / "model")
    for _ in range(2):  # what was read is saved as well
        with dt.Graph().as_default(), dt.Session() as session:
            saver = dt.train.import_meta_graph(path + ".meta")
            saver.restore(session, path)
            assert session.run("y:0", {"ordered:0": [1.0, 2.0, 3.0]}).tolist() == [2.0, 4.0, 6.0]
            message = r"py_func: sort is Python code, which the file that this graph was read from does not hold\. Feed"
            with pytest.raises(errors.OperationError, match=message) as caught:
                session.run("y:0", {"x:0": [3.0, 1.0, 2.0]})
            assert 'node "ordered"' in str(caught.value)
            assert __file__.rpartition("/")[2] in str(caught.value)
            path = saver.save(session, tmp_path / "again")


def test_a_signature_is_not_saved_that_python_code_answers(tmp_path: Path):
    x = dt.placeholder(dt.float32, [3], name="x")
    ordered = dt.py_func(np.sort, [x], dt.float32, name="ordered")
    ordered.set_shape([3])
    with dt.Session() as session:
        with pytest.raises(errors.UnsupportedOperationError, match="'serving_default' needs Python code, sort"):
            dt.saved_model.simple_save(session, tmp_path / "no", inputs={"x": x}, outputs={"y": ordered * 2.0})
        assert not (tmp_path / "no").exists()
        dt.saved_model.simple_save(session, tmp_path / "yes", inputs={"x": ordered}, outputs={"y": ordered * 2.0})
    assert dt.saved_model.predictor(tmp_path / "yes")({"x": [1.0, 2.0, 3.0]})["y"].tolist() == [2.0, 4.0, 6.0]


# Printing. -----------------------------------------------------------------------------------------------------------


def test_print_passes_on_and_shows(capfd):
    x = dt.placeholder(dt.float32, [None])
    y = dt.Print(x * 2.0, [x, dt.constant([[1, 2], [3, 4]]), dt.constant(True), dt.constant("text")], message="seen: ")
    (gradient,) = dt.gradients(y, x)
    values = run([y, gradient], {x: [0.1, 2.5, 1e10, 1 / 3]})
    np.testing.assert_allclose(values[0], [0.2, 5.0, 2e10, 2 / 3])
    np.testing.assert_allclose(values[1], [2.0] * 4)
    assert capfd.readouterr().err == "seen: [0.1 2.5 1e+10...][[1 2][3...]][1][text]\n"
    run(dt.Print(x, [x], summarize=-1), {x: [1.0, 2.0, 3.0, 1 / 3]})
    assert capfd.readouterr().err == "[1 2 3 0.333333343]\n"


def test_print_shows_the_first_runs_of_a_session(capfd):
    y = dt.Print(dt.constant(1.0), [dt.constant(7)], first_n=2)
    for _ in range(2):
        with dt.Session() as session:
            for _ in range(4):
                session.run(y)
        assert capfd.readouterr().err == "[7]\n[7]\n"


def test_prints_appear_in_the_order_of_the_program_and_in_every_iteration(capfd):
    a = dt.Print(dt.constant(1.0), [dt.constant("a")])
    b = dt.Print(dt.constant(1.0), [dt.constant("b")])
    dt.Print(dt.constant(1.0), [dt.constant("never")])
    run([b, a])
    assert capfd.readouterr().err == "[a]\n[b]\n"
    run(dt.while_loop(lambda i: i < 3, lambda i: dt.Print(i + 1, [i], "at "), [0]))
    assert capfd.readouterr().err == "at [0]\nat [1]\nat [2]\n"


def test_what_print_refuses():
    with pytest.raises(errors.InvalidArgumentError, match="Print: data is a Tensor; give a list of tensors"):
        dt.Print(dt.constant(1.0), dt.constant(2.0))


# Numbers. ------------------------------------------------------------------------------------------------------------


def test_numbers_that_are_not_finite_fail_the_run_and_change_nothing():
    x = dt.placeholder(dt.float32, [None])
    w = dt.Variable(1.0)
    step = w.assign(dt.reduce_sum(dt.check_numerics(dt.log(x), "the logarithm", name="checked")))
    with dt.Session() as session:
        session.run(w.initializer)
        session.run(step, {x: [1.0]})
        text = r'check_numerics: the logarithm: the tensor had 1 NaN and 2 infinite of 4 elements.*node "checked"'
        with pytest.raises(errors.OperationError, match=text):
            session.run(step, {x: [0.0, 1.0, -1.0, 0.0]})
        assert session.run(w) == 0.0


def test_gradients_are_checked_too():
    x = dt.placeholder(dt.float32, [])
    (gradient,) = dt.gradients(dt.sqrt(dt.check_numerics(x, "x")), x)
    assert run(gradient, {x: 4.0}) == 0.25
    with pytest.raises(errors.OperationError, match="check_numerics: the gradient at: x: the tensor had 1 infinite"):
        run(gradient, {x: 0.0})


def test_everything_can_be_checked():
    x = dt.placeholder(dt.float32, [2], name="x")
    y = dt.log(x, name="y")
    checks = dt.add_check_numerics_ops()
    run([y, checks], {x: [1.0, 2.0]})
    with pytest.raises(errors.OperationError, match="check_numerics: y:0: the tensor had 1 infinite of 2 elements"):
        run([y, checks], {x: [1.0, 0.0]})
    with pytest.raises(errors.InvalidArgumentError, match="called in a body of control flow; call it outside"):
        dt.cond(x[0] > 0, lambda: dt.add_check_numerics_ops(), lambda: dt.no_op())


def test_what_checks_refuse():
    with pytest.raises(errors.DTypeError, match="check_numerics: the input is int32; only floating dtypes hold NaN"):
        dt.check_numerics(1, "one")
    with pytest.raises(errors.InvalidArgumentError, match="verify_tensor_all_finite: give the tensor, as t or x"):
        dt.verify_tensor_all_finite()
