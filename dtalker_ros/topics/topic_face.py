"""The face of a talker node for the live page: frames, sound and belief from topics, settings through services."""

import collections
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from dtalker.msg import Blendshapes, FaceInfo, Speaker
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile

from dtalker_model.errors import DtalkerError
from dtalker_model.output.finite import HeldFace
from dtalker_model.output.pose import at_rest
from dtalker_model.printable import printable
from dtalker_model.view.backend import Broadcast, about_text, settings_text
from dtalker_model.view.sound import Sound
from dtalker_model.view.wire import Message, audio_message, frame_message, to_json
from dtalker_ros.outputs import stamp_ns
from dtalker_ros.parameters.remote_settings import RemoteSettings
from dtalker_ros.topics.talker_topics import TalkerTopics
from dtalker_ros.topics.topic_audio import TopicAudio
from dtalker_ros.topics.topic_faults import TopicFaults
from dtalker_ros.topics.topic_head import TopicHead
from dtalker_ros.topics.topic_joints import TopicJoints

AUDIO_PERIOD_S = 0.02
CLOCK_PERIOD_S = 0.5
JUMP_NS = 500_000_000
"""Stamps that go back by this begin a new stream."""
QOS = QoSProfile(depth=50)
QUIET_S = 0.5
"""A page that asks for what is refused, again and again, writes no more than a line in this time."""
LONGEST_LINE = 500
HELLO = ("about", "settings", "stream", "belief", "joints", "positions")
"""What a page that has just come is told, in this order."""


