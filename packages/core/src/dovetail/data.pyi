# Input: data sets, batching, prefetching.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.data import AUTOTUNE as AUTOTUNE
from dovetail_train.data import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from dovetail_train.data import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from dovetail_train.data import CharacterTokenizer as CharacterTokenizer
from dovetail_train.data import Dataset as Dataset
from dovetail_train.data import DatasetIterator as DatasetIterator
from dovetail_train.data import Iterator as Iterator
from dovetail_train.data import TensorSpec as TensorSpec
from dovetail_train.data import TextLineDataset as TextLineDataset
from dovetail_train.data import Tokenizer as Tokenizer
from dovetail_train.data import Vocabulary as Vocabulary
from dovetail_train.data import WordTokenizer as WordTokenizer
from dovetail_train.data import experimental as experimental
from dovetail_train.data import from_arrays as from_arrays
from dovetail_train.data import from_csv as from_csv
from dovetail_train.data import from_generator as from_generator
from dovetail_train.data import from_image_folder as from_image_folder
from dovetail_train.data import from_text as from_text
from dovetail_train.data import get_output_shapes as get_output_shapes
from dovetail_train.data import get_output_types as get_output_types
from dovetail_train.data import image as image
from dovetail_train.data import image_classes as image_classes
from dovetail_train.data import load_image as load_image
from dovetail_train.data import make_initializable_iterator as make_initializable_iterator
from dovetail_train.data import make_one_shot_iterator as make_one_shot_iterator
from dovetail_train.data import range as range
from dovetail_train.data import zip as zip

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
