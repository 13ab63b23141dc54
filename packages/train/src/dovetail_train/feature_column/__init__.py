"""Feature columns: from the columns of a table to what a network takes, as ``dt.feature_column`` hands them on."""

from dovetail_train.feature_column.bucketized import bucketized_column
from dovetail_train.feature_column.categorical import (
    categorical_column_with_hash_bucket,
    categorical_column_with_identity,
    categorical_column_with_vocabulary_file,
    categorical_column_with_vocabulary_list,
)
from dovetail_train.feature_column.crossed import crossed_column
from dovetail_train.feature_column.embedding import embedding_column, shared_embedding_columns
from dovetail_train.feature_column.indicator import indicator_column
from dovetail_train.feature_column.input_layer import input_layer
from dovetail_train.feature_column.linear_model import linear_model
from dovetail_train.feature_column.numeric import numeric_column

__all__ = [
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "indicator_column",
    "input_layer",
    "linear_model",
    "numeric_column",
    "shared_embedding_columns",
]
