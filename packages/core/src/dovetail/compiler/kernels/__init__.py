"""What every compiling backend shares: programs become kernels, kernels are fused, ordered and given memory."""
