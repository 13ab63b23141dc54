"""What signatures say of tensors, where TensorFlow 1 has it."""

from dovetail_io.saved_model.signatures import build_tensor_info, get_tensor_from_tensor_info

__all__ = ["build_tensor_info", "get_tensor_from_tensor_info"]
