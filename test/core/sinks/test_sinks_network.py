"""Live Link and VMC, received by parsers that are not ours: one written from the layout, and python-osc's server."""

import contextlib
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sink_rig import BEGUN_NS, HEAD_SLOPES, feed, info, ramp

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SinkError
from dtalker_model.sinks import FanOut, StreamInfo, parse_sinks
from dtalker_model.sinks.network import udp
from dtalker_model.sinks.network.pace import LivePace

LIVE = info(live=True)
FRAMES = ramp(1.0)
WAIT_S = 10.0


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """A socket on this machine with room for a second of packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        yield receiver


class Packet:
    """A Live Link Face packet, taken apart field by field from the layout of version 6."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self.version = self._take("<I")
        device = self._bytes(37)
        assert device[:1] == b"$"
        self.device = uuid.UUID(device[1:].decode())
        self.name = self._bytes(self._take("!i")).decode()
        self.frame = self._take("!I")
        self.sub_frame = self._take("!I")
        self.rate = self._take("!I"), self._take("!I")
        count = self._take("!B")
        self.values = np.array([self._take("!f") for _ in range(count)])
        assert self._at == len(data)

    def _bytes(self, count: int) -> bytes:
        self._at += count
        assert self._at <= len(self._data)
        return self._data[self._at - count : self._at]

    def _take(self, form: str) -> int:
        (value,) = struct.unpack(form, self._bytes(4 if form != "!B" else 1))
        return value


