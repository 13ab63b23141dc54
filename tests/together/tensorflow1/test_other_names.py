"""Names that stand for the same thing, and small ones that no other test uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt


def run(fetches: Any) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches)


def test_one_function_has_several_names() -> None:
    same = [
        (dt.math.softmax, dt.nn.softmax),
        (dt.math.log_softmax, dt.nn.log_softmax),
        (dt.math.softplus, dt.nn.softplus),
        (dt.math.softsign, dt.nn.softsign),
        (dt.math.log_sigmoid, dt.nn.log_sigmoid),
        (dt.math.l2_normalize, dt.linalg.l2_normalize),
        (dt.math.zero_fraction, dt.nn.zero_fraction),
        (dt.math.in_top_k, dt.nn.in_top_k),
        (dt.math.top_k, dt.top_k),
        (dt.math.invert_permutation, dt.invert_permutation),
        (dt.math.is_non_decreasing, dt.is_non_decreasing),
        (dt.math.is_strictly_increasing, dt.is_strictly_increasing),
        (dt.math.divide_no_nan, dt.div_no_nan),
        (dt.linalg.global_norm, dt.global_norm),
        (dt.linalg.band_part, dt.matrix_band_part),
        (dt.linalg.diag, dt.matrix_diag),
        (dt.linalg.tensor_diag, dt.diag),
        (dt.linalg.tensor_diag_part, dt.diag_part),
        (dt.linalg.eigvalsh, dt.self_adjoint_eigvals),
        (dt.nn.space_to_batch, dt.space_to_batch),
        (dt.strings.to_number, dt.string_to_number),
        (dt.random.shuffle, dt.random_shuffle),
        (dt.random.uniform_candidate_sampler, dt.nn.uniform_candidate_sampler),
        (dt.random.log_uniform_candidate_sampler, dt.nn.log_uniform_candidate_sampler),
        (dt.initializers.glorot_normal, dt.glorot_normal_initializer),
        (dt.initializers.identity, dt.identity_initializer),
        (dt.initializers.truncated_normal, dt.truncated_normal_initializer),
        (dt.initializers.uniform_unit_scaling, dt.uniform_unit_scaling_initializer),
        (dt.initializers.variance_scaling, dt.variance_scaling_initializer),
        (dt.train.NewCheckpointReader, dt.train.load_checkpoint),
    ]
    assert [(one.__name__, other.__name__) for one, other in same if one is not other] == []


def test_small_names_of_graphs() -> None:
    assert dt.ConfigProto(gpu_options=dt.GPUOptions(allow_growth=True)).gpu_options.allow_growth
    with dt.variable_scope("scope") as scope:
        assert isinstance(scope, dt.VariableScope)
        assert dt.get_variable_scope() is scope
    assert dt.get_default_session() is None
    with dt.Session() as session:
        assert dt.get_default_session() is session
    v = dt.Variable(1.0, collections=[dt.GraphKeys.MODEL_VARIABLES])
    assert dt.model_variables() == [v]
    assert run(dt.guarantee_const([1.0])) == 1.0
    sparse = dt.SparseTensor([[0, 1]], [2.0], [1, 2])
    assert dt.convert_to_tensor_or_sparse_tensor(sparse) is sparse
    assert run(dt.convert_to_tensor_or_sparse_tensor(3.0)) == 3.0
    assert dt.logging.FATAL > dt.logging.ERROR
    context = dt.train.SessionRunContext(dt.train.SessionRunArgs(None), session)
    context.request_stop()
    assert context.stop_requested
    assert dt.train.SessionRunValues(3).results == 3
    state = dt.nn.rnn_cell.LSTMStateTuple(dt.zeros([1, 2]), dt.ones([1, 2]))
    assert (state.c, state.h) == tuple(state)


def test_methods_of_graphs() -> None:
    graph = dt.get_default_graph()
    graph.add_to_collection("mine", 3)
    graph.clear_collection("mine")
    assert graph.get_collection("mine") == []
    x = dt.constant(1.0, name="x")
    assert graph.is_fetchable(x)
    assert not graph.is_fetchable(3)
    assert graph.unique_name("x") == "x_1"


def test_scattering_by_other_names() -> None:
    table = dt.Variable([3.0, 5.0, 7.0])
    with dt.Session() as session:
        session.run(table.initializer)
        for update, expected in (
            (dt.scatter_max(table, [0, 1], [4.0, 4.0]), [4.0, 5.0, 7.0]),
            (dt.scatter_min(table, [2], [6.0]), [4.0, 5.0, 6.0]),
            (dt.scatter_nd_add(table, [[0], [2]], [1.0, 1.0]), [5.0, 5.0, 7.0]),
            (dt.scatter_nd_sub(table, [[1]], [5.0]), [5.0, 0.0, 7.0]),
        ):
            session.run(update)
            np.testing.assert_array_equal(session.run(table), expected)
    x = dt.constant([1.0, 2.0, 3.0])
    for tensor, expected in (
        (dt.tensor_scatter_add(x, [[0]], [10.0]), [11.0, 2.0, 3.0]),
        (dt.tensor_scatter_sub(x, [[1]], [10.0]), [1.0, -8.0, 3.0]),
        (dt.tensor_scatter_update(x, [[2]], [10.0]), [1.0, 2.0, 10.0]),
    ):
        np.testing.assert_array_equal(run(tensor), expected)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (lambda: dt.layers.AveragePooling1D(2, 2), [1, 4, 2], [1, 2, 2]),
        (lambda: dt.layers.MaxPooling1D(2, 2), [1, 4, 2], [1, 2, 2]),
        (lambda: dt.layers.AveragePooling3D(2, 2), [1, 4, 4, 4, 2], [1, 2, 2, 2, 2]),
        (lambda: dt.layers.Conv3D(3, 2), [1, 4, 4, 4, 2], [1, 3, 3, 3, 3]),
        (lambda: dt.layers.Conv3DTranspose(3, 2), [1, 4, 4, 4, 2], [1, 5, 5, 5, 3]),
        (lambda: dt.layers.SeparableConv1D(3, 2), [1, 4, 2], [1, 3, 3]),
    ],
)
def test_layers_by_their_classes(layer: Any, shape: list[int], expected: list[int]) -> None:
    assert run(layer()(dt.ones(shape))).shape == tuple(expected)


def test_images_by_other_names() -> None:
    image = dt.reshape(dt.range(6.0), [2, 3, 1])
    assert run(dt.image.resize(image, [4, 6])).shape == (4, 6, 1)
    np.testing.assert_array_equal(run(dt.image.transpose_image(image))[..., 0], [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]])
    first, second = (run(dt.random.stateless_normal([3], seed=[1, 2])) for _ in range(2))
    np.testing.assert_array_equal(first, second)
