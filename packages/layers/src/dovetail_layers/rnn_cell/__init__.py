"""``dt.nn.rnn_cell``: cells, each a step of a recurrent network, which ``dt.nn.dynamic_rnn`` walks along a sequence."""

from dovetail_layers.rnn_cell.base import RNNCell
from dovetail_layers.rnn_cell.basic import BasicRNNCell, GRUCell
from dovetail_layers.rnn_cell.lstm import BasicLSTMCell, LSTMCell, LSTMStateTuple
from dovetail_layers.rnn_cell.wrappers import DeviceWrapper, DropoutWrapper, MultiRNNCell, ResidualWrapper

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
]
