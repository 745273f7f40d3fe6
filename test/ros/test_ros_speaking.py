"""Topic `speaking`, for turn-taking: latched, sent again each second, and true while frames with speech are shown."""

import time
from array import array
from pathlib import Path

import numpy as np
from real_time_rig import in_real_time
from ros_rig import LATCHED, QOS, Listener, clip, listener, stamp_ns, talker
from std_msgs.msg import Bool, Int16MultiArray

from dtalker_model.blendshapes import ARTICULATION

__all__ = ["listener"]

STILL = 0.02
TOLERANCE_NS = 60_000_000
"""A frame, and a busy machine."""


@in_real_time
def test_it_is_true_from_the_first_frame_with_speech_to_rest(listener: Listener, demo_wav: Path) -> None:
    heard: list[tuple[int, bool]] = []
    listener.node.create_subscription(Bool, "speaking", lambda m: heard.append((time.time_ns(), m.data)), LATCHED)
    pcm, rate_hz = clip(demo_wav, 2.0)
    with talker(listener, playout_delay_ms=400.0):
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        listener.until(lambda: heard, "the first word on it")
        sent_ns = time.time_ns()
        publisher.publish(Int16MultiArray(data=array("h", pcm.tobytes())))
        listener.until(lambda: any(speaks for _, speaks in heard), "speech")
        listener.until(lambda: not heard[-1][1], "the end of it")
        listener.until(lambda: len(heard) > 6, "repetitions")
        late: list[bool] = []
        listener.node.create_subscription(Bool, "speaking", lambda m: late.append(m.data), LATCHED)
        listener.until(lambda: late, "what is latched", wait_s=0.9)
    changes = [now for before, now in zip([(0, False), *heard], heard) if now[1] != before[1]]
    assert [speaks for _, speaks in changes] == [True, False]
    moving = [stamp_ns(m) for _, m in listener.frames if _moves(m)]
    assert changes[0][0] >= sent_ns + 400_000_000  # when it is shown, not when it is heard
    assert abs(changes[0][0] - moving[0]) < TOLERANCE_NS + 60_000_000  # the gate opens in 60 ms
    assert abs(changes[1][0] - moving[-1]) < TOLERANCE_NS + 160_000_000
    assert len(pcm) / rate_hz == 2.0


def _moves(message: object) -> bool:
    return bool(np.array(message.weights)[ARTICULATION].max() > STILL)  # type: ignore[attr-defined]


@in_real_time
def test_a_barge_in_and_the_end_of_the_node_end_it(listener: Listener, demo_wav: Path) -> None:
    heard: list[bool] = []
    listener.node.create_subscription(Bool, "speaking", lambda m: heard.append(m.data), LATCHED)
    pcm, _ = clip(demo_wav, 6.0)
    with talker(listener):
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        publisher.publish(Int16MultiArray(data=array("h", pcm.tobytes())))
        listener.until(lambda: heard and heard[-1], "speech")
    listener.until(lambda: not heard[-1], "the end of it")
