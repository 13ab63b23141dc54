"""Attention, transformers and encodings of places, beside PyTorch (tools/record_torch_attention.py) and by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, OperationError, ShapeError

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "torch_attention.json").read_text())
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


def digest(array: np.ndarray) -> list[float]:
    """What the file holds of an array."""
    places = np.arange(array.size)
    return [float((array.ravel() * np.cos(factor * places)).sum()) for factor in (0.7, 1.9)]


def cotangent(shape: Any) -> np.ndarray:
    return np.cos(0.3 * np.arange(np.prod(shape))).reshape(shape)


def mask_of(config: dict[str, Any], rng: np.random.Generator) -> np.ndarray | None:
    full = config["batch"], config["heads"], config["queries"], config["keys"]
    axes = {2: (0, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}.get(config["mask"])
    if axes is None:
        return None
    mask = rng.random([full[axis] for axis in axes]) < 0.6
    mask[..., 0] = True
    return mask


def check_attention(number: int) -> None:
    recorded = RECORDED["attention"][number]
    config = recorded["config"]
    rng = np.random.default_rng(number)
    names = ("heads", "key_heads", "key_size", "output_size", "causal", "use_bias", "rotary")
    layer = dt.layers.MultiHeadAttention(**{name: config[name] for name in names})
    arrays = {"query": rng.normal(size=(config["batch"], config["queries"], config["depth"]))}
    if config["key_depth"] is not None:
        arrays["key"] = rng.normal(size=(config["batch"], config["keys"], config["key_depth"]))
    inputs = {name: dt.placeholder(dt.float64, [None, None, array.shape[2]]) for name, array in arrays.items()}
    mask = None if config["mask"] == 0 else dt.placeholder(dt.bool, [None] * config["mask"])
    y = layer(inputs["query"], key=inputs.get("key"), mask=mask)
    shape = [*arrays["query"].shape[:2], y.shape[2]]
    gradients = dt.gradients(y, [*inputs.values(), *layer.weights], cotangent(shape))
    with dt.Session() as session:
        for weight in layer.weights:
            weight.load(rng.normal(size=weight.shape.as_list()), session)
        feeds: dict[Any, Any] = {inputs[name]: array for name, array in arrays.items()}
        if mask is not None:
            feeds[mask] = mask_of(config, rng)
        value, slopes = session.run([y, gradients], feeds)
    np.testing.assert_allclose(digest(value), recorded["output"], **CLOSE, err_msg=str(config))
    for slope, (name, expected) in zip(slopes, recorded["gradients"].items(), strict=True):
        np.testing.assert_allclose(digest(slope), expected, **CLOSE, err_msg=f"gradient of {name}: {config}")


@pytest.mark.parametrize("number", range(24))
def test_configurations_of_attention(number: int) -> None:
    check_attention(number)


@pytest.mark.long
def test_every_configuration_of_attention() -> None:
    for number in range(len(RECORDED["attention"])):
        dt.reset_default_graph()
        check_attention(number)


@pytest.mark.parametrize("number", range(len(RECORDED["blocks"])))
def test_blocks_of_encoders_and_decoders(number: int) -> None:
    recorded = RECORDED["blocks"][number]
    config = recorded["config"]
    rng = np.random.default_rng(number)
    x, memory = (rng.normal(size=(config["batch"], config[name], config["depth"])) for name in ("steps", "keys"))
    masks: list[Any] = [rng.random((config["batch"], config[name])) < 0.6 for name in ("steps", "keys")]
    for mask in masks:
        mask[:, 0] = True
    if not config["masked"]:
        masks = [None, None]
    names = ("heads", "feedforward_size", "causal", "activation", "normalize_first")
    layer = dt.layers.TransformerBlock(**{name: config[name] for name in names}, name="block")
    inputs = [dt.placeholder(dt.float64, [None, None, config["depth"]]) for _ in range(1 + config["decoder"])]
    more = {"memory": inputs[1], "memory_mask": masks[1]} if config["decoder"] else {}
    y = layer(inputs[0], mask=masks[0], **more)
    gradients = dt.gradients(y, inputs, cotangent(x.shape))
    order = [f"attention/{one}" for one in ("kernel", "bias", "output_kernel", "output_bias")]
    norms = ["attention_norm/gamma", "attention_norm/beta"]
    if config["decoder"]:
        parts = [f"{part}_{kind}" for part in ("query", "key", "value", "output") for kind in ("kernel", "bias")]
        norms += [f"memory_attention/{one}" for one in parts] + ["memory_norm/gamma", "memory_norm/beta"]
    order += [*norms, *(f"{part}/{kind}" for part in ("hidden", "output") for kind in ("kernel", "bias"))]
    order += ["output_norm/gamma", "output_norm/beta"]
    weights = {weight.op.name: weight for weight in layer.weights}
    assert sorted(weights) == sorted(f"block/{name}" for name in order)
    with dt.Session() as session:
        for name in order:
            weight = weights[f"block/{name}"]
            weight.load(rng.normal(size=weight.shape.as_list()), session)
        value, slopes = session.run([y, gradients], dict(zip(inputs, (x, memory), strict=False)))
    np.testing.assert_allclose(digest(value), recorded["output"], rtol=1e-7, atol=1e-8, err_msg=str(config))
    for slope, expected in zip(slopes, recorded["gradients"], strict=True):
        np.testing.assert_allclose(digest(slope), expected, rtol=1e-7, atol=1e-8, err_msg=str(config))


# Grouped queries and blocks. -----------------------------------------------------------------------------------------


def test_weights_of_grouped_queries() -> None:
    layer = dt.layers.MultiHeadAttention(4, key_heads=2, name="own")
    layer(dt.ones([2, 3, 8]))
    assert [(one.op.name, one.shape.as_list()) for one in layer.weights] == [
        ("own/kernel", [8, 16]),
        ("own/bias", [16]),
        ("own/output_kernel", [8, 8]),
        ("own/output_bias", [8]),
    ]
    # Each kernel has the spread that it would have on its own.
    wide = dt.layers.MultiHeadAttention(8, key_heads=1)
    wide(dt.ones([1, 2, 64]))
    values = np.abs(run(wide.weights[0]))
    for part, columns in ((values[:, :64], 64), (values[:, 64:72], 8), (values[:, 72:], 8)):
        limit = np.sqrt(6.0 / (64 + columns))
        assert limit * 0.97 < part.max() <= limit


def test_dropout_of_blocks(rng: np.random.Generator) -> None:
    x, training = dt.constant(rng.normal(size=(2, 6, 8))), dt.placeholder_with_default(False, [])
    layer = dt.layers.TransformerBlock(2, dropout=0.5, attention_dropout=0.3, key_heads=1, rotary=True, causal=True)
    y, plain = layer(x, training=training), layer(x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        np.testing.assert_allclose(*session.run([y, plain]), rtol=1e-10)
        assert not np.allclose(*session.run([y, plain], {training: True}))
    again = dt.layers.TransformerBlock.from_config({**layer.get_config(), "name": "again"})
    again(x)
    assert [one.op.name.partition("/")[2] for one in again.weights] == [
        one.op.name.partition("/")[2] for one in layer.weights
    ]


def test_a_transformer_learns_to_reverse(rng: np.random.Generator) -> None:
    """An encoder and a decoder write a sequence backwards."""
    words, before = (dt.placeholder(dt.int32, [None, 4]) for _ in range(2))
    table, places = dt.layers.Embedding(6, 16, embeddings_initializer="glorot_uniform"), []

    def embedded(ids: dt.Tensor, name: str) -> dt.Tensor:
        x = table(ids)
        places.append(dt.layers.PositionEmbedding(4, name=name))
        return x + places[-1](x)

    memory = dt.layers.transformer_block(embedded(words, "read"), 2, 32, normalize_first=True)
    x = dt.layers.transformer_block(
        embedded(before, "written"), 2, 32, causal=True, memory=memory, normalize_first=True
    )
    scores = dt.layers.dense(dt.layers.layer_normalization(x), 5)
    wanted = dt.reverse(words, [1])
    loss = dt.losses.sequence_loss(scores, wanted, dt.ones(dt.shape(words)))
    step = dt.train.AdamOptimizer(0.01).minimize(loss)

    def batch() -> dict[Any, np.ndarray]:
        array = rng.integers(0, 5, (48, 4))
        return {words: array, before: np.concatenate([np.full((48, 1), 5), array[:, :0:-1]], 1)}

    dt.set_random_seed(1)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(100):
            session.run(step, batch())
        assert session.run(loss, batch()) < 0.4


# Places. -------------------------------------------------------------------------------------------------------------


def test_sines_of_places() -> None:
    found = run(dt.nn.sinusoidal_encoding(dt.constant([[0.0, 1.0, 7.0]], dt.float64), 6, base=100.0))
    place = np.array([0.0, 1.0, 7.0])
    for pair in range(3):
        angle = place / 100.0 ** (2 * pair / 6)
        np.testing.assert_allclose(found[0, :, 2 * pair], np.sin(angle), rtol=1e-12)
        np.testing.assert_allclose(found[0, :, 2 * pair + 1], np.cos(angle), rtol=1e-12)
    steps = dt.placeholder(dt.float32, [None, None, 4])
    assert run(dt.nn.sinusoidal_encoding(dt.range(dt.shape(steps)[1]), 4), {steps: np.ones((2, 3, 4))}).shape == (3, 4)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotations_of_places(interleaved: bool, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 5, 8))
    found = run(dt.nn.rotary_embedding(x, interleaved=interleaved))
    numbers = x[..., ::2] + 1j * x[..., 1::2] if interleaved else x[..., :4] + 1j * x[..., 4:]
    turned = numbers * np.exp(1j * np.arange(5)[:, None] * 10000.0 ** (-np.arange(4) / 4))
    if interleaved:
        expected = np.stack([turned.real, turned.imag], -1).reshape(x.shape)
    else:
        expected = np.concatenate([turned.real, turned.imag], -1)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_products_of_rotated_vectors_depend_on_distances(rng: np.random.Generator) -> None:
    query, key = rng.normal(size=(1, 4)), rng.normal(size=(1, 4))
    products = [
        dt.reduce_sum(dt.nn.rotary_embedding(query, [at]) * dt.nn.rotary_embedding(key, [at + 3])) for at in (0, 5, 11)
    ]
    np.testing.assert_allclose(run(products), run(products)[:1] * 3, rtol=1e-6)


def test_places_of_each_sequence_of_a_batch(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 2, 4))
    both = run(dt.nn.rotary_embedding(x, [[0.0, 1.0], [4.0, 9.0]]))
    for row, places in enumerate(([0.0, 1.0], [4.0, 9.0])):
        np.testing.assert_allclose(both[row], run(dt.nn.rotary_embedding(x[row], places)), rtol=1e-12)
    half = dt.nn.rotary_embedding(dt.ones([3, 4], dt.float16))
    assert half.dtype is dt.float16


def test_learned_places() -> None:
    x = dt.placeholder(dt.float32, [None, None, 3])
    layer = dt.layers.PositionEmbedding(5)
    y = layer(x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        found, table = session.run([y, layer.embeddings], {x: np.zeros((2, 4, 3))})
        np.testing.assert_array_equal(found, table[:4])
        with pytest.raises(OperationError, match="index 5 at .5. is out of range for axis 0 of size 5"):
            session.run(y, {x: np.zeros((2, 6, 3))})


def test_what_is_refused() -> None:
    x = dt.ones([2, 3, 4])
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: dt.layers.MultiHeadAttention(4, key_heads=3), InvalidArgumentError, "4 heads do not divide"),
        (lambda: dt.layers.MultiHeadAttention(4, key_heads=0), InvalidArgumentError, "key_heads is 0; it must"),
        (lambda: dt.layers.TransformerBlock(0), InvalidArgumentError, "multi_head_attention: heads is 0"),
        (lambda: dt.layers.TransformerBlock(2, 0), InvalidArgumentError, "feedforward_size is 0; it must be positive"),
        (lambda: dt.layers.TransformerBlock(2, dropout=1.0), InvalidArgumentError, "transformer_block: dropout is 1"),
        (
            lambda: dt.layers.transformer_block(dt.placeholder(dt.float32, [2, 3, None]), 2),
            ShapeError,
            "transformer_block: the input is .*, whose depth is not known",
        ),
        (lambda: dt.layers.position_embedding(x, 2), ShapeError, "of 3 steps, and there are vectors for 2"),
        (lambda: dt.layers.PositionEmbedding(0), InvalidArgumentError, "sequence_length is 0; it must be positive"),
        (lambda: dt.nn.sinusoidal_encoding([0], 3), InvalidArgumentError, "the size is 3; it must be even"),
        (lambda: dt.nn.rotary_embedding(x, base=0.0), InvalidArgumentError, "rotary_embedding: base is 0; it must be"),
        (lambda: dt.nn.rotary_embedding(dt.ones([3, 5])), InvalidArgumentError, "the size is 5; it must be even"),
        (lambda: dt.nn.rotary_embedding(dt.ones([4])), ShapeError, r"x is float32\[4\]; its last axes should be steps"),
        (lambda: dt.nn.rotary_embedding(dt.ones([3, 4], dt.int32)), DTypeError, r"x is int32\[3, 4\], where"),
    ]  # fmt: skip
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
    block = dt.layers.TransformerBlock(2)
    block(x)
    with pytest.raises(LayerError, match="the block was first called without a memory; make another"):
        block(x, memory=x)
