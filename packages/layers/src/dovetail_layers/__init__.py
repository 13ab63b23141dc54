"""Layers, activations, losses and metrics for Dovetail."""
