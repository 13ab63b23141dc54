"""Attention step by step, with keys and values of the steps before kept, gives what the whole sequence gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import LayerError, OperationError, ShapeError

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype(np.float32)
LAYERS: dict[str, Any] = {
    "plain": lambda: dt.layers.MultiHeadAttention(2, causal=True),
    "rotary": lambda: dt.layers.MultiHeadAttention(4, causal=True, rotary=True, key_heads=2, use_bias=False),
    "block": lambda: dt.layers.TransformerBlock(2, causal=True, normalize_first=True),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("parts", [[1] * 6, [4, 1, 1], [2, 4]], ids=str)
def test_steps_give_what_the_whole_gives(kind: str, parts: list[int]) -> None:
    layer = LAYERS[kind]()
    x = dt.placeholder(dt.float32, [None, None, 8])
    whole = layer(x)
    keys, values = layer.empty_cache(2, 6)
    outputs, at = [], 0
    for size in parts:
        y, keys, values = layer(dt.constant(X[:, at : at + size]), past_keys=keys, past_values=values, position=at)
        outputs.append(y)
        at += size
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        expected, found = session.run([whole, dt.concat(outputs, 1)], {x: X})
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_loop_decodes(kind: str) -> None:
    layer = LAYERS[kind]()
    x = dt.placeholder(dt.float32, [None, 6, 8])
    whole = layer(x)
    array = dt.TensorArray(dt.float32, size=6)

    def step(i: Any, array: Any, keys: Any, values: Any) -> Any:
        y, keys, values = layer(dt.gather(x, [i], axis=1), past_keys=keys, past_values=values, position=i)
        return i + 1, array.write(i, y[:, 0]), keys, values

    start = (0, array, *layer.empty_cache(dt.shape(x)[0], 6))
    _, array, _, _ = dt.while_loop(lambda i, *_: i < 6, step, start)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        expected, found = session.run([whole, array.stack()], {x: X})
    np.testing.assert_allclose(found.swapaxes(0, 1), expected, rtol=1e-5, atol=1e-6)


def test_a_mask_and_no_causality() -> None:
    layer = dt.layers.MultiHeadAttention(2)
    mask = np.array([[False, True, True, True, True, True], [True] * 6])
    whole = layer(dt.constant(X[:, :4]), mask=dt.constant(mask[:, :4]))
    keys, values = layer.empty_cache(2, 6)
    x, places = dt.constant(X[:, :4]), dt.constant(mask)
    y, keys, values = layer(x, mask=places, past_keys=keys, past_values=values, position=0)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found, expected, kept = session.run([y, whole, keys])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert not kept[:, :, 4:].any()


def test_gradients_flow_through_what_is_kept() -> None:
    layer = LAYERS["rotary"]()
    x = dt.placeholder(dt.float64, [2, 3, 8])
    layer(x)
    keys, values = layer.empty_cache(2, 3, dt.float64)
    y, keys, values = layer(x[:, :2], past_keys=keys, past_values=values, position=0)
    z, _, _ = layer(x[:, 2:], past_keys=keys, past_values=values, position=2)
    dt.testing.assert_gradients([y, z], [x, *layer.weights], {x: X[:, :3].astype(np.float64)}, order=1)


def test_a_step_is_exported(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    layer = LAYERS["plain"]()
    x = dt.placeholder(dt.float32, [2, 1, 8], name="x")
    layer(x)
    past = [dt.placeholder(dt.float32, [2, 2, 6, 4], name=name) for name in ("past_keys", "past_values")]
    position = dt.placeholder(dt.int32, [], name="position")
    y, keys, values = layer(x, past_keys=past[0], past_values=past[1], position=position)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        report = dt.io.export_onnx(session, [x, *past, position], [y, keys, values], tmp_path / "step.onnx")
    assert report.verified_by


def test_mistakes_are_named() -> None:
    layer = dt.layers.MultiHeadAttention(2, causal=True)
    with pytest.raises(LayerError, match="the layer has no weights yet; call it, or make_weights, first"):
        layer.empty_cache(2, 6)
    with pytest.raises(LayerError, match="the block has no weights yet"):
        dt.layers.TransformerBlock(2).empty_cache(2, 6)
    x = dt.constant(X[:, :1])
    layer(x)
    keys, values = layer.empty_cache(2, 6)
    with pytest.raises(LayerError, match="past_keys, past_values and position go together; give all three"):
        layer(x, past_keys=keys, past_values=values)
    with pytest.raises(ShapeError, match=r"past_keys is float32\[2, 3, 6, 4\], where \[batch, 2, length, 4\]"):
        layer(x, past_keys=dt.zeros([2, 3, 6, 4]), past_values=values, position=0)
    with pytest.raises(ShapeError, match="position must be a scalar, the place of the first step"):
        layer(x, past_keys=keys, past_values=values, position=[[0]])
    crossed = dt.layers.MultiHeadAttention(2)
    crossed(x, key=x)
    with pytest.raises(LayerError, match="the past is of the query's own sequence; leave key and value out"):
        crossed(x, key=x, past_keys=keys, past_values=values, position=0)
    y, _, _ = layer(x, past_keys=keys, past_values=values, position=6)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        with pytest.raises(OperationError, match="6"):
            session.run(y)
