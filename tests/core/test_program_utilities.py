"""What programs use around a graph: logging, files, starting, compatibility, names that things had before."""

from __future__ import annotations

import importlib
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail import gfile
from dovetail.errors import AlreadyExistsError, DTypeError, InvalidArgumentError, NotFoundError, StorageError

# Logging. -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def verbosity() -> Iterator[None]:
    logger = logging.getLogger("dovetail")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("verbosity")
def test_messages_of_the_level_and_above_are_given(caplog: pytest.LogCaptureFixture) -> None:
    assert dt.logging.get_verbosity() == dt.logging.WARN
    dt.logging.info("not shown")
    dt.logging.set_verbosity(dt.logging.INFO)
    dt.logging.debug("not shown")
    dt.logging.info("step %d of %s", 3, "ten")
    dt.logging.warn("careful")
    dt.logging.warning("careful again")
    dt.logging.error("wrong")
    dt.logging.fatal("over")
    dt.logging.log(dt.logging.INFO, "any %s", "level")
    dt.logging.set_verbosity("debug")
    dt.logging.vlog(dt.logging.DEBUG, "fine")
    dt.logging.log_if(dt.logging.ERROR, "it holds", True)
    dt.logging.log_if(dt.logging.ERROR, "not shown", False)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "step 3 of ten"),
        ("WARNING", "careful"),
        ("WARNING", "careful again"),
        ("ERROR", "wrong"),
        ("CRITICAL", "over"),
        ("INFO", "any level"),
        ("DEBUG", "fine"),
        ("ERROR", "it holds"),
    ]
    assert {record.filename for record in caplog.records} == {"test_program_utilities.py"}


@pytest.mark.usefixtures("verbosity")
def test_messages_of_a_loop_are_thinned_out(caplog: pytest.LogCaptureFixture) -> None:
    for step in range(7):
        dt.logging.log_every_n(dt.logging.ERROR, "every third: %d", 3, step)
        dt.logging.log_first_n(dt.logging.ERROR, "first: %d", 2, step)
    assert [record.getMessage() for record in caplog.records] == [
        "every third: 0",
        "first: 0",
        "first: 1",
        "every third: 3",
        "every third: 6",
    ]


@pytest.mark.usefixtures("verbosity")
def test_a_program_that_sets_up_nothing_sees_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("dovetail")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logger, "handlers", [])
    seen = io.StringIO()
    monkeypatch.setattr("sys.stderr", seen)
    dt.logging.error("once")
    dt.logging.flush()
    assert seen.getvalue() == "ERROR:dovetail:once\n"


# Files. ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_files_are_written_and_read() -> None:
    with dt.gfile.GFile("a.txt", "w") as file:
        file.write("first\nsécond\n")
        file.flush()
        file.write("third")
    with dt.gfile.Open("a.txt", "a") as file:
        file.write("!\n")
    with dt.gfile.FastGFile("a.txt") as file:
        assert (file.name, file.mode) == ("a.txt", "r")
        assert file.readline() == "first\n"
        assert file.readlines() == ["sécond\n", "third!\n"]
        file.seek(0)
        assert file.read(3) == "fir"
        assert file.tell() == 3
        assert file.size() == 21
    assert list(dt.gfile.GFile("a.txt")) == ["first\n", "sécond\n", "third!\n"]
    assert dt.gfile.GFile("a.txt", "rb").read() == "first\nsécond\nthird!\n".encode()


@pytest.mark.usefixtures("folder")
def test_folders() -> None:
    dt.gfile.MakeDirs("one/two")
    dt.gfile.MakeDirs("one/two")
    dt.gfile.MkDir("one/three")
    for name in ("one/b.txt", "one/a.txt", "one/two/c.csv"):
        dt.gfile.GFile(name, "w").write(name)
    assert dt.gfile.Exists("one/b.txt")
    assert not dt.gfile.Exists("one/nothing")
    assert dt.gfile.IsDirectory("one")
    assert not dt.gfile.IsDirectory("one/b.txt")
    assert dt.gfile.ListDirectory("one") == ["a.txt", "b.txt", "three", "two"]
    parts = [os.path.normpath(path) for path in dt.gfile.Glob(["one/*.txt", "one/*/*", "one/a*"])]
    assert parts == [os.path.normpath(path) for path in ("one/a.txt", "one/b.txt", "one/two/c.csv")]
    assert [(Path(at).name, folders, files) for at, folders, files in dt.gfile.Walk("one")] == [
        ("one", ["three", "two"], ["a.txt", "b.txt"]),
        ("three", [], []),
        ("two", [], ["c.csv"]),
    ]
    assert [Path(at).name for at, _, _ in dt.gfile.Walk("one", in_order=False)][-1] == "one"
    dt.gfile.Copy("one/a.txt", "one/copy.txt")
    dt.gfile.Rename("one/copy.txt", "one/moved.txt")
    dt.gfile.Copy("one/b.txt", "one/moved.txt", overwrite=True)
    assert dt.gfile.GFile("one/moved.txt").read() == "one/b.txt"
    found = dt.gfile.Stat("one/moved.txt")
    assert (found.length, found.is_directory) == (9, False)
    assert found.mtime_nsec > 0
    dt.gfile.Remove("one/moved.txt")
    dt.gfile.DeleteRecursively("one/a.txt")
    dt.gfile.DeleteRecursively("one")
    assert not dt.gfile.Exists("one")
    assert list(dt.gfile.Walk("one")) == []


