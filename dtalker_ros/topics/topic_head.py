"""The heads that go with the frames of `blendshapes`: two topics with the same sequence numbers."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
from dtalker.msg import Head
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile

from dtalker_model.output.pose import POSE_LIMITS, POSE_NAMES, at_rest

KEPT = 500
"""Heads that wait for their frame: ten seconds of them."""


class TopicHead:
    """Hears `topic` and has the head of each frame.

    A talker publishes the head first, and a node that subscribes to it first hears it first, unless it is lost.
    """

    def __init__(self, node: Node, topic: str, qos: QoSProfile) -> None:
        self._node = node
        self._heads: collections.OrderedDict[int, NDArray[np.float32]] = collections.OrderedDict()
        self._last = at_rest()
        self.topic = topic
        self._subscription = node.create_subscription(Head, topic, self._on_head, qos)

    def close(self) -> None:
        """Hear no more."""
        self._node.destroy_subscription(self._subscription)

    def of(self, sequence: int) -> NDArray[np.float32]:
        """The head (5,) of frame `sequence`; the one before it where it is not there."""
        while self._heads and next(iter(self._heads)) < sequence:
            self._last = self._heads.popitem(last=False)[1]
        self._last = self._heads.pop(sequence, self._last)
        return self._last

    def _on_head(self, message: Any) -> None:
        head = np.array([getattr(message, name) for name in POSE_NAMES], np.float32)
        if not np.isfinite(head).all():
            return
        sequence = int(message.sequence)
        if self._heads and sequence <= next(reversed(self._heads)):  # the talker began anew
            self._heads.clear()
        self._heads[sequence] = head.clip(-POSE_LIMITS, POSE_LIMITS)
        if len(self._heads) > KEPT:
            self._heads.popitem(last=False)
