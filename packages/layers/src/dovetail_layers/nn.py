"""``dt.nn``: activations, convolutions, normalisation and cross-entropies as functions of tensors."""

from __future__ import annotations

from dovetail import depth_to_space, relu, sigmoid, space_to_batch, space_to_depth, tanh, top_k
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
from dovetail_layers.bias import bias_add
from dovetail_layers.candidate_sampling import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from dovetail_layers.channel_groups import group_normalization, instance_normalization
from dovetail_layers.convolution_gradients import (
    conv3d_backprop_filter,
    conv3d_backprop_filter_v2,
    depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_input,
    depthwise_conv2d_native_backprop_filter,
    depthwise_conv2d_native_backprop_input,
)
from dovetail_layers.convolutions import (
    atrous_conv2d,
    conv1d,
    conv2d,
    conv3d,
    convolution,
    depthwise_conv2d,
    depthwise_conv2d_native,
    separable_conv2d,
)
from dovetail_layers.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from dovetail_layers.ctc import ctc_loss, ctc_loss_v2
from dovetail_layers.ctc_decoders import ctc_beam_search_decoder, ctc_greedy_decoder
from dovetail_layers.decoding import beam_search, sample_from_logits, sample_sequences
from dovetail_layers.embedding import embedding_lookup
from dovetail_layers.embedding_lookup_sparse import embedding_lookup_sparse
from dovetail_layers.fused_batch_norm import batch_norm_with_global_normalization, fused_batch_norm
from dovetail_layers.gating import crelu, geglu, glu, reglu, swiglu
from dovetail_layers.in_top_k import in_top_k
from dovetail_layers.morphology import dilation2d, erosion2d
from dovetail_layers.normalization import (
    batch_normalization,
    l2_normalize,
    layer_normalization,
    moments,
    rms_normalization,
)
from dovetail_layers.poisson import log_poisson_loss
from dovetail_layers.pools import (
    avg_pool,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_with_argmax,
    pool,
)
from dovetail_layers.positions import rotary_embedding, sinusoidal_encoding
from dovetail_layers.raw_rnn import raw_rnn
from dovetail_layers.regularization import alpha_dropout, dropout, l2_loss
from dovetail_layers.response_normalization import local_response_normalization, lrn
from dovetail_layers.rnn import bidirectional_dynamic_rnn, dynamic_rnn, static_bidirectional_rnn, static_rnn
from dovetail_layers.sampled_losses import nce_loss, sampled_softmax_loss
from dovetail_layers.shrinkage import hardshrink, softshrink, tanhshrink, threshold
from dovetail_layers.softmax import log_softmax, softmax, sparsemax
from dovetail_layers.statistics import normalize_moments, sufficient_statistics, weighted_moments, zero_fraction
from dovetail_layers.transposed_convolutions import (
    atrous_conv2d_transpose,
    conv1d_transpose,
    conv2d_backprop_filter,
    conv2d_backprop_input,
    conv2d_transpose,
    conv3d_transpose,
    conv_transpose,
)

__all__ = [
    "alpha_dropout",
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "beam_search",
    "bias_add",
    "bidirectional_dynamic_rnn",
    "celu",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
    "crelu",
    "ctc_beam_search_decoder",
    "ctc_greedy_decoder",
    "ctc_loss",
    "ctc_loss_v2",
    "depth_to_space",
    "depthwise_conv2d",
    "depthwise_conv2d_native",
    "dilation2d",
    "dropout",
    "dynamic_rnn",
    "elu",
    "embedding_lookup",
    "embedding_lookup_sparse",
    "erosion2d",
    "fused_batch_norm",
    "geglu",
    "gelu",
    "glu",
    "group_normalization",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "hardshrink",
    "in_top_k",
    "instance_normalization",
    "l2_loss",
    "l2_normalize",
    "layer_normalization",
    "leaky_relu",
    "local_response_normalization",
    "log_poisson_loss",
    "log_sigmoid",
    "log_softmax",
    "log_uniform_candidate_sampler",
    "logit",
    "lrn",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_with_argmax",
    "mish",
    "moments",
    "nce_loss",
    "normalize_moments",
    "pool",
    "prelu",
    "reglu",
    "relu",
    "relu6",
    "relu_layer",
    "rms_normalization",
    "rnn_cell",
    "rotary_embedding",
    "sample_from_logits",
    "sample_sequences",
    "sampled_softmax_loss",
    "scaled_dot_product_attention",
    "selu",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "sinusoidal_encoding",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softshrink",
    "softsign",
    "space_to_batch",
    "space_to_depth",
    "sparse_softmax_cross_entropy_with_logits",
    "sparsemax",
    "static_bidirectional_rnn",
    "static_rnn",
    "sufficient_statistics",
    "swiglu",
    "swish",
    "tanh",
    "tanhshrink",
    "threshold",
    "top_k",
    "uniform_candidate_sampler",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "xw_plus_b",
    "zero_fraction",
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "conv3d_backprop_filter",
    "conv3d_backprop_filter_v2",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
    "raw_rnn",
]