class TopicFace:
    """A `Backend`. The node's executor runs everything but `hello` and `request`, which hand over to it."""

    def __init__(self, node: Node, talker: str, robot: str = "") -> None:
        """`robot`: YAML of a robot's head whose joints are shown, too. Raises `SettingError` where it is none."""
        self._node = node
        self._pages = Broadcast(lambda data: None, lambda kind, text: None, lambda number, text: None)
        self._topics = TalkerTopics(node, talker)
        self._instances: frozenset[bytes] = frozenset()
        self._remote = RemoteSettings(node, self._topics.name, self._on_settings)
        self._audio: TopicAudio | None = None
        self._faults = TopicFaults(node, self._topics.name, self._notify)
        self._held = HeldFace()
        self._frames: Any = None
        self._heads: TopicHead | None = None
        self._frames_topic = ""
        self._info: Any = None
        self._stream, self._origin_ns, self._newest_ns = 1, 0, 0
        self._watched = 0
        self._handed: collections.deque[Callable[[], None]] = collections.deque(maxlen=500)
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        self._guard = node.create_guard_condition(self._take_over)
        node.create_subscription(FaceInfo, f"{self._topics.name}/info", self._on_info, QOS)
        node.create_subscription(Speaker, f"{self._topics.name}/speaker", self._on_speaker, QOS)
        node.create_timer(AUDIO_PERIOD_S, self._on_audio)
        node.create_timer(CLOCK_PERIOD_S, self._on_clock)
        self._look_around()
        self._say("stream", kind="topic", **self._clock())
        if robot:
            self._keep("joints", TopicJoints(node, robot, self._keep).text)

    # Called in the server's thread.

    def connect(self, pages: Broadcast) -> None:
        """See `Backend`."""
        self._pages = pages

    def hello(self) -> dict[str, str]:
        """See `Backend`: what was said last of each kind."""
        fault = self._faults.now
        notice = {"notice": to_json("notice", text=fault)} if fault else {}
        with self._lock:
            return {k: self._texts[k] for k in HELLO if k in self._texts} | notice

    def sound(self, number: int) -> Sound | None:
        """See `Backend`; the sound comes in pieces here."""
        return None

    def take_sound(self, sound: Sound) -> None:
        """See `Backend`; not offered."""
        self._notify("the robot's voice comes from its audio topic")

    def request(self, viewer: int, message: Message) -> None:
        """See `Backend`; settings alone."""
        if message.kind == "set":
            self._handed.append(lambda: self._set(viewer, message))
            self._guard.trigger()
        else:
            self._refuse(viewer, message.number, "the robot's voice comes from its audio topic")

    def hear(self, viewer: int, pcm: NDArray[np.int16], sample_rate_hz: int) -> None:
        """See `Backend`; not offered."""

    def joined(self, remaining: int) -> None:
        """See `Backend`."""
        self._watched = remaining

    def left(self, viewer: int, remaining: int) -> None:
        """See `Backend`."""
        self._watched = remaining

    # Called in the node's executor.

    def _take_over(self) -> None:
        while self._handed:
            self._handed.popleft()()

    def _set(self, viewer: int, message: Message) -> None:
        def answer(done: bool, reason: str) -> None:
            if done:
                self._pages.answer(viewer, to_json("applied", id=message.number))
            else:
                self._refuse(viewer, message.number, reason)

        try:
            self._remote.request(message.changes or {}, answer)
        except DtalkerError as error:
            self._refuse(viewer, message.number, str(error))

    def _refuse(self, viewer: int, number: int, reason: str) -> None:
        text = printable(f"viewer {viewer}: refused {reason}", LONGEST_LINE)
        self._node.get_logger().warning(text, throttle_duration_sec=QUIET_S)
        self._pages.answer(viewer, to_json("refused", id=number, reason=reason))
        self._on_settings()

    def _on_settings(self) -> None:
        self._keep("settings", settings_text(self._remote.settings))
        if self._audio is None:
            self._audio = TopicAudio(self._node, self._remote.own, self._topics.audio())
        else:
            self._audio.follow(self._remote.own)

    def _look_around(self) -> None:
        """Follow the talker to other topics, and notice one that was started anew: its settings are its own."""
        if self._heads is None or self._heads.topic != self._topics.heads():
            if self._heads is not None:
                self._heads.close()
            self._heads = TopicHead(self._node, self._topics.heads(), QOS)
        if self._frames_topic != (frames := self._topics.frames()):
            if self._frames is not None:
                self._node.destroy_subscription(self._frames)
            self._frames = self._node.create_subscription(Blendshapes, frames, self._on_frame, QOS)
            self._frames_topic = frames
        if self._audio is not None and self._audio.topic != (audio := self._topics.audio()):
            self._audio.close()
            self._audio = TopicAudio(self._node, self._remote.own, audio)
        instances = self._topics.instances()
        if instances - self._instances:
            self._info = None
        self._instances = instances

    def _on_info(self, info: Any) -> None:
        if self._audio is not None:
            self._audio.delay(float(info.playout_delay_ms))
        if self._info is not None and _offer(info) == _offer(self._info):
            return
        self._info = info
        names = {"identities": list(info.identities), "emotions": list(info.emotions)}
        model = {"name": info.model, "lookahead_ms": info.lookahead_ms, "licence": info.licence}
        model |= {"steps": int(info.steps), "step_counts": list(map(int, info.step_counts))}
        self._keep("about", about_text("ros", {**model, **names, "live": True, "articulates": True}, []))
        self._remote.learn(list(info.emotions))

    def _on_frame(self, message: Any) -> None:
        shown_ns = stamp_ns(message)
        if not self._origin_ns or shown_ns < self._newest_ns - JUMP_NS:
            self._origin_ns, self._stream = shown_ns, self._stream + 1
            self._say("stream", kind="topic", **self._clock())
        self._newest_ns = shown_ns
        time_s = (shown_ns - self._origin_ns) / 1e9
        (weights,) = self._held.apply(np.array(message.weights, np.float32)[None])
        if self._held.held:
            self._node.get_logger().warning("the frames hold NaN: the face before is shown", once=True)
        head = at_rest() if self._heads is None else self._heads.of(message.sequence)
        self._pages.frame(frame_message(self._stream, message.sequence, time_s, weights, head))

    def _on_audio(self) -> None:
        for heard_ns, pcm, rate_hz in self._audio.due() if self._audio is not None else ():
            if self._origin_ns and self._watched:
                self._pages.frame(audio_message(self._stream, rate_hz, (heard_ns - self._origin_ns) / 1e9, pcm))

    def _on_speaker(self, message: Any) -> None:
        identities = dict(zip(message.identities, map(float, message.identity_probabilities)))
        emotions = dict(zip(message.emotions, map(float, message.emotion_probabilities)))
        fields = {"speaking": bool(message.speaking), "speech_s": float(message.speech_s)}
        self._say("belief", identities=identities, emotions=emotions, **fields)

    def _on_clock(self) -> None:
        self._look_around()
        self._pages.state("clock", to_json("clock", **self._clock()))
        self._keep("stream", to_json("stream", kind="topic", **self._clock()), send=False)

    def _clock(self) -> dict[str, Any]:
        now_ns = self._node.get_clock().now().nanoseconds
        position_s = (now_ns - self._origin_ns) / 1e9 if self._origin_ns else 0.0
        return {"stream": self._stream, "position_s": position_s}

    def _notify(self, text: str) -> None:
        self._pages.state("notice", to_json("notice", text=text))

    def _say(self, topic: str, /, **fields: Any) -> None:
        self._keep(topic, to_json(topic, **fields))

    def _keep(self, kind: str, text: str, send: bool = True) -> None:
        with self._lock:
            self._texts[kind] = text
        if send:
            self._pages.state(kind, text)


def _offer(info: Any) -> tuple[str, list[str], list[str]]:
    """What the page offers for choice: it changes with the model, and when a voice is enrolled."""
    return info.model_sha256, list(info.identities), list(info.emotions)
