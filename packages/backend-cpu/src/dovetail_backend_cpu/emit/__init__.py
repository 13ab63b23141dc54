"""From the kernel IR to LLVM assembly."""
