"""Logs of training that TensorBoard shows: operations that summarize tensors, and what writes and reads event files."""
