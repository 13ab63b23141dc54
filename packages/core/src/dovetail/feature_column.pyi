# From the columns of a table to what a network takes.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.feature_column import bucketized_column as bucketized_column
from dovetail_train.feature_column import categorical_column_with_hash_bucket as categorical_column_with_hash_bucket
from dovetail_train.feature_column import categorical_column_with_identity as categorical_column_with_identity
from dovetail_train.feature_column import (
    categorical_column_with_vocabulary_file as categorical_column_with_vocabulary_file,
)
from dovetail_train.feature_column import (
    categorical_column_with_vocabulary_list as categorical_column_with_vocabulary_list,
)
from dovetail_train.feature_column import crossed_column as crossed_column
from dovetail_train.feature_column import embedding_column as embedding_column
from dovetail_train.feature_column import indicator_column as indicator_column
from dovetail_train.feature_column import input_layer as input_layer
from dovetail_train.feature_column import linear_model as linear_model
from dovetail_train.feature_column import numeric_column as numeric_column
from dovetail_train.feature_column import shared_embedding_columns as shared_embedding_columns

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
