"""What fills ``dt.layers``, ``dt.nn``, ``dt.losses`` and ``dt.metrics``: layers, activations, losses, measures."""

from dovetail_layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax, ThresholdedReLU
from dovetail_layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from dovetail_layers.batch_normalization import BatchNormalization
from dovetail_layers.bidirectional import Bidirectional
from dovetail_layers.borders import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from dovetail_layers.convolutional import Conv1D, Conv2D, Conv3D
from dovetail_layers.convolutional_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from dovetail_layers.dense import Dense
from dovetail_layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from dovetail_layers.dropout import Dropout
from dovetail_layers.embedding import Embedding
from dovetail_layers.flatten import Flatten
from dovetail_layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from dovetail_layers.group_normalization import GroupNormalization, InstanceNormalization
from dovetail_layers.gru import GRU
from dovetail_layers.layer_normalization import LayerNormalization
from dovetail_layers.lstm import LSTM
from dovetail_layers.multi_head_attention import MultiHeadAttention
from dovetail_layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from dovetail_layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from dovetail_layers.position_embedding import PositionEmbedding
from dovetail_layers.prelu import PReLU
from dovetail_layers.reparametrization import SpectralNormalization, WeightNormalization
from dovetail_layers.rms_normalization import RMSNormalization
from dovetail_layers.separable import SeparableConv1D, SeparableConv2D
from dovetail_layers.sequential import Sequential
from dovetail_layers.simple_rnn import SimpleRNN
from dovetail_layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from dovetail_layers.transformer_block import TransformerBlock
from dovetail_layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AlphaDropout",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Bidirectional",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "MultiHeadAttention",
    "PReLU",
    "RMSNormalization",
    "ReLU",
    "SeparableConv1D",
    "SeparableConv2D",
    "PositionEmbedding",
    "Sequential",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "ThresholdedReLU",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "WeightNormalization",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "TransformerBlock",
]
