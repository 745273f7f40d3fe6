"""VMC protocol over OSC: VSeeFace, VMC, Warudo and other programs for VRM avatars.

Each weight is a ``/VMC/Ext/Blend/Val`` with the name as "perfect sync" avatars spell it (ARKit's, with a capital:
``JawOpen``), then one ``/VMC/Ext/Blend/Apply``.
"""

import struct
from collections.abc import Sequence

from dtalker_model.sinks.needed import needed
from dtalker_model.sinks.network.pace import FilePace, LivePace
from dtalker_model.sinks.network.udp import Datagrams, parse_address
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

PORT = 39539
RATE_HZ = 60.0
IN_DATAGRAM = 20
"""The protocol asks for datagrams below 1500 bytes; a value takes about 60."""


_NUMBER = struct.Struct(">f")


def vmc_name(name: str) -> str:
    """``JawOpen`` of ``jawOpen``."""
    return name[0].upper() + name[1:]


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
        heads: list[tuple[str, ...]] = [("/VMC/Ext/Blend/Val", vmc_name(name)) for name in info.names]
        heads += [("/VMC/Ext/Blend/Apply",), ("/VMC/Ext/T",)]
        self._bundles = [_Bundle(heads[k : k + IN_DATAGRAM]) for k in range(0, len(heads), IN_DATAGRAM)]
        self._datagrams = Datagrams(self.address)
        self._pace = (LivePace if info.live else FilePace)(self._datagrams.send)

    def write(self, frame: TimedWeights) -> None:
        assert self._pace is not None
        values = [*frame.weights.tolist(), None, frame.time_s]
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
        self._ends: list[int] = []
        end = len(b"#bundle\0") + 8
        for address, *texts in heads:
            message = messages.OscMessageBuilder(address)
            for text in texts:
                message.add_arg(text, "s")
            if address != "/VMC/Ext/Blend/Apply":
                message.add_arg(0.0, "f")
            built = message.build()
            bundle.add_content(built)
            end += 4 + built.size
            self._ends.append(end)
        self._data = bytearray(bundle.build().dgram)
        assert len(self._data) == end

    def filled(self, values: Sequence[float | None]) -> bytes:
        """The datagram with a number for each message; None for one that takes none."""
        for end, value in zip(self._ends, values):
            if value is not None:
                _NUMBER.pack_into(self._data, end - _NUMBER.size, value)
        return bytes(self._data)
