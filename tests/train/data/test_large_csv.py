"""A CSV file of any size is read in the memory of a piece of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys
import dovetail as dt

scale = 2**20 if sys.platform == "darwin" else 2**10
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale

path, mode = sys.argv[1:]
data = dt.data.from_csv(path, "label", columns=["a", "b"] if mode == "numbers" else None)
next(iter(data))
before = peak()
if mode == "shuffled":
    data = data.shuffle(1000, seed=1)
rows = sum(len(label) for _, label in data.batch(256).prefetch(2))
print(json.dumps([rows, peak() - before]))
"""


@pytest.mark.parametrize(
    ("mode", "megabytes", "limit"),
    [
        ("numbers", 12, 10),
        ("texts", 12, 10),
        pytest.param("numbers", 1024, 16, marks=pytest.mark.long),
        pytest.param("texts", 1024, 16, marks=pytest.mark.long),
        pytest.param("shuffled", 256, 16, marks=pytest.mark.long),
    ],
)
def test_memory_does_not_grow_with_the_file(mode: str, megabytes: int, limit: float, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    path = tmp_path / "large.csv"
    texts = ["plain"] * 3 if mode == "numbers" else ["plain", '"a, b"', "é" * 200]
    block = "".join(f"{n / 7:.6f},{n},{texts[n % 3]},{n % 3}\n" for n in range(10_000))
    count = megabytes * 2**20 // len(block.encode())
    with path.open("w", encoding="utf-8") as file:
        file.write("a,b,text,label\n")
        for _ in range(count):
            file.write(block)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path), mode], check=True, capture_output=True, text=True)
    rows, growth = json.loads(done.stdout)
    assert rows == count * 10_000
    assert growth < limit
