"""Which backend serves which device, and where each instruction runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import final

from dovetail.compiler.backend import Backend, DeviceInfo
from dovetail.compiler.program import Instruction
from dovetail.compiler.reference import ReferenceBackend
from dovetail.errors import DeviceError
from dovetail.graph.devices import DeviceSpec, parse_device
from dovetail.graph.op import Op

__all__ = ["Devices", "Placed"]

DEFAULT_TYPE = "CPU"


@final
class Placed:
    """A device and the backend that serves it."""

    __slots__ = ("backend", "device")

    def __init__(self, backend: Backend, device: DeviceInfo) -> None:
        """Pair them."""
        self.backend = backend
        self.device = device


class Devices:
    """The devices of a session.

    Args:
        backends: those that are available.
        pinned: for a device type, the name of the backend to use rather than the one of highest priority.
        soft_placement: whether an operation asked onto a device that is not here runs on the CPU instead of failing.
    """

    def __init__(
        self, backends: Sequence[Backend], pinned: Mapping[str, str] | None = None, soft_placement: bool = False
    ) -> None:
        """Choose a backend for each device type.

        Raises:
            DeviceError: a pinned backend is not available.
        """
        self._soft = soft_placement
        chosen: dict[str, Backend] = {}
        for backend in sorted(backends, key=lambda one: -one.priority):
            chosen.setdefault(backend.device_type, backend)
        for device_type, name in (pinned or {}).items():
            matching = [one for one in backends if one.name == name and one.device_type == device_type.upper()]
            if not matching:
                names = ", ".join(sorted(f"{one.name} ({one.device_type})" for one in backends))
                raise DeviceError(
                    f"there is no backend {name!r} for {device_type.upper()} here; available are {names}."
                )
            chosen[device_type.upper()] = matching[0]
        self._placed: dict[tuple[str, int], Placed] = {
            (device.device_type, device.index): Placed(backend, device)
            for backend in chosen.values()
            for device in backend.devices()
        }
        default = self._placed.get((DEFAULT_TYPE, 0))
        if default is None:
            raise DeviceError("no backend serves the CPU; at least the reference backend must.")
        self._default = default
        self._reference = (
            default
            if type(default.backend) is ReferenceBackend
            else Placed(ReferenceBackend(), DeviceInfo(DEFAULT_TYPE, 0))
        )
        self._by_text: dict[str, Placed] = {"": default}

    def all(self) -> list[DeviceInfo]:
        """Return every device."""
        return [placed.device for placed in self._placed.values()]

    def keeps(self, op: Op) -> bool:
        """Whether the default device's backend compiles a composite as it is."""
        return self._default.backend.keeps(op)

    def find(self, text: str, where: str = "") -> Placed:
        """Return the device that a device string names.

        Raises:
            DeviceError: there is none, and placement is not soft.
        """
        found = self._by_text.get(text)
        if found is None:
            found = self._by_text[text] = self._match(parse_device(text), text, where)
        return found

    def _match(self, spec: DeviceSpec, text: str, where: str) -> Placed:
        if spec.type is None:
            return self._default
        found = self._placed.get((spec.type, spec.index or 0))
        if found is not None:
            return found
        if self._soft:
            return self._default
        names = [device.name for device in self.all()]
        near = difflib.get_close_matches(str(spec), names, 1) or names[:1]
        help_text = {
            "CUDA": "install dovetail-backend-cuda for CUDA devices",
        }.get(spec.type, f"did you mean {near[0]!r}")
        raise DeviceError(
            f"there is no device {text!r}; this session has {', '.join(names)}; {help_text}, or allow soft placement "
            f"with dt.ConfigProto(allow_soft_placement=True). {where}"
        )

    def place(self, one: Instruction) -> Placed:
        """Return where an instruction runs; what its backend does not support runs on the reference."""
        placed = self.find(one.origin.device, one.origin.where()) if one.origin.device else self._default
        if placed.backend.supports(one.op, [value.type for value in one.inputs]):
            return placed
        return self._reference
