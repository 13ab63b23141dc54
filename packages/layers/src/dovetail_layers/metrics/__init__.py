"""``dt.metrics``: measures that add up over batches, in local variables."""

from dovetail_layers.metrics.accuracies import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    mean_per_class_accuracy,
    sparse_categorical_accuracy,
    top_k_accuracy,
)
from dovetail_layers.metrics.agreement import cohen_kappa, confusion_matrix, f1_score, matthews_corrcoef, mean_iou
from dovetail_layers.metrics.averages import mean, mean_tensor, percentage_below
from dovetail_layers.metrics.counts import (
    false_negatives,
    false_positives,
    precision,
    recall,
    true_negatives,
    true_positives,
)
from dovetail_layers.metrics.curves import (
    auc,
    precision_at_recall,
    recall_at_precision,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)
from dovetail_layers.metrics.errors import (
    mean_absolute_error,
    mean_cosine_distance,
    mean_relative_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from dovetail_layers.metrics.likelihoods import log_loss, perplexity
from dovetail_layers.metrics.ranking import (
    average_precision_at_k,
    precision_at_k,
    precision_at_top_k,
    recall_at_k,
    recall_at_top_k,
    sparse_average_precision_at_k,
    sparse_precision_at_k,
)
from dovetail_layers.metrics.thresholds import (
    false_negatives_at_thresholds,
    false_positives_at_thresholds,
    precision_at_thresholds,
    recall_at_thresholds,
    true_negatives_at_thresholds,
    true_positives_at_thresholds,
)

__all__ = [
    "accuracy",
    "auc",
    "average_precision_at_k",
    "binary_accuracy",
    "categorical_accuracy",
    "cohen_kappa",
    "confusion_matrix",
    "f1_score",
    "false_negatives",
    "false_negatives_at_thresholds",
    "false_positives",
    "false_positives_at_thresholds",
    "log_loss",
    "matthews_corrcoef",
    "mean",
    "mean_absolute_error",
    "mean_cosine_distance",
    "mean_iou",
    "mean_per_class_accuracy",
    "mean_relative_error",
    "mean_squared_error",
    "mean_tensor",
    "percentage_below",
    "perplexity",
    "precision",
    "precision_at_k",
    "precision_at_recall",
    "precision_at_thresholds",
    "precision_at_top_k",
    "r2_score",
    "recall",
    "recall_at_k",
    "recall_at_precision",
    "recall_at_thresholds",
    "recall_at_top_k",
    "root_mean_squared_error",
    "sensitivity_at_specificity",
    "sparse_average_precision_at_k",
    "sparse_categorical_accuracy",
    "sparse_precision_at_k",
    "specificity_at_sensitivity",
    "top_k_accuracy",
    "true_negatives",
    "true_negatives_at_thresholds",
    "true_positives",
    "true_positives_at_thresholds",
]
