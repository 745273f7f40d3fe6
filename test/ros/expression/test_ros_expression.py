"""Topic `expression` of the talker node: how soon it shows, its timeout, what is refused, whose messages are heard."""

import time
from functools import cache
from typing import Any

import numpy as np
import pytest
from node_rig import node
from real_time_rig import in_real_time
from ros_rig import LATCHED, QOS, Listener, listener, stamp_ns, talker

# isort: split

from dtalker.srv import Express
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool, String

import dtalker_model

__all__ = ["listener"]

CALM: dict[str, Any] = {"blink": False, "idle": False}
SEEN, AWAY = 5e-3, 0.03
"""A face that goes further away than the first shows a message; within the second it has returned, but for memory."""
LATENCY_NS = 100_000_000
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


@cache
def silent_faces() -> np.ndarray:
    """The faces of the core for a silent minute: what the node shows while nobody publishes anything."""
    model = dtalker_model.load(**CALM)
    return np.array([frame.weights for frame in model.push(np.zeros(60 * 16_000, np.int16), 16_000)])


def away(message: Any) -> float:
    """How far a frame is from the face that it would be."""
    return float(np.abs(message.weights - silent_faces()[message.sequence]).max())


def changed(listener: Listener, since_ns: int = 0, before: float = 0.0) -> Any:
    """The first frame after `since_ns` that is further away than `before`, or None."""
    late = (message for _, message in listener.frames if stamp_ns(message) > since_ns)
    return next((message for message in late if away(message) > before + SEEN), None)


def is_back(listener: Listener) -> bool:
    return away(listener.frames[-1][1]) < AWAY


def offer(listener: Listener, qos: Any = QOS, kind: Any = String) -> Any:
    publisher = listener.node.create_publisher(kind, "expression", qos)
    listener.until(publisher.get_subscription_count, "the subscription")
    return publisher


def shown_for(listener: Listener, publisher: Any, text: str) -> float:
    """From sending `text` to the first frame that shows it, ms; the expression ends 1.5 s after it was sent."""
    before = away(listener.frames[-1][1])
    sent_ns = time.time_ns()
    publisher.publish(String(data=text))
    first = listener.until(lambda: changed(listener, sent_ns, before), f"{text} on the face")
    listener.until(lambda: stamp_ns(listener.frames[-1][1]) > sent_ns + 1_400_000_000, "the middle")
    assert not is_back(listener)
    listener.until(lambda: is_back(listener), "the return", 5)
    assert stamp_ns(listener.frames[-1][1]) - sent_ns > 1_500_000_000
    return (stamp_ns(first) - sent_ns) / 1e6


@in_real_time
def test_it_shows_within_100_ms_and_goes_after_its_time(listener: Listener) -> None:
    silent_faces()
    with talker(listener, expression_timeout_s=1.5, expression_return_s=0.3, **CALM):
        publisher = offer(listener)
        listener.until(lambda: len(listener.frames) > 25, "frames")
        latencies_ms = [shown_for(listener, publisher, text) for text in ("surprised 0.8", "sad 1.5")]
        print("message to face, ms:", latencies_ms)
        assert max(latencies_ms) <= LATENCY_NS / 1e6
    listener.assert_grid()


def test_an_empty_one_gives_it_back_and_express_waits_beneath(listener: Listener) -> None:
    with talker(listener, expression_timeout_s=0.0, expression_return_s=0.1, expression_fade_s=0.0, **CALM):
        publisher = offer(listener)
        publisher.publish(String(data="happy 0.7"))
        listener.until(lambda: changed(listener), "a happy face")
        answer = listener.call(Express, "dtalker/express", intensity=1.0)
        assert (answer.success, answer.message) == (True, "shown once the expression 'happy' of the topic is over")
        publisher.publish(String(data=""))
        listener.until(lambda: is_back(listener), "the return")
        answer = listener.call(Express, "dtalker/express", intensity=1.0)
        assert (answer.success, answer.message) == (True, "")


def test_who_counts_in_unknown_names_is_told_once_for_each(listener: Listener) -> None:
    with node(**CALM):
        publisher = offer(listener)
        for text in ("hapy", "hapy 0.5", "hapy", "hungry", "happy 7"):
            publisher.publish(String(data=text))
        listener.logged("'happy 7': the strength is 0 to 2")
        said = [line for line in listener.logs if line.startswith("not shown: ")]
        assert [line.split("'")[1] for line in said] == ["hapy", "hungry", "happy 7"]
        assert "unknown name; known: neutral, calm, happy, " in said[0] and "skeptical" in said[0]


@pytest.mark.parametrize("qos", [BEST_EFFORT, LATCHED], ids=["best effort", "latched"])
def test_publishers_of_any_qos_are_heard(listener: Listener, qos: QoSProfile) -> None:
    """A latched one even if its message was sent before the node came."""
    publisher = listener.node.create_publisher(String, "expression", qos)
    publisher.publish(String(data="happy"))
    with node(expression_timeout_s=0.0, **CALM) as talker_node:
        if qos is BEST_EFFORT:
            listener.until(publisher.get_subscription_count, "the subscription")
            listener.node.create_timer(0.1, lambda: publisher.publish(String(data="happy")))
        listener.until(lambda: talker_node.talker.expressing == "happy", "the expression")


def test_what_is_no_expression_is_named_and_the_rest_heard(listener: Listener) -> None:
    with node(**CALM) as talker_node:
        stranger = listener.node.create_publisher(Bool, "expression", QOS)
        listener.logged("/expression carries std_msgs/msg/Bool, which is no expression")
        listener.node.destroy_publisher(stranger)
        publisher = offer(listener)
        publisher.publish(String(data="sad"))
        listener.until(lambda: talker_node.talker.expressing == "sad", "the expression")


def test_a_model_without_a_listener_says_so(listener: Listener) -> None:
    with node(model="dtalker-open", **CALM) as talker_node:
        publisher = offer(listener)
        publisher.publish(String(data="live"))
        assert listener.logged("not shown: ") == (
            "not shown: expression 'live': the model dtalker-open has no listener: choose an emotion by name"
        )
        publisher.publish(String(data="amazed"))
        listener.until(lambda: talker_node.talker.expressing == "amazed", "the expression")
