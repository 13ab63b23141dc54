"""Weights of other frameworks: names, layouts, what is missing or unexpected, and nothing changed unless all fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, FormatError, InvalidArgumentError, NotFoundError, ShapeError

DATA = Path(__file__).parents[1] / "data"
TORCH = DATA / "torch_weights.safetensors"
SCOPES = {
    "features.0": "first",
    "features.1": "scale",
    "features.3": "apart",
    "features.4": "up",
    "words": "table",
    "norm": "norm",
    "head": "out",
}


def network() -> dt.Tensor:
    """The network of tools/record_torch_weights.py."""
    images = dt.placeholder(dt.float32, [None, 6, 6, 3], name="images")
    symbols = dt.placeholder(dt.int32, [None], name="symbols")
    x = dt.layers.conv2d(images, 4, 3, padding="same", name="first")
    x = dt.nn.relu(dt.layers.batch_normalization(x, epsilon=1e-5, name="scale"))
    x = dt.layers.depthwise_conv2d(x, 3, depth_multiplier=2, name="apart")
    x = dt.layers.conv2d_transpose(x, 5, 2, strides=2, name="up")
    words = dt.layers.layer_normalization(dt.layers.embedding(symbols, 7, 6, name="table"), epsilon=1e-5, name="norm")
    return dt.layers.dense(dt.concat([dt.layers.flatten(x), words], 1), 3, name="out")


def rows_of_images_last(weight: np.ndarray) -> np.ndarray:
    """PyTorch flattens channels first; here they are last."""
    image, rest = weight[:, : 5 * 8 * 8], weight[:, 5 * 8 * 8 :]
    return np.concatenate([image.reshape(-1, 5, 8, 8).transpose(0, 2, 3, 1).reshape(len(weight), -1), rest], 1).T


@pytest.mark.parametrize("by", ["dict", "pairs", "function"])
def test_a_network_of_pytorch_computes_the_same_here(by: str) -> None:
    pairs = [(f"^{name.replace('.', '[.]')}[.]", f"{scope}.") for name, scope in SCOPES.items()]

    def rename(name: str) -> str:
        module, _, last = name.rpartition(".")
        return f"{SCOPES[module]}/{last}"

    name_map: Any = {"dict": SCOPES, "pairs": pairs, "function": rename}[by]
    outputs = network()
    with dt.Session() as session, np.load(DATA / "torch_weights.npz") as recorded:
        done = dt.io.load_weights(
            session, TORCH, name_map, layout="torch", transform={"out/kernel": rows_of_images_last}
        )
        found = session.run(outputs, {"images:0": recorded["images"], "symbols:0": recorded["symbols"]})
        np.testing.assert_allclose(found, recorded["outputs"], rtol=1e-5, atol=1e-5)
    assert done.assigned["scale/moving_variance"] == "features.1.running_var"
    assert done.assigned["apart/depthwise_kernel"] == "features.3.weight"
    assert len(done.assigned) == 15
    assert not done.missing
    assert not done.unexpected


class Dense:
    """A dense layer and an optimizer's slots beside it, which no file is asked for."""

    def __init__(self) -> None:
        x = dt.placeholder(dt.float32, [None, 3], name="x")
        self.y = dt.layers.dense(x, 2, name="head")
        dt.train.AdamOptimizer().minimize(dt.reduce_mean(self.y), global_step=dt.train.get_or_create_global_step())
        self.session = dt.Session()
        self.session.run(dt.global_variables_initializer())

    def values(self) -> list[Any]:
        return [value.tolist() for value in self.session.run(dt.global_variables())]


@pytest.fixture
def dense() -> Dense:
    return Dense()


KERNEL, BIAS = np.arange(6, dtype=np.float32).reshape(3, 2), np.ones(2, np.float32)


@pytest.mark.parametrize(
    ("weights", "name_map"),
    [
        ({"head/kernel": KERNEL, "head/bias": BIAS}, None),
        ({"head.kernel": KERNEL, "head.bias": BIAS}, None),
        ({"kernel": KERNEL, "bias": BIAS}, {"": "head"}),
        ({"model.fc.kernel": KERNEL, "model.fc.bias": BIAS}, {"model": "wrong", "model.fc": "head"}),
        ({"a": KERNEL, "b": BIAS, "c": BIAS}, {"a": "head/kernel", "b": "head.bias", "c": None}),
        ({"net.head.kernel": KERNEL, "net.head.bias": BIAS, "aux.k": BIAS}, {"net": "", "aux": None}),
        ({"l.3.kernel": KERNEL, "l.3.bias": BIAS}, [(r"^l\.(\d)", r"head_\1"), ("_3", "")]),
    ],
)
def test_names_are_mapped(dense: Dense, weights: Mapping[str, np.ndarray], name_map: Any) -> None:
    done = dt.io.load_weights(dense.session, weights, name_map)
    assert list(done.assigned) == ["head/kernel", "head/bias"]
    assert dense.session.run("head/kernel:0").tolist() == KERNEL.tolist()
    assert dense.session.run("head/bias:0").tolist() == [1.0, 1.0]
    dense.session.run(dt.trainable_variables()[0].assign_add(np.ones((3, 2), np.float32)))
    assert KERNEL[0, 0] == 0.0, "the arrays given are the caller's"


