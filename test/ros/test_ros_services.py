"""Barge-in, reset, express; what late joiners get; silence in gaps; what a late node does; frames at once with asap."""

import re
import signal
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from node_rig import node
from real_time_rig import in_real_time
from ros_rig import FRAME_NS, QOS, Listener, finish, listener, stamp_ns, start, talker

# isort: split

from diagnostic_msgs.msg import DiagnosticStatus
from dtalker.msg import FaceInfo
from dtalker.srv import Express
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import GetParameters
from rosgraph_msgs.msg import Clock  # type: ignore[import-untyped, unused-ignore]
from std_msgs.msg import Int16MultiArray, UInt8MultiArray
from std_srvs.srv import Trigger

import dtalker_model
from dtalker_model.blendshapes import ARKIT_NAMES, INDEX

__all__ = ["listener"]

OK, WARN = DiagnosticStatus.OK[0], DiagnosticStatus.WARN[0]
EARLY_NS = 15_000_000
"""Rows of the end come so much earlier before their stamps than others."""
NOTICED_NS = 300_000_000
MOUTH = [INDEX[name] for name in ("jawOpen", "mouthFunnel", "mouthPucker", "mouthLowerDownLeft", "mouthUpperUpLeft")]
MARGIN_NS = 30_000_000
"""For the way of a service call and of a frame through the middleware."""


def speak(listener: Listener, pcm: np.ndarray) -> Any:
    """Publish `pcm` in one message, as TTS nodes do; returns the publisher."""
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    listener.until(publisher.get_subscription_count, "the subscription")
    listener.fresh_diagnostics()  # the node has found the publisher as well
    publisher.publish(Int16MultiArray(data=array("h", pcm.tobytes())))
    return publisher


@pytest.fixture
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="int16")[0]


@in_real_time
def test_a_sentence_in_one_message_is_paced_by_the_clock(listener: Listener, speech: np.ndarray) -> None:
    with talker(listener):
        speak(listener, speech[: 3 * 16_000])
        start_ns = int(listener.fresh_diagnostics()["speech_start_ns"])
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) > start_ns + 3_000_000_000, "the end")
        ahead_ms = [(stamp_ns(m) - when) / 1e6 for when, m in listener.frames if stamp_ns(m) > start_ns + 200_000_000]
        assert max(ahead_ms) < 100
        assert listener.fresh_diagnostics()["dropped_frames"] == "0"
    listener.assert_grid()


@in_real_time
def test_a_pause_of_the_publisher_becomes_silence(listener: Listener, speech: np.ndarray) -> None:
    with talker(listener):
        publisher = speak(listener, speech[:8_000])
        first_ns = int(listener.fresh_diagnostics()["speech_start_ns"])
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) > first_ns + 900_000_000, "half a second and a pause")
        sent_ns = listener.node.get_clock().now().nanoseconds
        publisher.publish(Int16MultiArray(data=array("h", speech[:8_000].tobytes())))
        second = listener.until(
            lambda: int(listener.diagnostics[-1]["speech_start_ns"]) > first_ns and listener.diagnostics[-1], "speech"
        )
        assert 80_000_000 <= int(second["speech_start_ns"]) - sent_ns <= 80_000_000 + MARGIN_NS
    listener.assert_grid()


def simulate(listener: Listener, step_s: float) -> dict[str, float]:
    """Send simulated time, `step_s` more every 10 ms, from 100 s on; returns where it stands, under "s"."""
    clock = listener.node.create_publisher(Clock, "/clock", 10)
    now = {"s": 100.0}

    def tick() -> None:
        now["s"] += step_s
        message = Clock()
        message.clock.sec, message.clock.nanosec = int(now["s"]), round(now["s"] % 1 * 1e9)
        clock.publish(message)

    listener.node.create_timer(0.01, tick)
    return now


def test_simulated_time_is_followed(listener: Listener) -> None:
    process = start("talker_node", use_sim_time=True)
    now = simulate(listener, 0.05)
    listener.until(lambda: len(listener.frames) > 200 or process.poll() is not None, "frames")
    code, output = finish(process, signal.SIGINT)
    assert code == 0, output
    # The clock stands at 0 before its first message: what began there would be 5,000 frames late.
    assert max(int(figures["dropped_frames"]) for figures in listener.diagnostics) < 1000
    stamps_s = [stamp_ns(message) / 1e9 for _, message in listener.frames]
    assert 100 < stamps_s[0] < stamps_s[-1] < now["s"] + 1
    assert stamps_s[-1] - stamps_s[-101] == pytest.approx(2.0, abs=1e-6)


def test_while_simulated_time_stands_still_who_comes_is_told_too(listener: Listener) -> None:
    heard: list[FaceInfo] = []
    with talker(listener, use_sim_time=True):
        late = listener.node.create_subscription(FaceInfo, "dtalker/info", heard.append, 10)
        listener.until(lambda: heard, "information")
        listener.node.destroy_subscription(late)


