# Layers, as functions (`dense`) and as classes (`Dense`).
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from collections.abc import Callable as _Callable
from typing import Any as _Any

from dovetail import Tensor as _Tensor
from dovetail.extend import Activation as _Activation
from dovetail.extend import DType as _DType
from dovetail.extend import InitializerLike as _InitializerLike
from dovetail.extend import Layer as _Layer
from dovetail.extend import RegularizerLike as _RegularizerLike
from dovetail_layers.activation import ELU as ELU
from dovetail_layers.activation import Activation as Activation
from dovetail_layers.activation import LeakyReLU as LeakyReLU
from dovetail_layers.activation import ReLU as ReLU
from dovetail_layers.activation import Softmax as Softmax
from dovetail_layers.activation import ThresholdedReLU as ThresholdedReLU
from dovetail_layers.adaptive_pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
from dovetail_layers.adaptive_pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
from dovetail_layers.adaptive_pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
from dovetail_layers.adaptive_pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
from dovetail_layers.adaptive_pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
from dovetail_layers.adaptive_pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
from dovetail_layers.batch_normalization import BatchNormalization as BatchNormalization
from dovetail_layers.bidirectional import Bidirectional as Bidirectional
from dovetail_layers.borders import Cropping1D as Cropping1D
from dovetail_layers.borders import Cropping2D as Cropping2D
from dovetail_layers.borders import Cropping3D as Cropping3D
from dovetail_layers.borders import ZeroPadding1D as ZeroPadding1D
from dovetail_layers.borders import ZeroPadding2D as ZeroPadding2D
from dovetail_layers.borders import ZeroPadding3D as ZeroPadding3D
from dovetail_layers.convolutional import Conv1D as Conv1D
from dovetail_layers.convolutional import Conv2D as Conv2D
from dovetail_layers.convolutional import Conv3D as Conv3D
from dovetail_layers.convolutional_transpose import Conv1DTranspose as Conv1DTranspose
from dovetail_layers.convolutional_transpose import Conv2DTranspose as Conv2DTranspose
from dovetail_layers.convolutional_transpose import Conv3DTranspose as Conv3DTranspose
from dovetail_layers.dense import Dense as Dense
from dovetail_layers.depthwise import DepthwiseConv1D as DepthwiseConv1D
from dovetail_layers.depthwise import DepthwiseConv2D as DepthwiseConv2D
from dovetail_layers.dropout import Dropout as Dropout
from dovetail_layers.embedding import Embedding as Embedding
from dovetail_layers.flatten import Flatten as Flatten
from dovetail_layers.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from dovetail_layers.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from dovetail_layers.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from dovetail_layers.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from dovetail_layers.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from dovetail_layers.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from dovetail_layers.group_normalization import GroupNormalization as GroupNormalization
from dovetail_layers.group_normalization import InstanceNormalization as InstanceNormalization
from dovetail_layers.gru import GRU as GRU
from dovetail_layers.layer_normalization import LayerNormalization as LayerNormalization
from dovetail_layers.lstm import LSTM as LSTM
from dovetail_layers.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from dovetail_layers.noise import AlphaDropout as AlphaDropout
from dovetail_layers.noise import GaussianDropout as GaussianDropout
from dovetail_layers.noise import GaussianNoise as GaussianNoise
from dovetail_layers.pooling import AveragePooling1D as AveragePooling1D
from dovetail_layers.pooling import AveragePooling2D as AveragePooling2D
from dovetail_layers.pooling import AveragePooling3D as AveragePooling3D
from dovetail_layers.pooling import MaxPooling1D as MaxPooling1D
from dovetail_layers.pooling import MaxPooling2D as MaxPooling2D
from dovetail_layers.pooling import MaxPooling3D as MaxPooling3D
from dovetail_layers.position_embedding import PositionEmbedding as PositionEmbedding
from dovetail_layers.prelu import PReLU as PReLU
from dovetail_layers.regularizers import L1 as L1
from dovetail_layers.regularizers import L1L2 as L1L2
from dovetail_layers.regularizers import L2 as L2
from dovetail_layers.regularizers import Orthogonal as Orthogonal
from dovetail_layers.regularizers import Sum as Sum
from dovetail_layers.regularizers import apply_regularization as apply_regularization
from dovetail_layers.reparametrization import SpectralNormalization as SpectralNormalization
from dovetail_layers.reparametrization import WeightNormalization as WeightNormalization
from dovetail_layers.rms_normalization import RMSNormalization as RMSNormalization
from dovetail_layers.separable import SeparableConv1D as SeparableConv1D
from dovetail_layers.separable import SeparableConv2D as SeparableConv2D
from dovetail_layers.sequential import Sequential as Sequential
from dovetail_layers.sequential import Step as _Step
from dovetail_layers.simple_rnn import SimpleRNN as SimpleRNN
from dovetail_layers.spatial_dropout import SpatialDropout1D as SpatialDropout1D
from dovetail_layers.spatial_dropout import SpatialDropout2D as SpatialDropout2D
from dovetail_layers.spatial_dropout import SpatialDropout3D as SpatialDropout3D
from dovetail_layers.transformer_block import TransformerBlock as TransformerBlock
from dovetail_layers.up_sampling import UpSampling1D as UpSampling1D
from dovetail_layers.up_sampling import UpSampling2D as UpSampling2D
from dovetail_layers.up_sampling import UpSampling3D as UpSampling3D

