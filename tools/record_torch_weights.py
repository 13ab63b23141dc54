"""Record a small network of PyTorch, its weights and its outputs, for the tests to load and compare.

Neither PyTorch nor the safetensors library of its environment is needed by the tests; they read what this writes:
`tests/data/torch_weights.safetensors`, `net.state_dict()` as `safetensors.torch.save_file` leaves it, and
`tests/data/torch_weights.npz`, images, symbols and the network's outputs.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy safetensors
    /tmp/torch/bin/python tools/record_torch_weights.py
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "tests" / "data"
torch: Any = import_module("torch")  # not installed where the types are checked
nn: Any = torch.nn


class Network(nn.Module):  # type: ignore[misc]
    """Every kind of kernel: convolutions, one by channel, one transposed, a dense layer after an image, and a table."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 8, 3, groups=4),
            nn.ConvTranspose2d(8, 5, 2, stride=2),
        )
        self.words = nn.Embedding(7, 6)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(5 * 8 * 8 + 6, 3)

    def forward(self, images: Any, symbols: Any) -> Any:
        """Return three numbers for each image and symbol."""
        seen = self.features(images).flatten(1)
        return self.head(torch.cat([seen, self.norm(self.words(symbols))], 1))


def main() -> None:
    """Write both files."""
    torch.manual_seed(0)
    network = Network().eval()
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():  # so that no scale is one, and no mean zero
                value.add_(0.1 * torch.rand_like(value))
        images, symbols = torch.rand(2, 3, 6, 6), torch.tensor([3, 6])
        outputs = network(images, symbols)
    import_module("safetensors.torch").save_file(network.state_dict(), DATA / "torch_weights.safetensors")
    np.savez_compressed(
        DATA / "torch_weights.npz",
        images=images.permute(0, 2, 3, 1).numpy(),
        symbols=symbols.numpy(),
        outputs=outputs.numpy(),
    )


if __name__ == "__main__":
    main()
