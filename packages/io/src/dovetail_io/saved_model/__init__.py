"""What ``dt.saved_model`` gives: bundles of graphs with the variables that they share, and signatures."""

from dovetail_io.saved_model import (
    builder,
    constants,
    loader,
    signature_constants,
    signature_def_utils,
    tag_constants,
    utils,
)
from dovetail_io.saved_model.builder import SavedModelBuilder as Builder
from dovetail_io.saved_model.bundle import Bundle, MetaGraph
from dovetail_io.saved_model.loader import contains_saved_model, load, maybe_saved_model_directory
from dovetail_io.saved_model.predictor import Predictor, predictor
from dovetail_io.saved_model.signatures import (
    SignatureDef,
    TensorInfo,
    build_signature_def,
    build_tensor_info,
    classification_signature_def,
    get_tensor_from_tensor_info,
    is_valid_signature,
    predict_signature_def,
    regression_signature_def,
)
from dovetail_io.saved_model.simple_save import simple_save

__all__ = [
    "Builder",
    "Bundle",
    "MetaGraph",
    "Predictor",
    "SignatureDef",
    "TensorInfo",
    "build_signature_def",
    "build_tensor_info",
    "builder",
    "classification_signature_def",
    "constants",
    "contains_saved_model",
    "get_tensor_from_tensor_info",
    "is_valid_signature",
    "load",
    "loader",
    "maybe_saved_model_directory",
    "predict_signature_def",
    "predictor",
    "regression_signature_def",
    "signature_constants",
    "signature_def_utils",
    "simple_save",
    "tag_constants",
    "utils",
]