def activation(
    inputs: _Tensor,
    activation: str | _Callable[[_Tensor], _Tensor],
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_average_pooling1d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_average_pooling2d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_average_pooling3d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_max_pooling1d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_max_pooling2d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def adaptive_max_pooling3d(
    inputs: _Tensor,
    output_size: int | tuple[int, ...],
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def alpha_dropout(
    inputs: _Tensor,
    rate: float = 0.5,
    noise_shape: _Any = None,
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def average_pooling1d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def average_pooling2d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def average_pooling3d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def batch_normalization(
    inputs: _Tensor,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 0.001,
    center: bool = True,
    scale: bool = True,
    beta_initializer: _InitializerLike = ...,
    gamma_initializer: _InitializerLike = ...,
    moving_mean_initializer: _InitializerLike = ...,
    moving_variance_initializer: _InitializerLike = ...,
    beta_regularizer: _RegularizerLike = None,
    gamma_regularizer: _RegularizerLike = None,
    beta_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    gamma_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    renorm: bool = False,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def bidirectional(
    inputs: _Tensor,
    forward: _Layer,
    merge_mode: str | None = "concat",
    backward: _Layer | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    sequence_length: _Tensor | None = None,
    mask: _Tensor | None = None,
) -> _Any: ...
def conv1d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    groups: int = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv1d_transpose(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    output_padding: int | tuple[int, ...] | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv2d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    groups: int = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv2d_transpose(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    output_padding: int | tuple[int, ...] | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv3d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    groups: int = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv3d_transpose(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    output_padding: int | tuple[int, ...] | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def cropping1d(
    inputs: _Tensor,
    cropping: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def cropping2d(
    inputs: _Tensor,
    cropping: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def cropping3d(
    inputs: _Tensor,
    cropping: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def dense(
    inputs: _Tensor,
    units: int,
    activation: _Activation = None,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    kernel_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def depthwise_conv1d(
    inputs: _Tensor,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    depth_multiplier: int = 1,
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    depthwise_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    depthwise_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    depthwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def depthwise_conv2d(
    inputs: _Tensor,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    depth_multiplier: int = 1,
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    depthwise_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    depthwise_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    depthwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def dropout(
    inputs: _Tensor,
    rate: float = 0.5,
    noise_shape: _Any = None,
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def elu(
    inputs: _Tensor,
    alpha: float = 1.0,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def embedding(
    inputs: _Tensor,
    input_dim: int,
    output_dim: int,
    embeddings_initializer: _InitializerLike = ...,
    embeddings_regularizer: _RegularizerLike = None,
    embeddings_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    dtype: _DType = ...,
    mask_zero: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def flatten(
    inputs: _Tensor, trainable: bool = True, name: str | None = None, reuse: bool | str | None = None
) -> _Tensor: ...
def gaussian_dropout(
    inputs: _Tensor,
    rate: float = 0.5,
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def gaussian_noise(
    inputs: _Tensor,
    stddev: float,
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_average_pooling1d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_average_pooling2d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_average_pooling3d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_max_pooling1d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_max_pooling2d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def global_max_pooling3d(
    inputs: _Tensor,
    data_format: str = "channels_last",
    keepdims: bool = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def group_normalization(
    inputs: _Tensor,
    groups: int = 32,
    axis: int = -1,
    epsilon: float = 0.001,
    center: bool = True,
    scale: bool = True,
    beta_initializer: _InitializerLike = ...,
    gamma_initializer: _InitializerLike = ...,
    beta_regularizer: _RegularizerLike = None,
    gamma_regularizer: _RegularizerLike = None,
    beta_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    gamma_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def gru(
    inputs: _Tensor,
    units: int,
    return_sequences: bool = False,
    return_state: bool = False,
    reverse: bool = False,
    time_major: bool = False,
    kernel_initializer: _InitializerLike = None,
    recurrent_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    recurrent_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    stateful: bool = False,
    go_backwards: bool = False,
    reset_after: bool = True,
    activation: _Activation = "tanh",
    recurrent_activation: _Activation = "sigmoid",
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    initial_hidden: _Tensor | None = None,
    sequence_length: _Tensor | None = None,
    mask: _Tensor | None = None,
) -> _Any: ...
def instance_normalization(
    inputs: _Tensor,
    axis: int = -1,
    epsilon: float = 0.001,
    center: bool = True,
    scale: bool = True,
    beta_initializer: _InitializerLike = ...,
    gamma_initializer: _InitializerLike = ...,
    beta_regularizer: _RegularizerLike = None,
    gamma_regularizer: _RegularizerLike = None,
    beta_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    gamma_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def layer_normalization(
    inputs: _Tensor,
    axis: int | tuple[int, ...] = -1,
    epsilon: float = 0.001,
    center: bool = True,
    scale: bool = True,
    beta_initializer: _InitializerLike = ...,
    gamma_initializer: _InitializerLike = ...,
    beta_regularizer: _RegularizerLike = None,
    gamma_regularizer: _RegularizerLike = None,
    beta_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    gamma_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def leaky_relu(
    inputs: _Tensor,
    negative_slope: float = 0.3,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def lstm(
    inputs: _Tensor,
    units: int,
    return_sequences: bool = False,
    return_state: bool = False,
    reverse: bool = False,
    time_major: bool = False,
    kernel_initializer: _InitializerLike = None,
    recurrent_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = None,
    kernel_regularizer: _RegularizerLike = None,
    recurrent_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    stateful: bool = False,
    go_backwards: bool = False,
    forget_bias: float = 1.0,
    peephole: bool = False,
    projection: int | None = None,
    activation: _Activation = "tanh",
    recurrent_activation: _Activation = "sigmoid",
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    initial_hidden: _Tensor | None = None,
    initial_cell: _Tensor | None = None,
    sequence_length: _Tensor | None = None,
    mask: _Tensor | None = None,
) -> _Any: ...
def max_pooling1d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def max_pooling2d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def max_pooling3d(
    inputs: _Tensor,
    pool_size: int | tuple[int, ...] = 2,
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def multi_head_attention(
    query: _Tensor,
    heads: int,
    key_size: int | None = None,
    output_size: int | None = None,
    causal: bool = False,
    use_bias: bool = True,
    dropout: float = 0.0,
    kernel_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    key_heads: int | None = None,
    rotary: bool = False,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    key: _Tensor | None = None,
    value: _Tensor | None = None,
    mask: _Tensor | None = None,
    past_keys: _Tensor | None = None,
    past_values: _Tensor | None = None,
    position: _Tensor | None = None,
) -> _Tensor | tuple[_Tensor, _Tensor, _Tensor]: ...
def position_embedding(
    inputs: _Tensor,
    sequence_length: int,
    embeddings_initializer: _InitializerLike = None,
    embeddings_regularizer: _RegularizerLike = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def prelu(
    inputs: _Tensor,
    alpha_initializer: _InitializerLike = ...,
    alpha_regularizer: _RegularizerLike = None,
    alpha_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    shared_axes: int | tuple[int, ...] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def relu(
    inputs: _Tensor,
    max_value: float | None = None,
    negative_slope: float = 0.0,
    threshold: float = 0.0,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def rms_normalization(
    inputs: _Tensor,
    axis: int | tuple[int, ...] = -1,
    epsilon: float = 1e-06,
    scale: bool = True,
    gamma_initializer: _InitializerLike = ...,
    gamma_regularizer: _RegularizerLike = None,
    gamma_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def separable_conv1d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    depth_multiplier: int = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    depthwise_initializer: _InitializerLike = None,
    pointwise_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    depthwise_regularizer: _RegularizerLike = None,
    pointwise_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    depthwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    pointwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def separable_conv2d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, ...] = 1,
    depth_multiplier: int = 1,
    activation: _Activation = None,
    use_bias: bool = True,
    depthwise_initializer: _InitializerLike = None,
    pointwise_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    depthwise_regularizer: _RegularizerLike = None,
    pointwise_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    depthwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    pointwise_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    bias_constraint: _Callable[[_Tensor], _Tensor] | None = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def sequential(
    inputs: _Tensor,
    layers: tuple[_Step, ...] = ...,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Any: ...
def simple_rnn(
    inputs: _Tensor,
    units: int,
    return_sequences: bool = False,
    return_state: bool = False,
    reverse: bool = False,
    time_major: bool = False,
    kernel_initializer: _InitializerLike = None,
    recurrent_initializer: _InitializerLike = None,
    bias_initializer: _InitializerLike = ...,
    kernel_regularizer: _RegularizerLike = None,
    recurrent_regularizer: _RegularizerLike = None,
    bias_regularizer: _RegularizerLike = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    stateful: bool = False,
    go_backwards: bool = False,
    activation: _Activation = "tanh",
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    initial_hidden: _Tensor | None = None,
    sequence_length: _Tensor | None = None,
    mask: _Tensor | None = None,
) -> _Any: ...
def softmax(
    inputs: _Tensor, axis: int = -1, trainable: bool = True, name: str | None = None, reuse: bool | str | None = None
) -> _Tensor: ...
def spatial_dropout1d(
    inputs: _Tensor,
    rate: float = 0.5,
    data_format: str = "channels_last",
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def spatial_dropout2d(
    inputs: _Tensor,
    rate: float = 0.5,
    data_format: str = "channels_last",
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def spatial_dropout3d(
    inputs: _Tensor,
    rate: float = 0.5,
    data_format: str = "channels_last",
    seed: int | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def spectral_normalization(
    inputs: _Tensor,
    layer: _Layer,
    parameter: str = "kernel",
    power_iterations: int = 1,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Any: ...
def thresholded_relu(
    inputs: _Tensor,
    theta: float = 1.0,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def transformer_block(
    inputs: _Tensor,
    heads: int,
    feedforward_size: int | None = None,
    causal: bool = False,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    activation: _Activation = "relu",
    normalize_first: bool = False,
    epsilon: float = 1e-05,
    use_bias: bool = True,
    kernel_initializer: _InitializerLike = None,
    key_heads: int | None = None,
    rotary: bool = False,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
    *,
    mask: _Tensor | None = None,
    memory: _Tensor | None = None,
    memory_mask: _Tensor | None = None,
    past_keys: _Tensor | None = None,
    past_values: _Tensor | None = None,
    position: _Tensor | None = None,
) -> _Tensor | tuple[_Tensor, _Tensor, _Tensor]: ...
def up_sampling1d(
    inputs: _Tensor,
    size: int | tuple[int, ...] = 2,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def up_sampling2d(
    inputs: _Tensor,
    size: int | tuple[int, ...] = 2,
    data_format: str = "channels_last",
    interpolation: str = "nearest",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def up_sampling3d(
    inputs: _Tensor,
    size: int | tuple[int, ...] = 2,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def weight_normalization(
    inputs: _Tensor,
    layer: _Layer,
    parameter: str = "kernel",
    axis: int = -1,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Any: ...
def zero_padding1d(
    inputs: _Tensor,
    padding: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def zero_padding2d(
    inputs: _Tensor,
    padding: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def zero_padding3d(
    inputs: _Tensor,
    padding: int | tuple[_Any, ...] = 1,
    data_format: str = "channels_last",
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...

l1_l2_regularizer = L1L2
l1_regularizer = L1
l2_regularizer = L2
orthogonal_regularizer = Orthogonal
sum_regularizer = Sum

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
