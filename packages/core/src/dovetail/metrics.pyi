# Measures of how good a network is.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.metrics import accuracy as accuracy
from dovetail_layers.metrics import auc as auc
from dovetail_layers.metrics import average_precision_at_k as average_precision_at_k
from dovetail_layers.metrics import binary_accuracy as binary_accuracy
from dovetail_layers.metrics import categorical_accuracy as categorical_accuracy
from dovetail_layers.metrics import cohen_kappa as cohen_kappa
from dovetail_layers.metrics import confusion_matrix as confusion_matrix
from dovetail_layers.metrics import f1_score as f1_score
from dovetail_layers.metrics import false_negatives as false_negatives
from dovetail_layers.metrics import false_negatives_at_thresholds as false_negatives_at_thresholds
from dovetail_layers.metrics import false_positives as false_positives
from dovetail_layers.metrics import false_positives_at_thresholds as false_positives_at_thresholds
from dovetail_layers.metrics import log_loss as log_loss
from dovetail_layers.metrics import matthews_corrcoef as matthews_corrcoef
from dovetail_layers.metrics import mean as mean
from dovetail_layers.metrics import mean_absolute_error as mean_absolute_error
from dovetail_layers.metrics import mean_cosine_distance as mean_cosine_distance
from dovetail_layers.metrics import mean_iou as mean_iou
from dovetail_layers.metrics import mean_per_class_accuracy as mean_per_class_accuracy
from dovetail_layers.metrics import mean_relative_error as mean_relative_error
from dovetail_layers.metrics import mean_squared_error as mean_squared_error
from dovetail_layers.metrics import mean_tensor as mean_tensor
from dovetail_layers.metrics import percentage_below as percentage_below
from dovetail_layers.metrics import perplexity as perplexity
from dovetail_layers.metrics import precision as precision
from dovetail_layers.metrics import precision_at_k as precision_at_k
from dovetail_layers.metrics import precision_at_recall as precision_at_recall
from dovetail_layers.metrics import precision_at_thresholds as precision_at_thresholds
from dovetail_layers.metrics import precision_at_top_k as precision_at_top_k
from dovetail_layers.metrics import r2_score as r2_score
from dovetail_layers.metrics import recall as recall
from dovetail_layers.metrics import recall_at_k as recall_at_k
from dovetail_layers.metrics import recall_at_precision as recall_at_precision
from dovetail_layers.metrics import recall_at_thresholds as recall_at_thresholds
from dovetail_layers.metrics import recall_at_top_k as recall_at_top_k
from dovetail_layers.metrics import root_mean_squared_error as root_mean_squared_error
from dovetail_layers.metrics import sensitivity_at_specificity as sensitivity_at_specificity
from dovetail_layers.metrics import sparse_average_precision_at_k as sparse_average_precision_at_k
from dovetail_layers.metrics import sparse_categorical_accuracy as sparse_categorical_accuracy
from dovetail_layers.metrics import sparse_precision_at_k as sparse_precision_at_k
from dovetail_layers.metrics import specificity_at_sensitivity as specificity_at_sensitivity
from dovetail_layers.metrics import top_k_accuracy as top_k_accuracy
from dovetail_layers.metrics import true_negatives as true_negatives
from dovetail_layers.metrics import true_negatives_at_thresholds as true_negatives_at_thresholds
from dovetail_layers.metrics import true_positives as true_positives
from dovetail_layers.metrics import true_positives_at_thresholds as true_positives_at_thresholds

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
