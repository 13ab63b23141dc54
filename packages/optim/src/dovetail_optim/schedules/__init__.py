"""Learning-rate schedules: tensors of the global step."""
