"""Saving and loading a model of a gigabyte, beside the safetensors library and PyTorch: records, ratios, a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from benchmarks.contenders import Contender, Runner
from benchmarks.side_by_side import Record, measured
from benchmarks.summary import aligned, by_contender, number

MEGABYTES = 1024
_OWN = ("benchmarks.saving.dovetail_files", "", "dovetail_io", ("dovetail-io",))
HASHED = Contender("dovetail", "Dovetail", *_OWN, "hashed")
UNHASHED = Contender("dovetail-unhashed", "Dovetail, without hashing", *_OWN, "unhashed")
PEERS: Mapping[str, Contender] = MappingProxyType(
    {
        one.name: one
        for one in (
            Contender(
                "safetensors",
                "safetensors.numpy",
                "benchmarks.saving.safetensors_files",
                "",
                "safetensors.numpy",
                ("safetensors",),
            ),
            Contender("torch", "torch.save/load", "benchmarks.saving.torch_files", "torch", "torch", ("torch",)),
        )
    }
)
CONTENDERS = (HASHED, UNHASHED, *PEERS.values())
MEASURES = ("save_s", "load_s", "save_peak_mb", "load_peak_mb")


def present() -> tuple[list[Contender], dict[str, str]]:
    """Return Dovetail and those peers that can be measured, and why the others cannot."""
    absent = {name: reason for name, one in PEERS.items() if (reason := one.absence()) is not None}
    return [one for one in CONTENDERS if one.name not in absent], absent


def records(runner: Runner, contenders: Iterable[Contender], rounds: int, megabytes: int = MEGABYTES) -> list[Record]:
    """Measure every contender once in each round."""
    runner.folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--folder", str(runner.folder), "--megabytes", str(megabytes)]
    planned = [((turn, "saving", one), arguments) for turn in range(rounds) for one in contenders]
    return measured(runner, planned, "saving and loading")


def as_data(found: Sequence[Record]) -> dict[str, Any]:
    """Return medians, and Dovetail's times over those of the fastest peer, as data for JSON."""
    good = [record for record in found if "error" not in record]
    data: dict[str, Any] = {key: by_contender(good, key) for key in MEASURES}
    data["over_fastest_peer"] = {
        key: {name: seconds / fastest for name, seconds in times.items() if name not in PEERS}
        for key, times in data.items()
        if key.endswith("_s") and (fastest := min((times[name] for name in times if name in PEERS), default=0.0))
    }
    return data


def table(found: Sequence[Record]) -> str:
    """Lay out seconds, what they are of the fastest peer's, and the memory taken beside the model."""
    data = as_data(found)
    ratios = data["over_fastest_peer"]
    size = next((record["megabytes"] for record in found if "megabytes" in record), MEGABYTES)
    head = [f"{size} MB", "save s", "of fastest", "load s", "of fastest", "MB to save", "MB to load"]
    body = [
        [
            one.title,
            number(data["save_s"].get(one.name)),
            number(ratios.get("save_s", {}).get(one.name)),
            number(data["load_s"].get(one.name)),
            number(ratios.get("load_s", {}).get(one.name)),
            number(data["save_peak_mb"].get(one.name)),
            number(data["load_peak_mb"].get(one.name)),
        ]
        for one in CONTENDERS
        if one.name in data["save_s"]
    ]
    return aligned([head, *body])
