"""``dt.nn``: activations, convolutions, normalisation and cross-entropies as functions of tensors."""

from __future__ import annotations

from dovetail import relu, sigmoid, tanh, top_k
from dovetail.extend import convolution
from dovetail_layers import rnn_cell
from dovetail_layers.activations import (
    celu,
    elu,
    gelu,
    hard_sigmoid,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    logit,
    mish,
    prelu,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
    swish,
)
from dovetail_layers.affine import relu_layer, xw_plus_b
from dovetail_layers.attention import scaled_dot_product_attention
from dovetail_layers.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from dovetail_layers.embedding import embedding_lookup
from dovetail_layers.gating import crelu, geglu, glu, reglu, swiglu
from dovetail_layers.images import avg_pool, bias_add, conv2d, max_pool
from dovetail_layers.in_top_k import in_top_k
from dovetail_layers.normalization import batch_normalization, l2_normalize, layer_normalization, moments
from dovetail_layers.poisson import log_poisson_loss
from dovetail_layers.regularization import dropout, l2_loss
from dovetail_layers.response_normalization import local_response_normalization, lrn
from dovetail_layers.rnn import bidirectional_dynamic_rnn, dynamic_rnn, static_bidirectional_rnn, static_rnn
from dovetail_layers.shrinkage import hardshrink, softshrink, tanhshrink, threshold
from dovetail_layers.softmax import log_softmax, softmax, sparsemax
from dovetail_layers.statistics import normalize_moments, sufficient_statistics, weighted_moments, zero_fraction

__all__ = [
    "avg_pool",
    "batch_normalization",
    "bias_add",
    "celu",
    "bidirectional_dynamic_rnn",
    "conv2d",
    "convolution",
    "crelu",
    "dropout",
    "dynamic_rnn",
    "elu",
    "embedding_lookup",
    "geglu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "hardshrink",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "layer_normalization",
    "leaky_relu",
    "local_response_normalization",
    "log_poisson_loss",
    "log_sigmoid",
    "log_softmax",
    "logit",
    "lrn",
    "max_pool",
    "mish",
    "moments",
    "normalize_moments",
    "prelu",
    "reglu",
    "relu",
    "relu6",
    "relu_layer",
    "rnn_cell",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "sparsemax",
    "sufficient_statistics",
    "swiglu",
    "static_bidirectional_rnn",
    "static_rnn",
    "swish",
    "tanh",
    "tanhshrink",
    "threshold",
    "top_k",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "xw_plus_b",
    "zero_fraction",
]
