"""VMC protocol over OSC: VSeeFace, VMC, Warudo and other programs for VRM avatars.

Each weight is a ``/VMC/Ext/Blend/Val`` with the name as "perfect sync" avatars spell it (ARKit's, with a capital:
``JawOpen``), then one ``/VMC/Ext/Blend/Apply``. Before them one ``/VMC/Ext/Bone/Pos`` turns the bone ``Head`` of
Unity's humanoid; its position is 0, as face trackers send it: where the bone lies is for the avatar to say. The eyes
turn by their EyeLook values alone.
"""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dtalker_model.output.rotation import quaternions
from dtalker_model.sinks.needed import needed
from dtalker_model.sinks.network.pace import FilePace, LivePace
from dtalker_model.sinks.network.udp import Datagrams, parse_address
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

PORT = 39539
RATE_HZ = 60.0
IN_DATAGRAM = 20
"""The protocol asks for datagrams below 1500 bytes; a value takes about 60."""


_BONE, _VALUE, _APPLY, _TIME = "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply", "/VMC/Ext/T"
_FLOATS = {_BONE: 7, _VALUE: 1, _APPLY: 0, _TIME: 1}
_NUMBERS = {address: struct.Struct(f">{count}f") for address, count in _FLOATS.items()}
"""What ends a message of each address."""


def vmc_name(name: str) -> str:
    """``JawOpen`` of ``jawOpen``."""
    return name[0].upper() + name[1:]


def bone(head: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Position and quaternion of the bone for a pose (5,): Unity's x points to the character's own right."""
    ((x, y, z, w),) = quaternions(head[None]).tolist()
    return 0.0, 0.0, 0.0, x, -y, -z, w


class VmcSink:
    """``vmc:HOST[:PORT]``."""

    path = None

    def __init__(self, target: str, label: str = "vmc", rate_hz: float | None = None) -> None:
        self.label, self.rate_hz = label, rate_hz or RATE_HZ
        self.address = parse_address("vmc", target, PORT)
        self._bundles: list[_Bundle] = []
        self._pace: FilePace | LivePace | None = None
        self._datagrams: Datagrams | None = None

    def open(self, info: StreamInfo) -> None:
        heads: list[tuple[str, ...]] = [(_BONE, "Head"), *((_VALUE, vmc_name(name)) for name in info.names)]
        heads += [(_APPLY,), (_TIME,)]
        self._bundles = [_Bundle(heads[k : k + IN_DATAGRAM]) for k in range(0, len(heads), IN_DATAGRAM)]
        self._datagrams = Datagrams(self.address)
        self._pace = (LivePace if info.live else FilePace)(self._datagrams.send)

    def write(self, frame: TimedWeights) -> None:
        assert self._pace is not None
        values = [bone(frame.head), *((weight,) for weight in frame.weights.tolist()), (), (frame.time_s,)]
        parts = [values[k : k + IN_DATAGRAM] for k in range(0, len(values), IN_DATAGRAM)]
        self._pace.send(frame.time_s, [bundle.filled(part) for bundle, part in zip(self._bundles, parts)])

    def close(self) -> None:
        if self._pace is not None:
            self._pace.close()
        if self._datagrams is not None:
            self._datagrams.close()


class _Bundle:
    """An OSC bundle that python-osc builds once; only the numbers at the ends of its messages change: ten times as
    quick as building it anew.
    """

    def __init__(self, heads: Sequence[tuple[str, ...]]) -> None:
        """`heads`: address and text arguments of each message. Raises `SinkError` without python-osc."""
        bundles = needed("pythonosc.osc_bundle_builder", "python-osc")
        messages = needed("pythonosc.osc_message_builder", "python-osc")
        bundle = bundles.OscBundleBuilder(bundles.IMMEDIATELY)
        self._ends: list[tuple[struct.Struct, int]] = []
        end = len(b"#bundle\0") + 8
        for address, *texts in heads:
            message = messages.OscMessageBuilder(address)
            for text in texts:
                message.add_arg(text, "s")
            numbers = _NUMBERS[address]
            for _ in range(_FLOATS[address]):
                message.add_arg(0.0, "f")
            built = message.build()
            bundle.add_content(built)
            end += 4 + built.size
            self._ends.append((numbers, end - numbers.size))
        self._data = bytearray(bundle.build().dgram)
        assert len(self._data) == end

    def filled(self, values: Sequence[tuple[float, ...]]) -> bytes:
        """The datagram with the numbers of each message."""
        for (numbers, at), value in zip(self._ends, values):
            numbers.pack_into(self._data, at, *value)
        return bytes(self._data)
