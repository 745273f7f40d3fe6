"""Topic `head`: a head for each frame, with its stamp and number; it finds its frame again, and still is still."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from dtalker.msg import Head
from ros_rig import QOS, Listener, listener, play, short_wav, talker

from dtalker_model.output.pose import POSE_LIMITS, POSE_NAMES
from dtalker_ros.topics.topic_head import KEPT, TopicHead

__all__ = ["listener", "short_wav"]


def test_every_frame_has_a_head(listener: Listener, short_wav: Path) -> None:
    heads: list[Any] = []
    listener.node.create_subscription(Head, "head", heads.append, QOS)
    with talker(listener):
        listener.until(lambda: listener.node.count_publishers("head"), "the topic")
        play(listener, file=str(short_wav), kind="int16")
        listener.until(lambda: len(listener.frames) > 100 and len(heads) > 100, "frames and heads")
    by_number = {head.sequence: head for head in heads}
    frames = [frame for _, frame in listener.frames if frame.sequence in by_number]
    assert len(frames) > 90
    assert all(by_number[frame.sequence].header == frame.header for frame in frames)
    turns = np.array([[getattr(head, name) for name in POSE_NAMES] for head in heads])
    assert (np.abs(turns) <= POSE_LIMITS).all() and (turns[:, :3].std(axis=0) > 1e-3).all()


def test_a_still_head_stays_still(listener: Listener, short_wav: Path) -> None:
    heads: list[Any] = []
    listener.node.create_subscription(Head, "head", heads.append, QOS)
    with talker(listener, stillness=1.0):
        listener.until(lambda: listener.node.count_publishers("head"), "the topic")
        play(listener, file=str(short_wav), kind="int16")
        listener.until(lambda: len(heads) > 50, "heads")
    assert not any(getattr(head, name) for head in heads for name in POSE_NAMES)


class _Node:
    """A node whose messages come by hand."""

    def create_subscription(self, kind: Any, topic: str, callback: Any, qos: Any) -> None:
        self.hear = callback


def _heard(*numbers: int) -> TopicHead:
    node = _Node()
    topic = TopicHead(node, "head", QOS)
    topic.hear = node.hear  # type: ignore[attr-defined]
    for number in numbers:
        node.hear(SimpleNamespace(sequence=number, **dict.fromkeys(POSE_NAMES, number / 1000)))
    return topic


def test_a_head_finds_its_frame_and_one_that_is_lost_is_held() -> None:
    topic = _heard(0, 1, 3)
    found = [round(float(topic.of(number)[0]), 4) for number in range(5)]
    assert found == [0.0, 0.001, 0.001, 0.003, 0.003]


def test_a_talker_that_begins_anew_is_followed_and_little_is_kept() -> None:
    topic = _heard(*range(500, 500 + 2 * KEPT), 0, 1)
    assert round(float(topic.of(1)[0]), 4) == 0.001
    assert len(topic._heads) <= KEPT
    nan = SimpleNamespace(sequence=2, **dict.fromkeys(POSE_NAMES, float("nan")))
    topic.hear(nan)  # type: ignore[attr-defined]
    assert np.isfinite(topic.of(2)).all()
