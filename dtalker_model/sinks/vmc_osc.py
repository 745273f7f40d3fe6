"""VMC protocol over OSC: VSeeFace, VMC, Warudo and other programs for VRM avatars.

Each weight is a ``/VMC/Ext/Blend/Val`` with the name as "perfect sync" avatars spell it (ARKit's, with a capital:
``JawOpen``), then one ``/VMC/Ext/Blend/Apply``.
"""

from typing import Any

from dtalker_model.sinks.needed import needed
from dtalker_model.sinks.pace import FilePace, LivePace
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights
from dtalker_model.sinks.udp import Datagrams, parse_address

PORT = 39539
RATE_HZ = 60.0
VALUES_IN_DATAGRAM = 20
"""The protocol asks for datagrams below 1500 bytes; a value takes about 60."""


def vmc_name(name: str) -> str:
    """``JawOpen`` of ``jawOpen``."""
    return name[0].upper() + name[1:]


class VmcSink:
    """``vmc:HOST[:PORT]``."""

    path = None

    def __init__(self, target: str, label: str = "vmc", rate_hz: float | None = None) -> None:
        self.label, self.rate_hz = label, rate_hz or RATE_HZ
        self._address = parse_address("vmc", target, PORT)
        self._names: tuple[str, ...] = ()
        self._pace: FilePace | LivePace | None = None
        self._datagrams: Datagrams | None = None
        self._bundles: Any = None
        self._messages: Any = None

    def open(self, info: StreamInfo) -> None:
        self._bundles = needed("pythonosc.osc_bundle_builder", "python-osc")
        self._messages = needed("pythonosc.osc_message_builder", "python-osc")
        self._names = tuple(map(vmc_name, info.names))
        self._datagrams = Datagrams(self._address)
        self._pace = (LivePace if info.live else FilePace)(self._datagrams.send)

    def write(self, frame: TimedWeights) -> None:
        assert self._pace is not None
        messages = [self._message("/VMC/Ext/Blend/Val", *pair) for pair in zip(self._names, frame.weights.tolist())]
        messages.append(self._message("/VMC/Ext/Blend/Apply"))
        messages.append(self._message("/VMC/Ext/T", frame.time_s))
        parts = [messages[k : k + VALUES_IN_DATAGRAM] for k in range(0, len(messages), VALUES_IN_DATAGRAM)]
        self._pace.send(frame.time_s, list(map(self._bundle, parts)))

    def _message(self, address: str, *arguments: str | float) -> Any:
        builder = self._messages.OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(argument, "s" if isinstance(argument, str) else "f")
        return builder.build()

    def _bundle(self, messages: list[Any]) -> bytes:
        builder = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        for message in messages:
            builder.add_content(message)
        return bytes(builder.build().dgram)

    def close(self) -> None:
        if self._pace is not None:
            self._pace.close()
        if self._datagrams is not None:
            self._datagrams.close()
