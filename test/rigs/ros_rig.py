"""Rig of the ROS tests: a domain of its own, a node that listens, and the executables as processes.

Everything waits for events, with one bound for all waits.
"""

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

os.environ["ROS_DOMAIN_ID"] = str(random.randrange(1 + int(os.environ.get("DTALKER_LANE", "0")), 102, 2))
if os.environ.get("ROS_DISTRO") == "humble":
    os.environ.setdefault("ROS_LOCALHOST_ONLY", "1")
else:
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import dtalker_model

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from dtalker.msg import Blendshapes, FaceInfo, Speaker  # noqa: E402
from rcl_interfaces.msg import Log  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

WAIT_S = float(os.environ.get("DTALKER_WAIT_S", "30"))
"""Longest wait for any event; a loaded machine is slow to start processes."""
FRAME_NS = 20_000_000
SPIN_S = 0.05
QUIET_S = 0.3
"""Nothing is on its way any more when nothing has come for so long."""
SHORT_S = 2.0
QOS = QoSProfile(depth=10_000)
LATCHED = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""What was logged before the listener came is heard too."""


def stamp_ns(message: Any) -> int:
    """Header stamp in nanoseconds."""
    return int(message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec)


class Listener:
    """A node that collects what the talker publishes."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        self.context.init()
        self.node = Node("listener", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.frames: list[tuple[int, Any]] = []
        self.infos: list[Any] = []
        self.speakers: list[Any] = []
        self.diagnostics: list[dict[str, str]] = []
        self.statuses: list[tuple[int, str]] = []
        """Level and message of each."""
        self.logs: list[str] = []
        self.node.create_subscription(Blendshapes, "blendshapes", self._on_frame, QOS)
        self.node.create_subscription(FaceInfo, "dtalker/info", self.infos.append, QOS)
        self.node.create_subscription(Speaker, "dtalker/speaker", self.speakers.append, QOS)
        self.node.create_subscription(Log, "/rosout", lambda log: self.logs.append(log.msg), LATCHED)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, QOS)

    def _on_frame(self, message: Any) -> None:
        self.frames.append((time.time_ns(), message))

    def _on_diagnostics(self, message: Any) -> None:
        (status,) = message.status
        self.diagnostics.append({pair.key: pair.value for pair in status.values})
        self.statuses.append((status.level[0], status.message))

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def until(self, condition: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
        """Spin until `condition()` is true; fails saying `what` was awaited."""
        end_s = time.monotonic() + wait_s
        while not (result := condition()):
            assert time.monotonic() < end_s, f"waited {wait_s} s for {what}; logs: {self.logs[-5:]}"
            self.executor.spin_once(timeout_sec=SPIN_S)
        return result

    def call(self, kind: Any, name: str, /, **fields: Any) -> Any:
        """Call a service and return its answer."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, f"service {name}")
        future = client.call_async(kind.Request(**fields))
        self.until(future.done, f"an answer of {name}")
        self.node.destroy_client(client)
        return future.result()

    def logged(self, text: str) -> str:
        """Wait for a log line that contains `text`."""
        return str(self.until(lambda: next((line for line in self.logs if text in line), None), f"log {text!r}"))

    def settle(self) -> None:
        """Take what is still on its way, after the talker has stopped."""
        count = -1
        while count < len(self.frames):
            count, end_s = len(self.frames), time.monotonic() + QUIET_S
            while time.monotonic() < end_s:
                self.executor.spin_once(timeout_sec=SPIN_S)

    def fresh_diagnostics(self) -> dict[str, str]:
        """The next diagnostics."""
        count = len(self.diagnostics)
        self.until(lambda: len(self.diagnostics) > count, "diagnostics")
        return self.diagnostics[-1]

    def assert_grid(self) -> None:
        """Every frame came once, in order, 20 ms after the one before."""
        messages = [message for _, message in self.frames]
        assert set(np.diff([stamp_ns(m) for m in messages]).tolist()) == {FRAME_NS}
        assert set(np.diff([m.sequence for m in messages]).tolist()) == {1}


LANES = 2
DOMAIN_IDS = range(1 + int(os.environ.get("DTALKER_LANE", "0")), 102, LANES)
"""Of this process: what runs beside it in another lane uses others."""
DOMAINS = itertools.cycle(random.sample(DOMAIN_IDS, len(DOMAIN_IDS)))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """In a domain of its own: the graph may still hold the last test's node, which has the same name."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(next(DOMAINS)))
    rig = Listener()
    yield rig
    rig.close()


def start(
    module: str, env: Mapping[str, str] | None = None, options: Sequence[str] = (), **parameters: Any
) -> "subprocess.Popen[str]":
    """Start ``python -m dtalker_ros.nodes.MODULE`` with ROS `options` and parameters."""
    arguments = [f"{key.replace('__', '.')}:={_ros(value)}" for key, value in parameters.items()]
    options = [*options, *(word for argument in arguments for word in ("-p", argument))]
    return subprocess.Popen(
        [sys.executable, "-m", f"dtalker_ros.nodes.{module}", *(["--ros-args", *options] if options else [])],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ros(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def finish(process: "subprocess.Popen[str]", number: int | None = None) -> tuple[int, str]:
    """Send signal `number` (if any), wait for the end; exit code and everything written."""
    if number is not None:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, (out or "") + (err or "")


@contextlib.contextmanager
def ended_by_ctrl_c(listener: Listener, process: "subprocess.Popen[str]") -> Iterator[list[str]]:
    """`process`, a talker node, once it has sent its information; ended by Ctrl-C, which must give exit code 0.

    What it wrote is in the list afterwards, line by line.
    """
    written: list[str] = []
    try:
        count = len(listener.infos)
        listener.until(lambda: len(listener.infos) > count or process.poll() is not None, "the talker node")
        yield written
    except BaseException:
        process.kill()
        print(process.communicate())
        raise
    code, output = finish(process, signal.SIGINT)
    assert code == 0, output
    written += output.splitlines()


@contextlib.contextmanager
def talker(
    listener: Listener, env: dict[str, str] | None = None, **parameters: Any
) -> "Iterator[subprocess.Popen[str]]":
    """The talker node, `ended_by_ctrl_c`, which must leave no traceback."""
    process = start("talker_node", env, **parameters)
    with ended_by_ctrl_c(listener, process) as written:
        yield process
    assert not any("Traceback" in line for line in written), "\n".join(written)


def clip(path: Path, seconds: float) -> tuple[np.ndarray, int]:
    """The first `seconds` of a sound file, int16 mono, and its rate."""
    pcm, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    return pcm[: round(seconds * rate_hz), :1], rate_hz


def play(listener: Listener, env: dict[str, str] | None = None, **parameters: Any) -> None:
    """Play a file to its end."""
    player = start("audio_file_node", env, **parameters)
    listener.until(lambda: player.poll() is not None, "the end of the player", 2 * WAIT_S)
    code, output = finish(player)
    assert code == 0, output


@pytest.fixture
def short_wav(demo_wav: Path, tmp_path: Path) -> Path:
    """Two seconds of speech."""
    pcm, rate_hz = clip(demo_wav, SHORT_S)
    path = tmp_path / "short.wav"
    soundfile.write(path, pcm, rate_hz)
    return path


def check_kinds(listener: Listener, path: Path, kinds: list[str], env: dict[str, str] | None = None) -> None:
    """`path`, played as each of `kinds`, gives the frames that the core gives for it."""
    pcm, rate_hz = soundfile.read(path, dtype="int16")
    offline = dtalker_model.load()
    expected = np.array([frame.weights for frame in offline.push(pcm, rate_hz) + offline.flush()])
    with talker(listener, env, pacing="asap", gap_ms=400.0):
        for kind in kinds:
            assert listener.call(Trigger, "dtalker/reset").success
            listener.frames.clear()
            play(listener, env, file=str(path), kind=kind, speed=4.0)
            listener.until(lambda: len(listener.frames) >= len(expected), f"the frames of {kind}")
            listener.assert_grid()
            got = np.array([message.weights for _, message in listener.frames])
            np.testing.assert_allclose(got, expected, atol=2e-4, err_msg=kind)
