"""The version of Dovetail, one for all its distributions; written by ``tools/version.py``."""

__version__ = "0.1.0"