def test_under_simulated_time_diagnostics_begin_with_ok(listener: Listener) -> None:
    """The clock stands at 0 until somebody sends 100 s: that is no lateness."""
    with talker(listener, use_sim_time=True, max_lateness_ms=60_000.0):  # a node without a core is not late either
        simulate(listener, 0.02)
        listener.until(lambda: len(listener.statuses) >= 3, "diagnostics")
    assert set(listener.statuses) == {(OK, "no audio publisher")}


@in_real_time
def test_flush_drops_the_rest_and_the_mouth_rests_within_100_ms(listener: Listener, speech: np.ndarray) -> None:
    with talker(listener):
        speak(listener, speech)
        listener.until(lambda: listener.frames[-1][1].weights[MOUTH].max() > 0.05, "an open mouth")
        answer = listener.call(Trigger, "dtalker/flush")
        flushed_ns = listener.node.get_clock().now().nanoseconds
        assert answer.success
        assert float(answer.message.split()[1]) > 5.0
        rest_ns = flushed_ns + 1_500_000_000
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) > rest_ns, "the time after")
        after = [
            m.weights[MOUTH].max() for _, m in listener.frames if stamp_ns(m) > flushed_ns + 100_000_000 + MARGIN_NS
        ]
        assert len(after) > 50
        assert max(after[:5]) < 0.05
        assert listener.fresh_diagnostics()["queued_s"] == "0.000"
    listener.assert_grid()


def test_reset_starts_the_sequence_anew(listener: Listener) -> None:
    with talker(listener):
        listener.until(lambda: len(listener.frames) > 30, "frames")
        assert listener.call(Trigger, "dtalker/reset").success
        listener.until(lambda: listener.frames[-1][1].sequence < 10, "a new start")
        first = next(i for i, (_, m) in enumerate(listener.frames) if i and m.sequence == 0)
        assert stamp_ns(listener.frames[first][1]) > stamp_ns(listener.frames[first - 1][1])
        listener.frames = listener.frames[first:]
        listener.until(lambda: len(listener.frames) > 20, "more frames")
        listener.assert_grid()


def test_express_changes_and_refuses(listener: Listener) -> None:
    with talker(listener):
        answer = listener.call(Express, "dtalker/express", identity="", emotion="happy", intensity=1.5)
        assert (answer.success, answer.message) == (True, "")
        answer = listener.call(Express, "dtalker/express", identity="", emotion="hapy", intensity=-1.0)
        assert not answer.success
        assert "did you mean 'happy'?" in answer.message
        answer = listener.call(Express, "dtalker/express", identity="", emotion="", intensity=3.0)
        assert not answer.success
        assert "intensity" in answer.message
        answer = listener.call(Express, "dtalker/express", identity="live", emotion="", intensity=-1.0)
        assert answer.success
        listener.until(lambda: listener.speakers, "the belief about the speaker")
        card = dtalker_model.load().card
        assert set(listener.speakers[-1].identities) <= set(card.identities)


def test_express_leaves_what_is_left_out(listener: Listener) -> None:
    """As `ros2 service call ... "{emotion: happy}"` and Unity's `new ExpressRequest()` do."""
    with talker(listener, intensity=1.5):
        assert Express.Request().intensity == -1.0
        assert listener.call(Express, "dtalker/express", emotion="happy").success
        values = listener.call(GetParameters, "dtalker/get_parameters", names=["emotion", "intensity"]).values
        assert (values[0].string_value, values[1].double_value) == ("happy", 1.5)
        assert listener.call(Express, "dtalker/express", intensity=0.0).success
        answer = listener.call(Express, "dtalker/express", emotion="sad", intensity=float("nan"))
        assert not answer.success and "intensity" in answer.message
        values = listener.call(GetParameters, "dtalker/get_parameters", names=["emotion", "intensity"]).values
        assert (values[0].string_value, values[1].double_value) == ("happy", 0.0)


