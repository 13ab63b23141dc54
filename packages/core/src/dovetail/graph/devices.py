"""Device strings: which device an operation wants."""

from __future__ import annotations

import re
from typing import Final, final

from dovetail.errors import DeviceError

__all__ = ["DeviceSpec", "parse_device"]

_PART: Final = re.compile(r"(?:(job|replica|task):[A-Za-z0-9_]+)|(?:(?:device:)?([A-Za-z][A-Za-z0-9_]*)(?::(\d+|\*))?)")
_ALIASES: Final = {"GPU": "CUDA"}


@final
class DeviceSpec:
    """What a device string asks for: a device type and perhaps an index."""

    __slots__ = ("index", "type")

    def __init__(self, type: str | None = None, index: int | None = None) -> None:
        """Ask for ``type`` (``"CPU"``, ``"CUDA"``; ``None`` is any) and ``index`` (``None`` is any)."""
        self.type = type
        self.index = index

    def __str__(self) -> str:
        """Give the canonical string, such as ``/device:CPU:0``; empty where nothing is asked."""
        if self.type is None:
            return ""
        return f"/device:{self.type}" + ("" if self.index is None else f":{self.index}")

    def __eq__(self, other: object) -> bool:
        """Compare type and index."""
        return isinstance(other, DeviceSpec) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        """Hash type and index."""
        return hash((self.type, self.index))


def parse_device(text: str) -> DeviceSpec:
    """Read a device string.

    Args:
        text: ``"/cpu:0"``, ``"/device:CUDA:1"``, ``"GPU"`` (the same as CUDA), ``"/job:localhost/task:0/cpu:0"`` (job,
            replica and task are read and dropped: there is one process), or ``""`` for no wish.

    Raises:
        DeviceError: the text is not of this form.

    Example:
        >>> str(parse_device("/gpu:1"))
        '/device:CUDA:1'
    """
    spec = DeviceSpec()
    for part in filter(None, text.strip().split("/")):
        match = _PART.fullmatch(part)
        if match is None:
            raise DeviceError(f"{text!r} is not a device; write for example '/cpu:0', '/device:CUDA:1' or '/gpu:0'.")
        if match[2]:
            name = match[2].upper()
            index = match[3]
            spec = DeviceSpec(_ALIASES.get(name, name), None if index in (None, "*") else int(index))
    return spec