def test_one_tensor_serves_several_variables() -> None:
    first, second = (dt.Variable(dt.zeros([2]), name=name) for name in ("first", "second"))
    with dt.Session() as session:
        dt.io.load_weights(session, {"shared": BIAS}, {"shared": ["first", "second"]})
        session.run(first.assign_add([1.0, 1.0]))
        assert [value.tolist() for value in session.run([first, second])] == [[2.0, 2.0], [1.0, 1.0]]


def test_what_is_missing_and_unexpected_is_listed_with_the_nearest_names(dense: Dense, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file({"head/kernels": KERNEL, "head/bias": BIAS, "other": BIAS}, path)
    before = dense.values()
    with pytest.raises(NotFoundError) as caught:
        dt.io.load_weights(dense.session, path)
    assert str(caught.value) == (
        f'load_weights: "{path}" does not fit the variables: 1 of 2 variables are missing in it, and 2 of its 3 '
        "tensors have no variable. Name them in name_map, or pass strict=False to load the rest.\n"
        "  head/kernel: float32[3, 2], missing. Did you mean 'head/kernels'?\n"
        "  head/kernels: float32[3, 2], unexpected. Did you mean 'head/kernel'?\n"
        "  other: float32[2], unexpected."
    )
    assert dense.values() == before
    done = dt.io.load_weights(dense.session, path, strict=False)
    assert done == ({"head/bias": "head/bias"}, ["head/kernel"], ["head/kernels", "other"])
    assert dense.session.run("head/bias:0").tolist() == [1.0, 1.0]


def test_a_long_list_is_cut(dense: Dense) -> None:
    weights = {"head/kernel": KERNEL, "head/bias": BIAS} | {f"extra{number}": BIAS for number in range(20)}
    with pytest.raises(NotFoundError, match="extra7: float32\\[2\\], unexpected.\n  … and 12 more$"):
        dt.io.load_weights(dense.session, weights)


@pytest.mark.parametrize(
    ("changed", "options", "error", "message"),
    [
        ({"head/kernel": KERNEL.T}, {}, ShapeError, r"'head/kernel' of the given dict has the shape \[2, 3\], the"),
        ({"head/kernel": KERNEL.T}, {}, ShapeError, r'\[3, 2\]. layout="torch" makes it fit. .*weights.py:\d+'),
        ({"head/kernel": KERNEL[:2]}, {}, ShapeError, r"the shape \[2, 2\], the variable .* \[3, 2\]. \("),
        ({"head/kernel": KERNEL}, {"layout": "torch"}, ShapeError, r"has the shape \[2, 3\] \(\[3, 2\] in the file\)"),
        ({"head/kernel": KERNEL}, {"transform": {"head/kernel": [0, 1, 2]}}, ShapeError, "cannot be put for .*axes"),
        ({"head/kernel": KERNEL.astype(np.float16)}, {}, DTypeError, 'is float16, the .*float32. Pass cast=True '),
        ({"head/bias": np.array([b"a", b"b"], object)}, {"cast": True}, DTypeError, "is string, the variable "),
        ({"head.bias": BIAS}, {}, InvalidArgumentError, "'head/bias' and 'head.bias' of the given dict both go to the"),
        ({}, {"layout": "keras"}, InvalidArgumentError, "layout is 'keras'; give one of None, 'torch'"),
        ({}, {"transform": {"head/kernal": (1, 0)}}, InvalidArgumentError, "Did you mean 'head/kernel'"),
        ({}, {"name_map": ["head"]}, InvalidArgumentError, "name_map is \\['head'\\] .*; give a dict, a function, or"),
        ({}, {"name_map": [("(", "")]}, InvalidArgumentError, "unterminated"),
        ({}, {"variables": ["head/kernel"]}, DTypeError, "variables holds 'head/kernel'; give variables"),
        ({}, {"variables": []}, InvalidArgumentError, "there are no variables to set"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_nothing_changes(
    dense: Dense,
    changed: dict[str, np.ndarray],
    options: dict[str, Any],
    error: type[DovetailError],
    message: str,
) -> None:
    before = dense.values()
    with pytest.raises(error, match=message):
        dt.io.load_weights(dense.session, {"head/kernel": KERNEL, "head/bias": BIAS} | changed, **options)
    assert dense.values() == before


def test_tensors_are_converted_on_request(dense: Dense) -> None:
    halves = {"head/kernel": KERNEL.astype(np.float16), "head/bias": BIAS.astype(np.float64)}
    dt.io.load_weights(dense.session, halves, cast=True)
    assert dense.session.run("head/kernel:0").tolist() == KERNEL.tolist()


def test_chosen_variables_are_set_alone(dense: Dense) -> None:
    kernel = dt.trainable_variables()[0]
    dt.io.load_weights(dense.session, {"w": KERNEL.T}, {"w": "head/kernel"}, variables=[kernel], transform={
        "head/kernel": (1, 0)
    })  # fmt: skip
    assert dense.session.run(kernel).tolist() == KERNEL.tolist()


def test_files_that_cannot_be_read_are_told(dense: Dense, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file .*none"):
        dt.io.load_weights(dense.session, tmp_path / "none.safetensors")
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"PK\x03\x04" * 20)
    with pytest.raises(FormatError, match=r"bad.safetensors\" is damaged, or no safetensors file"):
        dt.io.load_weights(dense.session, path)
    with pytest.raises(DTypeError, match="the first argument is None; give the dt.Session"):
        dt.io.load_weights(None, path)  # type: ignore[arg-type]
