"""Optimizers and learning-rate schedules for Dovetail."""
