"""Names of files and collections, under TensorFlow 1's names."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ASSETS_DIRECTORY",
    "ASSETS_KEY",
    "GRAPHS_DIRECTORY",
    "LEGACY_INIT_OP_KEY",
    "MAIN_OP_KEY",
    "SAVED_MODEL_FILENAME",
    "SAVED_MODEL_SCHEMA_VERSION",
    "VARIABLES_DIRECTORY",
    "VARIABLES_FILENAME",
]

SAVED_MODEL_SCHEMA_VERSION: Final = 1
SAVED_MODEL_FILENAME: Final = "saved_model.json"
ASSETS_DIRECTORY: Final = "assets"
GRAPHS_DIRECTORY: Final = "graphs"
VARIABLES_DIRECTORY: Final = "variables"
VARIABLES_FILENAME: Final = "variables"
ASSETS_KEY: Final = "saved_model_assets"
LEGACY_INIT_OP_KEY: Final = "legacy_init_op"
MAIN_OP_KEY: Final = "saved_model_main_op"