def test_live_link(receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    assert feed([f"livelink:127.0.0.1:{port}?name=Röbot"], FRAMES, LIVE) == []
    packets = [Packet(receiver.recv(2048)) for _ in range(60)]
    assert {(p.version, p.name, p.sub_frame, p.rate) for p in packets} == {(6, "Röbot", 0, (60, 1))}
    assert len({packet.device for packet in packets}) == 1
    assert [packet.frame - packets[0].frame for packet in packets] == list(range(60))
    clock = time.localtime(BEGUN_NS / 1e9)
    assert packets[0].frame == 60 * (clock.tm_hour * 3600 + clock.tm_min * 60 + clock.tm_sec) + 15
    values = np.array([packet.values for packet in packets])
    assert values.shape == (60, 61)
    expected = np.minimum(np.arange(60) / 60, 0.98)[:, None] * np.arange(1, 53) / 60
    np.testing.assert_allclose(values[:, :52], expected, atol=1e-5)
    turned = np.minimum(np.arange(60) / 60, 0.98)[:, None] * HEAD_SLOPES
    yaw, pitch, roll, gaze_yaw, gaze_pitch = turned.T
    eye = [-gaze_yaw, gaze_pitch, 0 * yaw]  # the app's yaw is above 0 to the own right, its pitch down
    np.testing.assert_allclose(values[:, 52:], np.array([-yaw, pitch, -roll, *eye, *eye]).T, atol=1e-5)
    assert ARKIT_NAMES[0] == "eyeBlinkLeft" and ARKIT_NAMES[17] == "jawOpen" and ARKIT_NAMES[51] == "tongueOut"


def test_vmc(receiver: socket.socket) -> None:
    dispatcher_module = pytest.importorskip("pythonosc.dispatcher")
    server_module = pytest.importorskip("pythonosc.osc_server")
    faces: list[dict[str, float]] = [{}]
    bones: list[tuple[Any, ...]] = []
    done = threading.Event()

    def on_value(address: str, name: str, value: float) -> None:
        faces[-1][name] = value

    def on_apply(address: str) -> None:
        faces.append({})
        if len(faces) > 60:
            done.set()

    dispatcher = dispatcher_module.Dispatcher()
    dispatcher.map("/VMC/Ext/Blend/Val", on_value)
    dispatcher.map("/VMC/Ext/Blend/Apply", on_apply)
    dispatcher.map("/VMC/Ext/Bone/Pos", lambda address, *values: bones.append(values))
    with server_module.BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            reported = feed([f"vmc:127.0.0.1:{server.server_address[1]}"], FRAMES)  # at its own pace: none is lost
            assert done.wait(WAIT_S)
        finally:
            server.shutdown()
            thread.join()
    assert reported == []
    assert 61 <= len(faces) <= 61 + 0.15 * 60  # it eases to rest
    names = [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    assert all(list(face) == names for face in faces[:60])
    expected = np.minimum(np.arange(60) / 60, 0.98)[:, None] * np.arange(1, 53) / 60
    np.testing.assert_allclose([list(face.values()) for face in faces[:60]], expected, atol=1e-5)
    assert {values[0] for values in bones} == {"Head"} and len(bones) >= 60
    turned = np.minimum(np.arange(60) / 60, 0.98)[:, None] * HEAD_SLOPES[:3]
    np.testing.assert_allclose([values[4:] for values in bones[:60]], in_unity(turned), atol=1e-6)
    assert not np.any([values[1:4] for values in bones])


def in_unity(turns: np.ndarray) -> np.ndarray:
    """Quaternions of yaw, pitch, roll about Unity's axes: left-handed, x to the character's own right."""
    transform = pytest.importorskip("scipy.spatial.transform")
    left_handed = turns * [-1, 1, -1]  # to the right, down, to the left shoulder
    return np.asarray(transform.Rotation.from_euler("YXZ", left_handed).as_quat())


def test_vmc_datagrams_fit_one_packet_each(receiver: socket.socket) -> None:
    pytest.importorskip("pythonosc")
    assert feed([f"vmc:127.0.0.1:{receiver.getsockname()[1]}"], FRAMES[:1], LIVE) == []
    assert max(len(receiver.recv(65536)) for _ in range(3)) < 1500


@pytest.mark.parametrize(("stream", "shortest_s", "longest_s"), [(info(), 0.9, 5.0), (LIVE, 0.0, 0.8)])
def test_a_file_is_sent_at_its_own_pace(
    receiver: socket.socket, stream: StreamInfo, shortest_s: float, longest_s: float
) -> None:
    begun_s = time.monotonic()
    assert feed([f"livelink:127.0.0.1:{receiver.getsockname()[1]}"], FRAMES, stream) == []
    assert shortest_s <= time.monotonic() - begun_s <= longest_s


def test_live_frames_of_another_rate_leave_evenly(receiver: socket.socket) -> None:
    """Frames every 20 ms become 60 a second: without care two of them would leave together every 100 ms."""
    arrivals_s: list[float] = []

    def receive() -> None:
        for _ in range(90):
            receiver.recv(2048)
            arrivals_s.append(time.monotonic())

    thread = threading.Thread(target=receive)
    thread.start()
    sinks = parse_sinks([f"livelink:127.0.0.1:{receiver.getsockname()[1]}"])
    with FanOut(sinks, LIVE, print) as fan_out:
        begun_s = time.monotonic()
        for number, frame in enumerate(ramp(1.5)):
            time.sleep(max(0.0, begun_s + number / 50 - time.monotonic()))
            fan_out.write([frame])
    thread.join()
    assert np.median(np.diff(arrivals_s)) == pytest.approx(1 / 60, abs=0.003)
    assert np.quantile(np.diff(arrivals_s), 0.15) > 0.004  # a busy machine may bunch a few


def test_a_network_that_fails_for_long_fails_the_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: udp.Datagrams, data: bytes) -> None:
        raise SinkError("cannot send to 127.0.0.1: Network is unreachable: check the network")

    monkeypatch.setattr(udp.Datagrams, "send", unreachable)
    pace = LivePace(lambda data: unreachable(None, data))  # type: ignore[arg-type]
    pace.send(0.0, [b"x"])
    pace.close()
    with pytest.raises(SinkError, match="check the network"):
        pace.send(0.02, [b"x"])
    (line,) = feed(["livelink:127.0.0.1"], FRAMES)
    assert line.endswith("Network is unreachable: check the network; the rest goes on")


def test_a_short_outage_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    datagrams = udp.Datagrams(("255.255.255.255", 9))  # not allowed without asking for it: every send fails
    try:
        datagrams.send(b"x")
        monkeypatch.setattr(udp, "LONGEST_SILENCE_S", -1.0)
        with pytest.raises(SinkError, match=r"cannot send to 255.255.255.255: .*: check the network"):
            datagrams.send(b"x")
    finally:
        datagrams.close()


def test_nobody_listening_is_no_failure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert feed([f"livelink:127.0.0.1:{port}"], FRAMES, LIVE) == []


@pytest.mark.parametrize("stream", [info(), LIVE], ids=["file", "live"])
def test_live_link_is_left_with_a_face_at_rest(receiver: socket.socket, stream: StreamInfo) -> None:
    begun_s = time.monotonic()
    assert feed([f"livelink:127.0.0.1:{receiver.getsockname()[1]}"], FRAMES[-5:], stream) == []
    lasted_s = time.monotonic() - begun_s
    receiver.settimeout(0.2)
    values = []
    with contextlib.suppress(TimeoutError):
        while True:
            values.append(Packet(receiver.recv(2048)).values[17])  # jawOpen
    open_until = max(k for k, value in enumerate(values) if value > 0.9 * max(values))
    first_at_rest = next(k for k, value in enumerate(values) if k > open_until and value == 0)
    assert first_at_rest - open_until <= 0.1 * 60 + 1
    assert len(values) - first_at_rest >= 3 and not any(values[first_at_rest:])
    assert max(np.abs(np.diff(values))) < 0.35 * max(values)
    assert lasted_s < 2.0


def test_vmc_is_left_with_a_face_at_rest(receiver: socket.socket) -> None:
    pytest.importorskip("pythonosc")
    assert feed([f"vmc:127.0.0.1:{receiver.getsockname()[1]}"], FRAMES[-5:], LIVE) == []
    receiver.settimeout(0.2)
    datagrams = []
    with contextlib.suppress(TimeoutError):
        while True:
            datagrams.append(receiver.recv(65536))
    jaw = [data for data in datagrams if b"JawOpen\0" in data]
    at = jaw[-1].index(b"JawOpen\0") + 8
    assert struct.unpack(">f", jaw[-1][at : at + 4]) == (0.0,)
    assert struct.unpack(">f", jaw[0][at : at + 4])[0] > 0.2


def test_an_interruption_while_a_sink_eases_closes_it_all_the_same() -> None:
    class Interrupted:
        label, rate_hz, path, address = "odd", None, None, ("127.0.0.1", 1)

        def __init__(self) -> None:
            self.frames = self.closed = 0

        def open(self, stream: StreamInfo) -> None: ...

        def write(self, frame: object) -> None:
            self.frames += 1
            if self.frames > len(FRAMES):
                raise KeyboardInterrupt

        def close(self) -> None:
            self.closed += 1

    sink = Interrupted()
    with pytest.raises(KeyboardInterrupt), FanOut([sink], LIVE, print) as fan_out:
        fan_out.write(FRAMES)
    assert (sink.frames, sink.closed) == (len(FRAMES) + 1, 1)
