# Networks saved with their signatures.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_io.saved_model import Builder as Builder
from dovetail_io.saved_model import Bundle as Bundle
from dovetail_io.saved_model import MetaGraph as MetaGraph
from dovetail_io.saved_model import Predictor as Predictor
from dovetail_io.saved_model import SignatureDef as SignatureDef
from dovetail_io.saved_model import TensorInfo as TensorInfo
from dovetail_io.saved_model import build_signature_def as build_signature_def
from dovetail_io.saved_model import build_tensor_info as build_tensor_info
from dovetail_io.saved_model import builder as builder
from dovetail_io.saved_model import classification_signature_def as classification_signature_def
from dovetail_io.saved_model import constants as constants
from dovetail_io.saved_model import contains_saved_model as contains_saved_model
from dovetail_io.saved_model import get_tensor_from_tensor_info as get_tensor_from_tensor_info
from dovetail_io.saved_model import is_valid_signature as is_valid_signature
from dovetail_io.saved_model import load as load
from dovetail_io.saved_model import loader as loader
from dovetail_io.saved_model import maybe_saved_model_directory as maybe_saved_model_directory
from dovetail_io.saved_model import predict_signature_def as predict_signature_def
from dovetail_io.saved_model import predictor as predictor
from dovetail_io.saved_model import regression_signature_def as regression_signature_def
from dovetail_io.saved_model import signature_constants as signature_constants
from dovetail_io.saved_model import signature_def_utils as signature_def_utils
from dovetail_io.saved_model import simple_save as simple_save
from dovetail_io.saved_model import tag_constants as tag_constants
from dovetail_io.saved_model import utils as utils

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
