"""``dt.losses``: weighted losses that join a collection, and their sum."""

from dovetail_layers.losses.cross_entropies import (
    sigmoid_cross_entropy,
    sigmoid_focal_crossentropy,
    softmax_cross_entropy,
    softmax_focal_crossentropy,
    sparse_softmax_cross_entropy,
)
from dovetail_layers.losses.differences import (
    absolute_difference,
    huber_loss,
    log_cosh,
    mean_absolute_percentage_error,
    mean_pairwise_squared_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from dovetail_layers.losses.embeddings import (
    contrastive_loss,
    cosine_distance,
    triplet_margin_loss,
    triplet_semihard_loss,
)
from dovetail_layers.losses.margins import categorical_hinge, hinge_loss, margin_ranking_loss, squared_hinge
from dovetail_layers.losses.probabilities import dice, gaussian_nll_loss, kl_divergence, log_loss, poisson, tversky
from dovetail_layers.losses.reduction import (
    Reduction,
    add_loss,
    compute_weighted_loss,
    get_losses,
    get_regularization_loss,
    get_regularization_losses,
    get_total_loss,
)

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "categorical_hinge",
    "compute_weighted_loss",
    "contrastive_loss",
    "cosine_distance",
    "dice",
    "gaussian_nll_loss",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "kl_divergence",
    "log_cosh",
    "log_loss",
    "margin_ranking_loss",
    "mean_absolute_percentage_error",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sigmoid_cross_entropy",
    "sigmoid_focal_crossentropy",
    "softmax_cross_entropy",
    "softmax_focal_crossentropy",
    "sparse_softmax_cross_entropy",
    "squared_hinge",
    "triplet_margin_loss",
    "triplet_semihard_loss",
    "tversky",
]
