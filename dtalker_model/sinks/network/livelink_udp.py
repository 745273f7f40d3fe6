"""Live Link Face, version 6: what Unreal's Live Link plugin receives from the iPhone app, one datagram a frame.

Layout: ``<I`` 6; ``$`` and a UUID (37 bytes); ``!i`` length of the name; the name; ``!I`` frame of the day, ``!f``
sub-frame; ``!II`` rate and its denominator; ``!B`` 61; ``!61f``. The first 52 values are in ARKit order; the other 9
are yaw, pitch and roll of the head and of both eyes in rad. In what the app records, an eye's yaw is above 0 where it
looks to the character's own right and its pitch where it looks down (r with the eyeLook values of 0.97 and above, 0.63
rad for a value of 1, over 329 s). The head's slots follow the eyes', as in Epic's AppleARKitFaceSupport, where one
function turns both into numbers and changes the signs of yaw and roll together: roll is above 0 towards the own left
shoulder. No recording with a moving head was at hand, so the head's signs are not tried.
"""

import struct
import time
import uuid

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.sinks.network.pace import FilePace, LivePace
from dtalker_model.sinks.network.udp import Datagrams, parse_address
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

PORT = 11111
RATE_HZ = 60
VERSION = 6
VALUES = len(ARKIT_NAMES) + 9

_DAY_S = 86_400


def rotations(head: npt.NDArray[np.float32]) -> list[float]:
    """The last nine values for a pose (5,) in the order of `POSE_NAMES`."""
    yaw, pitch, roll, gaze_yaw, gaze_pitch = head.tolist()
    eye = [-gaze_yaw, gaze_pitch, 0.0]
    return [-yaw, pitch, -roll, *eye, *eye]


class LiveLinkSink:
    """``livelink:HOST[:PORT]``; `name` is the subject's name in Unreal."""

    path = None

    def __init__(
        self, target: str, label: str = "livelink", rate_hz: float | None = None, name: str = "dtalker"
    ) -> None:
        self.label, self.rate_hz = label, round(rate_hz or RATE_HZ)
        self.address = parse_address("livelink", target, PORT)
        subject = name.encode()
        device = f"${uuid.uuid4()}".encode()
        self._head = struct.pack("<I", VERSION) + device + struct.pack("!i", len(subject)) + subject
        self._tail = struct.pack("!IIB", self.rate_hz, 1, VALUES)
        self._first = 0.0
        self._pace: FilePace | LivePace | None = None
        self._datagrams: Datagrams | None = None

    def open(self, info: StreamInfo) -> None:
        begun_s = info.begun_ns / 1e9
        local = time.localtime(begun_s)
        self._first = (local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + begun_s % 1) * self.rate_hz
        self._datagrams = Datagrams(self.address)
        self._pace = (LivePace if info.live else FilePace)(self._datagrams.send)

    def write(self, frame: TimedWeights) -> None:
        assert self._pace is not None
        self._pace.send(frame.time_s, [self.packet(frame)])

    def packet(self, frame: TimedWeights) -> bytes:
        """The datagram for `frame`."""
        number = round(self._first + frame.time_s * self.rate_hz) % (_DAY_S * self.rate_hz)
        values = struct.pack(f"!{VALUES}f", *frame.weights.tolist(), *rotations(frame.head))
        return self._head + struct.pack("!If", number, 0.0) + self._tail + values

    def close(self) -> None:
        if self._pace is not None:
            self._pace.close()
        if self._datagrams is not None:
            self._datagrams.close()
