"""Input: datasets, their transformations, positions that can be saved; handed on as ``dt.data``."""

from dovetail_train.data import experimental, image
from dovetail_train.data.csv_source import from_csv
from dovetail_train.data.dataset import AUTOTUNE, Dataset
from dovetail_train.data.graph_iterator import Iterator
from dovetail_train.data.images import from_image_folder, image_classes, load_image
from dovetail_train.data.iterator import DatasetIterator
from dovetail_train.data.sources import from_arrays, from_generator
from dovetail_train.data.spec import TensorSpec
from dovetail_train.data.stage import INFINITE as INFINITE_CARDINALITY
from dovetail_train.data.stage import UNKNOWN as UNKNOWN_CARDINALITY
from dovetail_train.data.tensorflow1 import TextLineDataset, get_output_shapes, get_output_types
from dovetail_train.data.text import from_text
from dovetail_train.data.tokenizers import CharacterTokenizer, Tokenizer, WordTokenizer
from dovetail_train.data.vocabulary import Vocabulary

range = Dataset.range
zip = Dataset.zip
make_one_shot_iterator = Dataset.make_one_shot_iterator
make_initializable_iterator = Dataset.make_initializable_iterator

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "CharacterTokenizer",
    "Dataset",
    "DatasetIterator",
    "Iterator",
    "TensorSpec",
    "TextLineDataset",
    "Tokenizer",
    "Vocabulary",
    "WordTokenizer",
    "experimental",
    "from_arrays",
    "from_csv",
    "from_generator",
    "from_image_folder",
    "from_text",
    "get_output_shapes",
    "get_output_types",
    "image",
    "image_classes",
    "load_image",
    "make_initializable_iterator",
    "make_one_shot_iterator",
    "range",
    "zip",
]
