"""The commands ``dovetail train`` and ``dovetail predict``."""
