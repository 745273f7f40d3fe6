"""The player on real rclpy, through a simulated card: in step with the face; and the topic of sound played later."""

import contextlib
import signal
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from card_rig import dial, off_s
from dtalker.msg import FaceInfo
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from real_time_rig import in_real_time
from ros_rig import QOS, Listener, finish, listener, start
from std_msgs.msg import Int16MultiArray, MultiArrayDimension
from stream_rig import FakeStream

from dtalker_model.errors import AudioError
from dtalker_ros.nodes.audio_player_node import AudioPlayerNode

__all__ = ["listener"]

RATE_HZ = 16_000
LATENCY_S = 0.02
OFFSET_MS = 40.0
"""With the 80 ms of the look-ahead alone, a busy machine would run out of sound."""
STEP_MS = 20.0


class FakeCard(FakeStream):
    """Stands for sounddevice's OutputStream: asks for 10 ms each 10 ms, and keeps what it gets."""

    def __init__(self, samplerate: int, device: Any, channels: int, dtype: str, latency: str, callback: Any) -> None:
        super().__init__()
        self.rate_hz, self.channels, self.callback = samplerate, channels, callback
        self.sound: list[np.ndarray] = []
        self.begun_s, self.latency = 0.0, LATENCY_S

    def start(self) -> None:
        self.begun_s = time.time()
        super().start()

    def _run(self) -> None:
        frames = self.rate_hz // 100
        while not self._over.is_set():
            due_s = self.begun_s + len(self.sound) * 0.01
            time.sleep(max(0.0, due_s - time.time()))
            block, now_s = np.zeros((frames, self.channels), np.float32), time.time()
            when = SimpleNamespace(currentTime=now_s, outputBufferDacTime=due_s + LATENCY_S)
            self.callback(block, frames, when, None)
            self.sound.append(block)


def sounddevice(cards: list[FakeCard]) -> ModuleType:
    module: Any = ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})

    def query(device: Any, kind: str) -> dict[str, int]:
        if device is not None:
            raise ValueError(f"No output device matching {device!r}")
        return {"default_samplerate": 48_000, "max_output_channels": 2}

    def output(**options: Any) -> FakeCard:
        cards.append(FakeCard(**options))
        return cards[-1]

    module.query_devices, module.OutputStream = query, output
    return module


@contextlib.contextmanager
def player(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AudioPlayerNode, FakeCard]]:
    """The player node in this process, spun by a thread."""
    cards: list[FakeCard] = []
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice(cards))
    offset = [Parameter("sound_offset_ms", value=OFFSET_MS)]
    node, stop = AudioPlayerNode(context=listener.context, parameter_overrides=offset), threading.Event()
    executor = SingleThreadedExecutor(context=listener.context)
    executor.add_node(node)
    thread = threading.Thread(target=lambda: [executor.spin_once(timeout_sec=0.05) for _ in iter(stop.is_set, True)])
    thread.start()
    try:
        yield node, cards[0]
    finally:
        stop.set()
        thread.join()
        executor.shutdown()
        node.destroy_node()


@in_real_time
def test_the_sound_is_as_late_as_the_face(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks without stamps, in two channels, at 48 kHz of a card that is asked in real time."""
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    with player(listener, monkeypatch) as (node, card):
        listener.until(publisher.get_subscription_count, "the subscription")
        begun_s = time.time()
        for k in range(150):
            time.sleep(max(0.0, begun_s + k * 0.02 - time.time()))
            t = k * 0.02 + np.arange(320) / RATE_HZ
            message = Int16MultiArray(data=array("h", (dial(t) * 32767).astype(np.int16).ravel().tobytes()))
            message.layout.dim = [MultiArrayDimension(label="channels", size=2)]
            publisher.publish(message)
        listener.until(lambda: len(card.sound) * 0.01 > time.time() - card.begun_s - 0.05, "the card")
        assert node.player.underruns == 0
    sound = np.concatenate(card.sound)
    times = card.begun_s + LATENCY_S + np.arange(len(sound)) / 48_000
    playing = (times > begun_s + 0.6) & (times < begun_s + 2.9)
    late_ms = 1e3 * off_s(sound[playing], times[playing] - begun_s - 0.08 - OFFSET_MS / 1e3)
    print(f"\nthe sound is {late_ms.min():.1f} to {late_ms.max():.1f} ms behind the face")
    assert np.abs(late_ms).max() < STEP_MS
    assert np.abs(sound[playing]).max() > 0.4


def test_it_says_why_there_is_no_loudspeaker(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioError, match="needs the Python module sounddevice: pip install sounddevice"):
        AudioPlayerNode(context=listener.context)
    code, output = finish(start("audio_player_node", device="no such device"))
    assert code == 1 and "Traceback" not in output
    assert any(text in output for text in ("needs PortAudio", "no loudspeaker to open", "needs the Python module"))
    code, output = finish(start("audio_player_node", output="radio"))
    assert code == 1 and "output: received 'radio', expected one of card, topic" in output
    code, output = finish(start("audio_player_node", output="topic", talker="no name"))
    assert code == 1 and "must not contain characters other than" in output and len(output.splitlines()) == 1
    code, output = finish(start("audio_player_node", options=["-r", "audio_delayed:=audio"], output="topic"))
    assert code == 1 and "are both /audio: remap one of them" in output


@in_real_time
def test_the_topic_is_as_late_as_the_talker_says(listener: Listener) -> None:
    """Same type and content, 200 ms later: the delay that the talker's information names."""
    infos = listener.node.create_publisher(FaceInfo, "dtalker/info", QOS)
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    heard: list[tuple[float, list[int]]] = []
    listener.node.create_subscription(
        Int16MultiArray, "audio_delayed", lambda m: heard.append((time.time(), m.data.tolist())), QOS
    )
    process = start("audio_player_node", output="topic", talker="dtalker")
    listener.until(lambda: publisher.get_subscription_count() and infos.get_subscription_count(), "the player")
    infos.publish(FaceInfo(playout_delay_ms=200.0))
    listener.settle()
    publisher.publish(Int16MultiArray(data=array("h", [0])))  # makes the topic known
    listener.until(lambda: heard or process.poll() is not None, "the topic", wait_s=5.0)
    sent: list[float] = []
    for k in range(1, 6):
        sent.append(time.time())
        publisher.publish(Int16MultiArray(data=array("h", [k] * 320)))
        listener.until(lambda k=k: len(heard) == k + 1, "the message")  # type: ignore[misc]
    code, output = finish(process, signal.SIGINT)
    assert (code, "Traceback" in output) == (0, False), output
    assert [data for _, data in heard[1:]] == [[k] * 320 for k in range(1, 6)]
    late_ms = [1e3 * (time_s - sent_s) for (time_s, _), sent_s in zip(heard[1:], sent)]
    print(f"\nlate: {late_ms}")
    assert 200.0 <= min(late_ms) and np.median(late_ms) < 200.0 + 20.0
