"""The talker node's publishers, and how its messages are filled."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from dtalker.msg import Blendshapes, FaceInfo, Head, Speaker
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool, Header

from dtalker_model.output.pose import POSE_NAMES
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.worker import Worker

OUTPUT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE)
"""What Unity's endpoint subscribes with; information is sent again rather than latched."""

SPEAKING_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Who takes turns must know at once; it is sent again too, for those who hear no latched messages."""

FAULT_S = 10.0
"""Diagnostics warn for so long after the last loss or refusal."""
ACKNOWLEDGE_S = 0.2


def header(stamp_ns: int, frame_id: str) -> Header:
    """A header with `stamp_ns` nanoseconds since the epoch."""
    result = Header(frame_id=frame_id)
    result.stamp.sec, result.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    return result


def stamp_ns(message: Any) -> int:
    """The time in the header of `message`, nanoseconds since the epoch."""
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


class Outputs:
    """Publishers of frames, heads, speaking, info, belief and diagnostics."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self.frame_id = "face"
        self._frames = node.create_publisher(Blendshapes, "blendshapes", OUTPUT_QOS)
        self._speaking = node.create_publisher(Bool, "speaking", SPEAKING_QOS)
        self._speaks, self._speaks_lock = False, threading.Lock()
        self._heads = node.create_publisher(Head, "head", OUTPUT_QOS)
        self._info = node.create_publisher(FaceInfo, "~/info", OUTPUT_QOS)
        self._speaker = node.create_publisher(Speaker, "~/speaker", OUTPUT_QOS)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", OUTPUT_QOS)
        self._measured = (time.monotonic(), 0)
        self._faults, self._fault_s = 0, float("-inf")

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._frames, self._heads, self._speaking, self._info, self._speaker, self._diagnostics):
            self._node.destroy_publisher(publisher)

    def publish(self, rows: list[Shown]) -> None:
        """Publish `rows` in order; of each first the head: who shows both has it when the face comes."""
        for row in rows:
            stamped = header(row.stamp_ns, self.frame_id)
            turned = dict(zip(POSE_NAMES, row.head.tolist()))
            self._heads.publish(Head(header=stamped, sequence=row.sequence, **turned))
            self._frames.publish(Blendshapes(header=stamped, sequence=row.sequence, weights=row.weights))

    def publish_speaking(self, speaks: bool | None = None) -> None:
        """Publish whether the face speaks, from any thread; None: as before, once more."""
        with self._speaks_lock:
            self._speaks = self._speaks if speaks is None else speaks
            self._speaking.publish(Bool(data=self._speaks))

    @property
    def speaks(self) -> bool:
        """What was published last."""
        return self._speaks

    def settle(self) -> None:
        """Wait a moment until subscribers have what was published: the node may end right after."""
        self._frames.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))

    def publish_info(self, card: Any, values: Mapping[str, Any], delay_ms: float) -> None:
        """Publish what a subscriber must know about the face; `delay_ms` is the playout delay in force."""
        message = FaceInfo(
            names=list(card.blendshapes),
            frame_rate_hz=float(values["publish_rate_hz"]),
            lookahead_ms=1000.0 * card.lookahead_samples / SAMPLE_RATE_HZ,
            playout_delay_ms=delay_ms,
            model=card.name,
            model_sha256=card.sha256,
            licence=card.licence,
            identities=list(card.identities),
            emotions=list(card.emotions),
            steps=card.steps,
            step_counts=list(card.step_counts),
        )
        message.header = header(self._now_ns(), self.frame_id)
        self._info.publish(message)

    def publish_speaker(self, belief: Any, heard_ns: int) -> None:
        """Publish the `belief` about a voice heard until `heard_ns`."""
        message = Speaker(
            speaking=bool(belief.speaking),
            speech_s=float(belief.speech_s),
            identities=list(belief.identities),
            identity_probabilities=[float(p) for p in belief.identities.values()],
            emotions=list(belief.emotions),
            emotion_probabilities=[float(p) for p in belief.emotions.values()],
        )
        message.header = header(heard_ns, self.frame_id)
        if belief.speech_s > 0:
            message.identity, message.identity_probability = _most_probable(belief.identities)
            message.emotion, message.emotion_probability = _most_probable(belief.emotions)
        self._speaker.publish(message)

    def publish_diagnostics(self, engine: TimedTalker, worker: Worker, connected: bool) -> None:
        """Publish rate, latency, losses and queue."""
        lost = engine.timeline.losses.dropped_frames + worker.lost
        name = self._node.get_fully_qualified_name().lstrip("/")
        status = DiagnosticStatus(name=f"{name}: talker", hardware_id=self.frame_id)
        said = ["hearing" if connected else "no audio publisher", *engine.faults]
        if self._at_fault(lost + worker.refused):
            said.append(f"something was lost or refused in the last {FAULT_S:g} s")
        status.level = DiagnosticStatus.WARN if len(said) > 1 else DiagnosticStatus.OK
        status.message = "; ".join(said)
        values = self._figures(engine, worker)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        message = DiagnosticArray(status=[status])
        message.header = header(self._now_ns(), self.frame_id)
        self._diagnostics.publish(message)

    def _at_fault(self, faults: int) -> bool:
        """Whether the count of `faults` has grown lately."""
        if faults > self._faults:
            self._fault_s = time.monotonic()
        self._faults = faults
        return faults > 0 and time.monotonic() - self._fault_s < FAULT_S

    def _figures(self, engine: TimedTalker, worker: Worker) -> dict[str, object]:
        """The key values of the diagnostics."""
        statistics, timeline = engine.statistics, engine.timeline
        p50, p95, p99 = statistics.percentiles()
        return {
            "frames": statistics.frames,
            "frame_rate_hz": f"{self._rate_hz(statistics.frames):.1f}",
            "latency_ms_p50": f"{p50:.2f}",
            "latency_ms_p95": f"{p95:.2f}",
            "latency_ms_p99": f"{p99:.2f}",
            "real_time_factor": f"{statistics.compute_s / max(statistics.audio_s, 1e-9):.4f}",
            "queued_s": f"{timeline.queued_s:.3f}",
            "dropped_frames": timeline.losses.dropped_frames,
            "dropped_audio_s": f"{timeline.losses.dropped_ns / 1e9:.3f}",
            "messages_received": worker.received,
            "messages_refused": worker.refused,
            "messages_lost": worker.lost,
            "speech_start_ns": timeline.speech_start_ns or 0,
        }

    def _rate_hz(self, frames: int) -> float:
        """Frames a second since the last call."""
        now_s, (then_s, before) = time.monotonic(), self._measured
        self._measured = (now_s, frames)
        return max(0, frames - before) / max(now_s - then_s, 1e-3)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def _most_probable(probabilities: Mapping[str, float]) -> tuple[str, float]:
    if not probabilities:
        return "", 0.0
    name = max(probabilities, key=lambda key: probabilities[key])
    return name, float(probabilities[name])