@pytest.mark.parametrize("end", ["deactivate", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("rate_hz", [50.0, 25.0])
@in_real_time
def test_the_mouth_comes_to_rest_at_the_end(listener: Listener, speech: np.ndarray, end: str, rate_hz: float) -> None:
    """In mid-word; what Unity shows is the last frame that came."""
    process = start("talker_node", publish_rate_hz=rate_hz, max_lateness_ms=60_000.0)  # no frame is left out
    listener.until(lambda: listener.infos or process.poll() is not None, "the talker node")
    speak(listener, speech)
    listener.until(lambda: listener.frames[-1][1].weights[MOUTH].max() > 0.1, "an open mouth")
    ended_ns = listener.node.get_clock().now().nanoseconds
    if end == "deactivate":
        request = Transition(id=Transition.TRANSITION_DEACTIVATE)
        assert listener.call(ChangeState, "dtalker/change_state", transition=request).success
    else:
        process.send_signal(signal.Signals[end])
        listener.until(lambda: process.poll() is not None, "the end")
    listener.settle()
    code, output = finish(process, signal.SIGINT)
    if code != 0:
        pytest.fail(output)
    is_open = [message.weights[MOUTH].max() > 0.02 for _, message in listener.frames]
    at_rest = listener.frames[max(i for i, open_now in enumerate(is_open) if open_now) + 1 :]
    if not at_rest:
        pytest.fail("the last frame has an open mouth")  # on no machine
    lags_ns = [when - stamp_ns(message) for when, message in listener.frames]
    ahead = [when for (when, _), lag in zip(listener.frames, lags_ns) if lag < np.median(lags_ns) - EARLY_NS]
    noticed_ns = min([when for when in ahead if when > ended_ns], default=ended_ns)
    assert noticed_ns - ended_ns < NOTICED_NS, "a busy machine brings signals and calls late, but not so late"
    assert stamp_ns(at_rest[0][1]) - noticed_ns <= 100_000_000 + MARGIN_NS
    steps = np.diff([stamp_ns(message) for _, message in listener.frames])
    assert set(np.abs(steps - 1e9 / rate_hz) < 2) == {True}


def test_diagnostics_return_to_ok(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtalker_ros.outputs.FAULT_S", 2.0)
    with node():
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        listener.until(lambda: listener.statuses, "diagnostics")
        assert {level for level, _ in listener.statuses} == {OK}
        publisher.publish(UInt8MultiArray(data=array("B")))  # no samples: refused
        listener.until(lambda: listener.statuses[-1][0] == WARN, "a warning")
        listener.until(lambda: listener.statuses[-1][0] == OK, "no warning")
        assert listener.diagnostics[-1]["messages_refused"] == "1"


def test_a_late_joiner_gets_the_information(listener: Listener) -> None:
    card = dtalker_model.load().card
    with talker(listener):
        late: list[Any] = []
        listener.until(lambda: len(listener.infos) >= 2, "information twice")
        listener.node.create_subscription(FaceInfo, "dtalker/info", late.append, 10)
        info = listener.until(lambda: late, "information for a late joiner")[0]
    assert tuple(info.names) == ARKIT_NAMES
    assert (info.model, info.model_sha256, info.licence) == (card.name, card.sha256, card.licence)
    assert (info.frame_rate_hz, info.lookahead_ms, info.playout_delay_ms) == (50.0, 80.0, 80.0)
    assert list(info.emotions) == list(card.emotions)
    assert list(info.identities) == list(card.identities)


@in_real_time
def test_a_held_up_node_drops_the_oldest_and_says_so(listener: Listener, speech: np.ndarray) -> None:
    with talker(listener) as process:
        speak(listener, speech)
        listener.until(lambda: float(listener.fresh_diagnostics()["queued_s"]) > 0, "speech")
        process.send_signal(signal.SIGSTOP)
        held_ns = listener.node.get_clock().now().nanoseconds
        now_ns = listener.node.get_clock().now
        listener.until(lambda: now_ns().nanoseconds > held_ns + 1_500_000_000, "a second and a half")
        process.send_signal(signal.SIGCONT)
        line = listener.logged("whose time had passed")
        assert re.match(r"late: dropped \d+ frames and 1\.\d\d s of audio whose time had passed", line)
        dropped = int(listener.until(lambda: int(listener.fresh_diagnostics()["dropped_frames"]), "the count"))
        assert 50 <= dropped <= 90
        resumed_ns = listener.node.get_clock().now().nanoseconds
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) > resumed_ns, "frames after that")
        jumps = np.diff([m.sequence for _, m in listener.frames])
        steps = np.diff([stamp_ns(m) for _, m in listener.frames]) // FRAME_NS
        assert jumps.max() == dropped + 1
        np.testing.assert_array_equal(jumps, steps)


def test_asap_gives_everything_at_once(listener: Listener, speech: np.ndarray) -> None:
    with talker(listener, pacing="asap"):
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        sent_ns = listener.node.get_clock().now().nanoseconds
        publisher.publish(Int16MultiArray(data=array("h", np.tile(speech, 6).tobytes())))
        count = -(-6 * len(speech) // 320)
        listener.until(lambda: len(listener.frames) >= count, "all frames")
        took_s = (listener.frames[-1][0] - sent_ns) / 1e9
        assert took_s < 0.5 * 6 * len(speech) / 16_000
        listener.fresh_diagnostics()
        assert len(listener.frames) == count
    listener.assert_grid()
