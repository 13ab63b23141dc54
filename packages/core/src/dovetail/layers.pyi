# Layers, as functions (`dense`) and as classes (`Dense`).
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from collections.abc import Callable as _Callable
from typing import Any as _Any

from dovetail import Tensor as _Tensor
from dovetail.extend import Activation as _Activation
from dovetail.extend import InitializerLike as _InitializerLike
from dovetail.extend import RegularizerLike as _RegularizerLike
from dovetail_layers.activation import Activation as Activation
from dovetail_layers.batch_normalization import BatchNormalization as BatchNormalization
from dovetail_layers.convolutional import Conv2D as Conv2D
from dovetail_layers.dense import Dense as Dense
from dovetail_layers.dropout import Dropout as Dropout
from dovetail_layers.flatten import Flatten as Flatten
from dovetail_layers.pooling import AveragePooling2D as AveragePooling2D
from dovetail_layers.pooling import MaxPooling2D as MaxPooling2D
from dovetail_layers.regularization import L1 as L1
from dovetail_layers.regularization import L2 as L2
from dovetail_layers.sequential import Sequential as Sequential
from dovetail_layers.sequential import Step as _Step

def activation(
    inputs: _Tensor,
    activation: str | _Callable[[_Tensor], _Tensor],
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def average_pooling2d(
    inputs: _Tensor,
    pool_size: int | tuple[int, int],
    strides: int | tuple[int, int],
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
    fused: bool | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> _Tensor: ...
def conv2d(
    inputs: _Tensor,
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int | tuple[int, int] = ...,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | tuple[int, int] = ...,
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
def flatten(
    inputs: _Tensor, trainable: bool = True, name: str | None = None, reuse: bool | str | None = None
) -> _Tensor: ...
def max_pooling2d(
    inputs: _Tensor,
    pool_size: int | tuple[int, int],
    strides: int | tuple[int, int],
    padding: str = "valid",
    data_format: str = "channels_last",
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

l1_regularizer = L1
l2_regularizer = L2

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
