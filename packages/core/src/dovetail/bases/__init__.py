"""What plugins subclass: layers, optimizers, formats, regularizers."""