@pytest.mark.usefixtures("folder")
def test_errors_of_files_name_the_path() -> None:
    with pytest.raises(NotFoundError, match='^"nothing.txt": there is no such file or folder.$'):
        dt.gfile.GFile("nothing.txt").read()
    with pytest.raises(InvalidArgumentError, match="^GFile: mode is 'x'; use 'r', 'w' or 'a', with 'b' for bytes.$"):
        gfile.GFile("a.txt", "x")
    dt.gfile.GFile("a.txt", "w").write("")
    dt.gfile.GFile("b.txt", "w").write("")
    for function in (dt.gfile.Copy, dt.gfile.Rename):
        with pytest.raises(AlreadyExistsError, match='^"b.txt" exists already; pass overwrite=True, or remove it.$'):
            function("a.txt", "b.txt")
    with pytest.raises(AlreadyExistsError, match='^"a.txt" exists already'):
        dt.gfile.MkDir("a.txt")
    with pytest.raises(StorageError, match='^"a.txt": '):
        dt.gfile.MakeDirs("a.txt")
    for call in (dt.gfile.Remove, dt.gfile.DeleteRecursively, dt.gfile.Stat, dt.gfile.ListDirectory):
        with pytest.raises(NotFoundError, match='^"nothing": there is no such file or folder.$'):
            call("nothing")
    with pytest.raises(StorageError, match='^"a.txt": '):
        dt.gfile.ListDirectory("a.txt")


# Starting, compatibility. ---------------------------------------------------------------------------------------------


def test_a_program_is_run_with_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    with pytest.raises(SystemExit) as end:
        dt.app.run(main=lambda arguments: seen.append(arguments) or 3, argv=["program", "--steps=5"])  # type: ignore[func-returns-value]
    assert (end.value.code, seen) == (3, [["program", "--steps=5"]])
    monkeypatch.setattr("sys.argv", ["other"])
    monkeypatch.setattr("__main__.main", lambda arguments: seen.append(arguments), raising=False)
    with pytest.raises(SystemExit):
        dt.app.run()
    assert seen[1] == ["other"]


def test_version_1_is_the_package_itself() -> None:
    assert dt.compat.v1 is dt
    assert importlib.import_module("dovetail.compat.v1") is dt
    import dovetail.compat.v1 as tf

    assert tf is dt
    tf.disable_v2_behavior()
    tf.disable_eager_execution()
    tf.disable_resource_variables()
    tf.enable_resource_variables()
    tf.disable_control_flow_v2()
    tf.disable_tensor_equality()
    tf.disable_v2_tensorshape()
    assert tf.executing_eagerly() is False


def test_text_and_bytes() -> None:
    assert dt.compat.as_bytes("né") == b"n\xc3\xa9"
    assert dt.compat.as_bytes(bytearray(b"a")) == b"a"
    assert dt.compat.as_text(b"n\xc3\xa9") == dt.compat.as_str("né") == "né"
    assert dt.compat.as_str_any(b"a") == "a"
    assert dt.compat.as_str_any(3) == "3"
    assert dt.compat.path_to_str(Path("a")) == "a"
    assert isinstance(np.int32(3), dt.compat.integral_types)
    assert isinstance(3.5, dt.compat.real_types)
    assert isinstance(1j, dt.compat.complex_types)
    assert isinstance(b"", dt.compat.bytes_or_text_types)
    for convert in (dt.compat.as_bytes, dt.compat.as_text):
        with pytest.raises(DTypeError, match=f"^{convert.__name__}: 3 is neither bytes nor a string.$"):
            convert(3)  # type: ignore[arg-type]


# Names that things had before. ----------------------------------------------------------------------------------------


def test_former_names() -> None:
    v = dt.Variable([3.0, 1.0, 2.0], name="v")
    local = dt.get_local_variable("local", [], initializer=dt.ones_initializer())
    assert dt.all_variables() == [v]
    with dt.Session() as session:
        session.run([dt.initialize_all_variables(), dt.initialize_local_variables()])
        assert session.run([dt.arg_max(v, 0), dt.arg_min(v, dimension=0, output_type=dt.int32), local]) == [0, 1, 1.0]
    with dt.Session() as session:
        session.run(dt.initialize_variables([v]))
        assert session.run(v)[0] == 3.0


def test_float_by_name_is_single_precision() -> None:
    assert dt.as_dtype("float") is dt.placeholder("float").dtype is dt.float32
    assert (dt.as_dtype("double"), dt.as_dtype("half")) == (dt.float64, dt.float16)


