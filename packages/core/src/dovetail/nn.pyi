# Activations and other functions of networks.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.nn import avg_pool as avg_pool
from dovetail_layers.nn import batch_normalization as batch_normalization
from dovetail_layers.nn import bias_add as bias_add
from dovetail_layers.nn import celu as celu
from dovetail_layers.nn import conv2d as conv2d
from dovetail_layers.nn import convolution as convolution
from dovetail_layers.nn import crelu as crelu
from dovetail_layers.nn import dropout as dropout
from dovetail_layers.nn import elu as elu
from dovetail_layers.nn import embedding_lookup as embedding_lookup
from dovetail_layers.nn import geglu as geglu
from dovetail_layers.nn import gelu as gelu
from dovetail_layers.nn import glu as glu
from dovetail_layers.nn import hard_sigmoid as hard_sigmoid
from dovetail_layers.nn import hard_swish as hard_swish
from dovetail_layers.nn import hard_tanh as hard_tanh
from dovetail_layers.nn import hardshrink as hardshrink
from dovetail_layers.nn import in_top_k as in_top_k
from dovetail_layers.nn import l2_loss as l2_loss
from dovetail_layers.nn import l2_normalize as l2_normalize
from dovetail_layers.nn import layer_normalization as layer_normalization
from dovetail_layers.nn import leaky_relu as leaky_relu
from dovetail_layers.nn import local_response_normalization as local_response_normalization
from dovetail_layers.nn import log_poisson_loss as log_poisson_loss
from dovetail_layers.nn import log_sigmoid as log_sigmoid
from dovetail_layers.nn import log_softmax as log_softmax
from dovetail_layers.nn import logit as logit
from dovetail_layers.nn import lrn as lrn
from dovetail_layers.nn import max_pool as max_pool
from dovetail_layers.nn import mish as mish
from dovetail_layers.nn import moments as moments
from dovetail_layers.nn import normalize_moments as normalize_moments
from dovetail_layers.nn import prelu as prelu
from dovetail_layers.nn import reglu as reglu
from dovetail_layers.nn import relu as relu
from dovetail_layers.nn import relu6 as relu6
from dovetail_layers.nn import relu_layer as relu_layer
from dovetail_layers.nn import scaled_dot_product_attention as scaled_dot_product_attention
from dovetail_layers.nn import selu as selu
from dovetail_layers.nn import sigmoid as sigmoid
from dovetail_layers.nn import sigmoid_cross_entropy_with_logits as sigmoid_cross_entropy_with_logits
from dovetail_layers.nn import silu as silu
from dovetail_layers.nn import softmax as softmax
from dovetail_layers.nn import softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits
from dovetail_layers.nn import softmax_cross_entropy_with_logits_v2 as softmax_cross_entropy_with_logits_v2
from dovetail_layers.nn import softplus as softplus
from dovetail_layers.nn import softshrink as softshrink
from dovetail_layers.nn import softsign as softsign
from dovetail_layers.nn import sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits
from dovetail_layers.nn import sparsemax as sparsemax
from dovetail_layers.nn import sufficient_statistics as sufficient_statistics
from dovetail_layers.nn import swiglu as swiglu
from dovetail_layers.nn import swish as swish
from dovetail_layers.nn import tanh as tanh
from dovetail_layers.nn import tanhshrink as tanhshrink
from dovetail_layers.nn import threshold as threshold
from dovetail_layers.nn import top_k as top_k
from dovetail_layers.nn import weighted_cross_entropy_with_logits as weighted_cross_entropy_with_logits
from dovetail_layers.nn import weighted_moments as weighted_moments
from dovetail_layers.nn import xw_plus_b as xw_plus_b
from dovetail_layers.nn import zero_fraction as zero_fraction

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
