# Losses, which also gather what a network regularises.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.losses import Reduction as Reduction
from dovetail_layers.losses import absolute_difference as absolute_difference
from dovetail_layers.losses import add_loss as add_loss
from dovetail_layers.losses import compute_weighted_loss as compute_weighted_loss
from dovetail_layers.losses import get_losses as get_losses
from dovetail_layers.losses import get_regularization_loss as get_regularization_loss
from dovetail_layers.losses import get_regularization_losses as get_regularization_losses
from dovetail_layers.losses import get_total_loss as get_total_loss
from dovetail_layers.losses import mean_squared_error as mean_squared_error
from dovetail_layers.losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from dovetail_layers.losses import softmax_cross_entropy as softmax_cross_entropy
from dovetail_layers.losses import sparse_softmax_cross_entropy as sparse_softmax_cross_entropy

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
