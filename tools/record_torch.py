"""Record what PyTorch computes for layers, losses and optimizers, in float64, for the tests to compare with.

PyTorch is no dependency of the tests; they read `tests/data/torch.npz`, which this script makes:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python tools/record_torch.py

Arrays are in Dovetail's layouts: images [batch, height, width, channels], filters [height, width, channels, filters].
A key is `case/name`; `grad_x` is the gradient of `sum(y * cotangent)` with respect to `x`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

torch: Any = import_module("torch")  # not installed where the types are checked
F: Any = torch.nn.functional

FOUND: dict[str, np.ndarray] = {}

RNG = np.random.default_rng(20240229)


def leaf(array: np.ndarray) -> Any:
    """Make a parameter."""
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def record(case: str, **arrays: Any) -> None:
    """Keep arrays under `case/name`."""
    for name, value in arrays.items():
        FOUND[f"{case}/{name}"] = (
            value.detach().numpy().copy() if isinstance(value, torch.Tensor) else np.asarray(value)
        )


def images_first(x: Any) -> Any:
    """Give images PyTorch's layout."""
    return x.permute(0, 3, 1, 2)


def channels_last(x: Any) -> Any:
    """Give images Dovetail's layout."""
    return x.permute(0, 2, 3, 1)


def same_padding(size: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What "SAME" adds before and after: the odd element goes to the end."""
    total = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def with_gradients(case: str, function: Callable[..., Any], **inputs: np.ndarray) -> None:
    """Record a function of arrays, its value, a cotangent and the gradients."""
    leaves = {name: leaf(array) for name, array in inputs.items()}
    y = function(**leaves)
    cotangent = RNG.normal(size=tuple(y.shape))
    (y * torch.tensor(cotangent)).sum().backward()
    record(case, **inputs, y=y, cotangent=cotangent)
    record(case, **{f"grad_{name}": one.grad for name, one in leaves.items()})


def layers() -> None:
    """Dense layers, convolutions and pooling."""
    with_gradients(
        "dense",
        lambda x, kernel, bias: torch.tanh(x @ kernel + bias),
        x=RNG.normal(size=(5, 4)),
        kernel=RNG.normal(size=(4, 3)),
        bias=RNG.normal(size=3),
    )
    with_gradients(
        "dense_rank3",
        lambda x, kernel: x @ kernel,
        x=RNG.normal(size=(2, 3, 4)),
        kernel=RNG.normal(size=(4, 5)),
    )
    for case, stride, same, dilation in (
        ("conv2d_valid", 1, False, 1),
        ("conv2d_same", 1, True, 1),
        ("conv2d_valid_strides", 2, False, 1),
        ("conv2d_same_strides", 2, True, 1),
        ("conv2d_same_dilated", 1, True, 2),
    ):

        def convolve(
            x: Any,
            kernel: Any,
            bias: Any,
            stride: int = stride,
            same: bool = same,
            dilation: int = dilation,
        ) -> Any:
            images = images_first(x)
            if same:
                top, bottom = same_padding(images.shape[2], 3, stride, dilation)
                left, right = same_padding(images.shape[3], 2, stride, dilation)
                images = F.pad(images, (left, right, top, bottom))
            return channels_last(F.conv2d(images, kernel.permute(3, 2, 0, 1), bias, stride, 0, dilation))

        with_gradients(
            case,
            convolve,
            x=RNG.normal(size=(2, 7, 6, 2)),
            kernel=RNG.normal(size=(3, 2, 2, 4)),
            bias=RNG.normal(size=4),
        )

    def pooled_same(x: Any) -> Any:
        images = images_first(x)
        top, bottom = same_padding(images.shape[2], 3, 2)
        left, right = same_padding(images.shape[3], 3, 2)
        return channels_last(F.max_pool2d(F.pad(images, (left, right, top, bottom), value=-np.inf), 3, 2))

    with_gradients(
        "max_pool", lambda x: channels_last(F.max_pool2d(images_first(x), 2)), x=RNG.normal(size=(2, 4, 6, 3))
    )
    with_gradients("max_pool_same", pooled_same, x=RNG.normal(size=(2, 5, 6, 2)))
    with_gradients(
        "avg_pool", lambda x: channels_last(F.avg_pool2d(images_first(x), 2)), x=RNG.normal(size=(2, 4, 6, 3))
    )


def batch_normalization() -> None:
    """Three batches of training, then one in evaluation, of images and of vectors."""
    for case, shape in (("batch_norm_images", (3, 4, 2, 3)), ("batch_norm_vectors", (6, 3))):
        gamma, beta = leaf(RNG.uniform(0.5, 1.5, 3)), leaf(RNG.normal(size=3))
        mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
        record(case, gamma=gamma, beta=beta)
        for step in range(4):
            x = leaf(RNG.normal(1.0, 2.0, shape))
            cotangent = RNG.normal(size=shape)
            images = images_first(x) if x.ndim == 4 else x
            y = F.batch_norm(images, mean, variance, gamma, beta, training=step < 3, momentum=0.1, eps=1e-3)
            y = channels_last(y) if x.ndim == 4 else y
            gamma.grad = beta.grad = None
            (y * torch.tensor(cotangent)).sum().backward()
            record(f"{case}/{step}", x=x, y=y, cotangent=cotangent, mean=mean, variance=variance)
            record(f"{case}/{step}", grad_x=x.grad, grad_gamma=gamma.grad, grad_beta=beta.grad)


def functions() -> None:
    """Activations and losses."""
    x = np.concatenate([RNG.normal(0.0, 2.0, 12), [0.25, -30.0, 30.0, 7.0]])
    for name, function in {
        "relu": F.relu,
        "relu6": F.relu6,
        "elu": F.elu,
        "selu": F.selu,
        "leaky_relu": lambda z: F.leaky_relu(z, 0.2),
        "softplus": lambda z: F.softplus(z, threshold=1e9),
        "softsign": F.softsign,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
    }.items():
        with_gradients(f"activation/{name}", lambda x, function=function: function(x), x=x)
    scores = RNG.normal(0.0, 3.0, (4, 5))
    with_gradients("softmax", lambda x: torch.softmax(x, -1), x=scores)
    with_gradients("softmax_axis", lambda x: torch.softmax(x, 0), x=scores)
    with_gradients("log_softmax", lambda x: torch.log_softmax(x, -1), x=scores)
    labels = RNG.integers(0, 5, 4)
    record("sparse_cross_entropy", labels=labels)
    with_gradients(
        "sparse_cross_entropy", lambda x: F.cross_entropy(x, torch.tensor(labels), reduction="none"), x=scores
    )
    with_gradients(
        "cross_entropy",
        lambda x, labels: F.cross_entropy(x, labels, reduction="none"),
        x=scores,
        labels=RNG.dirichlet(np.ones(5), 4),
    )
    with_gradients(
        "sigmoid_cross_entropy",
        lambda x, labels: F.binary_cross_entropy_with_logits(x, labels, reduction="none"),
        x=scores,
        labels=RNG.uniform(size=(4, 5)),
    )
    with_gradients(
        "smoothed_cross_entropy",
        lambda x: F.cross_entropy(x, torch.tensor(labels), label_smoothing=0.1),
        x=scores,
    )
    record("smoothed_cross_entropy", labels=labels)
    with_gradients("mean_squared_error", F.mse_loss, input=scores, target=RNG.normal(size=(4, 5)))


def optimizers() -> None:
    """Five steps on a small regression, every parameter after every step.

    Where PyTorch places epsilon otherwise than TensorFlow 1, epsilon is 0 here.
    """
    x, target = RNG.normal(size=(8, 4)), RNG.normal(size=(8, 3))
    weight, bias = RNG.normal(size=(4, 3)), RNG.normal(size=3)
    record("optimizer", x=x, target=target, weight=weight, bias=bias)
    makers: dict[str, Callable[[Any], Any]] = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1),
        "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=0.0),
        "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=0.0, momentum=0.5),
        "rmsprop_centered": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=0.0, momentum=0.5, centered=True),
        "adam": lambda p: torch.optim.Adam(p, 0.05, betas=(0.8, 0.95), eps=0.0),
        "adamw": lambda p: torch.optim.AdamW(p, 0.05, betas=(0.8, 0.95), eps=0.1, weight_decay=0.3),
    }
    for case, make in makers.items():
        parameters = [leaf(weight), leaf(bias)]
        optimizer = make(parameters)
        steps: list[list[np.ndarray]] = [[], []]
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((torch.tanh(torch.tensor(x) @ parameters[0] + parameters[1]) - torch.tensor(target)) ** 2).mean()
            loss.backward()
            optimizer.step()
            for kept, parameter in zip(steps, parameters, strict=True):
                kept.append(parameter.detach().numpy().copy())
        record(f"optimizer/{case}", weight=np.stack(steps[0]), bias=np.stack(steps[1]))


def network() -> None:
    """A small convolutional network with batch normalisation, trained for four steps of gradient descent."""
    x, labels = RNG.normal(size=(6, 6, 6, 1)), RNG.integers(0, 4, 6)
    first = {
        "conv2d/kernel": RNG.normal(0.0, 0.4, (3, 3, 1, 3)),
        "conv2d/bias": RNG.normal(size=3),
        "batch_normalization/gamma": RNG.uniform(0.5, 1.5, 3),
        "batch_normalization/beta": RNG.normal(size=3),
        "dense/kernel": RNG.normal(0.0, 0.4, (27, 4)),
        "dense/bias": RNG.normal(size=4),
    }
    record("network", x=x, labels=labels)
    record("network/first", **{name.replace("/", "."): value for name, value in first.items()})
    weights = {name: leaf(value) for name, value in first.items()}
    mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    optimizer = torch.optim.SGD(list(weights.values()), 0.2)
    losses = []

    def scores(training: bool) -> Any:
        maps = F.conv2d(
            images_first(torch.tensor(x)),
            weights["conv2d/kernel"].permute(3, 2, 0, 1),
            weights["conv2d/bias"],
            padding=1,
        )
        gamma, beta = weights["batch_normalization/gamma"], weights["batch_normalization/beta"]
        maps = F.relu(F.batch_norm(maps, mean, variance, gamma, beta, training, 0.01, 1e-3))
        flat = channels_last(F.max_pool2d(maps, 2)).reshape(6, 27)
        return flat @ weights["dense/kernel"] + weights["dense/bias"]

    for _ in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(scores(True), torch.tensor(labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    record("network", losses=np.array(losses), mean=mean, variance=variance, scores=scores(False))
    record("network/last", **{name.replace("/", "."): value for name, value in weights.items()})


def more_functions() -> None:
    """Activations that came later, layer normalisation, looking rows up."""
    x = np.concatenate([RNG.normal(0.0, 2.0, 12), [0.25, -30.0, 30.0, 7.0]])
    for name, function in {
        "gelu": F.gelu,
        "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
        "swish": F.silu,
        "hard_sigmoid": lambda z: F.relu6(z + 3.0) / 6.0,  # PyTorch's own has a sixth in single precision
    }.items():
        with_gradients(f"activation/{name}", lambda x, function=function: function(x), x=x)
    for case, sizes in (("layer_norm", (4,)), ("layer_norm_two_axes", (3, 4))):
        with_gradients(
            case,
            lambda x, gamma, beta, sizes=sizes: F.layer_norm(x, sizes, gamma, beta, 1e-3),
            x=RNG.normal(1.0, 2.0, (2, 3, 4)),
            gamma=RNG.uniform(0.5, 1.5, sizes),
            beta=RNG.normal(size=sizes),
        )
    ids = RNG.integers(0, 5, (2, 4))
    record("embedding", ids=ids)
    with_gradients(
        "embedding", lambda embeddings: F.embedding(torch.tensor(ids), embeddings), embeddings=RNG.normal(size=(6, 3))
    )


def run_module(module: Any, weights: dict[str, Any], *inputs: Any) -> Any:
    """Call a module with tensors in place of its parameters."""
    return torch.func.functional_call(module.double(), weights, inputs)


def recurrent() -> None:
    """Recurrent layers, batch first, from given states; kernels as Dovetail has them, whose bias is the sum of two."""
    batch, time, size, units = 3, 5, 2, 4
    state = {"hidden": RNG.normal(size=(batch, units)), "cell": RNG.normal(size=(batch, units))}

    def lstm(x: Any, hidden: Any, cell: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        module = torch.nn.LSTM(size, units, batch_first=True)
        weights = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent_kernel.T, "bias_ih_l0": bias}
        weights["bias_hh_l0"] = torch.zeros_like(bias)
        y, (last_hidden, last_cell) = run_module(module, weights, x, (hidden[None], cell[None]))
        return torch.cat([y.flatten(), last_hidden.flatten(), last_cell.flatten()])

    with_gradients(
        "lstm",
        lstm,
        x=RNG.normal(size=(batch, time, size)),
        **state,
        kernel=RNG.normal(size=(size, 4 * units)),
        recurrent_kernel=RNG.normal(size=(units, 4 * units)),
        bias=RNG.normal(size=4 * units),
    )

    def reset_first(columns: Any) -> Any:
        update, reset, candidate = columns.chunk(3, dim=-1)
        return torch.cat([reset, update, candidate], dim=-1)

    def gru(x: Any, hidden: Any, kernel: Any, recurrent_kernel: Any, bias: Any, recurrent_bias: Any) -> Any:
        module = torch.nn.GRU(size, units, batch_first=True)
        weights = {
            "weight_ih_l0": reset_first(kernel).T,
            "weight_hh_l0": reset_first(recurrent_kernel).T,
            "bias_ih_l0": reset_first(bias),
            "bias_hh_l0": reset_first(recurrent_bias),
        }
        y, last = run_module(module, weights, x, hidden[None])
        return torch.cat([y.flatten(), last.flatten()])

    with_gradients(
        "gru",
        gru,
        x=RNG.normal(size=(batch, time, size)),
        hidden=state["hidden"],
        kernel=RNG.normal(size=(size, 3 * units)),
        recurrent_kernel=RNG.normal(size=(units, 3 * units)),
        bias=RNG.normal(size=3 * units),
        recurrent_bias=RNG.normal(size=3 * units),
    )
    for activation in ("tanh", "relu"):

        def rnn(
            x: Any, hidden: Any, kernel: Any, recurrent_kernel: Any, bias: Any, activation: str = activation
        ) -> Any:
            module = torch.nn.RNN(size, units, nonlinearity=activation, batch_first=True)
            weights = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent_kernel.T, "bias_ih_l0": bias}
            weights["bias_hh_l0"] = torch.zeros_like(bias)
            y, last = run_module(module, weights, x, hidden[None])
            return torch.cat([y.flatten(), last.flatten()])

        with_gradients(
            f"rnn_{activation}",
            rnn,
            x=RNG.normal(size=(batch, time, size)),
            hidden=state["hidden"],
            kernel=RNG.normal(size=(size, units)),
            recurrent_kernel=RNG.normal(size=(units, units)),
            bias=RNG.normal(size=units),
        )


def attention() -> None:
    """Attention of two heads to its own sequence, causal; and to another of another depth, with a mask."""
    depth, heads = 6, 2

    def own(x: Any, kernel: Any, bias: Any, output_kernel: Any, output_bias: Any) -> Any:
        module = torch.nn.MultiheadAttention(depth, heads, batch_first=True)
        weights = {
            "in_proj_weight": kernel.T,
            "in_proj_bias": bias,
            "out_proj.weight": output_kernel.T,
            "out_proj.bias": output_bias,
        }
        future = torch.ones(5, 5, dtype=torch.bool).triu(1)
        return run_module(module, weights, x, x, x, None, False, future)[0]

    with_gradients(
        "self_attention",
        own,
        x=RNG.normal(size=(2, 5, depth)),
        kernel=RNG.normal(size=(depth, 3 * depth)),
        bias=RNG.normal(size=3 * depth),
        output_kernel=RNG.normal(size=(depth, depth)),
        output_bias=RNG.normal(size=depth),
    )
    mask = np.array([[True, True, False, True], [True, False, False, True]])
    record("cross_attention", mask=mask)

    def other(
        x: Any,
        key: Any,
        query_kernel: Any,
        query_bias: Any,
        key_kernel: Any,
        key_bias: Any,
        value_kernel: Any,
        value_bias: Any,
        output_kernel: Any,
        output_bias: Any,
    ) -> Any:
        module = torch.nn.MultiheadAttention(depth, heads, batch_first=True, kdim=3, vdim=3)
        weights = {
            "q_proj_weight": query_kernel.T,
            "k_proj_weight": key_kernel.T,
            "v_proj_weight": value_kernel.T,
            "in_proj_bias": torch.cat([query_bias, key_bias, value_bias]),
            "out_proj.weight": output_kernel.T,
            "out_proj.bias": output_bias,
        }
        return run_module(module, weights, x, key, key, torch.tensor(~mask), False)[0]

    kernels = {"query": depth, "key": 3, "value": 3, "output": depth}
    with_gradients(
        "cross_attention",
        other,
        x=RNG.normal(size=(2, 5, depth)),
        key=RNG.normal(size=(2, 4, 3)),
        **{f"{name}_kernel": RNG.normal(size=(rows, depth)) for name, rows in kernels.items()},
        **{f"{name}_bias": RNG.normal(size=depth) for name in kernels},
    )


def main() -> None:
    """Compute everything and write it."""
    layers()
    batch_normalization()
    functions()
    optimizers()
    network()
    more_functions()
    recurrent()
    attention()
    FOUND["torch_version"] = np.array(torch.__version__)
    path = Path(__file__).parents[1] / "tests" / "data" / "torch.npz"
    path.parent.mkdir(exist_ok=True)
    arrays: Any = FOUND
    np.savez_compressed(path, **arrays)
    print(f"{len(FOUND)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
