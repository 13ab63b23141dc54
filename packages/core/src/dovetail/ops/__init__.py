"""The operations by family: definitions, and the functions that users call."""
