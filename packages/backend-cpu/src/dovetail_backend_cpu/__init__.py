"""Whole steps as native code through LLVM: the backend that serves the CPU where it is installed."""
