# Losses, which also gather what a network regularises.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.losses import Reduction as Reduction
from dovetail_layers.losses import absolute_difference as absolute_difference
from dovetail_layers.losses import add_loss as add_loss
from dovetail_layers.losses import categorical_hinge as categorical_hinge
from dovetail_layers.losses import compute_weighted_loss as compute_weighted_loss
from dovetail_layers.losses import contrastive_loss as contrastive_loss
from dovetail_layers.losses import cosine_distance as cosine_distance
from dovetail_layers.losses import dice as dice
from dovetail_layers.losses import gaussian_nll_loss as gaussian_nll_loss
from dovetail_layers.losses import get_losses as get_losses
from dovetail_layers.losses import get_regularization_loss as get_regularization_loss
from dovetail_layers.losses import get_regularization_losses as get_regularization_losses
from dovetail_layers.losses import get_total_loss as get_total_loss
from dovetail_layers.losses import hinge_loss as hinge_loss
from dovetail_layers.losses import huber_loss as huber_loss
from dovetail_layers.losses import kl_divergence as kl_divergence
from dovetail_layers.losses import log_cosh as log_cosh
from dovetail_layers.losses import log_loss as log_loss
from dovetail_layers.losses import margin_ranking_loss as margin_ranking_loss
from dovetail_layers.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from dovetail_layers.losses import mean_pairwise_squared_error as mean_pairwise_squared_error
from dovetail_layers.losses import mean_squared_error as mean_squared_error
from dovetail_layers.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from dovetail_layers.losses import poisson as poisson
from dovetail_layers.losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from dovetail_layers.losses import sigmoid_focal_crossentropy as sigmoid_focal_crossentropy
from dovetail_layers.losses import softmax_cross_entropy as softmax_cross_entropy
from dovetail_layers.losses import softmax_focal_crossentropy as softmax_focal_crossentropy
from dovetail_layers.losses import sparse_softmax_cross_entropy as sparse_softmax_cross_entropy
from dovetail_layers.losses import squared_hinge as squared_hinge
from dovetail_layers.losses import triplet_margin_loss as triplet_margin_loss
from dovetail_layers.losses import triplet_semihard_loss as triplet_semihard_loss
from dovetail_layers.losses import tversky as tversky
from dovetail_layers.sequence_loss import sequence_loss as sequence_loss

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
