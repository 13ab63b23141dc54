"""``torch.save`` and ``torch.load`` of a dict of tensors, with the files and their folder flushed as Dovetail does.

python -m benchmarks.saving.torch_files saving --folder FOLDER
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.saving.harness import Arrays, Filing, flush, main


def prepare(mode: str, arrays: Arrays) -> Filing:
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def save(folder: Path) -> None:
        path = folder / "model.pt"
        torch.save(tensors, path)
        flush(path)
        flush(folder)

    def load(folder: Path) -> Any:
        return torch.load(folder / "model.pt", weights_only=True)

    return Filing(save, load, lambda found: {name: tensor.numpy() for name, tensor in found.items()})


if __name__ == "__main__":
    main(prepare)
