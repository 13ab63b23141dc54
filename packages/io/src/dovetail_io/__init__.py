"""Graph files, checkpoints and ONNX export for Dovetail."""