def test_a_scope_entered_again_has_a_name_scope_of_its_own() -> None:
    with dt.variable_scope("net") as net:
        first = dt.get_variable("w", [1])
        assert dt.constant(1.0, name="c").name == "net/c:0"
    with dt.variable_scope(net, reuse=True) as again:
        assert dt.get_variable("w", [1]) is first
        assert dt.constant(1.0, name="c").name == "net_1/c:0"
        assert again.original_name_scope == "net/"
        with dt.name_scope(net.original_name_scope):
            assert dt.constant(1.0, name="c").name == "net/c_1:0"


def test_the_best_have_values_and_indices() -> None:
    best = dt.top_k([3.0, 1.0, 4.0], 2)
    with dt.Session() as session:
        np.testing.assert_array_equal(session.run(best.values), [4.0, 3.0])
        np.testing.assert_array_equal(session.run(best.indices), [2, 0])
    assert dt.nn.top_k is dt.top_k


# Small things of graphs. ----------------------------------------------------------------------------------------------


def test_functions_of_the_default_graph() -> None:
    dt.add_to_collections(["one", "two"], 3)
    assert dt.get_collection("one") == dt.get_collection("two") == [3]
    with dt.device("/cpu:0"):
        x = dt.constant(1.0, name="x")
    with dt.colocate_with(x):
        y = dt.identity(x)
    assert y.op.device == x.op.device
    assert dt.identity(x).op.device == ""
    v = dt.Variable(1.0, name="v")
    assert [dt.is_tensor(one) for one in (x, v, 1.0, "x:0")] == [True, True, False, False]
    with dt.op_scope([x], None, "default"):
        assert dt.constant(1.0, name="c").name == "default/c:0"
    dt.add_to_collection(dt.GraphKeys.MOVING_AVERAGE_VARIABLES, v)
    assert dt.moving_average_variables() == [v]
    with dt.Session() as session:
        assert session.run([dt.tables_initializer(), dt.initialize_all_tables()]) == [None, None]
    assert dt.newaxis is None
    assert (dt.double, dt.half, dt.VERSION) == (dt.float64, dt.float16, dt.__version__)
    assert dt.AggregationMethod.DEFAULT == dt.AggregationMethod.ADD_N
    assert issubclass(dt.OpError, Exception)
    assert dt.errors.FailedPreconditionError is dt.errors.UninitializedVariableError


def test_a_scope_may_spare_a_variable_its_regularizer() -> None:
    with dt.variable_scope("net", regularizer=lambda weights: dt.reduce_sum(weights)):
        dt.get_variable("w", [2])
        dt.get_variable("b", [2], regularizer=dt.no_regularizer)
    assert len(dt.get_collection(dt.GraphKeys.REGULARIZATION_LOSSES)) == 1


def test_a_template_shares_its_variables() -> None:
    def affine(x: float, size: int) -> dt.Tensor:
        w = dt.get_variable("w", [size], initializer=dt.ones_initializer())
        return w * x

    first, second = dt.make_template("affine", affine, size=2), dt.make_template("affine", affine, True, size=3)
    assert second.variable_scope is not None
    assert first.variable_scope is None
    assert first.variables == []
    assert (first.name, first.func) == ("affine", affine)
    results = [first(1.0), first(2.0), second(3.0), second(4.0)]
    assert [one.name for one in dt.global_variables()] == ["affine_1/w:0", "affine/w:0"]
    assert first.variables == first.global_variables == first.trainable_variables == [dt.global_variables()[0]]
    with dt.variable_scope("elsewhere"):
        results.append(first(5.0))
    assert len(dt.global_variables()) == 2
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for value, expected in zip(session.run(results), (1.0, 2.0, 3.0, 4.0, 5.0), strict=True):
            assert set(value) == {expected}
    fixed = dt.make_template("affine", affine, unique_name_="fixed", size=1)
    fixed(1.0)
    assert fixed.variables[0].name == "fixed/w:0"
    with pytest.raises(InvalidArgumentError, match="^make_template: custom_getter_ is not supported"):
        dt.make_template("affine", affine, custom_getter_=lambda: None)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (2, 3, 4)])
def test_orthogonal_matrices(shape: tuple[int, ...]) -> None:
    with dt.Session() as session:
        w = session.run(dt.orthogonal_initializer(gain=2.0, seed=1)(shape, dt.float64))
    assert w.shape == shape
    matrix = w.reshape(-1, shape[-1])
    matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(matrix @ matrix.T, 4.0 * np.eye(len(matrix)), atol=1e-12)


def test_uniform_unit_scaling() -> None:
    with dt.Session() as session:
        w = session.run(dt.uniform_unit_scaling_initializer(factor=1.5, seed=1)([3, 4, 500]))
    bound = 1.5 * np.sqrt(3.0 / 12.0)
    assert bound * 0.99 < np.abs(w).max() <= bound
    assert dt.initializers.orthogonal is dt.orthogonal_initializer


def test_initializers_of_variables_are_initializers_too() -> None:
    v, local = dt.Variable(1.0), dt.get_local_variable("local", [], initializer=dt.initializers.ones())
    with dt.Session() as session:
        session.run([dt.initializers.global_variables(), dt.initializers.local_variables()])
        session.run([dt.initializers.tables_initializer(), dt.initializers.variables([v])])
        assert session.run([v, local]) == [1.0, 1.0]
