"""The safetensors library on NumPy's arrays, with the files and their folder flushed as Dovetail does.

python -m benchmarks.saving.safetensors_files saving --folder FOLDER
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from benchmarks.saving.harness import Arrays, Filing, flush, main


def prepare(mode: str, arrays: Arrays) -> Filing:
    def save(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file(dict(arrays), path)
        flush(path)
        flush(folder)

    def load(folder: Path) -> dict[str, Any]:
        return load_file(folder / "model.safetensors")

    return Filing(save, load, lambda found: found)


if __name__ == "__main__":
    main(prepare)
