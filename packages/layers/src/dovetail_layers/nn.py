"""``dt.nn``: activations, convolutions, normalisation and cross-entropies as functions of tensors."""

from __future__ import annotations

from dovetail import relu, sigmoid, tanh
from dovetail.extend import convolution
from dovetail_layers.activations import (
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
    swish,
)
from dovetail_layers.attention import scaled_dot_product_attention
from dovetail_layers.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from dovetail_layers.embedding import embedding_lookup
from dovetail_layers.images import avg_pool, bias_add, conv2d, max_pool
from dovetail_layers.normalization import batch_normalization, l2_normalize, layer_normalization, moments
from dovetail_layers.regularization import dropout, l2_loss
from dovetail_layers.softmax import log_softmax, softmax

__all__ = [
    "avg_pool",
    "batch_normalization",
    "bias_add",
    "conv2d",
    "convolution",
    "dropout",
    "elu",
    "embedding_lookup",
    "gelu",
    "hard_sigmoid",
    "l2_loss",
    "l2_normalize",
    "layer_normalization",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "moments",
    "relu",
    "relu6",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
]
