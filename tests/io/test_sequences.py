"""Networks of sequences survive files, and are exported at several opsets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

cells = dt.nn.rnn_cell


def networks(x: dt.Tensor, lengths: dt.Tensor) -> dict[str, dt.Tensor]:
    """One network of each kind."""
    stacked = [cells.LSTMCell(4, use_peepholes=True, num_proj=3), cells.GRUCell(3), cells.BasicLSTMCell(3)]
    labels = dt.tile([[1, 2, -1]], [dt.shape(x)[0], 1])
    table = [dt.get_variable("first", [3, 2]), dt.get_variable("second", [3, 2])]
    return {
        "cells": dt.nn.dynamic_rnn(cells.MultiRNNCell(stacked), x, lengths)[0],
        "both_ways": dt.layers.bidirectional(x, dt.layers.LSTM(4, projection=2), sequence_length=lengths),
        "masked": dt.layers.gru(x, 4, reset_after=False, mask=dt.sequence_mask(lengths, 6)),
        "transformer": dt.layers.transformer_block(x, 2, key_heads=1, rotary=True),
        "places": x + dt.layers.position_embedding(x, 10),
        "labels": dt.nn.ctc_loss(labels, dt.layers.dense(x, 4), lengths, time_major=False),
        "rows": dt.nn.embedding_lookup(table, lengths - 1, max_norm=1.0),
    }


def placeholders() -> tuple[dt.Tensor, dt.Tensor]:
    return dt.placeholder(dt.float32, [None, 6, 4], name="x"), dt.placeholder(dt.int32, [None], name="lengths")


def arrays(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(3, 6, 4)).astype(np.float32), np.array([5, 6, 2], np.int32)


def test_networks_survive_files(rng: np.random.Generator, tmp_path: Path) -> None:
    inputs = placeholders()
    outputs: dict[str, Any] = networks(*inputs)
    found = dt.nn.ctc_beam_search_decoder(dt.transpose(inputs[0], [1, 0, 2]), inputs[1], 5)
    outputs["searched"] = dt.sparse_tensor_to_dense(found.decoded[0])
    given = arrays(rng)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        expected = session.run(outputs, dict(zip(inputs, given, strict=True)))
        dt.train.Saver().save(session, str(tmp_path / "model"))
    with dt.Graph().as_default(), dt.Session() as session:
        dt.train.import_meta_graph(str(tmp_path / "model.meta")).restore(session, str(tmp_path / "model"))
        names = {key: tensor.name for key, tensor in outputs.items()}
        again = session.run(names, dict(zip(("x:0", "lengths:0"), given, strict=True)))
    for key, array in expected.items():
        np.testing.assert_array_equal(again[key], array, err_msg=key)


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_networks_are_exported(opset: int, rng: np.random.Generator, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    inputs = placeholders()
    outputs = networks(*inputs)
    samples = dict(zip(inputs, arrays(rng), strict=True))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        path = tmp_path / "model.onnx"
        report = dt.io.export_onnx(session, inputs, outputs, path, opset=opset, sample_inputs=samples)
    assert report.verified_by
    assert report.largest_difference < 1e-5
