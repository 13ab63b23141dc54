"""What fills ``dt.layers``, ``dt.nn``, ``dt.losses`` and ``dt.metrics``: layers, activations, losses, measures."""

from dovetail_layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax, ThresholdedReLU
from dovetail_layers.batch_normalization import BatchNormalization
from dovetail_layers.bidirectional import Bidirectional
from dovetail_layers.convolutional import Conv2D
from dovetail_layers.dense import Dense
from dovetail_layers.dropout import Dropout
from dovetail_layers.embedding import Embedding
from dovetail_layers.flatten import Flatten
from dovetail_layers.gru import GRU
from dovetail_layers.layer_normalization import LayerNormalization
from dovetail_layers.lstm import LSTM
from dovetail_layers.multi_head_attention import MultiHeadAttention
from dovetail_layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from dovetail_layers.prelu import PReLU
from dovetail_layers.sequential import Sequential
from dovetail_layers.simple_rnn import SimpleRNN

__all__ = [
    "PReLU",
    "ThresholdedReLU",
    "Softmax",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "LayerNormalization",
    "MaxPooling2D",
    "MultiHeadAttention",
    "Sequential",
    "SimpleRNN",
]
